"""`hub operator`: the accounts of those who use the console."""

from __future__ import annotations

import json
import secrets
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hub.terminal import DatabaseUrl, DataDir, a_database, a_hub, out, who

# What costs time to import stands in the commands.
if TYPE_CHECKING:
    from hub.domain import operator

app = typer.Typer(
    help="The accounts of those who use the console.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="a-z 0-9 . _ - @, letters of any language; case is one")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input")]


class Role(StrEnum):
    viewer = "viewer"
    operator = "operator"
    administrator = "administrator"


@app.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="viewer sees; operator steers deliveries too; administrator all")],
    password_stdin: FromStdin = False,
    link: Annotated[
        bool, typer.Option("--link", help="No password: print a link that lets in once, within 15 minutes")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Add an account; the password is asked for twice.

    [dim]hub operator add nguyen.van.an --role administrator[/dim]
    """
    from hub.domain.operator import named
    from hub.exchange import operators

    found = named(name)
    with a_hub(data_dir, database_url, create=False) as desk:
        hashed = "" if link else _hashed(found, password_stdin)
        desk.writer.run(operators.add, operators.Account(who(), found, _role(role), hashed))
    if link:
        _link(found, data_dir, database_url)
    else:
        typer.echo(f"{found}  {role}")


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """All accounts, with how many sessions each has open."""
    from rich.table import Table

    from hub.show import escape, moment
    from hub.store import operators
    from hub.store.engine import reading

    with a_database(data_dir, database_url) as engine, reading(engine) as connection:
        found = operators.accounts(connection)
    if as_json:
        for row in found:
            seen = row["seen_at"].isoformat() if row["seen_at"] else None
            typer.echo(json.dumps(
                {"name": row["name"], "role": row["role"], "sessions": row["sessions"], "seen_at": seen},
                ensure_ascii=False,
            ))  # fmt: skip
        return
    table = Table("Tên", "Vai trò", "Mật khẩu đặt lúc", "Phiên", "Dùng lần cuối")
    for row in found:
        password = moment(row["password_at"]) if row["password_at"] else "–"
        seen = moment(row["seen_at"]) if row["seen_at"] else "–"
        table.add_row(escape(row["name"]), row["role"], password, str(row["sessions"]), seen)
    out.print(table)


@app.command()
def remove(name: Name, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Remove an account and end its sessions; what it did stays in the audit."""
    from hub.domain.operator import named
    from hub.exchange import operators

    with a_hub(data_dir, database_url, create=False) as desk:
        desk.writer.run(operators.remove, operators.Change(who(), named(name)))
    typer.echo(f"{named(name)}  removed")


@app.command("role")
def role_(
    name: Name,
    role: Annotated[Role, typer.Argument(help="viewer, operator or administrator")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Give an account another role; its sessions end.

    [dim]hub operator role tran.thi.binh operator[/dim]
    """
    from hub.domain.operator import named
    from hub.exchange import operators

    with a_hub(data_dir, database_url, create=False) as desk:
        ended = desk.writer.run(operators.set_role, operators.Change(who(), named(name), _role(role)))
    typer.echo(f"{named(name)}  {role}  ({ended} sessions ended)")


@app.command()
def password(
    name: Name, password_stdin: FromStdin = False, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """Set a new password; the account's sessions end."""
    from hub.domain.operator import named
    from hub.exchange import operators

    found = named(name)
    with a_hub(data_dir, database_url, create=False) as desk:
        change = operators.Change(who(), found, password=_hashed(found, password_stdin))
        ended = desk.writer.run(operators.set_password, change)
    typer.echo(f"{found}  ({ended} sessions ended)")


@app.command()
def link(name: Name, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Print the path of a link that lets an account in once, within 15 minutes, without its password."""
    from hub.domain.operator import named

    _link(named(name), data_dir, database_url)


def _link(name: str, data_dir: DataDir, database_url: DatabaseUrl) -> None:
    """The path alone: which address leads to the hub, whoever asks knows better."""
    from hub.exchange import operators
    from hub.exchange.enrol import hashed

    token = secrets.token_urlsafe(32)
    with a_hub(data_dir, database_url, create=False) as desk:
        desk.writer.run(operators.add_link, operators.Link(who(), name, hashed(token)))
    typer.echo(f"/console/login?link={token}")


def _role(role: Role) -> operator.Role:
    from hub.domain import operator

    return operator.Role(role.value)


def _hashed(name: str, from_stdin: bool) -> str:
    from hub.domain.operator import check_password
    from hub.exchange.passwords import hashed

    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    else:
        given = typer.prompt("Mật khẩu / password", hide_input=True, confirmation_prompt="Nhập lại / again", err=True)
    return hashed(check_password(name, given))
