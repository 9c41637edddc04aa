"""Searches of the delivery log under a name: an operator's own, or for all. Whatever all see is noted in the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from hub.domain.operator import Operator, Role
from hub.domain.search import Query, line
from hub.errors import Refusal
from hub.exchange.audit import note
from hub.exchange.writer import Transaction, each
from hub.store import saved

NAME_MOST = 80  # characters


@dataclass(frozen=True, slots=True)
class Save:
    """The same name again takes the new search."""

    by: Operator
    name: str
    query: Query
    shared: bool


@dataclass(frozen=True, slots=True)
class Rename:
    by: Operator
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Remove:
    by: Operator
    id: str


@dataclass(frozen=True, slots=True)
class Taken:
    """An operator takes what a search finds out of the console."""

    by: Operator
    query: Query


@each
def save(tx: Transaction, job: Save) -> None:
    """Raises ``search-name`` and ``role-low`` for a viewer who would share."""
    name = _checked(job.name)
    _may_share(job.by, shared=job.shared)
    before = saved.named(tx.connection, job.by.name, name)
    values: dict[str, Any] = {"query": line(job.query), "shared": job.shared, "saved_at": tx.now}
    if before is None:
        saved.add(tx.connection, {"id": tx.new_id(), "owner": job.by.name, "name": name, **values})
    else:
        saved.change(tx.connection, before["id"], **values)
    if job.shared or (before is not None and before["shared"]):
        note(tx, job.by.name, "search-save", name, facts={"query": line(job.query), "shared": job.shared})


@each
def rename(tx: Transaction, job: Rename) -> None:
    """Raises ``page-unknown``, ``role-low``, ``search-name`` and ``search-name-taken``."""
    row, name = _own(tx, job.by, job.id), _checked(job.name)
    _may_share(job.by, shared=row["shared"])  # its owner may have become a viewer
    other = saved.named(tx.connection, row["owner"], name)
    if other is not None and other["id"] != row["id"]:
        raise Refusal("search-name-taken", "name", name, {"name": name})
    saved.change(tx.connection, row["id"], name=name)
    if row["shared"]:
        note(tx, job.by.name, "search-rename", name, facts={"before": row["name"], "owner": row["owner"]})


@each
def remove(tx: Transaction, job: Remove) -> None:
    """Raises ``page-unknown`` and ``role-low``."""
    row = _own(tx, job.by, job.id)
    saved.remove(tx.connection, row["id"])
    if row["shared"]:
        note(tx, job.by.name, "search-remove", row["name"], facts={"query": row["query"], "owner": row["owner"]})


@each
def take(tx: Transaction, job: Taken) -> None:
    note(tx, job.by.name, "log-export", "log", facts={"query": line(job.query)})


def _own(tx: Transaction, by: Operator, search_id: str) -> RowMapping:
    """The operator's own, or one that an administrator sees because it is shared."""
    row = saved.get(tx.connection, search_id)
    if row is None or (row["owner"] != by.name and not row["shared"]):
        raise Refusal("page-unknown")
    if row["owner"] != by.name and not by.may(Role.ADMINISTRATOR):
        raise Refusal("role-low", facts={"role": "quản trị", "role_en": "administrator"})
    return row


def _may_share(by: Operator, *, shared: bool) -> None:
    if shared and not by.may(Role.OPERATOR):
        raise Refusal("role-low", facts={"role": "vận hành", "role_en": "operator"})


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_MOST or not name.isprintable():
        raise Refusal("search-name", "name", name[:NAME_MOST], {"most": NAME_MOST})
    return name
