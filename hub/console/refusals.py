"""What was refused: whom, by which rule, and the repair that the sender was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy import Connection, RowMapping
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hub.console import frame
from hub.console.access import Views
from hub.domain.document import VIETNAM, local_day
from hub.domain.search import words
from hub.errors import Refusal
from hub.http.interface import interface
from hub.store import log, refusals
from hub.store.refusals import Page, Place, Wanted

operations = APIRouter(include_in_schema=False)
frame.navigate("/console/refusals", "refusals.nav", 30)

_GROUPS = 50
_ROWS = 50
_LIKE = 20


@dataclass(frozen=True, slots=True)
class Days:
    """The first and the last day that are looked at, in Vietnam."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time.min, VIETNAM)

    @property
    def until(self) -> datetime:
        return datetime.combine(self.last, time.min, VIETNAM) + timedelta(days=1)


@operations.get("/console/refusals")
async def show(
    request: Request,
    operator: Views,
    sender: Annotated[str, Query(max_length=64, pattern=frame.NO_NUL)] = "",
    rule: Annotated[str, Query(max_length=40, pattern=frame.NO_NUL)] = "",
    q: Annotated[str, Query(max_length=200, pattern=frame.NO_NUL)] = "",
    first: Annotated[str, Query(max_length=10, pattern=frame.NO_NUL)] = "",
    last: Annotated[str, Query(max_length=10, pattern=frame.NO_NUL)] = "",
    before: Annotated[str, Query(max_length=80, pattern=frame.NO_NUL)] = "",
) -> Response:
    """Those of some days, today unless they are named: grouped by sender and rule, then one by one."""
    face = interface(request)
    days = _days(first, last, local_day(face.desk.clock()))
    directory = (await run_in_threadpool(face.desk.rosters.current)).directory
    code = directory.resolve(sender) if sender else ""
    phrases = (words(q),) if words(q) else ()
    wanted = Wanted(days.since, days.until, code, rule.strip(), phrases)
    groups, page = await frame.read(request, _found, wanted, _place(before))
    further = frame.again(request, before=f"{page.further[0].isoformat()}~{page.further[1]}") if page.further else ""
    return frame.render(
        request, "refusals.html", operator, groups=groups[:_GROUPS], more=len(groups) > _GROUPS, page=page, days=days,
        sender=sender, rule=rule, q=q, name=directory.name_of, older=further,
        newest=frame.again(request, before=None) if before else "", again=partial(frame.again, request),
        searched=bool(phrases),
    )  # fmt: skip


def _found(connection: Connection, wanted: Wanted, before: Place | None) -> tuple[list[RowMapping], Page]:
    groups = [] if before is not None else refusals.grouped(connection, wanted, _GROUPS + 1)
    return groups, refusals.page(connection, wanted, before, _ROWS)


def _days(first: str, last: str, today: date) -> Days:
    """Raises ``request-invalid`` for what is no day."""
    try:
        until = date.fromisoformat(last) if last else today
        since = date.fromisoformat(first) if first else until
    except ValueError:
        raise Refusal("request-invalid") from None
    if not all(1900 <= day.year <= 9000 for day in (since, until)):
        raise Refusal("request-invalid")
    return Days(min(since, until), max(since, until))


def _place(text: str) -> Place | None:
    if not text:
        return None
    try:
        at, _, refusal_id = text.partition("~")
        return datetime.fromisoformat(at).astimezone(VIETNAM), refusal_id
    except (ValueError, OverflowError):
        raise Refusal("request-invalid") from None


@operations.get("/console/refusals/{id}")
async def one(
    request: Request, operator: Views, refusal_id: Annotated[str, Path(alias="id", pattern=r"^[0-9a-f]{24}$")]
) -> Response:
    """One refusal: each violation with its place, value and repair."""
    row, like = await frame.read(request, _one, refusal_id)
    if row is None:
        raise Refusal("id-unknown", "id", refusal_id, {"key": refusal_id})
    directory = (await run_in_threadpool(interface(request).desk.rosters.current)).directory
    accepted = await frame.read(request, log.find_document, row["document_id"]) if row["document_id"] else None
    return frame.render(
        request, "refusal.html", operator, row=row, like=like, name=directory.name_of,
        accepted=accepted,
    )  # fmt: skip


def _one(connection: Connection, refusal_id: str) -> tuple[RowMapping | None, list[RowMapping]]:
    row = log.refusal(connection, refusal_id)
    return row, refusals.latest_like(connection, row, _LIKE) if row is not None else []
