"""Rows of the trust store: certificates that count, what is known of their revocation, whose end was told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, delete, insert, literal, select, update

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


def all_material(connection: Connection) -> list[RowMapping]:
    """All revocation material, newest first."""
    return list(connection.execute(select(revocation).order_by(revocation.c.this_update.desc())).mappings())


def version(connection: Connection) -> tuple[Any, ...]:
    """What is different whenever the store is: who stands in which role, and what is known when."""
    c, r = trusted.c, revocation.c
    stand = select(c.fingerprint, c.role, c.code).where(c.removed_at.is_(None)).order_by(c.fingerprint)
    known = select(r.sha256, r.fetched_at).order_by(r.sha256)
    return tuple(tuple(row) for query in (stand, known) for row in connection.execute(query))


def has_root(connection: Connection) -> bool:
    c = trusted.c
    found = select(c.fingerprint).where(c.role == "root", c.removed_at.is_(None)).limit(1)
    return connection.execute(found).first() is not None


_AUTHORITIES = trusted.c.removed_at.is_(None), trusted.c.role.in_(("root", "intermediate"))


def grounds(connection: Connection) -> list[Row[Any]]:
    """Authorities and revocation material without their octets: ``{kind, sha256, about}``."""
    c, r = trusted.c, revocation.c
    authorities = select(c.role.label("kind"), c.fingerprint.label("sha256"), literal("").label("about"))
    rows = connection.execute(authorities.where(*_AUTHORITIES).order_by(c.role.desc(), c.fingerprint)).all()
    return [*rows, *connection.execute(select(r.kind, r.sha256, r.about).order_by(r.kind, r.sha256)).all()]


def ground(connection: Connection, sha256: str) -> bytes | None:
    """The octets of one of :func:`grounds`."""
    for query in (
        select(trusted.c.der).where(trusted.c.fingerprint == sha256, *_AUTHORITIES),
        select(revocation.c.der).where(revocation.c.sha256 == sha256),
    ):
        found = connection.execute(query).scalar_one_or_none()
        if found is not None:
            return bytes(found)
    return None


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
