"""Operations that anybody may call, without a token: one at a time, so that strangers take no thread from those who
exchange documents, nor hold up each other's for long.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from anyio import CapacityLimiter
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from hub.api.routes import router
from hub.errors import Refusal

# Requests of strangers, about a second of work; one more is told to come back. Who waits asks nothing more meanwhile:
# of a shorter line a flood would make as many refusals, which take the event loop's time from everybody.
WAITING = 1000
_RETRY_AFTER = 2  # seconds
_turn = CapacityLimiter(1)  # reading is cheap: what costs is the interpreter's lock, which two would only pass around


class _InTurn(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def in_turn(request: Request) -> Response:
            if _turn.statistics().tasks_waiting >= WAITING:
                raise Refusal("busy", retry_after=_RETRY_AFTER)
            async with _turn:  # until the answer is made: who reads it slowly keeps nobody waiting
                return await handle(request)

        return in_turn


def public_router(tag: str) -> APIRouter:
    """A router for operations that are called without a token. They raise ``busy`` too."""
    made = router(tag, "")
    made.route_class = _InTurn
    return made
