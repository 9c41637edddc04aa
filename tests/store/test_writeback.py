"""SQLite's log is written back to its file beside those who write, and one connection of a process writes."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from builders.databases import opened
from builders.waiting import comes
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.store import engine as engines
from hub.store import tables as t
from hub.store import writeback
from hub.store.engine import open_engine, reading, sole_of, temporary, writing

_s = t.counter.c
NOW = datetime(2025, 10, 1, 8, 30, tzinfo=UTC)
ROWS = 400


@pytest.fixture
def engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(sqlite_template, tmp_path / "hub.db")
    with opened(f"sqlite:///{tmp_path / 'hub.db'}") as found:
        yield found


def write_back(engine: Engine) -> None:
    sole = sole_of(engine)
    assert sole is not None
    writeback.write_back(engine, sole)


def leave_log(engine: Engine) -> None:
    sole = sole_of(engine)
    assert sole is not None
    sole.leave_log(to_others=True)


def note(connection: Connection, number: int) -> None:
    """Some pages of one transaction."""
    connection.execute(update(t.counter).values(seq=number))
    row = {"name": "Xã Tân Hòa", "level": 3, "parent": "", "successor": "", "uncertain": False, "note": "x" * 2000}
    connection.execute(insert(t.agency), [{"code": f"Z{number}-{n}", "changed_at": NOW, **row} for n in range(ROWS)])


def seq_in_the_file_alone(tmp_path: Path) -> int:
    copy = tmp_path / "copy.db"
    shutil.copy(tmp_path / "hub.db", copy)
    with opened(f"sqlite:///{copy}") as found, reading(found) as connection:
        return int(connection.execute(select(_s.seq)).scalar_one())


def test_what_was_committed_gets_into_the_file_while_somebody_reads(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        note(connection, 700)
    assert seq_in_the_file_alone(tmp_path) != 700  # no commit waited for it
    with reading(engine) as reader:
        assert reader.execute(select(_s.seq)).scalar_one() == 700
        write_back(engine)
        assert seq_in_the_file_alone(tmp_path) == 700
        with writing(engine) as connection:
            note(connection, 800)
        assert reader.execute(select(_s.seq)).scalar_one() == 700
        write_back(engine)
        assert reader.execute(select(_s.seq)).scalar_one() == 700


def test_the_log_begins_anew_and_does_not_grow_for_ever(engine: Engine, tmp_path: Path) -> None:
    log, sizes = tmp_path / "hub.db-wal", []
    for number in range(700, 708):
        with writing(engine) as connection:
            note(connection, number)
        sizes.append(log.stat().st_size)
        write_back(engine)
    assert max(sizes) < 2 * sizes[0]


def test_a_hub_that_is_never_idle_begins_its_log_anew_too(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each look somebody still reads what was before the last commit, so that there is always a rest."""
    passed, readers = writeback._passed, list[Connection]()

    def looked(cursor: Any) -> tuple[int, int, int]:
        found = passed(cursor)
        while readers:  # the second look of one writing back finds nobody
            readers.pop().close()
        return found

    monkeypatch.setattr(writeback, "_LONG", 1000)
    monkeypatch.setattr(writeback, "_passed", looked)
    leave_log(engine)
    sizes = []
    for number in range(700, 740):
        readers.append(engine.connect())
        readers[0].execute(select(_s.seq))
        with writing(engine) as connection:
            note(connection, number)
        write_back(engine)
        sizes.append((tmp_path / "hub.db-wal").stat().st_size)
    assert max(sizes) > 1000 * 4096
    assert max(sizes) < 3 * 1000 * 4096 < 40 * sizes[0]


def test_no_commit_writes_the_log_back_while_another_does(engine: Engine, tmp_path: Path) -> None:
    leave_log(engine)
    for number in range(700, 720):  # far more than the thousand pages of SQLite's own
        with writing(engine) as connection:
            note(connection, number)
    assert (tmp_path / "hub.db-wal").stat().st_size > 2 * 1000 * 4096
    assert seq_in_the_file_alone(tmp_path) < 700


def test_a_log_that_a_reader_made_long_is_cut_once_it_has_begun_anew(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_LOG_BYTES", 1024 * 1024)
    monkeypatch.setattr(writeback, "_LONG", 1000)
    leave_log(engine)
    with reading(engine) as reader:
        reader.execute(select(_s.seq)).scalar_one()
        for number in range(700, 720):
            with writing(engine) as connection:
                note(connection, number)
            write_back(engine)
        long = (tmp_path / "hub.db-wal").stat().st_size
    for number in (800, 801):
        write_back(engine)
        with writing(engine) as connection:
            note(connection, number)
    assert (tmp_path / "hub.db-wal").stat().st_size < long / 4


def test_a_full_disk_while_writing_back_is_no_defect(engine: Engine) -> None:
    with engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.execute("PRAGMA max_page_count = 1")
        driver.execute(f"PRAGMA max_page_count = {driver.execute('PRAGMA page_count').fetchone()[0]}")
        with pytest.raises(sqlite3.OperationalError) as told:
            driver.execute("CREATE TABLE more AS SELECT * FROM agency, counter LIMIT 5000")
    refusal = temporary(told.value)
    assert refusal is not None
    assert refusal.code == "storage-full"


def test_it_is_done_again_and_again_while_a_hub_serves(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writeback, "_EVERY", 0.01)
    with writeback.keeping(engine):
        for number in (700, 800):
            with writing(engine) as connection:
                note(connection, number)
            assert comes(lambda number=number: seq_in_the_file_alone(tmp_path) == number)
    assert "writeback" not in [thread.name for thread in threading.enumerate()]


def test_all_threads_of_a_process_write_with_one_connection(engine: Engine) -> None:
    used = set()

    def seen(connection: Connection) -> None:
        used.add(id(connection.connection.dbapi_connection))

    def write(number: int) -> None:
        with writing(engine) as connection:
            seen(connection)
            connection.execute(update(t.counter).values(seq=_s.seq + number))

    with reading(engine) as connection:
        before = connection.execute(select(_s.seq)).scalar_one()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(100)))
    with reading(engine) as connection:
        assert connection.execute(select(_s.seq)).scalar_one() == before + sum(range(100))
    assert len(used) == 1


def test_after_a_fault_another_connection_writes(engine: Engine) -> None:
    def fail() -> None:
        with writing(engine) as connection:
            connection.execute(update(t.counter).values(seq=900))
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fail()
    with writing(engine) as connection:
        assert connection.execute(select(_s.seq)).scalar_one() != 900


def test_who_waits_too_long_for_another_of_the_process_is_told_to_come_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_PATIENCE", 0.05)
    with ThreadPoolExecutor(1) as threads, writing(engine), pytest.raises(PoolTimeout) as told:
        threads.submit(lambda: writing(engine).__enter__()).result()
    refusal = temporary(told.value)
    assert refusal is not None
    assert refusal.code == "busy"


def test_an_engine_that_is_closed_leaves_no_log(engine: Engine, tmp_path: Path) -> None:
    other = open_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    engine.dispose()
    with writing(other) as connection:
        note(connection, 700)
    assert (tmp_path / "hub.db-wal").exists()
    other.dispose()
    assert not (tmp_path / "hub.db-wal").exists()
    assert seq_in_the_file_alone(tmp_path) == 700
