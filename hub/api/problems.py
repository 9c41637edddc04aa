"""Refusals on the wire: ``application/problem+json`` (RFC 9457), made from the catalogue and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from hub.errors import PROBLEMS, Refusal, Violation, violation


def violation_body(found: Violation | Mapping[str, Any]) -> dict[str, Any]:
    """``{rule, severity, pointer, value, message: {vi, en}, repair}``."""
    if isinstance(found, Violation):
        v = found
        rule, severity, pointer, value, vi, en, repair = (
            v.rule, v.severity.value, v.pointer, v.value, v.vi, v.en, v.repair,
        )  # fmt: skip
    else:
        rule, severity, pointer, value, vi, en, repair = (
            found[name] for name in ("rule", "severity", "pointer", "value", "vi", "en", "repair")
        )
    return {
        "rule": rule,
        "severity": severity,
        "pointer": pointer,
        "value": value,
        "message": {"vi": vi, "en": en},
        "repair": repair,
    }


def problem_body(refusal: Refusal) -> dict[str, Any]:
    """The members of RFC 9457 and ours: ``code``, ``violations``."""
    extra = dict(refusal.extra)
    if "warnings" in extra:
        extra["warnings"] = [violation_body(v) for v in extra["warnings"]]  # type: ignore[attr-defined]  # a list by construction
    return {
        "type": f"urn:lienthong:problem:{refusal.code}",
        "title": refusal.problem.en if "{" not in refusal.problem.en else refusal.en,
        "status": refusal.problem.status,
        "detail": refusal.vi,
        "code": refusal.code,
        "violations": [violation_body(v) for v in refusal.violations],
        **extra,
    }


def problem(refusal: Refusal) -> Response:
    """The answer to a refused request."""
    headers = {}
    if refusal.problem.temporary:
        headers["Retry-After"] = str(refusal.retry_after or 5)
    if refusal.problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if refusal.code == "method-not-allowed":
        headers["Allow"] = refusal.repair
    if refusal.code == "content-encoding":
        headers["Accept-Encoding"] = "identity"  # RFC 9110 §12.5.3
    body = json.dumps(problem_body(refusal), ensure_ascii=False).encode()
    return Response(body, refusal.problem.status, headers, "application/problem+json")


def install(app: FastAPI) -> None:
    """Every way a request can fail ends in :func:`problem`."""

    @app.exception_handler(Refusal)
    async def _refused(_request: Request, refusal: Refusal) -> Response:
        return problem(refusal)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, fault: RequestValidationError) -> Response:
        return problem(invalid(fault.errors()))

    @app.exception_handler(HTTPException)
    async def _routing(request: Request, fault: HTTPException) -> Response:
        if fault.status_code == 405:
            return problem(Refusal("method-not-allowed", facts={"allowed": ", ".join(_methods(request))}))
        return problem(Refusal("not-found" if fault.status_code == 404 else "request-invalid"))


def _methods(request: Request) -> list[str]:
    """The methods of an address; the framework names those of the first operation it finds there."""
    return [
        method
        for method in ("GET", "HEAD", "POST")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]


# The patterns of parameters and JSON members, and each told as its repair.
HEX_ID = "^[0-9a-f]{24}$"
NO_NUL = "^[^\\x00]*$"
_FORMS = {
    HEX_ID: "24 chữ số hex viết thường / 24 lower-case hex digits",
    NO_NUL: "Bỏ ký tự NUL / remove the NUL character",
}

_INTEGER = ("phải là số nguyên", "it must be an integer", "0, 1, 2, …")
_NUMBER = ("phải là số", "it must be a number", "0, 0.5, 1, …")
# What the validator finds wrong, by its name for it: Vietnamese, English, repair; templates over what it says of that.
_WRONG = {
    "missing": ("thiếu trường này", "the field is missing", "Thêm trường này / add the field"),
    "extra_forbidden": (
        "không có trường tên này",
        "there is no field of this name",
        "Bỏ trường này / remove the field",
    ),
    "json_invalid": ("JSON sai cú pháp: {error}", "the JSON is not well-formed: {error}", "RFC 8259"),
    "model_type": ("phải là một đối tượng JSON", "it must be a JSON object", "{{…}}"),
    "string_type": ("phải là chuỗi ký tự", "it must be a string", '"…"'),
    "string_too_long": ("dài quá {max_length} ký tự", "it is above {max_length} characters", "≤ {max_length}"),
    "string_pattern_mismatch": ("sai dạng", "it has another form", "{form}"),
    "int_parsing": _INTEGER,
    "int_parsing_size": _INTEGER,
    "float_parsing": _NUMBER,
    "greater_than_equal": ("nhỏ hơn {ge:g}", "it is below {ge:g}", "≥ {ge:g}"),
    "less_than_equal": ("lớn hơn {le:g}", "it is above {le:g}", "≤ {le:g}"),
}
_OTHERWISE = ("không dùng được ở đây", "it cannot be used here", "/openapi.json")


def invalid(errors: Iterable[Any]) -> Refusal:
    """The refusal of parameters or JSON members, as pydantic lists what is wrong with them."""
    return Refusal("request-invalid", violations=[_field(error) for error in errors])


def _field(error: Mapping[str, Any]) -> Violation:
    """A parameter or JSON member that cannot be used, as pydantic tells it."""
    kind, said = error["type"], dict(error.get("ctx", {}))
    said["form"] = _FORMS.get(said.get("pattern", ""), "")
    vi, en, repair = (text.format_map(said) for text in _WRONG.get(kind, _OTHERWISE))
    value = "" if kind == "missing" else error["input"]  # where something is missing, what it is missing from
    shown = value.decode(errors="replace") if isinstance(value, bytes) else value
    shown = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)
    return violation("request-field", ".".join(map(str, error["loc"])), shown, vi=vi, en=en, repair=repair)


# What can stand in the way of every request, and of every one that is authenticated.
_HTTP = ("request-malformed", "head-too-large", "head-late", "internal")
_CALLED = (
    "not-authenticated",
    "system-locked",
    "address-not-allowed",
    "request-invalid",
    "busy",
    "database-away",
    "storage-full",
)
_BODY = ("content-encoding", "length-required", "body-incomplete", "body-late")
PACKET = (*_BODY, "too-large", "storage-full")  # where a request has one
JSON = (*_BODY, "json-too-large")  # likewise


def header(description: str) -> dict[str, Any]:
    """The OpenAPI entry of an answer's header."""
    return {"description": description, "schema": {"type": "string"}}


_TRACE = {"X-Request-Id": header("The request's own, or one made here; the hub's log lines have it")}
_RETRY = {"Retry-After": header("Seconds; the same request may then succeed")}
_CHALLENGE = {"WWW-Authenticate": header("Bearer")}


def responses(
    *codes: str, answer: Any, status: int = 200, repeat: str = "", called: bool = True
) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of what an operation can answer.

    ``answer``: the shape (of ``answers``), or the whole entry where the answer is no JSON; ``repeat`` describes a 200
    beside the 201; ``called`` is False where nobody has to say who calls.
    """
    told = answer if isinstance(answer, dict) else {"model": answer, "description": answer.__doc__}
    told = {**told, "headers": _TRACE | told.get("headers", {})}
    found: dict[int | str, dict[str, Any]] = {status: told}
    if repeat:
        found[200] = {**told, "description": repeat}
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*_HTTP, *(_CALLED if called else ()), *codes)):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return found | {status: _refusals(status, named) for status, named in by_status.items()}


def _refusals(status: int, codes: list[str]) -> dict[str, Any]:
    temporary = any(PROBLEMS[code].temporary for code in codes)
    return {
        "description": "\n\n".join(f"`{code}`: {PROBLEMS[code].vi} · {PROBLEMS[code].en}" for code in codes),
        "headers": _TRACE | (_RETRY if temporary else {}) | (_CHALLENGE if status == 401 else {}),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
