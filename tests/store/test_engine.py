"""Both engines keep the same promises; faults that pass by themselves are told from defects."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders.databases import opened
from builders.postgres import Server
from sqlalchemy import Engine, create_engine, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.domain.document import VIETNAM
from hub.store import tables as t
from hub.store.engine import RETRY_AFTER, is_sqlite, reading, temporary, writing
from hub.store.ids import new_id
from hub.store.payloads import Folder

NOW = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    with opened(database_url) as found:
        yield found


def seq_of(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(t.counter.c.seq)).scalar_one())


def refused_as(fault: BaseException) -> str | None:
    refusal = temporary(fault)
    if refusal is None:
        return None
    assert refusal.retry_after == RETRY_AFTER
    return refusal.code


def test_read_and_written_by_eight_threads_at_once_nothing_is_lost(engine: Engine) -> None:
    before = seq_of(engine)

    def add_twenty(_: int) -> None:
        for _ in range(20):
            with writing(engine) as connection:
                # PostgreSQL locks the row read; SQLite has nothing but the lock `writing` begins with.
                seq = connection.execute(select(t.counter.c.seq).with_for_update()).scalar_one()
                connection.execute(update(t.counter).values(seq=seq + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_twenty, range(8)))
    assert seq_of(engine) == before + 160


def test_an_exception_takes_everything_back(engine: Engine) -> None:
    before = seq_of(engine)

    def stop_halfway() -> None:
        with writing(engine) as connection:
            connection.execute(update(t.counter).values(seq=before + 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stop_halfway()
    assert seq_of(engine) == before


def test_a_reader_neither_waits_for_a_writer_nor_sees_what_is_not_committed(engine: Engine) -> None:
    before = seq_of(engine)
    with writing(engine) as connection:
        connection.execute(update(t.counter).values(seq=before + 1))
        assert seq_of(engine) == before
    assert seq_of(engine) == before + 1


def test_references_are_enforced(engine: Engine) -> None:
    row = {"system_id": "0" * 24, "code_hash": "", "expires_at": NOW, "tries_left": 5}
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(insert(t.one_time_code), [row])


def test_moments_come_back_in_utc_to_the_microsecond(engine: Engine) -> None:
    at = datetime(2025, 10, 1, 9, 0, 0, 123456, tzinfo=VIETNAM)
    values = {"id": new_id(NOW), "seq": 1, "kind": "accept", "document_id": "0" * 24, "nonce": "", "body": {}}
    with writing(engine) as connection:
        connection.execute(insert(t.evidence), [values | {"at": at}])
        found = connection.execute(select(t.evidence.c.at)).scalar_one()
    assert found == at
    assert found.utcoffset() == timedelta(0)


def test_sqlite_syncs_every_commit_and_keeps_readers_apart_from_the_writer(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'hub.db'}") as engine, reading(engine) as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("synchronous", "journal_mode")
        }
    assert pragmas == {"synchronous": 2, "journal_mode": "wal"}


def test_a_new_file_that_another_process_is_just_making_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "hub.db"
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as other,
        opened(f"sqlite:///{file}") as engine,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(lambda: engine.connect().close())
        try:
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.1)
        finally:
            other.execute("COMMIT")
        waiting.result()


def test_ids_of_later_seconds_sort_later_and_never_repeat() -> None:
    ids = [new_id(NOW + timedelta(seconds=second)) for second in range(3)]
    assert ids == sorted(ids)
    assert all(len(found) == 24 and int(found, 16) for found in ids)
    assert len({new_id(NOW) for _ in range(1000)}) == 1000


def test_a_full_disk_under_sqlite_is_told_as_full_storage(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'hub.db'}") as engine, writing(engine) as connection:
        connection.execute(text("CREATE TABLE paper (sheet BLOB)"))
        connection.execute(text("PRAGMA max_page_count=3"))
        with pytest.raises(DBAPIError) as fault:
            connection.execute(text("INSERT INTO paper VALUES (zeroblob(100000))"))
    assert refused_as(fault.value) == "storage-full"


def test_a_full_disk_under_postgresql_is_told_as_full_storage(postgres: Server) -> None:
    full = text("DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$")
    with opened(postgres.url("postgres")) as engine:
        with pytest.raises(DBAPIError) as fault, writing(engine) as connection:
            connection.execute(full)
        assert refused_as(fault.value) == "storage-full"


def test_a_full_disk_under_payloads_is_told_as_full_storage(tmp_path: Path) -> None:
    (tmp_path / "packet.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space") as fault:
        Folder(tmp_path).put("packet.edxml", b"x")
    assert refused_as(fault.value) == "storage-full"


@pytest.fixture(scope="module")
def mortal() -> Iterator[Server]:
    """A server to stop and to kill."""
    with Server() as server:
        yield server


@pytest.mark.parametrize("end", [Server.stop, Server.kill])
def test_a_database_that_goes_away_is_told_as_such_and_found_again(
    mortal: Server, end: Callable[[Server], None]
) -> None:
    ask = text("SELECT 1")
    with opened(mortal.create()) as engine:
        with reading(engine) as connection:
            connection.execute(ask)
            end(mortal)
            with pytest.raises(DBAPIError) as in_use:
                connection.execute(ask)
        with pytest.raises(DBAPIError) as anew:
            engine.connect()
        mortal.start()
        with reading(engine) as connection:
            assert connection.execute(ask).scalar_one() == 1
    assert [refused_as(fault.value) for fault in (in_use, anew)] == ["database-away", "database-away"]


def test_a_database_file_that_cannot_be_opened_is_away(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'none' / 'hub.db'}") as engine:
        with pytest.raises(DBAPIError) as fault:
            engine.connect()
        assert refused_as(fault.value) == "database-away"


def test_a_lock_that_is_not_given_in_time_will_pass(engine: Engine) -> None:
    with writing(engine) as holding:
        holding.execute(update(t.counter).values(seq=t.counter.c.seq + 1))
        with reading(engine) as waiting:
            quick = "PRAGMA busy_timeout=1" if is_sqlite(waiting) else "SET lock_timeout = 1"
            waiting.execute(text(quick))
            with pytest.raises(DBAPIError) as fault:
                waiting.execute(update(t.counter).values(seq=0))
    assert refused_as(fault.value) == "busy"


def test_no_connection_free_in_time_is_told_as_busy(tmp_path: Path) -> None:
    small = create_engine(f"sqlite:///{tmp_path / 'hub.db'}", pool_size=1, max_overflow=0, pool_timeout=0.01)
    with small.connect(), pytest.raises(PoolTimeout) as fault:
        small.connect()
    small.dispose()
    assert refused_as(fault.value) == "busy"


@pytest.mark.parametrize("defect", ["SELECT nothing FROM nowhere", "SELEC 1", "INSERT INTO counter VALUES (1, 0, 0)"])
def test_a_defect_is_not_taken_for_a_fault_that_passes(engine: Engine, defect: str) -> None:
    with pytest.raises(DBAPIError) as fault, writing(engine) as connection:
        connection.execute(text(defect))
    assert refused_as(fault.value) is None


def test_a_statement_with_too_many_values_is_a_defect_and_not_a_database_that_went_away(engine: Engine) -> None:
    most = 250_000 if engine.dialect.name == "sqlite" else 65_535  # SQLite's as distributions build it
    query = select(t.document.c.id).where(t.document.c.id.in_([str(n) for n in range(most + 1)]))
    with pytest.raises(DBAPIError) as fault, reading(engine) as connection:
        connection.execute(query)
    assert refused_as(fault.value) is None


@pytest.mark.parametrize("defect", [ValueError("x"), KeyError("x"), PermissionError(13, os.strerror(13))], ids=repr)
def test_other_exceptions_are_defects(defect: Exception) -> None:
    assert refused_as(defect) is None


@pytest.mark.parametrize(
    ("url", "hosts", "ports", "mode"),
    [
        ("postgresql://hub:m%40t@db1:5432,db2:5433/hub?target_session_attrs=any", "db1,db2", "5432,5433", "any"),
        ("postgresql://hub@db1,db2:5433/hub?sslmode=require", "db1,db2", ",5433", "read-write"),
        ("postgresql://[::1]:5432,[::2]:5433/hub", "::1,::2", "5432,5433", "read-write"),
        ("postgresql://hub@%2Frun%2Fa,%2Frun%2Fb/hub", "/run/a,/run/b", ",", "read-write"),
    ],
)
def test_several_servers_are_named_as_libpq_names_them(url: str, hosts: str, ports: str, mode: str) -> None:
    """SQLAlchemy reads no such URL: it took what follows the first port for a part of it."""
    with opened(url) as engine:
        given = engine.dialect.create_connect_args(engine.url)[1]
    assert (given["host"], given["port"], given["target_session_attrs"]) == (hosts, ports, mode)
    assert given["dbname"] == "hub"
    assert given.get("password") in {None, "m@t"}
    assert given.get("sslmode") in {None, "require"}
