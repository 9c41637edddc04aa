"""The inbox: pure, in order, and right for twenty pollers at once (exchange rules 6)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from builders.axis import Axis, Peer

from hub.errors import Refusal
from hub.exchange.writer import Writer
from hub.store import deliveries
from hub.store.engine import reading


def one_on_its_way(axis: Axis, **changes: Any) -> tuple[Peer, Peer, str]:
    """The Government Office, Nghệ An, and the delivery of a document from one to the other."""
    office, province = axis.enrol("G22"), axis.enrol("H41")
    return office, province, office.send("H41", **changes)["deliveries"][0]["id"]


def waiting(peer: Peer, after: int = 0) -> list[str]:
    return [row["id"] for row in peer.inbox(after)]


# The inbox.


def test_reading_the_inbox_changes_nothing(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    before = axis.delivery(delivery)
    assert waiting(province) == waiting(province) == [delivery]
    assert axis.delivery(delivery) == before
    assert axis.events(delivery) == []


def test_the_inbox_goes_on_after_the_place_of_its_last_entry(axis: Axis) -> None:
    office, province, _ = one_on_its_way(axis)
    for _ in range(4):
        office.send("H41")
    everything = province.inbox()
    assert [row["seq"] for row in everything] == sorted({row["seq"] for row in everything})
    pages: list[list[str]] = []
    after = 0
    while page := province.inbox(after, limit=2):
        pages.append([row["id"] for row in page])
        after = page[-1]["seq"]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [one for page in pages for one in page] == [row["id"] for row in everything]


def test_an_entry_that_comes_after_a_reader_passed_is_always_behind_the_reader(axis: Axis) -> None:
    """Six senders through two writers, as two processes have them, while somebody reads with a cursor."""
    province = axis.enrol("H41")
    senders = [axis.enrol(code) for code in ("G22", "G12", "G06", "H27", "H13", "H36")]
    packets = [(peer.packet(peer.draft("H41")), peer) for _ in range(4) for peer in senders]
    seen: list[int] = []
    sent = threading.Event()

    def read() -> None:
        while True:
            over = sent.is_set()
            page = province.inbox(seen[-1] if seen else 0, limit=5)
            seen.extend(row["seq"] for row in page)
            if over and not page:
                return

    with Writer(axis.desk.engine, axis.desk.rosters, axis.clock) as other, ThreadPoolExecutor(4) as pool:
        reader = pool.submit(read)
        usual = axis.desk.writer
        answers = []
        for n, (packet, peer) in enumerate(packets):
            axis.desk.writer = other if n % 2 else usual
            answers.append(peer.submit(packet))
        axis.desk.writer = usual
        for answer in answers:
            answer.result()
        sent.set()
        reader.result()
    assert len(seen) == len(set(seen)) == len(packets)


def test_twenty_pollers_of_one_inbox_hold_nothing_twice_and_skip_nothing(axis: Axis) -> None:
    office, province = axis.enrol("G22"), axis.enrol("H41")
    sent = {office.send("H41")["deliveries"][0]["id"] for _ in range(20)}
    held: list[str] = []
    start = threading.Barrier(20)

    def poll(poller: int) -> None:
        start.wait()
        while found := waiting(province):
            delivery = found[poller % len(found)]
            try:
                lease = province.claim(delivery)["lease"]
            except Refusal as refusal:
                if refusal.code not in {"lease-held", "delivery-final"}:
                    raise
                continue
            held.append(delivery)
            province.fetch(delivery)
            province.done(delivery, lease)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(poll, range(20)))
    assert len(held) == len(set(held))
    assert set(held) == sent
    assert {axis.delivery(delivery).state.value for delivery in sent} == {"delivered"}
    with reading(axis.desk.engine) as connection:
        events = deliveries.events_of(connection, list(sent))
    assert [event["what"] for event in events].count("take") == len(sent)
