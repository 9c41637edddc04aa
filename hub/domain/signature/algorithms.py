"""Which algorithms and keys count, by their XML Signature identifiers (XML Signature 1.1 §6, RFC 9231).

Rules:

* RSA of 2048 bits and more, ECDSA on P-256 and P-384; SHA-256, SHA-384 and SHA-512 for value and digests.
* SHA-1 only where the caller asks for it: the ``sha1`` setting of a legacy system (exchange rules 3).
* What is not listed is refused, not tried: MACs, DSA, EdDSA, truncated output and parameters of any kind.

What is signed, and where it stands in the packet, is not decided here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from hub.errors import Refusal

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

DIGESTS = {  # identifier -> name in hashlib
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
}

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha1": hashes.SHA1(),
}


@dataclass(frozen=True, slots=True)
class Method:
    """One SignatureMethod. ``name`` is the short form people read, ``digest`` the hash's name in hashlib."""

    name: str
    uri: str
    scheme: Literal["rsa", "rsa-pss", "ecdsa"]
    digest: str


METHODS = {
    method.uri: method
    for method in (
        *(
            Method(f"rsa-{digest}", f"http://www.w3.org/2001/04/xmldsig-more#rsa-{digest}", "rsa", digest)
            for digest in ("sha256", "sha384", "sha512")
        ),
        *(  # RFC 9231 §2.3.10: MGF1 with the same hash, salt as long as the digest
            Method(f"rsa-pss-{digest}", f"http://www.w3.org/2007/05/xmldsig-more#{digest}-rsa-MGF1", "rsa-pss", digest)
            for digest in ("sha256", "sha384", "sha512")
        ),
        *(
            Method(f"ecdsa-{digest}", f"http://www.w3.org/2001/04/xmldsig-more#ecdsa-{digest}", "ecdsa", digest)
            for digest in ("sha256", "sha384", "sha512")
        ),
        Method("rsa-sha1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "rsa", "sha1"),
    )
}


def method_of(uri: str, key: PublicKey, *, sha1: bool) -> Method:
    """The method of that identifier, fit for ``key``. Raises ``Refusal`` signature-algorithm."""
    method = METHODS.get(uri)
    if method is None or (method.digest == "sha1" and not sha1):
        raise _refused(uri)
    if (method.scheme == "ecdsa") != isinstance(key, ec.EllipticCurvePublicKey):
        raise _refused(f"{method.name} ≠ {'ECDSA' if isinstance(key, ec.EllipticCurvePublicKey) else 'RSA'}")
    return method


def digest_of(uri: str, *, sha1: bool) -> str:
    """The hashlib name of a DigestMethod. Raises ``Refusal`` signature-algorithm."""
    name = DIGESTS.get(uri)
    if name is None or (name == "sha1" and not sha1):
        raise _refused(uri)
    return name


def _refused(found: str) -> Refusal:
    return Refusal("signature-algorithm", pointer="Signature/SignedInfo", value=found, facts={"found": found[:200]})


def key_of(certificate: x509.Certificate) -> PublicKey:
    """The certificate's public key, if accepted in kind and strength. Raises ``Refusal`` certificate-invalid."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as unreadable:
        raise _weak("SubjectPublicKeyInfo") from unreadable
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < 2048:
            raise _weak(f"RSA-{key.key_size}")
        exponent = key.public_numbers().e
        if exponent % 2 == 0 or not 2**16 < exponent < 2**256:  # FIPS 186-5 §5.4 (e)
            raise _weak("RSA e")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, (ec.SECP256R1, ec.SECP384R1)):
            raise _weak(f"ECDSA {key.curve.name}")
        return key
    raise _weak(type(key).__name__.removesuffix("PublicKey"))


def _weak(why: str) -> Refusal:
    return Refusal("certificate-invalid", pointer="Signature/KeyInfo/X509Data/X509Certificate", facts={"why": why})


@lru_cache(maxsize=512)  # an agency signs everything with one certificate
def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER, hex: how a certificate is named."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def digest(name: str, octets: bytes) -> bytes:
    """The digest of ``octets`` by the hash ``name``, a value of :data:`DIGESTS`."""
    return hashlib.new(name, octets, usedforsecurity=name != "sha1").digest()


def is_right(method: Method, key: PublicKey, value: bytes, octets: bytes) -> bool:
    """Whether ``value`` is the signature of ``octets``. ``key`` fits ``method`` (:func:`method_of`)."""
    algorithm = _HASHES[method.digest]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(value, octets, _padding(method), algorithm)
        else:
            key.verify(_sequence(value, key.curve), octets, ec.ECDSA(algorithm))
    except (InvalidSignature, ValueError):
        return False
    return True


def make_value(method: Method, key: PrivateKey, octets: bytes) -> bytes:
    """The SignatureValue of ``octets``. ``key`` fits ``method`` (:func:`method_of`)."""
    algorithm = _HASHES[method.digest]
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, _padding(method), algorithm)
    width = _width(key.curve)
    r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(algorithm)))
    return r.to_bytes(width, "big") + s.to_bytes(width, "big")


def _padding(method: Method) -> padding.PKCS1v15 | padding.PSS:
    if method.scheme == "rsa":
        return padding.PKCS1v15()
    algorithm = _HASHES[method.digest]
    return padding.PSS(mgf=padding.MGF1(algorithm), salt_length=algorithm.digest_size)


def _width(curve: ec.EllipticCurve) -> int:
    return (curve.key_size + 7) // 8


def _sequence(value: bytes, curve: ec.EllipticCurve) -> bytes:
    """XML Signature 1.1 §6.4.3 writes r and s side by side, each as wide as the curve; X.509 libraries want DER."""
    width = _width(curve)
    if len(value) != 2 * width:
        raise ValueError("r and s are not as wide as the curve")
    return encode_dss_signature(int.from_bytes(value[:width], "big"), int.from_bytes(value[width:], "big"))
