"""When systems last asked what waits for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from hub.store.console_tables import system_poll
from hub.store.engine import is_sqlite
from hub.store.whole import whole


def put(connection: Connection, polls: Mapping[str, datetime]) -> None:
    """Moments by system; an earlier one than what is there changes nothing."""
    if is_sqlite(connection):
        from sqlalchemy.dialects.sqlite import insert as insert_here
    else:
        from sqlalchemy.dialects.postgresql import insert as insert_here  # type: ignore[assignment]  # alike here
    statement = insert_here(system_poll)
    newer = statement.excluded.at > system_poll.c.at
    statement = statement.on_conflict_do_update(
        index_elements=["system_id"], set_={"at": statement.excluded.at}, where=newer
    )
    connection.execute(statement, [{"system_id": system_id, "at": polls[system_id]} for system_id in sorted(polls)])


def asked_since(connection: Connection, since: datetime) -> set[str]:
    """The ids of the systems that asked from a moment on."""
    c = system_poll.c
    return set(whole(connection, select(c.system_id).where(c.at >= since)).scalars())


def last(connection: Connection, system_ids: list[str]) -> dict[str, datetime]:
    """By system; none of one that never asked."""
    c = system_poll.c
    return {row.system_id: row.at for row in connection.execute(select(system_poll).where(c.system_id.in_(system_ids)))}
