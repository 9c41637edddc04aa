"""Stories of one document between the Government Office and Nghệ An, and status packets about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from builders.axis import Axis, Peer
from builders.packets import a_status

from hub.domain import edxml
from hub.domain.document import Document, DocumentRef, Organization
from hub.domain.signature import sign


def office_and_province(axis: Axis) -> tuple[Peer, Peer]:
    """The Government Office and Nghệ An."""
    return axis.enrol("G22"), axis.enrol("H41")


def delivered(office: Peer, province: Peer, **changes: Any) -> tuple[Document, dict[str, Any]]:
    """A document that the province fetched and keeps."""
    document, answer = office.issue(province.code, **changes)
    province.receive(answer["deliveries"][0]["id"])
    return document, answer


def effect_of(answer: dict[str, Any]) -> str:
    """What the report did at its only delivery."""
    (part,) = answer["deliveries"]
    return str(part["effect"])


def statuses(peer: Peer) -> list[str]:
    """The codes of the status packets that wait for a system, oldest first."""
    return [row["status_code"] for row in peer.inbox() if row["status_code"]]


def ref(document: Document, **changes: str) -> DocumentRef:
    return replace(DocumentRef(document.sender.organ_id, document_id=document.document_id), **changes)


def packet_of(peer: Peer, **changes: Any) -> bytes:
    """A status packet with exactly these fields, signed anew every time."""
    said = {"sender": Organization(organ_id=peer.code), "timestamp": "2025/10/01 09:00:00"} | changes
    return sign(edxml.write_status(a_status(**said)), peer.key, peer.certificate)
