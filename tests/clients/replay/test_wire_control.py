"""The harness's client of the control port, against the port of a simulated hub."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.axis import START
from builders.simulated import Simulated, a_simulated_hub
from builders.speaking import DIALECTS, speaker

from clients.replay.wire.control import Control
from clients.replay.wire.dialects import Refused
from clients.replay.wire.lines import Lines, NoAnswer
from hub.domain.document import VIETNAM


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Simulated]:
    with a_simulated_hub(tmp_path) as hub:
        yield hub


def told(hub: Simulated, story: Callable[[Control], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Control(hub.control.url) as control:
            await story(control)

    asyncio.run(run())


def stands(hub: Simulated) -> Any:
    return httpx.get(hub.control.url, trust_env=False).json()


def test_the_clock_is_put_jumps_and_is_let_go(simulated: Simulated) -> None:
    at = datetime(2019, 3, 12, 8, tzinfo=VIETNAM)
    clock = simulated.axis.clock

    async def story(control: Control) -> None:
        await control.clock(at)
        assert clock() == at
        await control.jump(-3600.0)
        assert clock() == at - timedelta(hours=1)
        await control.clock(None)

    told(simulated, story)
    assert clock() > START


def test_what_is_ordered_stands_until_it_is_taken_back(simulated: Simulated) -> None:
    async def story(control: Control) -> None:
        await control.faults(7, {"refuse": 0.25, "delay_seconds": 2.0})
        await control.mutants(8, {"lose": 0.5})
        await control.old_axis(["limit-255", "sender-is-always-vpcp"])
        await control.death("before-commit", 1_000_000)
        state = stands(simulated)
        assert {name: state["faults"][name] for name in ("seed", "refuse", "delay_seconds")} == {
            "seed": 7, "refuse": 0.25, "delay_seconds": 2.0,
        }  # fmt: skip
        assert (state["mutants"]["seed"], state["mutants"]["lose"]) == (8, 0.5)
        assert sorted(state["old_axis"]) == ["limit-255", "sender-is-always-vpcp"]
        await control.faults()
        await control.mutants()
        await control.old_axis([])
        state = stands(simulated)
        assert (state["faults"]["refuse"], state["mutants"]["lose"], state["old_axis"]) == (0, 0, [])

    told(simulated, story)


def test_what_the_port_refuses_is_raised_with_what_is_allowed(simulated: Simulated) -> None:
    async def story(control: Control) -> None:
        with pytest.raises(httpx.HTTPStatusError, match=r"HTTP 422: .*before-commit"):
            await control.death("never", 1)

    told(simulated, story)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_fault_of_the_hub_is_told_under_the_mark_it_met(dialect: str, simulated: Simulated) -> None:
    office = simulated.enrol("G22")

    async def story(control: Control) -> None:
        async with Lines(simulated.base_url) as lines:
            system = speaker(dialect, lines, office)
            await control.faults(7, {"refuse": 1.0})
            with pytest.raises(Refused) as caught:
                await system.look("", "l1.1")
            assert (caught.value.temporary, caught.value.code) == (True, "busy")
            await control.faults(7, {"lose-answer": 1.0})
            with pytest.raises(NoAnswer, match=r"^(cut|reset): "):
                await system.look("", "l2.1")
            await control.faults()
            await system.look("", "l3.1")
        items, after = await control.injected()
        more = "" if dialect == "rest" else ".edoc"
        assert [(item["fault"], item["mark"]) for item in items] == [
            ("refuse", f"l1.1{more}"), ("lose-answer", f"l2.1{more}"),
        ]  # fmt: skip
        assert (await control.injected(after)) == ((), after)

    told(simulated, story)
