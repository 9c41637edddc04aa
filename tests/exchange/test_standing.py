"""Accepting a packet: whose signature it bears (exchange rules 3)."""

from __future__ import annotations

import pytest
from builders.axis import Axis
from builders.keys import a_certificate
from builders.told import rules_of, warned

from hub.domain.document import Organization
from hub.domain.signature import sign
from hub.errors import Refusal

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
