"""`agency replay`, `agency record`, `agency diff`: what was typed, handed to the rooms that do it."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from clients.agency.texts import either
from hub.domain.document import VIETNAM

if TYPE_CHECKING:
    from clients.replay.player.sources import Played

# What costs time to import stands in the commands: `agency --help` waits for none of it.

_REPLAY = (
    either(
        "Đóng vai các cơ quan gửi nhận với một trục, gây lỗi có chủ ý, rồi phán xét bằng sổ sách của các cơ quan.",
        "Play agencies against a hub, with faults on purpose, and judge it by the agencies' own books.",
    )
    + """

[dim]agency replay smoke    agency replay first-four-months --scale 0.05    agency replay --list[/dim]

[dim]agency replay my.toml --hub https://hub.example.vn --credentials systems.json[/dim]

[dim]agency replay day.traffic --speed 60 --anonymise[/dim]
"""
)
_RECORD = (
    either(
        "Đứng trước một trục và ghi lại mọi trao đổi, không ghi mật khẩu, khóa hay mã truy cập.",
        "Stand before a hub and write down all that is exchanged, without any credentials.",
    )
    + """

[dim]agency record --hub http://127.0.0.1:8000 --to day.traffic --port 9000[/dim]
"""
)
_DIFF = (
    either(
        "So kết quả của hai lần chạy: nhận, từ chối với mã nào, đến đâu, theo thứ tự nào.",
        "Compare the outcomes of two runs: accepted, refused with which code, delivered, in what order.",
    )
    + """

[dim]agency diff replay-runs/smoke-20261122-101500 replay-runs/smoke-20261122-114000[/dim]
"""
)

Scenario = Annotated[
    str, typer.Argument(metavar="SCENARIO|TRAFFIC", help="A name of --list, a .toml file, or a record")
]
HubUrl = Annotated[str, typer.Option(help="Of a hub that is there; without it one is started, and removed afterwards")]
Systems = Annotated[
    Path | None,
    typer.Option(help="What `hub enrol --from … --json` printed on that hub for the systems of --enrolments"),
]
Control = Annotated[str, typer.Option(help="That hub's simulation port, for faults and a clock of its own")]
Speed = Annotated[float, typer.Option(min=0.1, max=1000, help="Seconds of a record, or of a real clock, in one second")]
Scale = Annotated[float, typer.Option(min=0.0001, max=1000, help="Times as many documents")]
Seed = Annotated[int | None, typer.Option(help="Another seed, another run; the same seed, the same")]
Out = Annotated[Path | None, typer.Option(help="Folder for book, report and verdict [replay-runs/NAME-TIME]")]
DatabaseUrl = Annotated[str, typer.Option(help="postgresql://… for the hub that is started")]
Anonymise = Annotated[bool, typer.Option("--anonymise", help="Noise of the same size for contents, names and texts")]
Enrolments = Annotated[
    Path | None, typer.Option(help="Only write what the operator of a hub gives to `hub enrol --from`, and end")
]
List = Annotated[bool, typer.Option("--list", help="The scenarios that come with the program")]


def replay(
    played: Scenario = "",
    hub: HubUrl = "",
    credentials: Systems = None,
    control: Control = "",
    speed: Speed = 1.0,
    scale: Scale = 1.0,
    seed: Seed = None,
    out: Out = None,
    database_url: DatabaseUrl = "",
    anonymise: Anonymise = False,
    enrolments: Enrolments = None,
    list_: List = False,
) -> None:
    from clients.replay.player import sources
    from clients.replay.player.hubs import HubProblemError, write_enrolments
    from clients.replay.player.progress import shown
    from clients.replay.player.run import StoppedError, Venue, run
    from clients.replay.scenario.read import ScenarioError, shipped
    from clients.replay.stock.keys import pem
    from clients.replay.traffic.file import TrafficProblem
    from clients.replay.verdict import show as told
    from clients.replay.verdict import write

    console, err = Console(width=None if sys.stdout.isatty() else 150), Console(stderr=True)
    if list_:
        for name, title in shipped().items():
            console.print(f"[bold]{name:20}[/bold] {title}")
        return
    if not played:
        raise typer.BadParameter("a scenario or a traffic file is needed; --list shows those that come along")
    if bool(hub) != bool(credentials):
        raise typer.BadParameter(
            "--hub and --credentials need each other: agency replay … --enrolments FOLDER writes what its operator "
            "gives to hub enrol --from FOLDER/systems.json --json, and that prints the credentials"
        )
    if control and not hub:
        raise typer.BadParameter("--control is that of --hub; a hub that is started here has its own")
    if database_url and hub:
        raise typer.BadParameter("--database-url is for a hub that is started here, without --hub")
    try:
        with shown(err, played) as show:
            found = sources.find(played, scale=scale, seed=seed, anonymise=anonymise, step=show.read)
        _fits(played, found, scale, speed, anonymise)
        if enrolments is not None:
            typer.echo(
                write_enrolments(enrolments, found.source().cast, None if found.virtual else partial(pem, found.seed))
            )
            return
        folder = out or Path("replay-runs") / f"{found.name}-{datetime.now(VIETNAM):%Y%m%d-%H%M%S}"
        venue = Venue(folder, hub, control, credentials, speed, database_url)
        verdict = run(found, venue, err)
    except (ScenarioError, TrafficProblem, HubProblemError) as fault:
        typer.echo(fault, err=True)
        raise typer.Exit(2) from None
    except StoppedError as fault:
        typer.echo(fault, err=True)
        raise typer.Exit(130) from None
    except FileExistsError as fault:
        typer.echo(f"{fault.filename}: there is a run already (--out)", err=True)
        raise typer.Exit(2) from None
    except OSError as fault:
        typer.echo(f"{fault.filename}: {fault.strerror}", err=True)
        raise typer.Exit(2) from None
    write(verdict, folder)
    told(console, verdict)
    console.print(str(folder / "report.html"))
    if verdict.stopped and not verdict.figures.counts["attempts"]:
        typer.echo("stopped before anything was sent", err=True)
        raise typer.Exit(130)
    raise typer.Exit(0 if verdict.passed else 1)


def _fits(named: str, played: Played, scale: float, speed: float, anonymise: bool) -> None:
    """Options that would change nothing are refused."""
    from clients.replay.player.sources import is_record

    if is_record(named):
        if scale != 1.0:
            raise typer.BadParameter("--scale is for scenarios: a record is as long as it is")
    elif anonymise:
        raise typer.BadParameter("--anonymise is for records: a scenario's contents are invented")
    if played.virtual and speed != 1.0:
        raise typer.BadParameter("--speed is for real clocks: this one goes as fast as the hub works")


def record(
    hub: Annotated[str, typer.Option(help="Address of the hub to stand before")],
    to: Annotated[Path, typer.Option(metavar="FILE", help="The traffic file, which must be new")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="To listen on, at 127.0.0.1; 0 takes a free one")] = 0,
) -> None:
    from clients.replay.traffic.file import TrafficProblem
    from clients.replay.traffic.record import record as recorded

    try:
        asyncio.run(recorded(hub, to, Console(), port=port))
    except TrafficProblem as fault:
        typer.echo(fault, err=True)
        raise typer.Exit(2) from None


Run = Annotated[Path, typer.Argument(help="Folder of a run, as `agency replay` left it")]


def diff(
    first: Run,
    second: Run,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    from clients.replay.player.progress import shown
    from clients.replay.traffic import diff as differing

    try:
        with shown(Console(stderr=True, quiet=not sys.stderr.isatty()), f"{first} | {second}") as show:
            found = differing.diff(first, second, show.judged)
    except differing.DiffProblem as fault:
        typer.echo(fault, err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(differing.as_json(found))
    else:
        differing.show(Console(width=None if sys.stdout.isatty() else 150), found)
    raise typer.Exit(found.exit_code)


def add_to(app: typer.Typer) -> None:
    """The three commands as the last of ``agency``."""
    app.command(help=_REPLAY)(replay)
    app.command(help=_RECORD)(record)
    app.command(help=_DIFF)(diff)
