"""Refusals on the wire: ``application/problem+json`` (RFC 9457), made from the catalogue and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hub.errors import PROBLEMS, Refusal, Violation, violation
from hub.store.engine import temporary

log = structlog.get_logger()


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
    body = json.dumps(problem_body(refusal), ensure_ascii=False).encode()
    return Response(body, refusal.problem.status, headers, "application/problem+json")


def install(app: FastAPI) -> None:
    """Every way a request can fail ends in :func:`problem`."""

    @app.exception_handler(Refusal)
    async def _refused(_request: Request, refusal: Refusal) -> Response:
        return problem(refusal)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, fault: RequestValidationError) -> Response:
        found = [
            violation(
                "request-field", ".".join(str(part) for part in error["loc"]), _shown(error.get("input")),
                why=error["msg"], bounds=_bounds(error),
            )
            for error in fault.errors()
        ]  # fmt: skip
        return problem(Refusal("request-invalid", violations=found))

    @app.exception_handler(HTTPException)
    async def _routing(_request: Request, fault: HTTPException) -> Response:
        if fault.status_code == 405:
            return problem(Refusal("method-not-allowed", facts={"allowed": (fault.headers or {}).get("Allow", "")}))
        return problem(Refusal("not-found" if fault.status_code == 404 else "request-invalid"))


def fault_problem(fault: Exception) -> Response:
    """The answer when something broke: temporary in every case, since nothing was accepted."""
    refusal = temporary(fault)
    if refusal is None:
        log.error("fault", exc_info=fault)
        refusal = Refusal("internal", retry_after=30)
    return problem(refusal)


def _shown(value: object) -> str:
    return value[:200].decode(errors="replace") if isinstance(value, bytes) else str(value)[:200]


def _bounds(error: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in (error.get("ctx") or {}).items() if name != "error")


_ANYWHERE = ("not-authenticated", "system-locked", "request-invalid", "busy", "database-away")
BODY = ("length-required", "too-large", "body-incomplete", "body-late")  # where a request has one


def responses(*codes: str, repeat: str = "") -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of the refusals an operation can answer with; ``repeat`` describes a 200 beside the 201."""
    by_status: dict[int | str, list[str]] = {}
    for code in dict.fromkeys((*_ANYWHERE, *codes)):
        by_status.setdefault(PROBLEMS[code].status, []).append(f"`{code}`: {PROBLEMS[code].en}")
    found: dict[int | str, dict[str, Any]] = {200: {"description": repeat}} if repeat else {}
    return found | {
        status: {"description": "\n\n".join(lines), "content": {"application/problem+json": {}}}
        for status, lines in by_status.items()
    }
