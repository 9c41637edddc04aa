"""Bringing a database to the present schema, and asking which one it has."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import migrations
from hub.store import (  # noqa: F401  (all tables where a schema is made)
    console_tables,
    examination_tables,
    figure_tables,
    log_tables,
    operator_tables,
    search_tables,
    steering_tables,
    trust_tables,
)
from hub.store.engine import is_sqlite, writing

_LOCK = 102_2016  # PostgreSQL advisory lock: several workers start at once


def config() -> Config:
    """Alembic's configuration, made in code: there is no alembic.ini to lose."""
    found = Config()
    found.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return found


def upgrade(engine: Engine, revision: str = "head") -> str | None:
    """Create or migrate the database; gives its revision before, None for an empty one. A second process doing the
    same waits and finds the work done.
    """
    with writing(engine) as connection:
        return make(connection, revision)


def make(connection: Connection, revision: str = "head") -> str | None:
    """The same inside the caller's transaction."""
    if not is_sqlite(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = revision_of(connection)
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, revision)
    return found


def revision_of(connection: Connection) -> str | None:
    """The database's revision, or None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    """Whether this program knows the revision; it knows those before its own, and none of a newer program's."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(config()).walk_revisions())


@cache
def head() -> str | None:
    """The revision this program needs."""
    return ScriptDirectory.from_config(config()).get_current_head()
