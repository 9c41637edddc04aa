"""What the tests of the clients ask for: one served hub per file, and two agencies that reach it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from builders.axis import Peer
from builders.calling import OFFICE, PROVINCE, enrolled
from builders.served import Served, a_served_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_served_hub(tmp_path_factory.mktemp("hub")) as served:
        yield served


@pytest.fixture(scope="module")
def office(hub: Served) -> Peer:
    return enrolled(hub, OFFICE)


@pytest.fixture(scope="module")
def province(hub: Served) -> Peer:
    return enrolled(hub, PROVINCE)
