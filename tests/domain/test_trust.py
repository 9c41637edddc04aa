"""A signer's certificate judged at the moment of signing: its verdict, its steps and its path."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from builders.authority import (
    AGENCY,
    DAY,
    LEADER,
    OTHER_AGENCY,
    YEAR,
    Case,
    crl,
    defects,
    issue,
    ocsp_answer,
    with_sha1,
)
from builders.judged import ALL_CRLS, AT, HOUR, ROOT_CRL, answers, crls, failed, judged, the_authority
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from hub.authority import new_key
from hub.domain.trust import Result, Verdict
from hub.domain.trust.certificates import dated


@cache
def the_defects() -> dict[str, Case]:
    return defects(the_authority())


def test_an_honest_certificate_passes_every_step_but_the_timestamp() -> None:
    judgement = judged()
    authority = the_authority()
    assert judgement.verdict is Verdict.VALID_NO_TIMESTAMP
    assert [step.result for step in judgement.steps] == [Result.PASSED] * 7 + [Result.UNTOLD]
    assert [step.number for step in judgement.steps] == list(range(1, 9))
    assert judgement.path == tuple(
        one.certificate for one in (authority.agency, authority.intermediate, authority.root)
    )
    assert set(judgement.used) == set(ALL_CRLS)
    assert not any("not used" in step.en for step in judgement.steps)


def test_with_a_verified_timestamp_it_is_valid() -> None:
    assert judged(timestamped=True).verdict is Verdict.VALID


def test_a_leader_s_certificate_names_the_agency_as_organization() -> None:
    leader = the_authority().leader.certificate
    assert judged(leader).verdict is Verdict.VALID_NO_TIMESTAMP
    assert judged(leader, agency=(LEADER,)).verdict is Verdict.VALID_NO_TIMESTAMP
    assert judged(leader, agency=(OTHER_AGENCY,)).verdict is Verdict.NAME_MISMATCH


def test_a_name_is_the_same_in_other_letters_of_the_same_marks() -> None:
    assert judged(agency=(unicodedata.normalize("NFD", f" {AGENCY.upper()}"),)).verdict is Verdict.VALID_NO_TIMESTAMP


DEFECTS = {
    "expired": (Verdict.EXPIRED_AT_SIGNING, [1], "after the certificate had expired"),
    "not-yet-valid": (Verdict.EXPIRED_AT_SIGNING, [1], "before the certificate was valid"),
    "weak-key": (Verdict.WEAK_ALGORITHM, [2], "RSA-1024"),
    "sha1": (Verdict.WEAK_ALGORITHM, [2], "sha1"),
    "wrong-usage": (Verdict.UNTRUSTED_CHAIN, [3], "neither digitalSignature nor nonRepudiation"),
    "issuer-no-authority": (Verdict.UNTRUSTED_CHAIN, [4], "«Không phải CA» may not issue certificates"),
    "issuer-without-right": (Verdict.UNTRUSTED_CHAIN, [4], "«CA không được ký» may not issue certificates"),
    "issuer-expired": (Verdict.UNTRUSTED_CHAIN, [4], "«CA đã hết hạn» was not valid at signing"),
    "path-too-long": (Verdict.UNTRUSTED_CHAIN, [4], "«CA cấp dưới thử nghiệm» allows 0 authorities below it"),
    "unknown-root": (Verdict.UNTRUSTED_CHAIN, [4], "the root «CA gốc lạ» is not trusted"),
    "missing-issuer": (Verdict.UNTRUSTED_CHAIN, [4], "is missing"),
    "bad-signature": (Verdict.UNTRUSTED_CHAIN, [4], f"the signature on «{AGENCY}» is not that of"),
    "revoked-before": (Verdict.REVOKED_AT_SIGNING, [5], "was revoked at 02/03/2026"),
    "other-agency": (Verdict.NAME_MISMATCH, [7], f"that of {OTHER_AGENCY}, not of {AGENCY}"),
    "revoked-after": (Verdict.VALID_NO_TIMESTAMP, [], ""),
}


def test_every_defect_is_judged() -> None:
    assert set(DEFECTS) == set(the_defects())


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_gives_its_verdict_and_the_step_that_failed(name: str) -> None:
    case = the_defects()[name]
    verdict, steps, told = DEFECTS[name]
    made = AT + 10 * DAY if name == "revoked-after" else None
    material = crls(*the_authority().crls(case.revoked, made))
    judgement = judged(case.certificate, intermediates=case.intermediates, revocation=material)
    assert (judgement.verdict, failed(judgement)) == (verdict, steps)
    assert all(told in step.en for step in judgement.steps if step.result is Result.FAILED)
    assert bool(judgement.used) == (judgement.steps[3].result is Result.PASSED)


def test_it_is_judged_at_signing_not_today() -> None:
    case = the_defects()["expired"]
    earlier = AT - YEAR
    made = crls(*the_authority().crls(made=earlier))
    judgement = judged(case.certificate, earlier, intermediates=case.intermediates, revocation=made)
    assert judgement.verdict is Verdict.VALID_NO_TIMESTAMP


def test_validity_includes_its_first_and_last_second() -> None:
    certificate = the_authority().agency.certificate
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    late = last + timedelta(seconds=0.9)
    assert [failed(judged(at=at, revocation=())) for at in (first, last, late)] == [[], [], []]
    assert failed(judged(at=last + timedelta(seconds=1), revocation=())) == [1]
    assert failed(judged(at=first - timedelta(seconds=1), revocation=())) == [1]


def test_the_end_of_time_can_be_told() -> None:
    """A certificate without an end has 9999-12-31T23:59:59Z for one (RFC 5280 §4.1.2.5), which is next year's here."""
    assert dated(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)) == "31/12/9999 23:59:59 +0000"
    assert dated(datetime(2025, 9, 30, 20, tzinfo=UTC)) == "01/10/2025 03:00:00 +0700"


def test_sha1_in_the_path_counts_for_a_system_that_is_set_to_it() -> None:
    case = the_defects()["sha1"]
    judgement = judged(case.certificate, intermediates=case.intermediates, algorithms="sha1", revocation=ROOT_CRL)
    assert judgement.verdict is Verdict.INDETERMINATE_REVOCATION
    assert failed(judgement) == []
    assert judgement.path[-1] == the_authority().root.certificate


def test_sha1_does_not_make_a_forged_signature_right() -> None:
    case = the_defects()["sha1"]
    der = bytearray(case.certificate.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_certificate(bytes(der))
    judgement = judged(forged, intermediates=case.intermediates, algorithms="sha1")
    assert failed(judgement) == [4]


@pytest.mark.parametrize("extra", [(), ((x509.NameConstraints([x509.DNSName("vn")], None), True),)])
def test_sha3_counts_except_below_name_constraints(extra: tuple[tuple[x509.ExtensionType, bool], ...]) -> None:
    authority = the_authority()
    above = issue("CA SHA-3", AT - YEAR, AT + YEAR, authority.root, authority=True, extensions=extra)
    signer = issue(AGENCY, AT - YEAR, AT + YEAR, above, algorithm=hashes.SHA3_256())
    made = [*ROOT_CRL, *crls(crl(above, AT - HOUR))]
    judgement = judged(signer.certificate, intermediates=[above.certificate], revocation=made)
    assert failed(judgement) == ([4] if extra else [])


def test_the_root_s_own_signature_is_not_looked_at() -> None:
    root = issue("CA gốc RSA", AT - YEAR, AT + YEAR, authority=True, key="RSA-2048")
    signer = issue(AGENCY, AT - YEAR, AT + YEAR, root)
    made = crls(crl(root, AT - HOUR))
    judgement = judged(signer.certificate, anchors=[with_sha1(root.certificate, root)], revocation=made)
    assert judgement.verdict is Verdict.VALID_NO_TIMESTAMP


def test_what_the_library_refuses_is_told_in_its_words() -> None:
    extra = ((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),)
    signer = issue(AGENCY, AT - YEAR, AT + YEAR, the_authority().intermediate, extensions=extra)
    judgement = judged(signer.certificate)
    assert (judgement.verdict, failed(judgement)) == (Verdict.UNTRUSTED_CHAIN, [4])
    assert "1.2.3.4" in judgement.steps[3].en


def test_without_any_root_nothing_is_trusted() -> None:
    assert judged(anchors=[]).verdict is Verdict.UNTRUSTED_CHAIN


def test_a_maze_of_intermediates_ends() -> None:
    key = new_key()
    maze = [issue("CA mê cung", AT - YEAR, AT + YEAR, authority=True, key=key) for _ in range(30)]
    signer = issue(AGENCY, AT - YEAR, AT + YEAR, maze[0])
    judgement = judged(signer.certificate, intermediates=[one.certificate for one in maze])
    assert (judgement.verdict, failed(judgement)) == (Verdict.UNTRUSTED_CHAIN, [4])


def test_a_certificate_that_cannot_be_read_is_not_trusted() -> None:
    twice = (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.37"), b"not DER"), False)
    signer = issue(AGENCY, AT - YEAR, AT + YEAR, the_authority().intermediate, extensions=(twice,))
    judgement = judged(signer.certificate)
    assert (judgement.verdict, failed(judgement)) == (Verdict.UNTRUSTED_CHAIN, [4])


def test_a_name_of_a_wrong_type_is_no_crash() -> None:
    """Found by flipping bits: the library raises TypeError for a common name that is a BIT STRING."""
    text, bits = b"\x0c" + bytes([len(AGENCY.encode())]), b"\x03" + bytes([len(AGENCY.encode())])
    der = the_authority().agency.certificate.public_bytes(serialization.Encoding.DER)
    changed = x509.load_der_x509_certificate(der.replace(text + AGENCY.encode(), bits + AGENCY.encode()))
    judgement = judged(changed)
    assert (judgement.verdict, failed(judgement)) == (Verdict.UNTRUSTED_CHAIN, [4])
    assert judged(intermediates=[changed]).verdict is Verdict.UNTRUSTED_CHAIN


@pytest.mark.parametrize("name", DEFECTS)
def test_a_judgement_is_repeated_from_what_it_keeps(name: str) -> None:
    case = the_defects()[name]
    made = AT + 10 * DAY if name == "revoked-after" else None
    authority = the_authority()
    noise = answers(ocsp_answer(authority.agency.certificate, authority.intermediate, AT - HOUR), b"nonsense")
    material = [*noise, *crls(*the_authority().crls(case.revoked, made))]
    first = judged(case.certificate, intermediates=case.intermediates, revocation=material)
    again = judged(first.path[0], first.at, intermediates=first.path[1:], revocation=first.used)
    assert again.verdict is first.verdict
    assert failed(again) == failed(first)


def test_every_step_speaks_both_languages() -> None:
    for name in DEFECTS:
        case = the_defects()[name]
        for step in judged(case.certificate, intermediates=case.intermediates).steps:
            assert step.vi.endswith(".")
            assert step.en.endswith(".")
            assert step.vi != step.en
            assert unicodedata.is_normalized("NFC", step.vi)
            assert "Đ.17 NĐ 23/2025" in step.clause
