"""`make soak HOURS=…`: a hub holds a rate for hours, and fails on growth of memory, open files, latency or queue.

The first quarter is left out (caches fill, indexes grow their first pages); of the rest the first third is set beside
the last. The play itself is judged as any other.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.servers import databases
from clients.replay.ledger.tables import EDGES
from clients.replay.player.run import Order, run
from clients.replay.player.sources import of_scenario
from clients.replay.scenario.read import read
from clients.replay.verdict import show, write

# What is told, its unit, its name in the book; the share and the amount by which it may grow.
_WATCHED = (
    ("memory of the hub", "MiB", "memory", 0.1, 20.0),
    ("open files of the hub", "", "files", 0.1, 20.0),
    ("documents under way", "", "open", 0.5, 50.0),
)
_OPERATIONS = ("send", "report", "list", "fetch", "done")


@dataclass(frozen=True)
class Grown:
    """A value early and late in the run. It may grow by ``share`` of itself and, being small, by ``floor``."""

    name: str
    unit: str
    early: float
    late: float
    share: float
    floor: float

    @property
    def too_much(self) -> bool:
        return self.late - self.early > max(self.share * self.early, self.floor)


def grown(book: sqlite3.Connection) -> list[Grown]:
    """Of a run's book."""
    (end,) = book.execute("SELECT max(second) FROM sample").fetchone()
    begin = end / 4
    third = (end - begin) / 3
    early, late = (begin, begin + third), (end - third, end)
    found = [
        Grown(told, unit, _sampled(book, name, early), _sampled(book, name, late), share, floor)
        for told, unit, name, share, floor in _WATCHED
    ]
    for operation in _OPERATIONS:
        values = [_percentile(book, operation, *times) * 1000 for times in (early, late)]
        found.append(Grown(f"{operation}, p95", "ms", values[0], values[1], 1.0, 50.0))
    return found


def _sampled(book: sqlite3.Connection, name: str, span: tuple[float, float]) -> float:
    asked = "SELECT value FROM sample WHERE name = ? AND second BETWEEN ? AND ?"
    return float(median(value for (value,) in book.execute(asked, (name, *span))))


def _percentile(book: sqlite3.Connection, operation: str, begin: float, end: float, share: float = 0.95) -> float:
    """Seconds that this share of the answered requests did not exceed."""
    buckets: dict[int, int] = {}
    asked = "SELECT buckets FROM timing WHERE operation = ? AND second BETWEEN ? AND ?"
    for (text,) in book.execute(asked, (operation, begin, end)):
        for bucket, count in json.loads(text).items():
            buckets[int(bucket)] = buckets.get(int(bucket), 0) + count
    left = share * sum(buckets.values())
    for bucket in sorted(buckets):
        left -= buckets[bucket]
        if left <= 0:
            return EDGES[bucket]
    return 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--keep", type=Path, help="keep book and report in this new folder")
    to = parser.parse_args(arguments)
    scenario = read("soak")
    scenario = scenario.model_copy(update={"clock": scenario.clock.model_copy(update={"duration": to.hours * 3600.0})})
    out = to.keep or Path(tempfile.mkdtemp(prefix="hub-soak-")) / "run"
    with databases(to.database, 1) as (url,):
        verdict = run(of_scenario("soak", scenario), Order(out, database_url=url), Console(stderr=True))
    write(verdict, out)
    show(Console(), verdict)
    table = Table("", "early", "late", "", title=f"growth in {to.hours:g} h, {to.database}")
    with closing(sqlite3.connect(out / "ledger.db")) as book:
        found = grown(book)
    for each in found:
        told = "[red]too much[/red]" if each.too_much else "fine"
        table.add_row(each.name, f"{each.early:,.1f} {each.unit}", f"{each.late:,.1f} {each.unit}", told)
    Console().print(table)
    print(out / "report.html")
    return 0 if verdict.passed and not any(each.too_much for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
