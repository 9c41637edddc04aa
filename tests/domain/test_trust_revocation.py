"""Whether a signer's certificate was revoked when it signed: which CRLs and OCSP answers are believed, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders.authority import AGENCY, DAY, YEAR, Holder, Revoked, crl, issue, ocsp_answer, responder
from builders.judged import ALL_CRLS, AT, HOUR, NOW, ROOT_CRL, answers, crls, failed, judged, the_authority
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.domain.trust import Material, Result, Validation, Verdict

COMPROMISED = x509.ReasonFlags.key_compromise
HOLD = x509.ReasonFlags.certificate_hold


def revocation_told(validation: Validation) -> str:
    return validation.steps[4].en


def on_hold_since(
    made: datetime, since: datetime, reason: x509.ReasonFlags = HOLD, until: datetime | None = None
) -> bytes:
    authority = the_authority()
    return crl(authority.intermediate, made, {authority.agency.certificate.serial_number: (since, reason)}, until)


def answer(made: datetime = AT - HOUR, revoked: Revoked | None = None, **options: Any) -> bytes:
    authority = the_authority()
    return ocsp_answer(authority.agency.certificate, authority.intermediate, made, revoked, **options)


@pytest.mark.parametrize("material", [(), ROOT_CRL, crls(b"\x30\x00"), answers(b"nonsense")])
def test_where_nothing_tells_the_revocation_it_is_indeterminate(material: list[Material]) -> None:
    validation = judged(revocation=material)
    assert validation.verdict is Verdict.INDETERMINATE_REVOCATION
    assert failed(validation) == []
    assert validation.steps[4].result is Result.UNTOLD


def test_the_authorities_revocation_is_asked_for_too() -> None:
    authority = the_authority()
    revoked = {authority.intermediate.certificate.serial_number: (AT - DAY, COMPROMISED)}
    above = crls(crl(authority.root, AT - HOUR, revoked))
    assert judged(revocation=ALL_CRLS[:1]).verdict is Verdict.INDETERMINATE_REVOCATION
    validation = judged(revocation=[ALL_CRLS[0], *above])
    assert (validation.verdict, failed(validation)) == (Verdict.REVOKED_AT_SIGNING, [6])


CRL_AGES: list[tuple[datetime, datetime, Verdict]] = [  # made, until
    (AT - 6 * DAY, AT + DAY, Verdict.VALID_NO_TIMESTAMP),
    (AT - 6 * DAY, AT - HOUR, Verdict.INDETERMINATE_REVOCATION),
    (AT - 8 * DAY, AT + DAY, Verdict.INDETERMINATE_REVOCATION),  # older than the maximum
    (AT + 20 * DAY, AT + 21 * DAY, Verdict.VALID_NO_TIMESTAMP),  # ended when it was had, but younger than the signature
    (NOW + HOUR, NOW + DAY, Verdict.INDETERMINATE_REVOCATION),  # from the future
    (NOW + timedelta(minutes=4), NOW + DAY, Verdict.VALID_NO_TIMESTAMP),
]


@pytest.mark.parametrize(("made", "until", "verdict"), CRL_AGES)
def test_a_crl_is_believed_at_its_age(made: datetime, until: datetime, verdict: Verdict) -> None:
    material = [*ROOT_CRL, *crls(crl(the_authority().intermediate, made, until=until))]
    assert judged(revocation=material).verdict is verdict


def test_an_answer_is_believed_at_its_age() -> None:
    old = [*ROOT_CRL, *answers(answer(AT - 2 * DAY))]
    assert judged(revocation=old).verdict is Verdict.INDETERMINATE_REVOCATION
    assert "too old" in revocation_told(judged(revocation=old))
    current = [*ROOT_CRL, *answers(answer(AT - 2 * DAY, until=AT + DAY))]
    assert judged(revocation=current).verdict is Verdict.VALID_NO_TIMESTAMP
    assert judged(revocation=current, maximum_age=DAY).verdict is Verdict.INDETERMINATE_REVOCATION


def test_a_list_made_after_the_certificate_ended_no_longer_clears_it() -> None:
    authority = the_authority()
    ended = authority.agency.certificate.not_valid_after_utc + DAY
    cleared = [*ROOT_CRL, *crls(crl(authority.intermediate, ended), had=ended)]
    assert judged(revocation=cleared).verdict is Verdict.INDETERMINATE_REVOCATION
    revoked = [*ROOT_CRL, *crls(on_hold_since(ended, AT - DAY, COMPROMISED), had=ended)]
    assert judged(revocation=revoked).verdict is Verdict.REVOKED_AT_SIGNING


def test_on_hold_at_signing_counts_as_revoked_and_a_release_before_it_does_not() -> None:
    held = on_hold_since(AT - 2 * DAY, AT - 3 * DAY, until=AT + DAY)
    released = crl(the_authority().intermediate, AT - HOUR)
    later = crl(the_authority().intermediate, AT + DAY)
    lifted = on_hold_since(AT - HOUR, AT - 3 * DAY, x509.ReasonFlags.remove_from_crl)
    final = on_hold_since(AT - 2 * DAY, AT - 3 * DAY, COMPROMISED, until=AT + DAY)

    def verdict(*lists: bytes) -> Verdict:
        return judged(revocation=[*ROOT_CRL, *crls(*lists)]).verdict

    assert verdict(held) is Verdict.REVOKED_AT_SIGNING
    assert verdict(held, released) is verdict(held, lifted) is Verdict.VALID_NO_TIMESTAMP
    assert verdict(held, later) is Verdict.REVOKED_AT_SIGNING
    assert verdict(final, released) is Verdict.REVOKED_AT_SIGNING


def _not_signing_lists() -> Holder:
    return issue("CA", AT - YEAR, AT + YEAR, the_authority().root, authority=True, usage=frozenset({"key_cert_sign"}))


def test_a_crl_of_an_issuer_that_may_not_sign_crls_is_not_used() -> None:
    above = _not_signing_lists()
    signer = issue(AGENCY, AT - YEAR, AT + YEAR, above)
    made = [*ROOT_CRL, *crls(crl(above, AT - HOUR))]
    validation = judged(signer.certificate, intermediates=[above.certificate], revocation=made)
    assert validation.verdict is Verdict.INDETERMINATE_REVOCATION
    assert "may not sign CRLs" in revocation_told(validation)


def test_a_forged_crl_is_not_used_and_told() -> None:
    authority = the_authority()
    forged = crl(Holder(authority.intermediate.certificate, authority.agency.key), AT - HOUR)
    validation = judged(revocation=[*ROOT_CRL, *crls(forged)])
    assert validation.verdict is Verdict.INDETERMINATE_REVOCATION
    assert "CRL not used: the signature is not the issuer's" in revocation_told(validation)


def test_what_is_signed_with_an_algorithm_that_does_not_count_is_not_used() -> None:
    weak = hashes.SHA224()
    made = [*crls(crl(the_authority().intermediate, AT - HOUR, algorithm=weak)), *answers(answer(algorithm=weak))]
    validation = judged(revocation=[*ROOT_CRL, *made])
    assert validation.verdict is Verdict.INDETERMINATE_REVOCATION
    assert "CRL not used: signed with sha224" in revocation_told(validation)
    assert "OCSP not used: signed with an algorithm" in revocation_told(validation)


def _scope(**options: Any) -> x509.IssuingDistributionPoint:
    usual = dict.fromkeys(
        ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"), False
    )
    rest = {"full_name": None, "relative_name": None, "only_some_reasons": None}
    return x509.IssuingDistributionPoint(**(usual | rest | options))


URL = x509.UniformResourceIdentifier("http://crl.example/1.crl")
SCOPES: list[tuple[x509.ExtensionType, bool]] = [
    (_scope(only_contains_user_certs=True), True),
    (_scope(only_contains_ca_certs=True), False),
    (_scope(only_some_reasons=frozenset({COMPROMISED})), False),
    (_scope(indirect_crl=True), False),
    (_scope(full_name=[URL]), False),
    (x509.DeltaCRLIndicator(1), False),
    (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False),
]


@pytest.mark.parametrize(("scope", "counts"), SCOPES)
def test_only_a_complete_crl_over_the_certificate_clears_it(scope: x509.ExtensionType, counts: bool) -> None:
    made = crl(the_authority().intermediate, AT - HOUR, extensions=((scope, True),))
    validation = judged(revocation=[*ROOT_CRL, *crls(made)])
    assert (validation.verdict is Verdict.VALID_NO_TIMESTAMP) == counts


def test_a_crl_of_the_certificate_s_own_distribution_point_clears_it() -> None:
    above = the_authority().intermediate
    point = x509.CRLDistributionPoints([x509.DistributionPoint([URL], None, None, None)])
    signer = issue(AGENCY, AT - YEAR, AT + YEAR, above, extensions=((point, False),))
    made = crl(above, AT - HOUR, extensions=((_scope(full_name=[URL]), True),))
    assert judged(signer.certificate, revocation=[*ROOT_CRL, *crls(made)]).verdict is Verdict.VALID_NO_TIMESTAMP


ANSWERS: list[tuple[str, dict[str, Any], Verdict]] = [
    ("good", {}, Verdict.VALID_NO_TIMESTAMP),
    ("revoked before", {"revoked": (AT - DAY, COMPROMISED)}, Verdict.REVOKED_AT_SIGNING),
    ("on hold", {"revoked": (AT - DAY, HOLD)}, Verdict.REVOKED_AT_SIGNING),
    ("revoked after", {"revoked": (AT + DAY, COMPROMISED), "made": AT + 2 * DAY}, Verdict.VALID_NO_TIMESTAMP),
    ("unknown", {"unknown": True}, Verdict.INDETERMINATE_REVOCATION),
]


@pytest.mark.parametrize(("options", "verdict"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
@pytest.mark.parametrize("delegated", [False, True])
def test_an_answer_of_the_issuer_or_its_responder_counts(
    options: dict[str, Any], verdict: Verdict, delegated: bool
) -> None:
    by = responder(the_authority().intermediate, AT) if delegated else None
    validation = judged(revocation=[*ROOT_CRL, *answers(answer(by=by, **options))])
    assert validation.verdict is verdict


def test_a_forged_answer_is_ignored_and_told() -> None:
    octets = bytearray(answer(revoked=(AT - DAY, COMPROMISED)))
    octets[-1] ^= 1
    validation = judged(revocation=[*ALL_CRLS, *answers(bytes(octets))])
    assert validation.verdict is Verdict.VALID_NO_TIMESTAMP
    assert "OCSP not used: the signature is not the responder's" in revocation_told(validation)
    assert "OCSP không dùng được" in validation.steps[4].vi


def _weak_responder() -> Holder:
    rights: tuple[tuple[x509.ExtensionType, bool], ...] = (
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
        (x509.OCSPNoCheck(), False),
    )
    return issue("OCSP", AT - DAY, AT + DAY, the_authority().intermediate, key="RSA-1024", extensions=rights)


def _stranger() -> Holder:
    return issue("CA lạ", AT - YEAR, AT + YEAR, authority=True)


RESPONDERS: dict[str, tuple[Callable[[], Holder], str]] = {
    "without the right": (lambda: responder(the_authority().intermediate, AT, delegated=False), "may not sign OCSP"),
    "of another authority": (lambda: responder(_stranger(), AT), "not delegated by the issuer"),
    "of the root": (lambda: responder(the_authority().root, AT), "not delegated by the issuer"),
    "ended": (lambda: responder(the_authority().intermediate, AT - 60 * DAY), "was not valid then"),
    "with a weak key": (_weak_responder, "the responder's certificate is weak"),
    "that may be revoked": (lambda: responder(the_authority().intermediate, AT, checked=True), "no usable CRL"),
}


@pytest.mark.parametrize("name", RESPONDERS)
def test_an_answer_of_a_responder_that_may_not_is_ignored_and_told(name: str) -> None:
    make, told = RESPONDERS[name]
    validation = judged(revocation=[*ROOT_CRL, *answers(answer(by=make()))])
    assert validation.verdict is Verdict.INDETERMINATE_REVOCATION
    assert told in revocation_told(validation)


def test_a_responder_that_may_be_revoked_counts_by_the_issuer_s_crl() -> None:
    above = the_authority().intermediate
    by = responder(above, AT, checked=True)
    made = answers(answer(by=by, revoked=(AT - DAY, COMPROMISED)))
    trusted = judged(revocation=[*ALL_CRLS, *made])
    assert trusted.verdict is Verdict.REVOKED_AT_SIGNING
    assert set(trusted.used) == {*ALL_CRLS, *made}
    revoked = crls(crl(above, AT - HOUR, {by.certificate.serial_number: (AT - DAY, COMPROMISED)}))
    assert judged(revocation=[*ROOT_CRL, *revoked, *made]).verdict is Verdict.VALID_NO_TIMESTAMP


def test_an_answer_about_another_certificate_says_nothing() -> None:
    authority = the_authority()
    other = ocsp_answer(authority.leader.certificate, authority.intermediate, AT - HOUR)
    validation = judged(revocation=[*ROOT_CRL, *answers(other)])
    assert validation.verdict is Verdict.INDETERMINATE_REVOCATION


def test_an_answer_about_a_namesake_of_the_issuer_says_nothing() -> None:
    authority = the_authority()
    name = authority.intermediate.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    namesake = issue(str(name), AT - YEAR, AT + YEAR, authority=True)
    other = ocsp_answer(authority.agency.certificate, namesake, AT - HOUR)
    assert judged(revocation=[*ROOT_CRL, *answers(other)]).verdict is Verdict.INDETERMINATE_REVOCATION
