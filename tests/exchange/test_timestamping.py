"""Timestamps on checkpoints: one process asks, nothing waits for the authority, and what is missed is made up for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.ports import free_ports
from builders.reports import office_and_province
from builders.revoking import RevocationServer, revocation_server
from builders.stamping import PATH, Tsa, a_key, a_tsa, another_imprint, another_nonce, refusing
from sqlalchemy import update
from structlog.testing import capture_logs

from hub.app import open_hub
from hub.authority import DAY
from hub.domain.timestamp import TimestampError, verify
from hub.exchange.timestamping import Timestamper
from hub.exchange.trust import Additions, add
from hub.revocation import FetchError, stamped
from hub.settings import Settings
from hub.store import evidence
from hub.store import log_timestamps as timestamps
from hub.store.engine import reading, writing
from hub.store.log_tables import log_head

HOUR = timedelta(hours=1)


@pytest.fixture
def server() -> Iterator[RevocationServer]:
    with revocation_server() as running:
        yield running


@pytest.fixture
def tsa(axis: Axis, server: RevocationServer) -> Tsa:
    """An authority that answers there, and whose root counts for timestamps."""
    made = a_tsa(axis.clock())
    made.serve(server, axis.clock)
    axis.desk.writer.run(add, Additions((made.root.certificate,), "tsa"))
    return made


def stamper(axis: Axis, url: str, patience: float = 15) -> Timestamper:
    async def ask(question: bytes) -> bytes:
        try:
            return await stamped(url, question, timedelta(seconds=patience))
        except FetchError as why:
            raise TimestampError(*why.args) from None

    return Timestamper(axis.desk, ask, "127.0.0.1", HOUR)


def look(axis: Axis, server: RevocationServer) -> bool:
    return asyncio.run(stamper(axis, server.url(PATH)).once())


def sizes(axis: Axis) -> list[int]:
    with reading(axis.desk.engine) as connection:
        return [row["size"] for row in timestamps.page(connection, None, 100)]


def missing(axis: Axis, url: str, **terms: Any) -> str:
    """Why there is no timestamp after a look, as the log tells it."""
    with capture_logs() as told:
        assert not asyncio.run(stamper(axis, url, **terms).once())
    [line] = [each for each in told if each["event"] == "timestamp-missing"]
    assert (line["log_level"], line["tsa"]) == ("warning", "127.0.0.1")
    return str(line["why"])


@pytest.fixture
def office(axis: Axis) -> Peer:
    """Has sent a document to the province, which is in the log."""
    office, _ = office_and_province(axis)
    office.send("H41")
    axis.integrate()
    return office


def test_the_newest_checkpoint_is_stamped_and_kept_as_it_was_signed(
    axis: Axis, office: Peer, server: RevocationServer, tsa: Tsa
) -> None:
    with capture_logs() as told:
        assert look(axis, server)
    with reading(axis.desk.engine) as connection:
        [row] = timestamps.page(connection, None, 9)
        head = evidence.head(connection)
    assert head is not None
    assert (row["size"], row["checkpoint"], row["at"]) == (1, head["checkpoint"], axis.clock())
    assert verify(row["token"], row["checkpoint"].encode(), [tsa.root.certificate]).at == axis.clock()
    [line] = [each for each in told if each["event"] == "timestamp"]
    assert (line["size"], line["tsa"]) == (1, "127.0.0.1")


def test_the_authority_is_asked_once_in_the_time_and_only_about_what_is_new(
    axis: Axis, office: Peer, server: RevocationServer, tsa: Tsa
) -> None:
    assert look(axis, server)
    axis.clock.pass_(hours=2)
    assert not look(axis, server)  # nothing is new
    assert len(server.asked) == 1
    office.send("H41")
    axis.integrate()
    assert look(axis, server)
    office.send("H41")
    axis.integrate()
    axis.clock.pass_(minutes=59)
    assert not look(axis, server)
    axis.clock.pass_(minutes=2)
    assert look(axis, server)
    assert (sizes(axis), len(server.asked)) == ([3, 2, 1], 3)


def test_an_empty_log_is_not_stamped(axis: Axis, server: RevocationServer, tsa: Tsa) -> None:
    assert not look(axis, server)
    assert server.asked == []


def test_of_two_processes_one_asks(axis: Axis, office: Peer, server: RevocationServer, tsa: Tsa) -> None:
    async def both() -> list[bool]:
        return list(await asyncio.gather(*(stamper(axis, server.url(PATH)).once() for _ in range(2))))

    assert sorted(asyncio.run(both())) == [False, True]
    assert (sizes(axis), len(server.asked)) == ([1], 1)


def test_an_authority_that_is_away_delays_nothing_and_the_next_timestamp_covers_what_it_missed(
    axis: Axis, office: Peer, server: RevocationServer, tsa: Tsa
) -> None:
    away = f"http://127.0.0.1:{free_ports(1)[0]}/"
    assert "ConnectError" in missing(axis, away)
    office.send("H41")
    assert axis.integrate() == 1
    assert not look(axis, server)  # it is not asked again at once
    axis.clock.pass_(minutes=6)
    assert look(axis, server)
    assert sizes(axis) == [2]


def test_while_the_authority_is_silent_documents_are_accepted_and_get_into_the_log(
    axis: Axis, office: Peer, server: RevocationServer, tsa: Tsa
) -> None:

    async def meanwhile() -> bool:
        asked, go = asyncio.Event(), asyncio.Event()

        async def ask(question: bytes) -> bytes:
            asked.set()
            await go.wait()
            return tsa.answer(question, axis.clock())

        waiting = asyncio.create_task(Timestamper(axis.desk, ask, "127.0.0.1", HOUR).once())
        await asked.wait()
        await asyncio.to_thread(office.send, "H41")
        assert await asyncio.to_thread(axis.integrate) == 1
        go.set()
        return await waiting

    assert asyncio.run(meanwhile())
    assert sizes(axis) == [1]  # what was asked about
    axis.clock.pass_(hours=1)
    assert look(axis, server)
    assert sizes(axis) == [2, 1]


def test_what_does_not_count_is_told_and_not_kept(axis: Axis, office: Peer, server: RevocationServer, tsa: Tsa) -> None:
    url = server.url(PATH)
    expired = a_tsa(axis.clock(), until=axis.clock() - DAY)
    stranger = a_tsa(axis.clock())
    axis.desk.writer.run(add, Additions((expired.root.certificate,), "tsa"))
    for by, terms, why in (
        (tsa, {"change": another_nonce}, "nonce"),
        (tsa, {"change": another_imprint}, "Mismatch between messages"),
        (tsa, {"key": a_key("of another")}, "signature failure"),
        (expired, {}, "expired"),
        (stranger, {}, "Leads to no trusted root"),
    ):
        by.serve(server, axis.clock, **terms)
        assert why in missing(axis, url)
        axis.clock.pass_(minutes=6)
    for octets, why in ((refusing(), "quá tải"), (b"<html>", "cannot be read"), (b"\0" * 65_537, "larger than")):
        server.serve(PATH, octets)
        assert why in missing(axis, url)
        axis.clock.pass_(minutes=6)
    server.serve(PATH, status=503)
    assert "answered 503" in missing(axis, url)
    assert sizes(axis) == []
    axis.clock.pass_(minutes=6)
    tsa.serve(server, axis.clock)
    assert look(axis, server)


def test_a_root_that_counts_for_agencies_counts_for_timestamps_too(
    axis: Axis, office: Peer, server: RevocationServer
) -> None:
    made = a_tsa(axis.clock())
    made.serve(server, axis.clock)
    axis.desk.writer.run(add, Additions((made.root.certificate,), "root"))
    assert look(axis, server)


def test_a_clock_that_was_ahead_for_a_moment_does_not_end_the_timestamps(
    axis: Axis, office: Peer, server: RevocationServer, tsa: Tsa
) -> None:
    with writing(axis.desk.engine) as connection:
        connection.execute(update(log_head).values(tsa_at=axis.clock() + 365 * DAY))
    assert look(axis, server)


def test_who_ended_while_it_asked_is_followed_by_the_next(
    axis: Axis, office: Peer, server: RevocationServer, tsa: Tsa
) -> None:
    async def ended() -> None:
        asked = asyncio.Event()

        async def ask(question: bytes) -> bytes:
            asked.set()
            await asyncio.Event().wait()
            return b""

        waiting = asyncio.create_task(Timestamper(axis.desk, ask, "127.0.0.1", HOUR).once())
        await asked.wait()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(ended())
    assert not look(axis, server)
    axis.clock.pass_(minutes=6)
    assert look(axis, server)


def test_after_a_restart_the_hub_goes_on_where_it_was(tmp_path: Any, server: RevocationServer) -> None:
    settings = Settings(data_dir=tmp_path / "hub")
    made = None
    for turn in (1, 2):
        with open_hub(settings) as desk:
            axis = Axis(desk, desk.clock)  # type: ignore[arg-type]  # the present time, which no test moves
            if made is None:
                made = a_tsa(desk.clock())
                made.serve(server, desk.clock)
                desk.writer.run(add, Additions((made.root.certificate,), "tsa"))
            office, _ = office_and_province(axis)
            office.send("H41", number=str(turn))
            assert axis.integrate() == 1
            assert look(axis, server) is (turn == 1)  # the hour is not over yet
            assert sizes(axis) == [1]
