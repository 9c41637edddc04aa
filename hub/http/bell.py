"""Waking the polls that wait: one event per system, in the server's event loop.

A commit rings the systems it made something visible for. A poll listens before it looks, so nothing committed between
the two is missed; and it looks again every few seconds, for commits of other processes on SQLite, which ring nobody.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from hub.store.notices import ALL


class Bell:
    """Rung by any thread, listened to in one event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.closing = False

    def open(self) -> None:
        """Called in the event loop that serves."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """Wake everybody: the server is stopping, and polls answer what they have."""
        self.closing = True
        self._ring([ALL])
        self._loop = None

    @contextmanager
    def closed_by_signals(self) -> Iterator[None]:
        """Close on SIGTERM and SIGINT already: the server waits for open requests before it ends the application."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def stop(number: int, frame: FrameType | None) -> None:
            self.closing = True
            self.ring([ALL])
            theirs = before[signal.Signals(number)]
            if callable(theirs):
                theirs(number, frame)

        for number in before:
            signal.signal(number, stop)
        try:
            yield
        finally:
            for number, theirs in before.items():
                signal.signal(number, theirs)

    def ring(self, systems: Iterable[str]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._ring, list(systems))

    def _ring(self, systems: list[str]) -> None:
        for system in list(self._waiting) if ALL in systems else systems:
            for event in self._waiting.get(system, ()):
                event.set()

    def waiting(self, system: str) -> int:
        """How many polls of a system wait now."""
        return len(self._waiting.get(system, ()))

    @contextmanager
    def listen(self, system: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._waiting[system].add(event)
        try:
            yield event
        finally:
            self._waiting[system].discard(event)
            if not self._waiting[system]:
                del self._waiting[system]
