"""What a request asks, in either dialect, and what of it may be written down.

No credential is: of Authorization there is left which two requests had the same, of the gateway's signed header the
arguments named here. Bodies are kept of the operations that carry packets and lists of what waits, and answers to what
ends a delivery, which in the gateway say by their body alone whether it did; of no others: a registration has a
one-time code in it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, unquote

from clients.replay.traffic.framing import Head

_ID = "(?P<id>[^/]+)"
_REST = tuple(
    (method, re.compile(rf"(?:/.*)?/v1/{path}"), operation)
    for method, path, operation in (
        ("POST", "documents", "send"),
        ("POST", "documents/validate", "validate"),
        ("POST", "statuses", "report"),
        ("GET", "inbox", "list"),
        ("GET", "outbox", "told"),
        ("GET", f"deliveries/{_ID}/packet", "fetch"),
        ("GET", f"documents/{_ID}/packet", "fetch"),
        ("POST", f"deliveries/{_ID}/taken", "taken"),
        ("POST", f"deliveries/{_ID}/done", "done"),
        ("POST", f"deliveries/{_ID}/failed", "failed"),
        ("GET", f"(?:deliveries|documents)/{_ID}", "show"),
        ("GET", "agencies.*", "directory"),
    )
)
_GATEWAY = {
    **dict.fromkeys(("getAgenciesList", "getAgenciesListQD20", "getSynchronizeUnit"), "directory"),
    **dict.fromkeys(("registerAgency", "deleteAgency"), "register"),
    **dict.fromkeys(("countReceiveEdoc", "countReceiveStatus"), "count"),
    **dict.fromkeys(("getEdoc", "downloadEdoc"), "fetch"),
    "sendEdoc": "send",
    "getReceivedEdocList": "list",
    "getSentEdocList": "told",
    "updateStatus": "done",
}
_UPDATES = {"done": "done", "fail": "failed", "processing": "taken"}  # updateStatus, by its status
_SAID = {"after", "limit", "wait"}  # of a query
_STATED = {"from", "to", "messagetype", "docId", "docid", "status", "fromDate", "toDate", "hash-file"}
_PREFIX = "XroadVnpt-"

# Operations of which the body is kept: of the request, of the answer.
KEEPS_REQUEST = frozenset({"send", "report"})
KEEPS_ANSWER = frozenset({"send", "report", "list", "fetch", "done", "failed"})


@dataclass(frozen=True, slots=True)
class Heard:
    """``dialect`` is empty for what belongs to neither; then nothing is said but the method."""

    dialect: str
    system: str  # in REST a name that means nothing, in the gateway the systemid
    operation: str
    method: str
    path: str = ""
    # Of the query, or of the gateway's arguments; ``id`` of what is asked for.
    said: Mapping[str, str] = field(default_factory=dict)


def hear(head: Head, salt: bytes) -> Heard:
    """``salt`` hides the tokens: who does not know it cannot try any against the names made of them.

    What is heard can be written as UTF-8: half a surrogate pair, which a client may escape in JSON, becomes "?".
    """
    heard = _heard(head, salt)
    said = {name: _writable(value) for name, value in heard.said.items()}
    return replace(heard, system=_writable(heard.system), path=_writable(heard.path), said=said)


def _writable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _heard(head: Head, salt: bytes) -> Heard:
    method = head.method.decode("latin-1")
    path, _, query = head.target.decode("latin-1").partition("?")
    name = path.rstrip("/").rpartition("/")[2]
    if name in _GATEWAY and "/v1/" not in path:
        return _gateway(head, method, path, name)
    for verb, pattern, operation in _REST:
        found = pattern.fullmatch(path) if method == verb else None
        if found:
            said = {key: value for key, value in parse_qsl(query) if key in _SAID}
            if "id" in found.groupdict():
                said["id"] = unquote(found["id"])
            return Heard("rest", _named(head.field(b"authorization"), salt), operation, method, path, said)
    return Heard("", "", "other", method)


def _named(authorization: bytes, salt: bytes) -> str:
    return hmac.new(salt, authorization, hashlib.sha256).hexdigest()[:16] if authorization else ""


def _gateway(head: Head, method: str, path: str, name: str) -> Heard:
    try:
        signed = json.loads(head.field(b"xroadvnpt-sign-header").decode())
        stated = {key.removeprefix(_PREFIX): value for key, value in signed.items() if isinstance(value, str)}
    except (ValueError, AttributeError, RecursionError):
        stated = {}
    said = {key: value for key, value in stated.items() if key in _STATED}
    operation = _GATEWAY[name]
    if operation == "send" and said.get("messagetype", "").lower() == "status":
        operation = "report"
    elif operation == "done":
        operation = _UPDATES.get(said.get("status", "").lower(), "done")
        said["id"] = said.get("docid") or said.get("docId", "")
    elif operation == "fetch":
        said["id"] = said.get("docId") or said.get("docid", "")
    return Heard("gateway", stated.get("systemid", "").strip(), operation, method, path, said)
