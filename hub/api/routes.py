"""How operations are found: routers of one kind, and the short way of those that come most."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from hub.api.caller import authenticated


def operation_id(route: APIRoute) -> str:
    """A stable name for an operation, for clients that are generated from the description."""
    return "_".join([*map(str, route.tags), route.name])


class Direct(APIRoute):
    """An operation that takes ``(request, caller)`` and finds out the rest by itself.

    Described like any other, but called without the framework's search for parameters and dependencies, which costs
    more than all that the hub's event loop does with a packet.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.methods is None or scope["method"] not in self.methods:
            await super().handle(scope, receive, send)  # 405
            return
        request = Request(scope, receive, send)
        response = await self.endpoint(request, await authenticated(request))
        await response(scope, receive, send)


def router(tag: str, *, prefix: str = "/v1", route_class: type[APIRoute] = APIRoute) -> APIRouter:
    """A router for operations of one tag."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=route_class, generate_unique_id_function=operation_id)
