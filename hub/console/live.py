"""Server-sent events: the parts of a page that changed, to everybody who watches it.

One look for all of a process, only while somebody watches, at most every two seconds and never for more than a tenth of
the time. A session that ended ends its stream, and so does the end of the hub.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from starlette.responses import StreamingResponse

from hub.console.frame import HEADERS
from hub.domain.operator import is_alive
from hub.errors import Refusal
from hub.http.interface import Interface
from hub.store import operators
from hub.store.engine import temporary

log = structlog.get_logger()
_EVERY = 2.0  # seconds
_SHARE = 10
_MOST, _MOST_EACH = 200, 4  # streams of a process, and of a session
_HEARTBEAT = 15.0  # seconds: by it whoever is gone is noticed
_OVER = "event: over\ndata: \n\n"
_BEGIN = "retry: 3000\n\n"

Parts = Mapping[str, str]  # HTML by the id of the element that holds it
Look = Callable[[], Coroutine[None, None, Callable[[str], Parts]]]  # gives the parts by language


@dataclass(eq=False)
class _Watcher:
    session: str
    lang: str
    queue: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(2))
    sent: dict[str, str] = field(default_factory=dict)

    def tell(self, parts: Parts) -> None:
        """What changed; whoever cannot keep up has the next."""
        fresh = {name: text for name, text in parts.items() if self.sent.get(name) != text}
        if fresh and not self.queue.full():
            self.sent |= fresh
            self.queue.put_nowait(f"event: parts\ndata: {json.dumps(fresh, ensure_ascii=False)}\n\n")

    def end(self) -> None:
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(_OVER)


class Live:
    """Of one process and page, in its event loop."""

    def __init__(self, face: Interface, look: Look) -> None:
        self._face, self._look = face, look
        self._watchers: set[_Watcher] = set()
        self._work: asyncio.Task[None] | None = None

    def stream(self, session: str, lang: str) -> StreamingResponse:
        """The events for one page, first all parts. Raises ``busy`` where too many watch."""
        if self._face.bell.closing or self._is_full(session):
            raise Refusal("busy", retry_after=30)
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(_Watcher(session, lang)), 200, headers, "text/event-stream")

    def _is_full(self, session: str) -> bool:
        own = sum(each.session == session for each in self._watchers)
        return len(self._watchers) >= _MOST or own >= _MOST_EACH

    async def _events(self, watcher: _Watcher) -> AsyncIterator[str]:
        if self._is_full(watcher.session):  # others began meanwhile
            yield _OVER
            return
        self._watchers.add(watcher)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._watch())
        try:
            yield _BEGIN
            while True:
                try:
                    told = await asyncio.wait_for(watcher.queue.get(), _HEARTBEAT)
                except TimeoutError:
                    told = ": \n\n"
                yield told
                if told is _OVER:
                    return
        finally:
            self._watchers.discard(watcher)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        with self._face.bell.listen("*live") as rung:
            while self._watchers:
                began = loop.time()
                try:
                    await self._tell()
                except Exception as fault:  # the next look may succeed
                    if not isinstance(fault, Refusal) and temporary(fault) is None:
                        log.exception("live-fault")
                wait = max(_EVERY, _SHARE * (loop.time() - began))
                await self._pause(rung, loop.time() + wait)
                if self._face.bell.closing:
                    for watcher in list(self._watchers):
                        watcher.end()
                    return

    async def _pause(self, rung: asyncio.Event, until: float) -> None:
        """Until then, or until the hub stops; others ring too."""
        loop = asyncio.get_running_loop()
        while not self._face.bell.closing and (left := until - loop.time()) > 0:
            rung.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), left)

    async def _tell(self) -> None:
        await self._end_sessions()
        if not self._watchers:
            return
        parts = await self._look()
        by_language: dict[str, Parts] = {}
        for watcher in list(self._watchers):
            if watcher.lang not in by_language:
                by_language[watcher.lang] = parts(watcher.lang)
            watcher.tell(by_language[watcher.lang])

    async def _end_sessions(self) -> None:
        asked = sorted({watcher.session for watcher in self._watchers})
        rows: list[Any] = await self._face.reads.of(lambda connection: operators.sessions(connection, asked))
        now = self._face.desk.clock()
        alive = {row["token_hash"] for row in rows if is_alive(now, row["seen_at"], row["ends_at"])}
        for watcher in [each for each in self._watchers if each.session not in alive]:
            self._watchers.discard(watcher)
            watcher.end()
