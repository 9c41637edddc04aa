"""``/healthz``: the process answers. ``/readyz``: the hub accepts and delivers."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from hub.api import answers, shapes
from hub.api.problems import responses
from hub.api.routes import router
from hub.http.interface import interface

operations = router("health", "")


_READY = responses(answer=answers.Ready, called=False)
_READY[503] |= {"model": answers.Ready}


@operations.get(
    "/healthz",
    summary="Tiến trình còn chạy · The process answers",
    responses=responses(answer=answers.Alive, called=False),
)
async def healthz() -> Response:
    return shapes.reply({"status": "ok"})


@operations.get(
    "/readyz",
    summary="Trục nhận và chuyển được · The hub accepts and delivers",
    responses=_READY,
)
async def readyz(request: Request) -> Response:
    """Green only when a transaction was committed in the last second and the schema is the program's own."""
    found = await interface(request).readiness.found()
    good = all(value == "ok" for value in found.values())
    return shapes.reply({"status": "ok" if good else "unavailable", **found}, 200 if good else 503)
