"""The trust store: what is taken as what, what revocation data stays, and judging by it; rolling a certificate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders.authority import AGENCY, ocsp_answer, with_bad_signature
from builders.axis import START, Axis, Peer
from builders.keys import a_certificate
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.authority import AUTHORITY_USAGE, DAY, SIGNER_USAGE, YEAR, Holder, crl, issue, two_levels
from hub.domain.signature import fingerprint, prove, statement
from hub.domain.trust import Material, Verdict
from hub.errors import Refusal
from hub.exchange import enrol, trust
from hub.exchange.trust import Additions
from hub.store.engine import reading

SINCE, UNTIL = START - YEAR, START + YEAR
ROOT, INTERMEDIATE = two_levels(START)
OFFICE = issue(AGENCY, SINCE, UNTIL, INTERMEDIATE, organization=AGENCY)


def add(axis: Axis, *holders: Holder, role: str = "", code: str = "") -> list[dict[str, Any]]:
    job = Additions(tuple(holder.certificate for holder in holders), role, code)
    made: list[dict[str, Any]] = axis.desk.writer.run(trust.add, job)
    return made


def store(axis: Axis) -> trust.TrustStore:
    with reading(axis.desk.engine) as connection:
        return trust.read(connection)


def keep(axis: Axis, octets: bytes, url: str = "", had: timedelta = timedelta(0)) -> int:
    """Take a CRL of the authorities that are trusted; gives whether it was new."""
    known = store(axis)
    kept = trust.crl_of(octets, [*known.anchors, *known.intermediates], START + had, url)
    new: int = axis.desk.writer.run(trust.keep, [kept])
    return new


def judged(axis: Axis, holder: Holder = OFFICE, **terms: Any) -> Verdict:
    with reading(axis.desk.engine) as connection:
        return trust.judge(connection, holder.certificate, START, **terms).verdict


def trusting(axis: Axis) -> Axis:
    add(axis, ROOT, role="root")
    add(axis, INTERMEDIATE)
    return axis


def test_a_root_an_intermediate_and_a_person_are_had_back_as_they_were_added(axis: Axis) -> None:
    leader = issue("Nguyễn Văn An", SINCE, UNTIL, INTERMEDIATE, organization=AGENCY)
    trusting(axis)
    (row,) = add(axis, leader, code="000.00.00.G22")
    assert (row["role"], row["code"]) == ("person", "G22")
    known = store(axis)
    assert known.anchors == (ROOT.certificate,)
    assert known.intermediates == (INTERMEDIATE.certificate,)
    assert known.persons == {"G22": (leader.certificate,)}


def test_a_root_of_timestamps_counts_for_nothing_else(axis: Axis) -> None:
    add(axis, ROOT, role="tsa")
    add(axis, INTERMEDIATE)
    known = store(axis)
    assert (known.stampers, known.anchors) == ((ROOT.certificate,), ())
    assert judged(axis) is Verdict.UNTRUSTED_CHAIN
    add(axis, ROOT, role="root")
    assert store(axis).stampers == ()
    assert judged(axis) is not Verdict.UNTRUSTED_CHAIN


NO_AUTHORITY = issue("Không phải CA", SINCE, UNTIL, usage=AUTHORITY_USAGE)
NO_SIGNING = issue("CA không được ký", SINCE, UNTIL, authority=True, usage=SIGNER_USAGE)
WEAK = issue("CA yếu", SINCE, UNTIL, authority=True, key="RSA-1024")


@pytest.mark.parametrize(
    ("holder", "role", "why"),
    [
        (OFFICE, "root", "it is no CA"),
        (OFFICE, "intermediate", "it is no CA"),
        (NO_AUTHORITY, "root", "it is no CA"),
        (NO_SIGNING, "root", "it may not sign certificates"),
        (WEAK, "root", "its key, RSA-1024, is too weak"),
        (INTERMEDIATE, "root", "not signed by itself"),
        (OFFICE, "tsa", "it is no CA"),
        (INTERMEDIATE, "tsa", "not signed by itself"),
        (ROOT, "", "a root is trusted only if that is said"),
        (ROOT, "person", "it is that of an authority"),
        (OFFICE, "person", "its agency is not said"),
        (OFFICE, "", "its agency is not said"),
    ],
)
def test_what_cannot_be_what_it_shall_be_is_refused_in_clear_words(
    axis: Axis, holder: Holder, role: str, why: str
) -> None:
    with pytest.raises(Refusal, match=r"^trust-unfit") as refused:
        add(axis, holder, role=role)
    assert why in refused.value.en
    assert refused.value.repair


def test_of_several_certificates_one_that_is_refused_leaves_all_out(axis: Axis) -> None:
    with pytest.raises(Refusal, match=r"^trust-unfit"):
        add(axis, ROOT, INTERMEDIATE, role="root")
    assert store(axis).anchors == ()


def test_a_person_of_an_agency_that_nobody_lists_is_refused(axis: Axis) -> None:
    with pytest.raises(Refusal, match=r"^agency-unknown"):
        add(axis, OFFICE, code="Z99")


def test_what_is_removed_counts_no_more(axis: Axis) -> None:
    trusting(axis)
    assert judged(axis) is Verdict.INDETERMINATE_REVOCATION
    axis.desk.writer.run(trust.remove, fingerprint(ROOT.certificate)[:8].upper())
    assert judged(axis) is Verdict.UNTRUSTED_CHAIN


@pytest.mark.parametrize(
    "prefix", ["", fingerprint(ROOT.certificate)[:7], "0" * 8, "%" * 8], ids=["empty", "short", "unknown", "wild"]
)
def test_removing_needs_a_part_of_a_fingerprint_that_names_one(axis: Axis, prefix: str) -> None:
    trusting(axis)
    with pytest.raises(Refusal, match=r"^trust-unknown"):
        axis.desk.writer.run(trust.remove, prefix)
    assert len(store(axis).anchors) == 1


def test_with_the_crls_of_both_authorities_a_certificate_is_valid(axis: Axis) -> None:
    trusting(axis)
    keep(axis, crl(INTERMEDIATE, START))
    assert judged(axis) is Verdict.INDETERMINATE_REVOCATION
    keep(axis, crl(ROOT, START))
    assert judged(axis) is Verdict.VALID_NO_TIMESTAMP
    assert judged(axis, timestamped=True) is Verdict.VALID


def test_a_newer_crl_takes_the_place_of_the_older_one_and_never_the_other_way(axis: Axis) -> None:
    trusting(axis)
    keep(axis, crl(ROOT, START))
    revoked = {OFFICE.certificate.serial_number: (START - DAY, x509.ReasonFlags.key_compromise)}
    old, new = crl(INTERMEDIATE, START - timedelta(hours=2)), crl(INTERMEDIATE, START, revoked)
    assert keep(axis, old) == 1
    assert judged(axis) is Verdict.VALID_NO_TIMESTAMP
    assert keep(axis, new) == 1
    assert keep(axis, old) == 0
    assert judged(axis) is Verdict.REVOKED_AT_SIGNING
    path = OFFICE.certificate, INTERMEDIATE.certificate, ROOT.certificate
    with reading(axis.desk.engine) as connection:
        kept = [item.octets for item in trust.material(connection, path)]
    assert old not in kept
    assert len(kept) == 2


def test_a_crl_that_is_fetched_again_is_as_fresh_as_the_last_time(axis: Axis) -> None:
    trusting(axis)
    octets = crl(ROOT, START)
    assert [keep(axis, octets), keep(axis, octets, had=timedelta(hours=3))] == [1, 0]
    with reading(axis.desk.engine) as connection:
        (item,) = trust.material(connection, (INTERMEDIATE.certificate, ROOT.certificate))
    assert item == Material("crl", octets, START + timedelta(hours=3))


def test_crls_of_two_sources_stand_side_by_side(axis: Axis) -> None:
    trusting(axis)
    assert keep(axis, crl(ROOT, START), "http://127.0.0.1/a.crl") == 1
    assert keep(axis, crl(ROOT, START - DAY), "http://127.0.0.1/b.crl") == 1


def test_an_authority_with_a_new_key_and_the_same_name_has_crls_of_its_own(axis: Axis) -> None:
    renewed, _ = two_levels(START)
    add(axis, ROOT, renewed, role="root")
    assert [keep(axis, crl(ROOT, START)), keep(axis, crl(renewed, START - DAY))] == [1, 1]
    assert keep(axis, crl(ROOT, START - DAY)) == 0


def test_an_answer_is_had_back_by_the_certificate_it_is_about(axis: Axis) -> None:
    trusting(axis)
    keep(axis, crl(ROOT, START))
    item = Material("ocsp", ocsp_answer(OFFICE.certificate, INTERMEDIATE, START), START)
    axis.desk.writer.run(trust.keep, [trust.answer_of(item, OFFICE.certificate, "http://127.0.0.1/ocsp")])
    assert judged(axis) is Verdict.VALID_NO_TIMESTAMP
    other = issue(AGENCY, SINCE, UNTIL, INTERMEDIATE)
    assert judged(axis, other) is Verdict.INDETERMINATE_REVOCATION


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "it cannot be read"),
        (b"-----BEGIN X509 CRL-----\n", "it cannot be read"),
        (OFFICE.certificate.public_bytes(Encoding.DER), "it cannot be read"),
        (crl(two_levels(START)[0], START), "no authority known here signed it"),
        (crl(ROOT, START, extensions=((x509.DeltaCRLIndicator(1), True),)), "a delta CRL"),
    ],
)
def test_a_crl_that_no_trusted_authority_signed_whole_is_not_taken(axis: Axis, octets: bytes, why: str) -> None:
    trusting(axis)
    with pytest.raises(Refusal, match=r"^crl-unfit") as refused:
        keep(axis, octets)
    assert why in refused.value.en


def test_a_crl_in_pem_is_taken_too(axis: Axis) -> None:
    trusting(axis)
    assert keep(axis, x509.load_der_x509_crl(crl(ROOT, START)).public_bytes(Encoding.PEM)) == 1


def test_an_agency_may_be_called_by_its_name_or_any_of_its_codes(axis: Axis) -> None:
    directory = axis.desk.rosters.current(now=True).directory
    names = trust.names_of(directory, "000.00.00.G22")
    assert {"Văn phòng Chính phủ", "G22"} <= set(names)
    with pytest.raises(Refusal, match=r"^agency-unknown"):
        trust.names_of(directory, "Z99")


def test_authorities_that_come_along_lead_to_a_root_that_is_trusted(axis: Axis) -> None:
    add(axis, ROOT, role="root")
    assert judged(axis) is Verdict.UNTRUSTED_CHAIN
    assert judged(axis, brought=[INTERMEDIATE.certificate]) is Verdict.INDETERMINATE_REVOCATION


def test_a_certificate_whose_signature_is_broken_is_judged_and_no_fault(axis: Axis) -> None:
    trusting(axis)
    broken = replace(OFFICE, certificate=with_bad_signature(OFFICE.certificate))
    assert judged(axis, broken) is Verdict.UNTRUSTED_CHAIN


def test_an_agency_signs_with_its_old_and_its_new_certificate_until_the_old_one_ends(axis: Axis) -> None:
    office, _ = axis.enrol("G22", keyed=False), axis.enrol("H41")
    old = rolled(office, "cũ", until=START + 20 * DAY, once=office.credentials["code"])
    new = rolled(old, "mới", until=START + 400 * DAY)
    for number, peer in enumerate((old, new, old), 1):
        assert peer.send("H41", number=str(number))["signature"]["standing"] == "signed"
    axis.clock.pass_(days=21)
    with pytest.raises(Refusal, match=r"^certificate-ended"):
        old.send("H41", number="4")
    assert new.send("H41", number="4")["signature"]["standing"] == "signed"


def rolled(office: Peer, name: str, until: Any, once: str = "") -> Peer:
    """The same agency with a certificate it registers: by the one-time code, or endorsed by the one it has."""
    key, certificate = a_certificate(name, not_after=until)
    text = statement(office.system_id, office.code, certificate, once)
    job = enrol.Registration(office.system_id, office.code, certificate, prove(key, text), once)
    if not once:
        signed = prove(office.key, text)
        job = replace(job, endorsed_by=fingerprint(office.certificate), endorsement=signed)
    office.axis.desk.writer.run(enrol.register, job)
    return replace(office, key=key, certificate=certificate)
