"""One signature of a PDF file: its steps, its kind and its verdict.

Steps 1–8 are those of ``hub.domain.trust`` on the signer's certificate, at the moment of signing; step 2 adds the
signature's own algorithms, step 7 what is registered, step 8 the timestamp. Step 9 is the signature itself over the
whole of its revision, step 10 what was changed afterwards.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from hub.domain.trust import Material, Result, Step, Validation, Verdict, validate
from hub.domain.trust.certificates import UNREADABLE, Told, dated
from hub.domain.trust.revocation import SKEW
from hub.pdf.findings import Asked, DecidedBy, Kind, Signature, Timestamp, Update, worst
from hub.pdf.revisions import held, is_stamp, uncovered, updates_after
from hub.pdf.tokens import Cms, SignedData, Token, UnreadableError, read_cms, read_token, reading, token_of, utc

_CIRCULAR = "Thông tư theo Đ.17 NĐ 23/2025, bước"
INTEGRITY = f"{_CIRCULAR} 3; ISO 32000-2 §12.8.1, RFC 5652 §5.6"
_UPDATES = f"{_CIRCULAR} 3; ISO 32000-2 §7.5.6, §12.8.2.2"
_SHA1_ONLY = {"/adbe.pkcs7.sha1", "/adbe.x509.rsa_sha1"}  # ISO 32000-2 table 260: deprecated, and of no other hash


@dataclass(frozen=True, slots=True)
class Given:
    """What the signatures of one file are judged on. ``signatures``: all that can be read, in their order."""

    asked: Asked
    pdf: bytes
    signatures: Sequence[EmbeddedPdfSignature]
    anchors: Sequence[x509.Certificate]
    stampers: Sequence[x509.Certificate]
    intermediates: Sequence[x509.Certificate]
    revocation: Sequence[Material]

    def validate(self, cms: Cms, at: datetime, *, agency: Sequence[str] = (), timestamped: bool = False) -> Validation:
        return self._validated(cms, at, self.anchors, agency, timestamped)

    def validate_maker(self, token: Token) -> Validation:
        """Of a timestamp."""
        return self._validated(token.cms, token.time, (*self.anchors, *self.stampers), (), True)

    def _validated(
        self, cms: Cms, at: datetime, anchors: Sequence[x509.Certificate], agency: Sequence[str], timestamped: bool
    ) -> Validation:
        return validate(
            cms.certificate,
            at,
            anchors=anchors,
            intermediates=[*self.intermediates, *cms.others],
            revocation=self.revocation,
            agency=agency,
            timestamped=timestamped,
        )


def judged(given: Given, signature: EmbeddedPdfSignature, stamps: Sequence[Timestamp]) -> Signature:
    """``stamps`` are the document timestamps over it: the first that counts stands in for one of its own."""
    asked, name = given.asked, str(signature.field_name)
    claimed = _claimed(signature)
    try:
        cms = read_cms(signature.signed_data, signature.signer_info, "data", signature.compute_digest)
    except UnreadableError as fault:
        return unread(name, str(fault), str(held(signature.sig_object, "/SubFilter")))
    own = _own_stamp(given, signature)
    stamp = next((one for one in (own, *stamps) if one and counts(one)), own)
    stamped = stamp.time if stamp and counts(stamp) else None
    at = stamped or (claimed if claimed and claimed <= asked.received else asked.received)

    path_of = hashlib.sha256(cms.certificate.public_bytes(Encoding.DER)).hexdigest()
    registered = asked.known.get(path_of)
    wanted = () if registered else tuple(filter(None, (asked.agency, *asked.names)))
    validation = given.validate(cms, at, agency=wanted, timestamped=stamped is not None)
    steps = list(validation.steps)
    verdicts = [validation.verdict]

    if cms.weak:
        vi, en = f"Thuật toán ký yếu: {', '.join(cms.weak)}.", f"Weak algorithms: {', '.join(cms.weak)}."
        verdicts.append(_fail(steps, 2, (vi, en), Verdict.WEAK_ALGORITHM))
    if registered:
        verdicts += _registered(steps, asked, registered[1])
    if stamp:
        verdicts += _stamped(steps, stamp)
    integrity, updates = _integrity(given, signature, cms)
    steps += integrity
    verdicts += [Verdict.MODIFIED for step in integrity if step.result is Result.FAILED]
    kind, decided = _kind(cms.certificate, registered, asked, steps[6].result is Result.PASSED)
    belongs = registered[1] if registered else asked.agency if kind != "unknown" else ""
    return Signature(
        name, _subject(cms.certificate), belongs, kind, decided, claimed, at, stamp, worst(*verdicts), tuple(steps),
        tuple(updates), _der(validation), validation.used,
    )  # fmt: skip


def unread(name: str, fault: str, form: str = "") -> Signature:
    """A signature that cannot be read proves nothing; ``form`` is its /SubFilter."""
    if form in _SHA1_ONLY:
        told = f"Chữ ký dạng {form} chỉ dùng SHA-1.", f"A signature of the form {form} knows SHA-1 only."
        verdict = Verdict.WEAK_ALGORITHM
    else:
        told = f"Không đọc được chữ ký: {fault}.", f"The signature cannot be read: {fault}."
        verdict = Verdict.MODIFIED
    step = Step(9, INTEGRITY, Result.FAILED, *told)
    return Signature(name, "", "", "unknown", "nothing", None, None, None, verdict, (step,))


def document_stamp(given: Given, signature: EmbeddedPdfSignature) -> Timestamp:
    """A document timestamp (ISO 32000-2 §12.8.5), which must cover its revision as a signature does."""
    gap = uncovered(signature, given.pdf)
    if gap:
        return _bad_stamp(f"Dấu thời gian không phủ cả tệp: {gap}.", f"The timestamp does not cover the file: {gap}.")
    stamp = _judged_stamp(given, signature.signed_data, signature)
    changed = [one for one in updates_after(signature, given.pdf, given.signatures) if not one.allowed]
    if changed and stamp.verdict is not Verdict.MODIFIED:
        vi, en = _told_updates(changed)
        return replace(stamp, verdict=Verdict.MODIFIED, vi=vi, en=en)
    return stamp


def counts(stamp: Timestamp) -> bool:
    """Whether its moment is believed; what is not known of its maker's revocation is a warning."""
    return stamp.verdict in (Verdict.VALID, Verdict.INDETERMINATE_REVOCATION)


def _own_stamp(given: Given, signature: EmbeddedPdfSignature) -> Timestamp | None:
    try:
        token = token_of(signature.signer_info)
    except UnreadableError as fault:
        return _unread_stamp(fault)
    return _judged_stamp(given, token, signature) if token is not None else None


def _judged_stamp(given: Given, signed: SignedData, signature: EmbeddedPdfSignature) -> Timestamp:
    def digest_of(name: str) -> bytes:
        if is_stamp(signature):
            return signature.compute_digest(name)
        return hashlib.new(name, signature.signer_info["signature"].native).digest()

    try:
        token = read_token(signed, digest_of)
    except UnreadableError as fault:
        return _unread_stamp(fault)
    by = _subject(token.cms.certificate)
    validation = given.validate_maker(token)
    verdict, told = validation.verdict, (f"Dấu thời gian {dated(token.time)}", f"Timestamp of {dated(token.time)}")
    if not token.of_this or not token.cms.holds:
        verdict = Verdict.MODIFIED
        told = "Dấu thời gian không thuộc chữ ký này", "The timestamp is not one of this signature"
    elif token.cms.weak:
        verdict = Verdict.WEAK_ALGORITHM
        weak = ", ".join(token.cms.weak)
        told = f"Dấu thời gian dùng thuật toán yếu ({weak})", f"The timestamp uses weak algorithms ({weak})"
    elif not token.may_stamp:
        verdict = Verdict.UNTRUSTED_CHAIN
        told = "Chứng thư không được cấp dấu thời gian", "The certificate may not issue timestamps"
    elif token.time > given.asked.received + SKEW:
        verdict = Verdict.UNTRUSTED_CHAIN
        told = "Dấu thời gian sau lúc nhận", "The timestamp is later than the file's receipt"
    vi, en = (f"{text}: {by}, {verdict}." for text in told)
    return Timestamp(token.time, by, verdict, vi, en, validation.steps[:6], _der(validation), validation.used)


def _unread_stamp(fault: Exception) -> Timestamp:
    return _bad_stamp(f"Không đọc được dấu thời gian: {fault}.", f"The timestamp cannot be read: {fault}.")


def _bad_stamp(vi: str, en: str) -> Timestamp:
    return Timestamp(None, "", Verdict.MODIFIED, vi, en)


def _stamped(steps: list[Step], stamp: Timestamp) -> list[Verdict]:
    if counts(stamp):
        steps[7] = replace(steps[7], vi=stamp.vi, en=stamp.en)
        return [stamp.verdict]
    return [_fail(steps, 8, (stamp.vi, stamp.en), Verdict.VALID_NO_TIMESTAMP)]


def _registered(steps: list[Step], asked: Asked, code: str) -> list[Verdict]:
    if asked.agency and code != asked.agency:
        told = (
            f"Chứng thư đăng ký cho {code}, không phải cho {asked.agency}.",
            f"The certificate is registered for {code}, not for {asked.agency}.",
        )
        return [_fail(steps, 7, told, Verdict.NAME_MISMATCH)]
    vi, en = f"Chứng thư đã đăng ký cho {code}.", f"The certificate is registered for {code}."
    steps[6] = replace(steps[6], result=Result.PASSED, vi=vi, en=en)
    return []


def _fail(steps: list[Step], number: int, told: Told, verdict: Verdict) -> Verdict:
    vi, en = told
    steps[number - 1] = replace(steps[number - 1], result=Result.FAILED, vi=vi, en=en)
    return verdict


def _integrity(given: Given, signature: EmbeddedPdfSignature, cms: Cms) -> tuple[tuple[Step, Step], Sequence[Update]]:
    gap = uncovered(signature, given.pdf)
    if not cms.holds:
        told = (
            "Nội dung đã bị sửa, hoặc chữ ký không phải của chứng thư này.",
            ("The content was changed, or the signature is not this certificate's."),
        )
    elif gap:
        told = f"Chữ ký không phủ cả tệp: {gap}.", f"The signature does not cover the whole file: {gap}."
    else:
        sound = (
            "Chữ ký đúng với chứng thư và phủ toàn bộ phiên bản đã ký.",
            "The signature is the certificate's, and covers all of the revision it signs.",
        )
        updates = updates_after(signature, given.pdf, given.signatures)
        changed = [one for one in updates if not one.allowed]
        result = Result.FAILED if changed else Result.PASSED
        return (
            Step(9, INTEGRITY, Result.PASSED, *sound),
            Step(10, _UPDATES, result, *_told_updates(changed or updates)),
        ), updates
    not_looked = "Chưa xem xét.", "Not examined."
    return (Step(9, INTEGRITY, Result.FAILED, *told), Step(10, _UPDATES, Result.UNTOLD, *not_looked)), ()


_CHANGES = {
    "signature": "chữ ký",
    "timestamp": "dấu thời gian",
    "validation data": "dữ liệu thẩm định",
    "form fields": "ô biểu mẫu",
    "annotations": "chú thích",
    "pages": "trang",
    "other": "phần khác",
    "trailing bytes": "dữ liệu thêm ở cuối tệp",
}


def _told_updates(updates: Sequence[Update]) -> Told:
    if not updates:
        return "Không có thay đổi nào sau khi ký.", "Nothing was added after signing."
    changes = list(dict.fromkeys(change for one in updates for change in one.changed))
    vi, en = ", ".join(_CHANGES[one] for one in changes), ", ".join(changes)
    if all(one.allowed for one in updates):
        return f"Sau khi ký chỉ thêm: {vi}.", f"Added after signing, as allowed: {en}."
    return f"Tệp bị sửa sau khi ký: {vi}.", f"The file was changed after signing: {en}."


def _kind(
    certificate: x509.Certificate, registered: tuple[str, str] | None, asked: Asked, named: bool
) -> tuple[Kind, DecidedBy]:
    if registered:
        return ("agency" if registered[0] == "agency" else "leader"), "registered"
    if not named:
        return "unknown", "nothing"
    common = {_folded(str(one.value)) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
    return ("agency" if common & {_folded(name) for name in (asked.agency, *asked.names)} else "leader"), "subject"


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _subject(certificate: x509.Certificate) -> str:
    try:
        return certificate.subject.rfc4514_string()
    except UNREADABLE:
        return ""


def _claimed(signature: EmbeddedPdfSignature) -> datetime | None:
    """The signer's word; where it does not even name a time zone it says nothing."""
    try:
        with reading():
            return utc(signature.self_reported_timestamp)
    except UnreadableError:
        return None


def _der(validation: Validation) -> tuple[bytes, ...]:
    return tuple(one.public_bytes(Encoding.DER) for one in validation.path)
