"""Whether the signers' certificates counted when the hub took what they signed, by what the file has of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from clients.evidence.container import CERTIFICATE
from clients.evidence.content import Signing
from clients.evidence.file import Evidence
from clients.evidence.grounds import Signer, judged, materials
from clients.evidence.noted import Noted
from clients.evidence.strict import EvidenceError
from hub.domain.signature import fingerprint
from hub.domain.trust import Result, Validation, Verdict
from hub.domain.trust.certificates import is_readable, shown

_RIGHT = {Verdict.VALID, Verdict.VALID_NO_TIMESTAMP}
_IN_TIME = 1  # the step of a validation
_LONGEST = 1024 * 1024  # bytes of a certificate's part


def note_certificates(
    noted: Noted, evidence: Evidence, signings: Collection[Signing], trusted: Collection[x509.Certificate]
) -> None:
    """Judges each signer at the moment of its receipt. ``trusted``: the pinned roots; without any, the file's own
    count and are told. Who leads to no root here is told too: that is no fault, agencies register what they have.
    """
    try:
        held = _by_role(evidence.certificates)
    except EvidenceError as fault:
        noted.wrong(*fault.told)
        return
    roots, intermediates = held["root"], held["intermediate"]
    strangers = {fingerprint(one) for one in held["signer"]} - {fingerprint(one.certificate) for one in signings}
    for stranger in sorted(strangers):
        noted.wrong(f"chứng thư {stranger} không ký gì ở đây", f"the certificate {stranger} signed nothing here")
    if trusted:
        for root in roots:
            if root not in trusted:
                noted.wrong(f"gốc {shown(root)} không được ghim", f"the root {shown(root)} is not among the pinned")
    elif roots:
        prints = "; ".join(f"{shown(root)} SHA-256 {fingerprint(root)}" for root in roots)
        noted.open(
            f"gốc là của chính tệp này, hãy đối chiếu: {prints}", f"the roots are the file's own, compare: {prints}"
        )
    else:
        noted.open(
            "tệp không có chứng thư gốc: ai là chủ chứng thư ký chỉ có sổ đăng ký của trục nói",
            "the file has no root: whose the signers' certificates are, only the hub's register says",
        )
    anchors = trusted or roots
    material = materials(evidence.revocation)
    by_certificate: dict[x509.Certificate, list[Signing]] = defaultdict(list)
    for signing in signings:
        by_certificate[signing.certificate].append(signing)
    for certificate, own in by_certificate.items():
        signer = Signer(certificate, tuple(sorted(signing.at for signing in own)))
        found = judged(signer, anchors, intermediates, material)
        for signing in own:
            _note_signing(noted, signing, found[signing.at], anchors, intermediates)


def _note_signing(
    noted: Noted,
    signing: Signing,
    found: Validation,
    anchors: Collection[x509.Certificate],
    intermediates: Collection[x509.Certificate],
) -> None:
    if found.steps[_IN_TIME - 1].result is Result.FAILED:
        _note(noted, signing, found, Result.FAILED, (_IN_TIME,))
    elif _leads_to_no_root(found, anchors, intermediates):
        if anchors:  # else that was said of all
            name = shown(signing.certificate) if is_readable(signing.certificate) else "?"
            noted.open(
                f"{signing.vi}: chứng thư {name} không dẫn đến gốc nào ở đây, của ai chỉ có sổ đăng ký của trục nói",
                f"{signing.en}: the certificate {name} leads to no root here, whose it is only the hub's register says",
            )
    elif found.verdict not in _RIGHT:
        untold = found.verdict is Verdict.INDETERMINATE_REVOCATION
        _note(noted, signing, found, Result.UNTOLD if untold else Result.FAILED, range(1, 7))


def _leads_to_no_root(
    found: Validation, anchors: Collection[x509.Certificate], intermediates: Collection[x509.Certificate]
) -> bool:
    """Whether the path ends before a root because nobody here issued what it ends with; a signature on it that is not
    the named issuer's is another matter."""
    last = found.path[-1]
    if not is_readable(last):
        return True
    others = all(one.subject != last.issuer for one in (*anchors, *intermediates))
    return last not in anchors and (last.issuer == last.subject or others)


def _note(noted: Noted, signing: Signing, found: Validation, wanted: Result, steps: Collection[int]) -> None:
    telling = [step for step in found.steps if step.result is wanted and step.number in steps]
    vi, en = (" ".join(texts) for texts in zip(*((step.vi, step.en) for step in telling), strict=True))
    note = noted.open if wanted is Result.UNTOLD else noted.wrong
    note(f"{signing.vi}: {found.verdict}, {vi.rstrip('.')}", f"{signing.en}: {found.verdict}, {en.rstrip('.')}")


def _by_role(parts: Mapping[str, bytes]) -> dict[str, list[x509.Certificate]]:
    held: dict[str, list[x509.Certificate]] = {"root": [], "intermediate": [], "signer": []}
    for role, name, pem in _named(parts):
        try:
            certificate = x509.load_pem_x509_certificate(pem)
            plain = len(pem) <= _LONGEST and certificate.public_bytes(Encoding.PEM) == pem and is_readable(certificate)
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
