"""What a run measured: told line by line, kept as JSON, compared with another run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.load import Answers

KEPT = Path("bench-results")


@dataclass(frozen=True)
class Measure:
    """One figure. ``value`` in ``unit``; latencies in milliseconds, processor time in milliseconds per answer."""

    name: str
    value: float
    unit: str
    p50: float | None = None
    p99: float | None = None
    cpu: float | None = None
    note: str = ""

    @classmethod
    def of(cls, name: str, answers: Answers, cpu: float, note: str = "") -> Measure:
        """Of answers, with the seconds of processor time the server took for them."""
        each = cpu / len(answers.latencies) * 1000
        p50, p99 = (answers.percentile(share) * 1000 for share in (0.5, 0.99))
        return cls(name, answers.rate, "/s", p50, p99, each, note)

    def line(self) -> str:
        parts = [f"{self.name:38} {self.value:>10,.1f} {self.unit}"]
        if self.p50 is not None and self.p99 is not None:
            parts.append(f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms")
        if self.cpu is not None:
            parts.append(f"{self.cpu:.2f} ms of processor each")
        return "; ".join(part for part in (*parts, self.note) if part)


@dataclass
class Run:
    """Everything one run found, and where."""

    machine: str
    settings: dict[str, object]
    began: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    versions: list[str] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)

    def add(self, measure: Measure) -> None:
        """Tell and keep a figure."""
        print(measure.line(), flush=True)
        self.measures.append(measure)

    def save(self) -> Path:
        """Keep the run; gives the file."""
        KEPT.mkdir(exist_ok=True)
        path = KEPT / f"{self.began}.json"
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", "utf-8")
        return path


def compared(before: Path, after: Path) -> Iterator[str]:
    """A line per figure that both runs have: before, after, and how many times as much."""
    runs = [json.loads(path.read_text("utf-8")) for path in (before, after)]
    for path, run in zip((before, after), runs, strict=True):
        yield f"{path}: {run['machine']}"
    first, second = ({measure["name"]: measure for measure in run["measures"]} for run in runs)
    for name in first:
        if name in second:
            was, now = first[name], second[name]
            ratio = now["value"] / was["value"] if was["value"] else float("nan")
            line = f"{name:38} {was['value']:>10,.1f} → {now['value']:>10,.1f} {now['unit']:4} × {ratio:.2f}"
            if was["p99"] is not None and now["p99"] is not None:
                line += f"; p99 {was['p99']:.0f} → {now['p99']:.0f} ms"
            yield line
    for name in sorted(set(first) ^ set(second)):
        yield f"{name:38} only in one of them"
