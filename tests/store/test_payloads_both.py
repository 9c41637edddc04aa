"""What every store of payloads does, in a folder and in a bucket of a real S3 server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders.objects import ObjectServer

from hub.store.ids import new_id
from hub.store.payloads import Folder, Payloads, place_of
from hub.store.s3 import PART, Bucket

NOW = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)
PACKET = "Văn bản".encode() * 300_000  # about 2.7 MB: several parts
TOMORROW = timedelta(days=1)


def a_place() -> str:
    return place_of(new_id(NOW), hashlib.sha256(PACKET).hexdigest(), NOW)


@pytest.fixture(params=["folder", "bucket"])
def payloads(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Payloads]:
    if request.param == "folder":
        yield Folder(tmp_path)
        return
    server: ObjectServer = request.getfixturevalue("objects")
    yield Bucket(server.access("van-ban", new_id(NOW)))


def test_what_is_put_is_got_and_streamed_unchanged(payloads: Payloads) -> None:
    place = a_place()
    payloads.put(place, PACKET)
    parts = list(payloads.stream(place))
    assert payloads.get(place) == PACKET
    assert b"".join(parts) == PACKET
    assert len(parts) > 1
    assert max(map(len, parts)) <= PART


def test_an_empty_packet_is_a_packet(payloads: Payloads) -> None:
    place = a_place()
    payloads.put(place, b"")
    assert payloads.get(place) == b""
    assert list(payloads.stream(place)) == []


def test_two_packets_of_equal_bytes_share_nothing(payloads: Payloads) -> None:
    one, other = a_place(), a_place()
    payloads.put(one, PACKET)
    payloads.put(other, PACKET)
    payloads.remove(one)
    assert payloads.get(other) == PACKET


def test_first_packets_of_a_day_may_come_at_once(payloads: Payloads) -> None:
    places = [a_place() for _ in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda place: payloads.put(place, place.encode()), places))
    assert [payloads.get(place) for place in places] == [place.encode() for place in places]


def test_a_missing_packet_is_known_before_an_answer_begins(payloads: Payloads) -> None:
    with pytest.raises(FileNotFoundError):
        payloads.stream(a_place())
    with pytest.raises(FileNotFoundError):
        payloads.get(a_place())


def test_removing_twice_is_as_good_as_once(payloads: Payloads) -> None:
    place = a_place()
    payloads.put(place, PACKET)
    payloads.remove(place)
    payloads.remove(place)
    assert list(payloads.older_than(datetime.now(UTC) + TOMORROW)) == []


def test_only_what_was_written_before_the_moment_is_old(payloads: Payloads) -> None:
    places = sorted(a_place() for _ in range(3))
    for place in places:
        payloads.put(place, b"x")
    now = datetime.now(UTC)
    assert sorted(payloads.older_than(now + TOMORROW)) == places
    assert list(payloads.older_than(now - TOMORROW)) == []


def test_where_nothing_was_ever_put_nothing_is_old(payloads: Payloads) -> None:
    assert list(payloads.older_than(datetime.now(UTC) + TOMORROW)) == []


def test_two_sweeps_may_meet(payloads: Payloads) -> None:
    places = [a_place() for _ in range(3)]
    for place in places:
        payloads.put(place, b"x")
    sweep = payloads.older_than(datetime.now(UTC) + TOMORROW)
    found = {next(sweep)}
    for place in places:
        payloads.remove(place)
    found |= set(sweep)  # a bucket may have listed them before
    for place in found:
        payloads.remove(place)
    assert found <= set(places)
