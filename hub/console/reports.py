"""Reports: one of a period, beside the year before, as a table with its chart; as CSV and as a sheet."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hub.console import frame
from hub.console.access import Views
from hub.domain.document import local_day
from hub.errors import Refusal
from hub.exchange.audit import Deed, put
from hub.http.interface import interface
from hub.reports import periods, sheet
from hub.reports.build import Asked, Report, build, growth, is_growing
from hub.reports.chart import chart
from hub.reports.definitions import KINDS, By
from hub.store.engine import snapshot

operations = APIRouter(prefix="/console", include_in_schema=False)
frame.navigate("/console/reports", "reports.nav", 50)

_MOST = 100  # agencies on a page; sheets have all
_SHEETS = {
    "csv": ("text/csv; charset=utf-8", sheet.as_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", sheet.as_xlsx),
}


@operations.get("/reports")
async def show(request: Request, operator: Views) -> Response:
    asked, today = _asked(request)
    report = await _read(request, asked, today, _MOST)
    language = frame.LANGUAGES.index(frame.language(request))
    presets = [
        (name, _address(asked, since, until), (since, until) == (asked.since, asked.until))
        for name, (since, until) in periods.presets(today).items()
    ]
    return frame.render(
        request, "reports.html", operator, report=report, asked=asked, kinds=list(KINDS.values()), bys=list(By),
        presets=presets, title=sheet.title(report, language), rows=_rows(report, language),
        chart=chart(report, language), notes=sheet.notes(report, language),
        group_title=sheet.group_title(report, language), language=language, today=today,
        csv=_address(asked, asked.since, asked.until, form="csv"),
        xlsx=_address(asked, asked.since, asked.until, form="xlsx"),
    )  # fmt: skip


@operations.get("/reports/download")
async def download(request: Request, operator: Views) -> Response:
    asked, today = _asked(request)
    form = request.query_params.get("as", "")
    if form not in _SHEETS:
        raise Refusal("request-invalid")
    report = await _read(request, asked, today)
    kind, make = _SHEETS[form]
    content = await run_in_threadpool(make, report, frame.LANGUAGES.index(frame.language(request)))
    deed = Deed(operator.name, "report-download", asked.kind.name, asked.told | {"as": form})
    await interface(request).desk.write(put, deed)
    name = f"{asked.kind.name}-{asked.since}-{asked.until}.{form}"
    return Response(content, 200, frame.HEADERS | {"Content-Disposition": frame.attachment(name)}, kind)


async def _read(request: Request, asked: Asked, today: date, most: int | None = None) -> Report:
    """Raises CalendarError."""
    desk = interface(request).desk

    def read() -> Report:
        with snapshot(desk.engine) as connection:  # its sums are those of one moment
            return build(connection, desk.rosters.current().directory, asked, today, most=most)

    return await run_in_threadpool(read)


def _asked(request: Request) -> tuple[Asked, date]:
    """What the address asks for, and today. Raises ``request-invalid``."""
    given, today = request.query_params, local_day(interface(request).desk.clock())
    kind = KINDS.get(given.get("report") or "sent-received")
    month = periods.this_month(today)
    try:
        since, until = (
            date.fromisoformat(given.get(name) or day.isoformat())
            for name, day in zip(("from", "to"), month, strict=True)
        )
        by = By(given["by"]) if given.get("by") else None
    except ValueError:
        raise Refusal("request-invalid") from None
    if kind is None or not date(1990, 1, 1) <= since <= until <= date(2100, 12, 31):
        raise Refusal("request-invalid")
    return Asked(kind, since, until, by or kind.by, given.get("agency", "").strip()[:64]), today


def _address(asked: Asked, since: date, until: date, *, form: str = "") -> str:
    query = {"report": asked.kind.name, "from": since, "to": until, "by": asked.by.value}
    query |= {"agency": asked.agency} if asked.agency else {}
    query |= {"as": form} if form else {}
    return f"/console/reports{'/download' if form else ''}?{urlencode(query)}"


def _rows(report: Report, language: int) -> list[dict[str, Any]]:
    """The total first: a page is read from its top."""
    return [
        {
            "label": sheet.label(report, row, language),
            "name": row.name,
            "is_total": row is report.total,
            "cells": [
                (
                    sheet.said(now, column.form, language),
                    sheet.said(before, column.form, language),
                    _more(growth(now, before) if is_growing(column) else None, language),
                )
                for column, now, before in zip(report.columns, row.values, row.before, strict=True)
            ],
        }
        for row in (report.total, *report.rows)
    ]


def _more(share: float | None, language: int) -> str:
    if share is None:
        return ""
    text = f"{share:+.1%}"
    return text if language else text.replace(".", ",").replace("%", " %")
