"""The `hub` command: serve a hub, and what its operator does from the shell. All commands work while it serves."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub import operating, reporting, searching, steering, trusting
from hub.terminal import DatabaseUrl, DataDir, a_database, a_hub, err, out, settings_of, who

# What costs time to import stands in the commands: `hub --help` waits for none of it.
if TYPE_CHECKING:
    from hub.store.backup import Manifest

app = typer.Typer(
    name="hub",
    help="Trục liên thông văn bản: an open hub for signed documents between agencies.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(trusting.app, name="trust")
app.add_typer(steering.app, name="deliveries")
app.add_typer(operating.app, name="operator")
app.add_typer(reporting.calendar, name="calendar")
app.command()(reporting.report)
app.command("log")(searching.find)

Addresses = Annotated[
    list[str] | None, typer.Option(help="Address or network it may call from; more than once for several")
]


class Profile(StrEnum):
    required = "required"
    legacy = "legacy"


class Algorithms(StrEnum):
    current = "2025"
    sha1 = "sha1"


class PdfPolicy(StrEnum):
    report = "report"
    require = "require"


class Action(StrEnum):
    lock = "lock"
    unlock = "unlock"
    retire = "retire"
    bind = "bind"
    pdf_report = "pdf-report"
    pdf_require = "pdf-require"
    pdf_as_hub = "pdf-as-hub"


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [HUB_HOST, 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one [HUB_PORT, 8000]")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one needs PostgreSQL")] = 1,
    tls_cert: Annotated[str | None, typer.Option(help="PEM: certificate with its chain [HUB_TLS_CERT]")] = None,
    tls_key: Annotated[str | None, typer.Option(help="PEM: the key of --tls-cert [HUB_TLS_KEY]")] = None,
    behind_proxy: Annotated[
        bool, typer.Option(help="A proxy in front does TLS; who it is stands in HUB_TRUSTED_PROXIES")
    ] = False,
    simulation_port: Annotated[
        int | None,
        typer.Option(
            help="Port of 127.0.0.1 by which the hub can be told to misbehave; 0 takes a free one "
            "[HUB_SIMULATION_PORT, off]"
        ),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Run the hub; a new database is created and migrated by itself.

    [dim]hub serve --port 8080 --data-dir /var/lib/lienthong[/dim]
    """
    from hub.logs import log_as_json
    from hub.serve import run

    given = {"host": host, "port": port, "tls_cert": tls_cert, "tls_key": tls_key, "simulation_port": simulation_port}
    settings = settings_of(data_dir, database_url, **given)
    log_as_json()
    run(settings, workers=workers, behind_proxy=behind_proxy, by=who())


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
    from hub.store import schema
    from hub.store.engine import reading

    with a_hub(data_dir, database_url, create=True) as desk, reading(desk.engine) as connection:
        out.print(f"schema {schema.revision_of(connection)}")


@app.command()
def agencies(
    words: Annotated[list[str] | None, typer.Argument(help="Part of a name or code; marks do not matter")] = None,
    code: Annotated[str | None, typer.Option(help="The system of this code, with --action")] = None,
    action: Annotated[Action | None, typer.Option(help="What to do with the system of --code")] = None,
    address: Addresses = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """List the directory and who is connected; lock, unlock or retire a system, bind it to addresses, or say whether
    its PDF files are examined before acceptance.

    [dim]hub agencies "tài chính"    hub agencies --code H41 --action lock[/dim]

    [dim]hub agencies --code H41 --action bind --address 10.20.0.0/16[/dim]

    Bound without --address it may call from anywhere again.
    """
    if (code is None) != (action is None):
        raise typer.BadParameter("--code and --action need each other; to look a code up: hub agencies CODE")
    if address and action is not Action.bind:
        raise typer.BadParameter("--address belongs to --action bind")
    from hub import show
    from hub.app import now
    from hub.domain.document import local_day
    from hub.domain.search import fold
    from hub.exchange.enrol import Steer, steer
    from hub.store import roster
    from hub.store.engine import reading

    if code is not None and action is not None:
        with a_hub(data_dir, database_url, create=False) as desk:
            out.print_json(json.dumps(desk.writer.run(steer, Steer(code, action.value, tuple(address or ()), who()))))
        return
    wanted = fold(" ".join(words or []))
    with a_database(data_dir, database_url) as engine, reading(engine) as connection:
        directory = roster.load(connection).directory
    found = [a for a in directory.agencies if wanted in fold(f"{a.code} {a.name}")]
    show.agencies(out, directory, found, local_day(now()), as_json=as_json)


@app.command()
def enrol(
    context: typer.Context,
    code: Annotated[str | None, typer.Argument(help="The agency's code")] = None,
    name: Annotated[str, typer.Option(help="Name, for an agency that is not listed yet")] = "",
    system_id: Annotated[
        str, typer.Option(help="Up to 64 of A-Z a-z 0-9 . _ -; left out, 24 hex digits are made")
    ] = "",
    secret_stdin: Annotated[
        bool, typer.Option(help="Read the gateway secret from standard input, 8 characters or more")
    ] = False,
    certificate: Annotated[Path | None, typer.Option(help="PEM: the agency's first certificate")] = None,
    profile: Annotated[
        Profile | None,
        typer.Option(help="Whether unsigned packets are refused: required, unless --system-id had another"),
    ] = None,
    algorithms: Annotated[
        Algorithms | None,
        typer.Option(help="sha1 also takes RSA-SHA1, with a warning; else 2025, or as --system-id had"),
    ] = None,
    address: Addresses = None,
    pdf_policy: Annotated[
        PdfPolicy | None,
        typer.Option(help="What is done about signatures in its PDF files, instead of HUB_PDF_POLICY"),
    ] = None,
    from_file: Annotated[Path | None, typer.Option("--from", help="CSV or JSON with many, see above")] = None,
    replace: Annotated[bool, typer.Option(help="Retire the system that a code has now")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Only JSON on standard output")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Give an agency's system its credentials, shown once.

    [dim]hub enrol H41    hub enrol --from agencies.csv --json[/dim]

    FILE is CSV with a heading, or a JSON list of objects. Its columns are
    code and, as far as needed, name, profile (required, legacy), algorithms
    (2025, sha1), system_id, secret, certificate (a PEM file beside FILE),
    addresses (with blanks between), pdf_policy (report, require):

    [dim]code,name,profile[/dim]

    [dim]H41.05,Sở Tài chính,legacy[/dim]
    """
    if (code is None) == (from_file is None):
        raise typer.BadParameter("one CODE, or --from FILE")
    from hub import enrolments, show
    from hub.domain.document import local_day
    from hub.exchange.enrol import Enrolment, Enrolments, doubts
    from hub.exchange.enrol import enrol as verb

    if from_file is not None:
        sources = {option: context.get_parameter_source(option) for option in _OF_ONE}
        if beside := [
            f"--{o.replace('_', '-')}" for o, source in sources.items() if source and source.name == "COMMANDLINE"
        ]:
            raise typer.BadParameter(f"{', '.join(beside)}: not beside --from, whose FILE has columns for it")
        columns: dict[str, type[StrEnum]] = {"profile": Profile, "algorithms": Algorithms, "pdf_policy": PdfPolicy}
        systems = enrolments.read(from_file, {column: list(values) for column, values in columns.items()})
    else:
        secret = enrolments.secret() if secret_stdin else ""
        loaded = enrolments.certificate(certificate) if certificate else None
        terms = (profile or "", algorithms or "", loaded, tuple(address or ()), pdf_policy or "")
        systems = (Enrolment(code or "", name, system_id, secret, *terms),)
    with a_hub(data_dir, database_url, create=True) as desk:
        made = desk.writer.run(verb, Enrolments(systems, desk.vault, replace, who()))
        if as_json:
            single = {name: made[0][name] for name in ("system_id", "secret", "token", "code")}
            typer.echo(json.dumps(made if from_file else single))
        else:
            _show_credentials(made)
        # Only now: whatever happens to the warnings, the credentials are out.
        show.violations(err, doubts(desk.rosters.current(now=True), systems, local_day(desk.clock())))


def _show_credentials(made: list[dict[str, str]]) -> None:
    """Plain lines: a table would cut on a narrow terminal what is never shown again."""
    for row in made:
        for label, key in _CREDENTIALS.items():
            typer.echo(f"{label:18}{row[key] or '–'}")
        typer.echo("")
    typer.echo("Chỉ hiện một lần / shown once")


_OF_ONE = ("name", "system_id", "secret_stdin", "certificate", "profile", "algorithms", "address", "pdf_policy")
_CREDENTIALS = {
    "agency": "agency", "system_id": "system_id", "secret (gateway)": "secret", "token (REST)": "token",
    "one-time code": "code",
}  # fmt: skip


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
    from hub import show
    from hub.store.engine import reading

    with a_database(data_dir, database_url) as engine, reading(engine) as connection:
        show.story(out, connection, key, as_json=as_json)


Backup = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the backup")]


@app.command("keys")
def keys_(
    renew: Annotated[
        bool, typer.Option("--renew", help="A new key for receipts, from now on; what the others signed stays good")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="New keys for both, where the key file that read them is lost for good")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """The keys that receipts and the evidence log are verified with.

    [dim]hub keys    hub keys --json > keys.json    hub keys --renew[/dim]
    """
    from hub import show
    from hub.exchange import keys
    from hub.exchange.audit import noted
    from hub.store.engine import reading

    if renew or anew:
        with a_hub(data_dir, database_url, create=False, anew=anew) as desk:
            if renew:
                desk.writer.run(noted(keys.renew, who(), "keys-renew", lambda _: [("receipt", {})]), desk.vault)
    with a_database(data_dir, database_url) as engine, reading(engine) as connection:
        show.keys(out, keys.jwks(connection), keys.verifier_keys(connection), as_json=as_json)


@app.command()
def backup(folder: Backup, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Copy the hub into a new folder while it serves: rows, packets, key file, all of one moment.

    [dim]hub backup /backup/hub-2026-11-22 --data-dir /var/lib/lienthong[/dim]
    """
    from hub import backups

    _told(backups.write(settings_of(data_dir, database_url), folder, err, who()))


@app.command()
def restore(
    folder: Backup,
    check: Annotated[bool, typer.Option("--check", help="Only read the backup through")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a hub of a backup, where there is none; either database takes a backup of the other.

    [dim]hub restore /backup/hub-2026-11-22 --data-dir /var/lib/lienthong-new[/dim]
    """
    from hub import backups

    if check:
        _told(backups.check(folder, err))
    else:
        _told(backups.restore(settings_of(data_dir, database_url), folder, err, who()))


def _told(made: Manifest) -> None:
    """What a backup has; the exit code is 1 for one that lacks packets, because the hub lacked them."""
    typer.echo(f"{made.made_at} schema {made.revision}: {made.documents} documents, {made.payloads} payload files")
    for packet_id in made.missing:
        err.print(f"[red]missing[/red] the payload of packet {packet_id}: the hub itself has not got it whole")
    if made.missing:
        raise typer.Exit(1)


def main() -> None:
    """Run the command; a refusal or a fault from outside is told in words, not as a trace."""
    os.umask(0o077)  # packets, keys and the database are the hub's own user's alone
    try:
        app()
    except Exception as fault:
        from hub.show import failure

        code = failure(err, fault)
        if code is None:
            raise
        sys.exit(code)


if __name__ == "__main__":
    main()
