"""What a request asks of the hub, in either dialect, and its answer as one piece: as far as the simulator needs it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.errors import Refusal
from hub.gateway import signed
from hub.gateway.axis import method_of

What = Literal["send", "list", "fetch", "done", "show", "other"]
Row = dict[str, Any]  # one entry of a list
_DELIVERY = re.compile(r"/v1/deliveries/([0-9a-f]{24})(?:/(packet|done|taken|failed))?")
_RULE = re.compile(r"\[([a-z][a-z0-9-]+)\]")  # as the gateway dialect tells them
_OF_DELIVERY: dict[str | None, What] = {"packet": "fetch", "done": "done", None: "show"}
_METHODS: dict[str, What] = {"getReceivedEdocList": "list", "getEdoc": "fetch", "downloadEdoc": "fetch"}


@dataclass(frozen=True, slots=True)
class Intent:
    """What a request is for. ``caller`` tells systems apart, and one system's two dialects; ``statuses`` is None where
    a list has both.
    """

    what: What
    method: str = ""  # of the gateway dialect; empty in REST
    caller: str = ""
    delivery: str = ""
    statuses: bool | None = None

    def id_of(self, row: Row) -> str:
        return str(row["docId" if self.method else "id"])

    def is_status(self, row: Row) -> bool:
        return bool(row["messageType" if self.method else "type"] == "status")

    def speaks_as(self, row: Row) -> bool:
        """Whether a row was listed in the same dialect."""
        return ("docId" in row) == bool(self.method)

    def lists(self, row: Row) -> bool:
        """Whether a row is of the kind that this list has."""
        return self.statuses is None or self.is_status(row) == self.statuses


OTHER = Intent("other")


def is_exchange(path: str) -> bool:
    """Whether a path is one of the dialects': health and pages are never disturbed."""
    return path.startswith("/v1/") or method_of(path) is not None


def read(scope: Scope) -> Intent:
    """What an HTTP request asks; who calls is taken as it claims, since the hub itself will check that."""
    method = method_of(scope["path"])
    return _rest(scope) if method is None else _gateway(scope, method)


def _rest(scope: Scope) -> Intent:
    path, get = scope["path"], scope["method"] == "GET"
    caller = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), "")
    if path == "/v1/documents" and not get:
        return Intent("send", caller=caller)
    if path == "/v1/inbox" and get:
        return Intent("list", caller=caller)
    found = _DELIVERY.fullmatch(path)
    if found is None:
        return OTHER
    return Intent(_OF_DELIVERY.get(found[2], "other"), caller=caller, delivery=found[1])


def _gateway(scope: Scope, method: str) -> Intent:
    try:
        said = signed.read(scope["headers"])
    except Refusal:
        return OTHER
    arguments, caller = said.arguments, f"gateway {said.system_id}"
    statuses = arguments.get("messagetype", "").lower() == "status"
    if method == "sendEdoc":
        return OTHER if statuses else Intent("send", method, caller)
    if method == "updateStatus":
        delivery = arguments.get("docid") or arguments.get("docId", "")
        is_done = arguments.get("status", "").lower() == "done"
        return Intent("done" if is_done else "other", method, caller, delivery)
    what = _METHODS.get(method, "other")
    delivery = arguments.get("docId") or arguments.get("docid", "") if what == "fetch" else ""
    return Intent(what, method, caller, delivery, statuses)


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer of the application."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def with_body(self, body: bytes) -> Heard:
        kept = [(name, value) for name, value in self.headers if name != b"content-length"]
        return replace(self, headers=[*kept, (b"content-length", b"%d" % len(body))], body=body)

    def is_fine(self) -> bool:
        """Whether the hub did what was asked; the gateway dialect tells refusals in a 200 too."""
        if self.status not in (200, 201):
            return False
        refused_in_200 = self.body.startswith(b'{"status": "FAIL"')
        return not refused_in_200

    def refused(self) -> set[str]:
        """The rules, or the code, for which the hub refused; none where it did what was asked."""
        if self.is_fine() or not self.body:
            return set()
        told = self.json()
        if "violations" in told:
            return {each["rule"] for each in told["violations"] if each["severity"] == "error"}
        return set(_RULE.findall(told.get("ErrorDesc", "")))

    async def say(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


async def hear(app: ASGIApp, scope: Scope, receive: Receive) -> Heard:
    """The application's answer, whole."""
    started: Message = {}
    parts: list[bytes] = []

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, keep)
    return Heard(started["status"], list(started["headers"]), b"".join(parts))


def as_json(intent: Intent, body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=bool(intent.method)).encode()


def rows_of(intent: Intent, heard: Heard) -> list[Row]:
    """The entries of a list's answer."""
    found: list[Row] = heard.json()["data" if intent.method else "items"]
    return found


def with_rows(intent: Intent, heard: Heard, rows: list[Row]) -> Heard:
    """A list's answer with other entries."""
    return heard.with_body(as_json(intent, heard.json() | {"data" if intent.method else "items": rows}))


Hidden = Callable[[list[str]], Awaitable[set[str]]]  # which of these deliveries nobody may see


async def hear_list(app: ASGIApp, intent: Intent, scope: Scope, receive: Receive, hidden: Hidden) -> Heard:
    """A list without what is hidden. In its place comes what waits behind: hidden entries are never done, and would
    fill every page at last. The gateway's lists have no pages.
    """
    heard = await hear(app, scope, receive)
    shown: list[Row] = []
    while heard.is_fine():
        rows = rows_of(intent, heard)
        gone = await hidden([intent.id_of(row) for row in rows])
        shown += [row for row in rows if intent.id_of(row) not in gone]
        if not gone or intent.method:
            return with_rows(intent, heard, shown)
        query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        query["after"] = heard.json()["next"]
        if shown:  # else the hub waits for the first that can be seen, as for the first of all
            query["limit"] = str(len(gone))
            query.pop("wait", None)
        scope = {**scope, "query_string": urlencode(query).encode()}
        heard = await hear(app, scope, receive)
    return heard


async def refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    """Answer with a refusal, in the path's dialect."""
    await scope["state"]["refused"](scope["path"], refusal)(scope, receive, send)
