"""Wrong hubs by order, seen from outside in each dialect; a hub without orders does nothing of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from builders.axis import Peer
from builders.calling import client
from builders.packets import an_attachment
from builders.simulated import Gateway, Rest, Simulated, Software, software

from hub.domain import edxml
from hub.domain.document import Attachment, Document
from hub.simulation.chance import chance
from hub.simulation.mutants import _with_another_digit
from hub.store import retention
from hub.store.engine import writing

Speaks = Callable[[Peer], Software]


@pytest.fixture(params=["rest", "gateway", "gateway by downloadEdoc"])
def speaks(request: pytest.FixtureRequest, hub: Simulated) -> Speaks:
    """The software of an agency, in each dialect."""

    def make(peer: Peer) -> Software:
        return Rest(hub, peer) if request.param == "rest" else Gateway(hub, peer, "download" in request.param)

    return make


def a_letter(office: Peer) -> tuple[str, bytes]:
    """A document that the hub has acknowledged: its delivery, and its packet."""
    packet = office.packet(office.draft("H41"))
    return office.post(packet).body["deliveries"][0]["id"], packet


def reported(office: Peer, province: Peer, *codes: str) -> Document:
    """A document that Nghệ An has received, and reported so."""
    document, answer = office.issue("H41")
    province.receive(answer["deliveries"][0]["id"])
    for minute, code in enumerate(codes):
        province.report(code, document, timestamp=f"2025/10/01 09:{minute:02}:00")
    return document


def codes(sender: Software) -> list[str]:
    """The statuses that wait for a sender, in the order in which its software takes them in."""
    found = []
    for delivery in sender.listed(statuses=True):
        packet = sender.fetch(delivery)
        assert packet is not None
        found.append(edxml.read_status(edxml.parse(packet)).status)
    return found


def test_an_honest_hub_does_none_of_it(
    hub: Simulated, office: Peer, province: Peer, stranger: Peer, speaks: Speaks
) -> None:
    delivery, packet = a_letter(office)
    receiver = speaks(province)
    assert receiver.listed() == [delivery]
    assert speaks(stranger).listed() == []
    assert receiver.fetch(delivery) == packet
    assert receiver.done(delivery)
    assert receiver.listed() == []
    reported(office, province, "01", "03")
    assert codes(speaks(office)) == ["01", "03"]
    assert hub.control.counts == {}


def test_an_acknowledged_delivery_is_lost(hub: Simulated, office: Peer, province: Peer, speaks: Speaks) -> None:
    delivery, _ = a_letter(office)
    hub.control.put("/mutants", {"lose": 1})
    receiver = speaks(province)
    assert receiver.listed() == []
    assert receiver.fetch(delivery) is None
    assert province.waiting() == [delivery]
    assert hub.control.counts == {"lose": 1}


def test_a_delivery_comes_again_after_it_was_done(hub: Simulated, office: Peer, province: Peer, speaks: Speaks) -> None:
    delivery, packet = a_letter(office)
    hub.control.put("/mutants", {"double": 1})
    receiver = speaks(province)
    for _ in range(2):
        assert receiver.listed() == [delivery]
        assert receiver.fetch(delivery) == packet
        assert receiver.done(delivery)
    assert receiver.listed() == []
    assert hub.control.counts == {"double": 1}


def test_a_system_that_speaks_both_dialects_is_answered_in_each(hub: Simulated, office: Peer, province: Peer) -> None:
    """What one dialect had listed came again in the other, and no list of it was answered any more."""
    delivery, _ = a_letter(office)
    hub.control.put("/mutants", {"double": 1, "misroute": 1, "reorder": 1})
    by_rest, by_gateway = Rest(hub, province), Gateway(hub, province)
    assert by_rest.listed() == [delivery]
    assert by_gateway.fetch(delivery)
    assert by_gateway.done(delivery)
    assert (by_gateway.listed(), by_rest.listed()) == ([], [delivery])
    assert by_gateway.done(delivery)
    assert (by_gateway.listed(), by_rest.listed()) == ([], [])


def test_what_is_kept_and_not_yet_done_is_listed_once(
    hub: Simulated, office: Peer, province: Peer, speaks: Speaks
) -> None:
    delivery, _ = a_letter(office)
    hub.control.put("/mutants", {"double": 1})
    receiver = speaks(province)
    receiver.listed()
    receiver.fetch(delivery)
    assert receiver.listed() == [delivery]


def test_a_stranger_sees_and_fetches_what_is_another_s(
    hub: Simulated, office: Peer, province: Peer, stranger: Peer, speaks: Speaks
) -> None:
    delivery, packet = a_letter(office)
    hub.control.put("/mutants", {"misroute": 1})
    receiver, other = speaks(province), speaks(stranger)
    assert receiver.listed() == [delivery]
    for _ in range(2):
        assert other.listed() == [delivery]
        assert other.fetch(delivery) == packet
    assert speaks(office).listed() == []
    assert other.done(delivery)
    assert other.listed() == []
    assert receiver.listed() == [delivery]
    assert receiver.fetch(delivery) == packet
    assert receiver.done(delivery)
    assert hub.control.counts == {"misroute": 1}


def test_a_stranger_whom_the_hub_no_longer_lets_in_gets_nothing(
    hub: Simulated, office: Peer, province: Peer, stranger: Peer, speaks: Speaks
) -> None:
    """What was misrouted was once handed to whoever claimed to be the stranger."""
    delivery, _ = a_letter(office)
    hub.control.put("/mutants", {"misroute": 1})
    speaks(province).listed()
    assert speaks(stranger).listed() == [delivery]
    hub.axis.steer("H27", "lock")
    hub.axis.desk.rosters.current(now=True)
    assert speaks(stranger).fetch(delivery) is None
    assert not speaks(stranger).done(delivery)


@pytest.mark.parametrize("downloads", [False, True])
def test_who_only_claims_to_be_the_stranger_gets_nothing(
    hub: Simulated, office: Peer, province: Peer, stranger: Peer, downloads: bool
) -> None:
    delivery, packet = a_letter(office)
    hub.control.put("/mutants", {"misroute": 1})
    Gateway(hub, province).listed()
    assert Gateway(hub, stranger).listed() == [delivery]
    claimed = replace(stranger, credentials=stranger.credentials | {"secret": "khong-biet"})
    assert Gateway(hub, claimed, downloads).fetch(delivery) is None
    assert not Gateway(hub, claimed).done(delivery)
    assert Gateway(hub, stranger, downloads).fetch(delivery) == packet


def test_the_project_s_own_client_takes_in_what_is_misrouted(
    hub: Simulated, office: Peer, province: Peer, stranger: Peer
) -> None:
    _, packet = a_letter(office)
    hub.control.put("/mutants", {"misroute": 1})
    Rest(hub, province).look()
    with client(hub, stranger) as other:
        (item,) = other.inbox().items
        assert other.packet(item["id"]).packet == packet
        assert other.done(item["id"])
        assert other.inbox().items == ()


def test_a_large_packet_is_misrouted_whole(
    hub: Simulated, office: Peer, province: Peer, stranger: Peer, dialect: str
) -> None:
    packet = office.packet(office.draft("H41", content="Đề nghị báo cáo " * 20, attachments=large_files()))
    assert len(packet) > 64 * 1024
    assert software(hub, office, dialect).send(packet) == "sent"
    hub.control.put("/mutants", {"misroute": 1})
    (delivery,) = software(hub, province, dialect).listed()
    other = software(hub, stranger, dialect)
    assert other.listed() == [delivery]
    assert other.fetch(delivery) == packet


def test_what_is_misrouted_and_removed_since_is_refused_as_by_the_hub(
    hub: Simulated, office: Peer, province: Peer, stranger: Peer, dialect: str
) -> None:
    """It was once a fault of the server, in no dialect."""
    delivery, _ = a_letter(office)
    hub.control.put("/mutants", {"misroute": 1})
    software(hub, province, dialect).listed()
    other = software(hub, stranger, dialect)
    assert other.listed() == [delivery]
    with writing(hub.axis.desk.engine) as connection:
        retention.remove_packets(connection, hub.axis.delivery(delivery).document_id, 1)
    if isinstance(other, Rest):
        told = other.request("GET", f"/v1/deliveries/{delivery}/packet").json()["code"]
    else:
        told = other.http.get_edoc(delivery).description
    assert "packet-removed" in told


def large_files() -> tuple[Attachment, ...]:
    return (an_attachment(content=bytes(range(256)) * 400),)


def test_two_statuses_of_one_delivery_change_places(hub: Simulated, office: Peer, province: Peer, dialect: str) -> None:
    hub.control.put("/mutants", {"reorder": 1})
    reported(office, province, "01", "03", "05")
    assert codes(software(hub, office, dialect)) == ["03", "01", "05"]
    assert hub.control.counts == {"reorder": 1}


def test_the_first_status_is_held_back_until_there_is_a_second(
    hub: Simulated, office: Peer, province: Peer, dialect: str
) -> None:
    hub.control.put("/mutants", {"reorder": 1})
    document = reported(office, province, "01")
    sender = software(hub, office, dialect)
    assert codes(sender) == []
    province.report("03", document, timestamp="2025/10/01 09:09:00")
    assert codes(sender) == ["03", "01"]
    for delivery in sender.listed(statuses=True):
        assert sender.done(delivery)
    province.report("06", document, timestamp="2025/10/01 09:10:00")
    assert codes(sender) == ["06"]


def test_a_status_alone_is_held_back_for_some_looks_only(
    hub: Simulated, office: Peer, province: Peer, dialect: str
) -> None:
    hub.control.put("/mutants", {"reorder": 1})
    reported(office, province, "01")
    sender = software(hub, office, dialect)
    assert [codes(sender) for _ in range(10)] == [[]] * 10
    assert codes(sender) == ["01"]


def test_one_byte_of_a_packet_is_another(hub: Simulated, office: Peer, province: Peer, speaks: Speaks) -> None:
    delivery, packet = a_letter(office)
    hub.control.put("/mutants", {"corrupt": 1})
    receiver = speaks(province)
    receiver.listed()
    for _ in range(2):
        fetched = receiver.fetch(delivery)
        assert fetched is not None
        assert len(fetched) == len(packet)
        assert sum(a != b for a, b in zip(fetched, packet, strict=True)) == 1
        assert edxml.read_document(edxml.parse(fetched)).sender.organ_id == "G12"
    hub.control.put("/mutants", {})
    assert receiver.fetch(delivery) == packet


def test_an_answer_comes_late_though_the_work_is_done(hub: Simulated, office: Peer, dialect: str) -> None:
    hub.control.put("/mutants", {"answer-late": 1, "answer_late_seconds": 0.2})
    began = time.monotonic()
    software(hub, office, dialect).look()
    assert time.monotonic() - began >= 0.2
    assert hub.control.counts == {"answer-late": 1}


def test_what_is_lost_does_not_fill_the_list_before_what_is_not(hub: Simulated, office: Peer, province: Peer) -> None:
    """Hidden entries are never done: a page of them once looked like an empty inbox for ever."""
    sent = [a_letter(office)[0] for _ in range(9)]
    seed = next(
        seed
        for seed in range(100_000)
        if [n for n, each in enumerate(sent) if chance(seed, "lose", each) >= 0.5] == [5, 6, 8]
    )
    hub.control.put("/mutants", {"seed": seed, "lose": 0.5})
    caller = Rest(hub, province)
    for path in ("/v1/inbox?limit=2", "/v1/inbox?limit=2&wait=1"):
        page = caller.request("GET", path).json()
        assert [item["id"] for item in page["items"]] == sent[5:7]
    page = caller.request("GET", f"/v1/inbox?limit=2&after={page['next']}").json()
    assert [item["id"] for item in page["items"]] == sent[8:]


def test_a_list_of_which_all_is_lost_waits_for_what_comes(hub: Simulated, office: Peer, province: Peer) -> None:
    a_letter(office)
    hub.control.put("/mutants", {"lose": 1})
    began = time.monotonic()
    assert Rest(hub, province).request("GET", "/v1/inbox?wait=1").json()["items"] == []
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    "packet",
    [
        b"<X509Data>a&#193;b7</X509Data>",
        b"<a1>7</a1><b>&#xC1;&#xC1;&#xC1;&#xC1;</b>",
        b"<a>7<b c='12345689012345689012345689012'/></a>",
    ],
)
def test_a_corrupted_packet_stays_well_formed(packet: bytes) -> None:
    """A digit of a name, or of a character's number, would be another defect than a byte of content."""
    found = _with_another_digit(packet)
    assert sum(a != b for a, b in zip(found, packet, strict=True)) == 1
    assert found == packet.replace(b"7", b"0")


def test_a_share_strikes_the_same_deliveries_whenever_it_is_asked(
    hub: Simulated, office: Peer, province: Peer, dialect: str
) -> None:
    sent = {a_letter(office)[0] for _ in range(12)}
    receiver = software(hub, province, dialect)
    for seed in (1, 2, 1):
        hub.control.put("/mutants", {"seed": seed, "lose": 0.5})
        assert sent - set(receiver.listed()) == {each for each in sent if chance(seed, "lose", each) < 0.5}


def test_what_a_mutant_does_excuses_nobody(hub: Simulated, office: Peer, province: Peer) -> None:
    """A judge takes what is listed as injected for an excuse: mutants are only counted."""
    a_letter(office)
    hub.control.put("/mutants", {"lose": 1})
    Rest(hub, province).look()
    assert hub.control.counts == {"lose": 1}
    assert hub.control.get("/injected?after=0")["items"] == []
