"""``/healthz``: the process answers. ``/readyz``: the hub accepts and delivers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.api import shapes
from hub.api.caller import interface

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="The process answers")
async def healthz() -> Response:
    return shapes.reply({"status": "ok"})


@router.get("/readyz", summary="The hub accepts and delivers", responses={503: {"description": "It does not"}})
async def readyz(request: Request) -> Response:
    """Green only when a transaction was committed in the last second and the schema is the program's own."""
    found = await interface(request).readiness.found()
    good = all(value == "ok" for value in found.values())
    return shapes.reply({"status": "ok" if good else "unavailable", **found}, 200 if good else 503)
