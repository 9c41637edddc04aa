"""Recorded traffic becomes a plan, and the plan traffic again: at a fresh hub, by other keys, with the same outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders.axis import Peer, acting
from builders.calling import a_report, client, enrolled
from builders.packets import a_status
from builders.recorded import Listening, a_recorder, exchanges, newly_enrolled
from builders.served import Served, a_line, a_served_hub, loses_the_answer

from clients.gateway_client import GatewayClient
from clients.hub_client import Refused, Unavailable
from clients.replay.planned import Post
from clients.replay.stock.keys import key_and_certificate
from clients.replay.traffic.file import TrafficFile
from clients.replay.traffic.plan import TrafficPlan
from clients.replay.traffic.play import STRANGER, RecordedPlay
from hub.domain import edxml
from hub.domain.document import Document, DocumentRef, Organization
from hub.domain.signature import Signed, verify
from hub.errors import Refusal

OFFICE, PROVINCE, DEPARTMENT, MINISTRY = "G22", "H41", "H41.07", "G06"
NAMES = {OFFICE: "Văn phòng Chính phủ", PROVINCE: "Ủy ban nhân dân tỉnh Nghệ An", MINISTRY: "Bộ Giáo dục và Đào tạo"}
LATER = 45  # days between the recording and the play


@dataclass
class Told:
    """What happened before the recorder: the packets by what they were for."""

    file: Path
    packets: dict[str, bytes]
    letters: dict[str, Document]


def offer(hub: Served | Listening, peer: Peer, packet: bytes) -> str:
    """The code of the refusal, or nothing."""
    try:
        with client(hub, peer) as agency:  # type: ignore[arg-type]  # it has a base_url
            agency.send(packet)
    except Refused as refusal:
        return refusal.code
    return ""


def a_gateway(hub: Served | Listening, peer: Peer) -> GatewayClient:
    return GatewayClient(f"{hub.base_url}/axis", peer.system_id, peer.credentials["secret"])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The office speaks REST; the province, for a department below it too, the gateway's dialect; the ministry only
    gets."""
    folder = tmp_path_factory.mktemp("recorded")
    file = folder / "a.traffic"
    with a_served_hub(folder / "hub") as hub:
        peers = {code: enrolled(hub, code, name) for code, name in NAMES.items()}
        office, province = peers[OFFICE], peers[PROVINCE]
        with a_recorder(hub.base_url, file) as proxy:
            yield Told(file, *_story(proxy, office, province))


def _story(proxy: Listening, office: Peer, province: Peer) -> tuple[dict[str, bytes], dict[str, Document]]:
    letters = {"first": office.draft(PROVINCE, DEPARTMENT, MINISTRY, number="07")}
    packets = {"first": office.packet(letters["first"])}
    assert not offer(proxy, office, packets["first"])
    with a_gateway(proxy, province) as java:
        for item in java.get_received_edoc_list("edoc").items:
            assert java.get_edoc(item["docId"]).packet == packets["first"]
            assert java.update_status(item["docId"], "done").ok
        for code in (PROVINCE, DEPARTMENT):
            report = a_report(replace(province, code=code), letters["first"], "01")
            packets[f"01 {code}"] = _status(province, report)
            assert java.send_edoc(packets[f"01 {code}"], sender=code, message_type="status").ok
    with client(proxy, office) as agency:  # type: ignore[arg-type]
        for item in agency.inbox().items:
            agency.packet(item["id"])
            agency.done(item["id"])
        recalled = a_status(
            sender=Organization(organ_id=OFFICE),
            response_for=DocumentRef(MINISTRY, document_id=letters["first"].document_id),
            status="13",
            description="Rút lại",
            timestamp="2025/10/01 09:30:00",
        )
        packets["13"] = _status(office, recalled)
        agency.report(packets["13"])
    letters["update"] = office.draft(PROVINCE, **acting("update", letters["first"]))
    packets["update"] = office.packet(letters["update"])
    assert not offer(proxy, office, packets["update"])
    assert not offer(proxy, office, packets["first"]), "the same once more"
    letters["taken"] = replace(letters["first"], document_id=f"{OFFICE},2025/09/30,7b/VP")
    packets["taken"] = office.packet(letters["taken"])
    assert offer(proxy, office, packets["taken"]) == "number-taken"
    packets["digest"] = office.packet(office.draft(PROVINCE)).replace("Công khai".encode(), "Công khia".encode())
    assert offer(proxy, office, packets["digest"]) == "signature-digest"
    packets["unsigned"] = office.packet(office.draft(PROVINCE), signed=False)
    assert offer(proxy, office, packets["unsigned"]) == "signature-required"
    packets["stranger"] = replace(office, key=province.key, certificate=province.certificate).packet(
        office.draft(PROVINCE)
    )
    assert offer(proxy, office, packets["stranger"]) == "certificate-other-agency"
    packets["broken"] = b"<edXML>"
    assert offer(proxy, office, packets["broken"]) == "xml-not-well-formed"
    with a_gateway(proxy, province) as java:
        letters["answer"] = replace(province.draft(OFFICE), subject="")
        packets["answer"] = province.packet(letters["answer"])
        refused = java.send_edoc(packets["answer"], sender=PROVINCE, to=[OFFICE])
        assert "[field-missing]" in refused.description
    return packets, letters


def _status(peer: Peer, report: Any) -> bytes:
    with client(Served("http://127.0.0.1:9", peer.axis), peer) as agency:
        signed: bytes = agency.sign(report)
        return signed


@pytest.fixture
def play(told: Told) -> Iterator[RecordedPlay]:
    with a_play(told) as opened:
        yield opened


def a_play(told: Told, **changes: Any) -> RecordedPlay:
    with TrafficFile(told.file) as file:
        today = (file.begun + timedelta(days=LATER)).date()
    return RecordedPlay(
        told.file, **({"seed": 7, "today": today, "sign_as": lambda code: key_and_certificate(7, code)} | changes)
    )


def test_the_cast_is_who_spoke_for_whom_and_in_which_dialect(play: RecordedPlay) -> None:
    assert {party.code: (party.system, party.dialect, party.silent) for party in play.cast} == {
        OFFICE: (OFFICE, "rest", False),
        PROVINCE: (PROVINCE, "gateway", False),
        DEPARTMENT: (PROVINCE, "gateway", False),
        MINISTRY: (MINISTRY, "rest", True),
    }
    assert {party.code: party.name for party in play.cast}[OFFICE] == NAMES[OFFICE]
    assert {party.profile for party in play.cast} == {"required"}


def test_posts_come_in_order_with_what_they_met(play: RecordedPlay) -> None:
    posts = list(play.posts())
    assert [(post.n, post.sender, post.expect, post.repeats, post.target) for post in posts] == [
        (1, OFFICE, "", 0, 0),
        (2, OFFICE, "", 0, 1),
        (3, OFFICE, "", 1, 0),
        (4, OFFICE, "number-taken", 0, 0),
        (5, OFFICE, "signature-digest", 0, 0),
        (6, OFFICE, "signature-required", 0, 0),
        (7, OFFICE, "certificate-other-agency", 0, 0),
        (8, OFFICE, "xml-not-well-formed", 0, 0),
        (9, PROVINCE, "packet-refused/field-missing", 0, 0),
    ]
    assert [post.at for post in posts] == sorted(post.at for post in posts)
    assert play.total == len(posts)
    assert not play.left_out


def test_what_recipients_did_is_in_the_plan_with_its_times(told: Told) -> None:
    with TrafficFile(told.file) as file:
        plan = TrafficPlan(file)
        first = plan.sent(1)
        for code in (PROVINCE, DEPARTMENT):
            handled = first.recipients[code]
            assert handled.fetched is not None
            assert handled.done is not None
            assert first.post.at < handled.fetched < handled.done
            (reply,) = plan.replies(1, code)
            assert (reply.code, reply.by_sender, reply.k) == ("01", False, 0)
            assert plan.status(1, code, 0) == told.packets[f"01 {code}"]
            reported = next(e.at for e in exchanges(told.file) if e.at > handled.done and e.operation == "report")
            assert 0 < reply.after <= reported - handled.done + 1
        assert first.recipients[MINISTRY].fetched is None
        (recall,) = plan.replies(1, MINISTRY)
        assert (recall.code, recall.by_sender) == ("13", True)
        assert plan.packet(1) == told.packets["first"]


@pytest.mark.parametrize("anonymise", [False, True], ids=["as it was", "anonymised"])
def test_played_again_at_a_fresh_hub_everything_comes_out_as_it_was_recorded(
    told: Told, tmp_path: Path, anonymise: bool
) -> None:
    with a_served_hub(tmp_path) as hub, a_play(told, anonymise=anonymise) as play:
        hub.axis.clock.pass_(days=LATER)
        peers = {p.code: newly_enrolled(hub, play, p) for p in play.cast if p.system == p.code}
        for post in play.posts():
            packet = asyncio.run(play.packet(post))
            assert packet == asyncio.run(play.packet(post))
            assert offer(hub, peers[play_system(play, post.sender)], packet) == post.expect.partition("/")[0]
            deliver(hub, peers, play, post)
        document = hub.axis.document(next(iter(peers[OFFICE].entries()))["document_id"])
        assert document is not None
        assert sorted(peers[OFFICE].outbox()) == sorted(
            [("delivered", "none")] * 3 + [("status", "01")] * 2 + [("withdrawn", "none")]
        )


def play_system(play: RecordedPlay, code: str) -> str:
    return next(party.system for party in play.cast if party.code == code)


def deliver(hub: Served, peers: dict[str, Peer], play: RecordedPlay, post: Post) -> None:
    """Everybody who looks fetches what waits; then what was reported is reported."""
    for party in play.cast:
        if party.system == party.code and not party.silent:
            with client(hub, peers[party.code]) as agency:
                for item in agency.inbox().items:
                    agency.packet(item["id"])
                    agency.done(item["id"])
    if post.expect:
        return
    for recipient in post.recipients:
        for reply in play.replies(post, recipient):
            by = play_system(play, post.sender if reply.by_sender else recipient)
            with client(hub, peers[by]) as agency:
                agency.report(asyncio.run(play.status(post, reply)))


def test_ids_numbers_and_dates_are_fresh_and_still_refer_to_each_other(play: RecordedPlay, told: Told) -> None:
    posts = list(play.posts())
    first, update = (edxml.read_document(edxml.parse(asyncio.run(play.packet(posts[n])))) for n in (0, 1))
    assert first.document_id != told.letters["first"].document_id
    assert update.business.document_id == first.document_id == posts[0].document_id
    assert first.number == posts[0].number != told.letters["first"].number
    assert first.promulgation_date == "2025/11/14"
    taken = edxml.read_document(edxml.parse(asyncio.run(play.packet(posts[3]))))
    assert taken.number == first.number
    assert taken.document_id != first.document_id
    status = edxml.read_status(edxml.parse(asyncio.run(play.status(posts[0], play.replies(posts[0], PROVINCE)[0]))))
    assert (status.response_for.document_id, status.timestamp) == (first.document_id, "2025/11/15 09:00:00")


def test_another_seed_gives_other_ids_and_the_same_seed_the_same_bytes(told: Told) -> None:
    packets = []
    for seed in (7, 7, 8):
        with a_play(told, seed=seed) as play:
            packets.append(asyncio.run(play.packet(next(play.posts()))))
    assert packets[0] == packets[1]
    assert (
        edxml.read_document(edxml.parse(packets[2])).document_id
        != edxml.read_document(edxml.parse(packets[0])).document_id
    )


def test_noise_and_the_names_of_the_cast_are_of_what_was_recorded_and_cannot_be_tried_by_the_seed(
    told: Told, tmp_path: Path
) -> None:
    """The noise of a name was once the same in every play with seed 1, and who has a list of names could read it."""
    less = tmp_path / "less.traffic"
    less.write_bytes(told.file.read_bytes()[:-100])
    found = []
    for file in (told.file, told.file, less):
        with a_play(replace(told, file=file), anonymise=True) as play:
            packet = edxml.read_document(edxml.parse(asyncio.run(play.packet(next(play.posts())))))
            name = {party.code: party.name for party in play.cast}[OFFICE]
            assert name == packet.sender.name != NAMES[OFFICE]
            found.append((packet.subject, name))
    assert found[0] == found[1]
    assert not set(found[0]) & set(found[2])


def test_signatures_are_of_the_keys_that_were_given_and_broken_ones_stay_broken(play: RecordedPlay) -> None:
    found = {}
    for post in play.posts():
        try:
            state = verify(edxml.parse(asyncio.run(play.packet(post))))
        except Refusal as refusal:
            found[post.n] = refusal.code
        else:
            found[post.n] = state.certificate.subject.rfc4514_string() if isinstance(state, Signed) else state.why
    mine = "CN=G22"
    assert [found[n] for n in (1, 2, 3, 4)] == [mine] * 4
    assert [found[n] for n in (5, 6, 8)] == ["signature-digest", "no-signature", "xml-not-well-formed"]
    assert found[7] not in (mine, f"CN={STRANGER}")
    assert play.certificate(OFFICE).startswith(b"-----BEGIN CERTIFICATE-----")


def test_a_try_without_an_answer_is_no_post_of_its_own(tmp_path: Path) -> None:
    """The hub took the first and its answer was lost: the second was told of a repeat, and is the document."""
    with a_served_hub(tmp_path / "hub") as hub:
        office = enrolled(hub, OFFICE, NAMES[OFFICE])
        packet = office.packet(office.draft(OFFICE))
        file = tmp_path / "a.traffic"
        with a_line(loses_the_answer, to=hub.base_url) as line, a_recorder(line.base_url, file) as proxy:
            with pytest.raises(Unavailable), client(proxy, office, attempts=1) as agency:  # type: ignore[arg-type]
                agency.send(packet)
            assert not offer(proxy, office, packet)
    with TrafficFile(file) as reading:
        plan = TrafficPlan(reading)
        (post,) = plan.posts()
        assert (post.expect, post.repeats) == ("", 0)
        assert plan.left_out == {"documents without a final answer": 1}


def test_how_far_the_reading_is_is_told_until_its_end(told: Told) -> None:
    steps: list[tuple[int, int]] = []
    with a_play(told, step=lambda done, of: steps.append((done, of))):
        pass
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1][0] == steps[-1][1] == len(exchanges(told.file)) + 9


def test_whom_nobody_signed_for_is_a_legacy_system_and_stays_unsigned(tmp_path: Path) -> None:
    file = tmp_path / "a.traffic"
    with a_served_hub(tmp_path / "hub") as hub:
        office = enrolled(hub, OFFICE, NAMES[OFFICE], profile="legacy")
        with a_recorder(hub.base_url, file) as proxy:
            assert not offer(proxy, office, office.packet(office.draft(OFFICE), signed=False))
            assert not offer(proxy, office, office.packet(office.draft(OFFICE)))
    with TrafficFile(file) as reading:
        plan = TrafficPlan(reading)
        assert [post.signed for post in plan.posts()] == [False, True]
        assert [party.profile for party in plan.cast.parties] == ["legacy"]


def test_a_recording_that_broke_off_is_played_as_far_as_it_goes(told: Told, tmp_path: Path) -> None:
    torn = tmp_path / "torn.traffic"
    torn.write_bytes(told.file.read_bytes()[:-100])
    with TrafficFile(torn) as reading:
        posts = list(TrafficPlan(reading).posts())
        assert reading.torn
    assert [post.n for post in posts] == list(range(1, 9))
