"""`make soak HOURS=…`: a hub holds a rate for hours, and fails on growth of memory, open files, latency or queue.

The first quarter is left out (caches fill, indexes grow their first pages), and so is what comes after the last
document was answered (everybody looks at once, and what waits drains); of the rest the first third is set beside the
last. A run too short for that fails. The play itself is judged as any other.
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
from itertools import accumulate
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.servers import databases
from clients.replay.ledger.tables import EDGES
from clients.replay.player.run import StoppedError, Venue, run
from clients.replay.player.sources import of_scenario
from clients.replay.scenario.read import read
from clients.replay.verdict import show, write

# Of the samples: what is told, its unit, its name in the book; the share and the amount by which it may grow.
_WATCHED = (
    ("memory of the hub", "MiB", "memory", 0.1, 20.0),
    ("open files of the hub", "", "files", 0.1, 20.0),
)
_OPERATIONS = ("send", "report", "list", "fetch", "done")
_SAMPLES = 10  # of a third, at least
_ANSWERS = 20  # of a third, at least: of fewer p95 is the slowest alone

# The hub's queue is what it took and has not handed over: each delivery of a document and each status packet counts
# from the first answer that took it until its receiver's "done" is answered. How many documents somebody is still to
# fetch would tell less: one of fifteen deliveries counts as all fifteen, and statuses not at all. Those for a system
# that reads the outbox instead are never fetched, and therefore left out.
_CHANGES = """
    WITH taken AS (
        SELECT s.what, s.n, MIN(a.at) AS at FROM answer a JOIN sending s ON s.seq = a.sending
        WHERE a.outcome IN ('accepted', 'repeated') GROUP BY s.what, s.n, s.recipient, s.k)
    SELECT CAST(at AS INTEGER), SUM(more) FROM (
        SELECT t.at, 1 AS more FROM taken t JOIN post p USING (n) JOIN addressee USING (n)
        WHERE t.what = 'document' AND p.repeats = 0
        UNION ALL SELECT t.at, 1 FROM taken t JOIN post p USING (n) JOIN party y ON y.code = p.sender
        WHERE t.what = 'status' AND y.reads <> 'outbox'
        UNION ALL SELECT MIN(at), -1 FROM confirmed GROUP BY system, delivery)
    GROUP BY 1"""


class TooShortError(Exception):
    """The book does not hold enough to set late beside early; the text says of what."""


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
    """Of a run's book, played in real time. Raises :class:`TooShortError`."""
    [(end,)] = book.execute(
        """SELECT MIN(second) FROM sample WHERE name = 'sent'
           AND value = (SELECT MAX(value) FROM sample WHERE name = 'sent')"""
    )
    if end is None:
        raise TooShortError("the book has no samples")
    begin = end / 4
    third = (end - begin) / 3
    early, late = (begin, begin + third), (end - third, end)
    found = [
        Grown(told, unit, _sampled(book, name, early), _sampled(book, name, late), share, floor)
        for told, unit, name, share, floor in _WATCHED
    ]
    queue = _queue(book, int(end))
    waiting = [float(median(queue[int(first) : int(last)])) for first, last in (early, late)]
    found.append(Grown("waiting at the hub", "", waiting[0], waiting[1], 0.5, 50.0))
    for operation in _OPERATIONS:
        values = [_percentile(book, operation, *times) * 1000 for times in (early, late)]
        found.append(Grown(f"{operation}, p95", "ms", values[0], values[1], 1.0, 50.0))
    return found


def _sampled(book: sqlite3.Connection, name: str, span: tuple[float, float]) -> float:
    """The least: what a burst of calls opens is closed again, what leaks is not. 0 is sampled of a dead hub."""
    asked = "SELECT value FROM sample WHERE name = ? AND value > 0 AND second BETWEEN ? AND ?"
    values = [value for (value,) in book.execute(asked, (name, *span))]
    if len(values) < _SAMPLES:
        raise TooShortError(_told("samples", name, span, len(values), _SAMPLES))
    return float(min(values))


def _queue(book: sqlite3.Connection, end: int) -> list[int]:
    """What waits at the hub at the end of each second."""
    changes = dict(book.execute(_CHANGES))
    return list(accumulate(changes.get(second, 0) for second in range(end + 1)))


def _percentile(book: sqlite3.Connection, operation: str, begin: float, end: float, share: float = 0.95) -> float:
    """Seconds that this share of the answered requests did not exceed."""
    buckets: dict[int, int] = {}
    asked = "SELECT buckets FROM timing WHERE operation = ? AND second BETWEEN ? AND ?"
    for (text,) in book.execute(asked, (operation, begin, end)):
        for bucket, count in json.loads(text).items():
            buckets[int(bucket)] = buckets.get(int(bucket), 0) + count
    answers = sum(buckets.values())
    if answers < _ANSWERS:
        raise TooShortError(_told("answers", operation, (begin, end), answers, _ANSWERS))
    left = share * answers
    for bucket in sorted(buckets):
        left -= buckets[bucket]
        if left <= 0:
            break
    return float(EDGES[bucket])


def _told(what: str, name: str, span: tuple[float, float], count: int, least: int) -> str:
    return f"{count} {what} of {name} between seconds {span[0]:.0f} and {span[1]:.0f}, at least {least} are needed"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--keep", type=Path, help="keep book and report in this new folder")
    to = parser.parse_args(arguments)
    scenario = read("soak")
    scenario = scenario.model_copy(update={"clock": scenario.clock.model_copy(update={"duration": to.hours * 3600.0})})
    out = to.keep or Path(tempfile.mkdtemp(prefix="hub-soak-")) / "run"
    try:
        with databases(to.database, 1) as (url,):
            verdict = run(of_scenario("soak", scenario), Venue(out, database_url=url), Console(stderr=True))
    except StoppedError as fault:
        print(fault, file=sys.stderr)
        return 130
    write(verdict, out)
    show(Console(), verdict)
    if verdict.stopped:
        print(f"stopped before {to.hours:g} h were over: growth is not judged", file=sys.stderr)
        return 130
    table = Table("", "early", "late", "", title=f"growth in {to.hours:g} h, {to.database}")
    try:
        with closing(sqlite3.connect(out / "ledger.db")) as book:
            found = grown(book)
    except TooShortError as fault:
        print(f"not judged, and so failed: {fault}", file=sys.stderr)
        return 1
    for each in found:
        told = "[red]too much[/red]" if each.too_much else "fine"
        table.add_row(each.name, f"{each.early:,.1f} {each.unit}", f"{each.late:,.1f} {each.unit}", told)
    Console().print(table)
    print(out / "report.html")
    return 0 if verdict.passed and not any(each.too_much for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
