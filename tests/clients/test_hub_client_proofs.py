"""Certificates registered by the client, and who signed, as the client itself verifies it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders.axis import START, Peer
from builders.calling import OFFICE, PROVINCE, a_letter, a_report, ask, client, enrolled
from builders.keys import a_certificate
from builders.served import (
    Deed,
    Served,
    a_line,
    cuts,
    loses_the_answer,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from clients.hub_client import Refused
from hub.domain.signature import Standing
from hub.errors import Refusal


def _der(certificate: Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize("deeds", [[], [loses_the_answer]], ids=["heard", "answer lost"])
@pytest.mark.parametrize(("code", "key"), [("H17", "P-256"), ("H18", "P-384"), ("H19", "RSA-2048")])
def test_the_first_certificate_is_registered_by_code_and_the_next_by_the_first(
    hub: Served, code: str, key: str, deeds: list[Deed]
) -> None:
    peer = enrolled(hub, f"{code}.{len(deeds) + 1}", f"Sở Ví dụ {len(deeds)}", keyed=False, key=key)
    with a_line(*deeds, to=hub.base_url) as line:
        arguments = (peer.code, peer.system_id, peer.credentials["code"])
        first, _ = ask("sync", line, peer, "register_certificate", *arguments)
    assert first.agency == peer.code
    new_key, new_certificate = a_certificate(f"Khóa mới của {peer.name}", key)
    renewed = replace(peer, key=new_key, certificate=new_certificate)
    with a_line(*deeds, to=hub.base_url) as line:
        arguments = (peer.code, peer.system_id, "", (peer.key, peer.certificate))
        second, _ = ask("sync", line, renewed, "register_certificate", *arguments)
    with client(hub, renewed) as registered:
        served = registered.certificates(peer.code)
    assert {each.certificate for each in served} == {peer.certificate, new_certificate}
    prints = [hashlib.sha256(_der(each)).hexdigest() for each in (peer.certificate, new_certificate)]
    assert prints == [first.fingerprint, second.fingerprint]


def test_a_registration_that_never_happened_stays_refused(hub: Served) -> None:
    peer = enrolled(hub, "H20", keyed=False)
    with a_line(cuts, to=hub.base_url) as line:
        refused, _ = ask("sync", line, peer, "register_certificate", peer.code, peer.system_id, "đoán")
    assert isinstance(refused, Refused)
    assert refused.code == "one-time-code-wrong"


def test_a_certificate_of_the_platform_is_not_taken_for_one_of_the_agency_below(hub: Served) -> None:
    platform = enrolled(hub, "H30")
    refused, _ = ask("sync", hub, platform, "register_certificate", "H30.5", platform.system_id)
    assert isinstance(refused, Refused)
    assert refused.code == "possession-not-proved"


@pytest.fixture(scope="module")
def packet(hub: Served, office: Peer, province: Peer) -> bytes:
    with client(hub, office) as sender:
        return sender.send(a_letter(office, PROVINCE, subject="V/v kiểm tra chữ ký")).packet


def test_the_receiver_verifies_who_signed(hub: Served, office: Peer, province: Peer, packet: bytes) -> None:
    with client(hub, province) as receiver:
        verified = receiver.verify(packet, at=START)
        offline = receiver.verify(packet, receiver.certificates(OFFICE), at=START)
    assert (verified.verdict.standing, verified.verdict.owner) == (Standing.SIGNED, OFFICE)
    assert verified.verdict.fingerprint == hashlib.sha256(_der(office.certificate)).hexdigest()
    assert getattr(verified.content, "subject", "") == "V/v kiểm tra chữ ký"
    assert offline.verdict == verified.verdict


def test_a_report_is_verified_like_a_document(hub: Served, office: Peer, province: Peer) -> None:
    letter = a_letter(office, PROVINCE)
    with client(hub, office) as sender, client(hub, province) as receiver:
        receiver.packet(sender.send(letter).deliveries[0]["id"])
        reported = receiver.report(a_report(province, letter, "03"))
        assert reported.delivery is not None
        verified = sender.verify(sender.packet(reported.delivery).packet, at=START)
    assert (verified.verdict.owner, getattr(verified.content, "status", "")) == (PROVINCE, "03")


def test_what_the_platform_signed_is_said_to_be_so(hub: Served, office: Peer, province: Peer) -> None:
    below = replace(province, code="H41.18")
    signed = below.packet(a_letter(below, OFFICE))
    with client(hub, office) as receiver:
        verified = receiver.verify(signed, at=START)
    assert (verified.verdict.standing, verified.verdict.owner) == (Standing.SIGNED_BY_PLATFORM, PROVINCE)


def test_a_changed_packet_is_not_verified(hub: Served, province: Peer, packet: bytes) -> None:
    changed = packet.replace("V/v kiểm tra".encode(), b"V/v kiem tra")
    assert _refusal(hub, province, changed) == "signature-digest"


def test_an_unsigned_packet_is_not_verified(hub: Served, office: Peer, province: Peer) -> None:
    assert _refusal(hub, province, office.packet(a_letter(office, PROVINCE), signed=False)) == "signature-required"


def test_another_agencys_signature_does_not_count(hub: Served, office: Peer, province: Peer) -> None:
    forged = province.packet(a_letter(office, PROVINCE))
    assert _refusal(hub, province, forged) == "certificate-unknown"


def test_a_certificate_does_not_count_before_it_was_registered(hub: Served, province: Peer, packet: bytes) -> None:
    assert _refusal(hub, province, packet, at=START - timedelta(seconds=1)) == "certificate-ended"


def test_without_a_moment_the_present_counts(hub: Served, province: Peer, packet: bytes) -> None:
    after_its_end = START + timedelta(days=3000)
    assert _refusal(hub, province, packet, clock=lambda: after_its_end) == "certificate-ended"


def _refusal(hub: Served, reader: Peer, packet: bytes, at: Any = None, **changes: Any) -> str:
    with client(hub, reader, **({"clock": lambda: START} | changes)) as receiver, pytest.raises(Refusal) as caught:
        receiver.verify(packet, at=at)
    return caught.value.code
