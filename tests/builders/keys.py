"""Keys and certificates of invented agencies. Cached: an RSA key takes longer to make than most tests."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}


def a_certificate(
    common_name: str = "Văn phòng Chính phủ",
    key: str = "P-256",
    not_before: datetime = datetime(2025, 1, 1, tzinfo=UTC),
    not_after: datetime = datetime(2030, 1, 1, tzinfo=UTC),
    exponent: int = 65537,
) -> tuple[Any, x509.Certificate]:
    """A key (``P-256``, ``P-384``, ``P-521``, ``secp256k1``, ``RSA-<bits>``, ``Ed25519``) and its certificate."""
    return _made(common_name, key, not_before, not_after, exponent)


@cache
def _made(
    common_name: str, key: str, not_before: datetime, not_after: datetime, exponent: int
) -> tuple[Any, x509.Certificate]:
    private_key: Any
    if key in _CURVES:
        private_key = ec.generate_private_key(_CURVES[key])
    elif key == "Ed25519":
        private_key = ed25519.Ed25519PrivateKey.generate()
    else:
        private_key = rsa.generate_private_key(exponent, int(key.removeprefix("RSA-")))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .sign(private_key, None if key == "Ed25519" else hashes.SHA256())
    )
    return private_key, certificate
