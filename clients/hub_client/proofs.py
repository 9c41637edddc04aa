"""Packets signed and verified with keys, and whose they are by the certificates the hub serves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography.x509 import Certificate

from clients.hub_client.answers import AgencyCertificate
from hub.domain import edxml, signature
from hub.domain.agency import ancestors, canonical
from hub.domain.document import Document, StatusReport
from hub.domain.signature import Counted, PrivateKey, Verdict, fingerprint


def signed_packet(content: Document | StatusReport, key: PrivateKey, certificate: Certificate) -> bytes:
    """The packet of a document or report, signed in the fast form (exchange rules 3)."""
    written = edxml.write_document(content) if isinstance(content, Document) else edxml.write_status(content)
    return signature.sign(written, key, certificate)


@dataclass(frozen=True, slots=True)
class Verified:
    """A packet signed by ``verdict.owner``. ``content`` was read from the bytes that the signature covers."""

    verdict: Verdict
    content: Document | StatusReport


@dataclass(frozen=True, slots=True)
class Examined:
    """A packet whose digests and signature value are right, or that has no signature; whose it is, is open yet."""

    found: signature.Signed | signature.Unsigned
    content: Document | StatusReport

    @property
    def sender(self) -> str:
        return self.content.sender.organ_id


def examine(packet: bytes, *, sha1: bool = False) -> Examined:
    """Raises the ``Refusal`` of reading and of verifying; SHA-1 is accepted only with ``sha1``."""
    tree = edxml.parse(packet)
    found = signature.verify(tree, sha1=sha1)
    if isinstance(found, signature.Signed):
        tree = found.tree
    return Examined(found, edxml.read_status(tree) if edxml.is_status(tree) else edxml.read_document(tree))


def judged(examined: Examined, certificates: Iterable[AgencyCertificate], at: datetime) -> Verified:
    """Who signed, by the certificates the hub serves for the sender, at the moment the hub took the packet.

    Raises ``Refusal`` signature-required, certificate-unknown, certificate-ended.
    """
    served = list(certificates)
    sender = canonical(examined.sender)
    owners = dict.fromkeys(canonical(each.owner) for each in served)
    verdict = signature.judge(
        examined.found,
        sender=sender,
        may_sign=[sender, *owners],
        platform=next((code for code in ancestors(sender) if code in owners), sender),
        registered=[
            # Not the fingerprint the hub names: its own certificate is what counts.
            Counted(fingerprint(each.certificate), canonical(each.owner), each.since, each.until)
            for each in served
        ],
        required=True,
        at=at,
    )
    return Verified(verdict, examined.content)
