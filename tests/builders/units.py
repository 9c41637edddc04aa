"""Units that systems register, and what only the operator can change about them, in the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from datetime import date
from typing import Any

import pytest
from builders.axis import Axis, Peer
from sqlalchemy import insert, select, update

from hub.domain.agency import Agency
from hub.errors import Refusal
from hub.exchange import units
from hub.exchange.writer import Transaction
from hub.store import tables as t
from hub.store.engine import reading
from hub.store.roster import Roster


def register(peer: Peer, code: str, name: str = "Sở Nội vụ tỉnh Nghệ An", **said: str) -> dict[str, Any]:
    made: dict[str, Any] = submit(peer, code, name, **said).result()
    return made


def submit(peer: Peer, code: str, name: str = "Sở Nội vụ tỉnh Nghệ An", **said: str) -> Future[Any]:
    return peer.axis.desk.writer.submit(units.register, units.Unit(peer.system_id, code, name, **said))


def remove(peer: Peer, code: str) -> None:
    peer.axis.desk.writer.run(units.remove, units.Removal(peer.system_id, code))


def refused(rule: str) -> Any:
    return pytest.raises(Refusal, match=rf"^{rule}:")


def refusal(verb: Callable[..., object], *arguments: Any, **said: str) -> tuple[str, str]:
    """The code of what is refused and the field it is about."""
    with pytest.raises(Refusal) as told:
        verb(*arguments, **said)
    json.dumps([told.value.vi, told.value.en, told.value.value], ensure_ascii=False).encode()  # can be answered
    return told.value.code, told.value.pointer


def current(axis: Axis) -> Roster:
    return axis.desk.rosters.current(now=True)


def listed(axis: Axis, code: str) -> Agency | None:
    return current(axis).directory.listed(code)


def contact(axis: Axis, code: str) -> dict[str, str]:
    with reading(axis.desk.engine) as connection:
        found: dict[str, str] = connection.execute(
            select(t.agency.c.contact).where(t.agency.c.code == code)
        ).scalar_one()
    return found


def by_operator(axis: Axis, *statements: Any) -> None:
    """What only the operator can change, in the database."""

    def change(tx: Transaction, jobs: list[Any]) -> list[Any]:
        for statement in statements:
            tx.connection.execute(statement)
        tx.directory_changed()
        return jobs

    axis.desk.writer.run(change, None)


def listing(code: str, name: str, parent: str = "H41", closed_on: date | None = None, successor: str = "") -> Any:
    row = {"code": code, "name": name, "level": 2, "parent": parent, "closed_on": closed_on, "successor": successor}
    return insert(t.agency).values(**row, uncertain=False, note="")


def closing(code: str, day: date) -> Any:
    return update(t.agency).where(t.agency.c.code == code).values(closed_on=day)


def mapping(code: str, same_as: str) -> Any:
    return insert(t.agency_alias).values(code=code, same_as=same_as)
