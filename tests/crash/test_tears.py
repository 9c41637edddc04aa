"""The tears themselves: recovery would take what is torn, were it whole, and has what was committed before it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import psycopg
import pytest

from tests.builders.postgres import Server
from tests.crash import tears
from tests.crash.tears import FORMS, Log, read_log

AGENCIES = [f"UBND tỉnh Lai Châu, văn bản {number}" for number in range(300)]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a kill leaves it: the log has all that was written since the last checkpoint."""
    folder = tmp_path_factory.mktemp("killed")
    with closing(sqlite3.connect(tmp_path_factory.mktemp("serving") / "hub.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE document (name TEXT)")
        for half in (AGENCIES[:150], AGENCIES[150:]):
            connection.execute("PRAGMA wal_checkpoint(RESTART)")  # the second half's frames lie over the first's
            for name in half:
                connection.execute("INSERT INTO document VALUES (?)", (name,))
                connection.commit()
        [(_, _, path)] = connection.execute("PRAGMA database_list")
        for file in (Path(path), Path(f"{path}-wal")):
            shutil.copy(file, folder)
    return folder


@pytest.fixture
def dead(killed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(killed, tmp_path / "dead"))


def log_of(folder: Path) -> Log:
    log = read_log(folder / "hub.db-wal")
    assert log is not None
    assert len(log.committed) > 3
    return log


def found(folder: Path) -> list[str]:
    """What a database recovers, and that it is sound."""
    with closing(sqlite3.connect(folder / "hub.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [name for (name,) in connection.execute("SELECT name FROM document ORDER BY rowid")]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("form", FORMS)
def test_behind_a_torn_transaction_and_checkpoint_all_is_there(dead: Path, form: str, seed: int) -> None:
    log = log_of(dead)
    database, written = (dead / "hub.db").read_bytes(), log.path.read_bytes()
    tears.tear_log(log, dead / "hub.db", form, Random(seed))
    tears.tear_checkpoint(log, dead / "hub.db", Random(seed))
    assert log.path.read_bytes()[: log.end] == written[: log.end]
    assert log.path.read_bytes() != written
    assert (dead / "hub.db").read_bytes() != database
    assert found(dead) == AGENCIES


@pytest.mark.parametrize("seed", range(5))
def test_the_same_transaction_whole_is_taken(dead: Path, seed: int) -> None:
    log = log_of(dead)
    with open(log.path, "r+b") as file:
        file.seek(log.end)
        file.write(tears.transaction(log, dead / "hub.db", Random(seed)))
    assert log_of(dead).end > log.end
    with pytest.raises((sqlite3.DatabaseError, AssertionError)):  # its pages are noise
        found(dead)


def test_a_tear_before_the_end_of_the_log_is_a_loss(dead: Path) -> None:
    log = log_of(dead)
    with open(log.path, "r+b") as file:
        file.seek(log.end - 1)
        file.write(b"\xff")
    assert len(found(dead)) == len(AGENCIES) - 1


def test_each_death_has_the_next_form_and_a_torn_payload(dead: Path) -> None:
    (dead / "payloads").mkdir()
    told: list[str] = []
    tear = tears.torn(1, told.append)
    for _ in FORMS:
        tear(dead)
    assert [what for what in told if "log" in what] == [f"log torn, {form}" for form in FORMS]
    assert len(list((dead / "payloads").glob("*.part"))) == told.count("payload torn") == len(FORMS)
    assert found(dead) == AGENCIES


def test_a_hub_without_a_log_has_none_torn(tmp_path: Path) -> None:
    told: list[str] = []
    tears.torn(1, told.append)(tmp_path)
    (tmp_path / "hub.db-wal").write_bytes(bytes(4096))  # no header yet
    tears.torn(1, told.append)(tmp_path)
    assert told == []


def test_postgresql_recovers_all_before_a_record_whose_content_never_came() -> None:
    with Server(durable=True) as server:
        url = server.create()
        chance = Random(20251001)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE document (name text)")
        for place in range(0, len(AGENCIES), 100):
            with psycopg.connect(url, autocommit=True) as connection:
                for name in AGENCIES[place : place + 100]:
                    connection.execute("INSERT INTO document VALUES (%s)", (name,))
            server.kill()
            at = tears.tear_postgresql(server, chance)
            server.start()
            assert f"incorrect resource manager data checksum in record at {at}" in server.log()
        with psycopg.connect(url) as connection:
            assert [name for (name,) in connection.execute("SELECT name FROM document")] == AGENCIES
