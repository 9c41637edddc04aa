"""Who guesses secrets is stopped: by address and account together, so that nobody can lock another out (exchange
rules 10). Kept in memory of each process, and bounded.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        self._trying: Counter[Key] = Counter()

    def left(self, *key: str) -> timedelta:
        """How long a key still has to wait; what is being tried counts as wrong, until it is known."""
        trying = self._trying[key]
        wrong, at = self._counted(key)
        under_way = self._pause(wrong + trying) if trying else timedelta(0)
        return max(under_way, at + self._pause(wrong) - self._clock(), timedelta(0))

    @contextmanager
    def trying(self, *key: str) -> Iterator[None]:
        """While it is found out whether a try is wrong: entered before whatever lets another one in."""
        self._trying[key] += 1
        try:
            yield
        finally:
            self._trying[key] -= 1
            if not self._trying[key]:
                del self._trying[key]

    def wrong(self, *key: str) -> None:
        wrong, _ = self._counted(key)
        self._wrong[key] = wrong + 1, self._clock()
        self._wrong.move_to_end(key)
        if len(self._wrong) > _KEPT:
            self._wrong.popitem(last=False)

    def right(self, *key: str) -> None:
        self._wrong.pop(key, None)

    def _counted(self, key: Key) -> tuple[int, datetime]:
        """How many wrong ones count, and when the last was."""
        now = self._clock()
        wrong, at = self._wrong.get(key, (0, now))
        return (0, now) if now - at >= self._forgotten else (wrong, at)
