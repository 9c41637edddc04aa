"""Searches of the delivery log that operators saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from hub.store.search_tables import SHARED, saved_search

_c = saved_search.c
_MOST = 100  # of each kind, in a page's list


def seen_by(connection: Connection, operator: str) -> list[RowMapping]:
    """Those that an operator saved, then those that others share; each by name."""
    own = select(saved_search).where(_c.owner == operator)
    others = select(saved_search).where(SHARED, _c.owner != operator)
    return [row for some in (own, others) for row in connection.execute(some.order_by(_c.name).limit(_MOST)).mappings()]


def get(connection: Connection, search_id: str) -> RowMapping | None:
    return connection.execute(select(saved_search).where(_c.id == search_id)).mappings().one_or_none()


def named(connection: Connection, owner: str, name: str) -> RowMapping | None:
    found = connection.execute(select(saved_search).where(_c.owner == owner, _c.name == name))
    return found.mappings().one_or_none()


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(insert(saved_search).values(**row))


def change(connection: Connection, search_id: str, **values: object) -> None:
    connection.execute(update(saved_search).where(_c.id == search_id).values(**values))


def remove(connection: Connection, search_id: str) -> None:
    connection.execute(delete(saved_search).where(_c.id == search_id))
