"""The audit's rows: appended, and read newest first by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from hub.store.operator_tables import audit_entry

_c = audit_entry.c


def append(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(insert(audit_entry).values(**row))


def entries(
    connection: Connection,
    *,
    operator: str = "",
    action: str = "",
    subject: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[RowMapping]:
    """Entries of this operator, action and subject (empty: any), newest first; ``before``: the last ``seq`` seen."""
    found = select(audit_entry)
    for column, value in ((_c.operator, operator), (_c.action, action), (_c.subject, subject)):
        if value:
            found = found.where(column == value)
    if before is not None:
        found = found.where(_c.seq < before)
    return list(connection.execute(found.order_by(_c.seq.desc()).limit(limit)).mappings())
