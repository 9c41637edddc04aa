"""RFC 3161: asking a timestamping authority (TSA) about some octets, and verifying what it signed, without network.

A token is kept in one form, so that no byte of it can be changed unseen: what its signature leaves open (versions,
certificates beside it, unsigned attributes, CRLs) follows from the rest, is written anew, and compared when it is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from hub.domain.trust import Material, Result, Verdict, validate
from hub.domain.trust.certificates import UNREADABLE, Told, is_issued_by, is_readable, shown
from hub.domain.trust.path import find_path

MAX_TOKEN = 64 * 1024  # bytes; a token with its certificates has about six thousand
_OPENSSL = re.compile('(?:reason|data): "(?:Verify error: )?([^"]+)"')  # the last word of its stack of errors
_HASHES = ("sha256", "sha384", "sha512")
_NOT_UNTOLD = 4  # steps of a validation; from the next on they are about revocation, name and timestamp

# Of asn1crypto, which has no types: SignedData and SignerInfo of RFC 5652.
SignedData = Any
SignerInfo = Any


class TimestampError(ValueError):
    """Why a token does not count, in Vietnamese and English: a sentence's part, to stand after a colon."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(f"{vi} / {en}")
        self.vi, self.en = vi, en


@dataclass(frozen=True, slots=True)
class Question:
    """A TimeStampReq, DER, and its nonce, which the answer must repeat."""

    octets: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """That octets existed ``at`` a moment, by the word of ``path[0]``; ``path`` leads to the root.

    ``untold`` says of revocation what could not be told; empty where all was.
    """

    token: bytes
    at: datetime
    path: tuple[x509.Certificate, ...]
    untold: tuple[Told, ...]

    @property
    def by(self) -> str:
        return shown(self.path[0])


@contextmanager
def _reading() -> Iterator[None]:
    """asn1crypto stumbles over hostile octets in every way there is: all told as unreadable."""
    try:
        yield
    except (MemoryError, TimestampError):
        raise
    except Exception as fault:
        raise TimestampError(f"không đọc được ({fault!s:.100})", f"it cannot be read ({fault!s:.100})") from None


def _require_size(octets: bytes) -> None:
    if len(octets) > MAX_TOKEN:
        raise TimestampError(f"lớn hơn {MAX_TOKEN} byte", f"larger than {MAX_TOKEN} bytes")


Known = Callable[[Sequence[x509.Certificate]], Collection[Material]]  # what is known of revocation about a path


def question(octets: bytes) -> Question:
    """To be asked of a TSA: over the SHA-256 of the octets, with a nonce, and for its certificates (§2.4.1)."""
    made = TimestampRequestBuilder(octets, HashAlgorithm.SHA256, nonce=True, cert_req=True).build()
    assert made.nonce is not None
    return Question(made.as_bytes(), made.nonce)


def answered(
    asked: Question,
    response: bytes,
    octets: bytes,
    anchors: Collection[x509.Certificate],
    intermediates: Collection[x509.Certificate] = (),
    known: Known = lambda path: (),
) -> Stamp:
    """The stamp of a TimeStampResp (§2.4.2), its token in its one form. Raises ``TimestampError``."""
    given, status, why = _opened(response)
    if given is None:
        raise TimestampError(f"TSA từ chối ({status}: {why})", f"the TSA refused ({status}: {why})")
    signed, signer = _signed(given)
    held = _certificates(signed, signer)
    with _reading():
        at = signed["encap_content_info"]["content"].parsed["gen_time"].native.astimezone(UTC)
    path = find_path(held.leaf, at, anchors, [*held.others, *intermediates], "2025").certificates
    token = _in_one_form(signed, signer, path, held.named)
    stamp = verify(token, octets, anchors, known)
    if _parsed(token).tst_info.nonce != asked.nonce:
        raise TimestampError("số dùng một lần (nonce) khác với số đã hỏi", "the nonce is not the one that was asked")
    return stamp


def verify(token: bytes, octets: bytes, anchors: Collection[x509.Certificate], known: Known = lambda path: ()) -> Stamp:
    """The stamp of a token over the octets, judged at its own moment by the roots that count.

    Raises ``TimestampError`` for a token that is not in its one form, not over these octets, not signed by whom it
    names, or by one that leads to none of ``anchors``, may not stamp, or is ``known`` to have been revoked.
    """
    read = _parsed(token)
    signed, signer = _signed(_loaded(token))
    held = _certificates(signed, signer)
    leaf, others = held.leaf, held.others
    path = find_path(leaf, read.tst_info.gen_time, anchors, others, "2025").certificates
    judged = validate(
        leaf, read.tst_info.gen_time, anchors=anchors, intermediates=others, revocation=known(path), timestamped=True
    )
    if judged.verdict not in {Verdict.VALID, Verdict.INDETERMINATE_REVOCATION}:
        wrong = next(step for step in judged.steps if step.result is Result.FAILED)
        raise TimestampError(wrong.vi.rstrip("."), wrong.en.rstrip("."))
    verifier = VerifierBuilder(tsa_certificate=leaf, roots=[path[-1]], intermediates=list(path[1:-1])).build()
    try:
        verifier.verify_message(read, octets)
    except (VerificationError, *UNREADABLE) as fault:
        told = _OPENSSL.findall(str(fault))
        why = told[-1] if told else fault
        raise TimestampError(f"TSA không ký đúng ({why})", f"it is not what the TSA signs ({why})") from None
    if _in_one_form(signed, signer, path, held.named) != token:
        raise TimestampError("không ở dạng duy nhất", "it is not in its one form")
    untold = [step for step in judged.steps[_NOT_UNTOLD:] if step.result is Result.UNTOLD and step.number != 7]
    return Stamp(token, read.tst_info.gen_time, path, tuple((step.vi, step.en) for step in untold))


def roots_in(token: bytes) -> tuple[x509.Certificate, ...]:
    """What a token brings along that is signed by itself, and that nobody vouches for. Raises ``TimestampError``."""
    held = _certificates(*_signed(_loaded(token)))
    return tuple(one for one in (held.leaf, *held.others) if is_issued_by(one, one))


@dataclass(frozen=True, slots=True)
class _Held:
    """The certificates in a token: the signer's, the ``others``, and those that the signed attributes name (ESSCertID,
    RFC 5816 §2.2.1), the signer's first."""

    leaf: x509.Certificate
    others: tuple[x509.Certificate, ...]
    named: tuple[x509.Certificate, ...]


class _Answer(core.Sequence):  # type: ignore[misc]  # of asn1crypto, which has no types
    """TimeStampResp (§2.4.2); the library's own knows none without a token."""

    _fields = [  # noqa: RUF012  (the library's way)
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


def _opened(response: bytes) -> tuple[Any, str, str]:
    """The token of an answer (§2.4.2) or None, its status, and what the TSA says of it."""
    with _reading():
        _require_size(response)
        answer = _Answer.load(response, strict=True)
        status = answer["status"]["status"].native
        why = str(answer["status"]["status_string"].native or answer["status"]["fail_info"].native or "–")[:200]
        return answer["time_stamp_token"] if status.startswith("granted") else None, status, why


def _loaded(token: bytes) -> Any:
    with _reading():
        _require_size(token)
        return cms.ContentInfo.load(token, strict=True)


def _parsed(token: bytes) -> Any:
    """As the library reads it, which knows whole answers alone: one that grants the token."""
    with _reading():
        granted = _Answer({"status": {"status": "granted"}, "time_stamp_token": _loaded(token)})
        read = decode_timestamp_response(granted.dump())
        _ = read.tst_info.gen_time, read.tst_info.nonce, read.signed_data.certificates  # parsed when asked for
        return read


def _signed(token: Any) -> tuple[SignedData, SignerInfo]:
    with _reading():
        signed = token["content"]
        (signer,) = signed["signer_infos"]
        _ = signer.native, signed["encap_content_info"].native  # asn1crypto parses as it goes
        return signed, signer


def _certificates(signed: SignedData, signer: SignerInfo) -> _Held:
    with _reading():
        found = [x509.load_der_x509_certificate(one.dump()) for one in signed["certificates"]]
        # A BIT STRING that ends in zeros may say of some of them that they are unused: one signature, two spellings.
        plain = all(one.chosen["signature_value"].contents[0] == 0 for one in signed["certificates"])
        attributes = {one["type"].native: one["values"] for one in signer["signed_attrs"]}
        version = "_v2" if "signing_certificate_v2" in attributes else ""
        (attribute,) = attributes[f"signing_certificate{version}"]
        hashes = [
            (each["hash_algorithm"]["algorithm"].native if version else "sha1", each["cert_hash"].native)
            for each in attribute["certs"]
        ]
        named = [one for algorithm, wanted in hashes for one in found if _digest(one, algorithm) == wanted]
        leaf = named[0] if named and hashes[0][1] == _digest(named[0], hashes[0][0]) else None
    if not plain:
        raise TimestampError("không ở dạng duy nhất", "it is not in its one form")
    if leaf is None or not all(is_readable(one) for one in found):
        raise TimestampError("thiếu chứng thư của TSA", "the TSA's certificate is missing")
    return _Held(leaf, tuple(one for one in found if one != leaf), tuple(named))


def _digest(certificate: x509.Certificate, algorithm: str) -> bytes:
    return hashlib.new(algorithm, certificate.public_bytes(Encoding.DER)).digest()


def _in_one_form(
    signed: SignedData, signer: SignerInfo, path: Sequence[x509.Certificate], named: Sequence[x509.Certificate]
) -> bytes:
    """The token as it is kept: whatever its signature does not cover follows from what it does."""
    digest = signer["digest_algorithm"]["algorithm"].native
    if digest not in _HASHES:
        raise TimestampError(f"ký bằng {digest}", f"it is signed with {digest}")
    leaf = asn1.Certificate.load(path[0].public_bytes(Encoding.DER))
    rsa = isinstance(path[0].public_key(), RSAPublicKey)
    algorithm = {"algorithm": digest}
    info = {
        "version": "v1",
        "sid": {"issuer_and_serial_number": {"issuer": leaf.issuer, "serial_number": leaf.serial_number}},
        "digest_algorithm": algorithm,
        "signed_attrs": signer["signed_attrs"],
        # RFC 3370 §3.2, RFC 5754 §3.3
        "signature_algorithm": {"algorithm": "rsassa_pkcs1v15" if rsa else f"{digest}_ecdsa"},
        "signature": signer["signature"].native,
    }
    stated = core.ParsableOctetString(bytes(signed["encap_content_info"]["content"]))
    content = {"content_type": "tst_info", "content": stated}
    beside = [asn1.Certificate.load(one.public_bytes(Encoding.DER)) for one in dict.fromkeys((*path, *named))]
    made = cms.SignedData({
        "version": "v3", "digest_algorithms": [algorithm], "encap_content_info": content,
        "certificates": beside,
        "signer_infos": [info],
    })  # fmt: skip
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": made}).dump())
