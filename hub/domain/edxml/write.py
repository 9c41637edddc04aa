"""A ``Document`` or a ``StatusReport`` to a packet as the vendor's library writes and reads it.

UTF-8, CR LF, two blanks of indent; the root in the default namespace, the prefix ``edXML`` declared on edXMLEnvelope.
Missing values are left out. No Signature: ``hub.domain.signature`` puts it in as the last child of edXMLHeader.

A file travels as it is under the MIME type of its name. Wrapping it into a ZIP, as the vendor's writer does with most
types, would only be undone by the reader, which unwraps ``application/zip`` and nothing else.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import TypeAlias
from xml.sax.saxutils import escape

from hub.domain.document import Attachment, Business, Document, Replaced, StatusReport
from hub.domain.edxml import names

_Lines: TypeAlias = list[tuple[int, str]]  # depth of indent, text


def write_document(document: Document) -> bytes:
    """The packet of a document.

    The manifest is made from the attachments; of these ``content`` travels, and the type follows from the name. A
    document without a business type is written as new (0). Raises ``ValueError`` for characters that XML cannot carry
    (XML 1.0 §2.2), for a name in ``unknown`` that is none, and for attachments without an id of their own.
    """
    ids = [attachment.content_id for attachment in document.attachments]
    if "" in ids or len(set(ids)) < len(ids):
        raise ValueError("every attachment needs a content id of its own")
    references = [line for attachment in document.attachments for line in _reference(attachment)]
    files = [line for attachment in document.attachments for line in _attachment(attachment)]
    header = _group("MessageHeader", _message_header(document)) + _group("TraceHeaderList", _traces(document))
    manifest = _group("edXMLManifest", references, attributes=' version="1.0"')
    envelope = _group("edXMLHeader", header) + _group("edXMLBody", manifest)
    return _packet(envelope, _group("AttachmentEncoded", files, prefix=""))


def write_status(report: StatusReport) -> bytes:
    """The packet of a status report: a header and nothing else. Raises ``ValueError`` as :func:`write_document`."""
    message_header = [
        *_optional("From", _fields(report.sender, names.ORGANIZATION)),
        *_optional("ResponseFor", _fields(report.response_for, names.RESPONSE_FOR)),
        *_optional("StaffInfo", _fields(report.staff, names.STAFF)),
        *_fields(report, names.STATUS),
    ]
    return _packet(_group("edXMLHeader", _group("MessageHeader", message_header)), [])


def _message_header(document: Document) -> _Lines:
    lines = _optional("From", _fields(document.sender, names.ORGANIZATION))
    for recipient in document.recipients:
        lines += _group("To", _fields(recipient, names.ORGANIZATION))
    lines += _leaf("DocumentId", document.document_id)
    for group in ("Code", "PromulgationInfo", "DocumentType"):
        lines += _optional(group, _fields(document, names.GROUPS[group]))
    lines += _leaf("Subject", document.subject)
    lines += _leaf("Content", document.content)
    lines += _optional("SignerInfo", _fields(document, names.SIGNER))
    lines += _leaf("DueDate", document.due_date)
    appendixes = _optional("Appendixes", _leaves("Appendix", document.appendixes))
    lines += _optional("OtherInfo", _fields(document, names.OTHER) + appendixes)
    for reference in document.response_for:
        lines += _group("ResponseFor", _fields(reference, names.RESPONSE_FOR))
    lines += _leaf("SteeringType", document.steering_type)
    lines += _optional("ResponseForTask", _leaves("TaskCode", document.task_codes))
    lines += _leaf("ApplicationType", document.application_type)
    lines += _optional("ToPlaces", _leaves("Place", document.to_places))
    for name, text in document.unknown:
        if not _ELEMENT_NAME.fullmatch(name):
            raise ValueError(f"not an element name: {name!r}")
        lines += _leaf(name, text)
    return lines


def _traces(document: Document) -> _Lines:
    lines = _group("Bussiness", _business(document.business))
    for trace in document.traces:
        lines += _group("TraceHeader", _fields(trace, names.TRACE))
    return lines


def _business(business: Business) -> _Lines:
    receivers = [line for each in business.receivers for line in _group("Receiver", _fields(each, names.RECEIVER))]
    info = _fields(business, names.DOCUMENT_INFO) + _optional("ReceiverList", receivers)
    replaced = [line for each in business.replaced for line in _group("ReplacementInfo", _replaced(each))]
    return [
        *_leaf("DocumentId", business.document_id),
        *_leaf("BussinessDocType", business.type or "0"),
        *_leaf("BussinessDocReason", business.reason),
        *_leaf("Paper", business.paper),
        *_optional("BussinessDocumentInfo", info),
        *_optional("ReplacementInfoList", replaced),
        *(line for each in business.staff for line in _group("StaffInfo", _fields(each, names.STAFF))),
    ]


def _replaced(replaced: Replaced) -> _Lines:
    return _leaf("DocumentId", replaced.document_id) + _optional("OrganIdList", _leaves("OrganId", replaced.organ_ids))


# Attachments: the manifest and the file say the same.


def _reference(attachment: Attachment) -> _Lines:
    lines = [
        *_leaf("ContentId", "cid:" + attachment.content_id),
        *_leaf("ContentType", _content_type(attachment.name)),
        *_leaf("Description", attachment.description),
        *_leaf("AttachmentName", attachment.name),
    ]
    return _group("Reference", lines)


def _attachment(attachment: Attachment) -> _Lines:
    encoded = base64.b64encode(attachment.content).decode("ascii")
    lines = [
        *_leaf("ContentId", "cid:" + attachment.content_id, prefix=""),
        *_leaf("AttachmentName", attachment.name, prefix=""),
        *_leaf("Description", attachment.description, prefix=""),
        *_leaf("ContentType", _content_type(attachment.name), prefix=""),
        (0, f'<edXML:ContentTransferEncoded xmlns:edXML="{names.QCVN}">{encoded}</edXML:ContentTransferEncoded>'),
    ]
    return _group("Attachment", lines, prefix="")


# From the extension, and not through the module mimetypes: that one reads the machine's own tables.
_CONTENT_TYPES = {
    "7z": "application/x-7z-compressed",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "odt": "application/vnd.oasis.opendocument.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rar": "application/vnd.rar",
    "rtf": "application/rtf",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}


def _content_type(name: str) -> str:
    _, dot, extension = name.rpartition(".")
    if not dot:
        return "application/octet-stream"
    # The vendor's reader leaves only the lower-case extension as it is: A.ZIP would reach the recipient unpacked.
    if extension != "zip" and extension.lower() == "zip":
        return "application/octet-stream"
    return _CONTENT_TYPES.get(extension.lower(), "application/octet-stream")


# Lines.

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
_ELEMENT_NAME = re.compile(r"[^\W\d][\w.-]*")


def _leaf(name: str, text: str, *, prefix: str = "edXML:") -> _Lines:
    """The element, or nothing for a missing value."""
    if not text:
        return []
    if illegal := _ILLEGAL.search(text):
        raise ValueError(f"{name} has a character that XML cannot carry: U+{ord(illegal.group()):04X}")
    # A bare CR would be read as a line feed (XML 1.0 §2.11).
    return [(0, f"<{prefix}{name}>{escape(text, {chr(13): '&#xD;'})}</{prefix}{name}>")]


def _leaves(name: str, texts: Iterable[str]) -> _Lines:
    return [line for text in texts for line in _leaf(name, text)]


def _fields(record: object, table: dict[str, str]) -> _Lines:
    return [line for name, field in table.items() for line in _leaf(name, getattr(record, field))]


def _group(name: str, lines: _Lines, *, prefix: str = "edXML:", attributes: str = "") -> _Lines:
    if not lines:
        return [(0, f"<{prefix}{name}{attributes} />")]
    inner = ((depth + 1, text) for depth, text in lines)
    return [(0, f"<{prefix}{name}{attributes}>"), *inner, (0, f"</{prefix}{name}>")]


def _optional(name: str, lines: _Lines) -> _Lines:
    return _group(name, lines) if lines else []


def _packet(envelope: _Lines, attachments: _Lines) -> bytes:
    enveloped = _group("edXMLEnvelope", envelope, attributes=f' xmlns:edXML="{names.QCVN}"')
    root = _group("edXML", enveloped + attachments, prefix="", attributes=f' xmlns="{names.QCVN}"')
    lines = [(0, '<?xml version="1.0" encoding="UTF-8"?>'), *root]
    return "".join(part for depth, text in lines for part in ("  " * depth, text, "\r\n")).encode()
