"""Recorded statuses are played so that a hub that keeps the rules answers as it was recorded, or are left out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from builders.axis import Peer, end_certificate
from builders.calling import a_report, client, enrolled
from builders.keys import a_certificate
from builders.recorded import BEGUN, Listening, a_recorder, newly_enrolled
from builders.served import Served, a_served_hub

from clients.hub_client import Refused
from clients.replay.planned import Reply
from clients.replay.stock.keys import key_and_certificate
from clients.replay.traffic.play import RecordedPlay
from hub.domain import edxml
from hub.domain.document import Document, DocumentRef, StatusReport
from hub.domain.signature import fingerprint, sign

OFFICE, PROVINCE, MINISTRY = "G22", "H41", "G06"
NAMES = {OFFICE: "Văn phòng Chính phủ", PROVINCE: "Ủy ban nhân dân tỉnh Nghệ An", MINISTRY: "Bộ Giáo dục và Đào tạo"}


@dataclass
class Story:
    """A recording under way: the office's letter has come to province and ministry, and nobody has fetched it."""

    file: Path
    hub: Served
    proxy: Listening
    office: Peer
    province: Peer
    ministry: Peer
    letter: Document

    def fetch(self, peer: Peer) -> None:
        with client(self.proxy, peer) as agency:  # type: ignore[arg-type]  # it has a base_url, as a hub
            for item in agency.inbox().items:
                agency.packet(item["id"])
                agency.done(item["id"])

    def end_certificate(self, peer: Peer) -> None:
        axis = self.hub.axis
        with axis.desk.engine.begin() as connection:
            end_certificate(connection, fingerprint(peer.certificate), peer.code, BEGUN - timedelta(hours=1))
        axis.steer(peer.code, "unlock")  # the directory is read anew
        axis.desk.rosters.current(now=True)

    def report(self, by: Peer, status: str, *, signed: bool = True, of: Peer | None = None) -> str:
        """The code of the refusal, or nothing; ``of`` is in whose name, and who signs."""
        of = of or by
        return reported(self.proxy, by, packet_of(of, a_report(of, self.letter, status, "Lý do"), signed=signed))

    def recall(self, to: Peer, why: str = "Rút lại", *, by: Peer | None = None) -> str:
        """The office's 13, signed ``by`` another."""
        named = DocumentRef(to.code, document_id=self.letter.document_id)
        report = replace(a_report(self.office, self.letter, "13", why), response_for=named)
        return reported(self.proxy, self.office, packet_of(by or self.office, report))


def packet_of(peer: Peer, report: StatusReport, *, signed: bool = True) -> bytes:
    packet = edxml.write_status(report)
    return sign(packet, peer.key, peer.certificate) if signed else packet


def reported(hub: Served | Listening, by: Peer, packet: bytes) -> str:
    try:
        with client(hub, by) as agency:  # type: ignore[arg-type]
            agency.report(packet)
    except Refused as refusal:
        return refusal.code
    return ""


@contextmanager
def a_story(folder: Path, *, profile: str = "required") -> Iterator[Story]:
    """``profile`` of the province's system."""
    file = folder / "a.traffic"
    with a_served_hub(folder / "recorded") as hub:
        office, ministry = enrolled(hub, OFFICE, NAMES[OFFICE]), enrolled(hub, MINISTRY, NAMES[MINISTRY])
        province = enrolled(hub, PROVINCE, NAMES[PROVINCE], profile=profile)
        letter = office.draft(PROVINCE, MINISTRY)
        with a_recorder(hub.base_url, file) as proxy:
            with client(proxy, office) as agency:  # type: ignore[arg-type]
                agency.send(office.packet(letter))
            yield Story(file, hub, proxy, office, province, ministry, letter)


def a_play(file: Path) -> RecordedPlay:
    return RecordedPlay(file, seed=7, today=BEGUN.date(), sign_as=lambda code: key_and_certificate(7, code))


def met(folder: Path, play: RecordedPlay) -> list[tuple[Reply, str]]:
    """Each status with the refusal that it meets at a fresh hub, or none: reported behind its fetch, as the player
    does."""
    found = []
    with a_served_hub(folder / "fresh") as hub:
        peers = {party.code: newly_enrolled(hub, play, party) for party in play.cast}
        (post,) = play.posts()
        with client(hub, peers[post.sender]) as agency:
            agency.send(asyncio.run(play.packet(post)))
        for recipient in post.recipients:
            with client(hub, peers[recipient]) as agency:
                for item in agency.inbox().items:
                    agency.packet(item["id"])
                    agency.done(item["id"])
            for reply in play.replies(post, recipient):
                by = peers[post.sender if reply.by_sender else recipient]
                found.append((reply, reported(hub, by, asyncio.run(play.status(post, reply)))))
    return found


def test_a_status_refused_for_who_signed_it_is_refused_for_that_again(tmp_path: Path) -> None:
    """It was once signed by the reporter's own key and so accepted, and an honest hub was blamed for it."""
    with a_story(tmp_path) as story:
        office, province = story.office, story.province
        story.fetch(province)
        by_another = replace(province, key=office.key, certificate=office.certificate)
        assert story.report(province, "01", of=by_another) == "certificate-other-agency"
        key, certificate = a_certificate("Người lạ")
        assert story.report(province, "01", of=replace(province, key=key, certificate=certificate)) == (
            "certificate-unknown"
        )
        spoilt = packet_of(province, a_report(province, story.letter, "03", "Đang xử lý")).replace(
            "Đang xử lý".encode(), "Đang xử lí".encode()
        )
        assert reported(story.proxy, province, spoilt) == "signature-digest"
        assert story.recall(story.ministry, by=province) == "certificate-other-agency"
        story.end_certificate(province)
        assert story.report(province, "01") == "certificate-ended"
    with a_play(story.file) as play:
        found = met(tmp_path, play)
        assert sorted((reply.expect, reply.by_sender) for reply, _ in found) == [
            ("certificate-other-agency", False),
            ("certificate-other-agency", False),  # the certificate that had ended
            ("certificate-other-agency", True),
            ("certificate-unknown", False),
            ("signature-digest", False),
        ]
        assert [code for _, code in found] == [reply.expect for reply, _ in found]
        assert not play.left_out


def test_a_system_whose_only_unsigned_packets_are_statuses_is_a_legacy_one(tmp_path: Path) -> None:
    """It was once enrolled as one that must sign, and its statuses refused."""
    with a_story(tmp_path, profile="legacy") as story:
        story.fetch(story.province)
        story.fetch(story.ministry)
        assert not story.report(story.province, "01", signed=False)
        story.end_certificate(story.province)
        assert story.report(story.province, "03") == "certificate-ended"
        assert story.report(story.ministry, "01", signed=False) == "signature-required"
    with a_play(story.file) as play:
        assert {party.code: party.profile for party in play.cast} == {
            OFFICE: "required",
            PROVINCE: "legacy",
            MINISTRY: "required",
        }
        assert [(reply.recipient, code) for reply, code in met(tmp_path, play)] == [
            (PROVINCE, ""),
            (PROVINCE, "certificate-other-agency"),
            (MINISTRY, "signature-required"),
        ]


def test_a_status_refused_for_when_it_came_is_left_out_and_counted(tmp_path: Path) -> None:
    """The player reports behind its fetch, and answers when it was asked, where a hub that keeps the rules takes it."""
    with a_story(tmp_path) as story:
        assert story.report(story.province, "01") == "status-not-allowed"
        assert story.report(story.ministry, "01") == "status-not-allowed", "nor does it ever fetch"
        story.fetch(story.province)
        assert story.report(story.province, "15") == "status-not-allowed", "nobody has asked yet"
        assert not story.recall(story.province)
        assert not story.report(story.province, "16")
        assert not story.report(story.province, "05")
        assert story.report(story.province, "02") == "status-not-allowed", "whatever the others do"
        assert not story.recall(story.province, "Rút lại lần hai")
        assert not story.report(story.province, "15")
        assert story.recall(story.province, "Rút lại lần ba") == "status-not-allowed", "it was taken back already"
    with a_play(story.file) as play:
        assert [(reply.code, reply.k, code) for reply, code in met(tmp_path, play)] == [
            ("13", 0, ""),
            ("16", 1, ""),
            ("05", 2, ""),
            ("02", 3, "status-not-allowed"),
            ("13", 4, ""),
            ("15", 5, ""),
        ]
        assert play.left_out == {"statuses refused for when they came": 4}


@pytest.mark.parametrize("status", ["01", "13"])
def test_a_status_in_anothers_name_is_left_out_and_counted(tmp_path: Path, status: str) -> None:
    """It was once played by the system of that other agency, which may report it."""
    with a_story(tmp_path) as story:
        story.fetch(story.province)
        of = story.office if status == "13" else story.province
        assert story.report(story.ministry, status, of=of) == "not-your-agency"
        assert not story.report(story.province, "03")
    with a_play(story.file) as play:
        assert [(reply.code, code) for reply, code in met(tmp_path, play)] == [("03", "")]
        assert play.left_out == {"statuses refused since another agency's system reported them": 1}
