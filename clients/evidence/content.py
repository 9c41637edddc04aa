"""What packets and receipts say of each other: digests, fields, signers, and that all is about one document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography import x509

from clients.evidence.noted import Noted
from clients.evidence.statements import Accept, HandOver, Statement, Status
from hub.domain import edxml, numbering, signature
from hub.domain.agency import Directory, canonical
from hub.domain.document import Document, DocumentRef, StatusReport
from hub.domain.signature import Signed
from hub.errors import Refusal

_NO_DIRECTORY = Directory(())


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet whose signature was looked at. ``content`` was read from the bytes the signature covers, if any."""

    found: signature.Signed | signature.Unsigned | Refusal
    content: Document | StatusReport | None

    @property
    def signer(self) -> x509.Certificate | None:
        return self.found.certificate if isinstance(self.found, Signed) else None


@dataclass(frozen=True, slots=True)
class Statements:
    """What the receipts state that were found right, in the order of the log."""

    accepts: tuple[Accept, ...]
    hand_overs: tuple[HandOver, ...]
    statuses: tuple[Status, ...]

    def accept_of(self, digest: str) -> Accept | None:
        return next((one for one in self.accepts if one.sha256 == digest), None)


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signed what, and when the hub took it."""

    vi: str
    en: str
    certificate: x509.Certificate
    at: datetime


def examine(packet: bytes) -> Packet:
    """Reads the packet and verifies its signature. A refusal is kept, with what can be read all the same."""
    try:
        tree = edxml.parse(packet)
    except Refusal as refusal:
        return Packet(refusal, None)
    found: signature.Signed | signature.Unsigned | Refusal
    try:
        found = signature.verify(tree, sha1=True)
    except Refusal as refusal:
        found = refusal
    tree = found.tree if isinstance(found, Signed) else tree
    try:
        return Packet(found, edxml.read_status(tree) if edxml.is_status(tree) else edxml.read_document(tree))
    except Refusal as refusal:
        return Packet(refusal, None)


def note_digest(noted: Noted, packet: bytes, said: Statements) -> Accept | None:
    """The acceptance of this packet; notes whether there is one, and any of another packet."""
    digest = sha256(packet).hexdigest()
    accept = said.accept_of(digest)
    if not said.accepts:
        noted.wrong("không có biên nhận tiếp nhận nào đúng", "there is no acceptance among the right receipts")
    elif accept is None:
        noted.wrong(
            f"SHA-256 của gói tin là {digest}, biên nhận ghi {said.accepts[0].sha256}",
            f"the packet's SHA-256 is {digest}, the receipt has {said.accepts[0].sha256}",
        )
    for other in said.accepts:
        if accept and other.sha256 != digest:
            codes = ", ".join(other.recipients)
            noted.open(
                f"gói tin gửi thêm cho {codes:.200} không có trong tệp",
                f"the packet sent on to {codes:.200} is not in the file",
            )
    return accept


def note_fields(noted: Noted, content: Document, accept: Accept, first: bool) -> None:
    """Whether the packet says what its acceptance does. ``first``: of the document; a later one has only recipients
    that were added."""
    _compare(noted, "nơi gửi", "sender", canonical(content.sender.organ_id), accept.sender)
    _compare(
        noted, "mã văn bản", "DocumentId", numbering.canonical_document_id(content.document_id), accept.document_id
    )
    named = {canonical(each.organ_id) for each in content.recipients}
    stated = set(accept.recipients)
    if not stated or not (stated == named if first else stated <= named):
        _compare(noted, "nơi nhận", "recipients", ", ".join(sorted(named)), ", ".join(sorted(stated)))
    issuer = numbering.issuer(content, _NO_DIRECTORY).code
    if issuer != accept.issuer and issuer == canonical(content.sender.organ_id) and content.sender.in_charge:
        # Only the directory tells whether the symbol is that of the superior body (exchange rules 5).
        noted.open(
            f"cơ quan ban hành {accept.issuer} do danh mục của trục cho biết từ «{content.sender.in_charge}»",
            f"the issuer {accept.issuer} follows by the hub's directory from “{content.sender.in_charge}”",
        )
    else:
        _compare(noted, "cơ quan ban hành", "issuer", issuer, accept.issuer)


def _compare(noted: Noted, vi: str, en: str, in_packet: str, stated: str) -> None:
    if in_packet != stated:
        noted.wrong(
            f"{vi}: gói tin ghi {in_packet:.200}, biên nhận ghi {stated:.200}",
            f"{en}: the packet has {in_packet:.200}, the receipt {stated:.200}",
        )


def note_signature(noted: Noted, packet: Packet, vi: str, en: str) -> None:
    """``vi`` and ``en`` name the packet."""
    match packet.found:
        case Refusal() as refusal:
            noted.refused(vi, en, refusal)
        case signature.Unsigned(why):
            noted.open(
                f"{vi} không ký số ({why}): chỉ có biên nhận của trục nói là của ai",
                f"{en} is not signed ({why}): whose it is, only the hub's receipt says",
            )
        case signature.Signed(sha1=True):
            noted.open(
                f"{vi} ký bằng SHA-1, nay không còn đủ mạnh", f"{en} is signed with SHA-1, which is too weak today"
            )


def note_belonging(noted: Noted, document: str, said: Statements) -> None:
    """Whether everything is about this document, and about those who take part in it."""
    recipients = {code for accept in said.accepts for code in accept.recipients}
    senders = {accept.sender for accept in said.accepts}
    taken = {(one.sha256, code) for one in said.accepts for code in one.recipients}
    taken |= {(one.sha256, one.addressee) for one in said.statuses}
    known = {digest for digest, _ in taken}
    statements: tuple[Statement, ...] = (*said.accepts, *said.hand_overs, *said.statuses)
    for about in (each.document for each in statements):
        if about != document:
            noted.wrong(f"một biên nhận về văn bản {about}", f"a receipt is about the document {about}")
    for kept in said.hand_overs:
        if kept.sha256 not in known:
            noted.open(
                f"{kept.recipient} đã nhận một gói tin không có biên nhận ở đây",
                f"{kept.recipient} keeps a packet whose receipt is not here",
            )
        elif (kept.sha256, kept.recipient) not in taken:
            noted.wrong(f"{kept.recipient} không phải nơi nhận", f"{kept.recipient} is no recipient")
    for status in said.statuses:
        by, to = status.sender, status.addressee
        if not ((by in recipients and to in senders) or (by in senders and to in recipients)):
            noted.wrong(
                f"trạng thái {status.status} từ {by} đến {to}, không phải giữa nơi gửi và nơi nhận",
                f"the status {status.status} from {by} to {to} is not between sender and recipient",
            )


def note_acknowledgements(
    noted: Noted, packets: Mapping[str, bytes], said: Statements, document: Document | None
) -> list[Signing]:
    """Whether each status packet is what its receipt says; gives those who signed one."""
    signings = []
    by_report = {status.report: status for status in said.statuses}
    for report, octets in sorted(packets.items()):
        vi, en = f"gói trạng thái {report}", f"the status packet {report}"
        status = by_report.get(report)
        if status is None or sha256(octets).hexdigest() != status.sha256:
            noted.wrong(f"{vi} không phải của biên nhận nào", f"{en} is that of no receipt")
            continue
        packet = examine(octets)
        note_signature(noted, packet, vi, en)
        if packet.signer is not None:
            signings.append(Signing(vi, en, packet.signer, status.at))
        content = packet.content
        if not isinstance(content, StatusReport):
            noted.wrong(f"{vi} không đọc được như gói trạng thái", f"{en} cannot be read as a status packet")
            continue
        said_by = canonical(content.sender.organ_id)
        if (said_by, content.status) != (status.sender, status.status):
            noted.wrong(
                f"{vi} là {content.status} của {said_by}, biên nhận ghi {status.status} của {status.sender}",
                f"{en} is {content.status} by {said_by}, the receipt has {status.status} by {status.sender}",
            )
        if document is not None and not _is_about(content.response_for, document):
            noted.wrong(f"{vi} trả lời văn bản khác", f"{en} answers another document")
    if missing := len(by_report.keys() - packets.keys()):
        noted.open(
            f"{missing} gói trạng thái không có trong tệp: chỉ có biên nhận của trục",
            f"{missing} status packets are not in the file: only the hub's receipts are",
        )
    return signings


def _is_about(named: DocumentRef, document: Document) -> bool:
    """By the DocumentId or else by the number, as the hub looks it up (exchange rules 6)."""
    ids = (numbering.canonical_document_id(each.document_id) for each in (named, document))
    if len(set(ids)) == 1:
        return True
    number, symbol = numbering.split_code(named.code)
    wanted = numbering.plain_number(document.number), numbering.plain_symbol(document.symbol)
    return (numbering.plain_number(number), symbol) == wanted
