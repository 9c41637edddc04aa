"""What goes wrong on the way, on purpose: who meets what, and each of it as a real hub and its caller see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from builders.scripted import a_scripted_server, answers, closes, is_silent, says, then
from builders.served import nobody_listens

from clients.replay.planned import chance
from clients.replay.wire.faults import FAULTS, NetworkFaults
from clients.replay.wire.lines import Answer, Lines, NoAnswer

MARKS = [f"d{n}.1" for n in range(1, 20_001)]
REQUEST = b"POST / HTTP/1.1\r\nHost: hub.example.vn\r\nContent-Length: 40\r\n\r\n" + b"x" * 40
QUESTION = b"GET / HTTP/1.1\r\nHost: hub.example.vn\r\n\r\n"

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return asyncio.run if request.param == "asyncio" else uvloop.run


def test_the_same_seed_gives_the_same_faults_and_another_seed_others() -> None:
    shares = dict.fromkeys(FAULTS, 0.1)
    first, again, other = (NetworkFaults(seed, shares) for seed in (7, 7, 8))
    met = [first.of(mark) for mark in MARKS]
    assert met == [again.of(mark) for mark in MARKS]
    assert met != [other.of(mark) for mark in MARKS]


def test_each_fault_meets_its_share() -> None:
    for fault in FAULTS:
        faults = NetworkFaults(7, {fault: 0.05})
        met = [faults.of(mark) for mark in MARKS]
        assert set(met) == {"", fault}
        assert 0.04 < met.count(fault) / len(MARKS) < 0.06


def test_without_shares_nothing_goes_wrong_and_a_share_of_one_leaves_nobody_out() -> None:
    assert {NetworkFaults(7, {}).of(mark) for mark in MARKS} == {""}
    assert {NetworkFaults(7, {"reset": 0.0}).of(mark) for mark in MARKS} == {""}
    assert {NetworkFaults(7, {"reset": 1.0}).of(mark) for mark in MARKS} == {"reset"}


def test_the_faults_of_a_run_do_not_depend_on_those_that_are_off() -> None:
    alone = NetworkFaults(7, {"reset": 0.1})
    beside = NetworkFaults(7, {"reset": 0.1, "wrong-length": 0.1})
    assert all(beside.of(mark) == "reset" for mark in MARKS if alone.of(mark))


def test_a_fault_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(ValueError, match=r"no network fault: cut; there are cut-request, .*wrong-length"):
        NetworkFaults(7, {"cut": 0.1})


class Meeting:
    """Every request meets one fault; what was told of it, and the pauses that were asked for and not slept."""

    def __init__(self, fault: str) -> None:
        self.told: list[tuple[str, str]] = []
        self.paused: list[float] = []
        self.faults = NetworkFaults(7, {fault: 1.0}, 8.0, told=self._tell, sleep=self._pause)

    def _tell(self, fault: str, mark: str) -> None:
        self.told.append((fault, mark))

    async def _pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        await asyncio.sleep(0)


def a_mark_where(fault: str, low: float, high: float) -> str:
    """Of a request that meets it so far in."""
    return next(mark for mark in MARKS if low <= chance(7, f"{fault}-where", mark) < high)


async def ask(lines: Lines, meeting: Meeting, mark: str, request: bytes = REQUEST, patience: float = 20.0) -> Answer:
    return await lines.ask(request, mark=mark, faults=meeting.faults, patience=patience)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.3), (0.7, 1.0)])
def test_a_cut_request_comes_in_part_and_then_ends(low: float, high: float, run: Run) -> None:
    async def story() -> None:
        meeting, mark = Meeting("cut-request"), a_mark_where("cut-request", low, high)
        async with a_scripted_server(answers(b"{}")) as hub, Lines(hub.base_url) as lines:
            with pytest.raises(NoAnswer, match=r"^injected: cut-request$"):
                await ask(lines, meeting, mark)
            while hub.open or not hub.connections:
                await asyncio.sleep(0)
            (came,) = hub.requests
            assert REQUEST.startswith(came)
            assert low <= len(came) / len(REQUEST) <= high
            assert meeting.told == [("cut-request", mark)]

    run(story())


def test_a_cut_answer_was_made_in_full(run: Run) -> None:
    async def story() -> None:
        meeting = Meeting("cut-answer")
        async with a_scripted_server(answers(b"{}")) as hub, Lines(hub.base_url) as lines:
            with pytest.raises(NoAnswer, match=r"^injected: cut-answer$"):
                await ask(lines, meeting, "d1.1")
            assert hub.requests == [REQUEST]
            assert meeting.told == [("cut-answer", "d1.1")]

    run(story())


def test_an_answer_to_be_cut_that_never_comes_is_not_awaited_for_ever(run: Run) -> None:
    async def story() -> None:
        async with a_scripted_server(is_silent) as hub, Lines(hub.base_url) as lines:
            with pytest.raises(NoAnswer, match=r"^injected: cut-answer$"):
                await ask(lines, Meeting("cut-answer"), "d1.1", patience=0.1)

    run(story())


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.4), (0.5, 1.0)])
def test_a_reset_comes_in_the_middle_of_the_request_or_behind_it(low: float, high: float, run: Run) -> None:
    async def story() -> None:
        async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while data := await reader.read(1000):
                    came.append(data)
            except ConnectionResetError:
                came.append(b"RST")
            writer.close()
            over.set()

        came: list[bytes] = []
        over = asyncio.Event()
        server = await asyncio.start_server(listens, "127.0.0.1", 0)
        async with server, Lines(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as lines:
            with pytest.raises(NoAnswer, match=r"^injected: reset$"):
                await ask(lines, Meeting("reset"), a_mark_where("reset", low, high))
            await over.wait()
        *data, last = came
        whole = b"".join(data)
        assert (last, whole == REQUEST) == (b"RST", low >= 0.5)
        assert REQUEST.startswith(whole)
        assert whole

    run(story())


def test_a_delay_comes_before_the_request(run: Run) -> None:
    async def story() -> None:
        meeting = Meeting("delay")
        async with a_scripted_server(answers(b"{}")) as hub, Lines(hub.base_url) as lines:
            assert (await ask(lines, meeting, "d1.1")).body == b"{}"
            assert meeting.paused == [8.0 * chance(7, "delay-where", "d1.1")]
            assert hub.requests == [REQUEST]

    run(story())


def test_a_duplicate_comes_twice_at_once_and_the_first_answer_counts(run: Run) -> None:
    async def story() -> None:
        later = asyncio.Event()

        async def answers_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await later.wait()
            await answers(b"late")(reader, writer)

        async with a_scripted_server(answers_late, answers(b"first")) as hub, Lines(hub.base_url) as lines:
            assert (await ask(lines, Meeting("duplicate"), "d1.1")).body == b"first"
            assert (hub.connections, hub.requests) == (2, [REQUEST, REQUEST])
            later.set()

    run(story())


def test_of_a_duplicate_one_answer_is_enough(run: Run) -> None:
    cuts = then(says(), closes)

    async def story() -> None:
        for deeds in ((cuts, answers(b"{}")), (answers(b"{}"), cuts)):
            async with a_scripted_server(*deeds) as hub, Lines(hub.base_url) as lines:
                assert (await ask(lines, Meeting("duplicate"), "d1.1")).body == b"{}"
        async with a_scripted_server(cuts) as hub, Lines(hub.base_url) as lines:
            with pytest.raises(NoAnswer, match=r"^cut: "):
                await ask(lines, Meeting("duplicate"), "d1.1")

    run(story())


def test_both_ends_of_a_duplicate_may_come_in_one_moment(run: Run) -> None:
    async def story() -> None:
        both = asyncio.Event()

        async def waits_and_closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await both.wait()
            writer.close()

        async def answers_then(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            both.set()

        async with a_scripted_server(waits_and_closes, answers_then) as hub, Lines(hub.base_url) as lines:
            assert (await ask(lines, Meeting("duplicate"), "d1.1")).body == b"{}"

    for _ in range(10):
        run(story())


def test_a_slow_upload_comes_whole_with_pauses(run: Run) -> None:
    async def story() -> None:
        meeting = Meeting("slow-upload")
        async with a_scripted_server(answers(b"{}")) as hub, Lines(hub.base_url) as lines:
            assert (await ask(lines, meeting, "d1.1")).body == b"{}"
            assert hub.requests == [REQUEST]
            assert meeting.paused == [chance(7, "slow-upload-where", "d1.1")] * 8, "8 parts in 8 s at most"
            await ask(lines, meeting, "d2.1")
            assert hub.connections == 1, "its connection is as good as before"

    run(story())


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.5), (0.5, 1.0)])
def test_a_wrong_length_is_larger_or_smaller_than_the_body(low: float, high: float, run: Run) -> None:
    async def story() -> None:
        async with a_scripted_server(answers(b"{}")) as hub, Lines(hub.base_url) as lines:
            with pytest.raises(NoAnswer, match=r"^injected: wrong-length$"):
                await ask(lines, Meeting("wrong-length"), a_mark_where("wrong-length", low, high))
            while hub.open or not hub.connections:
                await asyncio.sleep(0)
            head, _, body = hub.requests[0].partition(b"\r\n\r\n")
            said = int(head.rpartition(b": ")[2])
            assert said > len(body) == 40 if low == 0.0 else said == len(body) == 20

    run(story())


@pytest.mark.parametrize("fault", ["duplicate", "slow-upload", "wrong-length"])
def test_what_needs_a_body_meets_no_question(fault: str, run: Run) -> None:
    async def story() -> None:
        meeting = Meeting(fault)
        async with a_scripted_server(answers(b"{}")) as hub, Lines(hub.base_url) as lines:
            assert await ask(lines, meeting, "l1.1", QUESTION)
            assert (hub.requests, meeting.told) == ([QUESTION], [])

    run(story())


@pytest.mark.parametrize("fault", ["cut-request", "cut-answer", "reset", "wrong-length"])
def test_where_nobody_listens_nothing_can_be_spoilt(fault: str, run: Run) -> None:
    async def story(port: int) -> None:
        async with Lines(f"http://127.0.0.1:{port}") as lines:
            with pytest.raises(NoAnswer, match=r"^refused: "):
                await ask(lines, Meeting(fault), "d1.1")

    with nobody_listens() as port:
        run(story(port))
