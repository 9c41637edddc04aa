"""`hub report` and `hub calendar`: figures of a period, and the days they run on."""

from __future__ import annotations

import csv
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.terminal import DatabaseUrl, DataDir, a_database, a_hub, err, out, who

# What costs time to import stands in the commands: `hub --help` waits for none of it.
if TYPE_CHECKING:
    from hub.domain.deadlines import Day
    from hub.reports.build import Report

calendar = typer.Typer(help="Public holidays and working Saturdays, which deadlines run on.", no_args_is_help=True)


class Name(StrEnum):
    sent_received = "sent-received"
    levels = "levels"
    timeliness = "timeliness"
    tasks = "tasks"
    quality = "quality"
    withdrawals = "withdrawals"


class Rows(StrEnum):
    agency = "agency"
    level = "level"
    province = "province"
    month = "month"


def _day(text: str) -> date:
    """``2020-03-31`` or ``31/3/2020``."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            found = datetime.strptime(text, form).date()  # noqa: DTZ007  (a day)
        except ValueError:
            continue
        if 1990 <= found.year <= 2100:  # others are slips of the hand, and some have no year before
            return found
    raise typer.BadParameter(f"{text}: 2020-03-31, or 31/3/2020")


def report(
    name: Annotated[Name | None, typer.Argument(help="Which", metavar="REPORT")] = None,
    since: Annotated[date | None, typer.Option("--from", parser=_day, metavar="DAY", help="First day [1st]")] = None,
    until: Annotated[date | None, typer.Option("--to", parser=_day, metavar="DAY", help="Last day [today]")] = None,
    by: Annotated[Rows | None, typer.Option(help="What a row is")] = None,
    agency: Annotated[str, typer.Option(help="Of this code and all below it alone")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
    csv_file: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Into a CSV file")] = None,
    xlsx_file: Annotated[Path | None, typer.Option("--xlsx", metavar="FILE", help="Into a sheet")] = None,
    recount: Annotated[
        bool, typer.Option("--recount", help="Count all figures again from the rows, and mend what differs")
    ] = False,
    look: Annotated[bool, typer.Option("--look", help="With --recount: only tell what differs")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Figures of a period beside those of the year before: sent-received, levels, timeliness, tasks, quality,
    withdrawals. docs/reports.md says what each is.

    [dim]hub report sent-received --from 2019-03-12 --to 2019-07-21 --by month[/dim]

    [dim]hub report tasks --agency H41 --xlsx nhiem-vu.xlsx    hub report quality --json[/dim]

    [dim]hub report --recount[/dim]
    """
    if recount == (name is not None) or (look and not recount):
        raise typer.BadParameter("one REPORT, or --recount; --look belongs to --recount")
    if recount:
        _recount(data_dir, database_url, look=look)
        return
    from hub.app import noted, now
    from hub.domain.document import local_day
    from hub.reports import sheet
    from hub.reports.build import Asked, build
    from hub.reports.definitions import KINDS, By
    from hub.store.engine import snapshot
    from hub.store.roster import load

    today = local_day(now())
    kind, last = KINDS[name or ""], until or today
    asked = Asked(kind, since or last.replace(day=1), last, By(by) if by else kind.by, agency)
    if asked.since > asked.until:
        raise typer.BadParameter("--from is after --to")
    with a_database(data_dir, database_url) as engine:
        with snapshot(engine) as connection:
            found = build(connection, load(connection).directory, asked, today)
        for file, form, made in ((csv_file, "csv", sheet.as_csv), (xlsx_file, "xlsx", sheet.as_xlsx)):
            if file is not None:
                noted(engine, who(), "report-download", kind.name, asked.told | {"as": form})
                file.write_bytes(made(found))
    if as_json:
        typer.echo(sheet.as_json(found))
    elif csv_file is None and xlsx_file is None:
        _show(found)


def _recount(data_dir: Path | None, database_url: str | None, *, look: bool) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from hub.app import noted, now
    from hub.exchange.tallying import mend

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        a_database(data_dir, database_url) as engine,
        Progress(*columns, console=err, disable=not err.is_terminal) as progress,
    ):
        tasks = {name: progress.add_task(name, total=None) for name in ("signatures", "figures", "groups")}

        def told(what: str, done: int, of: int) -> None:
            progress.update(tasks[what], completed=done, total=of)

        found = mend(engine, now, only_look=look, told=told)
        if not look:
            facts = {"figures": found.figures, "differences": found.differences}
            noted(engine, who(), "figures-recount", "figures", facts)
    out.print(f"{found.figures} figures, {found.differences} {'differ' if look else 'mended'}")
    if look and not found.with_groups:
        out.print("levels and provinces are being added up: not compared")
    for span, cell, lacking in found.examples:
        out.print(f"{span} {cell.measure} {cell.day} {cell.agency} {cell.key} {lacking:+}", markup=False)
    if look and found.differences:
        raise typer.Exit(1)


def _show(found: Report) -> None:
    from rich.table import Table

    from hub.reports import sheet
    from hub.reports.build import growth, is_growing
    from hub.show import escape, moment

    out.print(f"[bold]{escape(sheet.title(found, 0))}[/bold]")
    out.print(f"So với / beside {sheet.shown(found.before[0])}–{sheet.shown(found.before[1])}", highlight=False)
    table = Table(sheet.group_title(found, 0), "Tên")
    for column in found.columns:
        table.add_column(column.vi, justify="right")
    for row in (*found.rows, found.total):
        values = []
        for column, now, before in zip(found.columns, row.values, row.before, strict=True):
            more = growth(now, before) if is_growing(column) else None
            text = sheet.said(now, column.form)
            values.append(text if more is None else f"{text}\n[dim]{more:+.0%}[/dim]")
        style = "bold" if row is found.total else None
        table.add_row(escape(sheet.label(found, row, 0)), escape(row.name), *values, style=style)
    out.print(table)
    for rule, packets, before in found.rules:
        out.print(f"{rule}: {packets} ({before})", markup=False, highlight=False)
    for note in sheet.notes(found, 0):
        out.print(f"[dim]{escape(note)}[/dim]", highlight=False)
    if not found.complete:
        err.print("Số liệu trước đây đang được tính; xem lại sau / earlier rows are still being counted")
    out.print(f"[dim]Tính đến / as of {moment(found.as_of)}[/dim]", highlight=False)


@calendar.command("show")
def show_(
    year: Annotated[int | None, typer.Argument(help="Of this year alone")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Days that are no ordinary days of their week, and who says so.

    [dim]hub calendar show 2026[/dim]
    """
    from rich.table import Table

    from hub.data import read_holidays
    from hub.show import escape
    from hub.store import calendar as rows
    from hub.store.engine import reading

    with a_database(data_dir, database_url) as engine, reading(engine) as connection:
        days = {day.day: day for day in (*read_holidays(), *rows.days(connection))}
    table = Table("Ngày · Day", "", "Tên · Name", "Căn cứ · Basis", "Nguồn · Source")
    for day in sorted(days.values(), key=lambda day: day.day):
        if year in (None, day.day.year):
            kind = _KINDS[day.kind.value]
            table.add_row(f"{day.day:%d/%m/%Y}", kind, escape(day.name), _BASIS[day.basis], escape(day.source))
    out.print(table)


_KINDS = {"holiday": "nghỉ · off", "workday": "làm việc · works", "ordinary": "như thường · ordinary"}
_BASIS = {"announced": "đã công bố · announced", "computed": "tính trước · computed", "operator": "tự đặt · operator"}


@calendar.command("add")
def add_(
    day: Annotated[date, typer.Argument(parser=_day, metavar="DAY")],
    name: Annotated[str, typer.Argument(help="What it is called")] = "",
    working: Annotated[bool, typer.Option("--working", help="It is worked on, though a Saturday or Sunday")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """A day off, or one that is worked on.

    [dim]hub calendar add 2027-02-12 "Tết Nguyên đán"    hub calendar add 2027-02-20 --working "Làm bù"[/dim]
    """
    from hub.domain.deadlines import Day, DayKind

    _put([Day(day, DayKind.WORKDAY if working else DayKind.HOLIDAY, name)], data_dir, database_url)


@calendar.command("remove")
def remove_(
    days: Annotated[list[date], typer.Argument(parser=_day, metavar="DAY...")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Days that are ordinary days of their week again, whoever said otherwise.

    [dim]hub calendar remove 2027-02-12[/dim]
    """
    from hub.data import read_holidays
    from hub.exchange.calendar import Removal, remove

    packaged = frozenset(day.day for day in read_holidays())
    with a_hub(data_dir, database_url, create=False) as desk:
        gone = desk.writer.run(remove, Removal(tuple(days), packaged, who()))
    out.print(f"{gone} / {len(days)}")


@calendar.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with a heading: day,kind,name; kind is holiday or workday")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Many days at once, all or none.

    [dim]hub calendar import lich-nghi-2028.csv[/dim]
    """
    from hub.domain.deadlines import Day, DayKind

    days = []
    for number, row in enumerate(csv.DictReader(file.read_text("utf-8-sig").splitlines()), 2):
        try:
            days.append(Day(date.fromisoformat(row["day"] or ""), DayKind(row["kind"] or ""), row.get("name") or ""))
        except (KeyError, ValueError) as fault:
            raise typer.BadParameter(f"{file}, line {number}: day,kind,name; {fault}") from None
    _put(days, data_dir, database_url)


def _put(days: list[Day], data_dir: Path | None, database_url: str | None) -> None:
    from hub.exchange.calendar import Addition, add

    with a_hub(data_dir, database_url, create=False) as desk:
        out.print(f"{desk.writer.run(add, Addition(tuple(days), who()))} / {len(days)}")
