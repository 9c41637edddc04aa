"""`hub log`: the delivery log from the shell, as a table, JSON lines, or the CSV of the console."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from hub.terminal import DatabaseUrl, DataDir, a_database, out, who

# What costs time to import stands in the functions: `hub --help` waits for none of it.
if TYPE_CHECKING:
    from sqlalchemy import Engine

    from hub.console.log_lines import Line
    from hub.domain.search import Query
    from hub.store.search_filters import Place

_LINES = 50  # shown, unless somebody says otherwise
_STEP, _STEP_SECONDS = 1000, 2.0  # lines of a CSV read in one go, and how long it may look for them


def find(
    query: Annotated[
        list[str] | None,
        typer.Argument(help="from: to: issuer: number: year: state: status: kind: signed: after: before: … and words"),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=10_000, help="Lines at most [50; all with --csv]")] = None,
    refused: Annotated[bool, typer.Option(help="What was refused instead")] = False,
    follow: Annotated[bool, typer.Option(help="Go on with what comes, until Ctrl-C")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="The console's CSV of all that is found; the audit keeps who took it")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """The delivery log, newest first: one line per document and recipient.

    [dim]hub log from:G22 to:H41 number:15/VPCP year:2020 state:waiting "tiền lương"[/dim]

    [dim]hub log to:H41 after:2026-01-01 --csv > nghe-an.csv[/dim]
    """
    if refused and follow:
        raise typer.BadParameter("--refused cannot be followed")
    if as_csv and (refused or follow or as_json):
        raise typer.BadParameter("--csv goes with a search alone, not with --refused, --follow or --json")
    from hub import show
    from hub.app import now
    from hub.domain.document import local_day
    from hub.domain.search import Query, one_line, parse, resolved
    from hub.store import log
    from hub.store.engine import reading
    from hub.store.roster import Rosters
    from hub.store.search import BEFORE_ALL
    from hub.store.search_filters import Place

    wanted = parse(one_line(query or []), local_day(now()))
    if refused and wanted != Query(
        sender=wanted.sender, after=wanted.after, before=wanted.before, phrases=wanted.phrases
    ):
        raise typer.BadParameter("--refused takes from:, after:, before: and words")
    with a_database(data_dir, database_url) as engine:
        wanted = resolved(wanted, Rosters(engine).current().directory)
        if as_csv:
            _csv(engine, wanted, limit)
            return
        with reading(engine) as connection:
            if refused:
                show.refusals(out, log.refusals(connection, wanted, limit or _LINES), as_json=as_json)
                return
            place = log.end(connection)  # before the lines: what comes between is new
            rows = log.lines(connection, wanted, limit=limit or _LINES)
        show.log_lines(out, rows, as_json=as_json)
        if rows:
            place = max(place, Place(rows[0]["seq"], BEFORE_ALL))
        while follow:
            time.sleep(1)
            with reading(engine) as connection:
                rows, place = log.newer(connection, wanted, place, 500)
            if rows:
                show.log_lines(out, rows, as_json=as_json)


def _csv(engine: Engine, wanted: Query, limit: int | None) -> None:
    """Page after page: no transaction is held while somebody reads. Who stops reading has enough, which is no fault."""
    from hub.app import noted
    from hub.console.log_lines import Columns
    from hub.domain.search import line

    noted(engine, who(), "log-export", "log", {"query": line(wanted)})
    columns = Columns.of("vi")
    try:
        sys.stdout.buffer.write(columns.head())
        for some in _pages(engine, wanted, limit):
            sys.stdout.buffer.write(columns.rows(some))
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed at the end


def _pages(engine: Engine, wanted: Query, limit: int | None) -> Iterator[list[Line]]:
    from hub.console.log_lines import lines_of
    from hub.store import log, search
    from hub.store.engine import reading
    from hub.store.roster import Rosters

    directory = Rosters(engine).current().directory
    place: Place | None = None
    left = sys.maxsize if limit is None else limit
    while left:
        with reading(engine) as connection:
            found = search.find(connection, wanted, limit=min(left, _STEP), place=place, seconds=_STEP_SECONDS)
            rows = log.of(connection, found.keys)
        yield lines_of(rows, directory)
        place, left = found.onward(newer=False), left - len(rows)
        if place is None:
            return
