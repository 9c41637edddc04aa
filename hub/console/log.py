"""The delivery log: found by one line or by filters that write it, in pages by key; saved searches; CSV of the same."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Request
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from hub.console import frame
from hub.console.access import Views, form
from hub.console.log_lines import Columns, Line, lines_of
from hub.domain import search as language
from hub.domain.agency import Directory
from hub.domain.document import local_day
from hub.domain.operator import Role
from hub.domain.search import Query
from hub.errors import Refusal
from hub.exchange import saved_searches as verbs
from hub.http.interface import interface
from hub.store import log, saved, search
from hub.store.search import Found
from hub.store.search_filters import Place

operations = APIRouter(prefix="/console", include_in_schema=False)
frame.navigate("/console/log", "log.nav", 20, beside="/console/documents")

PAGE = 50  # lines
_DELIVERY = re.compile(rf"[0-9a-f]{{24}}|{search.BEFORE_ALL}|{search.AFTER_ALL}")
_NEWS = 100  # new lines that are counted at most
_SearchId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]
_STEP, _STEP_SECONDS = 1000, 2.0  # lines of a CSV read in one go, and how long it may look for them

# Filters with a control of their own in the page; the rest of a query stays in its line.
CONTROLS = (
    "from", "to", "issuer", "number", "year", "state", "status", "kind", "signed", "after", "before", "overdue",
    "urgent",
)  # fmt: skip


@operations.get("/log")
async def show(request: Request, operator: Views) -> Response:
    given = request.query_params
    if any(name in given for name in CONTROLS):
        return frame.to(_address(_written(given.get("rest", ""), given)))
    text = given.get("q", "")
    refusal: Refusal | None = None
    found, newest = Found([], more=False), 0
    lines: list[Line] = []
    query = Query()
    today = _today(request)
    directory = interface(request).desk.rosters.current().directory
    try:
        query = language.resolved(language.parse(text, today), directory)
        place, newer = _place(request)
        found, lines, newest = await frame.read(request, _page, query, place, newer, directory)
    except Refusal as fault:
        if fault.code != "request-invalid":
            raise
        refusal, newer = fault, False
    mine = await frame.read(request, saved.seen_by, operator.name)
    return frame.render(
        request, "log.html", operator, 200 if refusal is None else 422,
        text=text, line=language.line(query), values=_values(query), rest=language.line(_without(query)),
        columns=Columns.of(frame.language(request)), lines=lines, refusal=refusal, found=found,
        older=_page_address(text, found, newer, older=True), newer=_page_address(text, found, newer, older=False),
        reached=_reached(found), newest=_address(text) if given.get("older") or given.get("newer") else "",
        news=f"/console/log/news?{urlencode({'q': text, 'since': newest})}",
        export=f"/console/log.csv?{urlencode({'q': text})}", saved=mine, steers=operator.may(Role.OPERATOR),
        rules=operator.may(Role.ADMINISTRATOR),
    )  # fmt: skip


@operations.get("/log/news")
async def news(request: Request, _operator: Views) -> Response:
    """How many lines came since the page was shown."""
    try:
        since = int(request.query_params.get("since", "0")[:18])  # no more digits than a database takes
        query = _query(request)
    except (ValueError, Refusal):
        return Response(json.dumps({"text": ""}), 200, frame.HEADERS, "application/json")
    found = await frame.read(request, _since, query, since)
    count = len(found.keys)
    text = ""
    if count:
        text = frame.text(request, "log.news", n=f"{count}+" if found.more else count)
    return Response(json.dumps({"text": text}), 200, frame.HEADERS, "application/json")


@operations.get("/log.csv")
async def export(request: Request, operator: Views) -> Response:
    """All that a search finds, as the page shows it."""
    query = _query(request)
    await interface(request).desk.write(verbs.take, verbs.Taken(operator, query))
    name = f"nhat-ky-{_today(request):%Y-%m-%d}.csv"
    headers = frame.HEADERS | {"Content-Disposition": frame.attachment(name)}
    return StreamingResponse(_csv(request, query), 200, headers, "text/csv; charset=utf-8")


async def _csv(request: Request, query: Query) -> AsyncIterator[bytes]:
    """Page after page: no transaction is held while the client reads, and who stops reading stops it."""
    columns = Columns.of(frame.language(request))
    directory = interface(request).desk.rosters.current().directory
    yield columns.head()
    place: Place | None = None
    while True:
        found, lines = await frame.read(request, _step, query, place, directory)
        if lines:
            yield columns.rows(lines)
        place = found.onward(newer=False)
        if place is None or await request.is_disconnected():
            return


@operations.post("/log/saved")
async def save(request: Request, operator: Views) -> Response:
    sent = await form(request)
    query = language.parse(sent.one("q"), _today(request))
    job = verbs.Save(operator, sent.one("name"), query, sent.one("shared") == "yes")
    await interface(request).desk.write(verbs.save, job)
    return frame.to(_address(language.line(query)))


@operations.post("/log/saved/{search_id}")
async def change(request: Request, operator: Views, search_id: _SearchId) -> Response:
    """Rename a saved search, or remove it."""
    sent = await form(request)
    write = interface(request).desk.write
    if sent.one("do") == "remove":
        await write(verbs.remove, verbs.Remove(operator, search_id))
    else:
        await write(verbs.rename, verbs.Rename(operator, search_id, sent.one("name")))
    return frame.to(_address(sent.one("q")))


def _page(
    connection: Connection, query: Query, place: Place | None, newer: bool, directory: Directory
) -> tuple[Found, list[Line], int]:
    newest = search.newest(connection)  # before the lines: what comes between is new
    found = search.find(connection, query, limit=PAGE, place=place, newer=newer)
    return found, lines_of(log.of(connection, found.keys), directory), newest


def _step(connection: Connection, query: Query, place: Place | None, directory: Directory) -> tuple[Found, list[Line]]:
    found = search.find(connection, query, limit=_STEP, place=place, seconds=_STEP_SECONDS)
    return found, lines_of(log.of(connection, found.keys), directory)


def _since(connection: Connection, query: Query, since: int) -> Found:
    return search.find(connection, query, limit=_NEWS, place=Place(since, search.BEFORE_ALL), newer=True)


def _today(request: Request) -> date:
    return local_day(interface(request).desk.clock())


def _query(request: Request) -> Query:
    directory = interface(request).desk.rosters.current().directory
    return language.resolved(language.parse(request.query_params.get("q", ""), _today(request)), directory)


def _place(request: Request) -> tuple[Place | None, bool]:
    """Where the page begins, and whether it goes on to newer lines. Raises ``request-invalid``."""
    given = request.query_params
    newer = "newer" in given
    text = given.get("newer" if newer else "older", "")
    if not text:
        return None, False
    seq, _, delivery = text.partition(".")
    if not seq.isascii() or not seq.isdigit() or len(seq) > 18 or not _DELIVERY.fullmatch(delivery):
        raise Refusal("request-invalid")
    return Place(int(seq), delivery), newer


def _page_address(text: str, found: Found, newer: bool, *, older: bool) -> str:
    """The address of the next page in a direction; empty where there is none."""
    if older != newer:  # further in the direction that was looked in
        place = found.onward(newer=newer)
    else:
        place = found.keys[0 if newer is False else -1] if found.keys else None
    if place is None:
        return ""
    return _address(text, **{"older" if older else "newer": f"{place.seq}.{place.delivery}"})


def _reached(found: Found) -> bool:
    return found.reached is not None


def _address(text: str, **place: str) -> str:
    given = ({"q": text} if text else {}) | place
    return "/console/log" + (f"?{urlencode(given)}" if given else "")


def _written(rest: str, given: Any) -> str:
    """The line that the controls stand for."""
    words = [f'{name}:"{value}"' for name in CONTROLS if (value := given.get(name, "").replace('"', "").strip())]
    words += [given.get("words", "").strip()]
    text = " ".join([*(word for word in words if word), rest]).strip()
    try:
        return language.line(language.parse(text, date.max))
    except Refusal:
        return text  # the page tells what is wrong with it


def _values(query: Query) -> dict[str, str]:
    """What the controls show."""
    return {name: language.value_of(query, name) for name in CONTROLS}


def _without(query: Query) -> Query:
    """What no control shows."""
    return language.without(query, CONTROLS)
