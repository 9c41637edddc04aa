"""Proving that a key is held, when its certificate is registered: what is signed, how, and whether it was."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from hub.domain.signature.algorithms import PrivateKey, fingerprint, key_of


def statement(system_id: str, code: str, certificate: x509.Certificate, one_time_code: str = "") -> bytes:
    """The text to sign: binds key, agency, system and one-time code, so that no proof serves elsewhere."""
    return "\n".join(("lienthong certificate 1", system_id, code, fingerprint(certificate), one_time_code)).encode()


def prove(key: PrivateKey, text: bytes) -> bytes:
    """The signature of a statement: RSA PKCS#1 v1.5 or ECDSA (DER), SHA-256."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(text, ec.ECDSA(hashes.SHA256()))


def is_proved(certificate: x509.Certificate, signature: bytes, text: bytes) -> bool:
    """Whether the key of ``certificate`` made the signature. Raises ``certificate-invalid`` for a weak key."""
    key = key_of(certificate)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, text, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
