"""``agency diff``: what came of one plan in two runs, matched by the plan's ``n``.

Both books are read in the same order, side by side, so that memory does not grow with them. What a document is, what
came and what was told is as the judge sees it (``ledger.derived``).
"""

from __future__ import annotations

import heapq
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count, groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clients.replay.ledger.derived import DERIVED, INDEXES

_EXAMPLES = 5
_CACHE = 64 * 1024  # KiB, of the book and of the temporary tables each
_LOOKED_AHEAD = 10_000  # documents of one recipient that one may have overtaken, at most

# What is compared: its name, and what a difference in it means.
KINDS = {
    "planned": "sent in one run only: another plan, or a run that was stopped",
    "accepted": "accepted in one run and not in the other",
    "code": "refused in both, with another code",
    "delivered": "came to the recipient in one run only",
    "told": "ended otherwise, as the sender was told",
    "order": "came to the recipient before one that was sent when it had been accepted, or behind it",
    "status": "a status that was accepted in one run and not in the other, or refused with another code",
    "status-delivered": "a status that came to the other party in one run only",
}

_ENDED = """CASE WHEN MAX(s.ok) THEN 'accepted' WHEN MAX(s.outcome = 'refused')
    THEN 'refused ' || MAX(CASE WHEN s.outcome = 'refused' THEN s.code END) ELSE 'unanswered' END"""
_DOCUMENTS = f"""SELECT p.n, {_ENDED}, p.document_id FROM attempt s JOIN post p USING (n) WHERE s.what = 'document'
    GROUP BY p.n ORDER BY p.n"""  # noqa: S608  (own words)
_DELIVERIES = """SELECT d.root, d.code,
        EXISTS (SELECT 1 FROM got g WHERE g.root = d.root AND g.code = d.code AND g.fits),
        COALESCE(
            (SELECT t.what FROM id i JOIN told t USING (delivery) WHERE i.root = d.root AND i.code = d.code
             AND t.what IN ('delivered', 'failed', 'expired', 'withdrawn') ORDER BY t.seq DESC LIMIT 1),
            (SELECT e.what FROM ended e WHERE e.root = d.root AND e.code = d.code ORDER BY e.seq DESC LIMIT 1),
            'nothing'),
        p.document_id
    FROM due d JOIN post p ON p.n = d.root ORDER BY d.root, d.code"""
_STATUSES = f"""SELECT s.n, s.recipient, s.k, {_ENDED},
        EXISTS (SELECT 1 FROM came c WHERE c.n = s.n AND c.recipient = s.recipient AND c.k = s.k AND c.fits),
        r.code
    FROM attempt s JOIN reply r ON r.n = s.n AND r.recipient = s.recipient AND r.k = s.k WHERE s.what = 'status'
    GROUP BY s.n, s.recipient, s.k ORDER BY s.n, s.recipient, s.k"""  # noqa: S608  (own words)
_ORDER = """SELECT g.code, g.root, f.sent, f.acked FROM got g JOIN fate f ON f.n = g.root
    WHERE g.fits AND f.acked IS NOT NULL GROUP BY g.code, g.root ORDER BY g.code, MIN(g.seq)"""


class DiffProblem(Exception):  # noqa: N818  (it is the run that has one)
    """A run cannot be compared; the text says why."""


@dataclass(frozen=True, slots=True)
class Case:
    """One difference: of post ``n`` (DocumentId ``document_id``) at ``recipient``, what the first run and the second
    say of it."""

    n: int
    document_id: str
    recipient: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One of ``KINDS``: how many differ, and the first of them by ``n``."""

    kind: str
    count: int
    examples: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """``facts`` that the two runs do not share, each with both values; ``seen``: what was compared, by name."""

    facts: Mapping[str, tuple[object, object]]
    seen: Mapping[str, int]
    found: tuple[Compared, ...]

    @property
    def equal(self) -> bool:
        return not any(compared.count for compared in self.found)

    @property
    def exit_code(self) -> int:
        return 0 if self.equal else 1


class _Found:
    def __init__(self) -> None:
        self.counts = dict.fromkeys(KINDS, 0)
        self.seen = dict.fromkeys(("documents", "deliveries", "statuses", "recipients"), 0)
        self._first: dict[str, list[tuple[int, int, Case]]] = {kind: [] for kind in KINDS}

    def add(self, kind: str, case: Case) -> None:
        self.counts[kind] += 1
        first = self._first[kind]
        heapq.heappush(first, (-case.n, -self.counts[kind], case))
        if len(first) > _EXAMPLES:
            heapq.heappop(first)

    def compare(self, kind: str, n: int, document_id: str, recipient: str, first: object, second: object) -> None:
        if first != second:
            self.add(kind, Case(n, document_id, recipient, str(first), str(second)))

    @property
    def compared(self) -> tuple[Compared, ...]:
        return tuple(
            Compared(kind, self.counts[kind], tuple(case for *_, case in sorted(self._first[kind], reverse=True)))
            for kind in KINDS
        )


def diff(run_a: Path, run_b: Path, step: Callable[[int, int], None] = lambda done, of: None) -> Difference:
    """Two run folders, or their books. ``step`` is told how many of the steps are done. Raises :class:`DiffProblem`."""
    found, done = _Found(), count(1)

    def stepped() -> None:
        step(next(done), _STEPS)

    with ExitStack() as stack:
        a, b = (stack.enter_context(closing(_opened(path, stepped))) for path in (run_a, run_b))
        try:
            facts = [dict(book.execute("SELECT key, value FROM run")) for book in (a, b)]
            for compare in _COMPARISONS:
                compare(found, a, b)
                stepped()
            differing = {
                key: (_fact(facts[0], key), _fact(facts[1], key))
                for key in sorted({*facts[0], *facts[1]})
                if facts[0].get(key) != facts[1].get(key)
            }
        except (sqlite3.Error, ValueError, TypeError) as fault:  # a book may be damaged, or made by hand
            raise DiffProblem(f"{run_a}, {run_b}: one of the books is damaged ({fault})") from None
    return Difference(differing, found.seen, found.compared)


def _fact(facts: Mapping[str, str], key: str) -> object:
    return json.loads(facts[key]) if key in facts else None


def _opened(path: Path, stepped: Callable[[], None]) -> sqlite3.Connection:
    file = path / "ledger.db" if path.is_dir() else path
    try:
        book = sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
        try:
            book.execute(f"PRAGMA cache_size = -{_CACHE}")
            book.execute(f"PRAGMA temp.cache_size = -{_CACHE}")
            for statement in (*INDEXES, *DERIVED):
                book.execute(statement)
                stepped()
        except BaseException:
            book.close()
            raise
    except sqlite3.Error as fault:
        raise DiffProblem(f"{file}: no book of a run ({fault})") from None
    return book


Row = tuple[Any, ...]
_Pair = tuple[Row, Row | None, Row | None]  # a key, and what each run has under it


def _paired(first: Iterable[Row], second: Iterable[Row], key: int) -> Iterator[_Pair]:
    """Both in the order of their first ``key`` columns, side by side."""
    tagged = heapq.merge(((row[:key], 0, row[key:]) for row in first), ((row[:key], 1, row[key:]) for row in second))
    for named, group in groupby(tagged, key=lambda each: each[0]):
        sides = {side: rest for _, side, rest in group}
        yield named, sides.get(0), sides.get(1)


def _documents(found: _Found, a: sqlite3.Connection, b: sqlite3.Connection) -> None:
    for (n,), first, second in _paired(a.execute(_DOCUMENTS), b.execute(_DOCUMENTS), 1):
        found.seen["documents"] += 1
        if first is None or second is None:
            present = first or second
            assert present is not None, "one of the two has it"
            found.add("planned", Case(n, present[1], "", _sent(first), _sent(second)))
            continue
        accepted = "accepted" in (first[0], second[0])
        found.compare("accepted" if accepted else "code", n, first[1], "", first[0], second[0])


def _sent(row: Row | None) -> str:
    return "not sent" if row is None else f"sent, {row[0]}"


def _deliveries(found: _Found, a: sqlite3.Connection, b: sqlite3.Connection) -> None:
    for (n, code), first, second in _paired(a.execute(_DELIVERIES), b.execute(_DELIVERIES), 2):
        if first is None or second is None:
            continue  # told as planned
        found.seen["deliveries"] += 1
        came = ("did not come", "came")
        found.compare("delivered", n, first[2], code, came[first[0]], came[second[0]])
        found.compare("told", n, first[2], code, first[1], second[1])


def _statuses(found: _Found, a: sqlite3.Connection, b: sqlite3.Connection) -> None:
    for (n, recipient, k), first, second in _paired(a.execute(_STATUSES), b.execute(_STATUSES), 3):
        found.seen["statuses"] += 1
        what = f"status {(first or second or ('', '', ''))[2]}, {k + 1}."
        if first is None or second is None:
            found.add("planned", Case(n, what, recipient, _sent(first), _sent(second)))
            continue
        came = ("did not come", "came")
        found.compare("status", n, what, recipient, first[0], second[0])
        found.compare("status-delivered", n, what, recipient, came[first[1]], came[second[1]])


# Order


@dataclass(frozen=True, slots=True)
class Kept:
    """A document at one recipient: its place there in the first run, and in each run when it was sent and accepted."""

    n: int
    place: int
    sent: tuple[int, int]
    acked: tuple[int, int]


def _orders(found: _Found, a: sqlite3.Connection, b: sqlite3.Connection) -> None:
    one, two = (groupby(book.execute(_ORDER), key=lambda row: row[0]) for book in (a, b))
    tagged = heapq.merge(((code, 0, list(rows)) for code, rows in one), ((code, 1, list(rows)) for code, rows in two))
    for code, group in groupby(tagged, key=lambda each: each[0]):
        sides = {side: rows for _, side, rows in group}
        if len(sides) < 2:
            continue
        found.seen["recipients"] += 1
        for early, late in overtaken(_kept(sides[0], sides[1])):
            found.add("order", Case(late.n, "", code, f"after n {early.n}", f"before n {early.n}"))


def _kept(first: list[Row], second: list[Row]) -> list[Kept]:
    """What both runs have, in the order of the second."""
    known = {row[1]: (place, row) for place, row in enumerate(first)}
    return [
        Kept(row[1], known[row[1]][0], (known[row[1]][1][2], row[2]), (known[row[1]][1][3], row[3]))
        for row in second
        if row[1] in known
    ]


def overtaken(kept: list[Kept]) -> Iterator[tuple[Kept, Kept]]:
    """(early, late): ``early`` came first in the first run and behind ``late`` in the second, and in both it had been
    accepted before ``late`` was sent. Each ``late`` once. Of two that were sent nearly at once either order is right.
    """
    later = [(0, 0)] * len(kept)  # of all behind: the least place, and the first accepted, in the second run
    least = (len(kept), 2**63)
    for i in range(len(kept) - 1, -1, -1):
        later[i] = least
        least = min(least[0], kept[i].place), min(least[1], kept[i].acked[1])
    for i, late in enumerate(kept):
        for j in range(i, min(i + _LOOKED_AHEAD, len(kept) - 1)):
            if later[j][0] > late.place or later[j][1] > late.sent[1]:
                break
            early = kept[j + 1]
            if early.place < late.place and all(early.acked[run] < late.sent[run] for run in (0, 1)):
                yield early, late
                break


_COMPARISONS = (_documents, _deliveries, _orders, _statuses)
_STEPS = 2 * len((*INDEXES, *DERIVED)) + len(_COMPARISONS)


# Telling it


def show(console: Console, difference: Difference) -> None:
    """A table of what was compared, with the first differences."""
    seen = ", ".join(f"{count:,} {name}" for name, count in difference.seen.items())
    table = Table(title=f"{'Equal' if difference.equal else 'Different'}: {seen}", title_justify="left")
    for name, options in (("compared", {}), ("differ", {"justify": "right"}), ("the first", {})):
        table.add_column(name, **options)  # type: ignore[arg-type]  # of the three one has an option
    for compared in difference.found:
        examples = "\n".join(_told(case) for case in compared.examples)
        style = "bold red" if compared.count else ""
        table.add_row(
            f"[bold]{compared.kind}[/bold]\n{KINDS[compared.kind]}", f"{compared.count:,}", examples, style=style
        )
    console.print(table)
    for key, (first, second) in difference.facts.items():
        console.print(f"{key}: {first} | {second}", highlight=False, markup=False)


def _told(case: Case) -> str:
    about = " ".join(
        part for part in (f"n {case.n}", case.document_id, f"→ {case.recipient}" * bool(case.recipient)) if part
    )
    return escape(f"{about}: {case.first} | {case.second}")


def as_json(difference: Difference) -> str:
    found = {
        compared.kind: {
            "meaning": KINDS[compared.kind],
            "count": compared.count,
            "examples": [
                {
                    "n": case.n,
                    "document_id": case.document_id,
                    "recipient": case.recipient,
                    "first": case.first,
                    "second": case.second,
                }
                for case in compared.examples
            ],
        }
        for compared in difference.found
    }
    body = {"equal": difference.equal, "compared": dict(difference.seen), "facts": dict(difference.facts)}
    return json.dumps(body | {"differences": found}, ensure_ascii=False, indent=2)
