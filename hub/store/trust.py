"""Rows of the trust store: certificates that count, what is known of their revocation, whose end was told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from hub.store import tables as t
from hub.store.trust_tables import ending_told, revocation, trusted


def standing(connection: Connection, prefix: str = "") -> list[RowMapping]:
    """What was added and not removed, whose fingerprint begins so, by role and fingerprint."""
    c = trusted.c
    found = select(trusted).where(c.removed_at.is_(None), c.fingerprint.startswith(prefix, autoescape=True))
    return list(connection.execute(found.order_by(c.role, c.code, c.fingerprint)).mappings())


def put(connection: Connection, row: dict[str, Any]) -> None:
    """Add a certificate, or have what is there as this row says: one that was removed stands again."""
    known = update(trusted).where(trusted.c.fingerprint == row["fingerprint"])
    if not connection.execute(known.values(**row, removed_at=None)).rowcount:
        connection.execute(insert(trusted), [row])


def remove(connection: Connection, fingerprint: str, now: datetime) -> None:
    connection.execute(update(trusted).where(trusted.c.fingerprint == fingerprint).values(removed_at=now))


def registered(connection: Connection, since: datetime, before: datetime | None = None) -> list[RowMapping]:
    """The certificates that agencies registered, of those that end in this time; by agency."""
    c = t.certificate.c
    found = select(c.fingerprint, c.code, c.der).where(c.until >= since)
    if before is not None:
        found = found.where(c.until <= before)
    return list(connection.execute(found.order_by(c.code, c.until, c.fingerprint)).mappings())


def material(connection: Connection, about: Collection[str]) -> list[RowMapping]:
    """Revocation material about these (see the table), newest first."""
    c = revocation.c
    found = select(revocation).where(c.about.in_(list(about))).order_by(c.this_update.desc(), c.sha256)
    return list(connection.execute(found).mappings())


def same_source(connection: Connection, kind: str, about: str, url: str) -> RowMapping | None:
    """What is kept from that source, without its octets."""
    c = revocation.c
    columns = [column for column in c if column is not c.der]
    found = connection.execute(select(*columns).where(c.about == about, c.kind == kind, c.url == url))
    return found.mappings().first()


def is_kept(connection: Connection, sha256: str) -> bool:
    return connection.execute(select(revocation.c.sha256).where(revocation.c.sha256 == sha256)).first() is not None


def fetched_again(connection: Connection, sha256: str, now: datetime) -> None:
    connection.execute(update(revocation).where(revocation.c.sha256 == sha256).values(fetched_at=now))


def drop_material(connection: Connection, sha256: str) -> None:
    connection.execute(delete(revocation).where(revocation.c.sha256 == sha256))


def keep_material(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(insert(revocation), [row])


def steps_told(connection: Connection) -> dict[str, int]:
    """The step each certificate's end was last told at, by fingerprint."""
    return {row.fingerprint: row.step for row in connection.execute(select(ending_told))}


def set_step_told(connection: Connection, fingerprint: str, step: int) -> None:
    known = update(ending_told).where(ending_told.c.fingerprint == fingerprint)
    if not connection.execute(known.values(step=step)).rowcount:
        connection.execute(insert(ending_told), [{"fingerprint": fingerprint, "step": step}])
