"""Room on the disks: looked at in the background, and told before a packet is read that could not be kept."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from hub.background import beside
from hub.errors import Refusal

_RETRY_AFTER = 60  # seconds: somebody has to make room
_LOOK = 1.0  # seconds between looks


class Disk:
    """The file systems a hub writes to, and whether each still has ``reserve`` bytes free.

    What is kept free is for all that goes on without new packets: fetches, ``done``, retention, the log of the engine.
    """

    def __init__(self, folders: Iterable[Path], reserve: int) -> None:
        self._folders, self._reserve = list(folders), reserve
        self.full = False

    def look(self) -> None:
        """Look again. Raises OSError when a folder cannot be asked."""
        self.full = any(shutil.disk_usage(folder).free < self._reserve for folder in self._folders)

    def admit(self) -> None:
        """Raises ``storage-full`` when there was too little at the last look."""
        if self.full:
            raise Refusal("storage-full", retry_after=_RETRY_AFTER)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Looks now, and again and again while the block runs."""
        await asyncio.to_thread(self.look)
        async with beside(self._watch()):
            yield

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            with suppress(OSError):  # what was last seen counts
                await asyncio.to_thread(self.look)
