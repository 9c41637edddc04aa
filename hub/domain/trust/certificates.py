"""What is asked of one certificate: whether it can be read, how strong it is, whether another one signed it.

Algorithms: the circular of 2025 under NĐ 23/2025 Đ.17, with SHA-1 beside them where the caller asks for it. Path
verification of the library knows fewer (:data:`VERIFIED_BY_LIBRARY`).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Literal, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from hub.domain.document import VIETNAM

Algorithms = Literal["2025", "sha1"]
Told = tuple[str, str]  # the same sentence in Vietnamese and English

VERIFIED_BY_LIBRARY = frozenset({"sha256", "sha384", "sha512"})
_OF_2025 = VERIFIED_BY_LIBRARY | {"sha3-256", "sha3-384", "sha3-512"}
HASHES: dict[Algorithms, frozenset[str]] = {"2025": _OF_2025, "sha1": _OF_2025 | {"sha1"}}

# What the library raises for certificates, CRLs and OCSP answers that are not what they should be.
UNREADABLE = (
    ValueError,
    TypeError,  # a name with a value of a type that its attribute does not have
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

Extension = TypeVar("Extension", bound=x509.ExtensionType)


def dated(moment: datetime) -> str:
    """A moment as texts name it, in Vietnam's time."""
    with suppress(OverflowError):  # the end of time, for a certificate that has none (RFC 5280 §4.1.2.5)
        moment = moment.astimezone(VIETNAM)
    return f"{moment:%d/%m/%Y %H:%M:%S %z}"


def is_readable(certificate: x509.Certificate) -> bool:
    """Whether names, dates and extensions can be parsed: the library does it only when they are asked for."""
    try:
        _ = certificate.subject, certificate.issuer, certificate.extensions
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except UNREADABLE:
        return False
    return True


def extension(extensions: x509.Extensions, kind: type[Extension]) -> Extension | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def unknown_critical(extensions: x509.Extensions, known: Iterable[type[x509.ExtensionType]]) -> list[str]:
    """Identifiers of critical extensions that the reader does not process (RFC 5280 §4.2)."""
    kinds = tuple(known)
    return [ext.oid.dotted_string for ext in extensions if ext.critical and not isinstance(ext.value, kinds)]


def shown(certificate: x509.Certificate) -> str:
    """How a certificate is named in texts: its common name, or all of its subject."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return f"«{str(names[0].value) if names else certificate.subject.rfc4514_string()}»"


def hash_name(signed: x509.Certificate | x509.CertificateRevocationList) -> str:
    """The hash of the signature on it, by its name; of signatures without one (Ed25519) and unknown ones the OID."""
    try:
        algorithm = signed.signature_hash_algorithm
    except UnsupportedAlgorithm:
        algorithm = None
    return algorithm.name if algorithm else signed.signature_algorithm_oid.dotted_string


def weak_key(certificate: x509.Certificate) -> str | None:
    """What is wrong with the key, in a few signs: RSA of 2048 bits and more, and P-256, P-384 and P-521 count."""
    try:
        key = certificate.public_key()
    except UNREADABLE:
        return certificate.public_key_algorithm_oid.dotted_string
    if isinstance(key, rsa.RSAPublicKey):
        return None if key.key_size >= 2048 else f"RSA-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        counts = isinstance(key.curve, (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1))
        return None if counts else f"ECDSA {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey")


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether names and signature say so. The library's own check knows no SHA-1."""
    try:
        algorithm, scheme = certificate.signature_hash_algorithm, certificate.signature_algorithm_parameters
    except UNREADABLE:
        return False
    octets, value = certificate.tbs_certificate_bytes, certificate.signature
    return certificate.issuer == issuer.subject and is_signed(issuer, value, octets, algorithm, scheme)


def is_signed(
    by: x509.Certificate,
    value: bytes,
    octets: bytes,
    algorithm: hashes.HashAlgorithm | None,
    scheme: padding.PSS | padding.PKCS1v15 | ec.ECDSA | None = None,
) -> bool:
    """Whether ``value`` is the signature of ``octets`` by that certificate's key. Without ``scheme``, for which OCSP
    answers have no reader, an RSA signature is taken as PKCS #1 v1.5."""
    if algorithm is None:
        return False
    try:
        key = by.public_key()
        if isinstance(key, rsa.RSAPublicKey) and not isinstance(scheme, ec.ECDSA):
            key.verify(value, octets, scheme or padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and (scheme is None or isinstance(scheme, ec.ECDSA)):
            key.verify(value, octets, ec.ECDSA(algorithm))
        else:
            return False
    except (InvalidSignature, *UNREADABLE):
        return False
    return True
