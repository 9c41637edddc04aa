"""Who signed a PDF file, and what that is worth."""

from __future__ import annotations

import hashlib
import json
import pickle
from datetime import timedelta
from typing import Any

import pytest
from builders.authority import AGENCY, LEADER, OTHER_AGENCY, with_sha1
from builders.judged import AT, NOW, the_authority
from builders.pdfs import (
    CODE,
    asked,
    assembled,
    by_both,
    by_the_agency_first,
    carelessly_written,
    hybrid,
    signed,
    typeset,
    written,
)
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.authority import DAY, YEAR, Holder, crl, issue, new_key
from hub.domain.trust import Material, Result, Verdict
from hub.pdf.examination import examine
from hub.pdf.findings import Examination, Signature, Unexamined, as_plain

HOUR = timedelta(hours=1)


def examined(pdf: bytes, **changes: Any) -> Examination:
    found = examine(pdf, asked(**changes))
    assert isinstance(found, Examination)
    return found


def alone(by: Holder, **changes: Any) -> Signature:
    """The one signature of a file that this holder signed."""
    (signature,) = examined(signed(written(), by), **changes).signatures
    return signature


def a_signer(name: str = LEADER, issuer: Holder | None = None, **options: Any) -> Holder:
    usual = {"organization": AGENCY, "since": AT - YEAR, "until": AT + YEAR}
    return issue(name, issuer=issuer or the_authority().intermediate, **(usual | options))


def fingerprint(holder: Holder) -> str:
    return hashlib.sha256(holder.certificate.public_bytes(Encoding.DER)).hexdigest()


def failed(signature: Signature) -> list[int]:
    return [step.number for step in signature.steps if step.result is Result.FAILED]


def test_the_leader_first_and_the_agency_over_it_is_what_the_decree_asks_for() -> None:
    found = examined(by_both())
    assert found.verdict is Verdict.VALID_NO_TIMESTAMP
    assert [(one.kind, one.decided_by, one.verdict) for one in found.signatures] == [
        ("leader", "subject", Verdict.VALID_NO_TIMESTAMP),
        ("agency", "subject", Verdict.VALID_NO_TIMESTAMP),
    ]
    assert [one.claimed for one in found.signatures] == [AT, AT + HOUR]
    assert [one.agency for one in found.signatures] == [CODE, CODE]
    assert [step.result for step in found.steps] == [Result.PASSED] * 3
    assert "NĐ 30/2020" in found.steps[2].clause
    assert not found.missing
    assert not found.lenient


def test_every_step_has_its_clause_and_both_languages() -> None:
    for signature in examined(by_both()).signatures:
        assert [step.number for step in signature.steps] == list(range(1, 11))
        assert all(step.clause and step.vi and step.en for step in signature.steps)


@pytest.mark.parametrize("maker", [written, typeset, lambda: hybrid(written())], ids=["tables", "library", "hybrid"])
def test_files_are_read_however_they_were_made(maker: Any) -> None:
    found = examined(by_both(maker()))
    assert found.verdict is Verdict.VALID_NO_TIMESTAMP
    assert not found.lenient


def test_a_file_that_breaks_the_form_is_read_all_the_same_and_it_is_told() -> None:
    found = examined(by_both(carelessly_written()))
    assert (found.verdict, found.lenient) == (Verdict.VALID_NO_TIMESTAMP, True)


def test_a_file_without_signatures_lacks_both() -> None:
    found = examined(written())
    assert (found.verdict, found.missing, found.signatures) == (Verdict.MISSING_LEADER, ("leader", "agency"), ())


def test_a_leader_alone_lacks_the_agency() -> None:
    found = examined(signed(written(), the_authority().leader))
    assert (found.verdict, found.missing) == (Verdict.MISSING_AGENCY, ("agency",))


def test_an_agency_alone_lacks_the_leader() -> None:
    found = examined(signed(written(), the_authority().agency))
    assert (found.verdict, found.missing) == (Verdict.MISSING_LEADER, ("leader",))


def test_the_agency_before_the_leader_is_a_step_that_fails_with_its_clause() -> None:
    found = examined(by_the_agency_first())
    assert found.verdict is Verdict.VALID_NO_TIMESTAMP
    (step,) = [step for step in found.steps if step.result is Result.FAILED]
    assert (step.number, step.clause) == (3, "NĐ 30/2020/NĐ-CP Đ.5, Phụ lục I")


def test_what_is_wrong_with_a_signature_is_not_hidden_by_a_missing_one() -> None:
    stranger = a_signer(issuer=issue("CA lạ", AT - YEAR, AT + YEAR, authority=True))
    assert examined(signed(written(), stranger)).verdict is Verdict.UNTRUSTED_CHAIN


@pytest.mark.parametrize(
    ("key", "digest"),
    [
        ("P-256", "sha256"),
        ("P-256", "sha3_256"),
        ("RSA-2048", "sha256"),
        ("RSA-2048", "sha384"),
        ("RSA-2048", "sha512"),
    ],
)
def test_the_keys_and_hashes_of_the_circular_count(key: str, digest: str) -> None:
    pdf = signed(written(), a_signer(key=key), digest=digest)
    assert examined(pdf).signatures[0].verdict is Verdict.VALID_NO_TIMESTAMP


def test_rsa_with_pss_counts() -> None:
    pdf = signed(written(), a_signer(key="RSA-2048"), pss=True)
    assert examined(pdf).signatures[0].verdict is Verdict.VALID_NO_TIMESTAMP


def test_a_signature_with_sha1_is_weak_and_not_broken() -> None:
    (signature,) = examined(signed(written(), a_signer(key="RSA-2048"), digest="sha1")).signatures
    assert (signature.verdict, failed(signature)) == (Verdict.WEAK_ALGORITHM, [2])
    assert "sha1" in signature.steps[1].en


def test_a_short_key_is_weak() -> None:
    assert alone(a_signer(key="RSA-1024")).verdict is Verdict.WEAK_ALGORITHM


def test_a_certificate_signed_with_sha1_is_weak() -> None:
    above = issue("CA dùng RSA", AT - YEAR, AT + YEAR, the_authority().root, authority=True, key="RSA-2048")
    below = a_signer(issuer=above)
    weak = Holder(with_sha1(below.certificate, above), below.key)
    found = alone(weak, intermediates=(above.certificate.public_bytes(Encoding.DER),))
    assert found.verdict is Verdict.WEAK_ALGORITHM


def test_who_signed_after_the_certificate_ended_is_told() -> None:
    assert alone(a_signer(until=AT - DAY)).verdict is Verdict.EXPIRED_AT_SIGNING


def test_a_certificate_that_has_ended_since_counted_when_it_signed() -> None:
    assert alone(a_signer(until=AT + 3 * DAY), received=AT + 20 * DAY).verdict is Verdict.VALID_NO_TIMESTAMP


@pytest.mark.parametrize(
    ("days", "verdict"), [(-2, Verdict.REVOKED_AT_SIGNING), (2, Verdict.VALID_NO_TIMESTAMP)], ids=["before", "after"]
)
def test_a_revocation_counts_from_its_moment(days: int, verdict: Verdict) -> None:
    signer, above = a_signer(), the_authority()
    revoked = {signer.certificate.serial_number: (AT + days * DAY, x509.ReasonFlags.key_compromise)}
    material = tuple(Material("crl", one, NOW) for one in above.crls(revoked, made=AT + 5 * DAY))
    assert alone(signer, revocation=material).verdict is verdict


def test_without_revocation_data_the_verdict_is_a_warning() -> None:
    assert alone(a_signer(), revocation=()).verdict is Verdict.INDETERMINATE_REVOCATION


def test_an_unknown_root_is_told() -> None:
    assert alone(a_signer(issuer=issue("CA lạ", AT - YEAR, AT + YEAR, authority=True))).verdict is (
        Verdict.UNTRUSTED_CHAIN
    )


def test_another_agency_s_certificate_is_told() -> None:
    signature = alone(a_signer(OTHER_AGENCY, organization=OTHER_AGENCY))
    assert (signature.verdict, failed(signature), signature.kind) == (Verdict.NAME_MISMATCH, [7], "unknown")


def test_a_registered_certificate_needs_no_name() -> None:
    seal = a_signer("Con dấu số 1", organization="")
    signature = alone(seal, known={fingerprint(seal): ("agency", CODE)})
    assert (signature.kind, signature.decided_by, signature.agency) == ("agency", "registered", CODE)
    assert signature.verdict is Verdict.VALID_NO_TIMESTAMP


def test_a_registered_person_is_no_agency_whatever_the_subject_says() -> None:
    person = a_signer(AGENCY)
    assert alone(person, known={fingerprint(person): ("person", CODE)}).kind == "leader"


def test_a_certificate_registered_for_another_agency_is_a_mismatch() -> None:
    seal = a_signer(AGENCY)
    signature = alone(seal, known={fingerprint(seal): ("agency", "000.00.20.H37")})
    assert (signature.verdict, signature.agency) == (Verdict.NAME_MISMATCH, "000.00.20.H37")


def test_who_is_named_nowhere_stands_for_the_leader_below_the_agency_s_signature() -> None:
    nameless = a_signer("Trần Thị Bình", organization="")
    pdf = signed(signed(written(), nameless), the_authority().agency, AT + HOUR, field="agency")
    found = examined(pdf)
    assert [(one.kind, one.decided_by) for one in found.signatures] == [("leader", "place"), ("agency", "subject")]
    assert found.verdict is Verdict.NAME_MISMATCH
    assert not found.missing


def test_a_signature_claimed_after_the_file_came_in_is_judged_at_its_receipt() -> None:
    received = AT - HOUR
    signature = alone(a_signer(), received=received)
    assert (signature.claimed, signature.at) == (AT, received)


def test_a_signature_that_is_no_cms_is_told_as_one_that_proves_nothing() -> None:
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [3 0 R] >> >>",
        b"<< /Type /Pages /Kids [] /Count 0 >>",
        b"<< /FT /Sig /T (Hong) /V 4 0 R >>",
        b"<< /Type /Sig /SubFilter /ETSI.CAdES.detached /ByteRange [0 1 2 3] /Contents <00> >>",
    ]
    (signature,) = examined(assembled(bodies)).signatures
    assert (signature.field, signature.verdict, failed(signature)) == ("Hong", Verdict.MODIFIED, [9])


def test_a_signature_of_a_form_that_knows_sha1_only_is_weak() -> None:
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [3 0 R] >> >>",
        b"<< /Type /Pages /Kids [] /Count 0 >>",
        b"<< /FT /Sig /T (Cu) /V 4 0 R >>",
        b"<< /Type /Sig /SubFilter /adbe.x509.rsa_sha1 /ByteRange [0 1 2 3] /Contents <00> >>",
    ]
    (signature,) = examined(assembled(bodies)).signatures
    assert signature.verdict is Verdict.WEAK_ALGORITHM


def test_a_foreign_signature_in_place_of_the_key_s_own_is_told() -> None:
    honest = a_signer()
    forged = Holder(honest.certificate, new_key())
    signature = alone(forged)
    assert (signature.verdict, failed(signature)) == (Verdict.MODIFIED, [9])


def test_the_examination_can_be_reached_again_from_what_it_names() -> None:
    found = examined(by_both())
    again = examined(
        by_both(),
        intermediates=tuple(one for signature in found.signatures for one in signature.path[1:-1]),
        revocation=tuple(item for signature in found.signatures for item in signature.used),
    )
    assert [one.steps for one in again.signatures] == [one.steps for one in found.signatures]


def test_a_crl_made_for_another_issuer_says_nothing() -> None:
    strange = issue("CA khác", AT - YEAR, AT + YEAR, authority=True)
    material = (Material("crl", crl(strange, AT + DAY), NOW),)
    assert alone(a_signer(), revocation=material).verdict is Verdict.INDETERMINATE_REVOCATION


def test_what_was_found_travels_and_turns_into_json() -> None:
    found = examined(by_both())
    assert pickle.loads(pickle.dumps(found)) == found
    told = as_plain(found, lambda octets: hashlib.sha256(octets).hexdigest())
    assert json.loads(json.dumps(told)) == told
    assert told["signatures"][0]["path"][0] == hashlib.sha256(found.signatures[0].path[0]).hexdigest()
    assert told["verdict"] == "VALID_NO_TIMESTAMP"
    assert told["signatures"][0]["claimed"] == "2026-03-04T09:30:00+00:00"
    assert told["signatures"][1]["steps"][9]["vi"] == "Không có thay đổi nào sau khi ký."


@pytest.mark.parametrize(
    ("pdf", "reason"),
    [
        (b"", "not a PDF"),
        (b"PK\x03\x04 a text file", "not a PDF"),
        (b"%PDF-1.7\n", "unreadable"),
        (typeset(password="mat khau"), "encrypted"),
    ],
    ids=["empty", "other", "header-only", "encrypted"],
)
def test_what_cannot_be_examined_is_told_with_its_reason(pdf: bytes, reason: str) -> None:
    found = examine(pdf, asked())
    assert isinstance(found, Unexamined)
    assert found.reason == reason
    assert found.vi.startswith("Không xem xét được chữ ký")
