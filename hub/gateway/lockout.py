"""Who guesses a system's secret waits: by address and system together (exchange rules 10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hub.errors import Refusal
from hub.http import lockout

TRIES = 10  # wrong signatures without a right one between them
PAUSE = timedelta(minutes=1)


class Lockout(lockout.Lockout):
    """Of wrong signatures."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(clock, lambda wrong: PAUSE if wrong >= TRIES else timedelta(0))

    def check(self, address: str, system_id: str) -> None:
        """Raises ``signatures-wrong`` for a pair that has to wait."""
        if self.left(address, system_id):
            raise Refusal("signatures-wrong", facts={"seconds": PAUSE.seconds}, retry_after=PAUSE.seconds)
