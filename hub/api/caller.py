"""Who calls by the REST API, and the small bodies that operations of it take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from hub.api.problems import HEX_ID, invalid
from hub.domain.agency import System
from hub.errors import Refusal
from hub.exchange.enrol import hashed
from hub.http.bodies import small_body
from hub.http.interface import admit, interface
from hub.store.roster import Roster

_scheme = HTTPBearer(auto_error=False, description="The system's token, shown once by `hub enrol`.")


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated system and the roster it was found on."""

    system: System
    roster: Roster


async def authenticated(request: Request) -> Caller:
    """The system of the bearer token. Raises ``not-authenticated``, and what :func:`admit` does."""
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
    admit(system, request)
    return Caller(system, roster)


async def _caller(request: Request, _shown_in_docs: Annotated[object, Depends(_scheme)]) -> Caller:
    return await authenticated(request)


Calling = Annotated[Caller, Depends(_caller)]


# What the hub never made is refused before the database sees it; PostgreSQL, for one, has no text with a NUL.
Id = Annotated[str, Path(alias="id", pattern=HEX_ID, description="24 lower-case hex digits")]

Body = TypeVar("Body", bound=BaseModel)


async def json_of(request: Request, shape: type[Body]) -> Body:
    """A small JSON body of a shape; an absent or empty one has all defaults. Raises ``request-invalid``.

    Read here and not by the framework, which would read it before it is known who calls.
    """
    data = await small_body(request)
    try:
        return shape.model_validate_json(data or b"{}")
    except ValidationError as fault:
        raise invalid(fault.errors(include_url=False)) from None


def json_body(shape: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI entry of such a body."""
    return {"requestBody": {"content": {"application/json": {"schema": shape.model_json_schema()}}}}
