"""Who guesses secrets is stopped: by address and system together, so that nobody can lock another out (exchange
rules 10). Kept in memory of each process, and bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from hub.errors import Refusal

TRIES = 10  # wrong signatures without a right one between them
PAUSE = timedelta(minutes=1)
_KEPT = 10_000  # pairs


class Lockout:
    """Of one process, in its event loop."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._wrong: OrderedDict[tuple[str, str], tuple[int, datetime]] = OrderedDict()

    def check(self, address: str, system_id: str) -> None:
        """Raises ``signatures-wrong`` for a pair that has to wait."""
        found = self._wrong.get((address, system_id))
        if found is not None and found[0] >= TRIES and self._clock() < found[1] + PAUSE:
            raise Refusal("signatures-wrong", facts={"seconds": PAUSE.seconds}, retry_after=PAUSE.seconds)

    def wrong(self, address: str, system_id: str) -> None:
        found = self._wrong.pop((address, system_id), None)
        self._wrong[address, system_id] = (found[0] if found else 0) + 1, self._clock()
        if len(self._wrong) > _KEPT:
            self._wrong.popitem(last=False)

    def right(self, address: str, system_id: str) -> None:
        self._wrong.pop((address, system_id), None)
