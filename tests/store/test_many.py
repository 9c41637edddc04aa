"""Rows that are written together: as many as there are, as they are, each once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders.databases import opened
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from hub.store import log_tables as lt
from hub.store import tables as t
from hub.store.engine import reading, writing
from hub.store.many import Changes, Inserts

NOW = datetime(2025, 10, 1, 8, 30, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    with opened(database_url) as found:
        yield found


def agencies(count: int) -> list[dict[str, Any]]:
    return [
        {
            "code": f"Z{n:03}", "name": f"Ủy ban nhân dân xã số {n}", "level": 3, "parent": "", "closed_on": None,
            "successor": "", "uncertain": n % 2 == 0, "note": "", "changed_at": NOW + timedelta(seconds=n),
            "contact": {"email": f"xa{n}@hub.example.vn"} if n % 3 else None,
        }
        for n in range(count)
    ]  # fmt: skip


def stored(connection: Connection) -> list[dict[str, Any]]:
    c = t.agency.c
    names = ("code", "name", "level", "parent", "closed_on", "successor", "uncertain", "note", "changed_at", "contact")
    found = select(*(c[name] for name in names)).where(c.code.startswith("Z")).order_by(c.code)
    return [dict(row) for row in connection.execute(found).mappings()]


@pytest.mark.parametrize("count", [1, 2, 3, 63, 64, 65, 200])
def test_every_row_is_written_as_it_is(engine: Engine, count: int) -> None:
    with writing(engine) as connection:
        Inserts(t.agency).execute(connection, agencies(count))
    with reading(engine) as connection:
        assert stored(connection) == agencies(count)


def test_one_row_that_breaks_a_constraint_breaks_off_all(engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(engine) as connection:
        Inserts(t.agency).execute(connection, [*agencies(70), agencies(1)[0]])
    with reading(engine) as connection:
        assert stored(connection) == []


@pytest.mark.parametrize("count", [1, 2, 3, 63, 64, 65, 200])
def test_every_row_gets_its_own_values_and_those_not_found_are_told(engine: Engine, count: int) -> None:
    change = Changes(t.agency, ("code", "level"), ("name", "changed_at", "contact"))
    rows = [
        {
            "_code": row["code"], "_level": 3, "_to_name": f"{row['name']} (mới)", "_to_changed_at": NOW,
            "_to_contact": {"email": "moi@hub.example.vn"},
        }
        for row in agencies(count)
    ]  # fmt: skip
    gone = {**rows[0], "_level": 2}
    with writing(engine) as connection:
        Inserts(t.agency).execute(connection, agencies(250))
        assert change.execute(connection, [gone, *rows]) == count
    changed = [
        row | {"name": f"{row['name']} (mới)", "changed_at": NOW, "contact": {"email": "moi@hub.example.vn"}}
        for row in agencies(count)
    ]
    with reading(engine) as connection:
        assert stored(connection) == changed + agencies(250)[count:]


def test_octets_stay_octets(engine: Engine) -> None:
    octets = bytes(range(256)) * 2
    with writing(engine) as connection:
        Inserts(lt.log_tile).execute(connection, [{"level": 60, "number": n, "data": octets} for n in range(3)])
    with reading(engine) as connection:
        found = connection.execute(select(lt.log_tile.c.data).where(lt.log_tile.c.level == 60)).scalars()
        assert list(found) == [octets] * 3
