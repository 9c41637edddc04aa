"""Who may see a page or send its form: ``Views``, ``Operates``, ``Administers`` as a parameter of the page's function.

Whoever is not signed in is led to the page where one signs in. A form counts only from a page of this console and of
this session: where the browser says it came from, and its token.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl, quote, urlsplit

import structlog
from fastapi import Depends, Request
from sqlalchemy import RowMapping

from hub.console import frame
from hub.domain.operator import PASSWORD_MOST, SEEN, Operator, Role, is_alive
from hub.errors import Refusal
from hub.exchange import operators as verbs
from hub.http.bodies import declared, read_body
from hub.http.interface import interface
from hub.store import operators

COOKIE = "__Host-session"
FORM_LIMIT = 256 * 1024  # bytes: thousands of rows may be ticked
LANDING = "/console"
_NEXT = re.compile(r"/console(?:[/?][!-~]*)?")


class SignInFirst(Exception):  # noqa: N818  (no fault)
    """Nobody is signed in, or not any more."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is alive."""

    token_hash: str
    operator: Operator
    csrf: str


class Form:
    """What a form brought: each field's values, in their order."""

    def __init__(self, body: bytes) -> None:
        """Raises ``request-invalid`` for what is no form."""
        try:
            self._pairs = parse_qsl(
                body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20_000
            )
        except ValueError:
            raise Refusal("request-invalid") from None

    def one(self, name: str) -> str:
        """The value of a field; empty where there is none."""
        return next((value for key, value in self._pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """The token of a session's forms: whoever reads a page cannot tell the session's from it."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def typed(password: str) -> str:
    """A password as it was hashed: NFC, and of no more than a form could have set."""
    return unicodedata.normalize("NFC", password[: 4 * PASSWORD_MOST])[: PASSWORD_MOST + 1]


async def session_of(request: Request) -> Session | None:
    """The session of a request's cookie, if it is alive; with it the page's forms have their token."""
    if not hasattr(request.state, "session"):
        request.state.session = await _session(request)
        if request.state.session is not None:
            request.state.csrf = request.state.session.csrf
    found: Session | None = request.state.session
    return found


async def _session(request: Request) -> Session | None:
    token = request.cookies.get(COOKIE, "")
    if not token:
        return None
    face = interface(request)
    key = hashed(token)
    row: RowMapping | None = await face.reads.of(lambda connection: operators.session(connection, key))
    now = face.desk.clock()
    if row is None or not is_alive(now, row["seen_at"], row["ends_at"]):
        return None
    by_itself = request.headers.get("sec-fetch-dest") == "empty"  # a script of the page, and nobody at the keys
    if now - row["seen_at"] >= SEEN and not by_itself:
        face.desk.writer.submit(verbs.saw, key)  # nobody waits for it
    structlog.contextvars.bind_contextvars(operator=row["name"])
    return Session(key, Operator(row["name"], Role(row["role"])), csrf_of(token))


def _needs(role: Role) -> Callable[[Request], Awaitable[Operator]]:
    async def caller(request: Request) -> Operator:
        session = await session_of(request)
        if session is None:
            raise SignInFirst
        if request.method == "POST":
            check_origin(request)
            if not hmac.compare_digest((await form(request)).one("csrf").encode(), session.csrf.encode()):
                raise Refusal("form-stale")
        if not session.operator.may(role):
            vi, en = frame.TEXTS[f"frame.role.{role}"]
            raise Refusal("role-low", facts={"role": vi, "role_en": en})
        return session.operator

    return caller


Views = Annotated[Operator, Depends(_needs(Role.VIEWER))]
Operates = Annotated[Operator, Depends(_needs(Role.OPERATOR))]
Administers = Annotated[Operator, Depends(_needs(Role.ADMINISTRATOR))]


async def form(request: Request) -> Form:
    """What was posted, read once. Raises ``form-too-large``, ``request-invalid`` and what ``http.bodies`` does."""
    if not hasattr(request.state, "form"):
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise Refusal("request-invalid")
        size = declared(request, FORM_LIMIT, "form-too-large")
        request.state.form = Form(await read_body(request, size))
    found: Form = request.state.form
    return found


def check_origin(request: Request) -> None:
    """Raises ``form-stale`` for a form of another site. Browsers that say neither are told by the token alone."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        if site != "same-origin":
            raise Refusal("form-stale")
    elif origin is not None and _host_of(origin) != request.headers.get("host", "").lower():
        raise Refusal("form-stale")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # such as http://[
        return None


def within(path: str) -> str:
    """Where to go on to: an address of this console, else its first page."""
    return path if _NEXT.fullmatch(path) else LANDING


def sign_in_address(request: Request) -> str:
    """The page to sign in at, which leads back to this one."""
    back = frame.here(request) if request.method == "GET" else LANDING
    return "/console/login" + (f"?next={quote(back, safe='')}" if back != LANDING else "")
