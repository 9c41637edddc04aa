"""Counting for reports: what was accepted, changed, refused and examined is added to figures, in the order of commits
and each exactly once.

Every process of a hub looks now and then; who has the lock on the row of ``tally`` counts for that moment. How far
was counted is written with the figures, so a power cut leaves either both or neither. Nobody who accepts waits for it.
A recount finds the same figures from the rows (:mod:`hub.store.recount`), and mends what differs.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine, RowMapping

from hub.domain import tally
from hub.domain.document import Kind
from hub.domain.groups import Groups, groups_of
from hub.domain.tally import Acceptance, Cell, Change, Counts
from hub.errors import Refusal
from hub.exchange.desk import Desk
from hub.exchange.writer import Transaction
from hub.store import figures, recount, regroup, uncounted
from hub.store.engine import reading, snapshot, temporary, writing
from hub.store.roster import load

log = structlog.get_logger()
_EVERY = 2.0  # seconds between two looks
_GIVE_WAY = 6.0  # times as long as a step took until the next: counting waits while agencies send
_REST = 10.0  # times as long as a recount took until the next: beside a program before, groups never hold for long
_LEAVE = 5.0  # seconds for a recount to end when the hub does: a statement of a great one may take longer
_MOST = 500  # entries, events and refusals counted at once: on SQLite nobody else writes meanwhile
_WINDOW = 5000  # entries of the log, and events, read at once: what a recount goes through may be years
_MENDED = 2000  # figures mended in one transaction
_SHOWN = 10  # figures that differed


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


def _write(connection: Connection, place: RowMapping, gathered: Gathered, groups: Groups, now: datetime) -> bool:
    """Add what was gathered inside the caller's transaction, which has claimed the row. False where another has."""
    if gathered.refusals and not uncounted.mark(connection, gathered.refusals):
        return False
    groups_too = place["mark"] == groups.mark
    figures.add(connection, gathered.counts, groups if groups_too else None)
    figures.advance(
        connection, groups_too=groups_too,
        entries=gathered.entries, event=gathered.event, signings=gathered.signings, at=now,
    )  # fmt: skip
    return True


def catch_up(tx: Transaction) -> None:
    """Count all there is, inside a transaction that removes rows: none is removed uncounted."""
    figures.claimed(tx.connection, wait=True)
    while True:
        place, gathered = figures.place(tx.connection), gather(tx.connection)
        if not gathered.leads_on_from(place):
            return
        _write(tx.connection, place, gathered, groups_of(tx.roster.directory), tx.now)


def leave_refusals(tx: Transaction, before: datetime, most: int) -> None:
    """Keep what the refusals count that are removed now; all are counted."""
    gone: Counts = Counter()
    for row in uncounted.refusals_before(tx.connection, before, most):
        _add(gone, _refusal(row))
    figures.add_to_span(tx.connection, "G", gone)


def leave_examinations(tx: Transaction, document_id: str) -> None:
    """Keep what a document's examinations say of who signed it, before their details are removed; all are counted."""
    document = uncounted.examined_document(tx.connection, document_id)
    if document is not None:
        figures.add_to_span(tx.connection, "G", signings_of(tx.connection, [document]))


def leave_events(tx: Transaction) -> None:
    """Events were removed, all of them counted: go on from the last that is left."""
    figures.set_event(tx.connection)


class _EndedError(Exception):
    """The hub does not serve any more."""


class Teller:
    """One process's turn at counting."""

    def __init__(self, desk: Desk, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._desk, self._monotonic = desk, monotonic
        self._recount, self._rested, self._is_ending = threading.Thread(), -math.inf, threading.Event()

    async def keep(self) -> None:
        """Looks again and again; a hub that is older than its figures has them made meanwhile."""
        try:
            await self._keep()
        finally:
            self._is_ending.set()
            if self._recount.ident is not None:
                self._recount.join(_LEAVE)  # so that it leaves no connection open

    async def _keep(self) -> None:
        while True:
            try:
                began = self._monotonic()
                while await self._desk.aside(self.step):
                    await asyncio.sleep(_GIVE_WAY * (self._monotonic() - began))
                    began = self._monotonic()
                is_idle = not self._recount.is_alive() and self._monotonic() >= self._rested
                if is_idle and (wanted := await self._desk.aside(self._wanted)):
                    # Nobody waits for its end: it may take minutes, and what it has not done the next start does.
                    self._recount = threading.Thread(target=self._run, args=(wanted,), name="recount", daemon=True)
                    self._recount.start()
            except Exception as fault:
                _log(fault)
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
        groups = groups_of(self._desk.rosters.current(now=True).directory)
        with writing(self._desk.engine) as connection:
            claimed = figures.claimed(connection)
            if claimed is None or claimed["version"] != gathered.version:
                return False
            if not _write(connection, claimed, gathered, groups, self._desk.clock()):
                raise RuntimeError("refusals were counted by nobody who said so")
        return True

    def _wanted(self) -> Callable[[], object] | None:
        """What is to be counted again: all there is, or groups alone, or nothing."""
        groups = groups_of(self._desk.rosters.current().directory)
        with reading(self._desk.engine) as connection:
            place = figures.place(connection)
        if not place["complete"]:
            return partial(mend, self._desk.engine, self._desk.clock, told=self._heard)
        if figures.groups_hold(place, groups):
            return None
        return partial(mend_groups, self._desk.engine, told=self._heard)

    def _heard(self, what: str, done: int, of: int) -> None:
        if self._is_ending.is_set():
            raise _EndedError

    def _run(self, wanted: Callable[[], object]) -> None:
        began = self._monotonic()
        try:
            wanted()
        except _EndedError:
            return
        except Exception as fault:
            _log(fault)
        took = self._monotonic() - began
        self._rested = self._monotonic() + _REST * took


def _log(fault: Exception) -> None:
    if temporary(fault) is None and not isinstance(fault, Refusal):
        log.exception("tally-fault")


@dataclass(frozen=True, slots=True)
class Recounted:
    """What a recount found: how many figures of days there are, and those that differed, with what they lacked.
    ``with_groups``: those of groups held, and were compared too.
    """

    figures: int
    differences: int
    examples: list[tuple[str, Cell, int]]
    with_groups: bool


Told = Callable[[str, int, int], None]


def _to_nobody(what: str, done: int, of: int) -> None: ...


def mend(
    engine: Engine, clock: Callable[[], datetime], *, only_look: bool = False, told: Told = _to_nobody
) -> Recounted:
    """Compare the figures with what the rows say at one moment, and mend them (``only_look``: tell alone).

    ``told`` hears how far it is, by parts: with entries of the log in ``signatures``, with the ``figures``, and with
    those of ``groups``.

    The hub goes on meanwhile: what is mended is the difference, to which what others count in the meantime is only
    added. Raises ``busy`` while another recount goes on (one of two may find out late, and stops then), and while rows
    of a program before the log wait for their place.
    """
    with _alone(engine):
        from_rows = _Recount(engine, "recount", told, only_look=only_look)
        total = from_rows.of_rows(clock)
    added_up = _Recount(engine, "regroup", told, only_look=only_look)
    try:
        with _alone(engine):
            with_groups = added_up.of_groups()
    except Refusal:  # another process adds them up
        with_groups = False
    examples = [*from_rows.examples, *added_up.examples][:_SHOWN]
    return Recounted(total, from_rows.differences + added_up.differences, examples, with_groups=with_groups)


def mend_groups(engine: Engine, *, told: Told = _to_nobody) -> None:
    """Add up the figures of groups again, unless they hold by now. Raises ``busy`` as :func:`mend` does."""
    with _alone(engine):
        _Recount(engine, "regroup", told, only_look=False).of_groups(unless_held=True)


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    with recount.alone(engine) as is_alone:
        if not is_alone:
            raise Refusal("busy", retry_after=60)
        yield


class _Recount:
    """One that goes on: ``recount`` from rows, ``regroup`` from agencies' figures."""

    def __init__(self, engine: Engine, what: str, told: Told, *, only_look: bool) -> None:
        self._engine, self._what, self._told, self._only_look = engine, what, told, only_look
        self._number = 0
        self.differences, self.examples = 0, list[tuple[str, Cell, int]]()

    def of_rows(self, clock: Callable[[], datetime]) -> int:
        """Gives how many figures there are."""
        with writing(self._engine) as connection:
            self._number = figures.begin_recount(connection)
        with snapshot(self._engine) as connection:
            if recount.is_unplaced(connection):
                raise Refusal("busy", retry_after=5)
            pending = gather(connection, None).counts  # in the rows, and not counted yet
            signings: Counts = Counter()
            examined = uncounted.ends(connection)[2]
            for after, until in _windows(0, examined):
                self._told("signatures", after, examined)
                _add(signings, signings_of(connection, uncounted.first_accepted(connection, after, until)))
            self._told("signatures", examined, examined)
            parts = recount.parts(connection)
            for done, (span, differing) in enumerate(recount.differences(connection, pending, signings)):
                self._told("figures", done, parts)
                self._mend_agencies(span, differing)
        self._told("figures", parts, parts)
        with snapshot(self._engine) as connection:  # what is added meanwhile is added to a month and its days together
            self._mend_agencies("M", recount.months(connection))
            total = recount.count(connection)
        if not self._only_look:
            with self._own() as connection:
                figures.advance(connection, groups_too=True, complete=True, at=clock())
        return total

    def of_groups(self, *, unless_held: bool = False) -> bool:
        """Gives whether they held and were compared, all the while."""
        with reading(self._engine) as connection:
            groups = Groups(load(connection).directory)
        with writing(self._engine) as connection:
            place = figures.claimed(connection, wait=True)
            held = place is not None and figures.groups_hold(place, groups)
            if held if unless_held else self._only_look and not held:
                return held
            if not self._only_look:
                self._number = figures.begin_regroup(connection, groups)
        with reading(self._engine) as connection:
            windows = regroup.windows(connection)
        for done, window in enumerate(windows):
            self._told("groups", done, len(windows))
            with snapshot(self._engine) as connection:  # and to agencies and their groups together
                held = held and figures.groups_hold(figures.place(connection), groups, lacking=int(not self._only_look))
                differing = regroup.lacking(connection, window, groups)
            for part in _parts(differing.items()):
                if held:
                    self._note(((f"{c.grouping} {c.span}", Cell(*c[2:]), n) for c, n in part.items()), len(part))
                if not self._only_look:
                    with self._own() as connection:
                        figures.add_to_groups(connection, part)
        self._told("groups", len(windows), len(windows))
        if not self._only_look:
            with self._own() as connection:
                figures.end_regroup(connection)
        return held

    def _mend_agencies(self, span: str, differing: Iterable[tuple[Cell, int]]) -> None:
        for part in _parts(differing):
            self._note(((span, cell, n) for cell, n in part.items()), len(part))
            if not self._only_look:
                with self._own() as connection:
                    figures.add_to_span(connection, span, part)
                    figures.leave_groups(connection)

    def _note(self, some: Iterable[tuple[str, Cell, int]], many: int) -> None:
        self.differences += many
        self.examples.extend(islice(some, max(0, _SHOWN - len(self.examples))))

    @contextmanager
    def _own(self) -> Iterator[Connection]:
        """A transaction of this one. Raises ``busy`` where another has begun."""
        with writing(self._engine) as connection:
            place = figures.claimed(connection, wait=True)
            if place is None or place[self._what] != self._number:
                raise Refusal("busy", retry_after=60)
            yield connection


_V = TypeVar("_V")


def _parts(differing: Iterable[tuple[_V, int]]) -> Iterable[dict[_V, int]]:
    rest = iter(differing)
    while part := dict(islice(rest, _MENDED)):
        yield part
