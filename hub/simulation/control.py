"""The control port: orders and questions as JSON, on 127.0.0.1 alone, in the hub's own event loop."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.api.problems import problem
from hub.api.shapes import moment, reply
from hub.errors import Refusal, violation
from hub.simulation.ordered import Ordered
from hub.simulation.orders import ALLOWED, ClockOrder, DeathOrder, FaultShares, MutantShares, OldAxisOrder, read
from hub.simulation.steps import STEPS

_NUMBER = re.compile(r"[0-9]{1,18}")
_KEEP = 75  # seconds a connection may wait for its next order, as at the hub itself


class Control:
    """The port's operations, each a method; what stands is changed by nothing else."""

    def __init__(self, ordered: Ordered) -> None:
        self._ordered = ordered

    def app(self) -> Starlette:
        routes = [
            Route("/", self.everything),
            Route("/clock", self.clock, methods=["PUT", "DELETE"]),
            Route("/faults", self.faults, methods=["PUT", "DELETE"]),
            Route("/death", self.death, methods=["PUT", "DELETE"]),
            Route("/steps", self.steps),
            Route("/old-axis", self.old_axis, methods=["PUT", "DELETE"]),
            Route("/mutants", self.mutants, methods=["PUT", "DELETE"]),
            Route("/injected", self.injected),
        ]
        return Starlette(routes=routes, exception_handlers={Refusal: _refused, HTTPException: _not_there})

    async def everything(self, _request: Request) -> Response:
        ordered = self._ordered
        return reply(
            {
                "clock": self._clock(),
                "faults": ordered.faults.as_json(),
                "old_axis": sorted(ordered.old_axis),
                "mutants": ordered.mutants.as_json(),
                "death": ordered.deaths.as_json(),
                "injected": dict(ordered.injected.counts),
            }
        )

    async def clock(self, request: Request) -> Response:
        clock = self._ordered.clock
        if request.method == "DELETE":
            clock.release()
            return reply(self._clock())
        order = read(ClockOrder, await request.body())
        try:
            if order.now is not None:
                clock.put(order.now, running=order.running)
            elif order.by is not None:
                clock.jump(order.by)
        except ValueError as fault:
            told = violation(
                "request-field", "", "", vi="thời điểm ngoài phạm vi cho phép", en=fault, repair=ALLOWED[ClockOrder]
            )
            raise Refusal("request-invalid", violations=[told]) from None
        return reply(self._clock())

    def _clock(self) -> dict[str, Any]:
        clock = self._ordered.clock
        return {"now": moment(clock()), "running": clock.running, "machine": clock.is_machine_time}

    async def faults(self, request: Request) -> Response:
        delete = request.method == "DELETE"
        self._ordered.faults = FaultShares() if delete else read(FaultShares, await request.body())
        if not self._ordered.faults.clock_jump:
            self._ordered.clock.stray(0.0)
        return reply(self._ordered.faults.as_json())

    async def death(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._ordered.deaths.call_off()
        else:
            order = read(DeathOrder, await request.body())
            self._ordered.deaths.order(order.step, order.nth)
        return reply(self._ordered.deaths.as_json())

    async def steps(self, _request: Request) -> Response:
        return reply(STEPS)

    async def old_axis(self, request: Request) -> Response:
        delete = request.method == "DELETE"
        self._ordered.old_axis = frozenset() if delete else frozenset(read(OldAxisOrder, await request.body()).root)
        return reply(sorted(self._ordered.old_axis))

    async def mutants(self, request: Request) -> Response:
        delete = request.method == "DELETE"
        self._ordered.mutants = MutantShares() if delete else read(MutantShares, await request.body())
        return reply(self._ordered.mutants.as_json())

    async def injected(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not _NUMBER.fullmatch(after):
            told = violation(
                "request-field",
                "query.after",
                after,
                vi="phải là số nguyên không âm",
                en="it must be a whole number from 0",
                repair="0, 1, 2, …",
            )
            raise Refusal("request-invalid", violations=[told])
        return reply(self._ordered.injected.after(int(after)))


def _refused(_request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return problem(refusal)


def _not_there(_request: Request, fault: Exception) -> Response:
    if isinstance(fault, HTTPException) and fault.status_code == 405:
        return problem(Refusal("method-not-allowed", facts={"allowed": (fault.headers or {}).get("Allow", "")}))
    return problem(Refusal("not-found"))


class _Server(uvicorn.Server):
    """Beside another server, to which the process's signals belong."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(ordered: Ordered, listener: socket.socket) -> AsyncIterator[None]:
    """The control port answers on ``listener`` while the block runs.

    Raises OSError, before the block, where it cannot start.
    """
    config = uvicorn.Config(
        Control(ordered).app(), http="httptools", ws="none", lifespan="off", log_config=None, access_log=False,
        timeout_graceful_shutdown=1, timeout_keep_alive=_KEEP,
    )  # fmt: skip
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    listening = asyncio.create_task(server.listening.wait())
    try:
        await asyncio.wait((serving, listening), return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if not serving.done():  # else waiting for it tells why
            yield
    finally:
        server.should_exit = True
        await serving
