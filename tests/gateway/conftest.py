"""What the tests of the gateway dialect ask for: a served hub, on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.served import Served, a_served_hub


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[Served]:
    """A hub on a socket, on each engine."""
    with a_served_hub(tmp_path, database_url) as hub:
        yield hub
