"""Hands out the pages and what they load. Nothing of it comes from another host, and a page may talk to none."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import FastAPI
from starlette.responses import Response

from hub.errors import PROBLEMS, Refusal

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}
_FONTS = {"regular": "Regular", "medium": "Medium", "semibold": "SemiBold"}  # all Vietnamese letters, on every machine
_HEADERS = {
    # connect-src: a page cannot send anything anywhere; data: the empty icon, for which browsers would ask otherwise
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; "
    "img-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A page names its files by what is in all of them, so they may be kept, and a page never gets one of another version.
_KEPT = _HEADERS | {"Cache-Control": "public, max-age=31536000, immutable"}
_ASKED_AGAIN = _HEADERS | {"Cache-Control": "no-cache"}


def install(app: FastAPI) -> None:
    """The page ``/console/verify``, and below ``/console/static/{version}/`` the files of all pages."""
    assets = _assets()
    page = files("hub.console").joinpath("static/verify.html").read_text("utf-8").replace("VERSION", version())

    @app.get("/console/verify", include_in_schema=False)
    async def verify() -> Response:
        return Response(page, 200, _ASKED_AGAIN, "text/html; charset=utf-8")

    @app.get(f"/console/static/{version()}/{{name:path}}", include_in_schema=False)
    async def asset(name: str) -> Response:
        if name not in assets:
            raise Refusal("not-found")
        return Response(assets[name], 200, _KEPT, _TYPES[name[name.rindex(".") :]])


@cache
def version() -> str:
    """The name of all files together, by what is in them."""
    named = b"".join(name.encode() + b"\0" + octets + b"\0" for name, octets in sorted(_assets().items()))
    return sha256(named).hexdigest()[:16]


@cache
def _assets() -> dict[str, bytes]:
    """The content of every file that a page loads, by its path below ``static``."""
    texts = {code: [problem.vi, problem.en] for code, problem in PROBLEMS.items()}
    refusals = f"export const PROBLEMS = {json.dumps(texts, ensure_ascii=False)};\n"
    faces = files("fontpkg_be_vietnam_pro").joinpath("files")
    fonts = {
        f"font/{name}.ttf": faces.joinpath(f"BeVietnamPro-{face}.ttf").read_bytes() for name, face in _FONTS.items()
    }
    return dict(_below(files("hub.console").joinpath("static"))) | {"problems.js": refusals.encode()} | fonts


def _below(folder: Traversable, path: str = "") -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _below(each, f"{path}{each.name}/")
        elif each.name.endswith(tuple(_TYPES)):
            found.append((path + each.name, each.read_bytes()))
    return found
