"""Dying at a named step by order."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from builders.simulated import Simulated, a_simulated_process, was_killed

from hub.simulation.steps import STEPS, Deaths

ROOT = Path(__file__).parents[2]


def test_the_table_of_steps_is_that_of_the_exchange() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "hub" / "exchange").glob("*.py"))
    reached = set(re.findall(r"(?<![a-z])at\(\"([a-z-]+)\"\)", source))
    assert len(reached) > 5
    assert set(STEPS) == reached


def test_the_port_tells_the_steps(hub: Simulated) -> None:
    assert hub.control.get("/steps") == list(STEPS)


def test_it_dies_the_nth_time_its_step_is_reached_and_at_no_other() -> None:
    died: list[str] = []
    deaths = Deaths(lambda: died.append("x"))
    deaths.at("before-commit")
    deaths.order("before-commit", 3)
    for step in ("before-commit", "after-commit", "before-commit", "done-written"):
        deaths.at(step)
    assert died == []
    deaths.at("before-commit")
    assert died == ["x"]
    deaths.at("before-commit")
    assert died == ["x"]


def test_a_death_is_told_as_it_stands_and_can_be_called_off() -> None:
    died: list[str] = []
    deaths = Deaths(lambda: died.append("x"))
    assert deaths.as_json() is None
    deaths.order("before-commit", 2)
    deaths.at("before-commit")
    assert deaths.as_json() == {"step": "before-commit", "nth": 1}
    deaths.call_off()
    deaths.at("before-commit")
    assert (died, deaths.as_json()) == ([], None)


@pytest.mark.parametrize(("step", "kept"), [("before-commit", False), ("after-commit", True)])
def test_a_hub_dies_there_and_keeps_what_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, kept: bool
) -> None:
    monkeypatch.setenv("HUB_SWEEP_SECONDS", "3600")  # which commits too: the next commit is the packet's
    with a_simulated_process(tmp_path) as (hub, control, process):
        office, province = hub.peer("G12"), hub.peer("H41")
        packet = office.packet(office.draft("H41"))
        headers = {"Authorization": f"Bearer {office.credentials['token']}"}
        control.put("/death", {"step": step})
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{hub.url}/v1/documents", content=packet, headers=headers)
        assert was_killed(process)
    with a_simulated_process(tmp_path) as (hub, _, _):
        assert len(hub.inbox(province.credentials["token"]).json()["items"]) == kept
        again = httpx.post(f"{hub.url}/v1/documents", content=packet, headers=headers)
        assert again.status_code == (200 if kept else 201)
        assert len(hub.inbox(province.credentials["token"]).json()["items"]) == 1
