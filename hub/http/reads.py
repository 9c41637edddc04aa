"""Small reads go together: those that wait share one hop to a thread, one connection and one look at the database.

A hop costs more than what it is for, and threads that read side by side spend their time waiting for the interpreter's
lock. What may read long has a thread of its own (``run_in_threadpool``) and holds nobody up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from hub.errors import Refusal
from hub.store.engine import reading

Read = Callable[[Connection], Any]
_T = TypeVar("_T")
_MOST = 64  # reads that share a hop: their answers come together, and lie in memory together


class Reads:
    """One process's small reads, asked for in its event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: list[tuple[Read, asyncio.Future[Any]]] = []
        self._work: asyncio.Task[None] | None = None

    async def of(self, read: Callable[[Connection], _T]) -> _T:
        """What ``read`` gives, or raises. It sees all that was committed when it was asked for."""
        answer: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.append((read, answer))
        if self._work is None:
            self._work = asyncio.create_task(self._until_none_waits())
        return await answer

    async def _until_none_waits(self) -> None:
        loop = asyncio.get_running_loop()
        batch: list[tuple[Read, asyncio.Future[Any]]] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                found = await loop.run_in_executor(None, self._read, [read for read, _ in batch])
                for (_, answer), (result, fault) in zip(batch, found, strict=True):
                    if answer.done():  # whoever asked is gone
                        continue
                    if fault is None:
                        answer.set_result(result)
                    else:
                        answer.set_exception(fault)
        finally:
            self._work = None
            for _, answer in (*batch, *self._waiting):  # none but where this ends before its time
                answer.cancel()

    def _read(self, reads: list[Read]) -> list[tuple[Any, Exception | None]]:
        """What each gives or raises. After a fault, which a refusal is none, the next has a new transaction: PostgreSQL
        has ended the first.

        Where no connection can be had, all have that fault: to try for each would keep the last waiting for an hour.
        """
        found: list[tuple[Any, Exception | None]] = []
        while len(found) < len(reads):
            connected = False
            try:
                with reading(self._engine) as connection:
                    connected = True
                    for read in reads[len(found) :]:
                        found.append(_one(read, connection))
            except Exception as fault:
                left = len(reads) - len(found)  # none, if it came of giving the connection back
                found += [(None, fault)] * (min(left, 1) if connected else left)
        return found


def _one(read: Read, connection: Connection) -> tuple[Any, Exception | None]:
    try:
        return read(connection), None
    except Refusal as refused:
        return None, refused
