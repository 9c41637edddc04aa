"""Whether a certificate was revoked or on hold at a moment, by CRLs (RFC 5280 §5, §6.3) and OCSP answers (RFC 6960).

What is said of the moment ``at``:

* A statement made at or after it (thisUpdate) says it: revoked on or before ``at``, or not. "Not" says nothing once the
  certificate has ended, for then it may have been dropped (RFC 5280 §3.3).
* One made before it says it while it is current: ``at`` is not after nextUpdate and the age not above the maximum.
* Of a hold, a later statement without it is the release; every other revocation is for good.

Only CRLs that the issuer itself signed, complete and over all reasons, are read: no indirect and no delta ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from cryptography import x509
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from hub.domain.trust.certificates import (
    UNREADABLE,
    Told,
    dated,
    extension,
    hash_name,
    is_issued_by,
    is_readable,
    is_signed,
    shown,
    unknown_critical,
    weak_key,
)

SKEW = timedelta(minutes=5)  # how far an authority's clock may be ahead of ours


@dataclass(frozen=True, slots=True)
class Material:
    """A CRL or OCSP answer, DER, and the moment it was had (aware)."""

    kind: Literal["crl", "ocsp"]
    octets: bytes
    had: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """``told`` says why; ``used`` is the material the status can be reached from again."""

    result: Literal["good", "revoked", "unknown"]
    told: Told
    used: tuple[Material, ...] = ()


@dataclass(frozen=True, slots=True)
class _Statement:
    this_update: datetime
    next_update: datetime | None
    used: tuple[Material, ...]
    revoked_at: datetime | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    certificate: x509.Certificate
    issuer: x509.Certificate
    material: Collection[Material]
    hashes: frozenset[str]
    maximum_age: timedelta


class _UnusableError(Exception):
    """Why a CRL or answer is not believed: its arguments are the Vietnamese and the English of it."""


def status_of(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    material: Collection[Material],
    *,
    hashes: frozenset[str],
    maximum_age: timedelta,
) -> Status:
    """The status at ``at`` of a certificate that ``issuer`` signed. ``hashes`` are those whose signatures count."""
    asked = _Asked(certificate, issuer, material, hashes, maximum_age)
    statements: list[_Statement] = []
    unusable: list[Told] = []
    for item in material:
        try:
            statement = _READERS[item.kind](asked, item)
            if statement is not None:
                _check_current(statement, asked, item, at)
                statements.append(statement)
        except _UnusableError as why:
            vi, en = why.args
            unusable.append((f"{item.kind.upper()} không dùng được: {vi}", f"{item.kind.upper()} not used: {en}"))
        except UNREADABLE:
            unusable.append((f"{item.kind.upper()} không đọc được", f"{item.kind.upper()} cannot be read"))
    found = _decided(certificate, statements, at)
    vi, en = (("; ".join(texts)) for texts in zip(found.told, *unusable, strict=True))
    return replace(found, told=(vi, en))


def _decided(certificate: x509.Certificate, statements: Sequence[_Statement], at: datetime) -> Status:
    name = shown(certificate)
    clear = [one for one in statements if not _is_revoked(one, at)]
    for one in statements:
        released = one.held and any(one.this_update < later.this_update <= at for later in clear)
        if one.revoked_at is not None and _is_revoked(one, at) and not released:
            vi, en = ("tạm dừng", "put on hold") if one.held else ("thu hồi", "revoked")
            since = dated(one.revoked_at)
            told = (f"{name} bị {vi} từ {since}", f"{name} was {en} at {since}")
            return Status("revoked", told, one.used)
    telling = [one for one in clear if one.revoked_at or one.this_update <= certificate.not_valid_after_utc]
    if not telling:
        return Status(
            "unknown",
            (
                f"không có CRL hay trả lời OCSP nào dùng được về {name}",
                f"there is no usable CRL or OCSP answer about {name}",
            ),
        )
    newest = max(telling, key=lambda one: one.this_update)
    told = (
        f"{name} không bị thu hồi lúc ký, theo thông tin ngày {dated(newest.this_update)}",
        f"{name} was not revoked at signing, as stated at {dated(newest.this_update)}",
    )
    return Status("good", told, newest.used)


def _is_revoked(statement: _Statement, at: datetime) -> bool:
    return statement.revoked_at is not None and statement.revoked_at <= at


def _check_current(statement: _Statement, asked: _Asked, item: Material, at: datetime) -> None:
    made, until = statement.this_update, statement.next_update
    if made > item.had + SKEW:
        raise _UnusableError(f"ghi ngày {dated(made)}, sau khi lấy về", f"dated {dated(made)}, after it was had")
    if made < at and ((until is not None and until < at) or at - made > asked.maximum_age):
        told = dated(made)
        raise _UnusableError(f"quá cũ so với lúc ký (ngày {told})", f"too old for the moment of signing (of {told})")


def _read_crl(asked: _Asked, item: Material) -> _Statement | None:
    crl = _loaded(item.octets)
    if crl.issuer != asked.certificate.issuer:
        return None
    usage = extension(asked.issuer.extensions, x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        raise _UnusableError("nơi cấp không được phép ký CRL", "the issuer may not sign CRLs")
    if hash_name(crl) not in asked.hashes:
        raise _UnusableError(f"ký bằng {hash_name(crl)}", f"signed with {hash_name(crl)}")
    if not _is_signed_by(asked.issuer, item.octets):
        raise _UnusableError("chữ ký không phải của nơi cấp", "the signature is not the issuer's")
    if extension(crl.extensions, x509.DeltaCRLIndicator) or unknown_critical(
        crl.extensions, (x509.IssuingDistributionPoint,)
    ):
        raise _UnusableError("không phải CRL đầy đủ", "not a complete CRL")
    scope = extension(crl.extensions, x509.IssuingDistributionPoint)
    if scope is not None and not _covers(scope, asked.certificate):
        raise _UnusableError("không gồm chứng thư này", "does not cover this certificate")
    entry = crl.get_revoked_certificate_by_serial_number(asked.certificate.serial_number)
    reason = extension(entry.extensions, x509.CRLReason) if entry else None
    if entry is None or (reason and reason.reason is x509.ReasonFlags.remove_from_crl):
        return _Statement(crl.last_update_utc, crl.next_update_utc, (item,))
    return _Statement(
        crl.last_update_utc,
        crl.next_update_utc,
        (item,),
        entry.revocation_date_utc,
        held=reason is not None and reason.reason is x509.ReasonFlags.certificate_hold,
    )


# One CRL of megabytes tells of thousands of signers, one after the other.
_loaded = lru_cache(maxsize=8)(x509.load_der_x509_crl)


@lru_cache(maxsize=8)
def _is_signed_by(issuer: x509.Certificate, octets: bytes) -> bool:
    crl = _loaded(octets)
    algorithm, scheme = crl.signature_hash_algorithm, crl.signature_algorithm_parameters
    return is_signed(issuer, crl.signature, crl.tbs_certlist_bytes, algorithm, scheme)


def _covers(scope: x509.IssuingDistributionPoint, certificate: x509.Certificate) -> bool:
    """RFC 5280 §6.3.3 (b)(2)."""
    constraints = extension(certificate.extensions, x509.BasicConstraints)
    authority = constraints is not None and constraints.ca
    if scope.indirect_crl or scope.only_contains_attribute_certs or scope.only_some_reasons or scope.relative_name:
        return False
    if (scope.only_contains_user_certs and authority) or (scope.only_contains_ca_certs and not authority):
        return False
    points = extension(certificate.extensions, x509.CRLDistributionPoints) or ()
    named = {name for point in points for name in point.full_name or ()}
    return scope.full_name is None or not named.isdisjoint(scope.full_name)


def _read_ocsp(asked: _Asked, item: Material) -> _Statement | None:
    answer = ocsp.load_der_ocsp_response(item.octets)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise _UnusableError(
            f"trạng thái {answer.response_status.name}", f"its status is {answer.response_status.name}"
        )
    single = next((one for one in answer.responses if _is_about(one, asked)), None)
    if single is None:
        return None
    algorithm = answer.signature_hash_algorithm
    if algorithm is None or algorithm.name not in asked.hashes:
        raise _UnusableError("thuật toán ký không được chấp nhận", "signed with an algorithm that does not count")
    responder, used = _responder(answer, asked)
    if not is_signed(responder, answer.signature, answer.tbs_response_bytes, algorithm):
        raise _UnusableError("chữ ký không phải của nơi trả lời", "the signature is not the responder's")
    if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        raise _UnusableError("nơi trả lời không biết chứng thư này", "the responder does not know this certificate")
    held = single.revocation_reason is x509.ReasonFlags.certificate_hold
    times = single.this_update_utc, single.next_update_utc
    return _Statement(*times, (item, *used), single.revocation_time_utc, held)


def _is_about(single: ocsp.OCSPSingleResponse, asked: _Asked) -> bool:
    """CertID, RFC 6960 §4.1.1. Its hash protects nothing, so that SHA-1 will do."""
    request = ocsp.OCSPRequestBuilder().add_certificate(asked.certificate, asked.issuer, single.hash_algorithm).build()
    return (single.serial_number, single.issuer_name_hash, single.issuer_key_hash) == (
        request.serial_number,
        request.issuer_name_hash,
        request.issuer_key_hash,
    )


def _responder(answer: ocsp.OCSPResponse, asked: _Asked) -> tuple[x509.Certificate, tuple[Material, ...]]:
    """Who may have signed the answer: the issuer, or whom it delegated (RFC 6960 §4.2.2.2), and what that rests on."""
    if _is_named(asked.issuer, answer):
        return asked.issuer, ()
    named = [one for one in answer.certificates if is_readable(one) and _is_named(one, answer)]
    if not named or not is_issued_by(named[0], asked.issuer):
        raise _UnusableError("nơi trả lời không do nơi cấp ủy quyền", "the responder was not delegated by the issuer")
    responder, made = named[0], answer.produced_at_utc
    usage = extension(responder.extensions, x509.ExtendedKeyUsage) or ()
    if ExtendedKeyUsageOID.OCSP_SIGNING not in usage:
        raise _UnusableError("nơi trả lời không được phép ký OCSP", "the responder may not sign OCSP answers")
    if not responder.not_valid_before_utc <= made <= responder.not_valid_after_utc:
        raise _UnusableError("chứng thư của nơi trả lời hết hạn", "the responder's certificate was not valid then")
    if weak_key(responder) or hash_name(responder) not in asked.hashes:
        raise _UnusableError("chứng thư của nơi trả lời yếu", "the responder's certificate is weak")
    if extension(responder.extensions, x509.OCSPNoCheck) is not None:
        return responder, ()
    crls = [one for one in asked.material if one.kind == "crl"]
    status = status_of(responder, asked.issuer, made, crls, hashes=asked.hashes, maximum_age=asked.maximum_age)
    if status.result != "good":
        raise _UnusableError(*(f"({text})" for text in status.told))
    return responder, status.used


def _is_named(certificate: x509.Certificate, answer: ocsp.OCSPResponse) -> bool:
    if answer.responder_name is not None:
        return certificate.subject == answer.responder_name
    # RFC 6960 §4.2.1: byKey is the SHA-1 of the key, as in RFC 5280 §4.2.1.2 (1).
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest == answer.responder_key_hash


_READERS: dict[str, Callable[[_Asked, Material], _Statement | None]] = {"crl": _read_crl, "ocsp": _read_ocsp}
