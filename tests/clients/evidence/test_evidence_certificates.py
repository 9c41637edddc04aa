"""What the twelfth step finds: whether the signers' certificates counted when the hub took what they signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from builders.authority import AGENCY, DAY, Authority, crl
from builders.complete import held_between
from builders.evidence import (
    AT,
    Hub,
    a_story_signed_by,
    a_story_under_an_authority,
    evidence_of,
    failed,
    found,
    pem,
    some_evidence,
    untold,
)
from cryptography import x509

from clients.evidence import Evidence, Keys, pinned_keys
from hub.authority import Holder, issue, new_key
from hub.domain.trust import Result

AUTHORITY, STORY = a_story_under_an_authority()
LATER = AT + 2 * DAY


def with_certificates(
    change: Callable[[Authority], dict[str, bytes]] = lambda _: {}, *, revoked: bool = False, crls: bool = True
) -> Evidence:
    """Root, intermediate, signer and both CRLs, made after the acceptance, unless told."""
    entries = {AUTHORITY.agency.certificate.serial_number: (AT - DAY, x509.ReasonFlags.key_compromise)}
    lists = AUTHORITY.crls(entries if revoked else None, LATER) if crls else ()
    certificates = {
        "certificates/root-1.pem": pem(AUTHORITY.root.certificate),
        "certificates/intermediate-1.pem": pem(AUTHORITY.intermediate.certificate),
        "certificates/signer-1.pem": pem(AUTHORITY.agency.certificate),
    } | change(AUTHORITY)
    revocation = {f"revocation/{number}.crl": octets for number, octets in enumerate(lists, 1)}
    made = evidence_of(Hub(), STORY)
    return replace(made, certificates={n: c for n, c in certificates.items() if c}, revocation=revocation)


def pinned(evidence: Evidence, *roots: x509.Certificate) -> Keys:
    return replace(evidence.keys, roots=roots)


def test_a_certificate_that_counted_when_the_hub_took_the_packet_passes() -> None:
    evidence = with_certificates()
    assert untold(evidence, pinned(evidence, AUTHORITY.root.certificate)) == []
    assert failed(evidence, pinned(evidence, AUTHORITY.root.certificate)) == []
    assert (failed(evidence), untold(evidence)) == ([], [3, 12])
    assert "the roots are the file's own" in found(evidence).steps[11].en
    roots = pinned_keys([evidence.keys.octets, pem(AUTHORITY.root.certificate)])
    assert found(evidence, roots).steps[11].result is Result.PASSED


def test_a_root_that_is_not_pinned_is_found() -> None:
    evidence = with_certificates()
    assert failed(evidence, pinned(evidence, a_story_under_an_authority()[0].root.certificate)) == [12]


def test_revoked_without_revocation_data_or_without_its_issuer_is_told_apart() -> None:
    assert "REVOKED_AT_SIGNING" in found(with_certificates(revoked=True)).steps[11].en
    assert failed(with_certificates(revoked=True)) == [12]
    without = with_certificates(crls=False)
    assert (failed(without), 12 in untold(without)) == ([], True)
    assert "INDETERMINATE_REVOCATION" in found(without).steps[11].en


def test_who_leads_to_no_root_of_the_file_is_told_and_no_fault() -> None:
    """Agencies register what they have: a certificate by nobody's authority would have made every file a wrong one."""
    cut = with_certificates(lambda _: {"certificates/intermediate-1.pem": b""})
    for keys in (None, pinned(cut, AUTHORITY.root.certificate)):
        assert (failed(cut, keys), 12 in untold(cut, keys)) == ([], True)
        assert "leads to no root here" in found(cut, keys).steps[11].en
    own = replace(some_evidence(), certificates=with_certificates().certificates)
    own = replace(own, certificates={n: c for n, c in own.certificates.items() if "signer" not in n})
    assert (failed(own), 12 in untold(own)) == ([], True)
    assert "leads to no root here" in found(own).steps[11].en


def test_a_certificate_that_names_an_authority_here_and_was_not_issued_by_it_is_found() -> None:
    forged = issue(AGENCY, AT - DAY, AT + DAY, Holder(AUTHORITY.intermediate.certificate, new_key()))
    authorities = with_certificates(lambda _: {"certificates/signer-1.pem": b""}).certificates
    made = replace(
        evidence_of(Hub(), a_story_signed_by(forged)), certificates={n: c for n, c in authorities.items() if c}
    )
    assert failed(made) == [12]
    assert "UNTRUSTED_CHAIN" in found(made).steps[11].en


def test_roots_that_are_pinned_count_also_where_the_file_has_none() -> None:
    evidence = with_certificates(lambda _: {"certificates/root-1.pem": b""})
    assert (failed(evidence), untold(evidence)) == ([], [3, 12])
    assert untold(evidence, pinned(evidence, AUTHORITY.root.certificate)) == []


def test_a_certificate_that_was_over_when_the_hub_took_the_packet_is_found_without_any_root() -> None:
    """With nothing to trust, its own dates are still there to be judged."""
    over = issue(AGENCY, AT - 9 * DAY, AT - DAY)
    evidence = evidence_of(Hub(), a_story_signed_by(over))
    assert failed(evidence) == [12]
    assert "EXPIRED_AT_SIGNING" in found(evidence).steps[11].en


def test_a_certificate_revoked_after_the_acceptance_still_counted() -> None:
    serial = AUTHORITY.agency.certificate.serial_number
    late = crl(AUTHORITY.intermediate, LATER, {serial: (AT + timedelta(hours=1), x509.ReasonFlags.key_compromise)})
    evidence = with_certificates()
    revocation = {"revocation/1.crl": late, "revocation/2.crl": evidence.revocation["revocation/2.crl"]}
    assert failed(replace(evidence, revocation=revocation)) == []


def test_a_certificate_of_nobody_here_and_one_in_another_spelling_are_found() -> None:
    stranger = with_certificates(lambda a: {"certificates/signer-2.pem": pem(a.leader.certificate)})
    assert "signed nothing here" in found(stranger).steps[11].en
    assert failed(stranger) == [12]
    spelled = with_certificates(lambda a: {"certificates/root-1.pem": b"x\n" + pem(a.root.certificate)})
    assert failed(spelled) == [12]


def test_what_was_signed_during_a_hold_is_found_though_what_was_before_and_after_it_counted() -> None:
    evidence = held_between(AUTHORITY)
    assert failed(evidence) == [12]
    told = found(evidence).steps[11].en
    assert "0f0002: REVOKED_AT_SIGNING" in told
    assert told.count("REVOKED_AT_SIGNING") == 1


def test_a_certificate_of_more_than_1_mib_is_none() -> None:
    filling = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), bytes(1024 * 1024))
    large = issue("Gốc lớn", AT - DAY, AT + DAY, authority=True, extensions=((filling, False),))
    evidence = with_certificates(lambda _: {"certificates/root-2.pem": pem(large.certificate)})
    assert "root-2.pem is no certificate in PEM" in found(evidence).steps[11].en
