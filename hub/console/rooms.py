"""All rooms of the console, and what becomes of requests that none of them answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hub.console import access, audit, frame, login, operators, overview, settings, site
from hub.console.access import SignInFirst
from hub.errors import Refusal

_ROOMS = (overview, audit, login, operators, settings)
Handler = Callable[[Request, Any], Any]  # as the framework types them


def install(app: FastAPI) -> None:
    """The pages, and refusals below ``/console`` as pages; called after the handlers of the others are there."""
    site.install(app)
    for room in _ROOMS:
        app.router.routes += room.operations.routes
    app.add_exception_handler(SignInFirst, _sign_in)
    for kind in (Refusal, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _in_words(app.exception_handlers[kind]))


def is_its(path: str) -> bool:
    """Whether a path is a page's: what stands there is told to a person."""
    return (path == "/console" or path.startswith("/console/")) and not path.startswith("/console/static/")


async def _sign_in(request: Request, _first: Exception) -> Response:
    return frame.to(access.sign_in_address(request))


def _in_words(otherwise: Handler) -> Callable[[Request, Exception], Awaitable[Response]]:
    """A page for what a room refuses; what is no page's goes to the handler that was there."""

    async def told(request: Request, fault: Exception) -> Response:
        if not is_its(request.url.path):
            answer: Response = await otherwise(request, fault)
            return answer
        session = await access.session_of(request)
        return frame.refused(request, session.operator if session is not None else None, _refusal(fault))

    return told


def _refusal(fault: Exception) -> Refusal:
    if isinstance(fault, Refusal):
        return fault
    if isinstance(fault, HTTPException) and fault.status_code in {404, 405}:
        return Refusal("page-unknown")
    return Refusal("request-invalid")
