"""The schema a database is brought to: what the migrations lead to, from anywhere, by anybody, on both engines."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from builders.axis import Axis
from builders.databases import opened
from builders.reports import office_and_province, only
from sqlalchemy import Connection, Engine, func, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from hub.domain.delivery import TRANSPORT, Transport
from hub.store import schema
from hub.store import tables as t
from hub.store.engine import is_sqlite, reading, writing


def downgrade(engine: Engine, revision: str) -> None:
    settings = schema.config()
    with writing(engine) as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, revision)


def own_tables(connection: Connection) -> set[str]:
    """What there is, apart from the full-text index and Alembic's own table."""
    names = inspect(connection).get_table_names()
    return {name for name in names if not name.startswith("document_fts") and name != "alembic_version"}


def described(engine: Engine) -> dict[str, Any]:
    """Everything the engine can say about the tables: more than Alembic compares (checks, conditions of indexes)."""
    with reading(engine) as connection:
        found = inspect(connection)
        return {
            name: {
                "columns": [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in found.get_columns(name)],
                "key": found.get_pk_constraint(name),
                "references": sorted(map(repr, found.get_foreign_keys(name))),
                "uniques": sorted(map(repr, found.get_unique_constraints(name))),
                "checks": sorted(map(repr, found.get_check_constraints(name))),
                "indexes": sorted(_said(i) for i in found.get_indexes(name) if i["name"] != "document_fts"),
            }
            for name in own_tables(connection)
        }


def _said(index: Any) -> str:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return repr(index | {"dialect_options": options})


def test_an_empty_database_is_brought_to_the_present_revision(empty_url: str) -> None:
    with opened(empty_url) as engine:
        with reading(engine) as connection:
            assert schema.revision_of(connection) is None
        schema.upgrade(engine)
        with reading(engine) as connection:
            assert schema.revision_of(connection) == schema.head()
            assert own_tables(connection) == set(t.metadata.tables)
            assert connection.execute(select(t.counter)).one() == (1, 0, 0, 0, 0)


def test_alembic_finds_nothing_left_to_migrate(empty_url: str) -> None:
    with opened(empty_url) as engine:
        schema.upgrade(engine)
        with reading(engine) as connection:
            options = {"include_name": lambda name, _kind, _parents: not str(name).startswith("document_fts")}
            assert compare_metadata(MigrationContext.configure(connection, opts=options), t.metadata) == []


def test_migrations_make_what_the_tables_say(empty_url: str) -> None:
    with opened(empty_url) as engine:
        schema.upgrade(engine)
        migrated = described(engine)
        downgrade(engine, "base")
        with writing(engine) as connection:
            t.metadata.create_all(connection)
        assert described(engine) == migrated


def test_upgrading_again_changes_nothing(empty_url: str) -> None:
    with opened(empty_url) as engine:
        schema.upgrade(engine)
        with writing(engine) as connection:
            connection.execute(update(t.counter).values(seq=7))
        schema.upgrade(engine)
        with reading(engine) as connection:
            assert connection.execute(select(t.counter.c.seq)).scalar_one() == 7


def test_the_way_down_leaves_nothing_and_the_way_up_is_open_again(empty_url: str) -> None:
    with opened(empty_url) as engine:
        schema.upgrade(engine)
        before = described(engine)
        downgrade(engine, "base")
        with reading(engine) as connection:
            assert schema.revision_of(connection) is None
            assert set(inspect(connection).get_table_names()) == {"alembic_version"}
            if not is_sqlite(connection):
                ours = text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
                assert connection.execute(ours).scalar_one() == 0
        schema.upgrade(engine)
        assert described(engine) == before


UPGRADER = """
import sys
from hub.store import schema
from hub.store.engine import open_engine
engine = open_engine(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
schema.upgrade(engine)
engine.dispose()
"""


def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    command = [sys.executable, "-W", "error", "-c", UPGRADER, empty_url]
    pipe = subprocess.PIPE
    started = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(2)]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [process.communicate(timeout=60)[1] for process in started]
    assert [(process.returncode, end) for process, end in zip(started, ends, strict=True)] == [(0, "")] * 2
    with opened(empty_url) as engine, reading(engine) as connection:
        assert schema.revision_of(connection) == schema.head()
        assert connection.execute(select(func.count()).select_from(t.counter)).scalar_one() == 1


def test_the_database_allows_exactly_the_moves_of_the_table(axis: Axis) -> None:
    sender, recipient = axis.enrol("G22"), axis.enrol("H41")
    sender.send(recipient.code)
    allowed = {(state, state) for state in Transport}
    allowed |= {(state, after) for state, moves in TRANSPORT.items() for after in moves.values()}
    found = set()
    with writing(axis.desk.engine) as connection:
        first = dict(connection.execute(select(t.delivery)).mappings().one())
        for number, (before, after) in enumerate(product(Transport, repeat=2), first["seq"] + 1):
            row = first | {"id": f"{number:024x}", "seq": number, "recipient": f"Nơi nhận {number}"}
            connection.execute(insert(t.delivery), [row | _in_state(before)])
            try:
                with connection.begin_nested():
                    connection.execute(update(t.delivery).where(t.delivery.c.id == row["id"]).values(_in_state(after)))
                found.add((before, after))
            except IntegrityError as fault:
                assert "delivery_moves" in str(fault.orig)  # noqa: PT017  other constraints would be a mistake here
    assert found == allowed


def test_the_database_lets_nothing_be_withdrawn_that_was_fetched(axis: Axis) -> None:
    office, province = office_and_province(axis)
    delivery = only(office.send("H41"))
    province.fetch(delivery)
    with pytest.raises(IntegrityError, match="withdrawn_unseen"), writing(axis.desk.engine) as connection:
        connection.execute(update(t.delivery).values(state="withdrawn"))


def _in_state(state: Transport) -> dict[str, Any]:
    return {"state": state.value, "lease": "1" * 24 if state is Transport.TAKEN else None}
