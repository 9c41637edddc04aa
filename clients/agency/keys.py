"""An agency's key and certificate: made here, or issued for a request made here. The key never leaves its folder."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509 import (
    Certificate,
    CertificateBuilder,
    CertificateSigningRequestBuilder,
    Name,
    NameAttribute,
    load_pem_x509_certificate,
    random_serial_number,
)
from cryptography.x509.oid import NameOID

from hub.domain.signature import PrivateKey

_LASTS = timedelta(days=2 * 365)


def new_key() -> bytes:
    """A P-256 key, PEM without a password: who reads the agency's folder can sign for it."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_key(pem: bytes) -> PrivateKey:
    """Raises ``ValueError`` for what is no RSA or EC key in PEM without a password."""
    try:
        key = load_pem_private_key(pem, None)
    except TypeError:
        raise ValueError("the key has a password") from None
    if not isinstance(key, PrivateKey):
        raise ValueError("neither an RSA nor an EC key")
    return key


def read_certificate(pem: bytes, key: PrivateKey) -> Certificate:
    """Raises ``ValueError`` for what is no certificate in PEM, or of another key."""
    certificate = load_pem_x509_certificate(pem)
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise ValueError("the certificate belongs to another key")
    return certificate


def self_made_certificate(key: PrivateKey, code: str, name: str, now: datetime) -> bytes:
    """PEM, valid for two years. It counts once it is registered at the hub: no authority vouches for it."""
    subject = _subject(code, name)
    return (
        CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # the hub's clock may be behind
        .not_valid_after(now + _LASTS)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )


def request(key: PrivateKey, code: str, name: str) -> bytes:
    """A certificate request (PKCS #10, RFC 2986) in PEM."""
    made = CertificateSigningRequestBuilder().subject_name(_subject(code, name)).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM)


def _subject(code: str, name: str) -> Name:
    parts = [NameAttribute(NameOID.COUNTRY_NAME, "VN")]
    if name:
        parts.append(NameAttribute(NameOID.ORGANIZATION_NAME, name[:64]))  # RFC 5280 appendix A: ub-organization-name
    return Name([*parts, NameAttribute(NameOID.COMMON_NAME, code)])
