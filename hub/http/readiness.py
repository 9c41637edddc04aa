"""Whether the hub accepts and delivers: the writer commits and the database reads, each within two seconds.

Anybody may ask and each probe commits, so whoever asks within a second of one has its result.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from starlette.concurrency import run_in_threadpool

from hub.errors import Refusal
from hub.exchange.desk import Desk
from hub.exchange.writer import Transaction
from hub.store import schema
from hub.store.disk import Disk
from hub.store.engine import reading, temporary

_PATIENCE = 2.0  # seconds
_SHARED = timedelta(seconds=1)


class Readiness:
    """The probe of one process."""

    def __init__(self, desk: Desk, disk: Disk) -> None:
        self._desk, self._disk = desk, disk
        self._probe: asyncio.Task[dict[str, str]] | None = None
        self._began = datetime.min.replace(tzinfo=UTC)

    async def found(self) -> dict[str, str]:
        """``{writer, database, disk}``: ``ok``, or what keeps it; of a probe under way, of the last second, or new."""
        now = self._desk.clock()
        probe = self._probe
        if probe is None or (probe.done() and not self._began <= now < self._began + _SHARED):
            probe = self._probe = asyncio.create_task(_look(self._desk))
            self._began = now
        disk = "storage-full" if self._disk.full else "ok"
        return await asyncio.shield(probe) | {"disk": disk}  # who gives up waiting ends it for nobody else


def _nothing(_tx: Transaction, jobs: list[None]) -> list[None]:
    return jobs


async def _look(desk: Desk) -> dict[str, str]:
    def read() -> bool:
        with reading(desk.engine) as connection:
            return schema.revision_of(connection) == schema.head()

    found: dict[str, str] = {}
    for name, check in {"writer": desk.write(_nothing, None), "database": run_in_threadpool(read)}.items():
        try:
            result = await asyncio.wait_for(check, _PATIENCE)
            found[name] = "ok" if result is not False else "schema"
        except TimeoutError:
            found[name] = "stuck"
        except Exception as fault:
            refusal = fault if isinstance(fault, Refusal) else temporary(fault)
            found[name] = refusal.code if refusal else type(fault).__name__
    return found
