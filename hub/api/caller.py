"""Who calls, and what may come in: authentication, then the declared length, then the body (exchange rules 10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from hub.api.bell import Bell
from hub.domain.agency import System
from hub.errors import Refusal
from hub.exchange.desk import Desk
from hub.exchange.enrol import hashed
from hub.settings import Settings
from hub.store.roster import Roster

_scheme = HTTPBearer(auto_error=False, description="The system's token, shown once by `hub enrol`.")


@dataclass(slots=True)
class Interface:
    """What the routes work with; ``app.state.interface``."""

    desk: Desk
    bell: Bell
    settings: Settings
    in_flight: int = 0  # bytes being received or checked

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[None]:
        """Room for a packet in memory, or ``busy``."""
        if self.in_flight + size > self.settings.in_flight_limit:
            raise Refusal("busy", retry_after=2)
        self.in_flight += size
        try:
            yield
        finally:
            self.in_flight -= size


def interface(request: Request) -> Interface:
    found: Interface = request.app.state.interface
    return found


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated system and the roster it was found on."""

    system: System
    roster: Roster


async def _caller(request: Request) -> Caller:
    """The system of the bearer token. Raises ``not-authenticated``, ``system-locked``."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    rosters = interface(request).desk.rosters
    roster = rosters.fresh()
    if roster is None:
        roster = await run_in_threadpool(rosters.current)
    key = hashed(token.strip())
    system = roster.tokens.get(key) if scheme.lower() == "bearer" else None
    if system is None and token and scheme.lower() == "bearer":
        roster = await run_in_threadpool(rosters.current, now=True)  # enrolled a moment ago
        system = roster.tokens.get(key)
    if system is None:
        raise Refusal("not-authenticated")
    if system.locked:
        raise Refusal("system-locked")
    return Caller(system, roster)


Calling = Annotated[Caller, Depends(_caller), Depends(_scheme)]


async def read_body(request: Request, size: int, patience: float) -> bytes:
    """Exactly the declared bytes. Raises ``body-late`` when the next part takes longer than ``patience`` seconds."""
    parts: list[bytes] = []
    received = 0
    stream = request.stream()
    try:
        while True:
            part = await asyncio.wait_for(anext(stream, None), patience)
            if part is None:
                break
            received += len(part)
            if received > size:
                raise Refusal("body-incomplete")
            parts.append(part)
    except TimeoutError:
        raise Refusal("body-late") from None
    except ClientDisconnect:
        raise Refusal("body-incomplete") from None
    if received != size:
        raise Refusal("body-incomplete")
    return b"".join(parts)


@asynccontextmanager
async def packet_of(request: Request) -> AsyncIterator[bytes]:
    """The packet in a request's body; it counts as in flight until the block ends."""
    face = interface(request)
    declared = request.headers.get("content-length", "")
    if not declared.isascii() or not declared.isdigit():
        raise Refusal("length-required")
    size = int(declared)
    if size > face.settings.packet_limit:
        raise Refusal("too-large", facts={"limit": face.settings.packet_limit})
    async with face.room(size):
        yield await read_body(request, size, face.settings.body_timeout)
