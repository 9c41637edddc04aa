"""Whether the signers' certificates counted when the hub took what they signed, by what the file has of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from clients.evidence.container import CERTIFICATE
from clients.evidence.content import Signing
from clients.evidence.file import Evidence
from clients.evidence.noted import Noted
from clients.evidence.strict import EvidenceError
from hub.domain.signature import fingerprint
from hub.domain.trust import Material, Result, Verdict, validate
from hub.domain.trust.certificates import is_readable, shown

# When revocation data was had is not in the file: the authority's own date is what there is.
_HAD = datetime(9999, 1, 1, tzinfo=UTC)
_RIGHT = {Verdict.VALID, Verdict.VALID_NO_TIMESTAMP}


def note_certificates(
    noted: Noted, evidence: Evidence, signings: Collection[Signing], trusted: Collection[x509.Certificate]
) -> None:
    """Judges each signer at the moment of its receipt. ``trusted``: the pinned roots; without any, the file's own
    count and are told."""
    try:
        held = _by_role(evidence.certificates)
    except EvidenceError as fault:
        noted.wrong(*fault.told)
        return
    roots = held["root"]
    strangers = {fingerprint(one) for one in held["signer"]} - {fingerprint(one.certificate) for one in signings}
    for stranger in sorted(strangers):
        noted.wrong(f"chứng thư {stranger} không ký gì ở đây", f"the certificate {stranger} signed nothing here")
    if not roots:
        noted.open(
            "tệp không có chứng thư gốc: ai là chủ chứng thư ký chỉ có sổ đăng ký của trục nói",
            "the file has no root: whose the signers' certificates are, only the hub's register says",
        )
        return
    if trusted:
        for root in roots:
            if root not in trusted:
                noted.wrong(f"gốc {shown(root)} không được ghim", f"the root {shown(root)} is not among the pinned")
    else:
        prints = "; ".join(f"{shown(root)} SHA-256 {fingerprint(root)}" for root in roots)
        noted.open(
            f"gốc là của chính tệp này, hãy đối chiếu: {prints}", f"the roots are the file's own, compare: {prints}"
        )
    material = [
        Material("crl" if name.endswith("crl") else "ocsp", octets, _HAD)
        for name, octets in evidence.revocation.items()
    ]
    for signing in signings:
        _note_validation(noted, signing, trusted or roots, held["intermediate"], material)


def _note_validation(
    noted: Noted,
    signing: Signing,
    anchors: Collection[x509.Certificate],
    intermediates: Collection[x509.Certificate],
    material: Collection[Material],
) -> None:
    found = validate(signing.certificate, signing.at, anchors=anchors, intermediates=intermediates, revocation=material)
    if found.verdict in _RIGHT:
        return
    wanted = Result.UNTOLD if found.verdict is Verdict.INDETERMINATE_REVOCATION else Result.FAILED
    steps = [step for step in found.steps if step.result is wanted and step.number <= 6]
    vi, en = (" ".join(texts) for texts in zip(*((step.vi, step.en) for step in steps), strict=True))
    note = noted.open if wanted is Result.UNTOLD else noted.wrong
    note(f"{signing.vi}: {found.verdict}, {vi.rstrip('.')}", f"{signing.en}: {found.verdict}, {en.rstrip('.')}")


def _by_role(parts: Mapping[str, bytes]) -> dict[str, list[x509.Certificate]]:
    held: dict[str, list[x509.Certificate]] = {"root": [], "intermediate": [], "signer": []}
    for role, name, pem in _named(parts):
        try:
            certificate = x509.load_pem_x509_certificate(pem)
            plain = certificate.public_bytes(Encoding.PEM) == pem and is_readable(certificate)
        except ValueError:
            plain = False
        if not plain:
            raise EvidenceError(f"{name} không phải chứng thư PEM", f"{name} is no certificate in PEM")
        held[role].append(certificate)
    return held


def _named(parts: Mapping[str, bytes]) -> Iterator[tuple[str, str, bytes]]:
    for name, pem in parts.items():
        match = CERTIFICATE.fullmatch(name)
        if match is not None:
            yield match[1], name, pem
