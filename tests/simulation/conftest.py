"""What the tests of the simulator ask for: a hub that misbehaves by order, and three agencies of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.axis import Peer
from builders.simulated import DIALECTS, Simulated, a_simulated_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Simulated]:
    with a_simulated_hub(tmp_path) as running:
        yield running


@pytest.fixture
def office(hub: Simulated) -> Peer:
    """Bộ Tài chính, who sends."""
    return hub.enrol("G12")


@pytest.fixture
def province(hub: Simulated) -> Peer:
    """Nghệ An, who receives."""
    return hub.enrol("H41")


@pytest.fixture
def stranger(hub: Simulated) -> Peer:
    """Hà Tĩnh, to whom nothing is addressed."""
    return hub.enrol("H27")


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)
