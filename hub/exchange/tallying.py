"""Counting for reports: what was accepted, changed, refused and examined is added to figures, in the order of commits
and each exactly once.

Every process of a hub looks now and then; who has the lock on the row of ``tally`` counts for that moment. How far
was counted is written with the figures, so a power cut leaves either both or neither. Nobody who accepts waits for it.
A recount finds the same figures from the rows (:mod:`hub.store.recount`), and mends what differs.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import structlog
from sqlalchemy import Connection, Engine, RowMapping

from hub.domain import tally
from hub.domain.document import Kind
from hub.domain.tally import Acceptance, Cell, Change, Counts
from hub.errors import Refusal
from hub.exchange.desk import Desk
from hub.exchange.writer import Transaction
from hub.store import figures, recount, uncounted
from hub.store.engine import reading, snapshot, temporary, writing

log = structlog.get_logger()
_EVERY = 2.0  # seconds between two looks
_GIVE_WAY = 6.0  # times as long as a step took until the next: counting waits while agencies send
_MOST = 500  # entries, events and refusals counted at once: on SQLite nobody else writes meanwhile
_WINDOW = 5000  # entries of the log, and events, read at once: what a recount goes through may be years
_MENDED = 2000  # figures mended in one transaction


@dataclass(frozen=True, slots=True)
class Gathered:
    """What comes next, and how far that is. ``version``: of the row of ``tally`` it goes on from."""

    version: int
    entries: int
    event: int
    signings: int
    refusals: list[str]
    counts: Counts

    def leads_on_from(self, place: RowMapping) -> bool:
        """Whether there is something to write."""
        here = (place["entries"], place["event"], place["signings"])
        return here != (self.entries, self.event, self.signings) or bool(self.refusals)


def gather(connection: Connection, most: int | None = _MOST) -> Gathered:
    """Read and count what comes next, at most so many of each kind (``None``: all)."""
    place = figures.place(connection)
    ends = uncounted.ends(connection)
    begins = place["entries"], place["event"], place["signings"]
    entries, event, signings = (
        max(begin, end if most is None else min(begin + most, end)) for begin, end in zip(begins, ends, strict=True)
    )
    refused = uncounted.refusals(connection, most or 1 << 30)
    counts: Counts = Counter()
    for after, until in _windows(begins[0], entries):
        for row in uncounted.acceptances(connection, after, until):
            _add(counts, tally.of_acceptance(_acceptance(row)))
        for row in uncounted.take_backs(connection, after, until):
            _add(counts, tally.of_take_back(row["sender"], row["at"]))
    for after, until in _windows(begins[1], event):
        for row in uncounted.changes(connection, after, until):
            _add(counts, tally.of_change(_change(row)))
    for after, until in _windows(begins[2], signings):
        _add(counts, signings_of(connection, uncounted.first_accepted(connection, after, until)))
    for row in refused:
        _add(counts, _refusal(row))
    return Gathered(place["version"], entries, event, signings, [row["id"] for row in refused], counts)


def _windows(begin: int, end: int) -> Iterator[tuple[int, int]]:
    for at in range(begin, end, _WINDOW):
        yield at, min(at + _WINDOW, end)


def _add(counts: Counts, more: Counts) -> None:
    for cell, n in more.items():
        counts[cell] += n


def _acceptance(row: RowMapping) -> Acceptance:
    return Acceptance(
        sender=row["sender"], issuer=row["issuer"], kind=Kind(row["kind"]), urgent=row["urgent"],
        promulgated_on=row["promulgated_on"], due_on=row["due_on"],
        duplicate="duplicate-suspected" in row["flags"], accepted_at=row["accepted_at"], at=row["at"],
        first=bool(row["first"]), recipients=tuple(row["recipients"]),
    )  # fmt: skip


def _change(row: RowMapping) -> Change:
    return Change(
        sender=row["sender"], recipient=row["recipient"], created_at=row["created_at"], fetched_at=row["fetched_at"],
        task_due=row["due_on"] if row["kind"] in tally.TASK_KINDS else None, at=row["at"],
        state=(row["state_before"], row["state_after"]), status=(row["status_before"], row["status_after"]),
    )  # fmt: skip


def _refusal(row: RowMapping) -> Counts:
    return tally.of_refusal(row["agency"], row["at"], row["code"], row["violations"])


def signings_of(connection: Connection, documents: Iterable[RowMapping]) -> Counts:
    """Who signed these documents ``{id, sender, accepted_at}``, as far as details of examinations are kept."""
    by_id = {row["id"]: row for row in documents}
    counts: Counts = Counter()
    for document_id, rows in uncounted.signed(connection, by_id).items():
        if any(row["detail"] == "{}" for row in rows):  # removed after its time, and left by `leave_examinations`
            continue
        parts = [(row["part"], row["verdict"], row["detail"]) for row in rows if row["part"] is not None]
        document = by_id[document_id]
        _add(counts, tally.of_signing(document["sender"], document["accepted_at"], rows[0]["standing"], parts))
    return counts


def _write(connection: Connection, gathered: Gathered, now: datetime) -> bool:
    """Add what was gathered inside the caller's transaction, which has claimed the row. False where another has."""
    if gathered.refusals and not uncounted.mark(connection, gathered.refusals):
        return False
    figures.add(connection, gathered.counts)
    figures.advance(
        connection, entries=gathered.entries, event=gathered.event, signings=gathered.signings, at=now
    )  # fmt: skip
    return True


def catch_up(tx: Transaction) -> None:
    """Count all there is, inside a transaction that removes rows: none is removed uncounted."""
    figures.claimed(tx.connection, wait=True)
    while True:
        gathered = gather(tx.connection)
        if not gathered.leads_on_from(figures.place(tx.connection)):
            return
        _write(tx.connection, gathered, tx.now)


def leave_refusals(tx: Transaction, before: datetime, most: int) -> None:
    """Keep what the refusals count that are removed now; all are counted."""
    gone: Counts = Counter()
    for row in uncounted.refusals_before(tx.connection, before, most):
        _add(gone, _refusal(row))
    figures.add(tx.connection, gone, gone=True)


def leave_examinations(tx: Transaction, document_id: str) -> None:
    """Keep what a document's examinations say of who signed it, before their details are removed; all are counted."""
    document = uncounted.examined_document(tx.connection, document_id)
    if document is not None:
        figures.add(tx.connection, signings_of(tx.connection, [document]), gone=True)


def leave_events(tx: Transaction) -> None:
    """Events were removed, all of them counted: go on from the last that is left."""
    figures.set_event(tx.connection)


class Teller:
    """One process's turn at counting."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._recount = threading.Thread()

    async def keep(self) -> None:
        """Looks again and again; a hub that is older than its figures has them made meanwhile."""
        while True:
            try:
                began = time.monotonic()
                while await self._desk.aside(self.step):
                    await asyncio.sleep(_GIVE_WAY * (time.monotonic() - began))
                    began = time.monotonic()
                if not self._recount.is_alive() and await self._desk.aside(self._is_incomplete):
                    # Nobody waits for its end: it may take minutes, and what it has not done the next start does.
                    self._recount = threading.Thread(target=self._make_whole, name="recount", daemon=True)
                    self._recount.start()
            except Exception as fault:
                _tell(fault)
            await asyncio.sleep(_EVERY)

    def once(self) -> int:
        """Count all there is now; gives in how many steps."""
        steps = 0
        while self.step():
            steps += 1
        return steps

    def step(self) -> bool:
        """Count what comes next; False where there is nothing, or another process is at it."""
        with reading(self._desk.engine) as connection:
            place, gathered = figures.place(connection), gather(connection)
        if not gathered.leads_on_from(place):
            return False
        with writing(self._desk.engine) as connection:
            claimed = figures.claimed(connection)
            if claimed is None or claimed["version"] != gathered.version:
                return False
            if not _write(connection, gathered, self._desk.clock()):
                raise RuntimeError("refusals were counted by nobody who said so")
        return True

    def _is_incomplete(self) -> bool:
        with reading(self._desk.engine) as connection:
            return not figures.place(connection)["complete"]

    def _make_whole(self) -> None:
        try:
            mend(self._desk.engine, self._desk.clock)
        except Exception as fault:
            _tell(fault)


def _tell(fault: Exception) -> None:
    if temporary(fault) is None and not isinstance(fault, Refusal):
        log.exception("tally-fault")


@dataclass(frozen=True, slots=True)
class Recounted:
    """What a recount found: how many figures there are, and those that differed, with what they lacked."""

    figures: int
    differences: int
    examples: list[tuple[str, Cell, int]]


Told = Callable[[str, int, int], None]


def _to_nobody(what: str, done: int, of: int) -> None: ...


def mend(
    engine: Engine, clock: Callable[[], datetime], *, only_look: bool = False, told: Told = _to_nobody
) -> Recounted:
    """Compare the figures with what the rows say at one moment, and mend them (``only_look``: tell alone).

    ``told`` hears how far it is: with entries of the log in ``signatures``, then with the ``figures``, by parts.

    The hub goes on meanwhile: what is mended is the difference, to which what others count in the meantime is only
    added. Raises ``busy`` while another recount goes on (one of two may find out late, and stops then), and while rows
    of a program before the log wait for their place.
    """
    with recount.alone(engine) as is_alone:
        if not is_alone:
            raise Refusal("busy", retry_after=60)
        with writing(engine) as connection:
            number = figures.begin_recount(connection)
        return _mended(engine, clock, number, told, only_look=only_look)


def _mended(engine: Engine, clock: Callable[[], datetime], number: int, told: Told, *, only_look: bool) -> Recounted:
    found, examples = 0, list[tuple[str, Cell, int]]()

    def settle(span: str, some: dict[Cell, int]) -> None:
        nonlocal found
        found += len(some)
        examples.extend((span, cell, n) for cell, n in islice(some.items(), max(0, 10 - len(examples))))
        if some and not only_look:
            with writing(engine) as connection:
                _own(connection, number)
                figures.add_to_span(connection, span, some)

    with snapshot(engine) as connection:
        if recount.is_unplaced(connection):
            raise Refusal("busy", retry_after=5)
        pending = gather(connection, None).counts  # in the rows, and not counted yet
        signings: Counts = Counter()
        examined = uncounted.ends(connection)[2]
        for after, until in _windows(0, examined):
            told("signatures", after, examined)
            _add(signings, signings_of(connection, uncounted.first_accepted(connection, after, until)))
        told("signatures", examined, examined)
        parts = recount.parts(connection)
        for done, (span, differing) in enumerate(recount.differences(connection, pending, signings)):
            told("figures", done, parts)
            for part in _parts(differing):
                settle(span, part)
    told("figures", parts, parts)
    with snapshot(engine) as connection:  # what is added meanwhile is added to a month and its days together
        for part in _parts(recount.months(connection)):
            settle("M", part)
        total = recount.count(connection)
    if not only_look:
        with writing(engine) as connection:
            _own(connection, number)
            figures.advance(connection, complete=True, at=clock())
    return Recounted(total, found, examples)


def _own(connection: Connection, number: int) -> None:
    """Raises ``busy`` where another recount has begun."""
    place = figures.claimed(connection, wait=True)
    if place is None or place["recount"] != number:
        raise Refusal("busy", retry_after=60)


def _parts(differing: Iterable[tuple[Cell, int]]) -> Iterable[dict[Cell, int]]:
    rest = iter(differing)
    while part := dict(islice(rest, _MENDED)):
        yield part
