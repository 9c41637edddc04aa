"""Opening a hub: what is made, what must be there, and how what is wrong with it is told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from builders.axis import an_axis
from builders.postgres import Server

from hub.app import open_database, open_hub
from hub.errors import Refusal
from hub.settings import Settings
from hub.store import schema
from hub.store.engine import open_engine


def refused(code: str, settings: Settings, *, create: bool = True) -> Refusal:
    """Opening is refused with this code."""
    with pytest.raises(Refusal, match=f"^{code}") as found, open_hub(settings, create=create):
        pass
    return found.value


def test_who_only_looks_makes_no_hub_where_there_is_none(tmp_path: Path, postgres: Server) -> None:
    url = postgres.create()
    for folder, database_url, where in (
        (tmp_path / "sqlite", "", str(tmp_path / "sqlite" / "hub.db")),
        (tmp_path / "postgresql", url, "postgresql+psycopg://hub@"),
    ):
        settings = Settings(data_dir=folder, database_url=database_url)
        with pytest.raises(Refusal, match=r"^hub-missing") as found, open_database(settings, create=False):
            pass
        assert where in found.value.en
        assert "`hub serve`" in found.value.repair
        assert "`hub migrate`" in found.value.repair
        refused("hub-missing", settings, create=False)
        assert not folder.exists()
        with open_hub(settings):
            pass
        with open_database(settings, create=False), open_hub(settings, create=False):
            pass
    postgres.drop(url)


def test_an_empty_file_is_no_hub(tmp_path: Path) -> None:
    (tmp_path / "hub.db").touch()
    refused("hub-missing", Settings(data_dir=tmp_path), create=False)


def test_a_file_that_is_no_database_is_told_by_its_name_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "hub.db"
    file.write_text("Đây là thư, không phải cơ sở dữ liệu. " * 200)
    before = file.read_bytes()
    for create in (True, False):
        told = refused("database-unusable", Settings(data_dir=tmp_path), create=create)
        assert f"{file} cannot be used: file is not a database" in told.en
    assert file.read_bytes() == before


def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "hub"
    file.touch()
    assert f"{file} cannot be used: it is no folder" in refused("folder-unusable", Settings(data_dir=file)).en
    assert "Not a directory" in refused("folder-unusable", Settings(data_dir=file / "var")).en
    assert str(file) in refused("folder-unusable", Settings(data_dir=tmp_path, payloads_url=f"file://{file}")).en


def test_a_database_where_no_folder_is_or_in_a_url_that_is_none_is_told(tmp_path: Path) -> None:
    for url, told in (
        (f"sqlite:///{tmp_path}/none/hub.db", f"{tmp_path}/none/hub.db cannot be used: unable to open database file"),
        ("postgresql://hub:geheim@127.0.0.1:cổng/hub", "HUB_DATABASE_URL cannot be used: "),
    ):
        refusal = refused("database-unusable", Settings(data_dir=tmp_path, database_url=url))
        assert told in refusal.en
        assert "geheim" not in str(refusal)


def test_a_database_of_a_newer_program_is_told(tmp_path: Path) -> None:
    with an_axis(tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / "hub.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for create in (True, False):
        told = refused("schema-newer", Settings(data_dir=tmp_path), create=create)
        assert f"{tmp_path / 'hub.db'} is at schema 9999, newer than this program's {schema.head()}" in told.en


def test_a_database_of_an_older_program_is_told_by_who_only_looks_and_migrated_by_who_serves(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    engine = open_engine(settings.database)
    schema.upgrade(engine, "0001")
    engine.dispose()
    told = refused("schema-older", settings, create=False)
    assert f"{tmp_path / 'hub.db'} is at schema 0001" in told.en
    with open_hub(settings), open_database(settings, create=False):
        pass


def test_a_lost_key_file_is_not_replaced_while_systems_are_enrolled(tmp_path: Path, database_url: str) -> None:
    """A new key used to be made in silence; no gateway secret could be read with it."""
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    with an_axis(tmp_path, database_url) as axis:
        (tmp_path / "secrets.key").unlink()
    with an_axis(tmp_path, database_url) as axis:  # nobody is enrolled: a new key is as good
        axis.enrol("H41")
        axis.steer("H41", "lock")
    (tmp_path / "secrets.key").rename(tmp_path / "backup.key")
    refused("key-file-lost", settings)
    assert not (tmp_path / "secrets.key").exists()
    with open_database(settings, create=False):
        pass  # who only looks needs no key
    (tmp_path / "backup.key").rename(tmp_path / "secrets.key")
    with open_hub(settings):
        pass
