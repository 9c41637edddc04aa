"""Who calls, and what may come in: authentication, then the declared form and length, then the body (exchange
rules 10).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from hub.api.bell import Bell
from hub.api.problems import HEX_ID
from hub.api.readiness import Readiness
from hub.domain.agency import System
from hub.errors import Refusal
from hub.exchange.desk import Desk
from hub.exchange.enrol import hashed
from hub.settings import Settings
from hub.store.disk import Disk
from hub.store.roster import Roster

_scheme = HTTPBearer(auto_error=False, description="The system's token, shown once by `hub enrol`.")


@dataclass(slots=True)
class Interface:
    """What the routes work with; ``app.state.interface``."""

    desk: Desk
    bell: Bell
    settings: Settings
    in_flight: int = 0  # bytes being received or checked
    disk: Disk = field(init=False)
    readiness: Readiness = field(init=False)

    def __post_init__(self) -> None:
        self.disk = Disk(self.settings.folders, self.settings.disk_reserve)
        self.readiness = Readiness(self.desk, self.disk)

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
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


async def authenticated(request: Request) -> Caller:
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


async def _caller(request: Request, _shown_in_docs: Annotated[object, Depends(_scheme)]) -> Caller:
    return await authenticated(request)


Calling = Annotated[Caller, Depends(_caller)]


_PACE = 32 * 1024  # bytes a second, the least that a body may come at: a trickle would hold its room for ever


async def read_body(request: Request, size: int) -> bytes:
    """Exactly the declared bytes, or ``body-incomplete``.

    Raises ``body-late`` when the next part takes longer than ``body_timeout``, or the whole longer than that and
    ``size`` bytes take at ``_PACE``.
    """
    face = interface(request)
    patience, clock = face.settings.body_timeout, face.desk.clock
    late = clock() + timedelta(seconds=patience + size / _PACE)
    parts: list[bytes] = []
    received, more = 0, True
    try:
        async with asyncio.timeout(patience) as limit:
            while more:
                message = await request.receive()
                received += len(message.get("body", b""))
                more = message.get("more_body", False)
                if message["type"] == "http.disconnect" or received > size:
                    raise Refusal("body-incomplete")
                if clock() > late:
                    raise Refusal("body-late")
                parts.append(message["body"])
                limit.reschedule(asyncio.get_running_loop().time() + patience)
    except TimeoutError:
        raise Refusal("body-late") from None
    if received != size:
        raise Refusal("body-incomplete")
    return b"".join(parts)


def _declared(request: Request, limit: int, too_large: str) -> int:
    """The length of a body that may be read. ``too_large`` is the code that refuses one above ``limit`` bytes."""
    encoding = ", ".join(request.headers.getlist("content-encoding")).strip()
    if encoding.lower() not in {"", "identity"}:
        raise Refusal("content-encoding", "Content-Encoding", encoding, {"found": encoding[:40]})
    declared = request.headers.get("content-length", "")
    if not declared.isascii() or not declared.isdigit():
        raise Refusal("length-required")
    if len(declared) > 12 or int(declared) > limit:
        raise Refusal(too_large, facts={"limit": limit})
    return int(declared)


@asynccontextmanager
async def packet_of(request: Request) -> AsyncIterator[bytes]:
    """The packet in a request's body; it counts as in flight until the block ends."""
    face = interface(request)
    size = _declared(request, face.settings.packet_limit, "too-large")
    face.disk.admit()
    with face.room(size):
        yield await read_body(request, size)


# What the hub never made is refused before the database sees it; PostgreSQL, for one, has no text with a NUL.
Id = Annotated[str, Path(alias="id", pattern=HEX_ID, description="24 lower-case hex digits")]

_JSON_LIMIT = 64 * 1024  # bytes
Body = TypeVar("Body", bound=BaseModel)


async def json_of(request: Request, shape: type[Body]) -> Body:
    """A small JSON body of a shape; an absent or empty one has all defaults.

    Read here and not by the framework, which would read it before it is known who calls.
    """
    size = _declared(request, _JSON_LIMIT, "json-too-large") if "content-length" in request.headers else 0
    if size == 0 and "transfer-encoding" in request.headers:
        raise Refusal("length-required")
    data = await read_body(request, size) if size else b"{}"
    try:
        return shape.model_validate_json(data)
    except ValidationError as fault:
        raise RequestValidationError(fault.errors(include_url=False)) from None


def json_body(shape: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI entry of such a body."""
    return {"requestBody": {"content": {"application/json": {"schema": shape.model_json_schema()}}}}
