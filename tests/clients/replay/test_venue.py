"""What cannot be played at a hub is told before anything is sent, or written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from clients.replay.player.hubs import HubProblemError
from clients.replay.player.run import Venue, run
from clients.replay.player.sources import of_scenario
from clients.replay.scenario.read import read

HUB = "http://127.0.0.1:9"
PLAYED = replace(of_scenario("smoke", read("smoke")), hub_faults={})


@pytest.mark.parametrize(
    ("terms", "control", "told"),
    [
        ({"virtual": True}, "", "a virtual clock: --control"),
        ({"hub_faults": {"refuse": 0.1}}, "", "faults in the hub: --control"),
        ({"jumps": ((5.0, 60.0),)}, "", "faults in the hub: --control"),
        ({"old_axis": ("limit-255",)}, "", "failures of the old axis: --control"),
        ({"virtual": True, "hub_faults": {"refuse": 0.1}}, "", "a virtual clock and faults in the hub"),
        ({"kills": (5.0,)}, "", "kills the hub"),
        ({"kills": (5.0,)}, HUB, "kills the hub"),
    ],
)
def test_what_a_hub_that_is_there_cannot_do_is_told_first(
    tmp_path: Path, terms: dict[str, Any], control: str, told: str
) -> None:
    out = tmp_path / "run"
    with pytest.raises(HubProblemError, match=told):
        run(replace(PLAYED, **terms), Venue(out, HUB, control, tmp_path / "credentials.json"), Console(quiet=True))
    assert not out.exists()
