"""CMS signatures and RFC 3161 timestamp tokens, verified by their octets; nothing here says whose certificate counts.

Hashes that count are those of ``hub.domain.trust``; others are computed all the same, so that a weak signature is told
as weak and not as broken.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.sign.general import NonexistentAttributeError, find_unique_cms_attribute
from pyhanko.sign.validation.generic_cms import extract_certs_for_validation, validate_sig_integrity

from hub.domain.trust.certificates import HASHES, UNREADABLE, extension

# Of asn1crypto, which has no types: SignedData and SignerInfo of RFC 5652.
SignedData = Any
SignerInfo = Any


class UnreadableError(Exception):
    """A signature or token is not what RFC 5652 or RFC 3161 says: why."""


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """asn1crypto parses as it goes, and stumbles over hostile octets in every way there is: all told as unreadable."""
    try:
        yield
    except (MemoryError, UnreadableError):
        raise
    except Exception as fault:
        raise UnreadableError(f"{type(fault).__name__}: {fault}"[:300]) from fault


@dataclass(frozen=True, slots=True)
class Cms:
    """``others``: further certificates, DER. ``weak``: the algorithms on it that do not count."""

    certificate: x509.Certificate
    others: tuple[x509.Certificate, ...]
    holds: bool
    weak: tuple[str, ...]


def read_cms(signed: SignedData, signer: SignerInfo, content_type: str, digest_of: Callable[[], bytes]) -> Cms:
    """The signature over a content of that digest: whether it ``holds`` for the certificate it names.

    Raises :class:`UnreadableError`.
    """
    with reading():
        certificates = extract_certs_for_validation(signed)
        own = certificates.signer_cert
        intact, valid = validate_sig_integrity(signer, own, content_type, digest_of())
        certificate = x509.load_der_x509_certificate(own.dump())
        return Cms(certificate, certificates_of(certificates.other_certs), intact and valid, _weak(signer))


def certificates_of(found: Any) -> tuple[x509.Certificate, ...]:
    """Those of asn1crypto that can be read."""
    read = []
    for one in found:
        try:
            read.append(x509.load_der_x509_certificate(one.dump()))
        except UNREADABLE:
            continue
    return tuple(read)


def _weak(signer: SignerInfo) -> tuple[str, ...]:
    used = [signer["digest_algorithm"]["algorithm"].native]
    with contextlib.suppress(ValueError):  # it names none: then the digest's is used
        used.append(signer["signature_algorithm"].hash_algo)
    return tuple(dict.fromkeys(name for name in map(hash_name, used) if name not in HASHES["2025"]))


def hash_name(native: str) -> str:
    """As ``hub.domain.trust`` writes it: ``sha3-256``."""
    return native.lower().replace("_", "-")


def utc(moment: Any) -> datetime:
    """Raises :class:`UnreadableError` for what is no moment: asn1crypto has years and zones that Python has not."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise UnreadableError(f"no moment: {moment}")
    return moment.astimezone(UTC)


def token_of(signer: SignerInfo) -> SignedData | None:
    """The signature timestamp (RFC 3161 appendix A), if there is one. Raises :class:`UnreadableError`."""
    with reading():
        try:
            attributes = signer["unsigned_attrs"]
            return (
                find_unique_cms_attribute(attributes, "signature_time_stamp_token")["content"] if attributes else None
            )
        except NonexistentAttributeError:
            return None


@dataclass(frozen=True, slots=True)
class Token:
    """A timestamp token: its moment, its maker, and what is wrong with it apart from the maker's certificate."""

    time: datetime
    cms: Cms
    of_this: bool
    may_stamp: bool


def read_token(signed: SignedData, digest_of: Callable[[str], bytes]) -> Token:
    """``digest_of`` gives the digest of what should be stamped, by the name of a hash of ``hashlib``.

    Raises :class:`UnreadableError`.
    """
    with reading():
        (signer,) = signed["signer_infos"]
        content = signed["encap_content_info"]
        if content["content_type"].native != "tst_info":
            raise UnreadableError("no TSTInfo")
        octets, info = bytes(content["content"]), content["content"].parsed
        imprint = info["message_imprint"]
        stamped = imprint["hash_algorithm"]["algorithm"].native
        of_this = digest_of(stamped) == imprint["hashed_message"].native
        time = utc(info["gen_time"].native)
        algorithm = signer["digest_algorithm"]["algorithm"].native
    cms = read_cms(signed, signer, "tst_info", lambda: hashlib.new(algorithm, octets).digest())
    weak = () if hash_name(stamped) in HASHES["2025"] else (hash_name(stamped),)
    return Token(time, Cms(cms.certificate, cms.others, cms.holds, (*weak, *cms.weak)), of_this, _may_stamp(cms))


def _may_stamp(cms: Cms) -> bool:
    """RFC 3161 §2.3."""
    try:
        usage = extension(cms.certificate.extensions, x509.ExtendedKeyUsage) or ()
    except UNREADABLE:
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in usage
