"""The audit: what operators and commands did."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.console import frame
from hub.console.access import Views
from hub.errors import Refusal
from hub.store import audit

operations = APIRouter(prefix="/console", include_in_schema=False)
frame.navigate("/console/audit", "audit.nav", 80)

_PAGE = 50


@operations.get("/audit")
async def show(request: Request, operator: Views, after: str = "") -> Response:
    asked = {name: request.query_params.get(name, "").strip()[:100] for name in ("operator", "action", "subject")}
    if any("\0" in value for value in asked.values()):  # PostgreSQL has no text with one
        raise Refusal("request-invalid")
    before = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None

    def found(connection: Any) -> list[Any]:
        return audit.entries(connection, **asked, before=before, limit=_PAGE + 1)

    rows = await frame.read(request, found)
    shown = rows[:_PAGE]
    return frame.render(
        request,
        "audit.html",
        operator,
        rows=shown,
        asked=asked,
        actions=sorted(key.removeprefix(_ACTION) for key in frame.TEXTS if key.startswith(_ACTION)),
        named=lambda action: _named(request, action),
        told=_told,
        older=frame.again(request, after=shown[-1]["seq"]) if len(rows) > _PAGE else "",
        newest=frame.again(request, after=None) if before is not None else "",
    )


_ACTION = "audit.action."


def _named(request: Request, action: str) -> str:
    """What an action is called; its own code where no text has it."""
    return frame.text(request, _ACTION + action) if _ACTION + action in frame.TEXTS else action


def _told(facts: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {_plain(value)}" for name, value in facts.items() if value not in ("", None, [], {}))


_SOME = 3  # of a list: what was done to a hundred stands on the page of the run


def _plain(value: Any) -> str:
    if isinstance(value, list) and len(value) > _SOME:
        return f"{', '.join(map(_plain, value[:_SOME]))}, … ({len(value)})"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
