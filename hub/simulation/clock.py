"""The hub's time: the machine's, or one that stands, runs or jumps by order, and may stray from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)  # ids hold seconds since 1970
_END = LATEST - timedelta(microseconds=1)  # where a running clock stops


def _machine() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Called, it gives the time, never past ``LATEST``. Any thread may ask; orders come from one."""

    def __init__(
        self, machine: Callable[[], datetime] = _machine, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._machine, self._monotonic = machine, monotonic
        # A moment, and since when it runs on (None: it stands); None is the machine's time. And how far it has strayed
        # from that. Changed as a whole.
        self._set: tuple[tuple[datetime, float | None] | None, timedelta] = None, timedelta()

    def __call__(self) -> datetime:
        ordered, strayed = self._set
        if ordered is None:
            return self._machine() + strayed
        moment, since = ordered
        ran = timedelta() if since is None else timedelta(seconds=self._monotonic() - since)
        return min(moment + ran + strayed, _END)

    @property
    def is_machine_time(self) -> bool:
        return self._set == (None, timedelta())

    @property
    def running(self) -> bool:
        ordered, _ = self._set
        return ordered is None or ordered[1] is not None

    def put(self, now: datetime, *, running: bool) -> None:
        """From now on it is ``now``. Raises ValueError outside ``EARLIEST`` and ``LATEST``."""
        if not EARLIEST <= now < LATEST:
            raise ValueError(f"the clock goes from {EARLIEST.year} to {LATEST.year - 1}")
        self._set = (now.astimezone(UTC), self._monotonic() if running else None), timedelta()

    def jump(self, seconds: float) -> None:
        """Forward or back from where it is by order, running or standing as before. Raises ValueError as :meth:`put`
        does.
        """
        try:
            there = self() - self._set[1] + timedelta(seconds=seconds)
        except OverflowError:
            there = LATEST
        self.put(there, running=self.running)

    def stray(self, seconds: float) -> None:
        """So many seconds ahead of what it is by order; until the next order, or the next straying."""
        self._set = self._set[0], timedelta(seconds=seconds)

    def release(self) -> None:
        """The machine's time again."""
        self._set = None, timedelta()
