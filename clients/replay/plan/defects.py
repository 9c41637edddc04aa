"""Documents that are wrong on purpose, each with the refusal it deserves; and some that are right and unusual.

A defect spoils the document before it is written, the packet before it is signed, or the signed packet; or another's
key signs it. Each breaks one rule and no other. ``expect`` is the refusal's code, for ``packet-refused`` with the rule
behind a slash; empty: the hub must take it.
"""

from __future__ import annotations

import gzip
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from hub.domain.document import Attachment, Document
from hub.domain.edxml import QCVN

OnDocument = Callable[[Document], Document]
OnPacket = Callable[[bytes], bytes]


def _same(whole: Any) -> Any:
    return whole


@dataclass(frozen=True, slots=True)
class Defect:
    """How a document is spoilt. ``against``: an earlier document it needs, the sender's own or another's."""

    expect: str
    document: OnDocument = _same
    packet: OnPacket = _same  # written, not yet signed
    signed: OnPacket = _same
    signer: Literal["own", "another", "unknown", "nobody"] = "own"
    form: Literal["fast", "whole"] = "fast"
    against: Literal["", "own", "another"] = ""
    sender: str = ""  # who sends it: "required", of this profile; "closed", an agency that is; or a code
    symbol: str = ""  # its series of numbers, where that is not the sender's ordinary one
    dateless: bool = False  # its DocumentId names no date, and comes again next year
    as_recipient: bool = False  # From names its first recipient
    recipient: Literal["", "unknown", "node", "closed", "unconnected", "itself"] = ""  # an addressee more
    status: bool = False  # a status packet goes the way of documents


def _field(**values: str) -> OnDocument:
    return lambda document: replace(document, **values)  # type: ignore[arg-type]  # texts of fields that are texts


def _files(change: Callable[[Attachment], Attachment]) -> OnDocument:
    """The first file is changed."""
    return lambda document: replace(document, attachments=(change(document.attachments[0]), *document.attachments[1:]))


def _named(name: str) -> OnDocument:
    return _files(lambda file: replace(file, name=name))


def _holding(content: bytes) -> OnDocument:
    return _files(lambda file: replace(file, content=content, octets=content))


def _more_files(count: int) -> OnDocument:
    def add(document: Document) -> Document:
        (file,) = document.attachments
        return replace(document, attachments=tuple(
            replace(file, content_id=f"tep-{n}", name=f"Phụ lục {n}.pdf", content=b"%%PDF-1.7 %d" % n)
            for n in range(1, count + 1)
        ))  # fmt: skip

    return add


def _twins(document: Document) -> Document:
    (file,) = document.attachments
    return replace(document, attachments=(file, replace(file, content_id="tep-2")))


def _business(**values: str) -> OnDocument:
    return lambda document: replace(document, business=replace(document.business, **values))  # type: ignore[arg-type]  # texts


def _instead(old: bytes, new: bytes) -> OnPacket:
    def change(packet: bytes) -> bytes:
        if old not in packet:
            raise ValueError(f"the packet has no {old!r}")
        return packet.replace(old, new, 1)

    return change


def _text(element: str, change: Callable[[bytes], bytes]) -> OnPacket:
    """The text of the first element of that name, with any prefix."""
    pattern = re.compile(rb"(<(?:\w+:)?%b(?: [^>]*)?>)([^<]+)" % element.encode())
    return lambda packet: pattern.sub(lambda match: match.group(1) + change(match.group(2)), packet, count=1)


def _flipped(text: bytes) -> bytes:
    """Base64 with another first character."""
    return (b"B" if text[:1] == b"A" else b"A") + text[1:]


def _zip(entry: str, content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(zipfile.ZipInfo(entry, (2019, 3, 12, 8, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


@cache
def _bomb() -> bytes:
    return _zip("van-ban.pdf", bytes(12 * 2**20))


def _other_name(packet: bytes) -> bytes:
    """The file itself is named otherwise than in the signed manifest."""
    before, files, after = packet.rpartition(b"<AttachmentName>")
    return before + files + b"Khac-" + after


def _second_signature(packet: bytes) -> bytes:
    found = re.search(rb"<(\w+:)?Signature .*</(\w+:)?Signature>", packet, re.DOTALL)
    if found is None:
        raise ValueError("the packet has no signature")
    return packet[: found.end()] + found.group() + packet[found.end() :]


_PLACEHOLDER = b"<edXML:Signature><edXML:SignedInfo /></edXML:Signature></edXML:edXMLHeader>"
_LONG = "Về việc triển khai Quyết định số 28/2018/QĐ-TTg ngày 12 tháng 7 năm 2018 của Thủ tướng Chính phủ; "
_DOCTYPE = b'<!DOCTYPE edXML [<!ENTITY a "b">]>\n<edXML'


def _subject(length: int) -> OnDocument:
    """A subject of so many characters, still its own."""
    return lambda document: replace(document, subject=f"{document.subject} {_LONG * 6}"[: length - 1] + ".")


# fmt: off
DEFECTS: dict[str, Defect] = {
    # It cannot be read.
    "gzip": Defect("xml-not-xml", signed=lambda packet: gzip.compress(packet, mtime=0)),
    "utf-16": Defect("xml-encoding", signed=lambda packet: packet.decode().encode("utf-16")),
    "windows-1258": Defect("xml-encoding", signed=_instead(b"UTF-8", b"windows-1258")),
    "junk-before": Defect("xml-junk-before-declaration", signed=lambda packet: b"1212" + packet),
    "doctype": Defect("xml-doctype", signed=_instead(b"<edXML", _DOCTYPE)),
    "cut-short": Defect("xml-not-well-formed", signed=lambda packet: packet[: len(packet) // 2]),
    "too-deep": Defect("xml-too-deep", signed=_instead(b"</edXML>", b"<a>" * 40 + b"</a>" * 40 + b"</edXML>")),
    "old-namespace": Defect(
        "xml-wrong-namespace", signed=lambda packet: packet.replace(QCVN.encode(), b"http://www.e-doc.vn/Schema/")
    ),
    "no-envelope": Defect("xml-no-envelope", signed=lambda packet: packet.replace(b"edXMLEnvelope", b"edXMLEnvelop")),
    "status-as-document": Defect("packet-is-status", status=True),
    # The signature.
    "unsigned": Defect("signature-required", signer="nobody", sender="required"),
    "placeholder": Defect(
        "signature-required", packet=_instead(b"</edXML:edXMLHeader>", _PLACEHOLDER), signer="nobody", sender="required"
    ),
    "changed-after-signing": Defect("signature-digest", signed=_text("Subject", lambda text: text + b".")),
    "file-changed": Defect("signature-digest", signed=_text("ContentTransferEncoded", _flipped)),
    "signature-value": Defect("signature-value", signed=_text("SignatureValue", _flipped)),
    "two-signatures": Defect("signature-misplaced", signed=_second_signature),
    "comment": Defect("signature-comment", signed=_instead(b"</edXML:edXMLHeader>", b"<!-- --></edXML:edXMLHeader>")),
    "unknown-certificate": Defect("certificate-unknown", signer="unknown", sender="required"),
    "another-agency-certificate": Defect("certificate-other-agency", signer="another"),
    "file-name-not-signed": Defect("signature-attachment-mismatch", signed=_other_name),
    # From and To.
    "not-your-agency": Defect("not-your-agency", as_recipient=True),
    "sender-closed": Defect("packet-refused/sender-closed", sender="closed"),
    "recipient-unknown": Defect("packet-refused/recipient-unknown", recipient="unknown"),
    "recipient-node": Defect("packet-refused/recipient-is-node", recipient="node"),
    "recipient-closed": Defect("packet-refused/recipient-closed", recipient="closed"),
    "recipient-unconnected": Defect("packet-refused/recipient-not-connected", recipient="unconnected"),
    # Fields.
    "no-subject": Defect("packet-refused/field-missing", _field(subject="")),
    "no-number": Defect("packet-refused/field-missing", _field(number="")),
    "no-type-name": Defect("packet-refused/field-missing", _field(type_name="")),
    "no-document-id": Defect("packet-refused/field-missing", _field(document_id="")),
    "date-day-first": Defect("packet-refused/date-form", _field(due_date="31/12/2049")),
    "date-impossible": Defect("packet-refused/date-impossible", _field(due_date="2048/02/30")),
    "steering-type-word": Defect("packet-refused/steering-type", _field(steering_type="chỉ đạo")),
    "business-type-7": Defect("packet-refused/business-type", _business(type="7")),
    "subject-501": Defect("packet-refused/field-too-long", _subject(501)),
    "replaces-nothing": Defect("packet-refused/replacement-target-missing", _business(type="3", reason="Thay thế")),
    # Files.
    "no-attachment": Defect("packet-refused/attachment-missing", lambda document: replace(document, attachments=())),
    "empty-file": Defect("packet-refused/attachment-empty", _holding(b"")),
    "broken-zip": Defect("packet-refused/attachment-zip", _holding(b"PK\x03\x04" + b"\x00" * 600)),
    "zip-outside": Defect("packet-refused/attachment-zip-path", _holding(_zip("../van-ban.pdf", b"%PDF-1.7"))),
    "zip-bomb": Defect("packet-refused/attachment-zip-bomb", lambda document: _holding(_bomb())(document)),
    "files-101": Defect("packet-refused/attachments-too-many", _more_files(101)),
    "name-characters": Defect("packet-refused/name-character", _named('Công văn "khẩn": 15?.pdf')),
    "name-folder": Defect("packet-refused/name-separator", _named("2020/Công văn 15.pdf")),
    "name-256-bytes": Defect("packet-refused/name-too-long", _named("ế" * 84 + ".pdf")),
    "name-device": Defect("packet-refused/name-reserved", _named("CON.pdf")),
    "name-dot": Defect("packet-refused/name-trailing", _named("Công văn 15.pdf.")),
    "name-invisible": Defect("packet-refused/name-invisible", _named("Công\u200bvăn 15.pdf")),
    "name-twice": Defect("packet-refused/name-duplicate", _twins),
    "name-differs": Defect(
        "packet-refused/attachment-name-differs", form="whole",
        packet=_text("AttachmentName", lambda name: b"Khac-" + name),
    ),
    # What was sent before.
    "number-taken": Defect("number-taken", against="own"),
    "document-conflict": Defect("document-conflict", against="own"),
    "not-your-document": Defect("not-your-document", against="another"),
    # Right and unusual: these must arrive.
    "right-name-specials": Defect("", _named("Công văn & phụ lục #1 (50%) [bản 'chính']; v.2+~$@!=,.pdf")),
    "right-name-255-bytes": Defect("", _named("ế" * 83 + "ab.pdf")),
    "right-name-nfd": Defect("", _named(unicodedata.normalize("NFD", "Quyết định phê duyệt.pdf"))),
    "right-name-no-extension": Defect("", _named("Quyết định")),
    "right-subject-specials": Defect(
        "", _field(subject="V/v <phối hợp> & \"trao đổi\" 'văn bản' 100% – số 1/2; \\n %s {0} ${x} -- ' OR 1=1; 𝔏 ½ ₫")
    ),
    "right-subject-256": Defect("", _subject(256)),
    "right-subject-500": Defect("", _subject(500)),
    "right-content-500": Defect("", _field(content=(_LONG * 6)[:499] + ".")),
    "right-zip": Defect("", _holding(_zip("a7f0.pdf", b"%PDF-1.7 " + b"zip" * 50))),
    "right-files-20": Defect("", _more_files(20)),
    "right-whole-form": Defect("", form="whole"),
    "right-to-itself": Defect("", recipient="itself"),
    "right-prime-minister": Defect("", sender="G22", symbol="QĐ-TTg"),
    "right-id-without-year": Defect("", sender="G22", symbol="VPCP-KTTH", dateless=True),
}
# fmt: on
