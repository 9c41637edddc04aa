"""Faults that a client cannot tell from a hub in trouble, each by its share of requests (``orders.FaultShares``)."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import OperationalError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.errors import Refusal
from hub.exchange.writer import Transaction, Verb, Writer
from hub.http.wire import GuardedHttp
from hub.simulation.calls import refuse
from hub.simulation.chance import chance
from hub.simulation.ordered import Ordered
from hub.simulation.steps import die

_RETRY_AFTER = 1  # second


class CuttableHttp(GuardedHttp):
    """The hub's protocol, whose connections can be cut from within a request: ``scope["state"]["cut"]``."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["cut"] = self.transport.abort


def _disk_full() -> BaseException:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _database_away() -> BaseException:
    return OperationalError("COMMIT", None, ConnectionError("the server is gone"), connection_invalidated=True)


_COMMIT_FAULTS: dict[str, Callable[[], BaseException]] = {"disk-full": _disk_full, "database-away": _database_away}
Fault = Callable[[], BaseException]  # told of, and made, when it strikes
_of_this_request: ContextVar[Fault | None] = ContextVar("fault", default=None)


@dataclass(frozen=True, slots=True, eq=False)
class _Failing:
    """A verb that fails once all is written."""

    verb: Verb
    fault: BaseException

    def __call__(self, tx: Transaction, jobs: list[Any]) -> list[Any]:
        self.verb(tx, jobs)
        tx.write()
        raise self.fault


class FaultyWriter(Writer):
    """The writer, of which the commit fails that writes a request with a fault, and all of it is rolled back.

    It is a commit of that request alone: who shares one with it by chance of timing must not be told of its fault.
    """

    def submit(self, verb: Verb, job: Any) -> Any:
        fault = _of_this_request.get()
        return super().submit(verb if fault is None else _Failing(verb, fault()), job)

    def _handle(self, batch: Sequence[Any]) -> None:
        others = [work for work in batch if not isinstance(work.verb, _Failing)]
        for work in batch:
            if isinstance(work.verb, _Failing):
                super()._handle([work])
        if others:
            super()._handle(others)


class Faults:
    """ASGI: before, after and around everything that the hub does for a request."""

    def __init__(self, app: ASGIApp, ordered: Ordered) -> None:
        self._app, self._ordered = app, ordered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shares = self._ordered.faults
        if not shares.any:
            await self._app(scope, receive, send)
            return
        mark = scope["state"]["mark"]

        def struck(name: str) -> bool:
            found = shares.strikes(name, mark)
            if found and name not in _COMMIT_FAULTS:  # those are told of when something is written
                self._ordered.injected.fault(name, mark, scope["path"])
            return found

        if shares.strikes("clock-jump", mark):
            # It befalls the hub, and not this request alone.
            self._ordered.clock.stray(chance(shares.seed, "clock-jump-by", mark) * shares.clock_jump_seconds)
            self._ordered.injected.fault("clock-jump", "", scope["path"])
        if struck("delay"):
            await asyncio.sleep(shares.delay_seconds)
        if struck("refuse"):
            await refuse(scope, receive, send, Refusal("busy", retry_after=_RETRY_AFTER))
            return
        name = next((name for name in _COMMIT_FAULTS if struck(name)), "")
        before = _of_this_request.set(self._telling(name, mark, scope["path"]) if name else None)
        try:
            if struck("kill"):
                await self._app(scope, receive, _killing)
            elif struck("lose-answer"):
                await self._app(scope, receive, _losing)
                await _cut(scope, receive)
            else:
                await self._app(scope, receive, send)
        finally:
            _of_this_request.reset(before)

    def _telling(self, name: str, mark: str, path: str) -> Fault:
        def make() -> BaseException:
            self._ordered.injected.fault(name, mark, path)
            return _COMMIT_FAULTS[name]()

        return make


async def _killing(_message: Message) -> None:
    """What is answered is committed, and nobody hears of it."""
    die()


async def _losing(_message: Message) -> None:
    """Nothing of it goes out."""


async def _cut(scope: Scope, receive: Receive) -> None:
    scope["state"]["cut"]()
    while (await receive())["type"] != "http.disconnect":
        pass
