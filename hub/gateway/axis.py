"""The dialect's methods, where they are found, and who may call them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog
from cryptography.fernet import InvalidToken
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from hub.errors import Refusal
from hub.gateway import receiving, sending, signed, units
from hub.gateway.answers import refused
from hub.gateway.call import Call
from hub.gateway.listings import Listings
from hub.gateway.lockout import Lockout
from hub.http.guards import holder
from hub.http.interface import Interface, admit
from hub.metrics import OTHER

log = structlog.get_logger()
Method = Callable[[Call], Awaitable[Response]]

METHODS: Mapping[str, Method] = {
    "getAgenciesList": units.get_agencies_list,
    "getAgenciesListQD20": units.get_agencies_list_qd20,
    "getSynchronizeUnit": units.get_synchronize_unit,
    "registerAgency": units.register_agency,
    "deleteAgency": units.delete_agency,
    "sendEdoc": sending.send_edoc,
    "getSentEdocList": sending.get_sent_edoc_list,
    "getReceivedEdocList": receiving.get_received_edoc_list,
    "getEdoc": receiving.get_edoc,
    "downloadEdoc": receiving.download_edoc,
    "updateStatus": receiving.update_status,
    "countReceiveEdoc": receiving.count_receive_edoc,
    "countReceiveStatus": receiving.count_receive_status,
}


def method_of(path: str) -> str | None:
    """The method that a path names, whether or not there is one; None for paths that are not the dialect's.

    Those are all below ``/axis``, and a method's name below any other prefix but REST's: the client appends it to
    whatever endpoint is configured, and a proxy may have its own. Repeated slashes count as one.
    """
    path = path.partition("?")[0]
    if path.startswith("/v1/"):
        return None
    segments = [segment for segment in path.split("/") if segment]
    if segments and segments[-1] in _EVERYWHERE:
        return segments[-1]
    return "/".join(segments[1:]) if segments[:1] == ["axis"] else None


class Gateway:
    """The ASGI application of the dialect."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._listings = Listings()
        self._lockout = Lockout(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        name = method_of(scope["path"]) or ""
        scope["operation"] = name if name in METHODS else OTHER
        try:
            response = await self._answer(request, name)
        except Refusal as refusal:
            response = refused(name, refusal)
        await response(scope, receive, send)

    async def _answer(self, request: Request, name: str) -> Response:
        method = METHODS.get(name)
        verb = "GET" if name == "downloadEdoc" else "POST"
        if method is None or request.method != verb:
            facts = {
                "method": f"{request.method} {name[:80] or '–'}",
                "allowed": f"{verb} {name}" if method else _NAMES,
            }
            raise Refusal("gateway-method", facts=facts)
        return await method(await self._call(request))

    async def _call(self, request: Request) -> Call:
        """Raises ``gateway-signature``, ``signatures-wrong``, ``internal``, and what :func:`admit` does."""
        face: Interface = request.app.state.interface
        said = signed.read(request.scope["headers"])
        bind_contextvars(system=said.system_id[:64])  # for the log: as claimed
        caller = holder(request.client.host) if request.client else ""
        rosters = face.desk.rosters
        roster = rosters.fresh()
        if roster is None:
            roster = await run_in_threadpool(rosters.current)
        if said.system_id not in roster.systems:
            roster = await run_in_threadpool(rosters.current, now=True)  # enrolled a moment ago
        secret = roster.secrets.get(said.system_id)
        if secret is None:
            raise _wrong()
        self._lockout.check(caller, said.system_id)
        right = said.is_by(_plain(face, secret))
        if not right and (newest := await run_in_threadpool(rosters.current, now=True)) is not roster:
            roster = newest  # given another secret a moment ago
            right = said.system_id in roster.systems and said.is_by(_plain(face, roster.secrets[said.system_id]))
        if not right:
            self._lockout.wrong(caller, said.system_id)
            raise _wrong()
        self._lockout.right(caller, said.system_id)
        system = roster.systems[said.system_id]
        admit(system, request)
        return Call(request, face, system, roster, said.arguments, self._listings)


def _plain(face: Interface, secret: bytes) -> bytes:
    try:
        return face.desk.vault.decrypt(secret)
    except InvalidToken:
        log.error("secret-unreadable", hint="enrolled under another key file")
        raise Refusal("internal", retry_after=60) from None


def _wrong() -> Refusal:
    """One text for both. Whoever guesses on is told apart by the lock-out; which systems there are is no secret."""
    repair = "Kiểm tra systemid và secret trong cấu hình / check systemid and secret in the client's settings"
    facts = {"vi": "systemid hoặc secret sai", "why": "systemid or secret is wrong", "repair": repair}
    return Refusal("gateway-signature", facts=facts)


_NAMES = ", ".join(METHODS)
_EVERYWHERE = {*METHODS, "downloadEdoc2"}  # which brings nothing that could be authenticated: an empty answer is due
