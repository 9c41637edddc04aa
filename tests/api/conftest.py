"""What the tests of the REST API ask for: a hub behind it, on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.api import Hub, a_hub


@pytest.fixture
def hub(tmp_path: Path, database_url: str) -> Iterator[Hub]:
    """A hub that answers, on each engine."""
    with a_hub(tmp_path, database_url) as running:
        yield running


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One for all tests of a file."""
    with a_hub(tmp_path_factory.mktemp("shared")) as running:
        yield running
