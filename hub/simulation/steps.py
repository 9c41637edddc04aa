"""Dying at a named step of the exchange (docs/architecture.md, "What a power cut leaves")."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any, Literal, get_args

Step = Literal[
    "before-payload", "after-payload", "accept-begin", "accept-written", "report-begin", "report-written",
    "fetch-written", "done-written", "pare-written", "pared", "steering-begun",
    "steering-written", "steering-stopped", "before-commit", "after-commit",
]  # fmt: skip
STEPS: tuple[str, ...] = get_args(Step)


def die() -> None:
    """SIGKILL to this process, as a power cut would: nothing more is written, closed or answered."""
    os.kill(os.getpid(), signal.SIGKILL)


class Deaths:
    """What the exchange calls as ``at``, from whichever thread reaches a step."""

    def __init__(self, dies: Callable[[], None] = die) -> None:
        self._dies = dies
        self._counting = threading.Lock()
        self._step, self._left = "", 0

    def order(self, step: str, nth: int) -> None:
        """Die when ``step`` is reached for the ``nth`` time from now; instead of what was ordered before."""
        with self._counting:
            self._step, self._left = step, nth

    def call_off(self) -> None:
        self.order("", 0)

    def as_json(self) -> dict[str, Any] | None:
        """The step, and how many times it will yet be reached; None where no death is ordered."""
        with self._counting:
            return {"step": self._step, "nth": self._left} if self._left > 0 else None

    def at(self, step: str) -> None:
        if step != self._step:
            return
        with self._counting:
            self._left -= 1
            due = self._left == 0
        if due:
            self._dies()
