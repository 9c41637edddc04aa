"""`hub trust`: the authorities and persons that certificates are judged by, and judging one from the shell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.terminal import DatabaseUrl, DataDir, a_database, a_hub, err, out, who

# What costs time to import stands in the commands.
if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hub.domain.trust import Validation
    from hub.exchange.desk import Desk
    from hub.exchange.endings import Term

app = typer.Typer(
    help="The authorities and persons that certificates are judged by.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines")]


class Role(StrEnum):
    root = "root"
    intermediate = "intermediate"
    person = "person"
    tsa = "tsa"


@app.command()
def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="PEM, with one or several, or DER")],
    role: Annotated[
        Role | None,
        typer.Option(help="A root is taken only if this says so, tsa: one for timestamps alone; else what it can be"),
    ] = None,
    code: Annotated[str, typer.Option(help="The agency that a person signs for")] = "",
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Trust certificates: all of them, or none.

    [dim]hub trust add root.pem --role root    hub trust add intermediates.pem[/dim]

    [dim]hub trust add director.pem --code H41[/dim]

    Certificates of agencies themselves are registered by their systems, or with `hub enrol --certificate`.
    """
    if code and role not in {None, Role.person}:
        raise typer.BadParameter("--code belongs to --role person")
    from hub.exchange.audit import noted
    from hub.exchange.trust import Additions
    from hub.exchange.trust import add as verb

    def told(rows: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
        return [(row["fingerprint"], {name: row[name] for name in ("role", "code", "subject")}) for row in rows]

    found = tuple(certificate for path in files for certificate in _certificates(path))
    with a_hub(data_dir, database_url, create=True) as desk:
        for row in desk.writer.run(noted(verb, who(), "trust-add", told), Additions(found, role or "", code)):
            typer.echo(f"{row['fingerprint']}  {row['role']:13}{row['code']:12}{_plain(row['subject'])}")


@app.command("list")
def list_(as_json: AsJson = False, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """All certificates that count, those that agencies registered too, and how long they still do.

    The hub tells 60, 30, 14 and 7 days before one ends (certificate-ends in its log).
    """
    from dataclasses import asdict

    from hub.app import now
    from hub.exchange import endings
    from hub.store.engine import reading

    with a_database(data_dir, database_url) as engine, reading(engine) as connection:
        found = endings.terms(connection, now())
    if as_json:
        for term in found:
            typer.echo(json.dumps(asdict(term) | {"until": term.until.isoformat()}, ensure_ascii=False))
        return
    _show_terms(found)


@app.command()
def remove(
    fingerprint: Annotated[str, typer.Argument(help="Its first 8 digits or more, see `hub trust list`")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Trust a certificate no longer.

    [dim]hub trust remove 3f9a0c1d[/dim]
    """
    from hub.exchange.audit import noted
    from hub.exchange.trust import remove as verb

    removing = noted(verb, who(), "trust-remove", lambda row: [(row["fingerprint"], {"role": row["role"]})])
    with a_hub(data_dir, database_url, create=False) as desk:
        row = desk.writer.run(removing, fingerprint)
    typer.echo(f"{row['fingerprint']}  {row['role']}  removed")


@app.command()
def crl(
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="DER or PEM; http or https")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take the CRL of an authority that is trusted, in place of the one before.

    [dim]hub trust crl root.crl    hub trust crl http://ca.example/intermediate.crl[/dim]
    """
    from urllib.parse import urlsplit

    from hub.exchange import trust
    from hub.exchange.audit import noted
    from hub.store.engine import reading

    octets, url = _crl(source)
    parts = urlsplit(url)  # an address may have a password
    named = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if url else str(Path(source).resolve())
    with a_hub(data_dir, database_url, create=False) as desk:
        with reading(desk.engine) as connection:
            store = trust.read(connection)
        kept = trust.crl_of(octets, [*store.anchors, *store.intermediates], desk.clock(), url)
        facts = {"issued": kept.this_update.isoformat()}
        taking = noted(trust.keep, who(), "trust-crl", lambda new: [(named, facts)] * new)
        new = desk.writer.run(taking, [kept])
    until = f"{kept.next_update:%Y-%m-%d %H:%M}Z" if kept.next_update else "–"
    typer.echo(f"CRL of {kept.this_update:%Y-%m-%d %H:%M}Z, next {until}{'' if new else ': nothing newer'}")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="PEM or DER; in PEM those of its authorities may follow")],
    at: Annotated[str, typer.Option(help="The moment of signing, 2026-03-04T16:30 in Vietnam's time; now")] = "",
    code: Annotated[str, typer.Option(help="The agency that should have signed")] = "",
    offline: Annotated[bool, typer.Option(help="Ask no OCSP responder, fetch no CRL")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Judge a certificate, step by step; the exit code is 0 only if it is valid.

    [dim]hub trust check H41.pem --code H41[/dim]

    [dim]hub trust check H41.pem --at 2026-03-04T16:30 --offline[/dim]
    """
    from hub.exchange import trust
    from hub.store import roster
    from hub.store.engine import reading

    certificate, *brought = _certificates(file)
    with a_hub(data_dir, database_url, create=False) as desk:
        moment = _moment(at) if at else desk.clock()
        if not offline:
            _gather(desk, certificate, moment, brought)
        with reading(desk.engine) as connection:
            agency = trust.names_of(roster.load(connection).directory, code) if code else ()
            found = trust.judge(connection, certificate, moment, brought=brought, agency=agency)
    _show(found)
    if not found.verdict.startswith("VALID"):
        raise typer.Exit(1)


@app.command("demo-ca")
def demo_ca(folder: Annotated[Path, typer.Argument(help="A new folder")]) -> None:
    """Make an authority to try things with: agencies, leaders, and one defect certificate of each kind.

    [dim]hub trust demo-ca ca/[/dim]
    """
    from hub.app import now
    from hub.authority import write_folder
    from hub.data import read_agencies

    names = {agency.code: agency.name for agency in read_agencies()}
    write_folder(folder, now(), {code: (names[code], leader) for code, leader in _LEADERS.items()})
    typer.echo((folder / "README.txt").read_text("utf-8"))


_LEADERS = {"G22": "Nguyễn Văn An", "H41": "Trần Thị Bình"}  # who do not exist


def _certificates(path: Path) -> list[Certificate]:
    from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificates

    try:
        octets = path.read_bytes()
        pem = b"-----BEGIN" in octets
        return load_pem_x509_certificates(octets) if pem else [load_der_x509_certificate(octets)]
    except OSError as fault:
        raise typer.BadParameter(f"{path} cannot be read: {fault.strerror}") from None
    except ValueError:
        raise typer.BadParameter(f"{path} is no certificate in PEM or DER") from None


def _crl(source: str) -> tuple[bytes, str]:
    """Octets and URL, which is empty for a file."""
    from hub.errors import Refusal
    from hub.revocation import Fetcher, FetchError

    if "://" in source:
        try:
            with Fetcher() as fetcher:
                return fetcher.crl(source), source
        except FetchError as why:
            facts = {"vi": why.args[0], "en": why.args[1], "repair": source}
            raise Refusal("crl-unfit", "crl", source, facts) from None
    try:
        return Path(source).read_bytes(), ""
    except OSError as fault:
        raise typer.BadParameter(f"{source} cannot be read: {fault.strerror}") from None


def _moment(text: str) -> datetime:
    from hub.domain.document import VIETNAM

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--at {text}: as 2026-03-04T16:30, or 2026-03-04T09:30Z") from None
    return found if found.tzinfo else found.replace(tzinfo=VIETNAM)


def _gather(desk: Desk, certificate: Certificate, at: datetime, brought: Sequence[Certificate]) -> None:
    """Have what is missing about its revocation, keep it, and tell what could not be had."""
    from hub.domain.signature import fingerprint
    from hub.exchange import trust
    from hub.exchange.audit import noted
    from hub.revocation import Fetcher, gather
    from hub.store.engine import reading

    with reading(desk.engine) as connection:
        path = trust.read(connection).path(certificate, at, brought)
        stored = trust.material(connection, path.certificates)
    with Fetcher() as fetcher:
        found = gather(path, at, stored, fetcher, desk.clock)
    if found.kept:
        shown = fingerprint(certificate)
        keeping = noted(trust.keep, who(), "trust-check", lambda new: [(shown, {"kept": new})] if new else [])
        desk.writer.run(keeping, found.kept)
    for vi, en in found.told:
        err.print(f"[yellow]not had[/yellow] {_plain(vi)} / {_plain(en)}", highlight=False, soft_wrap=True)


_STYLES = {"passed": "green", "failed": "red", "untold": "yellow"}


def _show(found: Validation) -> None:
    from hub.domain.trust.certificates import dated

    style = "green" if found.verdict.startswith("VALID") else "red"
    out.print(f"[{style} bold]{found.verdict}[/] {dated(found.at)}", highlight=False)
    for step in found.steps:
        out.print(f"{step.number} [{_STYLES[step.result]}]{step.result:7}[/] [dim]{step.clause}[/dim]", highlight=False)
        for text in (step.vi, step.en):
            out.print(f"  {_plain(text)}", highlight=False, soft_wrap=True)


def _show_terms(found: list[Term]) -> None:
    from rich.table import Table

    from hub.show import moment

    table = Table("Vai trò", "Chủ thể", "Cơ quan", "Có giá trị đến", "Còn (ngày)", "Báo ở", "Dấu vân tay")
    for term in found:
        style = "green" if term.step is None else "yellow" if term.step > 14 else "red"
        left = "hết hạn" if term.step == 0 else str(term.days)
        table.add_row(
            term.role, _plain(term.subject), _plain(term.code), moment(term.until), f"[{style}]{left}[/{style}]",
            str(term.step or ""), term.fingerprint[:16],
        )  # fmt: skip
    out.print(table)
    ending = sum(bool(term.step) for term in found)
    out.print(f"{len(found)} chứng thư / certificates; {ending} còn không quá 60 ngày / with 60 days or less")


def _plain(text: Any) -> str:
    from hub.show import escape

    return escape(str(text))
