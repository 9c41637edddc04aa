"""What is recorded and cannot be had again is left out and counted, or comes as what can be had."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from builders.axis import Peer, acting
from builders.calling import a_report, client, enrolled
from builders.recorded import BEGUN, Listening, a_recorder, newly_enrolled
from builders.served import Served, a_served_hub

from clients.hub_client import Refused
from clients.replay.stock.keys import key_and_certificate
from clients.replay.traffic.file import TrafficFile
from clients.replay.traffic.plan import TrafficPlan
from clients.replay.traffic.play import RecordedPlay

OFFICE, PROVINCE, MINISTRY = "G22", "H41", "G06"
NAMES = {OFFICE: "Văn phòng Chính phủ", PROVINCE: "Ủy ban nhân dân tỉnh Nghệ An"}


def offer(hub: Served | Listening, peer: Peer, packet: bytes) -> str:
    """The code of the refusal, or nothing."""
    try:
        with client(hub, peer) as agency:  # type: ignore[arg-type]  # it has a base_url
            agency.send(packet)
    except Refused as refusal:
        return refusal.code
    return ""


def test_what_was_refused_for_more_than_its_packet_is_left_out_and_counted(tmp_path: Path) -> None:
    """A wrong token, a number that was taken before the recording, a status about a document from before it."""
    file = tmp_path / "a.traffic"
    with a_served_hub(tmp_path / "hub") as hub:
        office, province = enrolled(hub, OFFICE, NAMES[OFFICE]), enrolled(hub, PROVINCE, NAMES[PROVINCE])
        early = office.draft(PROVINCE)
        delivery = office.post(office.packet(early)).body["deliveries"][0]["id"]
        province.receive(delivery)
        with a_recorder(hub.base_url, file) as proxy:
            taken = replace(early, document_id=early.document_id + "b")
            assert offer(proxy, office, office.packet(taken)) == "number-taken"
            stranger = replace(office, credentials={"token": "không phải của ai".encode().hex()})
            assert offer(proxy, stranger, office.packet(office.draft(PROVINCE))) == "not-authenticated"
            with client(proxy, province) as agency:  # type: ignore[arg-type]
                agency.report(a_report(province, early, "01"))
    with TrafficFile(file) as reading:
        plan = TrafficPlan(reading)
        assert list(plan.posts()) == []
        assert plan.left_out == {
            "documents refused because of one from before the recording": 1,
            "documents refused for something beside the packet": 1,
            "statuses about no document of the recording": 1,
        }


def test_who_names_a_document_of_anothers_is_refused_again_where_that_was_recorded_and_left_out_where_not(
    tmp_path: Path,
) -> None:
    """One from before the recording is at no other hub, which accepts what names it."""
    file = tmp_path / "a.traffic"
    with a_served_hub(tmp_path / "hub") as hub:
        office, province = enrolled(hub, OFFICE, NAMES[OFFICE]), enrolled(hub, PROVINCE, NAMES[PROVINCE])
        early, _ = province.issue(OFFICE)
        with a_recorder(hub.base_url, file) as proxy:
            late = province.draft(OFFICE)
            assert not offer(proxy, province, province.packet(late))
            for named in (early, late):
                update = office.draft(PROVINCE, **acting("update", named))
                assert offer(proxy, office, office.packet(update)) == "not-your-document"
    with TrafficFile(file) as reading:
        plan = TrafficPlan(reading)
        assert [post.expect for post in plan.posts()] == ["", "not-your-document"]
        assert plan.left_out == {"documents refused because of one from before the recording": 1}


def test_who_was_locked_or_not_connected_and_is_reached_in_the_play_is_left_out_and_counted(tmp_path: Path) -> None:
    """The play's hub knows all systems from its beginning, and locks none."""
    file, remote = tmp_path / "a.traffic", "H36"
    with a_served_hub(tmp_path / "hub") as hub:
        office, province = enrolled(hub, OFFICE, NAMES[OFFICE]), enrolled(hub, PROVINCE, NAMES[PROVINCE])
        with a_recorder(hub.base_url, file) as proxy:
            assert refused(proxy, office, PROVINCE, remote) == {"recipient-not-connected"}
            assert refused(proxy, office, PROVINCE, MINISTRY) == {"recipient-not-connected"}
            enrolled(hub, remote)
            assert not refused(proxy, office, PROVINCE, remote)
            assert refused(proxy, office, "XYZ") == {"recipient-unknown"}
            hub.axis.steer(province.code, "lock")
            hub.axis.desk.rosters.current(now=True)
            assert refused(proxy, office, PROVINCE) == {"recipient-locked"}
    with TrafficFile(file) as reading:
        plan = TrafficPlan(reading)
        assert [post.expect for post in plan.posts()] == [
            "packet-refused/recipient-not-connected",
            "",
            "packet-refused/recipient-unknown",
        ]
        assert plan.left_out == {"documents refused for recipients that can be reached in the play": 2}


def refused(proxy: Listening, sender: Peer, *to: str) -> set[str]:
    """The rules that a new document breaks."""
    try:
        with client(proxy, sender) as agency:  # type: ignore[arg-type]
            agency.send(sender.packet(sender.draft(*to)))
    except Refused as refusal:
        return {violation.rule for violation in refusal.violations}
    return set()


def test_where_no_other_system_is_left_to_sign_a_stranger_signs_and_that_is_expected(tmp_path: Path) -> None:
    """An honest hub was once blamed for saying that it does not know the certificate."""
    file = tmp_path / "a.traffic"
    with a_served_hub(tmp_path / "hub") as hub:
        office, province = enrolled(hub, OFFICE, NAMES[OFFICE]), enrolled(hub, PROVINCE, NAMES[PROVINCE])
        with a_recorder(hub.base_url, file) as proxy:
            signed = replace(office, key=province.key, certificate=province.certificate).packet(office.draft(OFFICE))
            assert offer(proxy, office, signed) == "certificate-other-agency"
    terms = {"seed": 7, "today": BEGUN.date(), "sign_as": lambda code: key_and_certificate(7, code)}
    with a_served_hub(tmp_path / "fresh") as hub, RecordedPlay(file, **terms) as play:
        (party,), (post,) = play.cast, play.posts()
        packet = asyncio.run(play.packet(post))
        assert offer(hub, newly_enrolled(hub, play, party), packet) == post.expect == "certificate-unknown"
