"""Accepting a packet: whose signature it bears, and what becomes of one that is refused (exchange rules 3)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.keys import a_certificate
from sqlalchemy import select

from hub.domain.document import Organization
from hub.domain.signature import sign
from hub.errors import Refusal
from hub.exchange import accept
from hub.store import tables as t
from hub.store.engine import reading


def rules_of(refusal: Refusal) -> list[tuple[str, str]]:
    """Rule and value of every violation."""
    return [(violation.rule, violation.value) for violation in refusal.violations]


def warned(answer: dict[str, Any]) -> list[str]:
    return [warning["rule"] for warning in answer["warnings"] if warning["rule"] != "name-directory"]


# The signature.

SIGNERS = ["nobody", "an unknown certificate", "another agency", "the agency", "the platform"]
OUTCOMES = {
    ("required", "nobody"): "signature-required",
    ("required", "an unknown certificate"): "certificate-unknown",
    ("required", "another agency"): "certificate-other-agency",
    ("required", "the agency"): ("signed", "H41.05", []),
    ("required", "the platform"): ("signed-by-platform", "H41", []),
    ("legacy", "nobody"): ("unsigned", "", []),
    ("legacy", "an unknown certificate"): ("unsigned", "", ["certificate-unknown"]),
    ("legacy", "another agency"): "certificate-other-agency",
    ("legacy", "the agency"): ("signed", "H41.05", []),
    ("legacy", "the platform"): ("signed-by-platform", "H41", []),
}


@pytest.mark.parametrize(("profile", "signer"), list(OUTCOMES))
def test_a_signature_counts_as_the_profile_says(axis: Axis, profile: str, signer: str) -> None:
    """A province's platform sends for a department that once had a system and a certificate of its own."""
    office = axis.enrol("G22")
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    axis.steer("H41.05", "retire")
    province = axis.enrol("H41", profile=profile)
    keys = {
        "an unknown certificate": a_certificate("Chưa đăng ký"),
        "another agency": (office.key, office.certificate),
        "the agency": (department.key, department.certificate),
        "the platform": (province.key, province.certificate),
    }
    packet = province.packet(province.draft("G22", sender=Organization("H41.05")), signed=False)
    if signer != "nobody":
        packet = sign(packet, *keys[signer])
    outcome = OUTCOMES[profile, signer]
    if isinstance(outcome, str):
        with pytest.raises(Refusal, match=rf"^{outcome}"):
            province.post(packet)
        assert office.inbox() == []
    else:
        standing, owner, warnings = outcome
        answer = province.post(packet).body
        assert answer["signature"] == {"standing": standing, "signer": owner}
        assert warned(answer) == warnings
        assert [(row["standing"], row["signer"]) for row in office.inbox()] == [(standing, owner)]


def test_the_key_of_an_ancestor_signs_for_nobody_who_has_a_nearer_platform(axis: Axis) -> None:
    """Nothing above the nearest system counts, whoever submits."""
    axis.enrol("G22")
    province = axis.enrol("H41")
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    packet = sign(department.packet(department.draft("G22"), signed=False), province.key, province.certificate)
    with pytest.raises(Refusal, match=r"^certificate-other-agency"):
        department.post(packet)


@pytest.mark.parametrize("profile", ["required", "legacy"])
def test_a_packet_changed_after_signing_is_refused_in_every_profile(axis: Axis, profile: str) -> None:
    office = axis.enrol("G22", profile=profile)
    axis.enrol("H41")
    packet = office.packet(office.draft("H41", subject="V/v gửi báo cáo"))
    with pytest.raises(Refusal, match=r"^signature-digest"):
        office.post(packet.replace("V/v gửi báo cáo".encode(), "V/v hủy báo cáo".encode()))


def test_signature_and_rules_are_told_in_one_answer(axis: Axis) -> None:
    office = axis.enrol("G22")
    with pytest.raises(Refusal, match=r"^signature-required") as refused:
        office.send("W00", signed=False, subject="", promulgation_date="30/09/2025")
    assert {rule for rule, _ in rules_of(refused.value)} == {
        "signature-required",
        "recipient-is-node",
        "field-missing",
        "date-form",
    }


# The desk.


def send(axis: Axis, peer: Peer, packet: bytes) -> accept.Accepted:
    system = axis.desk.rosters.current(now=True).systems[peer.system_id]
    accepted: accept.Accepted = asyncio.run(axis.desk.accept(packet, system, "vết-thử"))
    return accepted


def refusals(axis: Axis) -> list[Any]:
    with reading(axis.desk.engine) as connection:
        return list(connection.execute(select(t.refusal).order_by(t.refusal.c.at)).mappings())


def stored(axis: Axis) -> list[str]:
    """The files in the payload store."""
    later = replace(axis.clock, now=axis.clock().replace(year=9999))
    return list(axis.desk.payloads.older_than(later()))


def test_a_refused_packet_is_no_document_but_its_refusal_is_kept(axis: Axis) -> None:
    office = axis.enrol("G22")
    packet = office.packet(office.draft("W00", subject="V/v thử nghiệm"))
    with pytest.raises(Refusal):
        send(axis, office, packet)
    (row,) = refusals(axis)
    assert (row["code"], row["system_id"], row["sender"]) == ("packet-refused", office.system_id, "G22")
    assert (row["size"], row["subject"], row["trace_id"]) == (len(packet), "V/v thử nghiệm", "vết-thử")
    assert [violation["rule"] for violation in row["violations"]] == ["recipient-is-node"]
    with reading(axis.desk.engine) as connection:
        assert connection.execute(select(t.document)).all() == []
        assert connection.execute(select(t.packet)).all() == []


def test_a_packet_that_cannot_be_read_is_kept_as_a_digest_and_a_rule(axis: Axis) -> None:
    office = axis.enrol("G22")
    with pytest.raises(Refusal, match=r"^xml-not-well-formed"):
        send(axis, office, b"<edXML>")
    assert [(row["code"], row["sender"], row["subject"]) for row in refusals(axis)] == [("xml-not-well-formed", "", "")]


def test_a_large_packet_lies_in_the_payload_store_and_a_small_one_in_its_row(axis: Axis) -> None:
    office, province = axis.enrol("G22"), axis.enrol("H41")
    small, large = (office.packet(office.draft("H41", content=text)) for text in ("ngắn", ""))
    assert len(small) <= axis.desk.terms.inline_limit
    send(axis, office, small)
    axis.desk.terms = replace(axis.desk.terms, inline_limit=100)
    answer = send(axis, office, large).body
    (place,) = stored(axis)
    assert axis.desk.payloads.get(place) == large
    with reading(axis.desk.engine) as connection:
        rows = connection.execute(select(t.packet.c.place, t.packet.c.body).order_by(t.packet.c.place.is_(None))).all()
    assert [(row.place, row.body) for row in rows] == [(place, None), (None, small)]
    assert province.inbox()[-1]["document_id"] == answer["id"]


def test_a_large_packet_that_is_refused_or_repeated_leaves_no_file(axis: Axis) -> None:
    office = axis.enrol("G22")
    axis.enrol("H41")
    axis.desk.terms = replace(axis.desk.terms, inline_limit=100)
    document = office.draft("H41")
    packet = office.packet(document)
    send(axis, office, packet)
    kept = stored(axis)
    assert not send(axis, office, packet).kept
    with pytest.raises(Refusal, match=r"^document-conflict"):
        send(axis, office, office.packet(replace(document, subject="V/v khác")))
    assert stored(axis) == kept
    assert len(kept) == 1
