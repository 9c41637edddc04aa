"""Ending a daemon: at once while it waits, after what it does while it works."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class EndedError(BaseException):
    """Told to end while nothing was under way. No ``Exception``: whoever retries must not catch it."""


class Rest:
    """One for each thread that works, told to end by a signal's handler in that thread, or by another thread."""

    def __init__(self) -> None:
        self.ending = False
        self._called = threading.Event()  # by another thread: a handler could find its lock taken by its own thread
        self._waiting: int | None = None  # the thread that waits

    def end(self) -> None:
        """Raises :class:`EndedError` in the handler of a thread that waits; elsewhere the next rest does."""
        self.ending = True
        if self._waiting == threading.get_ident():
            raise EndedError
        if self._waiting is not None:
            self._called.set()

    def pause(self, seconds: float) -> None:
        """Wait that long. Raises :class:`EndedError` when told to end."""
        if self.during(lambda: self._called.wait(seconds)) or self.ending:
            raise EndedError

    def during(self, wait: Callable[[], T]) -> T:
        """What may be cut short. Raises :class:`EndedError` when told to end."""
        around, self._waiting = self._waiting, threading.get_ident()  # a wait may pause within: then it still waits
        try:
            if self.ending:
                raise EndedError
            return wait()
        finally:
            self._waiting = around


def until_ended(rest: Rest, work: Callable[[], None], beside: tuple[Rest, Callable[[], None]] | None = None) -> None:
    """Work, and something beside it in a thread, until SIGTERM or SIGINT, or until one of them fails."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: rest.end())
    if beside is None:
        work()
        return
    faults: list[BaseException] = []
    main = threading.get_ident()

    def run() -> None:
        try:
            beside[1]()
        except BaseException as fault:
            faults.append(fault)
            signal.pthread_kill(main, signal.SIGTERM)

    thread = threading.Thread(target=run, name="outbox")
    thread.start()
    try:
        work()
    finally:
        beside[0].end()
        thread.join()
    if faults:
        raise faults[0]
