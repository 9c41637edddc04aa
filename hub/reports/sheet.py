"""A report as a sheet: CSV, XLSX, JSON. No text becomes a formula or a link, and the same report is the same bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from hub.domain.document import VIETNAM
from hub.reports.build import Report, Row, growth, is_growing
from hub.reports.definitions import By, Column, Form, Value
from hub.reports.harmless import MARK, written

_GROUPS = {
    By.AGENCY: ("Mã định danh", "Agency code"),
    By.LEVEL: ("Cấp", "Level"),
    By.PROVINCE: ("Tỉnh, thành phố", "Province"),
    By.MONTH: ("Tháng", "Month"),
}
_NAME, _TOTAL = ("Tên", "Name"), ("Tổng cộng", "Total")
_BEFORE, _GROWTH = ("cùng kỳ năm trước", "same period last year"), ("tăng giảm", "growth")
_CENTRAL = ("Cơ quan trung ương và khác", "Central bodies and others")
_LEVEL = ("Cấp {}", "Level {}")
_UNKNOWN = ("Không rõ", "Unknown")


def group_title(report: Report, language: int) -> str:
    return _GROUPS[report.asked.by][language]


def label(report: Report, row: Row, language: int) -> str:
    """How a person is told which row it is; 0: Vietnamese, 1: English."""
    if row is report.total:
        return _TOTAL[language]
    if row.group == "–":
        return _CENTRAL[language]
    if row.group == "?":
        return _UNKNOWN[language]
    if report.asked.by is By.LEVEL:
        return _LEVEL[language].format(row.group)
    if report.asked.by is By.MONTH:
        year, number = row.group.split("-")
        return f"{number}/{year}"
    return row.group


def title(report: Report, language: int) -> str:
    kind, asked = report.asked.kind, report.asked
    name = kind.en if language else kind.vi
    return f"{name} {shown(asked.since)}–{shown(asked.until)}" + (f" ({asked.agency})" if asked.agency else "")


def shown(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def heading(report: Report, language: int) -> list[str]:
    """The heads of all columns, each with those of the year before and of its growth."""
    heads = [group_title(report, language), _NAME[language]]
    for column in report.columns:
        name = column.en if language else column.vi
        heads += [name, f"{name}, {_BEFORE[language]}"]
        heads += [f"{name}, {_GROWTH[language]}"] if is_growing(column) else []
    return heads


def cells(report: Report, row: Row, language: int) -> list[Value | str]:
    found: list[Value | str] = [label(report, row, language), row.name]
    for column, now, before in zip(report.columns, row.values, row.before, strict=True):
        found += [_rounded(now), _rounded(before)]
        found += [_rounded(growth(now, before))] if is_growing(column) else []
    return found


def _rounded(value: Value) -> Value:
    return round(value, 4) if isinstance(value, float) else value


def _rows(report: Report) -> Iterator[Row]:
    yield from report.rows
    yield report.total


def notes(report: Report, language: int) -> list[str]:
    return [pair[language] for pair in report.asked.kind.notes]


def as_csv(report: Report, language: int = 0) -> bytes:
    """RFC 4180 in UTF-8 with its mark, so that spreadsheets know it; shares of one, waits in seconds."""
    rows = (cells(report, row, language) for row in _rows(report))
    return MARK + written([heading(report, language), *rows])


def as_xlsx(report: Report, language: int = 0) -> bytes:
    from xlsxwriter import Workbook  # here: whoever makes no sheet need not wait for it

    out = io.BytesIO()
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": title(report, language), "created": datetime(2019, 3, 12)})  # noqa: DTZ001  (files have none)
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "border": 1})
        forms = {
            Form.COUNT: book.add_format({"num_format": "#,##0"}),
            Form.SHARE: book.add_format({"num_format": "0.0%"}),
            Form.RATIO: book.add_format({"num_format": "0.00"}),
            Form.WAIT: book.add_format({"num_format": "[h]:mm:ss"}),
        }
        sheet = book.add_worksheet("Báo cáo" if language == 0 else "Report")
        sheet.write_string(0, 0, title(report, language), book.add_format({"bold": True, "font_size": 14}))
        for place, head in enumerate(heading(report, language)):
            sheet.write_string(2, place, head, bold)
        kinds = list(_forms(report))
        last = 2
        for last, row in enumerate(_rows(report), 3):
            for place, (value, form) in enumerate(zip(cells(report, row, language), [None, None, *kinds], strict=True)):
                if isinstance(value, str):
                    sheet.write_string(last, place, value, bold if row is report.total else None)
                elif value is not None and form is not None:
                    sheet.write_number(last, place, value / 86_400 if form is Form.WAIT else value, forms[form])
        for n, text in enumerate(notes(report, language), last + 2):
            sheet.write_string(n, 0, text)
        sheet.set_column(0, 0, 16)
        sheet.set_column(1, 1, 40)
        sheet.set_column(2, len(kinds) + 1, 14)
        sheet.freeze_panes(3, 2)
        _rules_sheet(book, report, language, bold)
    return out.getvalue()


def _rules_sheet(book: Any, report: Report, language: int, bold: Any) -> None:
    if not report.rules:
        return
    sheet = book.add_worksheet("Quy tắc" if language == 0 else "Rules")
    heads = (("Quy tắc", "Rule"), ("Gói tin bị từ chối", "Packets refused"), _BEFORE)
    for place, head in enumerate(heads):
        sheet.write_string(0, place, head[language], bold)
    for n, (rule, now, before) in enumerate(report.rules, 1):
        sheet.write_string(n, 0, rule)
        sheet.write_number(n, 1, now)
        sheet.write_number(n, 2, before)
    sheet.set_column(0, 0, 32)


def _forms(report: Report) -> Iterator[Form]:
    for column in report.columns:
        yield from (column.form, column.form)
        if is_growing(column):
            yield Form.SHARE


def as_json(report: Report) -> str:
    asked = report.asked
    told = {
        "report": asked.kind.name,
        **asked.told,
        "before": {"from": report.before[0].isoformat(), "to": report.before[1].isoformat()},
        "as_of": report.as_of.astimezone(VIETNAM).isoformat(timespec="seconds") if report.as_of else None,
        "complete": report.complete,
        "columns": {column.name: _unit(column) for column in report.columns},
        "rows": [_plain(report, row) for row in report.rows],
        "total": _plain(report, report.total),
    }
    if report.rules:
        told["rules"] = [{"rule": rule, "packets": now, "before": before} for rule, now, before in report.rules]
    return json.dumps(told, ensure_ascii=False)


def _unit(column: Column) -> str:
    return "seconds" if column.form is Form.WAIT else column.form.value


def _plain(report: Report, row: Row) -> dict[str, Any]:
    names = [column.name for column in report.columns]
    return {
        "group": row.group,
        "name": row.name,
        "values": dict(zip(names, map(_rounded, row.values), strict=True)),
        "before": dict(zip(names, map(_rounded, row.before), strict=True)),
    }


def said(value: Value, form: Form, language: int = 0) -> str:
    """A value for people: ``1.234``, ``12,5 %``, ``2 giờ 05``; with the other marks in English."""
    if value is None:
        return "–"
    if form is Form.WAIT:
        return _wait(int(value), language)
    if form is Form.SHARE:
        text = f"{value * 100:,.1f} %"
    elif form is Form.RATIO:
        text = f"{value:,.2f}"
    else:
        text = f"{value:,}"
    return text if language else text.translate({ord(","): ".", ord("."): ","})


_UNITS = ((86_400, "ngày", "d"), (3600, "giờ", "h"), (60, "phút", "min"), (1, "giây", "s"))


def _wait(seconds: int, language: int) -> str:
    """In its two largest units: it is told to a tenth."""
    for n, (size, vi, en) in enumerate(_UNITS):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            text = f"{whole} {(vi, en)[language]}"
            if n + 1 < len(_UNITS) and whole < 10 and (more := rest // _UNITS[n + 1][0]):
                text += f" {more} {_UNITS[n + 1][1 + language]}"
            return text
    return ("dưới 1 giây", "under 1 s")[language]
