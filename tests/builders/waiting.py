"""Waiting for what another thread or process comes to do."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0  # seconds after which it will not come any more, on a slow machine either


def comes(true: Callable[[], bool], patience: float = PATIENCE) -> bool:
    """Whether it becomes true in so many seconds."""
    until = time.monotonic() + patience
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
