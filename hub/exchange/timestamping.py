"""Timestamps on the log's checkpoints by an authority that is nobody's here (RFC 3161): what it signed existed by then,
whatever the hub's clock and keys say later.

One process asks at a time: beside the log's head stands the moment before which nobody asks (again). Nothing waits for
the authority. While it is away checkpoints go on as before, and the next timestamp covers them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from cryptography import x509
from sqlalchemy import Connection, RowMapping

from hub.domain import timestamp
from hub.domain.timestamp import Question, Stamp, TimestampError
from hub.domain.trust import Material
from hub.errors import Refusal
from hub.exchange import trust
from hub.exchange.desk import Desk
from hub.exchange.writer import Transaction, each
from hub.store import evidence
from hub.store import log_timestamps as timestamps
from hub.store.engine import reading, temporary

log = structlog.get_logger()
_EVERY = 1.0  # seconds between two looks
_ASKING = timedelta(seconds=30)  # in which no other process asks too; a question takes 15 at most
_AGAIN = timedelta(minutes=5)  # before an authority that failed is asked again; far longer than one question takes

Ask = Callable[[bytes], Awaitable[bytes]]  # TimeStampReq to TimeStampResp, in bounded time; raises TimestampError


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint with its stamp; nobody asks before ``until``."""

    size: int
    note: str
    stamp: Stamp
    until: datetime


def due(connection: Connection, now: datetime, every: timedelta) -> RowMapping | None:
    """The log's head, if it is to be stamped now: a later one than the last, and nobody is at it."""
    head = evidence.head(connection)
    if head is None or not head["checkpoint"]:
        return None
    until: datetime | None = head["tsa_at"]
    if until is not None and now < until <= now + max(every, _AGAIN):  # beyond that, the clock was set back
        return None
    stamped = timestamps.page(connection, None, 1)
    return None if stamped and stamped[0]["size"] >= head["size"] else head


@each
def claim(tx: Transaction, every: timedelta) -> RowMapping | None:
    """This process's turn: the head it is to have stamped. None where there is nothing to be done, or no more."""
    head = due(tx.connection, tx.now, every)
    if head is not None:
        timestamps.put_off(tx.connection, tx.now + max(min(every, _AGAIN), _ASKING))
    return head


@each
def keep(tx: Transaction, job: Kept) -> None:
    row = {"size": job.size, "checkpoint": job.note, "token": job.stamp.token, "at": job.stamp.at}
    timestamps.put(tx.connection, row)
    timestamps.put_off(tx.connection, job.until)


class Timestamper:
    """One process's share in it. ``tsa`` is how the log names the authority."""

    def __init__(self, desk: Desk, ask: Ask, tsa: str, every: timedelta) -> None:
        self._desk, self._ask, self._tsa, self._every = desk, ask, tsa, every

    async def keep(self) -> None:
        """Looks again and again."""
        while True:
            try:
                await self.once()
            except Exception as fault:
                if temporary(fault) is None and not isinstance(fault, Refusal):
                    log.exception("timestamp-fault")
            await asyncio.sleep(_EVERY)

    async def once(self) -> bool:
        """Have the newest checkpoint stamped, if that is due; whether it was."""
        begun = self._desk.clock()
        if not await self._desk.aside(self._is_due, begun):
            return False
        head: RowMapping | None = await self._desk.write(claim, self._every)
        if head is None:
            return False
        size, note = head["size"], head["checkpoint"]
        try:
            asked = timestamp.question(note.encode())
            answer = await self._ask(asked.octets)
            stamp = await self._desk.aside(self._verified, asked, answer, note)
        except TimestampError as fault:
            log.warning("timestamp-missing", tsa=self._tsa, size=size, why=fault.en)
            return False
        await self._desk.write(keep, Kept(size, note, stamp, begun + self._every))
        log.info("timestamp", tsa=self._tsa, size=size, at=stamp.at.isoformat())
        return True

    def _is_due(self, now: datetime) -> bool:
        with reading(self._desk.engine) as connection:
            return due(connection, now, self._every) is not None

    def _verified(self, asked: Question, answer: bytes, note: str) -> Stamp:
        with reading(self._desk.engine) as connection:
            store = trust.read(connection)

            def known(path: Sequence[x509.Certificate]) -> Collection[Material]:
                return trust.material(connection, path)

            anchors = (*store.stampers, *store.anchors)
            return timestamp.answered(asked, answer, note.encode(), anchors, store.intermediates, known)
