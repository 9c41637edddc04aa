"""`hub deliveries`: what an operator does to deliveries from the shell, one or many."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.terminal import DatabaseUrl, DataDir, a_database, a_hub, err, out, who

# What costs time to import stands in the functions.
if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from hub.domain.steering import Wish
    from hub.exchange.desk import Desk
    from hub.exchange.steering import Foreseen

app = typer.Typer(
    help="Release, deliver again, extend or give up deliveries, one or many; stop what is under way.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
Which = Annotated[list[str], typer.Argument(metavar="QUERY|ID…", help="A search as of `hub log`, or ids of deliveries")]
Reason = Annotated[str, typer.Option(help="Why, 3 to 500 characters; kept in the audit")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count what would be done")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking")]
AsJson = Annotated[bool, typer.Option("--json", help="Only JSON on standard output")]
_ID = re.compile(r"[0-9a-f]{24}")
_SOME_LEFT = 3  # exit code
_SHOWN = 20  # deliveries that people are shown of those left as they are


@app.command()
def again(
    which: Which,
    reason: Reason = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Deliver again what failed or expired: by the same path as the first time, to the system that is nearest now.

    [dim]hub deliveries again to:H41 state:expired --dry-run[/dim]

    [dim]hub deliveries again to:H41 state:expired --reason "Máy chủ đã chạy lại"[/dim]

    Exit codes: 0 all was done, 3 some were left as they are, 1 nothing was done.
    """
    _run("again", which, reason, dry_run=dry_run, yes=yes, as_json=as_json, place=(data_dir, database_url))


@app.command()
def release(
    which: Which,
    reason: Reason = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """End leases at once: what is held waits again, and whoever held it has lost it.

    [dim]hub deliveries release 68dc8b209ec5cae0da8101d6 --reason "Tiến trình nhận đã chết"[/dim]
    """
    _run("release", which, reason, dry_run=dry_run, yes=yes, as_json=as_json, place=(data_dir, database_url))


@app.command()
def extend(
    which: Which,
    until: Annotated[str, typer.Option(help="The new expiry: a day, which counts until its end, within 90 days")],
    reason: Reason = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Give deliveries more time; what has expired waits again.

    [dim]hub deliveries extend to:H41 state:waiting --until 2026-12-31 --reason "Bão, Sở mất điện"[/dim]
    """
    _run("extend", which, reason, until, dry_run=dry_run, yes=yes, as_json=as_json, place=(data_dir, database_url))


@app.command()
def undeliverable(
    which: Which,
    reason: Reason = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Give deliveries up: they fail, and their senders read the reason.

    [dim]hub deliveries undeliverable to:H41.05 state:waiting --reason "Đơn vị đã giải thể"[/dim]
    """
    _run("undeliverable", which, reason, dry_run=dry_run, yes=yes, as_json=as_json, place=(data_dir, database_url))


@app.command()
def runs(as_json: AsJson = False, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """What was ordered last, newest first, and how far it is."""
    from rich.table import Table

    from hub.show import escape, moment
    from hub.store import steering as rows
    from hub.store.engine import reading

    with a_database(data_dir, database_url) as engine, reading(engine) as connection:
        found = rows.runs(connection, None, _SHOWN)
    if as_json:
        for run in found:
            told = {name: run[name] for name in ("id", "action", "by", "reason", "query", "total", "place", "done")}
            told |= {name: at and at.isoformat() for name in ("made_at", "ended_at") for at in (run[name],)}
            typer.echo(json.dumps(told, ensure_ascii=False))
        return
    table = Table("Lúc", "Việc", "Người làm", "Đã xét", "Đã làm", "Kết thúc", "ID")
    for run in found:
        place = f"{run['place']:,} / {run['total']:,}"
        ended = moment(run["ended_at"]) or "đang làm / under way"
        table.add_row(
            moment(run["made_at"]), run["action"], escape(run["by"]), place, f"{run['done']:,}", ended, run["id"]
        )
    out.print(table)


@app.command()
def stop(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its id, see `hub deliveries runs`")],
    reason: Reason = "",
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Stop a run that is under way: what is done stays done, the rest is left as it is.

    [dim]hub deliveries stop 68dc8b209ec5cae0da8101d6 --reason "Nhầm tỉnh"[/dim]

    Exit codes: 0 it is stopped, 1 it had ended already.
    """
    from hub.exchange import steering
    from hub.store import steering as rows
    from hub.store.engine import reading

    if not reason:
        raise typer.BadParameter("--reason says why; the audit keeps it")
    with a_hub(data_dir, database_url, create=False) as desk:
        left = desk.writer.run(steering.stop, steering.Stop(run, who(), reason))
        with reading(desk.engine) as connection:
            found = rows.run(connection, run)
    if not left:
        typer.echo("đã kết thúc từ trước / it had ended already", err=True)
        raise typer.Exit(1)
    done = found["done"] if found is not None else 0
    typer.echo(f"{done:,} bản chuyển đã làm, {left:,} để nguyên / deliveries done, {left:,} left")


def _run(
    action: str, which: list[str], reason: str, until: str = "",
    *, dry_run: bool, yes: bool, as_json: bool, place: tuple[Any, Any],
) -> None:  # fmt: skip
    """Look, ask, do, and tell what came of it."""
    from hub.domain.operator import reasoned
    from hub.domain.steering import Action, Wish, end_of

    if not dry_run and not reason:
        raise typer.BadParameter("--reason says why; the audit keeps it")
    if as_json and not (yes or dry_run):
        raise typer.BadParameter("--json asks nothing: --yes or --dry-run beside it")
    with a_hub(*place, create=False) as desk:
        now = desk.clock()
        wish = Wish(Action(action), now, end_of(until, now) if until else None)
        if reason:
            reasoned(reason)
        foreseen, query = _look(desk, which, wish)
        if not as_json:
            _tell(desk, foreseen, wish)
        run = None
        if foreseen.fit and not dry_run:
            if not yes:
                typer.confirm(f"{len(foreseen.fit):,} bản chuyển / deliveries: {action}?", abort=True, err=True)
            run = _carry_out(desk, wish, foreseen.fit, reason, query)
        left = _left(desk, foreseen, run)
    done = run["done"] if run is not None else 0
    if as_json:
        told = {"action": action, "found": foreseen.found, "fit": len(foreseen.fit), "done": done}
        typer.echo(json.dumps(told | {"run": run["id"] if run is not None else None, "left": left}, ensure_ascii=False))
    elif run is not None:
        out.print(f"[green]{done:,}[/green] bản chuyển đã làm / deliveries done · {run['id']}")
        stopped = sum(one["why"] == "stopped" for one in left)
        if stopped:
            out.print(f"[red]{stopped:,}[/red] chưa làm thì bị dừng lại / stopped before their turn")
    if left:
        raise typer.Exit(_SOME_LEFT if done or (dry_run and foreseen.fit) else 1)


def _look(desk: Desk, which: list[str], wish: Wish) -> tuple[Foreseen, str]:
    """What it would come to, and the query that found the deliveries, if it was one."""
    from hub.domain.document import local_day
    from hub.domain.search import one_line, parse, resolved
    from hub.exchange import steering
    from hub.store.engine import reading

    chosen = all(_ID.fullmatch(word) for word in which)
    query = "" if chosen else one_line(which)
    with reading(desk.engine) as connection:
        roster = desk.rosters.current(now=True)
        wanted = resolved(parse(query, local_day(wish.seen_at)), roster.directory)
        ids = which if chosen else steering.searched(connection, wanted)
        [foreseen] = steering.foresee(connection, roster, wish.seen_at, ids, wish)
        return foreseen, query


def _tell(desk: Desk, foreseen: Foreseen, wish: Wish) -> None:
    from rich.table import Table

    from hub.domain.steering import LEFT
    from hub.show import STATE_STYLE, escape
    from hub.store import steering as rows
    from hub.store.engine import reading

    out.print(
        f"{foreseen.found:,} bản chuyển / deliveries; {len(foreseen.fit):,} [bold]{wish.action}[/bold]"
        f"; {foreseen.unfit:,} để nguyên / left as they are"
    )
    for why, ids in foreseen.left.items():
        vi, en = LEFT[why]
        out.print(f"  {len(ids):,}: {vi} / {en}")
    shown = [(why, one) for why, ids in foreseen.left.items() for one in ids][:_SHOWN]
    if not shown:
        return
    table = Table("Bản chuyển", "Văn bản", "Đến", "Tình trạng", "Để nguyên vì")
    with reading(desk.engine) as connection:
        known = rows.described(connection, [one for _, one in shown])
    for why, one in shown:
        row = known.get(one)
        facts = ("", "", "")
        if row is not None:
            style = STATE_STYLE[row["state"]]
            what = f"{row['number']}/{row['symbol']}"
            facts = (escape(what), escape(row["addressed"]), f"[{style}]{row['state']}[/{style}]")
        table.add_row(escape(one), *facts, why.value)
    out.print(table)


def _carry_out(desk: Desk, wish: Wish, ids: list[str], reason: str, query: str) -> RowMapping:
    """Order it and do it, with a bar where somebody looks on. Who is stopped leaves the rest to a hub that serves."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from hub.exchange import steering
    from hub.store.ids import new_id

    wanted = steering.Order(new_id(desk.clock()), who(), wish, tuple(ids), reason, query)
    run: RowMapping = desk.writer.run(steering.begin, wanted)
    if err.is_terminal:
        err.print(f"[dim]hub deliveries stop {run['id']} --reason …[/dim]", highlight=False)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        bar = progress.add_task(wish.action.value, total=run["total"])
        while run["ended_at"] is None:
            run = desk.writer.run(steering.go_on, run["id"])
            progress.update(bar, completed=run["place"])
    return run


def _left(desk: Desk, foreseen: Foreseen, run: RowMapping | None) -> list[dict[str, str]]:
    """Every delivery that was left as it is, with its reason: at the look, and what changed since."""
    from hub.domain.steering import LEFT, Left
    from hub.store import steering as rows
    from hub.store.engine import reading

    left = [(one, why) for why, ids in foreseen.left.items() for one in ids]
    if run is not None:
        with reading(desk.engine) as connection:
            since = rows.deliveries_of(connection, run["seq"], 0, run["total"], left=True)
        left += [(one, Left(outcome)) for _, one, outcome in since]
    return [{"delivery": one, "why": why.value, "vi": LEFT[why][0], "en": LEFT[why][1]} for one, why in left]
