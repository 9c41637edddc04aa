"""Whom a signature stands for: every cell of the table of exchange rules 3."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from builders.keys import a_certificate
from builders.packets import a_document

from hub.domain.edxml import parse, write_document
from hub.domain.signature import Counted, Signed, Standing, Unsigned, Verdict, judge, sign, verify
from hub.errors import Refusal, Severity

SENDER, SUCCESSOR, PLATFORM, STRANGER = "H41.05", "H41.55", "H41", "G22"
CERTIFICATE = "Signature/KeyInfo/X509Data/X509Certificate"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def signed(*, sha1: bool = False) -> Signed:
    key, certificate = a_certificate()
    result = verify(parse(sign(write_document(a_document()), key, certificate)))
    assert isinstance(result, Signed)
    return Signed(certificate, result.fingerprint, result.algorithm, result.form, result.tree, sha1)


def a_row(code: str, *, since: int = -365, until: int = 365, fingerprint: str = "") -> Counted:
    """Registered to ``code``; ``since`` and ``until`` in days from now."""
    own = signed().fingerprint
    return Counted(fingerprint or own, code, NOW + timedelta(days=since), NOW + timedelta(days=until))


def judged(
    result: Unsigned | Signed, *registered: Counted, required: bool = True, at: datetime = NOW, sender: str = SENDER
) -> Verdict:
    return judge(
        result,
        sender=sender,
        may_sign=(sender, SUCCESSOR, PLATFORM),
        platform=PLATFORM,
        registered=registered,
        required=required,
        at=at,
    )


def refused(result: Unsigned | Signed, *registered: Counted, required: bool, at: datetime = NOW) -> Refusal:
    with pytest.raises(Refusal) as caught:
        judged(result, *registered, required=required, at=at)
    return caught.value


@pytest.mark.parametrize("why", ["no-signature", "placeholder", "not-namespace-well-formed"])
def test_an_unsigned_packet_is_refused_where_signatures_are_required(why: str) -> None:
    refusal = refused(Unsigned(why), required=True)
    assert (refusal.code, refusal.pointer) == ("signature-required", "Signature")
    assert why in refusal.vi
    assert why in refusal.en


@pytest.mark.parametrize("why", ["no-signature", "placeholder", "not-namespace-well-formed"])
def test_an_unsigned_packet_passes_as_unsigned_under_the_legacy_profile(why: str) -> None:
    assert judged(Unsigned(why), required=False) == Verdict(Standing.UNSIGNED, why=why)


@pytest.mark.parametrize("required", [True, False])
def test_another_agencys_certificate_is_refused_in_every_profile(required: bool) -> None:
    refusal = refused(signed(), a_row(STRANGER), required=required)
    assert (refusal.code, refusal.pointer) == ("certificate-other-agency", CERTIFICATE)
    assert SENDER in refusal.vi


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("days", [(-30, -1), (1, 30)])
def test_a_certificate_outside_its_time_is_refused_in_every_profile(required: bool, days: tuple[int, int]) -> None:
    row = a_row(SENDER, since=days[0], until=days[1])
    refusal = refused(signed(), row, required=required)
    assert (refusal.code, refusal.pointer) == ("certificate-ended", CERTIFICATE)


@pytest.mark.parametrize("required", [True, False])
def test_a_strangers_current_row_does_not_prolong_the_senders_ended_one(required: bool) -> None:
    rows = a_row(SENDER, until=-1), a_row(STRANGER)
    assert refused(signed(), *rows, required=required).code == "certificate-ended"


def test_first_and_last_moment_both_count() -> None:
    row = a_row(SENDER, since=-1, until=1)
    for at in (row.since, row.until):
        assert judged(signed(), row, at=at).standing is Standing.SIGNED
    for at in (row.since - timedelta(microseconds=1), row.until + timedelta(microseconds=1)):
        assert refused(signed(), row, required=True, at=at).code == "certificate-ended"


def test_an_unknown_certificate_is_refused_where_signatures_are_required() -> None:
    refusal = refused(signed(), required=True)
    assert (refusal.code, refusal.pointer) == ("certificate-unknown", CERTIFICATE)
    assert "Văn phòng Chính phủ" in refusal.vi
    assert SENDER in refusal.repair


def test_an_unknown_certificate_passes_as_unsigned_with_a_warning_under_the_legacy_profile() -> None:
    result = signed()
    verdict = judged(result, required=False)
    assert (verdict.standing, verdict.owner, verdict.fingerprint) == (Standing.UNSIGNED, "", "")
    assert verdict.why == "certificate-unknown"
    [warning] = verdict.warnings
    assert (warning.rule, warning.severity) == ("certificate-unknown", Severity.WARNING)
    assert "Văn phòng Chính phủ" in warning.value
    assert f"{result.certificate.serial_number:X}" in warning.value


def test_a_row_of_another_certificate_does_not_make_this_one_known() -> None:
    row = a_row(SENDER, fingerprint="00" * 32)
    assert refused(signed(), row, required=True).code == "certificate-unknown"


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("owner", [SENDER, SUCCESSOR])
def test_a_registered_certificate_signs_for_the_sender(required: bool, owner: str) -> None:
    result = signed()
    verdict = judged(result, a_row(owner), required=required)
    assert verdict == Verdict(Standing.SIGNED, owner, result.fingerprint)


def test_the_platforms_certificate_is_shown_as_the_platforms() -> None:
    verdict = judged(signed(), a_row(PLATFORM))
    assert (verdict.standing, verdict.owner) == (Standing.SIGNED_BY_PLATFORM, PLATFORM)


def test_the_platform_itself_signs_for_itself() -> None:
    verdict = judged(signed(), a_row(PLATFORM), sender=PLATFORM)
    assert (verdict.standing, verdict.owner) == (Standing.SIGNED, PLATFORM)


def test_a_certificate_of_sender_and_platform_counts_as_the_senders() -> None:
    verdict = judged(signed(), a_row(PLATFORM), a_row(SENDER), a_row(STRANGER))
    assert (verdict.standing, verdict.owner) == (Standing.SIGNED, SENDER)


def test_the_platform_stands_in_when_the_senders_own_row_has_ended() -> None:
    verdict = judged(signed(), a_row(SENDER, until=-1), a_row(PLATFORM))
    assert (verdict.standing, verdict.owner) == (Standing.SIGNED_BY_PLATFORM, PLATFORM)


def test_sha1_is_warned_about() -> None:
    [warning] = judged(signed(sha1=True), a_row(SENDER)).warnings
    assert (warning.rule, warning.severity, warning.value) == ("signature-sha1", Severity.WARNING, "SHA-1")
    assert {v.rule for v in judged(signed(sha1=True), required=False).warnings} == {
        "certificate-unknown",
        "signature-sha1",
    }
