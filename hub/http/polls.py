"""When systems last asked what waits for them: kept in memory, and written once a minute for all of them together, so
that a poll pays nothing for it.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from hub.errors import Refusal
from hub.exchange.desk import Desk
from hub.exchange.polled import polled
from hub.store.engine import temporary

log = structlog.get_logger()
_EVERY = 60.0  # seconds


class Polls:
    """What one process has seen. A process that ends loses the last minute of it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: dict[str, datetime] = {}

    def note(self, system_id: str) -> None:
        """It asks now."""
        self._seen[system_id] = self._desk.clock()

    async def keep(self) -> None:
        """Writes again and again."""
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await self.write()
            except Exception as fault:
                if temporary(fault) is None and not (isinstance(fault, Refusal) and fault.problem.temporary):
                    log.exception("polls-fault")

    async def write(self) -> int:
        """Write what was seen since the last time; gives of how many systems. What cannot be written is forgotten: the
        next minute brings it anew.
        """
        seen, self._seen = self._seen, {}
        return int(await self._desk.write(polled, seen)) if seen else 0
