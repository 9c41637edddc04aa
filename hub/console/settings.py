"""The settings in force, each with its unit and meaning. Secrets are never shown, nor passwords in addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.console import frame
from hub.console.access import Views
from hub.console.meanings import MEANINGS
from hub.http.interface import interface
from hub.settings import MIB, Settings

operations = APIRouter(prefix="/console", include_in_schema=False)
frame.navigate("/console/settings", "settings.nav", 90)

_USER = re.compile(r"(?s)(?<=://).*@")  # of an address: a name and a password, which may have / ? # and @
_QUERY = re.compile(r"(?i)([?&](?:password|passfile|sslpassword|sslkey)=)[^&]*")


@dataclass(frozen=True, slots=True)
class Line:
    """``value`` is None for a secret that there is."""

    name: str
    value: str | None
    vi: str
    en: str
    is_default: bool


@operations.get("/settings")
async def show(request: Request, operator: Views) -> Response:
    return frame.render(request, "settings.html", operator, lines=lines(interface(request).settings))


def lines(settings: Settings) -> list[Line]:
    found = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        shown = None if not field.repr and value else _shown(value)
        meaning = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", field.description or "").replace("`", "")
        found.append(Line(f"HUB_{name.upper()}", shown, MEANINGS[name], meaning, value == field.default))
    return found


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value and value % MIB == 0:
        return f"{value} ({value // MIB} MiB)"
    if value is None:
        return ""
    return _QUERY.sub(r"\1…", _USER.sub("…@", str(value)))
