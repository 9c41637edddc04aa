"""An answer of many rows as one value of SQLite's: the same rows as one by one, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from builders.databases import opened
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, Select, bindparam, delete, select
from sqlalchemy.exc import NoResultFound

from hub.store import tables as t
from hub.store.engine import reading, writing
from hub.store.many import Inserts
from hub.store.whole import Whole

NOW = datetime(2020, 3, 1, 23, 59, 59, 1, tzinfo=UTC)
_c = t.agency.c


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    with opened(database_url) as found:
        yield found


def put(engine: Engine, notes: list[str]) -> None:
    with writing(engine) as connection:
        connection.execute(delete(t.agency).where(_c.code.startswith("Z")))
        rows = [
            {
                "code": f"Z{n:03}", "name": "Ủy ban nhân dân xã Tân Hòa", "level": 3 + n % 2, "parent": "",
                "closed_on": date(2025, 7, 1) if n % 2 else None, "successor": "", "uncertain": n % 2 == 0,
                "note": note, "changed_at": NOW, "contact": {"thư": [note, n, None, True]} if n % 3 else None,
            }
            for n, note in enumerate(notes)
        ]  # fmt: skip
        if rows:
            Inserts(t.agency).execute(connection, rows)


def named(*, latest_first: bool) -> Select[tuple[str]]:
    order = _c.code.desc() if latest_first else _c.code
    return select(t.agency).where(_c.code.startswith("Z"), _c.code >= bindparam("least")).order_by(order)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("latest_first", [False, True])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notes=st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20), max_size=12))
def test_the_rows_are_those_read_one_by_one(engine: Engine, latest_first: bool, notes: list[str]) -> None:
    put(engine, notes)
    query = named(latest_first=latest_first)
    with reading(engine) as connection:
        each = connection.execute(query, {"least": "Z001"}).mappings().all()
        together = Whole(query).of(connection, {"least": "Z001"}).mappings().all()
    assert [dict(row) for row in together] == [dict(row) for row in each]
    assert len(together) == max(0, len(notes) - 1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_row_is_read_by_its_names_and_by_its_places(engine: Engine) -> None:
    put(engine, ["a", "b"])
    whole = Whole(select(_c.code, _c.note).where(_c.code.startswith("Z")))
    with reading(engine) as connection:
        assert [(row.code, row[1]) for row in whole.of(connection, {})] == [("Z000", "a"), ("Z001", "b")]
        assert whole.of(connection, {}).scalars().all() == ["Z000", "Z001"]
        with pytest.raises(NoResultFound):
            Whole(select(_c.code).where(_c.code == "none")).of(connection, {}).one()


def test_bytes_are_refused_when_the_query_is_made() -> None:
    with pytest.raises(TypeError, match="bytes"):
        Whole(select(t.packet.c.id, t.packet.c.body))
