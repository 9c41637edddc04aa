"""The inbox: pure, in order, and right for twenty pollers at once (exchange rules 6)."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

from builders.axis import Axis
from builders.reports import office_and_province, one_on_its_way, only

from hub.errors import Refusal
from hub.exchange import accept
from hub.exchange.writer import Writer
from hub.store import deliveries
from hub.store.engine import reading


def test_reading_the_inbox_changes_nothing(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    before = axis.delivery(delivery)
    assert province.waiting() == province.waiting() == [delivery]
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

    jobs = [peer.checked(packet) for packet, peer in packets]
    with (
        Writer(axis.desk.engine, axis.desk.rosters, axis.clock, notary=axis.desk.writer.notary) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        reader = pool.submit(read)
        try:
            writers = itertools.cycle((axis.desk.writer, other))
            answers = [writer.submit(accept.commit, job) for writer, job in zip(writers, jobs, strict=False)]
            for answer in answers:
                answer.result()
        finally:
            sent.set()
        reader.result()
    assert len(seen) == len(set(seen)) == len(packets)


def test_twenty_pollers_of_one_inbox_hold_nothing_twice_and_skip_nothing(axis: Axis) -> None:
    office, province = office_and_province(axis)
    sent = {only(office.send("H41")) for _ in range(20)}
    held: list[str] = []
    start = threading.Barrier(20)

    def poll(poller: int) -> None:
        start.wait()
        while found := province.waiting():
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
