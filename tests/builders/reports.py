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


def office_and_provinces(axis: Axis, **terms: Any) -> tuple[Peer, Peer, Peer]:
    """The Government Office, enrolled on these terms, Nghệ An and Hà Tĩnh."""
    return axis.enrol("G22", **terms), axis.enrol("H41"), axis.enrol("H27")


def one_on_its_way(axis: Axis, **changes: Any) -> tuple[Peer, Peer, str]:
    """The Government Office, Nghệ An, and the delivery of a document from one to the other."""
    office, province = office_and_province(axis)
    return office, province, only(office.send("H41", **changes))


def only(answer: dict[str, Any]) -> str:
    """The id of the only delivery."""
    (delivery,) = answer["deliveries"]
    return str(delivery["id"])


def bring_to(axis: Axis, peer: Peer, delivery_id: str, state: str) -> None:
    """Bring a waiting delivery to a state: unfetched, unless that is delivered."""
    if state == "taken":
        peer.claim(delivery_id)
    elif state == "failed":
        for _ in range(5):
            peer.failed(delivery_id)
    elif state == "expired":
        axis.clock.pass_(days=30)
        axis.sweep()
    elif state == "delivered":
        peer.receive(delivery_id)
    assert axis.delivery(delivery_id).state == state


def delivered(office: Peer, province: Peer, **changes: Any) -> tuple[Document, dict[str, Any]]:
    """A document that the province fetched and keeps."""
    document, answer = office.issue(province.code, **changes)
    province.receive(only(answer))
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
