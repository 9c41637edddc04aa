"""How operations are found: routers of one tag, and a short way past the framework for those that come most."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.api.caller import authenticated
from hub.api.problems import problem
from hub.errors import Refusal
from hub.http.trace import Trace


def operation_id(route: APIRoute) -> str:
    """A stable name for an operation, for clients that are generated from the description."""
    return "_".join([*map(str, route.tags), route.name])


def router(tag: str, prefix: str = "/v1") -> APIRouter:
    """A router for operations of one tag."""
    return APIRouter(prefix=prefix, tags=[tag], generate_unique_id_function=operation_id)


# What an operation is called with besides ``(request, caller)``, from the id in the path ("" without one) and the
# query; None leaves the request to the framework, which knows all forms and tells what is wrong with the others.
Takes = Callable[[str, str], dict[str, Any] | None]
_E = TypeVar("_E", bound=Callable[..., Awaitable[Response]])
_TAKES: dict[Callable[..., Any], Takes] = {}
_ID = re.compile(r"/([0-9a-f]{24})(?=/|$)")


def directly(takes: Takes) -> Callable[[_E], _E]:
    """Mark an operation with parameters that is to be called past the framework where they have their usual form."""

    def mark(endpoint: _E) -> _E:
        _TAKES[endpoint] = takes
        return endpoint

    return mark


def _nothing(_id: str, _query: str) -> dict[str, Any]:
    return {}


class _Direct(NamedTuple):
    takes: Takes
    call: ASGIApp
    operation: str  # its name in the metrics


class Application(FastAPI):
    """The application. Its ``direct`` operations are described like all others, and called at once: the framework's
    layers and its search for parameters cost more than all that the hub's event loop does with a packet.
    """

    _other: tuple[Callable[[str], bool], ASGIApp]

    def __init__(self, **described: Any) -> None:
        super().__init__(**described)
        self.direct: dict[tuple[str, str], _Direct] = {}  # by method and path, an id in it as ``{id}``

    def leave_to(self, other: ASGIApp, is_its: Callable[[str], bool]) -> None:
        """Have another application answer the paths that are its own."""
        self._other = is_its, other

    def include(self, *routers: APIRouter) -> None:
        """Take in the operations of routers; the framework's own way would look for each twice."""
        for each in routers:
            self.router.routes += each.routes
            for route in each.routes:
                if isinstance(route, APIRoute) and route.endpoint in _TAKES:
                    self._add(route, _TAKES[route.endpoint])

    def call_directly(self, operations: APIRouter) -> None:
        """Take in operations that have no parameters but ``(request, caller)``."""
        self.include(operations)
        for route in operations.routes:
            if isinstance(route, APIRoute):
                self._add(route, _nothing)

    def _add(self, route: APIRoute, takes: Takes) -> None:
        call = Trace(_called(route.endpoint), lambda _path, refusal: problem(refusal))
        for method in route.methods or ():
            self.direct[method, route.path] = _Direct(takes, call, f"{method} {route.path}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._found(scope) if scope["type"] == "http" else None
        if operation is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await operation(scope, receive, send)

    def _found(self, scope: Scope) -> ASGIApp | None:
        path = scope["path"]
        named = _ID.search(path)
        template = f"{path[: named.start(1)]}{{id}}{path[named.end(1) :]}" if named else path
        direct = self.direct.get((scope["method"], template))
        if direct is not None:
            arguments = direct.takes(named[1] if named else "", scope["query_string"].decode("latin-1"))
            if arguments is None:
                return None
            scope["arguments"], scope["operation"] = arguments, direct.operation
            return direct.call
        is_its, other = self._other
        return other if is_its(path) else None


def _called(endpoint: Callable[..., Awaitable[Response]]) -> ASGIApp:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response = await endpoint(request=request, caller=await authenticated(request), **scope["arguments"])
        except Refusal as refusal:
            response = problem(refusal)
        await response(scope, receive, send)

    return call
