"""The steps from a certificate to a verdict, each with its clause and what was found.

The steps are those of the circular of 2025 under NĐ 23/2025 Đ.17 that concern the certificate; whether a document still
is what was signed is judged where the document is read. Validity is judged at the moment of signing throughout.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.x509.oid import NameOID

from hub.domain.trust.certificates import HASHES, Algorithms, Told, dated, extension, is_readable, shown
from hub.domain.trust.path import Path, find_path
from hub.domain.trust.revocation import Material, Status, status_of


class Verdict(StrEnum):
    """What is said of a signature. ``INDETERMINATE_REVOCATION`` is a warning, no refusal: so the circular, step 1."""

    VALID = "VALID"
    VALID_NO_TIMESTAMP = "VALID_NO_TIMESTAMP"
    INDETERMINATE_REVOCATION = "INDETERMINATE_REVOCATION"
    EXPIRED_AT_SIGNING = "EXPIRED_AT_SIGNING"  # or not yet valid
    REVOKED_AT_SIGNING = "REVOKED_AT_SIGNING"  # or on hold
    UNTRUSTED_CHAIN = "UNTRUSTED_CHAIN"
    MODIFIED = "MODIFIED"
    WEAK_ALGORITHM = "WEAK_ALGORITHM"
    MISSING_LEADER = "MISSING_LEADER"
    MISSING_AGENCY = "MISSING_AGENCY"
    NAME_MISMATCH = "NAME_MISMATCH"


class Result(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNTOLD = "untold"  # could not be told


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    clause: str
    result: Result
    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Validation:
    """``path`` from the signer's certificate towards the root, as far as it was found; ``used`` is the revocation
    material it rests on: with both, and the same anchors, the validation can be repeated."""

    verdict: Verdict
    at: datetime
    steps: tuple[Step, ...]
    path: tuple[x509.Certificate, ...]
    used: tuple[Material, ...]


_CIRCULAR = "Thông tư theo Đ.17 NĐ 23/2025, bước"
_CLAUSES = (  # by step; the verdict is that of the first step that failed
    (f"{_CIRCULAR} 1; RFC 5280 §4.1.2.5", Verdict.EXPIRED_AT_SIGNING),
    (f"{_CIRCULAR} 1", Verdict.WEAK_ALGORITHM),
    (f"{_CIRCULAR} 1; RFC 5280 §4.2.1.3", Verdict.UNTRUSTED_CHAIN),
    (f"{_CIRCULAR} 2; RFC 5280 §6.1", Verdict.UNTRUSTED_CHAIN),
    (f"{_CIRCULAR} 1; RFC 5280 §6.3, RFC 6960 §3.2", Verdict.REVOKED_AT_SIGNING),
    (f"{_CIRCULAR} 2; RFC 5280 §6.3, RFC 6960 §3.2", Verdict.REVOKED_AT_SIGNING),
    (f"{_CIRCULAR} 3", Verdict.NAME_MISMATCH),
    (f"{_CIRCULAR} 4", Verdict.VALID_NO_TIMESTAMP),
)
_REVOCATION = (5, 6)
_Found = tuple[Result, Told]


def validate(
    certificate: x509.Certificate,
    at: datetime,
    *,
    anchors: Collection[x509.Certificate],
    intermediates: Collection[x509.Certificate] = (),
    revocation: Collection[Material] = (),
    algorithms: Algorithms = "2025",
    maximum_age: timedelta = timedelta(days=7),
    agency: Collection[str] = (),
    timestamped: bool = False,
) -> Validation:
    """The validation of a signer's certificate at ``at``, the moment of signing (aware).

    ``anchors`` are trusted as they are, each readable; ``intermediates`` are believed in nothing. ``maximum_age``
    bounds revocation data older than ``at``. ``agency`` are the names and codes of the agency that should have signed,
    one of which must stand in the subject (none: not examined). ``timestamped``: a timestamp for ``at`` was verified.

    The steps: 1 validity, 2 algorithms, 3 usage, 4 path, 5 revocation, 6 revocation of the authorities, 7 name,
    8 timestamp. Raises nothing for a certificate that is hostile or broken.
    """
    at = at.replace(microsecond=0)  # certificates count in seconds
    if not is_readable(certificate):
        unread = [(Result.UNTOLD, ("chưa xem xét", "not examined"))] * len(_CLAUSES)
        unread[3] = (Result.FAILED, ("Không đọc được chứng thư.", "The certificate cannot be read."))
        return _validation(at, unread, (certificate,), ())
    path = find_path(certificate, at, anchors, intermediates, algorithms)
    statuses = [
        status_of(one, issuer, at, revocation, hashes=HASHES[algorithms], maximum_age=maximum_age)
        for one, issuer in zip(path.certificates, path.certificates[1:], strict=False)
        if path.trusted
    ]
    found = [
        _validity(certificate, at),
        _algorithms(path),
        _usage(certificate),
        _path(path, in_time=_validity(certificate, at)[0] is Result.PASSED),
        _revocation(path, statuses[:1]),
        _revocation(path, statuses[1:]),
        _name(certificate, agency),
        _timestamp(timestamped),
    ]
    used = tuple(dict.fromkeys(item for status in statuses for item in status.used))
    return _validation(at, found, path.certificates, used)


def _validation(
    at: datetime, found: list[_Found], path: tuple[x509.Certificate, ...], used: tuple[Material, ...]
) -> Validation:
    steps = tuple(
        Step(number, clause, result, vi, en)
        for number, ((clause, _), (result, (vi, en))) in enumerate(zip(_CLAUSES, found, strict=True), 1)
    )
    verdict = next((_CLAUSES[step.number - 1][1] for step in steps if step.result is Result.FAILED), None)
    if verdict is None and any(step.number in _REVOCATION and step.result is Result.UNTOLD for step in steps):
        verdict = Verdict.INDETERMINATE_REVOCATION
    if verdict is None:
        verdict = Verdict.VALID if steps[-1].result is Result.PASSED else Verdict.VALID_NO_TIMESTAMP
    return Validation(verdict, at, steps, path, used)


def _validity(certificate: x509.Certificate, at: datetime) -> _Found:
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if since <= at <= until:
        vi, en = "Ký trong thời hạn của chứng thư", "Signed while the certificate was valid"
    elif at < since:
        vi, en = "Ký khi chứng thư chưa có hiệu lực", "Signed before the certificate was valid"
    else:
        vi, en = "Ký khi chứng thư đã hết hạn", "Signed after the certificate had expired"
    result = Result.PASSED if since <= at <= until else Result.FAILED
    signed, valid = dated(at), f"{dated(since)} – {dated(until)}"
    return result, (f"{vi}: {signed}, thời hạn {valid}.", f"{en}: {signed}, valid {valid}.")


def _algorithms(path: Path) -> _Found:
    if path.weak:
        weak = ", ".join(path.weak)
        return Result.FAILED, (
            f"Thuật toán hoặc khóa không được chấp nhận: {weak}.",
            f"Algorithms or keys that are not accepted: {weak}.",
        )
    return Result.PASSED, ("Thuật toán và độ dài khóa đạt quy định.", "Algorithms and key sizes meet the rule.")


def _usage(certificate: x509.Certificate) -> _Found:
    usage = extension(certificate.extensions, x509.KeyUsage)
    if usage is None or usage.digital_signature or usage.content_commitment:
        return Result.PASSED, ("Chứng thư được dùng để ký.", "The certificate may be used for signing.")
    return Result.FAILED, (
        "Chứng thư không được dùng để ký: KeyUsage không có digitalSignature hay nonRepudiation.",
        "The certificate may not be used for signing: KeyUsage has neither digitalSignature nor nonRepudiation.",
    )


def _path(path: Path, *, in_time: bool) -> _Found:
    names = " → ".join(shown(one) for one in path.certificates)
    if path.trusted:
        return Result.PASSED, (f"Dẫn đến gốc tin cậy: {names}.", f"Leads to a trusted root: {names}.")
    if path.flaws:
        vi, en = ("; ".join(texts) for texts in zip(*path.flaws, strict=True))
        return Result.FAILED, (
            f"Không dẫn đến gốc tin cậy: {vi} ({names}).",
            f"Leads to no trusted root: {en} ({names}).",
        )
    if path.weak or not in_time:  # which alone may be why the library refuses
        return Result.UNTOLD, (f"Xem bước 1 và 2 ({names}).", f"See steps 1 and 2 ({names}).")
    return Result.FAILED, (
        f"Không dẫn đến gốc tin cậy: {path.refusal} ({names}).",
        f"Leads to no trusted root: {path.refusal} ({names}).",
    )


def _revocation(path: Path, statuses: list[Status]) -> _Found:
    if not path.trusted:
        return Result.UNTOLD, ("Chưa xem xét vì không có đường dẫn.", "Not examined, for there is no path.")
    if not statuses:
        return Result.PASSED, ("Không có chứng thư nào cần xem.", "There is no certificate to examine.")
    results = {status.result for status in statuses}
    vi, en = ("; ".join(texts) for texts in zip(*(status.told for status in statuses), strict=True))
    result = Result.FAILED if "revoked" in results else Result.UNTOLD if "unknown" in results else Result.PASSED
    return result, (f"Thu hồi: {vi}.", f"Revocation: {en}.")


_NAMES = (
    NameOID.COMMON_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.ORGANIZATION_IDENTIFIER,
    NameOID.USER_ID,
)


def _name(certificate: x509.Certificate, agency: Collection[str]) -> _Found:
    if not agency:
        return Result.UNTOLD, ("Chưa đối chiếu tên cơ quan.", "No agency's name was compared.")
    held = [str(one.value) for one in certificate.subject if one.oid in _NAMES]
    if {_folded(name) for name in held} & {_folded(name) for name in agency}:
        return Result.PASSED, ("Chứng thư mang tên cơ quan gửi.", "The certificate names the agency.")
    shown_names, wanted = ", ".join(held), ", ".join(agency)
    return Result.FAILED, (
        f"Chứng thư của {shown_names}, không phải của {wanted}.",
        f"The certificate is that of {shown_names}, not of {wanted}.",
    )


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _timestamp(timestamped: bool) -> _Found:
    if timestamped:
        return Result.PASSED, ("Dấu thời gian xác nhận lúc ký.", "A timestamp confirms the moment of signing.")
    return Result.UNTOLD, ("Không có dấu thời gian: lúc ký là do bên ký khai.", "No timestamp: the signer said when.")
