"""The hub's time: the machine's, or one that stands, runs or jumps by order."""

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
        # A moment, and since when it runs on (None: it stands); None is the machine's time. Changed as a whole.
        self._set: tuple[datetime, float | None] | None = None

    def __call__(self) -> datetime:
        known = self._set
        if known is None:
            return self._machine()
        moment, since = known
        return moment if since is None else min(moment + timedelta(seconds=self._monotonic() - since), _END)

    @property
    def is_machine_time(self) -> bool:
        return self._set is None

    @property
    def running(self) -> bool:
        return self._set is None or self._set[1] is not None

    def put(self, now: datetime, *, running: bool) -> None:
        """From now on it is ``now``. Raises ValueError outside ``EARLIEST`` and ``LATEST``."""
        if not EARLIEST <= now < LATEST:
            raise ValueError(f"the clock goes from {EARLIEST.year} to {LATEST.year - 1}")
        self._set = now.astimezone(UTC), self._monotonic() if running else None

    def jump(self, seconds: float) -> None:
        """Forward or back, running or standing as before. Raises ValueError as :meth:`put` does."""
        try:
            there = self() + timedelta(seconds=seconds)
        except OverflowError:
            there = LATEST
        self.put(there, running=self.running)

    def release(self) -> None:
        """The machine's time again."""
        self._set = None
