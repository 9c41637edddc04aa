"""What the tests of the store may ask for besides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.postgres import Server


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
