"""Answers of the dialect: one JSON object in ASCII, never null in it, never compressed; and refusals as ErrorCodes.

The codes are those that the field knows (guides of provincial platforms): 10, 15 and 18 to 23 are final for its
clients, and so is 20, therefore never used here; what passes is HTTP 503 with code 99.
"""

from __future__ import annotations

import json
from typing import Any

import structlog
from starlette.responses import Response

from hub.errors import PROBLEMS, Refusal, Severity, Violation

UNREADABLE, AUTHENTICATION, RECIPIENT, SENDER, FILES, HEADER, LOCKED, PASSING = (
    "10", "15", "18", "19", "21", "22", "23", "99",
)  # fmt: skip
FINE = {"status": "OK", "ErrorCode": "0", "ErrorDesc": "Thanh cong"}
_SHOWN = 20  # violations told in one ErrorDesc

# By the code of a refusal or the rule of a violation, or by its first words; what is not here is HEADER.
_CODES = {
    **dict.fromkeys(
        (
            "xml", "too-large", "json-too-large", "length-required", "content-encoding", "body-incomplete",
            "request-malformed", "head-too-large", "packet-removed",
        ),
        UNREADABLE,
    ),
    **dict.fromkeys(("gateway-signature", "gateway-body", "not-authenticated", "address-not-allowed"), AUTHENTICATION),
    **dict.fromkeys(("recipient", "to-differs"), RECIPIENT),
    **dict.fromkeys(("not-your-agency", "sender-closed", "from-differs"), SENDER),
    **dict.fromkeys(
        ("attachment", "attachments", "name", "content-id-missing", "content-id-twice", "manifest-unpaired"), FILES
    ),
    "too-many-entries": FILES,
    **dict.fromkeys(("recipient-locked", "system-locked"), LOCKED),
}  # fmt: skip


def code_of(rule: str) -> str:
    """The ErrorCode of a refusal's code or a violation's rule."""
    known = PROBLEMS.get(rule)
    if known is not None and known.temporary:
        return PASSING
    return _CODES.get(rule) or _CODES.get(rule.partition("-")[0], HEADER)


def error_code(refusal: Refusal) -> str:
    """The ErrorCode of a refusal; of a packet that breaks rules, that of the first it breaks."""
    if refusal.code == "packet-refused":
        return next((code_of(v.rule) for v in refusal.violations if v.severity is Severity.ERROR), HEADER)
    return code_of(refusal.code)


def description(refusal: Refusal) -> str:
    """What an agency's clerk reads: each violation in Vietnamese, with its code, its place and its repair."""
    told = [told_of(violation) for violation in refusal.violations[:_SHOWN]]
    if len(refusal.violations) > _SHOWN:
        told.append(f"(+{len(refusal.violations) - _SHOWN})")
    return " ".join(told)


def told_of(violation: Violation) -> str:
    value = "" if violation.value in violation.vi else violation.value
    where = ": ".join(part for part in (violation.pointer, value) if part)
    repair = f" Cách sửa: {violation.repair}." if violation.repair else ""
    return f"[{violation.rule}] {violation.vi}{f' ({where})' if where else ''}{repair}"


def reply(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body).encode("ascii"), status, headers, "application/json;charset=UTF-8")


def refused(method: str, refusal: Refusal) -> Response:
    """The answer to a refused call. ``data`` and ``DocId`` are there because clients read them before they look at
    ErrorCode; a file that was asked for is refused by an empty body, since anything else would be stored as the file.
    """
    structlog.contextvars.bind_contextvars(refused=refusal.code)
    passing = refusal.problem.temporary
    headers = {"Retry-After": str(refusal.retry_after or 5)} if passing else {}
    if method.lower().startswith("downloadedoc"):
        return Response(b"", 503 if passing else 404, headers)
    body = {"status": "FAIL", "ErrorCode": error_code(refusal), "ErrorDesc": description(refusal)}
    body |= {"sendEdoc": {"DocId": ""}, "getEdoc": {"data": ""}}.get(method, {})
    return reply(body, 503 if passing else 200, headers)
