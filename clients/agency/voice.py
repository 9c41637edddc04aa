"""How the command tells what happened: lines for people in their language, or JSON lines for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TransferSpeedColumn
from rich.table import Table

from clients.agency.texts import CannotError, said
from clients.hub_client import HubFailure, Refused, Unavailable
from hub.errors import Refusal, Violation

_LARGE = 1024 * 1024  # bytes; a smaller body is over before a bar is seen

FAILED, USAGE, AGAIN = 1, 2, 75  # exit codes; the last is EX_TEMPFAIL of sysexits.h: the same again may succeed


@dataclass
class Voice:
    """Standard output and standard error. ``as_json``: on standard output one object for each event."""

    lang: str
    as_json: bool
    out: Console
    err: Console

    def say(self, key: str, **facts: Any) -> None:
        """An event of ``texts``; in JSON ``{"event": key, …facts}``."""
        if self.as_json:
            self.tell({"event": key, **facts})
        else:
            self._line(self.out, said(self.lang, key, facts))

    def note(self, key: str, **facts: Any) -> None:
        """What only people need to know."""
        self._line(self.err, said(self.lang, key, facts))

    def tell(self, row: Mapping[str, Any]) -> None:
        """A JSON line."""
        self.out.file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        self.out.file.flush()

    def line(self, text: str, style: str) -> None:
        """A line for people that no text of ``texts`` has."""
        self._line(self.out, text, style)

    def table(self, heads: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> None:
        """Rows as a table; ``heads`` gives Vietnamese and English as ``vi / en`` by column."""
        vi = self.lang == "vi"
        table = Table(*(head.split(" / ")[0 if vi else -1] for head in heads.values()))
        for row in rows:
            table.add_row(*(escape(str(row.get(column, ""))) for column in heads))
        self.out.print(table)

    def violations(self, found: Iterable[Violation], style: str) -> None:
        """Each with its place and repair."""
        for each in found:
            place = f" {each.pointer}" if each.pointer else ""
            value = f" = {each.value!r}" if each.value else ""
            repair = f" → {each.repair}" if each.repair else ""
            text = f"{place}{value}: {each.vi if self.lang == 'vi' else each.en}{repair}"
            self.err.print(f"[{style}]{each.rule}[/{style}]{escape(text)}", highlight=False, soft_wrap=True)

    def failure(self, fault: Exception) -> int:
        """What could not be done, and why; gives the exit code. Raises what is a defect."""
        if isinstance(fault, CannotError):
            if self.as_json:
                self.tell({"event": fault.key, "error": True, **fault.facts})
            self._line(self.err, said(self.lang, fault.key, fault.facts), "red")
            return FAILED
        if isinstance(fault, Unavailable):
            if self.as_json:
                self.tell({"event": "hub-away", "error": True, "why": fault.why})
            self._line(self.err, said(self.lang, "hub-away", {"why": fault.why}), "red")
            return AGAIN
        if isinstance(fault, (Refusal, Refused)):
            if self.as_json:
                self.tell({"event": "refused", "error": True, **refusal_body(fault)})
            if any(each.rule != fault.code for each in fault.violations) or not fault.violations:
                text = fault.vi if self.lang == "vi" else fault.en
                self.err.print(f"[red]{fault.code}[/red]: {escape(text)}", highlight=False, soft_wrap=True)
            self.violations(fault.violations, "red")
            return FAILED
        if isinstance(fault, OSError) and not isinstance(fault, HubFailure):
            self._line(self.err, f"{fault.strerror or fault}: {fault.filename or ''}".rstrip(": "), "red")
            return FAILED
        raise fault

    @contextmanager
    def progress(self) -> Iterator[Callable[[int, int], None]]:
        """A function for ``HubClient(progress=…)`` that draws a bar for each large body, on a terminal."""
        drawn: list[tuple[Progress, TaskID]] = []

        def told(done: int, whole: int) -> None:
            if whole < _LARGE or not self.err.is_terminal:
                return
            if not drawn:
                columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
                bar = Progress(*columns, console=self.err, transient=True)
                drawn.append((bar, bar.add_task("")))
                bar.start()
            bar, task = drawn[0]
            bar.update(task, completed=done, total=whole)
            if done >= whole:
                drawn.pop()[0].stop()

        try:
            yield told
        finally:
            for bar, _ in drawn:
                bar.stop()

    def _line(self, console: Console, text: str, style: str = "") -> None:
        console.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)


def refusal_body(fault: Refusal | Refused) -> dict[str, Any]:
    """A refusal as JSON."""
    return {
        "code": fault.code,
        "message": {"vi": fault.vi, "en": fault.en},
        "violations": [asdict(each) for each in fault.violations],
    }


def refusal_text(fault: Exception) -> str:
    """The reason in both languages, to be read by whoever has to mend it."""
    if isinstance(fault, CannotError):
        return "".join(said(lang, fault.key, fault.facts) + "\n" for lang in ("vi", "en"))
    assert isinstance(fault, (Refusal, Refused))
    blocks = []
    for vi in (True, False):
        lines = [f"{fault.code}: {fault.vi if vi else fault.en}"]
        for each in fault.violations:
            value = f" = {each.value!r}" if each.value else ""
            repair = f" → {each.repair}" if each.repair else ""
            lines.append(f"- {each.rule} {each.pointer}{value}: {each.vi if vi else each.en}{repair}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"
