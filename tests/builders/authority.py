"""A certification authority of two levels, what it issues, and one defect certificate per case.

For tests and demonstrations: the names are invented, the keys are made here and the moments are passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Algorithm = hashes.SHA224 | hashes.SHA256 | hashes.SHA3_256
Revoked = tuple[datetime, x509.ReasonFlags]

DAY = timedelta(days=1)
YEAR = 365 * DAY
AGENCY = "Văn phòng Chính phủ"
OTHER_AGENCY = "Ủy ban nhân dân tỉnh Lạng Sơn"
LEADER = "Nguyễn Văn An"

# What a key may be used for, by the one who holds it.
AUTHORITY_USAGE = frozenset({"key_cert_sign", "crl_sign"})
SIGNER_USAGE = frozenset({"digital_signature", "content_commitment"})
_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


@dataclass(frozen=True)
class Holder:
    """Who has a key and a certificate for it."""

    certificate: x509.Certificate
    key: PrivateKey


def new_key(kind: str = "P-256") -> PrivateKey:
    """``P-256``, or ``RSA-<bits>``."""
    if kind == "P-256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, int(kind.removeprefix("RSA-")))


def issue(
    name: str,
    since: datetime,
    until: datetime,
    issuer: Holder | None = None,
    *,
    organization: str = "",
    authority: bool = False,
    below: int | None = None,
    usage: frozenset[str] | None = None,
    key: str | PrivateKey = "P-256",
    algorithm: Algorithm | None = None,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> Holder:
    """A certificate by ``issuer``, or by itself. ``below`` is its pathLenConstraint; extensions: with criticality."""
    own = new_key(key) if isinstance(key, str) else key
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organization:
        parts.insert(1, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    subject = x509.Name(parts)
    uses = usage if usage is not None else AUTHORITY_USAGE if authority else SIGNER_USAGE
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(authority, below), critical=True)
        .add_extension(x509.KeyUsage(**{use: use in uses for use in _USAGES}), critical=True)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return Holder(builder.sign(issuer.key if issuer else own, algorithm or hashes.SHA256()), own)


def crl(
    issuer: Holder,
    made: datetime,
    revoked: Mapping[int, Revoked] | None = None,
    until: datetime | None = None,
    *,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    algorithm: Algorithm | None = None,
) -> bytes:
    """A CRL, DER: ``revoked`` by serial number; it ends after a day unless told."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(made).next_update(until or made + DAY)
    for serial, (since, reason) in (revoked or {}).items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        builder = builder.add_revoked_certificate(entry.add_extension(x509.CRLReason(reason), critical=False).build())
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer.key, algorithm or hashes.SHA256()).public_bytes(serialization.Encoding.DER)


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
    root = issue("CA gốc thử nghiệm", at - 5 * YEAR, at + 15 * YEAR, authority=True)
    intermediate = issue("CA cấp dưới thử nghiệm", at - 3 * YEAR, at + 7 * YEAR, root, authority=True, below=0)
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
