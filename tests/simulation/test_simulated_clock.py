"""The hub's clock by order: it stands, runs and jumps, and leases and expiry follow it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders.axis import START, Peer
from builders.reports import only
from builders.simulated import Simulated, a_simulated_process
from builders.waiting import comes

from hub.simulation.clock import EARLIEST, LATEST, Clock


def clock_at(monotonic: list[float]) -> Clock:
    return Clock(lambda: START, lambda: monotonic[0])


def test_a_clock_nobody_set_is_machine_time() -> None:
    clock = clock_at([0.0])
    assert (clock(), clock.is_machine_time, clock.running) == (START, True, True)


def test_a_clock_stands_until_it_is_told_to_run() -> None:
    passed = [0.0]
    clock = clock_at(passed)
    day = datetime(2019, 3, 12, 1, 0, tzinfo=UTC)
    clock.put(day, running=False)
    passed[0] = 60.0
    assert clock() == day
    clock.put(day, running=True)
    passed[0] = 90.0
    assert clock() == day + timedelta(seconds=30)
    assert not clock.is_machine_time


def test_a_jump_keeps_a_clock_standing_or_running() -> None:
    passed = [0.0]
    clock = clock_at(passed)
    clock.jump(-3600)
    passed[0] = 1.0
    assert (clock(), clock.running) == (START - timedelta(seconds=3599), True)
    clock.put(START, running=False)
    clock.jump(3600)
    passed[0] = 2.0
    assert (clock(), clock.running) == (START + timedelta(hours=1), False)
    clock.release()
    assert (clock(), clock.is_machine_time) == (START, True)


@pytest.mark.parametrize("seconds", [-1e12, 1e12, 1e300])
def test_a_jump_out_of_the_calendar_is_refused_and_changes_nothing(seconds: float) -> None:
    clock = clock_at([0.0])
    clock.put(START, running=False)
    with pytest.raises(ValueError):
        clock.jump(seconds)
    assert clock() == START
    assert EARLIEST < START < LATEST


def test_a_clock_strays_from_its_time_and_never_behind_it() -> None:
    passed = [0.0]
    clock = clock_at(passed)
    clock.stray(600)
    assert (clock(), clock.is_machine_time, clock.running) == (START + timedelta(minutes=10), False, True)
    clock.stray(60)
    assert clock() == START + timedelta(minutes=1)
    clock.put(START, running=False)
    assert clock() == START
    clock.stray(60)
    clock.jump(3600)
    assert clock() == START + timedelta(hours=1)
    clock.stray(60)
    clock.release()
    assert (clock(), clock.is_machine_time) == (START, True)


def test_a_running_clock_stops_at_the_end_of_the_calendar() -> None:
    passed = [0.0]
    clock = clock_at(passed)
    clock.put(LATEST - timedelta(seconds=1), running=True)
    passed[0] = 3600.0
    assert LATEST - timedelta(seconds=1) < clock() < LATEST
    clock.jump(-60)
    assert clock() < LATEST - timedelta(seconds=59)


def test_the_hub_says_what_its_clock_says(hub: Simulated, office: Peer, province: Peer) -> None:
    said = hub.control.put("/clock", {"now": "2025-10-02T08:00:00+07:00"})
    assert said == {"now": "2025-10-02T08:00:00.000+07:00", "running": False, "machine": False}
    assert office.send("H41")["accepted_at"] == datetime(2025, 10, 2, 1, 0, tzinfo=UTC)
    assert hub.control.put("/clock", {"by": -3600.0})["now"] == "2025-10-02T07:00:00.000+07:00"
    assert hub.control.put("/clock", {"now": "2025-10-03T08:00:00+07:00", "running": True})["running"] is True
    assert hub.control.delete("/clock")["machine"] is True


def test_a_jump_ends_a_lease(hub: Simulated, office: Peer, province: Peer) -> None:
    delivery = only(office.send("H41"))
    province.claim(delivery)
    assert province.waiting() == []
    hub.control.put("/clock", {"by": 301})
    assert comes(lambda: province.waiting() == [delivery])


def test_a_jump_lets_a_delivery_expire(hub: Simulated, office: Peer, province: Peer) -> None:
    answer = office.send("H41")
    hub.control.put("/clock", {"by": 31 * 86400})
    assert comes(lambda: hub.axis.states(answer) == {"H41": "expired/none"})
    assert ("expired", "none") in office.outbox()


def test_a_hub_that_is_started_again_stands_where_it_is_told_from_its_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the machine's clock its first sweep once expired all that waited in 2019."""
    monkeypatch.setenv("HUB_SIMULATION_CLOCK", "2019-03-12T08:00:00+07:00")
    with a_simulated_process(tmp_path) as (_, control, _):
        assert control.get("/")["clock"]["now"].startswith("2019-03-12T08:00:00")
