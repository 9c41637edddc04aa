"""What every page has around it: language, navigation, headers, the form's token, refusals in words.

A room calls :func:`render` with a template that extends ``frame.html`` and imports its macros: ``{% import "parts.html"
as parts with context %}``. In templates: ``t(key, **facts)`` gives a text, ``lang`` the language, ``operator`` who is
signed in (None before), ``now`` the moment; filters ``moment`` (a time in Hà Nội), ``clock``, ``day``, ``ago``,
``number``, ``said`` (a rule in words), ``kept`` (the value of a control). Whatever is shown is escaped, and what cannot
be seen in it (bidirectional marks, control characters) is written out; a control keeps the value it was given.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.console import texts
from hub.console.site import version
from hub.domain.document import local
from hub.domain.operator import Operator, Role
from hub.domain.rules import RULES
from hub.errors import PROBLEMS, Refusal
from hub.http.interface import Interface, interface
from hub.store.engine import reading

_T = TypeVar("_T")
LANGUAGES = ("vi", "en")
_IN_PATH = "/:@!$&'()*+,;=~"  # beside letters and digits (RFC 3986 3.3)
_IN_QUERY = f"{_IN_PATH}?%"  # encoded already, but for what a browser leaves
NO_NUL = r"^[^\x00]*$"  # of a parameter: PostgreSQL has no text with one
TEXTS = texts.collected()
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with less a browser sends forms without their origin
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation. ``beside``: where the pages lie that are reached from its own."""

    path: str
    key: str
    order: int
    role: Role
    beside: str = ""


_NAVIGATION = {"/console/verify": Entry("/console/verify", "frame.verify", 60, Role.VIEWER)}


def navigate(path: str, key: str, order: int, role: Role = Role.VIEWER, beside: str = "") -> None:
    """A room's line in the navigation, for those with that role or a higher one."""
    _NAVIGATION[path] = Entry(path, key, order, role, beside)


def language(request: Request) -> str:
    found = request.cookies.get("lang", "")
    return found if found in LANGUAGES else LANGUAGES[0]


def text(request: Request, key: str, **facts: object) -> str:
    return _text(language(request), key, facts)


def _text(lang: str, key: str, facts: dict[str, object]) -> str:
    return TEXTS[key][LANGUAGES.index(lang)].format_map(facts)


async def read(request: Request, function: Callable[..., _T], *arguments: Any) -> _T:
    """What ``function(connection, *arguments)`` reads, in a thread."""
    engine = interface(request).desk.engine

    def work() -> _T:
        with reading(engine) as connection:
            return function(connection, *arguments)

    return await run_in_threadpool(work)


def of_process(request: Request, kind: Callable[[Interface], _T]) -> _T:
    """What a room keeps from request to request: one of each kind for a process's interface."""
    face, state = interface(request), request.app.state
    if getattr(state, "kept_of", None) is not face:
        state.kept_of, state.kept = face, {}
    if kind not in state.kept:
        state.kept[kind] = kind(face)
    found: _T = state.kept[kind]
    return found


def render(request: Request, template: str, operator: Operator | None, status: int = 200, **values: Any) -> Response:
    """A page. ``values`` are what its template names beside what every page has."""
    return Response(markup(request, template, operator, **values), status, HEADERS, "text/html; charset=utf-8")


def markup(request: Request, template: str, operator: Operator | None, **values: Any) -> str:
    """A template's text, for a page or a part of one."""
    lang = language(request)
    given = {
        "t": lambda key, **facts: _text(lang, key, facts),
        "lang": lang,
        "operator": operator,
        "now": interface(request).desk.clock(),
        "path": request.url.path,
        "here": here(request),
        "navigation": _shown(operator, request.url.path),
        "csrf": getattr(request.state, "csrf", ""),
        "asset": f"/console/static/{version()}/",
    }
    return _environment().get_template(template).render(given | values)


def part(template: str, lang: str, **values: Any) -> str:
    """A part of a page that is the same for everybody of a language."""
    given = {"t": lambda key, **facts: _text(lang, key, facts), "lang": lang}
    return _environment().get_template(template).render(given | values)


def here(request: Request) -> str:
    """The address of this page, to come back to: in ASCII, as a redirect has it."""
    query: bytes = request.scope["query_string"]
    return _path(request) + (f"?{quote(query, safe=_IN_QUERY)}" if query else "")


def again(request: Request, **changes: object) -> str:
    """The address of this page with other parameters; None takes one away."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in changes]
    added = [(name, str(value)) for name, value in changes.items() if value is not None]
    return _path(request) + (f"?{urlencode(kept + added)}" if kept or added else "")


def _path(request: Request) -> str:
    return quote(request.scope["path"], safe=_IN_PATH)


def to(path: str) -> Response:
    """After a form was taken: the page to look at."""
    return RedirectResponse(path, 303, HEADERS)


def attachment(name: str) -> str:
    """``Content-Disposition`` of a download (RFC 6266, 8187)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def refused(request: Request, operator: Operator | None, refusal: Refusal) -> Response:
    """The page of a refusal: what is wrong, and what to do."""
    status = refusal.problem.status
    page = render(request, "problem.html", operator, status, refusal=refusal, title=_title(status))
    if refusal.problem.temporary:
        page.headers["Retry-After"] = str(refusal.retry_after or 5)
    return page


def fault(refusal: Refusal) -> Response:
    """The same where nothing is known of who asked: in both languages."""
    page = _environment().get_template("fault.html").render(refusal=refusal, asset=f"/console/static/{version()}/")
    after = {"Retry-After": str(refusal.retry_after or 5)} if refusal.problem.temporary else {}
    return Response(page, refusal.problem.status, HEADERS | after, "text/html; charset=utf-8")


def _title(status: int) -> str:
    known = {403: "frame.problem.403", 404: "frame.problem.404"}
    return known.get(status, "frame.problem.500" if status >= 500 else "frame.problem.other")


def _shown(operator: Operator | None, path: str) -> list[tuple[Entry, bool]]:
    """The entries that an operator sees, each with whether it is where the page is."""
    if operator is None:
        return []
    seen = sorted((one for one in _NAVIGATION.values() if operator.may(one.role)), key=lambda one: one.order)
    places = {place: one for one in seen for place in (one.path, one.beside) if place}
    fitting = [place for place in places if path == place or path.startswith(f"{place}/")]
    current = places[max(fitting, key=len)] if fitting else None
    return [(one, one is current) for one in seen]


def plain(value: Any) -> Any:
    """What is shown, with what cannot be seen in it written out: a sender may turn a line around, or hide in one."""
    if not isinstance(value, str) or isinstance(value, Markup) or (value.isascii() and value.isprintable()):
        return value
    hidden = {c for c in value if unicodedata.category(c) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"} and c not in "\n\t"}
    return "".join(f"[U+{ord(c):04X}]" if c in hidden else c for c in value)


def kept(value: object) -> Markup:
    """The value of a control, which comes back with its form: escaped alone. HTML has no NUL."""
    return escape(value).replace("\0", "")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(str(files("hub.console").joinpath("templates"))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=plain,
    )
    made.filters |= {"moment": moment, "clock": clock, "day": day, "ago": ago, "number": number, "local": local}
    made.filters |= {"said": said, "kept": kept}
    return made


def moment(at: datetime | None) -> Markup:
    """Day and minute in Hà Nội."""
    return _time(at, "%d/%m/%Y %H:%M")


def clock(at: datetime | None) -> Markup:
    """The time of the day alone."""
    return _time(at, "%H:%M:%S")


def _time(at: datetime | None, form: str) -> Markup:
    if at is None:
        return Markup("–")
    exact = at.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}">{}</time>').format(exact, local(at).strftime(form))


def day(on: date | None) -> str:
    return "–" if on is None else f"{on:%d/%m/%Y}"


def number(value: float, lang: str = "vi") -> str:
    """With the thousands apart, as the language writes them."""
    plainly = f"{value:,}"
    return plainly.translate(str.maketrans(",.", ".,")) if lang == "vi" else plainly


def said(rule: str, lang: str = "vi") -> str:
    """What a rule says, without the facts of a packet."""
    known = RULES.get(rule) or PROBLEMS.get(rule)
    if known is None:
        return rule
    return re.sub(r"\{[^}]*\}", "…", known.vi if lang == "vi" else known.en)


def ago(seconds: float, lang: str = "vi") -> str:
    """A span in its largest whole unit."""
    steps = (("days", 86400), ("hours", 3600), ("minutes", 60))
    unit, size = next(((unit, size) for unit, size in steps if seconds >= size), ("seconds", 1))
    return _text(lang, f"frame.ago.{unit}", {"n": int(max(0, seconds) // size)})
