"""What every test may ask for: a database of its own on each engine, and a hub on it.

Databases are copies of one that was migrated and seeded once per test process.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog
from builders.axis import Axis, an_axis
from builders.databases import opened
from builders.objects import ObjectServer
from builders.postgres import Server, name_of
from sqlalchemy import delete

from hub.app import open_hub
from hub.settings import Settings
from hub.store.engine import writing
from hub.store.log_tables import log_head, signing_key

for _name in [name for name in os.environ if name.startswith("HUB_")]:
    del os.environ[_name]  # the settings of whoever runs the tests are not the tests'

hypothesis.settings.register_profile("hub", deadline=None, derandomize="CI" in os.environ, print_blob=True)
hypothesis.settings.load_profile("hub")

# Log lines go nowhere; structlog.testing.capture_logs still sees them.
structlog.configure(
    processors=[structlog.processors.KeyValueRenderer()], logger_factory=structlog.ReturnLoggerFactory()
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """This process's PostgreSQL server. A test that stops or kills one starts a ``Server`` of its own."""
    with Server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, on each engine."""
    if request.param == "sqlite":
        (tmp_path / "new").mkdir()
        yield f"sqlite:///{tmp_path / 'new' / 'hub.db'}"
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def objects() -> Iterator[ObjectServer]:
    """This process's S3 server. A test that stops one starts an ``ObjectServer`` of its own."""
    with ObjectServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated and seeded database to copy."""
    url = postgres.create()
    _prepare(Settings(data_dir=tmp_path_factory.mktemp("template"), database_url=url))
    return name_of(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a migrated and seeded database to copy."""
    folder = tmp_path_factory.mktemp("template")
    _prepare(Settings(data_dir=folder))
    assert not (folder / "hub.db-wal").exists(), "the copy would lack what is only in the log"
    return folder / "hub.db"


def _prepare(settings: Settings) -> None:
    """A database to copy: without keys, since the key file that reads them is not copied with it."""
    with open_hub(settings):
        pass
    with opened(settings.database) as engine, writing(engine) as connection:
        for table in (log_head, signing_key):
            connection.execute(delete(table))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with the present schema and the packaged agencies, on each engine."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "hub.db")
        yield f"sqlite:///{tmp_path / 'hub.db'}"
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.create(request.getfixturevalue("postgres_template"))
    yield url
    server.drop(url)


@pytest.fixture
def axis(tmp_path: Path, database_url: str) -> Iterator[Axis]:
    """A running hub without its HTTP interface, on each engine."""
    with an_axis(tmp_path, database_url) as running:
        yield running
