"""Agencies, systems and certificates as one snapshot, and the rows behind it.

A request decides on a snapshot; its transaction compares the snapshot's version with the counter it has just locked
and decides again when they differ. So routing is exact although nobody reads the directory row by row.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, func, insert, select, update

from hub.domain.agency import Agency, Directory, System
from hub.domain.signature import Counted
from hub.store import tables as t
from hub.store.engine import reading

_FRESH = 1.0  # seconds a snapshot serves reads before its version is looked at again


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """Who there is. ``certificates`` by fingerprint, ``tokens`` by SHA-256 (hex) of the bearer token."""

    version: int
    directory: Directory
    systems: Mapping[str, System]
    tokens: Mapping[str, System]
    certificates: Mapping[str, tuple[Counted, ...]]
    secrets: Mapping[str, bytes]  # of the gateway dialect, encrypted, by system
    units: int = 0  # changes of units, which move no route: a packet is checked again for those of ``version`` alone


_AGENCY = [
    t.agency.c[name]
    for name in (
        "code", "name", "level", "parent", "closed_on", "successor", "uncertain", "note",
        "registered_by", "contact", "changed_at",
    )
]  # fmt: skip


def _agency(*columns: Any) -> Agency:
    values = list(columns)
    values[8], values[9] = values[8] or "", (values[9] or {}).get("mail", "")
    return Agency(*values)


def load(connection: Connection) -> Roster:
    """The snapshot as the connection sees it."""
    version, units = connection.execute(select(t.counter.c.directory, t.counter.c.units)).one()
    agencies = [_agency(*row) for row in connection.execute(select(*_AGENCY))]
    aliases = {row.code: row.same_as for row in connection.execute(select(t.agency_alias))}
    systems: dict[str, System] = {}
    tokens: dict[str, System] = {}
    secrets: dict[str, bytes] = {}
    for row in connection.execute(select(t.system).where(t.system.c.state != "retired")):
        systems[row.id] = tokens[row.token_hash] = System(
            row.id, row.code, row.state == "locked", row.profile == "required", row.algorithms == "sha1",
            tuple(ip_network(network) for network in row.addresses.split(",") if network),
            row.pdf_policy,
        )  # fmt: skip
        secrets[row.id] = row.secret
    certificates: dict[str, list[Counted]] = defaultdict(list)
    c = t.certificate.c
    for row in connection.execute(select(c.fingerprint, c.code, c.since, c.until)):
        certificates[row.fingerprint].append(Counted(row.fingerprint, row.code, row.since, row.until))
    return Roster(
        version,
        Directory(agencies, aliases, {s.code: s for s in systems.values()}),
        systems,
        tokens,
        {fingerprint: tuple(rows) for fingerprint, rows in certificates.items()},
        secrets,
        units,
    )


class Rosters:
    """The process's current snapshot, shared by its threads."""

    def __init__(self, engine: Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._looked = -_FRESH
        self._roster: Roster | None = None

    def fresh(self) -> Roster | None:
        """The snapshot if it is at most a second old; costs nothing."""
        return self._roster if self._monotonic() - self._looked < _FRESH else None

    def current(self, *, now: bool = False) -> Roster:
        """A snapshot at most a second old; with ``now`` the newest committed (an unknown token asks so)."""
        roster = None if now else self.fresh()
        if roster is not None:
            return roster
        with self._lock:
            roster = None if now else self.fresh()  # another thread has looked meanwhile
            if roster is not None:
                return roster
            with reading(self._engine) as connection:
                return self._look(connection)

    def within(self, connection: Connection, version: int) -> Roster:
        """The snapshot of a write transaction that has locked the counter and read ``version`` from it."""
        roster = self._roster
        if roster is None or roster.version != version:
            roster = load(connection)  # kept for others only once committed: `current` finds it by its version
        return roster

    def _look(self, connection: Connection) -> Roster:
        version, units = connection.execute(select(t.counter.c.directory, t.counter.c.units)).one()
        if self._roster is None or (self._roster.version, self._roster.units) != (version, units):
            self._roster = load(connection)
        self._looked = self._monotonic()
        return self._roster


def count_agencies(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(t.agency)).scalar_one()


def add_agencies(connection: Connection, agencies: Iterable[Agency]) -> None:
    """Insert new agencies; one that exists already is an error of the caller."""
    rows = [
        {
            "code": a.code, "name": a.name, "level": a.level, "parent": a.parent, "closed_on": a.closed_on,
            "successor": a.successor, "uncertain": a.uncertain, "note": a.note,
        }
        for a in agencies
    ]  # fmt: skip
    if rows:
        connection.execute(insert(t.agency), rows)


def take_over(connection: Connection, agencies: Iterable[Agency], now: datetime) -> None:
    """List agencies; of a unit that a system registered the row is from now on as it is given here."""
    wanted = {agency.code: agency for agency in agencies}
    units = {row["code"] for row in rows_of(connection, wanted)}
    for code in units:
        set_unit(connection, code, name=wanted[code].name, registered_by=None, contact=None, changed_at=now)
    add_agencies(connection, [agency for code, agency in wanted.items() if code not in units])


def add_systems(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(t.system), rows)


def by_ids(connection: Connection, system_ids: Iterable[str]) -> dict[str, RowMapping]:
    """The systems of these ids, whatever became of them."""
    found = connection.execute(select(t.system).where(t.system.c.id.in_(list(system_ids))))
    return {row["id"]: row for row in found.mappings()}


def connected(connection: Connection, codes: Iterable[str]) -> list[RowMapping]:
    """The systems that stand for these codes, locked ones included, by code."""
    c = t.system.c
    found = select(c.id, c.code, c.enrolled_at).where(c.code.in_(list(codes)), c.state != "retired").order_by(c.code)
    return list(connection.execute(found).mappings())


def set_system(connection: Connection, system_id: str, **values: object) -> None:
    connection.execute(update(t.system).where(t.system.c.id == system_id).values(**values))


def add_one_time_codes(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(t.one_time_code), rows)


def one_time_code(connection: Connection, system_id: str) -> RowMapping | None:
    found = connection.execute(select(t.one_time_code).where(t.one_time_code.c.system_id == system_id))
    return found.mappings().one_or_none()


def spend_try(connection: Connection, system_id: str) -> None:
    c = t.one_time_code
    connection.execute(update(c).where(c.c.system_id == system_id).values(tries_left=c.c.tries_left - 1))


def drop_one_time_code(connection: Connection, system_id: str) -> None:
    connection.execute(t.one_time_code.delete().where(t.one_time_code.c.system_id == system_id))


def add_certificate(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(insert(t.certificate), [row])


def certificates_of(connection: Connection, codes: Iterable[str]) -> list[RowMapping]:
    c = t.certificate
    found = connection.execute(select(c).where(c.c.code.in_(list(codes))).order_by(c.c.since, c.c.fingerprint))
    return list(found.mappings())


def systems_ever(connection: Connection, codes: Iterable[str]) -> set[str]:
    """The ids of all systems that stand or stood for these codes, retired ones included."""
    c = t.system.c
    return set(connection.execute(select(c.id).where(c.code.in_(list(codes)))).scalars())


def count_units(connection: Connection, system_ids: Iterable[str]) -> int:
    """How many agencies these systems have registered."""
    found = select(func.count()).select_from(t.agency).where(t.agency.c.registered_by.in_(list(system_ids)))
    return connection.execute(found).scalar_one()


def rows_of(connection: Connection, codes: Iterable[str]) -> list[RowMapping]:
    """The directory's own rows of these codes."""
    found = connection.execute(select(t.agency).where(t.agency.c.code.in_(list(codes))))
    return list(found.mappings())


def add_unit(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(insert(t.agency), [row])


def set_unit(connection: Connection, code: str, **values: object) -> None:
    connection.execute(update(t.agency).where(t.agency.c.code == code).values(**values))


def remove_units(connection: Connection, codes: Iterable[str]) -> None:
    connection.execute(t.agency.delete().where(t.agency.c.code.in_(list(codes))))
