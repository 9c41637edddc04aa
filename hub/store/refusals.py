"""What was refused, for the operator: by sender and rule, and one by one. Read by index, never counted whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, insert, or_, select

from hub.store import tables as t
from hub.store.console_tables import refusal_rule

_r, _x = t.refusal.c, refusal_rule.c
_SEARCHED = 20_000  # refusals that one look for words goes through


def add_rules(connection: Connection, refusal_id: str, sender: str, at: datetime, rules: Iterable[str]) -> None:
    """What :func:`grouped` counts: the rules that a refused packet broke, each once."""
    rows = [{"refusal_id": refusal_id, "rule": rule, "sender": sender, "at": at} for rule in sorted(rules)]
    connection.execute(insert(refusal_rule), rows)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which refusals: from ``since`` on, before ``until``; empty means any. ``phrases`` as in a query."""

    since: datetime
    until: datetime
    sender: str = ""
    rule: str = ""
    phrases: tuple[tuple[str, ...], ...] = ()


def grouped(connection: Connection, wanted: Wanted, most: int) -> list[RowMapping]:
    """``{sender, rule, packets, last}``, the largest groups first; of ``wanted`` without its words. A packet that broke
    several rules is in several groups.
    """
    found = (
        select(_x.sender, _x.rule, func.count().label("packets"), func.max(_x.at).label("last"))
        .where(*_when(_x.at, wanted))
        .group_by(_x.sender, _x.rule)
        .order_by(func.count().desc(), func.max(_x.at).desc(), _x.sender, _x.rule)
        .limit(most)
    )
    if wanted.sender:
        found = found.where(_x.sender == wanted.sender)
    if wanted.rule:
        found = found.where(_x.rule == wanted.rule)
    return list(connection.execute(found).mappings())


Place = tuple[datetime, str]  # of a refusal in the order of the pages: its moment and id


class Page(NamedTuple):
    """``further``: where to go on, None at the end. For words a page may end early, or be empty, and still go on."""

    rows: list[RowMapping]
    further: Place | None


def page(connection: Connection, wanted: Wanted, before: Place | None, most: int) -> Page:
    """Refusals, the newest first, from behind ``before`` on."""
    if not wanted.phrases:
        rows = _rows(connection, _places(wanted, before).limit(most + 1))
        return Page(rows[:most], _place(rows[most - 1]) if len(rows) > most else None)
    looked = _places(wanted, before).limit(_SEARCHED).subquery("looked")
    rows = _rows(
        connection,
        select(looked.c.at, looked.c.id).join(t.refusal, _r.id == looked.c.id).where(*spoken(wanted.phrases)),
        most,
    )
    if len(rows) > most:
        return Page(rows[:most], _place(rows[most - 1]))
    last = connection.execute(_places(wanted, before).offset(_SEARCHED - 1).limit(1)).one_or_none()
    return Page(rows, (last.at, last.id) if last is not None else None)


def spoken(phrases: Iterable[Iterable[str]]) -> list[ColumnElement[bool]]:
    """That a refusal has all words, each by itself: the column keeps the marks between them (``15/vpcp-th``)."""
    return [_r.search.contains(word, autoescape=True) for words in phrases for word in words]


def _rows(connection: Connection, places: Select[Any], most: int | None = None) -> list[RowMapping]:
    found = places.subquery("some")
    query = select(t.refusal).join(found, found.c.id == _r.id).order_by(_r.at.desc(), _r.id.desc())
    if most is not None:
        query = query.limit(most + 1)
    return list(connection.execute(query).mappings())


def _place(row: RowMapping) -> Place:
    return row["at"], row["id"]


def _places(wanted: Wanted, before: Place | None) -> Select[Any]:
    """Moments and ids in the order of the pages, by the index that the filters have."""
    by_rule = bool(wanted.rule)
    at, key = (_x.at, _x.refusal_id.label("id")) if by_rule else (_r.at, _r.id)
    if before is not None:
        wanted = replace(wanted, until=before[0])
    conditions = [*_when(at, wanted, including=before is not None)]
    if before is not None:
        conditions.append(or_(at < before[0], and_(at == before[0], key < before[1])))
    if wanted.sender:
        conditions.append((_x.sender if by_rule else _r.sender) == wanted.sender)
    if by_rule:
        conditions.append(_x.rule == wanted.rule)
    return select(at, key).where(*conditions).order_by(at.desc(), key.desc())


def _when(at: ColumnElement[Any], wanted: Wanted, *, including: bool = False) -> list[ColumnElement[bool]]:
    return [at >= wanted.since, at <= wanted.until if including else at < wanted.until]


def latest_like(connection: Connection, refusal: RowMapping, most: int) -> list[RowMapping]:
    """Other refusals of the same DocumentId by the same sender, the newest first."""
    same = (_r.document_id == refusal["document_id"], _r.sender == refusal["sender"], _r.id != refusal["id"])
    found = select(t.refusal).where(*same).order_by(_r.at.desc(), _r.id.desc()).limit(most)
    return list(connection.execute(found).mappings()) if refusal["document_id"] else []
