"""One id from request to status: taken from ``X-Request-Id`` or made here, in every log line and answer.

A document keeps the id it came with; whatever is later done to it is logged with that id beside the request's own.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub import metrics
from hub.errors import Refusal
from hub.store.engine import temporary
from hub.store.ids import chance

log = structlog.get_logger()
Answer = Callable[[str, Refusal], Response]  # how the dialect of a path tells a refusal
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Trace:
    """ASGI middleware: binds the request's id, logs one line per request (no header, no body), answers for faults.

    What the request came to is bound by whoever knows it (``outcome``, ``document``, …) and stands in that line.
    """

    def __init__(self, app: ASGIApp, answer: Answer) -> None:
        self._app, self._answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        trace_id = given.decode() if _ID.fullmatch(given) else chance(8)
        scope.setdefault("state", {})["trace_id"] = trace_id
        status = 0  # none was sent yet
        began = time.perf_counter()

        async def traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", trace_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(trace_id=trace_id):
            try:
                await self._app(scope, receive, traced)
            except asyncio.CancelledError:  # the hub ends and waits no longer; the server's own answer is a text
                if not status:
                    await self._answer(scope["path"], Refusal("busy", retry_after=5))(scope, receive, traced)
                raise
            except Exception as fault:
                if status:
                    raise  # the answer has begun: only cutting the connection tells the client that it is not whole
                await self._answer(scope["path"], _refusal(fault))(scope, receive, traced)
            finally:
                took = time.perf_counter() - began
                operation = _operation(scope)
                metrics.REQUESTS.observe(took, operation)
                metrics.ANSWERS.add(str(status))
                if (tell := scope["state"].get("spans")) is not None:
                    tell(operation, took, status, structlog.contextvars.get_contextvars())
                ms, client = round(took * 1000, 1), (scope.get("client") or ("",))[0]
                log.info("request", method=scope["method"], path=scope["path"], status=status, ms=ms, client=client)


def _operation(scope: Scope) -> str:
    """The name of what was asked for: one of the program's own, whatever path and method somebody invents."""
    route = scope.get("route")
    named: str | None = scope.get("operation")
    if named is None and route is not None and scope["method"] in route.methods:
        named = f"{scope['method']} {route.path}"
    return named or metrics.OTHER


def _refusal(fault: Exception) -> Refusal:
    """What to answer when something broke: temporary in every case, since nothing was accepted."""
    refusal = temporary(fault)
    if refusal is None:
        log.error("fault", exc_info=fault)
        refusal = Refusal("internal", retry_after=30)
    return refusal
