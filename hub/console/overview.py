"""The overview: how the hub is, live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hub.console import access, frame
from hub.console.access import Views
from hub.console.chart import drawn
from hub.console.figures import Counts, Figures, look
from hub.console.live import Live, Parts
from hub.http.interface import Interface, interface

operations = APIRouter(prefix="/console", include_in_schema=False)
frame.navigate("/console", "overview.nav", 10)

_FRESH = 1.0  # seconds that a look serves those who ask for the page
_PARTS = ("today", "throughput", "refused", "silent", "health")


class Room:
    """One process's overview."""

    def __init__(self, face: Interface) -> None:
        self._face, self._counts, self._lock = face, Counts(), asyncio.Lock()
        self._found: Figures | None = None
        self._at = float("-inf")
        self.live = Live(face, self._look)

    async def figures(self) -> Figures:
        """Of the last second, or as of now; who asks meanwhile waits for the same look."""
        async with self._lock:
            if self._found is None or self._face.elapsed() - self._at > _FRESH:
                ready = await self._face.readiness.found()
                self._found = await run_in_threadpool(look, self._face, self._counts, ready)
                self._at = self._face.elapsed()
            return self._found

    async def _look(self) -> Callable[[str], Parts]:
        figures = await self.figures()
        return lambda lang: parts(figures, lang, self._face)


def parts(figures: Figures, lang: str, face: Interface) -> Parts:
    """Each part's HTML, by its id."""
    return {
        name: frame.part(f"overview_{name}.html", lang, f=figures, now=figures.at, chart=drawn,
                         reserve=face.settings.disk_reserve)
        for name in _PARTS
    }  # fmt: skip


@operations.get("")
async def show(request: Request, operator: Views) -> Response:
    figures = await frame.of_process(request, Room).figures()
    shown = parts(figures, frame.language(request), interface(request))
    return frame.render(request, "overview.html", operator, parts=shown)


@operations.get("/live")
async def live(request: Request, operator: Views) -> Response:  # noqa: ARG001  (its session is looked at)
    session = await access.session_of(request)
    assert session is not None
    return frame.of_process(request, Room).live.stream(session.token_hash, frame.language(request))
