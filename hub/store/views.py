"""Who looked at a document."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, RowMapping, delete, exists, insert, select, tuple_, update

from hub.store.console_tables import document_view

_c = document_view.c


def of_document(connection: Connection, document_id: str, most: int) -> list[RowMapping]:
    """The newest first."""
    found = select(document_view).where(_c.document_id == document_id)
    return list(connection.execute(found.order_by(_c.day.desc(), _c.at.desc(), _c.operator).limit(most)).mappings())


def of_day(connection: Connection, document_id: str, operator: str, day: date) -> RowMapping | None:
    found = select(document_view).where(_c.document_id == document_id, _c.operator == operator, _c.day == day)
    return connection.execute(found).mappings().one_or_none()


def put(connection: Connection, document_id: str, operator: str, day: date, at: datetime, took: str) -> None:
    """The day's first view, or what else was taken after it."""
    known = of_day(connection, document_id, operator, day)
    if known is None:
        row = {"document_id": document_id, "operator": operator, "day": day, "at": at, "took": took}
        connection.execute(insert(document_view), row)
        return
    same = (_c.document_id == document_id, _c.operator == operator, _c.day == day)
    connection.execute(update(document_view).where(*same).values(took=took))


def is_any_since(connection: Connection, document_id: str, moment: datetime) -> bool:
    return bool(connection.execute(select(exists().where(_c.document_id == document_id, _c.at >= moment))).scalar())


def remove(connection: Connection, document_id: str, most: int) -> int:
    """Remove at most ``most`` of a document's; gives how many."""
    key = tuple_(_c.day, _c.operator)
    some = select(_c.day, _c.operator).where(_c.document_id == document_id).limit(most)
    return connection.execute(delete(document_view).where(_c.document_id == document_id, key.in_(some))).rowcount
