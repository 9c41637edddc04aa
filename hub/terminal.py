"""What all of the `hub` command needs: where the hub lies, the hub or its database opened, where it prints."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

# What costs time to import stands in the functions: `hub --help` waits for none of it.
if TYPE_CHECKING:
    from sqlalchemy import Engine

    from hub.exchange.desk import Desk
    from hub.settings import Settings

# Into a file or pipe as wide as the tables need; on a terminal as wide as it is.
out = Console(width=None if sys.stdout.isatty() else 150)
err = Console(stderr=True)

DataDir = Annotated[Path | None, typer.Option(help="Folder of the hub's data [HUB_DATA_DIR, ./var]")]
DatabaseUrl = Annotated[str | None, typer.Option(help="sqlite:///… or postgresql://… [HUB_DATABASE_URL]")]


def settings_of(data_dir: Path | None, database_url: str | None, **more: Any) -> Settings:
    """The settings, with what was given on the command line; the command ends with 2 if they cannot be."""
    from hub.settings import SettingsError, read_settings

    given = {"data_dir": data_dir, "database_url": database_url} | more
    try:
        return read_settings({name: value for name, value in given.items() if value is not None})
    except SettingsError as fault:
        typer.echo(fault, err=True)
        raise typer.Exit(2) from None


def who() -> str:
    """Whom the audit names for what is done by a command."""
    try:
        return f"command:{getpass.getuser()}"
    except (KeyError, OSError):  # a number without a name, as in a container
        return f"command:{os.getuid()}"


@contextmanager
def a_hub(data_dir: Path | None, database_url: str | None, *, create: bool, anew: bool = False) -> Iterator[Desk]:
    """The hub, to change something; raises what ``open_hub`` does."""
    from hub.app import open_hub
    from hub.logs import log_as_json

    log_as_json()
    with open_hub(settings_of(data_dir, database_url), create=create, anew=anew, by=who()) as desk:
        yield desk


@contextmanager
def a_database(data_dir: Path | None, database_url: str | None) -> Iterator[Engine]:
    """Its database, to look at; raises what ``open_database`` does."""
    from hub.app import open_database

    with open_database(settings_of(data_dir, database_url), create=False) as engine:
        yield engine
