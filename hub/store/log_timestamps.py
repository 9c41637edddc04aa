"""Rows of the log's timestamps: checkpoints with the tokens over them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from hub.store.log_tables import log_head, log_timestamp

_c = log_timestamp.c


def page(connection: Connection, below: int | None, most: int) -> list[RowMapping]:
    """The newest first, of trees smaller than ``below`` if that is given."""
    query = select(log_timestamp).order_by(_c.size.desc()).limit(most)
    return list(connection.execute(query if below is None else query.where(_c.size < below)).mappings())


def reaching(connection: Connection, size: int) -> RowMapping | None:
    """The earliest whose tree has at least so many entries."""
    query = select(log_timestamp).where(_c.size >= size).order_by(_c.size).limit(1)
    return connection.execute(query).mappings().one_or_none()


def put(connection: Connection, row: Mapping[str, Any]) -> None:
    """``{size, checkpoint, token, at}``; one that is there of that size goes first."""
    connection.execute(delete(log_timestamp).where(_c.size == row["size"]))
    connection.execute(insert(log_timestamp), [dict(row)])


def put_off(connection: Connection, until: datetime) -> None:
    """Nobody asks the authority before this."""
    connection.execute(update(log_head).values(tsa_at=until))
