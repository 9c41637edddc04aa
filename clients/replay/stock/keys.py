"""Keys and certificates of the agencies, derived from the seed: the same run has the same ones on any machine."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from hub.domain.signature import PrivateKey

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SP 800-186 §3.2.1.3)
_VALID = datetime(2000, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)


class _Steady:
    """A key whose signature of the same bytes is the same each time (RFC 6979)."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key, self.curve = key, key.curve

    def sign(self, octets: bytes, _: ec.ECDSA) -> bytes:
        return self._key.sign(octets, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


@lru_cache(maxsize=8192)
def key_and_certificate(seed: int, owner: str) -> tuple[PrivateKey, x509.Certificate]:
    """A P-256 key, and the certificate it signed itself, of the agency with the code ``owner``."""
    number = int.from_bytes(hashlib.sha512(f"{seed}/key/{owner}".encode()).digest(), "big")
    key = ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, owner)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(number >> 400 | 1)
        .not_valid_before(_VALID[0])
        .not_valid_after(_VALID[1])
        .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    )
    # What signing a packet needs of a key, it has.
    return cast("PrivateKey", _Steady(key)), certificate


def pem(seed: int, owner: str) -> bytes:
    """The certificate as ``hub enrol`` reads it."""
    return key_and_certificate(seed, owner)[1].public_bytes(Encoding.PEM)
