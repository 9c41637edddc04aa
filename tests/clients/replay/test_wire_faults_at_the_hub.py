"""Packets that meet a fault on their way to a real hub: it takes each whole or not at all, and the repeat but once."""

from __future__ import annotations

import asyncio

import pytest
from builders.axis import Peer
from builders.served import Served
from builders.speaking import DIALECTS, a_mark, a_reply, a_sending, speaker
from builders.waiting import comes

from clients.replay.planned import chance
from clients.replay.wire.dialects import Listed, Taken
from clients.replay.wire.faults import NetworkFaults
from clients.replay.wire.lines import Lines, NoAnswer

# By the fault and how far in it is: whether the hub takes the packet, and whether it is heard that it does. None: the
# hub may have read all before it learnt of the reset.
MET = [
    ("cut-request", 0.0, 1.0, False, False),
    ("cut-answer", 0.0, 1.0, True, False),
    ("delay", 0.0, 1.0, True, True),
    ("duplicate", 0.0, 1.0, True, True),
    ("slow-upload", 0.0, 1.0, True, True),
    ("reset", 0.0, 0.5, False, False),
    ("reset", 0.5, 1.0, None, False),
    ("wrong-length", 0.0, 0.5, False, False),
    ("wrong-length", 0.5, 1.0, False, False),
]


def a_mark_where(fault: str, low: float, high: float) -> str:
    """Of a request that meets it so far in."""
    while not low <= chance(7, f"{fault}-where", mark := a_mark()) < high:
        continue
    return mark


async def tried(hub: Served, dialect: str, peer: Peer, fault: str, mark: str, call: str, *args: object) -> Taken | None:
    """What a call gives that meets a fault; None for no answer."""
    faults = NetworkFaults(7, {fault: 1.0}, 0.01)
    async with Lines(hub.base_url) as lines:
        try:
            found: Taken = await getattr(speaker(dialect, lines, peer, faults=faults), call)(*args, mark)
        except NoAnswer:
            return None
        return found


async def plainly(hub: Served, dialect: str, peer: Peer, call: str, *args: object) -> Taken:
    async with Lines(hub.base_url) as lines:
        found: Taken = await getattr(speaker(dialect, lines, peer), call)(*args, a_mark())
        return found


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("fault", "low", "high", "taken", "heard"), MET)
def test_a_document_is_taken_once_whatever_it_meets(
    fault: str, low: float, high: float, taken: bool | None, heard: bool,
    hub: Served, dialect: str, office: Peer, province: Peer,
) -> None:  # fmt: skip
    document, packet, post = a_sending(office, "H41")

    def there() -> int:
        return sum(row["business_id"] == document.document_id for row in province.inbox())

    answer = asyncio.run(tried(hub, dialect, office, fault, a_mark_where(fault, low, high), "send", packet, post))
    assert (answer is not None) is heard
    if taken:
        assert comes(lambda: there() == 1)
    elif taken is not None:
        assert there() == 0
    again = asyncio.run(plainly(hub, dialect, office, "send", packet, post))
    assert there() == 1
    if taken is not None and dialect == "rest":
        assert again.repeated is taken
    if answer is not None:
        assert answer.hub_id == again.hub_id


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("fault", "low", "high", "taken", "heard"), MET)
def test_a_status_is_taken_once_whatever_it_meets(
    fault: str, low: float, high: float, taken: bool | None, heard: bool,
    hub: Served, dialect: str, office: Peer, province: Peer,
) -> None:  # fmt: skip
    document, sent = office.issue("H41", number=a_mark()[1:-2])
    province.receive(sent["deliveries"][0]["id"])
    report = a_reply(province, document, "03")

    def there() -> int:
        rows = office.inbox()
        return sum(row["business_id"] == document.document_id and row["report_id"] is not None for row in rows)

    answer = asyncio.run(tried(hub, dialect, province, fault, a_mark_where(fault, low, high), "report", report, "H41"))
    assert (answer is not None) is heard
    if taken:
        assert comes(lambda: there() == 1)
    elif taken is not None:
        assert there() == 0
    asyncio.run(plainly(hub, dialect, province, "report", report, "H41"))
    assert there() == 1


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("fault", ["cut-request", "cut-answer", "reset", "duplicate", "slow-upload"])
def test_done_may_be_said_again_whatever_it_meets(
    fault: str, hub: Served, dialect: str, office: Peer, province: Peer
) -> None:
    _, packet, post = a_sending(office, "H41")

    async def story() -> None:
        (item,) = [item for item in (await look(province)) if item.id not in before]
        async with Lines(hub.base_url) as lines:
            system = speaker(dialect, lines, province)
            assert await system.fetch(item, a_mark()) == packet
        await tried(hub, dialect, province, fault, a_mark(), "done", item)
        async with Lines(hub.base_url) as lines:
            await speaker(dialect, lines, province).done(item, a_mark())
        assert item.id not in {left.id for left in await look(province)}

    async def look(peer: Peer) -> tuple[Listed, ...]:
        async with Lines(hub.base_url) as lines:
            return (await speaker(dialect, lines, peer).look("", a_mark())).items

    before = {item.id for item in asyncio.run(look(province))}
    asyncio.run(plainly(hub, dialect, office, "send", packet, post))
    asyncio.run(story())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_hub_that_met_every_fault_many_times_still_serves(
    hub: Served, dialect: str, office: Peer, province: Peer
) -> None:
    shares = {fault: 0.1 for fault, *_ in MET}
    faults = NetworkFaults(11, shares, 0.01)
    sendings = [a_sending(office, "H41") for _ in range(40)]

    async def story() -> None:
        async with Lines(hub.base_url, most=8) as lines:
            rough, plain = (speaker(dialect, lines, office, faults=each) for each in (faults, None))

            async def sent(n: int) -> Taken:
                _, packet, post = sendings[n]
                for attempt in range(1, 20):
                    try:
                        return await rough.send(packet, post, f"d{n}.{attempt}")
                    except NoAnswer:
                        continue
                return await plain.send(packet, post, a_mark())

            hub_ids = [taken.hub_id for taken in await asyncio.gather(*map(sent, range(len(sendings))))]
            assert len(set(hub_ids)) == len(sendings)
            again = [await plain.send(packet, post, a_mark()) for _, packet, post in sendings]
            assert [taken.hub_id for taken in again] == hub_ids

    asyncio.run(story())
    rows = [row["business_id"] for row in province.inbox()]
    assert [rows.count(document.document_id) for document, *_ in sendings] == [1] * len(sendings)
