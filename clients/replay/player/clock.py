"""Scenario time, and what is done at which moment of it.

An *act* is a coroutine that begins at its moment. Under :class:`Virtual` time stands while acts are at work, and goes
on to the next moment that has one; under :class:`Real` it runs with the machine's clock. The agencies know no other.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

Act = Callable[..., Awaitable[None]]
_AT_ONCE = 512  # acts at work; more wait for their turn, so that memory stays bounded behind a slow hub


class Clock(ABC):
    """Acts in the order of their moments. ``begin`` acts with :meth:`at`; :meth:`run` returns when none is left."""

    def __init__(self) -> None:
        self.now = 0.0  # seconds since the scenario's start
        self._acts: list[tuple[float, int, Act, tuple[Any, ...]]] = []
        self._count = itertools.count()
        self._busy: dict[asyncio.Task[None], float] = {}  # since when, in the order they began
        self._changed = asyncio.Event()
        self._stopped = False
        self.fault: BaseException | None = None  # an act's own: the run ends with it

    @property
    def busy(self) -> int:
        return len(self._busy)

    def at(self, moment: float, act: Act, *arguments: Any) -> None:
        """Begin ``act(*arguments)`` at this moment, or now if it is past."""
        heapq.heappush(self._acts, (max(moment, self.now), next(self._count), act, arguments))
        self._changed.set()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = True
        self._changed.set()

    def fail(self, fault: BaseException) -> None:
        """End the run with this fault."""
        self.fault = self.fault or fault
        self._changed.set()

    async def run(self) -> None:
        """Until no act is left, or :meth:`stop` was called. Raises what an act raised."""
        while not self._stopped and self.fault is None and (self._acts or self._busy):
            self._changed.clear()
            wait = self._wait()
            if wait is None or wait > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), wait)
                continue
            moment, _, act, arguments = heapq.heappop(self._acts)
            self.now = max(self.now, moment)
            self._begin(act, arguments)
            await asyncio.sleep(0)  # so that it begins at its own moment, and not at that of acts behind it
        if self.fault is not None:
            raise self.fault

    async def finish(self, patience: float) -> None:
        """Let what is at work end, for so many real seconds; what does not is called off."""
        if self._busy:
            await asyncio.wait(list(self._busy), timeout=patience)
        for task in list(self._busy):
            task.cancel()
        if self._busy:
            await asyncio.wait(list(self._busy))

    @abstractmethod
    def _wait(self) -> float | None:
        """Real seconds until the next act may begin; None: until something changes."""

    def _begin(self, act: Act, arguments: tuple[Any, ...]) -> None:
        task = asyncio.ensure_future(act(*arguments))
        self._busy[task] = self.now
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._busy[task]
        self._changed.set()
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.fail(fault)


class Virtual(Clock):
    """Time as fast as the work allows: on to the next act, at most ``slack`` seconds ahead of what is at work."""

    def __init__(self, slack: float) -> None:
        super().__init__()
        self._slack = slack

    def _wait(self) -> float | None:
        if not self._acts or len(self._busy) >= _AT_ONCE:
            return None
        oldest = next(iter(self._busy.values()), None)
        return None if oldest is not None and self._acts[0][0] > oldest + self._slack else 0.0


class Real(Clock):
    """``speed`` seconds of scenario time pass in one second."""

    def __init__(self, speed: float = 1.0) -> None:
        super().__init__()
        self._speed, self._began = speed, 0.0

    async def run(self) -> None:
        if not self._began:
            self._began = time.monotonic() - self.now / self._speed
        await super().run()

    def _wait(self) -> float | None:
        self.now = max(self.now, (time.monotonic() - self._began) * self._speed)
        if not self._acts or len(self._busy) >= _AT_ONCE:
            return None
        return (self._acts[0][0] - self.now) / self._speed
