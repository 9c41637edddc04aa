"""A hub that has run for years gets a newer program: its data comes along, old and new processes work side by side,
and nobody changes a database who only looks at it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.axis import Axis, Peer, an_axis
from builders.commands import run
from builders.databases import opened
from builders.postgres import Server
from builders.served import a_served_hub
from sqlalchemy import Connection, Engine, MetaData, insert, select, text, update

from clients.hub_client import HubClient
from hub.domain.search import Query
from hub.errors import Refusal
from hub.exchange.retention import Keep, Keeper
from hub.store import log, schema
from hub.store import tables as t
from hub.store.engine import reading, writing

pytestmark = pytest.mark.long

FIRST = "0001"  # what version 0.1.0 begins with


def tables_of(engine: Engine) -> MetaData:
    """The tables as they are, which an older program knows."""
    found = MetaData()
    found.reflect(engine, only=lambda name, _: name in t.metadata.tables)
    return found


Rows = dict[str, list[dict[str, Any]]]


def filled(folder: Path) -> tuple[Rows, Peer, Peer]:
    """All rows of a hub in which everything has happened."""
    with an_axis(folder) as axis:
        office, province = axis.enrol("G22"), axis.enrol("H41")
        axis.enrol("H27", keyed=False)
        done, answer = office.issue("H41", subject="V/v tiền lương")
        province.receive(answer["deliveries"][0]["id"])
        office.receive(province.report("06", done, other="G22")["delivery"])
        waiting, _ = office.issue("H41")
        office.update(waiting, "H41")
        office.issue("H41", priority="1")
        system = axis.desk.rosters.current(now=True).systems[office.system_id]
        with pytest.raises(Refusal, match="packet-refused"):
            asyncio.run(axis.desk.accept(office.packet(office.draft("Z99")), system, ""))
        return rows_of(axis.desk.engine), office, province


def rows_of(engine: Engine) -> Rows:
    with reading(engine) as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in t.metadata.sorted_tables
        }


def at_the_first(url: str, rows: Rows) -> MetaData:
    """A database as the first program left it; gives its tables."""
    with opened(url) as engine:
        schema.upgrade(engine, FIRST)
        old = tables_of(engine)
        with writing(engine) as connection:
            connection.execute(text("DELETE FROM counter"))
            for table in (each for each in t.metadata.sorted_tables if each.name in old.tables):
                known = set(old.tables[table.name].columns.keys())
                for row in rows[table.name]:
                    connection.execute(insert(table), [{k: v for k, v in row.items() if k in known}])
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT setval('event_id_seq', (SELECT max(id) FROM event))"))
        return old


def test_a_database_of_the_first_program_comes_along_with_all_its_data(tmp_path: Path, empty_url: str) -> None:
    before, office, province = filled(tmp_path / "hub")
    untried = {name for name, rows in before.items() if not rows}
    old = at_the_first(empty_url, before)
    assert untried & old.tables.keys() == {"agency_alias"}
    with an_axis(tmp_path / "hub", empty_url) as axis:
        assert axis.integrate() == len(before["evidence"])
        now = rows_of(axis.desk.engine)
        for row in now["evidence"]:
            assert row.pop("receipt"), "each has been adopted by the log"
        for row in before["evidence"]:
            del row["receipt"]  # of the hub that was, by its keys
        for row in (*now["refusal"], *before["refusal"]):
            del row["tallied"]  # what was there before the figures is left to the first recount
        after = {name: rows for name, rows in now.items() if name in old.tables}
        counted = {"counter"}  # opening the hub takes a number
        for name, rows in after.items():
            if name not in counted:
                assert sorted(map(repr, rows)) == sorted(map(repr, before[name])), name
        office.axis = province.axis = axis
        works(axis, office, province)


def works(axis: Axis, office: Peer, province: Peer) -> None:
    """What waited is received, what comes is accepted, what is over is pared and leaves the search."""
    for row in province.inbox():
        province.receive(row["id"])
    office.send("H41")
    assert len(province.inbox()) == 1
    axis.clock.pass_(days=100)
    with reading(axis.desk.engine) as connection:
        assert len(log.lines(connection, Query(phrases=(("tien", "luong"),)), limit=9)) == 1
    assert asyncio.run(Keeper(axis.desk, Keep(metadata=99)).once())["metadata"] >= 1
    with reading(axis.desk.engine) as connection:
        assert log.lines(connection, Query(phrases=(("tien", "luong"),)), limit=9) == []


def test_who_only_looks_does_not_migrate_and_who_runs_the_hub_does(tmp_path: Path, empty_url: str) -> None:
    """`hub log` of a newer program once migrated the database under the serving one, unasked."""
    rows, _, _ = filled(tmp_path / "hub")
    at_the_first(empty_url, rows)
    data = ("--data-dir", str(tmp_path / "hub"), "--database-url", empty_url)
    looks = [("log",), ("show", "1" * 24), ("agencies",), ("agencies", "--code", "H41", "--action", "lock")]
    looks.append(("backup", str(tmp_path / "backup")))
    for words in looks:
        needed = f"is at schema {FIRST}; this program needs {schema.head()}"
        run(*words, *data).tells("schema-older", needed, "hub migrate")
    assert revision(empty_url) == FIRST
    assert not (tmp_path / "backup").exists()
    end = run("migrate", *data)
    assert (end.code, end.out) == (0, f"schema {schema.head()}\n")
    assert revision(empty_url) == schema.head()
    assert len(run("log", "--json", *data).rows()) == 4


def revision(url: str) -> str | None:
    with opened(url) as engine, reading(engine) as connection:
        return schema.revision_of(connection)


def test_a_process_of_the_first_program_writes_beside_those_of_this_one(tmp_path: Path, postgres: Server) -> None:
    """Workers are replaced one after the other: until the last is, both programs accept and deliver."""
    rows, office, province = filled(tmp_path / "hub")
    url = postgres.create()
    old = at_the_first(url, rows)
    with an_axis(tmp_path / "hub", url) as axis, opened(url) as theirs:
        office.axis = province.axis = axis
        waiting = len(province.inbox())
        with writing(theirs) as connection:
            accepted_by_the_first(connection, old, rows)
        assert len(province.inbox()) == waiting + 1
        new = province.inbox()[-1]
        province.receive(new["id"])
        assert axis.delivery(new["id"]).state == "delivered"
        with reading(theirs) as connection:
            for table in old.tables.values():
                connection.execute(select(table)).all()  # what it reads is still there
    postgres.drop(url)


def accepted_by_the_first(connection: Connection, old: MetaData, rows: Rows) -> None:
    """What the first program's statements do for one more document, with the columns that it knows."""
    c = old.tables["counter"]
    seq = connection.execute(update(c).values(seq=c.c.seq + 10).returning(c.c.seq)).scalar_one()
    document, delivery = rows["document"][-1], rows["delivery"][-1]
    packet = next(row for row in rows["packet"] if row["id"] == delivery["packet_id"])
    ids = {name: f"{n:024x}" for n, name in enumerate(("document", "packet", "delivery"), 1)}
    anew = {
        "document": document | {"seq": seq, "id": ids["document"], "identity": "1" * 64, "number_claim": None},
        "packet": packet | {"id": ids["packet"], "seq": seq - 1, "document_id": ids["document"]},
        "delivery": delivery
        | {"id": ids["delivery"], "seq": seq - 2, "packet_id": ids["packet"], "document_id": ids["document"]}
        | {"state": "waiting", "lease": None, "fetched_at": None, "report_id": None},
    }
    for name, row in anew.items():
        table = old.tables[name]
        connection.execute(insert(t.metadata.tables[name]), [{k: v for k, v in row.items() if k in table.columns}])


def test_a_process_that_meets_a_newer_database_serves_on_and_says_that_it_is_to_be_replaced(
    tmp_path: Path, postgres: Server
) -> None:
    """The other way round: a newer program has migrated, and this one is one of the workers left."""
    url = postgres.create()
    with a_served_hub(tmp_path, url) as served:
        office, province = served.axis.enrol("G22"), served.axis.enrol("H41")
        with opened(url) as theirs, writing(theirs) as connection:
            connection.execute(text("ALTER TABLE document ADD COLUMN later TEXT NOT NULL DEFAULT ''"))
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        ready = httpx.get(f"{served.base_url}/readyz")
        assert (ready.status_code, ready.json()["database"]) == (503, "schema")
        with HubClient(served.base_url, office.credentials["token"]) as client:
            client.send(office.packet(office.draft("H41")))
        assert len(province.inbox()) == 1
        data = ("--data-dir", str(tmp_path), "--database-url", url)
        run("serve", "--port", "0", *data).tells("schema-newer", "9999")
    postgres.drop(url)
