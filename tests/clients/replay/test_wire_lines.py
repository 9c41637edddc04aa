"""Lines to a hub: whole answers in every form of HTTP, ``NoAnswer`` for all others, what becomes of connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from builders.scripted import (
    Deed,
    a_scripted_server,
    answers,
    closes,
    is_silent,
    resets,
    says,
    then,
    trickles,
)
from builders.served import a_served_hub, nobody_listens
from builders.tls import a_server_certificate

from clients.replay.wire import lines as wire_lines
from clients.replay.wire.lines import Answer, Lines, NoAnswer

REQUEST = b"POST / HTTP/1.1\r\nHost: hub.example.vn\r\nContent-Length: 4\r\n\r\ntest"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: hub.example.vn\r\n\r\n"
SAID = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Both event loops: their transports are not the same."""
    return asyncio.run if request.param == "asyncio" else uvloop.run


async def ask(lines: Lines, request: bytes = REQUEST, patience: float = 20.0) -> Answer:
    return await lines.ask(request, mark="d1.1", faults=None, patience=patience)


async def asked(*deeds: Deed, patience: float = 20.0) -> Answer:
    async with a_scripted_server(*deeds) as hub, Lines(hub.base_url) as lines:
        return await ask(lines, patience=patience)


def bytewise(answer: bytes) -> Deed:
    return says(*(bytes([octet]) for octet in answer))


WHOLE = {
    "with its length": (says(SAID + b"0123456789"), 200, b"0123456789"),
    "byte by byte": (bytewise(SAID + b"0123456789"), 200, b"0123456789"),
    "empty": (says(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"), 201, b""),
    "without a body by its status": (says(b"HTTP/1.1 204 No Content\r\n\r\n"), 204, b""),
    "in chunks": (says(CHUNKED + b"4\r\n0123\r\n", b"6;x=y\r\n456789\r\n0\r\nX-Last: 1\r\n\r\n"), 200, b"0123456789"),
    "in chunks, byte by byte": (bytewise(CHUNKED + b"2\r\nab\r\n0\r\n\r\n"), 200, b"ab"),
    "at once behind an interim one": (says(b"HTTP/1.1 103 -\r\n\r\n" + SAID + b"0123456789"), 200, b"0123456789"),
    "later than an interim one": (says(b"HTTP/1.1 103 -\r\n\r\n", SAID, b"0123456789"), 200, b"0123456789"),
}


@pytest.mark.parametrize("form", WHOLE)
def test_an_answer_is_heard_whole(form: str, run: Run) -> None:
    deed, status, body = WHOLE[form]
    answer = run(asked(deed))
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers.startswith(b"HTTP/1.1 %d" % status)
    assert b"\r\n\r\n" not in answer.headers
    assert 0 < answer.seconds < 20


def test_a_large_answer_is_heard_whole(run: Run) -> None:
    body = bytes(range(256)) * 20_000
    assert run(asked(answers(body))).body == body


NONE = {
    "no word and a close": (then(says(), closes), "cut: closed before the answer"),
    "no word and a reset": (then(says(), resets), "reset: "),
    "a head cut off": (then(says(b"HTTP/1.1 200 OK\r\nContent-"), closes), "cut: closed in the middle"),
    "a body cut off": (then(says(SAID + b"012345678"), closes), "cut: closed in the middle"),
    "a body cut off by a reset": (then(says(SAID + b"012345678"), resets), "reset: "),
    "chunks cut off": (then(says(CHUNKED + b"4\r\n0123\r\n"), closes), "cut: closed in the middle"),
    # Nobody can tell the end of such an answer from a cut.
    "no length": (then(says(b"HTTP/1.1 200 OK\r\n\r\n{}"), closes), "cut: closed in the middle"),
    "an interim answer only": (then(says(b"HTTP/1.1 100 Continue\r\n\r\n"), closes), "cut: closed before the answer"),
    "no HTTP": (says(b"220 hub.example.vn ESMTP\r\n"), "garbage: "),
    "two lengths": (says(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "garbage: "),
    "a chunk longer than said": (says(CHUNKED + b"2\r\nabcd\r\n0\r\n\r\n"), "garbage: "),
    "more than its length": (says(SAID + b"0123456789abc"), "garbage: "),
    "two answers": (says((SAID + b"0123456789") * 2), "garbage: more than one answer"),
    "the beginning of another": (says(SAID + b"0123456789" + b"HTTP/1.1"), "garbage: more than one answer"),
    "another protocol": (says(b"HTTP/1.1 101 -\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nPRI"), "garbage: "),
}


@pytest.mark.parametrize("form", NONE)
def test_what_is_no_whole_answer_is_none(form: str, run: Run) -> None:
    deed, why = NONE[form]
    with pytest.raises(NoAnswer) as caught:
        run(asked(deed))
    assert caught.value.why.startswith(why)


@pytest.mark.parametrize("deed", [is_silent, trickles])
def test_an_answer_that_is_not_whole_in_time_is_none(deed: Deed, run: Run) -> None:
    with pytest.raises(NoAnswer, match=r"^late: not whole after 0\.1 s"):
        run(asked(deed, patience=0.1))


def test_waiting_for_a_free_connection_is_not_the_hubs_time(run: Run) -> None:
    async def story() -> None:
        async with a_scripted_server(is_silent, answers(b"{}")) as hub, Lines(hub.base_url, most=1) as lines:
            began = time.perf_counter()
            given_up = asyncio.ensure_future(ask(lines, patience=0.3))
            await asyncio.sleep(0)
            answer = await ask(lines)
            whole = time.perf_counter() - began
            with pytest.raises(NoAnswer) as none:
                await given_up
        assert none.value.seconds >= 0.29
        assert answer.seconds <= whole - 0.29

    run(story())


def test_where_nobody_listens_there_is_no_answer(run: Run) -> None:
    async def story(port: int) -> None:
        async with Lines(f"http://127.0.0.1:{port}") as lines:
            with pytest.raises(NoAnswer, match=r"^refused: "):
                await ask(lines)

    with nobody_listens() as port:
        run(story(port))


def test_one_connection_serves_one_request_after_the_other(run: Run) -> None:
    async def story() -> None:
        async with a_scripted_server(answers(b"{}")) as hub, Lines(hub.base_url) as lines:
            for _ in range(5):
                assert (await ask(lines)).body == b"{}"
            assert (hub.connections, hub.requests) == (1, [REQUEST] * 5)

    run(story())


def test_no_more_connections_are_opened_than_may_be(run: Run) -> None:
    async def story() -> None:
        async with a_scripted_server(answers(b"{}")) as hub, Lines(hub.base_url, most=3) as lines:
            heard = await asyncio.gather(*(ask(lines) for _ in range(40)))
            assert [answer.status for answer in heard] == [200] * 40
            assert hub.connections == 3

    run(story())


@pytest.mark.parametrize(
    "ends",
    [
        answers(b"{}", 200, "Connection: close"),
        then(answers(b"{}"), closes),
        says(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    ],
)
def test_a_connection_that_the_hub_ended_fails_no_later_request(ends: Deed, run: Run) -> None:
    async def story() -> None:
        async with a_scripted_server(ends, answers(b"{}")) as hub, Lines(hub.base_url) as lines:
            assert (await ask(lines)).body == b"{}"
            while hub.open or any(connection.free for connection, _ in lines._idle):
                await asyncio.sleep(0)  # until both sides have closed it
            assert (await ask(lines)).body == b"{}"
            assert (hub.connections, len(hub.requests)) == (2, 2)

    run(story())


def test_a_connection_on_which_the_hub_speaks_unasked_is_not_used_again(run: Run) -> None:
    async def story() -> None:
        heard = asyncio.Event()

        async def speaks_twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(SAID + b"0123456789")
            await heard.wait()
            writer.write(SAID + b"9876543210")
            await reader.read()

        async with a_scripted_server(speaks_twice, answers(b"{}")) as hub, Lines(hub.base_url) as lines:
            assert (await ask(lines)).body == b"0123456789"
            heard.set()
            while hub.open:
                await asyncio.sleep(0)
            assert (await ask(lines)).body == b"{}"

    run(story())


def test_a_connection_that_waited_long_is_not_used_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_lines, "_FRESH", 0.0)

    async def story() -> None:
        async with a_scripted_server(answers(b"{}")) as hub, Lines(hub.base_url) as lines:
            await ask(lines)
            await ask(lines)
            assert hub.connections == 2

    run(story())


def test_a_request_that_is_given_up_leaves_its_connection_to_nobody(run: Run) -> None:
    async def story() -> None:
        async with a_scripted_server(is_silent, answers(b"{}")) as hub, Lines(hub.base_url, most=1) as lines:
            given_up = asyncio.create_task(ask(lines))
            while not hub.requests:
                await asyncio.sleep(0)
            given_up.cancel()
            assert (await ask(lines)).body == b"{}"
            assert hub.connections == 2

    run(story())


def test_the_hub_is_asked_by_tls(tmp_path: Path, run: Run) -> None:
    async def story(url: str) -> None:
        async with Lines(url, trust=files.trust) as lines:
            for _ in range(2):
                assert (await ask(lines, HEALTH)).status == 200
        async with Lines(url) as lines:
            with pytest.raises(NoAnswer, match=r"^refused: .*certificate"):
                await ask(lines, HEALTH)

    files = a_server_certificate(tmp_path)
    with a_served_hub(tmp_path, tls_cert=str(files.cert), tls_key=str(files.key)) as hub:
        run(story(hub.base_url.replace("http:", "https:")))


@pytest.mark.parametrize("url", ["", "hub.example.vn", "ftp://hub.example.vn", "http:///v1"])
def test_what_is_no_address_of_a_hub_is_said_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="no address of a hub"):
        Lines(url)
