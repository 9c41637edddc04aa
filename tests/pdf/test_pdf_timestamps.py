"""The moment of signing: by the signer's word, by a timestamp on the signature, by one on the document (RFC 3161)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from io import BytesIO

from builders.judged import AT, NOW, the_authority
from builders.pdfs import (
    asked,
    by_both,
    signed,
    stamper,
    stamping_authority,
    text_changed,
    with_document_timestamp,
    with_validation_data,
    written,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ReasonFlags
from pyhanko.pdf_utils.reader import PdfFileReader

from hub.authority import DAY, YEAR, issue
from hub.domain.trust import Material, Result, Verdict
from hub.pdf.examination import examine
from hub.pdf.findings import Examination, Signature

STAMPED = AT + timedelta(minutes=5)


def examined(pdf: bytes, **changes: object) -> Examination:
    found = examine(pdf, asked(**changes))
    assert isinstance(found, Examination)
    return found


def stamped(at: datetime = STAMPED, **authority: object) -> Signature:
    """The leader's signature with a timestamp of its own."""
    by = stamping_authority(**authority) if authority else None  # type: ignore[arg-type]  # its own keywords
    return examined(signed(written(), the_authority().leader, stamp=stamper(at, by))).signatures[0]


def test_timestamps_on_both_signatures_make_the_file_valid() -> None:
    found = examined(by_both(stamp=stamper(AT + timedelta(hours=2))))
    assert found.verdict is Verdict.VALID
    stamp = found.signatures[0].timestamp
    assert stamp is not None
    assert (stamp.verdict, stamp.time) == (Verdict.VALID, AT + timedelta(hours=2))
    assert "TSA thử nghiệm" in stamp.by


def test_validity_is_judged_at_the_timestamp_and_not_at_the_signer_s_word() -> None:
    signature = stamped()
    assert (signature.claimed, signature.at) == (AT, STAMPED)


def test_a_signer_revoked_between_the_word_and_the_timestamp_was_revoked_at_signing() -> None:
    leader = the_authority().leader
    revoked = {leader.certificate.serial_number: (AT + DAY, ReasonFlags.key_compromise)}
    material = tuple(Material("crl", one, NOW) for one in the_authority().crls(revoked, made=AT + 5 * DAY))
    pdf = signed(written(), leader, stamp=stamper(AT + 2 * DAY))
    assert examined(pdf, revocation=material).signatures[0].verdict is Verdict.REVOKED_AT_SIGNING


def test_a_timestamp_by_an_unknown_authority_is_as_none_and_told() -> None:
    signature = stamped(issuer=issue("CA lạ", AT - YEAR, AT + 9 * YEAR, authority=True))
    assert signature.timestamp is not None
    assert signature.timestamp.verdict is Verdict.UNTRUSTED_CHAIN
    assert (signature.verdict, signature.at) == (Verdict.VALID_NO_TIMESTAMP, AT)
    assert signature.steps[7].result is Result.FAILED


def test_a_root_for_timestamps_counts_for_them_and_for_no_signer() -> None:
    root = issue("CA dấu thời gian", AT - YEAR, AT + 9 * YEAR, authority=True)
    by = stamping_authority(issuer=root)
    roots = (root.certificate.public_bytes(Encoding.DER),)
    pdf = signed(written(), the_authority().leader, stamp=stamper(STAMPED, by))
    signature = examined(pdf, stampers=roots).signatures[0]
    assert signature.timestamp is not None
    assert (signature.timestamp.verdict, signature.at) == (Verdict.INDETERMINATE_REVOCATION, STAMPED)
    stranger = issue("Người lạ", AT - YEAR, AT + YEAR, root)
    assert examined(signed(written(), stranger), stampers=roots).signatures[0].verdict is Verdict.UNTRUSTED_CHAIN


def test_a_certificate_that_may_not_stamp_makes_no_timestamp() -> None:
    signature = stamped(may=False)
    assert signature.timestamp is not None
    assert signature.timestamp.verdict is Verdict.UNTRUSTED_CHAIN
    assert signature.verdict is Verdict.VALID_NO_TIMESTAMP


def test_a_timestamp_from_after_the_receipt_is_not_believed() -> None:
    signature = stamped(NOW + DAY)
    assert signature.timestamp is not None
    assert signature.timestamp.verdict is Verdict.UNTRUSTED_CHAIN
    assert signature.at == AT


def test_a_timestamp_of_something_else_is_not_this_signature_s() -> None:
    pdf = signed(written(), the_authority().leader, stamp=stamper(STAMPED, stray=True))
    signature = examined(pdf).signatures[0]
    assert signature.timestamp is not None
    assert signature.timestamp.verdict is Verdict.MODIFIED
    assert (signature.verdict, signature.at) == (Verdict.VALID_NO_TIMESTAMP, AT)


def test_a_timestamp_that_was_changed_is_told() -> None:
    """The bytes of the token's imprint: its own signature no longer holds."""
    pdf = signed(written(), the_authority().leader, stamp=stamper(STAMPED))
    value = PdfFileReader(BytesIO(pdf)).embedded_signatures[0].signer_info["signature"].native
    imprint, other = (hashlib.sha256(octets).hexdigest().upper().encode() for octets in (value, b"other"))
    assert imprint in pdf
    signature = examined(pdf.replace(imprint, other)).signatures[0]
    assert signature.timestamp is not None
    assert signature.timestamp.verdict is Verdict.MODIFIED
    assert signature.verdict is Verdict.VALID_NO_TIMESTAMP


def test_what_is_not_known_of_the_timestamp_s_maker_is_a_warning() -> None:
    above = issue("CA dấu thời gian", AT - YEAR, AT + 5 * YEAR, the_authority().root, authority=True)
    by = stamping_authority(issuer=above)
    pdf = signed(written(), the_authority().leader, stamp=stamper(STAMPED, by))
    known = (*asked().intermediates, above.certificate.public_bytes(Encoding.DER))
    signature = examined(pdf, intermediates=known).signatures[0]
    assert (signature.verdict, signature.at) == (Verdict.INDETERMINATE_REVOCATION, STAMPED)


def test_a_document_timestamp_confirms_the_signatures_below_it() -> None:
    found = examined(with_document_timestamp(by_both(), AT + DAY))
    assert found.verdict is Verdict.VALID
    assert [one.at for one in found.signatures] == [AT + DAY] * 2
    assert [one.verdict for one in found.timestamps] == [Verdict.VALID]


def test_a_document_timestamp_confirms_nothing_that_was_signed_after_it() -> None:
    pdf = with_document_timestamp(written(), AT - DAY)
    found = examined(signed(pdf, the_authority().leader))
    assert found.signatures[0].timestamp is None
    assert found.signatures[0].verdict is Verdict.VALID_NO_TIMESTAMP


def test_a_document_timestamp_on_a_file_changed_since_counts_for_nothing() -> None:
    found = examined(text_changed(with_document_timestamp(by_both(), AT + DAY)))
    assert [one.verdict for one in found.timestamps] == [Verdict.MODIFIED]
    assert found.verdict is Verdict.MODIFIED


def test_what_the_file_brings_along_is_enough_to_validate_it() -> None:
    crls = the_authority().crls(made=AT + 2 * DAY)
    kept = with_validation_data(
        by_both(stamp=stamper(AT + timedelta(hours=2))), crls, [the_authority().intermediate.certificate]
    )
    archived = with_document_timestamp(kept, AT + 3 * DAY)
    found = examined(archived, revocation=(), intermediates=())
    assert found.verdict is Verdict.VALID
    assert [item.octets for item in found.signatures[0].used] == list(crls)


def test_a_revocation_that_the_file_brings_along_counts() -> None:
    leader = the_authority().leader
    revoked = {leader.certificate.serial_number: (AT - DAY, ReasonFlags.key_compromise)}
    pdf = with_validation_data(signed(written(), leader), the_authority().crls(revoked, made=AT + 2 * DAY))
    assert examined(pdf, revocation=()).signatures[0].verdict is Verdict.REVOKED_AT_SIGNING
