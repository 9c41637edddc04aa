"""Timestamp tokens: what a timestamping authority signed counts, and nothing else does, whatever byte is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any

import pytest
from asn1crypto import cms
from builders.stamping import Tsa, a_key, a_tsa, another_imprint, another_nonce, no_nonce, refusing
from cryptography.x509 import ReasonFlags
from cryptography.x509.oid import ExtendedKeyUsageOID

from hub.authority import DAY, crl, issue
from hub.domain.timestamp import MAX_TOKEN, Stamp, TimestampError, answered, question, roots_in, verify
from hub.domain.trust import Material

AT = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)
NOTE = b"truc.example.vn/bang-chung\n7\n"
TSA = a_tsa(AT)
ROOTS = [TSA.root.certificate]


def stamped(tsa: Tsa = TSA, at: datetime = AT, **terms: Any) -> Stamp:
    asked = question(NOTE)
    return answered(asked, tsa.answer(asked.octets, at, **terms), NOTE, [tsa.root.certificate])


def why_not(tsa: Tsa = TSA, at: datetime = AT, **terms: Any) -> str:
    """In English; the other language is there too."""
    with pytest.raises(TimestampError) as refused:
        stamped(tsa, at, **terms)
    assert refused.value.vi
    assert refused.value.vi != refused.value.en
    return refused.value.en


def test_a_token_tells_its_moment_its_maker_and_the_way_to_the_root_and_is_verified_with_the_root_alone() -> None:
    stamp = stamped(at=AT + timedelta(seconds=7))
    assert (stamp.at, stamp.by) == (AT + timedelta(seconds=7), "«TSA thử nghiệm»")
    assert stamp.path == (TSA.holder.certificate, TSA.intermediate.certificate, TSA.root.certificate)
    assert verify(stamp.token, NOTE, ROOTS) == stamp
    assert roots_in(stamp.token) == (TSA.root.certificate,)


def test_every_question_has_a_nonce_of_its_own() -> None:
    assert question(NOTE).nonce != question(NOTE).nonce


def test_an_answer_to_another_question_does_not_count() -> None:
    assert "the nonce is not the one" in why_not(change=another_nonce)
    assert "the nonce is not the one" in why_not(change=no_nonce)
    assert "Mismatch between messages" in why_not(change=another_imprint)
    with pytest.raises(TimestampError, match="Mismatch between messages"):
        verify(stamped().token, NOTE + b"\n", ROOTS)


def test_a_token_signed_with_another_key_does_not_count() -> None:
    assert "not what the TSA signs (signature failure)" in why_not(key=a_key("of another"))


def test_a_token_that_leads_to_no_root_that_counts_does_not_count() -> None:
    token = stamped().token
    for anchors in ([a_tsa(AT).root.certificate], []):
        with pytest.raises(TimestampError, match="Leads to no trusted root"):
            verify(token, NOTE, anchors)
    with pytest.raises(TimestampError, match="certificate"):
        verify(token, NOTE, [TSA.holder.certificate])


def test_who_stamps_after_the_end_of_its_certificate_is_found_and_before_it_is_good_for_ever() -> None:
    ended = a_tsa(AT, until=AT + DAY)
    assert "expired" in why_not(ended, AT + 2 * DAY)
    assert stamped(ended, AT + timedelta(hours=23)).at == AT + timedelta(hours=23)


@pytest.mark.parametrize(
    "usage", [(ExtendedKeyUsageOID.TIME_STAMPING, False), (ExtendedKeyUsageOID.CODE_SIGNING, True)]
)
def test_only_who_may_stamp_and_does_nothing_unnoticed_counts(usage: Any) -> None:
    """RFC 3161 §2.3: the extended key usage is critical."""
    assert "unsuitable certificate purpose" in why_not(a_tsa(AT, usage=usage))


def test_what_is_known_of_revocation_decides_and_what_is_not_known_is_told() -> None:
    serial = TSA.holder.certificate.serial_number
    good = [crl(TSA.intermediate, AT), crl(TSA.root, AT)]
    revoked = [crl(TSA.intermediate, AT, {serial: (AT - DAY, ReasonFlags.key_compromise)}), good[1]]
    token = stamped().token

    def judged(lists: list[bytes]) -> Stamp:
        return verify(token, NOTE, ROOTS, lambda path: [Material("crl", each, AT) for each in lists])

    assert judged(good).untold == ()
    assert [en for _, en in judged(good[:1]).untold] == [
        "Revocation: there is no usable CRL or OCSP answer about «CA dấu thời gian»."
    ]
    with pytest.raises(TimestampError, match="revoked"):
        judged(revoked)


def test_a_refusal_is_told_with_the_authority_s_words() -> None:
    asked = question(NOTE)
    with pytest.raises(TimestampError, match=r"the TSA refused \(rejection: .*quá tải"):
        answered(asked, refusing(), NOTE, ROOTS)
    with pytest.raises(TimestampError, match="the TSA refused"):
        answered(asked, refusing("waiting"), NOTE, ROOTS)


def test_what_is_no_answer_at_all_is_told() -> None:
    asked = question(NOTE)
    whole = TSA.answer(asked.octets, AT)
    for octets in (b"", b"<html>", b"\x30\x80", whole[:-1], whole + b"\0", b"\0" * (MAX_TOKEN + 1), whole[9:]):
        with pytest.raises(TimestampError):
            answered(asked, octets, NOTE, ROOTS)


def test_certificates_that_nobody_needs_do_not_stay_in_a_token() -> None:
    """No signature covers them: whoever keeps the token could put anything there."""
    stranger = issue("Không liên quan", AT - DAY, AT + DAY).certificate
    stamp = stamped(Tsa(TSA.root, TSA.intermediate, TSA.holder, beside=(stranger, TSA.root.certificate)))
    found = cms.ContentInfo.load(stamp.token)["content"]["certificates"]
    assert len(found) == 3
    assert verify(stamp.token, NOTE, ROOTS) == stamp


# Of a changed certificate the library may warn.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_every_single_changed_byte_of_a_token_is_caught() -> None:
    token, missed = stamped().token, []
    for at in range(len(token)):
        changed = token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :]
        try:
            verify(changed, NOTE, ROOTS)
        except TimestampError:
            continue
        missed.append(at)
    assert missed == []


def test_a_certificate_s_signature_that_says_of_its_last_zero_that_it_is_unused_is_found() -> None:
    """The changed byte that was caught or not by the chance of a signature's last bit."""
    token = stamped().token
    for holder in (TSA.holder, TSA.intermediate, TSA.root):
        value = holder.certificate.signature
        written = b"\0" + value
        assert token.count(written) == 1
        with pytest.raises(TimestampError):
            verify(token.replace(written, b"\1" + value), NOTE, ROOTS)
    tsa = next(each for each in map(a_tsa, repeat(AT)) if not each.intermediate.certificate.signature[-1] & 1)
    kept, value = stamped(tsa).token, tsa.intermediate.certificate.signature
    with pytest.raises(TimestampError, match="one form"):
        verify(kept.replace(b"\0" + value, b"\1" + value), NOTE, [tsa.root.certificate])


def test_what_no_signature_covers_is_refused_in_any_other_form() -> None:
    token = stamped().token

    def changed(change: Any) -> bytes:
        content = cms.ContentInfo.load(token)
        signed = content["content"].copy()
        change(signed)
        return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())

    def with_attribute(signed: Any) -> None:
        signer = signed["signer_infos"][0]
        signer["unsigned_attrs"] = [cms.CMSAttribute({"type": "message_digest", "values": [b"anything"]})]

    def with_another_version(signed: Any) -> None:
        signed["version"] = "v4"

    def without_the_root(signed: Any) -> None:
        signed["certificates"] = list(signed["certificates"])[:2]

    for change in (with_attribute, with_another_version, without_the_root):
        with pytest.raises(TimestampError):
            verify(changed(change), NOTE, ROOTS)
    assert verify(changed(lambda signed: None), NOTE, ROOTS).token == token
