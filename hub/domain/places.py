"""Where a field stands in the packet: the pointers that answers name, and their order.

Outside ``hub.domain.edxml`` only this module knows element names, because a pointer is told in the packet's own names.
"""

from __future__ import annotations

import re

ORGANIZATION = {
    "organ_id": "OrganId",
    "in_charge": "OrganizationInCharge",
    "name": "OrganName",
    "address": "OrganAdd",
    "email": "Email",
    "telephone": "Telephone",
    "fax": "Fax",
    "website": "Website",
}
HEADER = {
    "document_id": "MessageHeader/DocumentId",
    "number": "MessageHeader/Code/CodeNumber",
    "symbol": "MessageHeader/Code/CodeNotation",
    "place": "MessageHeader/PromulgationInfo/Place",
    "promulgation_date": "MessageHeader/PromulgationInfo/PromulgationDate",
    "type_name": "MessageHeader/DocumentType/TypeName",
    "subject": "MessageHeader/Subject",
    "content": "MessageHeader/Content",
    "competence": "MessageHeader/SignerInfo/Competence",
    "position": "MessageHeader/SignerInfo/Position",
    "signer": "MessageHeader/SignerInfo/FullName",
    "due_date": "MessageHeader/DueDate",
    "priority": "MessageHeader/OtherInfo/Priority",
    "sphere": "MessageHeader/OtherInfo/SphereOfPromulgation",
    "typer": "MessageHeader/OtherInfo/TyperNotation",
    "pages": "MessageHeader/OtherInfo/PageAmount",
    "response_for": "MessageHeader/ResponseFor",
    "steering_type": "MessageHeader/SteeringType",
}
BUSINESS = {
    "document_id": "TraceHeaderList/Bussiness/DocumentId",
    "type": "TraceHeaderList/Bussiness/BussinessDocType",
    "reason": "TraceHeaderList/Bussiness/BussinessDocReason",
    "replaced": "TraceHeaderList/Bussiness/ReplacementInfoList",
    "staff": "TraceHeaderList/Bussiness/StaffInfo",
}
REFERENCE = {"organ_id": "OrganId", "document_id": "DocumentId", "promulgation_date": "PromulgationDate"}
STAFF = {"department": "Department", "staff": "Staff", "email": "Email", "mobile": "Mobile"}
FILE = {
    "content_id": "ContentId",
    "name": "AttachmentName",
    "description": "Description",
    "content_type": "ContentType",
    "octets": "ContentTransferEncoded",
}
# Of a status packet, which has one ResponseFor.
REPORT = {
    "sender": "MessageHeader/From/OrganId",
    "organ_id": "MessageHeader/ResponseFor/OrganId",
    "document_id": "MessageHeader/ResponseFor/DocumentId",
    "promulgation_date": "MessageHeader/ResponseFor/PromulgationDate",
    "status": "MessageHeader/StatusCode",
    "description": "MessageHeader/Description",
    "timestamp": "MessageHeader/Timestamp",
}
CODE = "MessageHeader/Code"
SENDER = "MessageHeader/From"
RECIPIENT = "MessageHeader/To"
MANIFEST = "edXMLManifest/Reference"
ATTACHMENT = "AttachmentEncoded/Attachment"


def sender(field: str) -> str:
    return f"{SENDER}/{ORGANIZATION[field]}"


def recipient(i: int, field: str) -> str:
    return f"{RECIPIENT}[{i + 1}]/{ORGANIZATION[field]}"


def reference(i: int, field: str) -> str:
    return f"{HEADER['response_for']}[{i + 1}]/{REFERENCE[field]}"


def replaced(i: int) -> str:
    return f"{BUSINESS['replaced']}/ReplacementInfo[{i + 1}]/DocumentId"


def staff(i: int, field: str) -> str:
    return f"{BUSINESS['staff']}[{i + 1}]/{STAFF[field]}"


def manifest(i: int, field: str) -> str:
    return f"{MANIFEST}[{i + 1}]/{FILE[field]}"


def attachment(i: int, field: str) -> str:
    return f"{ATTACHMENT}[{i + 1}]/{FILE[field]}"


_ALL = [f"{SENDER}/{part}" for part in ORGANIZATION.values()]
_ALL += [RECIPIENT, *(f"{RECIPIENT}/{part}" for part in ORGANIZATION.values())]
_ALL += [*HEADER.values(), f"{HEADER['response_for']}/PromulgationDate"]
_ALL += [*BUSINESS.values(), f"{BUSINESS['replaced']}/ReplacementInfo"]
_ALL += [f"{BUSINESS['replaced']}/ReplacementInfo/DocumentId"]
_ALL += [f"{BUSINESS['staff']}/{part}" for part in STAFF.values()]
for _file in (MANIFEST, ATTACHMENT):
    _ALL += [_file, *(f"{_file}/{part}" for part in FILE.values())]
_RANK = {pointer: i for i, pointer in enumerate(_ALL)}
_INDEX = re.compile(r"\[([0-9]+)\]")


def order(pointer: str) -> tuple[int, int, int]:
    """The sort key that puts pointers into packet order: the element, which of several, the part of it."""
    index = _INDEX.search(pointer)
    repeated = pointer[: index.start()] if index else pointer
    return _RANK[repeated], int(index.group(1)) if index else 0, _RANK[_INDEX.sub("", pointer)]
