"""All of it put around a hub: what ``hub.serve`` needs for ``--simulation-port``."""

from __future__ import annotations

import itertools
import socket
from contextlib import AsyncExitStack
from datetime import datetime

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.exchange.desk import Desk
from hub.simulation.calls import is_exchange
from hub.simulation.control import served
from hub.simulation.faults import CuttableHttp, Faults, FaultyWriter
from hub.simulation.known import Known
from hub.simulation.mutants import Mutants
from hub.simulation.old_axis import OldAxis
from hub.simulation.ordered import Ordered


class Simulator:
    """One hub's. ``clock``, ``at`` and ``writer`` are for ``create_app``, ``http`` for the server; :meth:`around` gives
    the application to serve.
    """

    writer = FaultyWriter
    http = CuttableHttp

    def __init__(self, listener: socket.socket, clock: datetime | None = None) -> None:
        """``listener``: a listening socket of 127.0.0.1, for the control port. The clock stands at ``clock`` until it
        is moved: a hub that is started again must not find everything expired before it can be told what time it is.

        Raises ValueError for a time no clock here goes to.
        """
        self.ordered = Ordered()
        if clock is not None:
            self.ordered.clock.put(clock, running=False)
        self.clock, self.at = self.ordered.clock, self.ordered.deaths.at
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._listener = listener

    def around(self, app: FastAPI) -> ASGIApp:
        ordered = self.ordered

        def desk() -> Desk:
            found: Desk = app.state.interface.desk
            return found

        known = Known(desk)
        mutants = Mutants(app, ordered, known)
        old_axis = OldAxis(mutants, ordered, known)
        faults = Faults(old_axis, ordered)
        numbers = itertools.count(1)

        async def simulated(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                async with AsyncExitStack() as stack:
                    try:
                        await stack.enter_async_context(served(ordered, self._listener))
                    except OSError as fault:
                        why = f"the control port cannot be served: {fault.strerror}"
                        await send({"type": "lifespan.startup.failed", "message": why})
                        return
                    await app(scope, receive, send)
            elif scope["type"] == "http" and is_exchange(scope["path"]):
                scope["state"]["mark"] = _mark(scope) or f"request-{next(numbers)}"
                await faults(scope, receive, send)
            else:
                await app(scope, receive, send)

        return simulated


def _mark(scope: Scope) -> str:
    """The request's id, by which faults strike it."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")
