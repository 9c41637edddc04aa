"""Who signed the packets of a document, and what of all that a hub knows their certificates rest on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from clients.evidence.content import examine
from clients.hub_client import Evidence as Answered
from hub.domain.signature import fingerprint
from hub.domain.trust import Material, Validation, validate
from hub.domain.trust.certificates import UNREADABLE, is_issued_by, is_readable

# When revocation data was had is not in the file: the authority's own date is what there is.
_HAD = datetime(9999, 1, 1, tzinfo=UTC)
_MOST = 9999  # parts of a kind in a file


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate that signed, and the moments at which the hub took what it signed, in their order."""

    certificate: x509.Certificate
    moments: tuple[datetime, ...]


def signers_of(answered: Answered) -> list[Signer]:
    """Those of the document's packet and of the status packets, as far as their certificates can be read."""
    taken = {
        item["entry"].get("sha256"): datetime.fromisoformat(item["entry"]["at"])
        for item in answered.items
        if item["kind"] in ("accept", "status") and "at" in item["entry"]
    }
    moments: dict[x509.Certificate, list[datetime]] = defaultdict(list)
    for packet in (answered.packet, *answered.reports.values()):
        at, certificate = taken.get(sha256(packet).hexdigest()), examine(packet).signer
        if at is not None and certificate is not None and is_readable(certificate):
            moments[certificate].append(at)
    return [Signer(certificate, tuple(sorted(at))) for certificate, at in moments.items()]


def revocation(kind: str, octets: bytes) -> Material:
    return Material("crl" if kind == "crl" else "ocsp", octets, _HAD)


def materials(parts: Mapping[str, bytes]) -> list[Material]:
    """Of the parts ``revocation/…`` of a file."""
    return [revocation(name.rpartition(".")[2], octets) for name, octets in parts.items()]


def judged(
    signer: Signer,
    anchors: Collection[x509.Certificate],
    intermediates: Collection[x509.Certificate],
    material: Collection[Material],
) -> dict[datetime, Validation]:
    """At every moment: a hold, or a time without an issuer, may have begun and ended between two."""
    return {
        at: validate(signer.certificate, at, anchors=anchors, intermediates=intermediates, revocation=material)
        for at in dict.fromkeys(signer.moments)
    }


def parts_of(signers: Iterable[Signer], known: Iterable[bytes]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """``certificates`` and ``revocation`` of a file: the signers', and of ``known`` (DER) what these rest on."""
    roots, intermediates, material = _sorted(known)
    path: dict[x509.Certificate, None] = {}
    used: dict[bytes, str] = {}
    own = list(signers)
    for signer in own:
        for found in judged(signer, roots, intermediates, material).values():
            path |= dict.fromkeys(found.path[1:])
            used |= {one.octets: one.kind for one in found.used}
    by_role = {
        "root": [one for one in path if one in roots],
        "intermediate": [one for one in path if one not in roots],
        "signer": [signer.certificate for signer in own],
    }
    certificates = {
        f"certificates/{role}-{number}.pem": one.public_bytes(Encoding.PEM)
        for role, held in by_role.items()
        for number, one in enumerate(sorted(held, key=fingerprint)[:_MOST], 1)
    }
    listed = sorted(used, key=lambda octets: sha256(octets).digest())[:_MOST]
    return certificates, {f"revocation/{number}.{used[one]}": one for number, one in enumerate(listed, 1)}


def _sorted(known: Iterable[bytes]) -> tuple[list[x509.Certificate], list[x509.Certificate], list[Material]]:
    """Roots, which signed themselves, other certificates, and revocation data."""
    roots, intermediates, material = list[x509.Certificate](), list[x509.Certificate](), list[Material]()
    for octets in known:
        with suppress(*UNREADABLE):
            certificate = x509.load_der_x509_certificate(octets)
            if is_readable(certificate):
                (roots if is_issued_by(certificate, certificate) else intermediates).append(certificate)
            continue
        try:
            x509.load_der_x509_crl(octets)
            material.append(revocation("crl", octets))
        except UNREADABLE:
            material.append(revocation("ocsp", octets))
    return roots, intermediates, material
