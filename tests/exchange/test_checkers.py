"""Packets are checked in processes of their own, which may die or hang without anybody else's harm."""

from __future__ import annotations

import asyncio
import os
import pickle
import select
import signal
import string
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders.axis import Axis, an_axis

from hub.errors import PROBLEMS, Refusal
from hub.exchange import checkers, checks
from hub.exchange.checkers import Processes


@pytest.fixture(scope="module")
def axis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Axis]:
    with an_axis(tmp_path_factory.mktemp("checkers")) as axis:
        yield axis


def within(work: Callable[[Processes], Awaitable[Any]], count: int = 1) -> Any:
    """What comes of work with checkers."""

    async def run() -> Any:
        async with asyncio.timeout(60), Processes(count) as found:
            return await work(found)

    return asyncio.run(run())


def ended(pid: int) -> bool:
    """Waits until a process that is not ours has ended."""
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watch], [], [], 30)[0])
    finally:
        os.close(watch)


def test_a_check_comes_to_the_same_in_another_process(axis: Axis) -> None:
    office, _ = axis.enrol("G22"), axis.enrol("H41")
    packet = office.packet(office.draft("H41"))
    here = office.checked(packet)
    roster = axis.desk.rosters.current(now=True)
    there = within(lambda found: found.run(checks.prepare, packet, here.submission, roster, axis.clock()))
    assert there == here.prepared


def test_a_refusal_comes_back_whole(axis: Axis) -> None:
    office = axis.enrol("G22")
    packet = office.packet(office.draft("H99", "A00", subject=""))
    with pytest.raises(Refusal) as here:
        office.checked(packet)
    arguments = (office.submission(packet), axis.desk.rosters.current(now=True), axis.clock())
    with pytest.raises(Refusal) as there:
        within(lambda found: found.run(checks.prepare, packet, *arguments))
    assert (there.value.code, there.value.violations) == (here.value.code, here.value.violations)
    assert len(there.value.violations) >= 3


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_refusal_survives_the_way(code: str) -> None:
    facts = {name: f"«{name}»" for name in _names(code)}
    refusal = Refusal(code, "MessageHeader/Subject", "Về việc", facts, extra={"first": "x"}, retry_after=7)
    again = pickle.loads(pickle.dumps(refusal))
    assert vars(again) == vars(refusal)


def _names(code: str) -> set[str]:
    line = PROBLEMS[code]
    return {
        name for text in (line.vi, line.en, line.repair) for _, name, _, _ in string.Formatter().parse(text) if name
    }


def test_a_changed_roster_is_sent_before_the_question_that_needs_it(axis: Axis) -> None:
    first = axis.desk.rosters.current(now=True)
    second = replace(first, version=first.version + 1)

    async def ask(found: Processes) -> list[int]:
        return [await found.run(getattr, roster, "version") for roster in (first, first, second, first)]

    assert within(ask) == [first.version, first.version, second.version, first.version]


def test_a_defect_is_told_as_a_defect_and_the_checker_goes_on() -> None:
    async def ask(found: Processes) -> tuple[int, int]:
        before = await found.run(os.getpid)
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            await found.run(divmod, 1, 0)
        return before, await found.run(os.getpid)

    before, after = within(ask)
    assert before == after != os.getpid()


def test_questions_go_to_the_checker_with_the_fewest(tmp_path: Path) -> None:
    """One reads a pipe that nobody writes to yet."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def ask(found: Processes) -> tuple[set[int], bytes]:
        held = asyncio.create_task(found.run(pipe.read_bytes))
        await asyncio.sleep(0)
        others = {await found.run(os.getpid) for _ in range(4)}
        await asyncio.to_thread(pipe.write_bytes, b"x")
        return others, await held

    others, read = within(ask, count=2)
    assert (len(others), read) == (1, b"x")


def test_a_checker_that_dies_spoils_only_what_it_had_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkers, "_PAUSE", 0.0)

    async def ask(found: Processes) -> list[Any]:
        before = await found.run(os.getpid)
        asked = [found.run(os._exit, 9), *(found.run(abs, -n) for n in range(5))]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert await found.run(os.getpid) != before
        return answers

    died, *others = within(ask)
    assert isinstance(died, Refusal)
    assert (died.code, died.problem.temporary) == ("internal", True)
    assert others == [0, 1, 2, 3, 4]


def test_a_checker_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkers, "_PAUSE", 0.0)

    async def ask(found: Processes) -> int:
        with monkeypatch.context() as impatient:
            impatient.setattr(checkers, "_PATIENCE", 0.1)
            hung = asyncio.create_task(found.run(time.sleep, 3600))
            other = asyncio.create_task(found.run(abs, -1))
            with pytest.raises(Refusal, match=r"^internal"):
                await hung
        number: int = await other  # of the next one, which has its usual time
        return number

    assert within(ask) == 1


def test_what_a_sender_no_longer_waits_for_confuses_no_other() -> None:
    async def ask(found: Processes) -> list[int]:
        gone = asyncio.create_task(found.run(abs, -1))
        kept = asyncio.create_task(found.run(abs, -2))
        await asyncio.sleep(0)
        gone.cancel()
        return [await kept, await found.run(abs, -3)]

    assert within(ask) == [2, 3]


def test_what_a_service_manager_sends_to_all_does_not_end_a_checker_before_the_hub() -> None:
    async def ask(found: Processes) -> tuple[int, int]:
        before = await found.run(os.getpid)
        for meant_for_the_hub in (signal.SIGTERM, signal.SIGINT):
            os.kill(before, meant_for_the_hub)
        return before, await found.run(os.getpid)

    before, after = within(ask)
    assert before == after


def test_checkers_end_with_the_hub() -> None:
    assert ended(within(lambda found: found.run(os.getpid)))


def test_checkers_end_with_a_hub_that_is_killed(tmp_path: Path) -> None:
    program = """
import asyncio, os
from hub.exchange.checkers import Processes
async def main():
    async with Processes(1) as found:
        print(await found.run(os.getpid), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    hub = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert hub.stdout is not None
    with hub.stdout:
        pid = int(hub.stdout.readline())
        hub.kill()
        hub.wait()
    assert ended(pid)
