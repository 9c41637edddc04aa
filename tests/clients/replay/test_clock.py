"""Scenario time: acts begin at their moments, and time waits for them."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from clients.replay.player.clock import Real, Virtual
from clients.replay.player.working_hours import next_working
from hub.domain.document import VIETNAM


def played(clock: Virtual | Real) -> None:
    asyncio.run(clock.run())


def test_acts_begin_in_the_order_of_their_moments_and_time_is_theirs() -> None:
    clock, seen = Virtual(slack=10.0), []

    async def act(name: str) -> None:
        seen.append((clock.now, name))

    clock.at(86_400.0, act, "ngày hôm sau")
    clock.at(5.0, act, "năm giây")
    clock.at(5.0, act, "cùng lúc, sau")
    played(clock)
    assert seen == [(5.0, "năm giây"), (5.0, "cùng lúc, sau"), (86_400.0, "ngày hôm sau")]


def test_an_act_in_the_past_begins_now_and_time_never_goes_back() -> None:
    clock, seen = Virtual(slack=0.0), []

    async def late() -> None:
        seen.append(clock.now)

    async def first() -> None:
        clock.at(1.0, late)

    clock.at(100.0, first)
    played(clock)
    assert seen == [100.0]


def test_time_goes_no_further_than_the_slack_ahead_of_what_is_at_work() -> None:
    async def run() -> list[float]:
        clock, seen, goes_on = Virtual(slack=60.0), [], asyncio.Event()

        async def slow() -> None:
            await goes_on.wait()

        async def quick() -> None:
            seen.append(clock.now)

        clock.at(0.0, slow)
        for moment in (30.0, 60.0, 61.0):
            clock.at(moment, quick)
        running = asyncio.ensure_future(clock.run())
        while len(seen) < 2:
            await asyncio.sleep(0)
        assert (seen, clock.now) == ([30.0, 60.0], 60.0)
        goes_on.set()
        await running
        return seen

    assert asyncio.run(run()) == [30.0, 60.0, 61.0]


def test_what_an_act_raises_ends_the_run() -> None:
    clock = Virtual(slack=0.0)

    async def broken() -> None:
        raise ValueError("gói tin hỏng")

    clock.at(0.0, broken)
    with pytest.raises(ValueError, match="gói tin hỏng"):
        played(clock)


def test_a_stopped_clock_begins_nothing_more_and_lets_what_is_at_work_end() -> None:
    async def run() -> list[str]:
        clock, seen = Virtual(slack=1e9), []

        async def act(name: str) -> None:
            clock.stop()
            await asyncio.sleep(0)
            seen.append(name)

        clock.at(0.0, act, "đầu")
        running = asyncio.ensure_future(clock.run())
        await asyncio.sleep(0)
        clock.at(1.0, act, "sau")
        await running
        await clock.finish(5.0)
        return seen

    assert asyncio.run(run()) == ["đầu"]


def test_what_does_not_end_is_called_off() -> None:
    async def run() -> int:
        clock = Virtual(slack=0.0)
        clock.at(0.0, asyncio.Event().wait)
        running = asyncio.ensure_future(clock.run())
        while not clock.busy:
            await asyncio.sleep(0)
        clock.stop()
        await running
        await clock.finish(0.0)
        return clock.busy

    assert asyncio.run(run()) == 0


def test_a_real_clock_runs_as_many_times_faster_as_it_is_told() -> None:
    clock, seen = Real(speed=1000.0), []

    async def act() -> None:
        seen.append(clock.now)

    clock.at(50.0, act)  # a twentieth of a second
    played(clock)
    assert seen[0] >= 50.0


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        (datetime(2019, 3, 12, 9, 0, tzinfo=VIETNAM), datetime(2019, 3, 12, 9, 0, tzinfo=VIETNAM)),  # a Tuesday
        (datetime(2019, 3, 12, 7, 29, tzinfo=VIETNAM), datetime(2019, 3, 12, 7, 30, tzinfo=VIETNAM)),
        (datetime(2019, 3, 12, 17, 0, tzinfo=VIETNAM), datetime(2019, 3, 13, 7, 30, tzinfo=VIETNAM)),
        (datetime(2019, 3, 15, 18, 0, tzinfo=VIETNAM), datetime(2019, 3, 18, 7, 30, tzinfo=VIETNAM)),  # Friday evening
        (datetime(2019, 3, 16, 9, 0, tzinfo=VIETNAM), datetime(2019, 3, 18, 7, 30, tzinfo=VIETNAM)),  # Saturday
    ],
)
def test_an_office_works_from_half_past_seven_to_five_on_working_days(moment: datetime, opens: datetime) -> None:
    assert next_working(moment) == opens
