"""The `hub` command: serve a hub, and what its operator does from the shell. All commands work while it serves."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.x509 import Certificate, load_pem_x509_certificate
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

from hub import show
from hub.app import log_as_json, open_hub
from hub.domain.document import local_day
from hub.domain.search import fold, parse
from hub.errors import Refusal
from hub.exchange import enrol as enrolment
from hub.exchange.desk import Desk
from hub.settings import Settings, explain
from hub.store import log, roster
from hub.store.engine import reading, temporary

app = typer.Typer(
    name="hub",
    help="Trục liên thông văn bản: an open hub for signed documents between agencies.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
# Into a file or pipe as wide as the tables need; on a terminal as wide as it is.
out = Console(width=None if sys.stdout.isatty() else 150)
err = Console(stderr=True)

DataDir = Annotated[Path | None, typer.Option(help="Folder of the hub's data [HUB_DATA_DIR, ./var]")]
DatabaseUrl = Annotated[str | None, typer.Option(help="sqlite:///… or postgresql://… [HUB_DATABASE_URL]")]


class Profile(StrEnum):
    required = "required"
    legacy = "legacy"


class Algorithms(StrEnum):
    current = "2025"
    sha1 = "sha1"


class Action(StrEnum):
    lock = "lock"
    unlock = "unlock"
    retire = "retire"


def _settings(data_dir: Path | None, database_url: str | None, **more: Any) -> Settings:
    given = {"data_dir": data_dir, "database_url": database_url} | more
    return Settings(**{name: value for name, value in given.items() if value is not None})


@contextmanager
def _hub(data_dir: Path | None, database_url: str | None) -> Iterator[Desk]:
    log_as_json()
    with open_hub(_settings(data_dir, database_url)) as desk:
        yield desk


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [HUB_HOST, 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one [HUB_PORT, 8000]")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one needs PostgreSQL")] = 1,
    behind_proxy: Annotated[bool, typer.Option(help="A proxy in front does TLS")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Run the hub; a new database is created and migrated by itself.

    [dim]hub serve --port 8080 --data-dir /var/lib/lienthong[/dim]
    """
    from hub.serve import run

    settings = _settings(data_dir, database_url, host=host, port=port)
    log_as_json()
    run(settings, workers=workers, behind_proxy=behind_proxy)


@app.command()
def demo(
    keep_running: Annotated[bool, typer.Option(help="Leave the hub running until Ctrl-C")] = False,
    keep: Annotated[Path | None, typer.Option(help="Keep the hub's data in this folder")] = None,
) -> None:
    """Play the whole story on a temporary hub: agencies send, receive, report, take back."""
    from hub.demo import play

    raise typer.Exit(play(out, keep=keep, keep_running=keep_running))


@app.command()
def migrate(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Create the database, or bring it to this program's schema (`serve` does so by itself)."""
    with _hub(data_dir, database_url) as desk, reading(desk.engine) as connection:
        out.print(f"schema {show.revision(connection)}")


@app.command()
def agencies(
    words: Annotated[list[str] | None, typer.Argument(help="Part of a name or code; marks do not matter")] = None,
    code: Annotated[str | None, typer.Option(help="The system of this code, with --action")] = None,
    action: Annotated[Action | None, typer.Option(help="What to do with the system of --code")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """List the directory and who is connected; lock, unlock or retire a system.

    [dim]hub agencies "tài chính"    hub agencies --code H41 --action lock[/dim]
    """
    with _hub(data_dir, database_url) as desk:
        if action is not None:
            if code is None:
                raise typer.BadParameter("--action needs --code")
            done = desk.writer.run(enrolment.steer, enrolment.Steer(code, action.value))
            out.print_json(json.dumps(done))
            return
        wanted = fold(" ".join(words or []))
        with reading(desk.engine) as connection:
            directory = roster.load(connection).directory
        found = [a for a in directory.agencies if wanted in fold(f"{a.code} {a.name}")]
        show.agencies(out, directory, found, local_day(desk.clock()), as_json=as_json)


@app.command()
def enrol(
    code: Annotated[str | None, typer.Argument(help="The agency's code")] = None,
    name: Annotated[str, typer.Option(help="Name, for an agency that is not listed yet")] = "",
    system_id: Annotated[str, typer.Option(help="24 hex digits; made when left out")] = "",
    secret_stdin: Annotated[bool, typer.Option(help="Read the gateway secret from standard input")] = False,
    certificate: Annotated[Path | None, typer.Option(help="PEM: the agency's first certificate")] = None,
    profile: Annotated[Profile, typer.Option(help="Whether unsigned packets are refused")] = Profile.required,
    algorithms: Annotated[
        Algorithms, typer.Option(help="sha1 also takes RSA-SHA1, with a warning")
    ] = Algorithms.current,
    from_file: Annotated[Path | None, typer.Option("--from", help="CSV or JSON with many: code,name,profile,…")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only JSON on standard output")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Give an agency's system its credentials, shown once.

    [dim]hub enrol H41    hub enrol --from agencies.csv --json[/dim]
    """
    if (code is None) == (from_file is None):
        raise typer.BadParameter("one CODE, or --from FILE")
    if from_file is not None:
        jobs = tuple(_enrolments(from_file))
    else:
        secret = sys.stdin.readline().strip() if secret_stdin else ""
        loaded = _certificate(certificate) if certificate else None
        jobs = (enrolment.Enrolment(code or "", name, system_id, secret, profile, algorithms, loaded),)
    with _hub(data_dir, database_url) as desk:
        made = desk.writer.run(enrolment.enrol, enrolment.Enrolments(jobs, desk.vault))
    if as_json:
        single = {name: made[0][name] for name in ("system_id", "secret", "token", "code")}
        sys.stdout.write(json.dumps(made if from_file else single) + "\n")
        return
    # Plain lines: a table would cut on a narrow terminal what is never shown again.
    for row in made:
        for label, key in _CREDENTIALS.items():
            typer.echo(f"{label:18}{row[key] or '–'}")
        typer.echo("")
    typer.echo("Chỉ hiện một lần / shown once")


_CREDENTIALS = {
    "agency": "agency", "system_id": "system_id", "secret (gateway)": "secret", "token (REST)": "token",
    "one-time code": "code",
}  # fmt: skip


def _enrolments(path: Path) -> Iterator[enrolment.Enrolment]:
    text = path.read_text(encoding="utf-8-sig")
    rows = json.loads(text) if path.suffix == ".json" else list(csv.DictReader(text.splitlines()))
    known = {"code", "name", "system_id", "secret", "profile", "algorithms", "certificate"}
    for number, row in enumerate(rows, 1):
        given = {key: value for key, value in row.items() if value}
        if not given.get("code") or set(given) - known:
            raise typer.BadParameter(
                f"{path.name}, row {number}: columns are {', '.join(sorted(known))}; code is needed"
            )
        if "certificate" in given:
            given["certificate"] = _certificate(path.parent / given["certificate"])
        yield enrolment.Enrolment(**given)


def _certificate(path: Path) -> Certificate:
    try:
        return load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        raise Refusal("certificate-invalid", "certificate", path.name, {"why": "PEM"}) from None


@app.command("log")
def log_(
    query: Annotated[
        list[str] | None,
        typer.Argument(help="from: to: issuer: number: year: state: status: kind: after: before: and words"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Lines at most")] = 50,
    refused: Annotated[bool, typer.Option(help="What was refused instead")] = False,
    follow: Annotated[bool, typer.Option(help="Go on with what comes, until Ctrl-C")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """The delivery log, newest first: one line per document and recipient.

    [dim]hub log from:G22 to:H41 number:15/VPCP year:2020 state:waiting "tiền lương"[/dim]
    """
    wanted = parse(" ".join(f'"{word}"' if " " in word and ":" not in word else word for word in query or []))
    with _hub(data_dir, database_url) as desk:
        with reading(desk.engine) as connection:
            if refused:
                show.refusals(out, log.refusals(connection, wanted, limit), as_json=as_json)
                return
            rows = log.lines(connection, wanted, limit=limit)
        show.log_lines(out, rows, as_json=as_json)
        last = max((row["seq"] for row in rows), default=0)
        while follow:
            time.sleep(1)
            with reading(desk.engine) as connection:
                rows = log.newer(connection, wanted, last, 500)
            if rows:
                show.log_lines(out, rows, as_json=as_json)
                last = rows[-1]["seq"]


@app.command("show")
def show_(
    key: Annotated[
        str, typer.Argument(metavar="ID", help="Of a document, delivery, packet, report or refusal; or a DocumentId")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """One document's whole story: recipients, states, attempts, requests, refusals.

    [dim]hub show 68dc8b209ec5cae0da8101d6    hub show "G22,2020/03/02,15/VPCP-TH"[/dim]
    """
    with _hub(data_dir, database_url) as desk, reading(desk.engine) as connection:
        show.story(out, connection, key, as_json=as_json)


def main() -> None:
    """Run the command; a refusal or a fault that will pass is told in words, not as a trace."""
    try:
        app()
    except Refusal as refusal:
        show.refusal(err, refusal)
        sys.exit(1)
    except ValidationError as fault:
        err.print(explain(fault), markup=False)
        sys.exit(2)
    except (SQLAlchemyError, OSError) as fault:
        passing = temporary(fault)
        if passing is not None:
            show.refusal(err, passing)
        else:  # without the statement and its values, which may be secrets
            err.print(f"[red]{type(fault).__name__}[/red] {escape(str(getattr(fault, 'orig', None) or fault))}")
        sys.exit(1)
    except (ValueError, AttributeError, OverflowError) as fault:
        err.print(f"[red]{type(fault).__name__}[/red] {escape(str(fault))}")
        sys.exit(2)


if __name__ == "__main__":
    main()
