"""What the authority of `hub.authority` issues in tests: OCSP answers, and one certificate per defect.

The names are invented, the keys are made here and the moments are passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from hub.authority import (
    AUTHORITY_USAGE,
    DAY,
    SIGNER_USAGE,
    YEAR,
    Algorithm,
    Holder,
    PrivateKey,
    Revoked,
    crl,
    issue,
    two_levels,
)

AGENCY = "Văn phòng Chính phủ"
OTHER_AGENCY = "Ủy ban nhân dân tỉnh Lạng Sơn"
LEADER = "Nguyễn Văn An"


def ocsp_answer(
    certificate: x509.Certificate,
    issuer: Holder,
    made: datetime,
    revoked: Revoked | None = None,
    *,
    unknown: bool = False,
    by: Holder | None = None,
    until: datetime | None = None,
    algorithm: Algorithm | None = None,
) -> bytes:
    """An OCSP answer, DER, of the issuer or ``by`` a responder whose certificate goes with it."""
    status = ocsp.OCSPCertStatus.GOOD
    if revoked or unknown:
        status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.UNKNOWN
    since, reason = revoked or (None, None)
    signer = by or issuer
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            certificate, issuer.certificate, hashes.SHA256(), status, made, until or made + DAY, since, reason
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH if by else ocsp.OCSPResponderEncoding.NAME, signer.certificate)
    )
    if by:
        builder = builder.certificates([by.certificate])
    signs = algorithm or hashes.SHA256()
    return _produced(builder.sign(signer.key, signs), signer.key, made, signs)


def _produced(answer: ocsp.OCSPResponse, key: PrivateKey, at: datetime, algorithm: Algorithm) -> bytes:
    """The library writes today as producedAt; this puts ``at`` in its place and signs again, in as many bytes."""
    form = "%Y%m%d%H%M%SZ"
    old, new = (moment.astimezone(UTC).strftime(form).encode() for moment in (answer.produced_at_utc, at))
    changed = answer.tbs_response_bytes.replace(old, new, 1)
    value = b""
    while len(value) != len(answer.signature):  # an ECDSA signature varies by a byte or two
        if isinstance(key, rsa.RSAPrivateKey):
            value = key.sign(changed, padding.PKCS1v15(), algorithm)
        else:
            value = key.sign(changed, ec.ECDSA(algorithm))
    der = answer.public_bytes(serialization.Encoding.DER)
    return der.replace(answer.tbs_response_bytes, changed).replace(answer.signature, value)


def responder(issuer: Holder, at: datetime, *, delegated: bool = True, checked: bool = False) -> Holder:
    """Answers for ``issuer``: without ``delegated`` lacking the right to, ``checked`` as one that may be revoked."""
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    if delegated:
        extensions.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False))
    if not checked:
        extensions.append((x509.OCSPNoCheck(), False))
    return issue("OCSP", at - DAY, at + 30 * DAY, issuer, extensions=tuple(extensions))


def with_sha1(certificate: x509.Certificate, issuer: Holder) -> x509.Certificate:
    """The same certificate with SHA-1, which libraries no longer sign with. ``issuer`` has an RSA key: its two
    algorithm identifiers are equally long."""
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    der, signed = certificate.public_bytes(serialization.Encoding.DER), certificate.tbs_certificate_bytes
    if not isinstance(issuer.key, rsa.RSAPrivateKey):
        raise TypeError("RSA")
    changed = signed.replace(sha256, sha1)
    value = issuer.key.sign(changed, padding.PKCS1v15(), hashes.SHA1())
    whole = der.replace(signed, changed).replace(sha256, sha1)
    return x509.load_der_x509_certificate(whole[: -len(value)] + value)


def with_bad_signature(certificate: x509.Certificate) -> x509.Certificate:
    der = bytearray(certificate.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return x509.load_der_x509_certificate(bytes(der))


@dataclass(frozen=True)
class Authority:
    """Root and intermediate, an agency's certificate and that of its leader, good for years around the moment."""

    at: datetime
    root: Holder
    intermediate: Holder
    agency: Holder
    leader: Holder

    def crls(self, revoked: Mapping[int, Revoked] | None = None, made: datetime | None = None) -> tuple[bytes, bytes]:
        """Of the intermediate, with what it ``revoked``, and of the root; made an hour before the moment."""
        when = made or self.at - timedelta(hours=1)
        return crl(self.intermediate, when, revoked), crl(self.root, when)


@dataclass(frozen=True)
class Case:
    """A signer's certificate with what goes along with it: other authorities, and what its issuer revoked."""

    certificate: x509.Certificate
    intermediates: tuple[x509.Certificate, ...]
    revoked: Mapping[int, Revoked] = field(default_factory=dict)


def an_authority(at: datetime) -> Authority:
    root, intermediate = two_levels(at)
    agency = issue(AGENCY, at - YEAR, at + YEAR, intermediate, organization=AGENCY)
    leader = issue(LEADER, at - YEAR, at + YEAR, intermediate, organization=AGENCY)
    return Authority(at, root, intermediate, agency, leader)


def defects(authority: Authority) -> dict[str, Case]:
    """One certificate per defect, by the name of the case. ``revoked-after`` is the one that is none."""
    at, above = authority.at, authority.intermediate
    since, until = at - YEAR, at + YEAR
    usual = (above.certificate,)
    honest = issue(AGENCY, since, until, above)
    revoked_before, revoked_after = (issue(AGENCY, since, until, above).certificate for _ in range(2))
    rsa_authority = issue("CA dùng RSA", since, until, authority.root, authority=True, key="RSA-2048")
    no_authority = issue("Không phải CA", since, until, authority.root, usage=AUTHORITY_USAGE)
    no_signing = issue("CA không được ký", since, until, authority.root, authority=True, usage=SIGNER_USAGE)
    third = issue("CA cấp ba", since, until, above, authority=True)
    strange_root = issue("CA gốc lạ", since, until, authority=True)
    old = issue("CA đã hết hạn", since, at - DAY, authority.root, authority=True)

    def below(issuer: Holder, *others: Holder) -> Case:
        path = (issuer.certificate, *(one.certificate for one in others))
        return Case(issue(AGENCY, since, until, issuer).certificate, path)

    return {
        "expired": Case(issue(AGENCY, at - 2 * YEAR, at - DAY, above).certificate, usual),
        "not-yet-valid": Case(issue(AGENCY, at + DAY, at + YEAR, above).certificate, usual),
        "revoked-before": Case(
            revoked_before,
            usual,
            {revoked_before.serial_number: (at - 2 * DAY, x509.ReasonFlags.key_compromise)},
        ),
        "revoked-after": Case(
            revoked_after,
            usual,
            {revoked_after.serial_number: (at + 2 * DAY, x509.ReasonFlags.cessation_of_operation)},
        ),
        "wrong-usage": Case(
            issue(AGENCY, since, until, above, usage=frozenset({"key_encipherment"})).certificate, usual
        ),
        "weak-key": Case(issue(AGENCY, since, until, above, key="RSA-1024").certificate, usual),
        "sha1": Case(
            with_sha1(issue(AGENCY, since, until, rsa_authority).certificate, rsa_authority),
            (rsa_authority.certificate,),
        ),
        "other-agency": Case(issue(OTHER_AGENCY, since, until, above).certificate, usual),
        "issuer-no-authority": below(no_authority),
        "issuer-without-right": below(no_signing),
        "issuer-expired": below(old),
        "path-too-long": below(third, above),
        "unknown-root": below(strange_root),
        "missing-issuer": Case(honest.certificate, ()),
        "bad-signature": Case(with_bad_signature(honest.certificate), usual),
    }
