"""Removing what is past its time, while the hub serves: packets' bytes, metadata, history, refusals, each by its own
number of days; runs of operators' actions with the days of history. Nothing goes from a document that is not over
(:func:`hub.store.retention.is_over`); evidence and the audit stay.

Every step is a small transaction that looks again before it removes, so the work may stop anywhere and begin anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from hub.errors import Refusal
from hub.exchange import endings, tallying
from hub.exchange.desk import Desk
from hub.exchange.writer import Transaction, each
from hub.store import examinations, retention, steering, views
from hub.store.engine import reading, temporary
from hub.store.retention import Part

log = structlog.get_logger()
_LOOK = timedelta(hours=1)
_PAGE = 200  # documents, or entries of the outbox, looked at in one read
_MOST = 500  # rows removed in one transaction


@dataclass(frozen=True, slots=True)
class Keep:
    """Days to keep, by kind of data; 0: for ever."""

    packets: int = 0
    metadata: int = 0
    history: int = 0
    refusals: int = 0

    @property
    def parts(self) -> dict[Part, int]:
        named = {Part.PACKETS: self.packets, Part.METADATA: self.metadata, Part.HISTORY: self.history}
        return {part: days for part, days in named.items() if days}


@dataclass(frozen=True, slots=True)
class Pare:
    """Remove a part of documents, of each that is over and to which nothing came since ``before``."""

    document_ids: tuple[str, ...]
    part: Part
    before: datetime


@each
def pare(tx: Transaction, job: Pare) -> tuple[int, list[str]]:
    """Remove some hundred rows: how many documents are done, and places in the payload store without a row now."""
    left, done, gone = _MOST, 0, list[str]()
    tallying.catch_up(tx)  # nothing goes uncounted
    for document_id in job.document_ids:
        if left <= 0:
            break
        if _is_over(tx.connection, job.part, document_id, job.before):
            removed, places = _remove(tx, job.part, document_id)
            gone += places
            left -= max(removed, 1)
            if removed == _MOST:  # and perhaps more
                break
            retention.set_pared(tx.connection, document_id, job.part)
        done += 1
    if job.part is Part.HISTORY:
        tallying.leave_events(tx)
    tx.at("pare-written")
    return done, gone


def _remove(tx: Transaction, part: Part, document_id: str) -> tuple[int, list[str]]:
    if part is Part.PACKETS:
        tallying.leave_examinations(tx, document_id)
        examinations.forget(tx.connection, document_id)  # of what certificates name there are persons
        return retention.remove_packets(tx.connection, document_id, _MOST)
    if part is Part.HISTORY:
        removed = retention.remove_history(tx.connection, document_id, _MOST)
        return removed + views.remove(tx.connection, document_id, _MOST - removed), []
    retention.remove_metadata(tx.connection, document_id)
    return 0, []


@each
def drop_entries(tx: Transaction, seqs: list[int]) -> int:
    """Remove these entries of the outbox."""
    return retention.remove_entries(tx.connection, seqs)


@each
def drop_refusals(tx: Transaction, before: datetime) -> int:
    """Remove refusals of before a moment; gives how many (``_MOST``: there may be more)."""
    tallying.catch_up(tx)
    tallying.leave_refusals(tx, before, _MOST)
    return retention.remove_refusals(tx.connection, before, _MOST)


@each
def drop_run(tx: Transaction, seq: int) -> int:
    """Remove some hundred rows of a run of actions; gives how many (``_MOST``: there may be more)."""
    return steering.remove(tx.connection, seq, _MOST)


def _is_over(connection: Connection, part: Part, document_id: str, before: datetime) -> bool:
    """Who looked at a document is of its history, which is kept until the last look is past its time too."""
    if part is Part.HISTORY and views.is_any_since(connection, document_id, before):
        return False
    return retention.is_over(connection, document_id, before)


def _over(connection: Connection, part: Part, pared: int, after: int, before: datetime) -> tuple[list[str], int | None]:
    """Documents of the next page that are over, and where to go on; None when what follows is newer."""
    rows = retention.unpared(connection, pared, after, _PAGE)
    old = [row for row in rows if row.accepted_at < before]
    over = [row.id for row in old if _is_over(connection, part, row.id, before)]
    return over, old[-1].seq if old and len(old) == _PAGE else None


class Keeper:
    """Keeps a hub to its days."""

    def __init__(self, desk: Desk, keep: Keep, at: Callable[[str], None] = lambda step: None) -> None:
        self._desk, self._keep, self._at = desk, keep, at

    async def keep(self) -> None:
        """Looks once an hour, and tells then which certificates end."""
        looked = datetime.min.replace(tzinfo=UTC)
        while True:
            try:
                if not looked <= self._desk.clock() < looked + _LOOK:
                    looked = self._desk.clock()
                    await self.once()
                    await endings.tell(self._desk)
            except Exception as fault:
                if temporary(fault) is None and not isinstance(fault, Refusal):
                    log.exception("retention-fault")
            await asyncio.sleep(self._desk.terms.sweep_seconds)

    async def once(self) -> dict[str, int]:
        """Remove all that is past its time now; gives how many documents, entries, runs, refusals, by kind."""
        now, keep = self._desk.clock(), self._keep
        done = {}
        for part, days in keep.parts.items():
            done[str(part.name).lower()] = await self._pare_all(part, now - timedelta(days=days))
        if keep.history:
            done["outbox"] = await self._drop_entries(now - timedelta(days=keep.history))
            done["runs"] = await self._drop_runs(now - timedelta(days=keep.history))
        if keep.refusals:
            done["refusals"] = await self._drop_refusals(now - timedelta(days=keep.refusals))
        if any(done.values()):
            log.info("retention", **done)
        return done

    async def _read(self, query: Callable[..., Any], *arguments: Any) -> Any:
        def read() -> Any:
            with reading(self._desk.engine) as connection:
                return query(connection, *arguments)

        return await self._desk.aside(read)

    async def _pare_all(self, part: Part, before: datetime) -> int:
        count = 0
        for pared in range(int(retention.ALL) + 1):
            if pared & part:
                continue
            after: int | None = 0
            while after is not None:
                over, after = await self._read(_over, part, pared, after, before)
                await self._pare(over, part, before)
                count += len(over)
        return count

    async def _pare(self, document_ids: list[str], part: Part, before: datetime) -> None:
        left = tuple(document_ids)
        while left:
            done, places = await self._desk.write(pare, Pare(left, part, before))
            left = left[done:]
            self._at("pared")  # a file that stays behind here is swept like any that no row names
            for place in places:
                await asyncio.to_thread(self._desk.payloads.remove, place)

    async def _drop_entries(self, before: datetime) -> int:
        count, after = 0, 0
        while True:
            seqs, going_on = await self._read(retention.old_entries, before, after, _PAGE)
            if seqs:
                count += await self._desk.write(drop_entries, seqs)
            if going_on is None:
                return count
            after = going_on

    async def _drop_runs(self, before: datetime) -> int:
        count, after = 0, 0
        while True:
            seqs, going_on = await self._read(steering.old, before, after, _PAGE)
            for seq in seqs:
                while await self._desk.write(drop_run, seq) == _MOST:
                    pass
            count += len(seqs)
            if going_on is None:
                return count
            after = going_on

    async def _drop_refusals(self, before: datetime) -> int:
        count = 0
        while (some := await self._desk.write(drop_refusals, before)) == _MOST:
            count += some
        return count + int(some)
