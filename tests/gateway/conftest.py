"""What the tests of the gateway dialect ask for: a served hub, alone or on each engine, and two agencies of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.axis import Peer
from builders.served import Served, a_served_hub


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[Served]:
    """A hub on a socket, on each engine."""
    with a_served_hub(tmp_path, database_url) as hub:
        yield hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Served]:
    """A hub on a socket."""
    with a_served_hub(tmp_path) as running:
        yield running


@pytest.fixture
def province(hub: Served) -> Peer:
    """Nghệ An, who receives; Đà Nẵng is there too."""
    hub.axis.enrol("H17")
    return hub.axis.enrol("H41")


@pytest.fixture
def office(hub: Served, province: Peer) -> Peer:
    """Văn phòng Chính phủ, who sends."""
    return hub.axis.enrol("G22")
