"""Who guesses secrets is stopped: by address and account together, so that nobody can lock another out (exchange
rules 10). Kept in memory of each process, and bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

_KEPT = 10_000  # keys
Key = tuple[str, ...]  # an address and an account, or an address


class Lockout:
    """Of one process, in its event loop. ``pause``: how long a key waits after so many wrong ones; they count
    until there was none for as long as ``forgotten``.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        pause: Callable[[int], timedelta],
        forgotten: timedelta = timedelta.max,
    ) -> None:
        self._clock, self._pause, self._forgotten = clock, pause, forgotten
        self._wrong: OrderedDict[Key, tuple[int, datetime]] = OrderedDict()

    def left(self, *key: str) -> timedelta:
        """How long a key still has to wait."""
        found = self._wrong.get(key)
        if found is None:
            return timedelta(0)
        wrong, at = found
        return max(timedelta(0), at + self._pause(wrong) - self._clock())

    def wrong(self, *key: str) -> None:
        wrong, at = self._wrong.pop(key, (0, self._clock()))
        if self._clock() - at >= self._forgotten:
            wrong = 0
        self._wrong[key] = wrong + 1, self._clock()
        if len(self._wrong) > _KEPT:
            self._wrong.popitem(last=False)

    def right(self, *key: str) -> None:
        self._wrong.pop(key, None)
