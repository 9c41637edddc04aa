"""Signing in and out, and the choice of the language."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.console import access, frame
from hub.console.access import Views
from hub.domain.operator import FORGOTTEN, FREE_OF_ACCOUNT, FREE_OF_ADDRESS, WHOLE, Operator, named, pause
from hub.errors import Refusal
from hub.exchange import operators as verbs
from hub.exchange.passwords import Passwords
from hub.http.guards import holder
from hub.http.interface import Interface, interface
from hub.http.lockout import Lockout
from hub.store import operators

log = structlog.get_logger()
operations = APIRouter(prefix="/console", include_in_schema=False)
_LANGUAGE_KEPT = timedelta(days=365)


class Door:
    """What a process remembers of those who knock."""

    def __init__(self, face: Interface) -> None:
        self.passwords = Passwords()
        self.of_account = Lockout(face.desk.clock, lambda wrong: pause(wrong, FREE_OF_ACCOUNT))
        self.of_address = Lockout(face.desk.clock, lambda wrong: pause(wrong, FREE_OF_ADDRESS), FORGOTTEN)

    @contextmanager
    def trying(self, address: str, name: str) -> Iterator[None]:
        """Around a try, which counts before it is known to be wrong: many sent at once are many. Raises
        ``sign-in-wait``.
        """
        left = max(self.of_account.left(address, name), self.of_address.left(address))
        if left:
            seconds = int(left.total_seconds()) + 1
            raise Refusal("sign-in-wait", facts={"seconds": seconds}, retry_after=seconds)
        with self.of_account.trying(address, name), self.of_address.trying(address):
            yield

    def wrong(self, address: str, name: str) -> None:
        self.of_account.wrong(address, name)
        self.of_address.wrong(address)
        log.warning("sign-in-wrong", client=address)  # without the name: a password may stand there

    def right(self, address: str, name: str) -> None:
        self.of_account.right(address, name)


@operations.get("/login")
async def show(request: Request, next: str = access.LANDING, link: str = "") -> Response:  # noqa: A002  (its address)
    if not link and await access.session_of(request) is not None:
        return frame.to(access.within(next))
    try:
        _check_line(request)
    except Refusal as refusal:
        return await _page(request, next=next, refusal=refusal)
    return await _page(request, next=next, link=link)


@operations.post("/login")
async def sign_in(request: Request) -> Response:
    form = await access.form(request)
    name, further = form.one("name"), access.within(form.one("next"))
    token = secrets.token_urlsafe(32)
    try:
        access.check_origin(request)
        _check_line(request)
        if link := form.one("link"):
            job = verbs.ByLink(access.hashed(link), access.hashed(token), _address(request))
            await interface(request).desk.write(verbs.sign_in_by_link, job)
        else:
            await _by_password(request, name, form.one("password"), token)
    except Refusal as refusal:
        return await _page(request, next=further, name=name[:64], refusal=refusal)
    answer = frame.to(further)
    answer.set_cookie(
        access.COOKIE, token, int(WHOLE.total_seconds()), path="/", secure=True, httponly=True, samesite="strict"
    )
    return answer


async def _by_password(request: Request, name: str, password: str, token: str) -> None:
    """Raises ``sign-in-wrong``, in the same time whether the name or the password is, ``sign-in-wait``, ``busy``."""
    knocks, address = frame.of_process(request, Door), holder(_address(request))
    try:
        who = named(name)
    except Refusal:
        who = ""
    with knocks.trying(address, who):
        row = await interface(request).reads.of(lambda connection: operators.account(connection, who))
        stored = row["password"] if row is not None else ""
        right = await knocks.passwords.is_right(stored, access.typed(password))
        if not right:
            knocks.wrong(address, who)
            raise Refusal("sign-in-wrong")
        job = verbs.SignIn(who, stored, access.hashed(token), _address(request))
        signed_in: Operator = await interface(request).desk.write(verbs.sign_in, job)
        knocks.right(address, who)
    log.info("sign-in", operator=signed_in.name)


@operations.post("/logout")
async def sign_out(request: Request, operator: Views) -> Response:  # noqa: ARG001  (its token is checked by that)
    session = await access.session_of(request)
    if session is not None:
        await interface(request).desk.write(verbs.sign_out, session.token_hash)
    answer = frame.to("/console/login")
    answer.delete_cookie(access.COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return answer


@operations.get("/language")
async def choose_language(to: str = "vi", next: str = access.LANDING) -> Response:  # noqa: A002
    answer = frame.to(access.within(next))
    if to in frame.LANGUAGES:
        answer.set_cookie("lang", to, int(_LANGUAGE_KEPT.total_seconds()), path="/", httponly=True, samesite="lax")
    return answer


async def _page(
    request: Request,
    *,
    next: str,  # noqa: A002  (as the address has it)
    name: str = "",
    link: str = "",
    refusal: Refusal | None = None,
) -> Response:
    is_open = await interface(request).reads.of(operators.is_any)
    status = refusal.problem.status if refusal is not None else 200 if is_open else 403
    values = {"next": access.within(next), "name": name, "link": link, "refusal": refusal, "open": is_open}
    page = frame.render(request, "login.html", None, status, **values)
    if refusal is not None and refusal.retry_after:
        page.headers["Retry-After"] = str(refusal.retry_after)
    return page


def _check_line(request: Request) -> None:
    """Raises ``sign-in-plain``: browsers keep a Secure cookie from http only on the machine itself."""
    if request.url.scheme == "https":
        return
    host = request.headers.get("host", "").rpartition("@")[2]
    named_host = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    if not (_is_loopback(named_host.strip("[]")) and _is_loopback(_address(request))):
        raise Refusal("sign-in-plain")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
