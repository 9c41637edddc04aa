"""Operators, their sessions and links. Whoever is removed goes with all of theirs; what they did stays (the audit)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, exists, func, insert, or_, select, update

from hub.store.operator_tables import operator, operator_link, operator_session

_o, _s, _l = operator.c, operator_session.c, operator_link.c
_SESSION = select(
    _s.token_hash, _s.name, _o.role, _s.address, _s.began_at, _s.seen_at, _s.ends_at
).join_from(operator_session, operator, _s.name == _o.name)  # fmt: skip


def is_any(connection: Connection) -> bool:
    """Whether there is an account at all."""
    return bool(connection.execute(select(exists().where(_o.name.is_not(None)))).scalar_one())


def account(connection: Connection, name: str) -> RowMapping | None:
    return connection.execute(select(operator).where(_o.name == name)).mappings().one_or_none()


def accounts(connection: Connection) -> list[RowMapping]:
    """All of them, with ``sessions``: how many are open, and ``seen_at``: when one was last used."""
    found = (
        select(operator, func.count(_s.token_hash).label("sessions"), func.max(_s.seen_at).label("seen_at"))
        .join_from(operator, operator_session, _s.name == _o.name, isouter=True)
        .group_by(*_o)
        .order_by(_o.name)
    )
    return list(connection.execute(found).mappings())


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(insert(operator).values(**row))


def change(connection: Connection, name: str, **values: Any) -> None:
    connection.execute(update(operator).where(_o.name == name).values(**values))


def remove(connection: Connection, name: str) -> None:
    connection.execute(delete(operator).where(_o.name == name))


def session(connection: Connection, token_hash: str) -> RowMapping | None:
    return connection.execute(_SESSION.where(_s.token_hash == token_hash)).mappings().one_or_none()


def sessions(connection: Connection, token_hashes: list[str]) -> list[RowMapping]:
    """Those of these that there are."""
    return list(connection.execute(_SESSION.where(_s.token_hash.in_(token_hashes))).mappings())


def open_session(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(insert(operator_session).values(**row))


def saw(connection: Connection, token_hash: str, at: datetime) -> None:
    connection.execute(update(operator_session).where(_s.token_hash == token_hash).values(seen_at=at))


def end_session(connection: Connection, token_hash: str) -> str | None:
    """Whose it was; None where it was over already."""
    ended = delete(operator_session).where(_s.token_hash == token_hash).returning(_s.name)
    return connection.execute(ended).scalar_one_or_none()


def end_sessions(connection: Connection, name: str) -> int:
    """End all of an operator's sessions and links; gives how many sessions."""
    connection.execute(delete(operator_link).where(_l.name == name))
    return connection.execute(delete(operator_session).where(_s.name == name)).rowcount


def forget_over(connection: Connection, now: datetime, idle_since: datetime) -> None:
    """Remove the sessions and links whose time is over."""
    connection.execute(delete(operator_session).where(or_(_s.seen_at <= idle_since, _s.ends_at <= now)))
    connection.execute(delete(operator_link).where(_l.expires_at <= now))


def add_link(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(insert(operator_link).values(**row))


def use_link(connection: Connection, token_hash: str, now: datetime) -> str | None:
    """Whom the link lets in, now and never again; None if nobody."""
    used = delete(operator_link).where(_l.token_hash == token_hash, _l.expires_at > now).returning(_l.name)
    return connection.execute(used).scalar_one_or_none()
