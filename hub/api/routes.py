"""How operations are found: routers of one tag, and a short way past the framework for those that come most."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.api.caller import Caller, authenticated
from hub.api.problems import problem
from hub.errors import Refusal
from hub.http.trace import Trace


def operation_id(route: APIRoute) -> str:
    """A stable name for an operation, for clients that are generated from the description."""
    return "_".join([*map(str, route.tags), route.name])


def router(tag: str, prefix: str = "/v1") -> APIRouter:
    """A router for operations of one tag."""
    return APIRouter(prefix=prefix, tags=[tag], generate_unique_id_function=operation_id)


class Application(FastAPI):
    """The application. Its ``direct`` operations are described like all others, and called at once: the framework's
    layers and its search for parameters cost more than all that the hub's event loop does with a packet.
    """

    direct: dict[tuple[str, str], ASGIApp]  # by method and path

    _other: tuple[Callable[[str], bool], ASGIApp]

    def leave_to(self, other: ASGIApp, is_its: Callable[[str], bool]) -> None:
        """Have another application answer the paths that are its own."""
        self._other = is_its, other

    def include(self, *routers: APIRouter) -> None:
        """Take in the operations of routers; the framework's own way would look for each twice."""
        for each in routers:
            self.router.routes += each.routes

    def call_directly(self, operations: APIRouter) -> None:
        """Take in operations that have no parameters but ``(request, caller)``."""
        self.include(operations)
        routes = [route for route in operations.routes if isinstance(route, APIRoute)]
        self.direct = {
            (method, route.path): Trace(_called(route.endpoint), lambda _path, refusal: problem(refusal))
            for route in routes
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._found(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if operation is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await operation(scope, receive, send)

    def _found(self, method: str, path: str) -> ASGIApp | None:
        is_its, other = self._other
        return self.direct.get((method, path)) or (other if is_its(path) else None)


def _called(endpoint: Callable[[Request, Caller], Awaitable[Response]]) -> ASGIApp:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response = await endpoint(request, await authenticated(request))
        except Refusal as refusal:
            response = problem(refusal)
        await response(scope, receive, send)

    return call
