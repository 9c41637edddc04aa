"""The way from a certificate to a trusted root, at a moment (RFC 5280 §6.1).

The library decides. Where it finds no way, a walk of our own finds the way that was meant, to tell what is wrong with
it; and it decides alone over one thing, signatures that the rule in force allows and the library does not (SHA-3; SHA-1
for legacy systems), on paths without name constraints or critical extensions it would have to process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.verification import (
    ClientVerifier,
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from hub.domain.trust.certificates import (
    HASHES,
    VERIFIED_BY_LIBRARY,
    Algorithms,
    Told,
    extension,
    hash_name,
    is_issued_by,
    is_readable,
    shown,
    unknown_critical,
    weak_key,
)

LONGEST = 6  # certificates between the signer's and the root
_MOST_TRIES = 64  # signatures the walk verifies: a document brings its intermediates along, so they may be a maze

_PROCESSED = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)


@dataclass(frozen=True, slots=True)
class Path:
    """``certificates`` from the signer's towards the root, as far as they reach; ``trusted`` when the path holds.

    ``flaws`` is what is wrong with the path, ``weak`` what is wrong with its keys and signature algorithms.
    """

    certificates: tuple[x509.Certificate, ...]
    trusted: bool
    flaws: tuple[Told, ...] = ()
    weak: tuple[str, ...] = ()
    refusal: str = ""  # in the library's words


def find_path(
    certificate: x509.Certificate,
    at: datetime,
    anchors: Collection[x509.Certificate],
    intermediates: Collection[x509.Certificate],
    algorithms: Algorithms,
) -> Path:
    pool = [one for one in intermediates if is_readable(one)]
    try:
        verified = _verifier(anchors, at).verify(certificate, pool).chain if anchors else None
        refusal = ""
    except VerificationError as refused:
        verified, refusal = None, str(refused)
    if verified:
        return Path(tuple(verified), True, weak=_weak(verified, anchors, algorithms))
    walked = _walked(certificate, anchors, pool)
    best = min(walked, key=lambda path: (path[-1] not in anchors, len(_flaws(path, at)), -len(path)))
    weak = _weak(best, anchors, algorithms)
    flaws = _flaws(best, at)
    if best[-1] not in anchors:
        flaws = (*flaws, _end(best[-1], [*anchors, *pool]))
    unknown_to_library = any(hash_name(one) not in VERIFIED_BY_LIBRARY for one in best[:-1])
    trusted = not flaws and not weak and unknown_to_library and len(best) <= LONGEST + 2 and _is_plain(best)
    return Path(best, trusted, flaws, weak, refusal)


def _verifier(anchors: Collection[x509.Certificate], at: datetime) -> ClientVerifier:
    ca = (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _check_usage)
    )
    return (
        PolicyBuilder()
        .store(Store(list(anchors)))
        .time(at)
        .max_chain_depth(LONGEST)
        .extension_policies(ca_policy=ca, ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )


def _check_usage(_policy: object, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("keyUsage has no keyCertSign")


def _walked(
    certificate: x509.Certificate, anchors: Collection[x509.Certificate], pool: list[x509.Certificate]
) -> Iterator[tuple[x509.Certificate, ...]]:
    """Every path by names and signatures, those that lead nowhere too."""
    waiting: list[tuple[x509.Certificate, ...]] = [(certificate,)]
    tries = _MOST_TRIES
    while waiting:
        path = waiting.pop(0)
        yield path
        if path[-1] in anchors or len(path) > LONGEST + 1:
            continue
        for issuer in [*anchors, *pool]:
            if issuer.subject != path[-1].issuer or issuer in path:
                continue
            if not tries:
                return
            tries -= 1
            if is_issued_by(path[-1], issuer):
                waiting.append((*path, issuer))


def _weak(
    path: Collection[x509.Certificate], anchors: Collection[x509.Certificate], algorithms: Algorithms
) -> tuple[str, ...]:
    # What an anchor's own signature is made with is of no weight: it is trusted, not verified.
    signatures = [
        f"{hash_name(one)} ({shown(one)})"
        for one in path
        if one not in anchors and hash_name(one) not in HASHES[algorithms]
    ]
    keys = [(weak_key(one), one) for one in path]
    return (*signatures, *(f"{weak} ({shown(one)})" for weak, one in keys if weak))


def _flaws(path: tuple[x509.Certificate, ...], at: datetime) -> tuple[Told, ...]:
    """What is wrong with the issuers of a path (RFC 5280 §6.1.4 k–n)."""
    found: list[Told] = []
    for below, issuer in enumerate(path[1:]):  # certificates of authorities between it and the signer's
        name = shown(issuer)
        if not issuer.not_valid_before_utc <= at <= issuer.not_valid_after_utc:
            found.append((f"{name} không còn hoặc chưa có hiệu lực lúc ký", f"{name} was not valid at signing"))
        constraints = extension(issuer.extensions, x509.BasicConstraints)
        usage = extension(issuer.extensions, x509.KeyUsage)
        if constraints is None or not constraints.ca or (usage is not None and not usage.key_cert_sign):
            found.append((f"{name} không được phép cấp chứng thư", f"{name} may not issue certificates"))
        elif constraints.path_length is not None and constraints.path_length < below:
            most = constraints.path_length
            found.append(
                (
                    f"{name} chỉ cho phép {most} cấp trung gian bên dưới, ở đây có {below}",
                    f"{name} allows {most} authorities below it, here are {below}",
                )
            )
    return tuple(found)


def _end(last: x509.Certificate, known: list[x509.Certificate]) -> Told:
    issuer = last.issuer.rfc4514_string()
    if last.issuer == last.subject:
        return (f"gốc {shown(last)} không được tin cậy", f"the root {shown(last)} is not trusted")
    if any(one.subject == last.issuer for one in known):
        return (
            f"chữ ký trên {shown(last)} không phải của {issuer}",
            f"the signature on {shown(last)} is not that of {issuer}",
        )
    return (f"không có chứng thư của nơi cấp {issuer}", f"the certificate of the issuer {issuer} is missing")


def _is_plain(path: tuple[x509.Certificate, ...]) -> bool:
    return not any(
        extension(one.extensions, x509.NameConstraints) or unknown_critical(one.extensions, _PROCESSED) for one in path
    )
