"""Sending documents and reading them back: ``/v1/documents``, ``/v1/statuses``."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from hub.api import answers, shapes
from hub.api.caller import Caller, Calling, Id
from hub.api.problems import PACKET, header, responses, violation_body
from hub.api.routes import router
from hub.domain import edxml
from hub.domain.document import Attachment
from hub.errors import Refusal
from hub.exchange import accept
from hub.exchange.examine import is_sender, may_receive
from hub.http import bodies
from hub.http.interface import Interface, interface
from hub.store import deliveries, documents
from hub.store.deliveries import Delivery
from hub.store.engine import reading

packets = router("documents")
reads = router("documents")

PACKET_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/xml": {"schema": {"type": "string", "description": "edXML packet (QCVN 102:2016)"}}},
    }
}
PACKET_ANSWER = {
    "description": "The packet, as it was sent",
    "headers": {"X-Packet-SHA256": header("SHA-256 of the packet, lower-case hex")},
    "content": {"application/xml": {"schema": {"type": "string"}}},
}
_FILE_ANSWER = {
    "description": "The file, unwrapped",
    "headers": {"Content-Disposition": header("The file's name (RFC 8187)")},
    "content": {"application/octet-stream": {}},
}
_UNREADABLE = (*PACKET, "xml-not-xml", "packet-refused")
_CONFLICTS = (
    *(
        "attachment-signature",
        "not-your-agency",
        "not-your-document",
        "document-conflict",
        "number-taken",
        "already-revoked",
    ),
    *("too-many-concerned", "payloads-away"),
)


@packets.post(
    "/documents",
    status_code=201,
    summary="Gửi văn bản · Send a document",
    openapi_extra=PACKET_BODY,
    responses=responses(
        *_UNREADABLE,
        *_CONFLICTS,
        answer=answers.Accepted,
        status=201,
        repeat="A repeat: the first answer, and what was added",
    ),
)
async def send(request: Request, caller: Calling) -> Response:
    """Accept a signed packet for all its recipients, or refuse it with every rule it breaks."""
    async with bodies.packet_of(request) as packet:
        result = await interface(request).desk.accept(packet, caller.system, request.state.trace_id)
    receipts = {"receipt": next(iter(result.receipts), None), "added_receipts": result.receipts[1:]}
    body = shapes.accepted(result.body) | receipts
    return shapes.reply(body, 201 if result.new else 200)


@packets.post(
    "/documents/validate",
    summary="Kiểm tra, không gửi · Check a document without sending it",
    openapi_extra=PACKET_BODY,
    responses=responses(*PACKET, answer=answers.Validation),
)
async def validate(request: Request, caller: Calling) -> Response:
    """``{valid, violations[], warnings[]}``: what sending this packet now would answer. Nothing is stored."""
    async with bodies.packet_of(request) as packet:
        try:
            foreseen = await interface(request).desk.validate(packet, caller.system)
        except Refusal as refusal:
            if refusal.problem.temporary:
                raise
            warnings = refusal.extra.get("warnings", [])
            return shapes.reply(_validation(list(refusal.violations), warnings, refusal.code))
    return shapes.reply(_validation([], foreseen, ""))


def _validation(violations: Any, warnings: Any, code: str) -> dict[str, Any]:
    return {
        "valid": not violations,
        "code": code,
        "violations": [violation_body(v) for v in violations],
        "warnings": [violation_body(v) for v in warnings],
    }


@packets.post(
    "/statuses",
    status_code=201,
    summary="Báo trạng thái · Report a status",
    openapi_extra=PACKET_BODY,
    responses=responses(
        *_UNREADABLE,
        "not-your-agency",
        "status-document-unknown",
        "status-not-allowed",
        "delivery-final",
        answer=answers.Reported,
        status=201,
        repeat="A repeat: the first answer",
    ),
)
async def report(request: Request, caller: Calling) -> Response:
    """Take a status packet (01–06, 13, 15, 16), apply it and hand it on to the other party."""
    async with bodies.packet_of(request) as packet:
        result = await interface(request).desk.report(packet, caller.system, request.state.trace_id)
    warnings = [violation_body(v) for v in result.body["warnings"]]
    body = result.body | {"warnings": warnings, "receipt": result.receipt}
    return shapes.reply(body, 201 if result.new else 200)


@reads.get(
    "/documents/{id}",
    summary="Văn bản và trạng thái ở từng nơi nhận · A document and its recipients' states",
    responses=responses("not-found", answer=answers.DocumentStory),
)
def show(document_id: Id, request: Request, caller: Calling) -> Response:
    """For the sender every recipient; for a recipient its own part."""
    with reading(interface(request).desk.engine) as connection:
        document, own, sent = _visible(connection, request, caller, document_id)
        if sent:
            packet = documents.first_packet(connection, document_id)
        else:
            packet = documents.packet_facts(connection, own[-1].packet_id)
        ids = [delivery.id for delivery in own]
        requests = deliveries.requests_of(connection, ids)
        events = deliveries.events_of(connection, ids)
        links = documents.links_of(connection, document_id) if sent else []
    body = shapes.accepted(accept.answer(document, packet, own))
    body["deliveries"] = [shapes.delivery_item(delivery, requests, events) for delivery in own]
    body["state"] = shapes.overall_of(own).value
    body["links"] = [{"document": link["document_id"], "target": link["target_id"]} for link in links]
    if not sent:
        body["warnings"] = []
    return shapes.reply(body)


@reads.get(
    "/documents/{id}/packet",
    summary="Gói tin, nguyên từng byte · The packet, byte for byte",
    response_class=Response,
    responses=responses("not-found", "packet-removed", "payloads-away", answer=PACKET_ANSWER),
)
async def packet(document_id: Id, request: Request, caller: Calling) -> Response:
    """The packet as it was sent. Handing it to a recipient counts as its fetch."""
    face = interface(request)
    row, fetched = await run_in_threadpool(lambda: _packet_row(face, request, caller, document_id))
    return await hand_out(face, caller, row, fetched)


@reads.get(
    "/documents/{id}/attachments/{n}",
    summary="Một tệp đính kèm · One attachment, unwrapped",
    response_class=Response,
    responses=responses("not-found", "packet-removed", "payloads-away", answer=_FILE_ANSWER),
)
async def attachment(document_id: Id, n: int, request: Request, caller: Calling) -> Response:
    """The n-th file, from 1. Handing it to a recipient counts as the fetch of the packet."""
    face = interface(request)
    row, fetched = await run_in_threadpool(lambda: _packet_row(face, request, caller, document_id))
    with face.room(row["size"]):
        found = await run_in_threadpool(lambda: _files(face, row))
    if not 1 <= n <= len(found):
        raise Refusal("not-found")
    if fetched:
        await bodies.fetched(face, caller.system.id, fetched)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found[n - 1].name)}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(found[n - 1].content, 200, headers, "application/octet-stream")


async def hand_out(face: Interface, caller: Caller, row: Any, fetched: tuple[str, ...]) -> Response:
    """A packet's bytes as an answer; see :func:`hub.http.bodies.taken_out`."""
    body = await bodies.taken_out(face, caller.system.id, row, fetched)
    headers = {
        "Content-Length": str(row["size"]),
        "X-Packet-SHA256": row["sha256"],
        "X-Content-Type-Options": "nosniff",
    }
    if isinstance(body, bytes):
        return Response(body, 200, headers, "application/xml")
    return StreamingResponse(body, 200, headers, "application/xml")


def _files(face: Interface, row: Any) -> tuple[Attachment, ...]:
    bodies.kept(row)
    body = row["body"] if row["place"] is None else face.desk.payloads.get(row["place"])
    limits = face.desk.terms.limits
    return edxml.read_document(edxml.parse(body, limits), limits).attachments


def _visible(connection: Any, request: Request, caller: Caller, document_id: str) -> tuple[Any, list[Delivery], bool]:
    """The document, the deliveries this system may see, and whether it is the sender's. Else ``not-found``."""
    document = documents.get(connection, document_id)
    if document is None:
        raise Refusal("not-found")
    now = interface(request).desk.clock()
    all_of_it = deliveries.of_document(connection, document_id)
    sent = is_sender(caller.roster, caller.system, document, now)
    own = all_of_it if sent else [d for d in all_of_it if may_receive(caller.roster, caller.system, d, now)]
    if not own:
        raise Refusal("not-found")
    return document, own, sent


def _packet_row(face: Interface, request: Request, caller: Caller, document_id: str) -> tuple[Any, tuple[str, ...]]:
    """The packet to hand out, and the deliveries that are fetched by it.

    A recipient gets the version its newest delivery carries; the sender the one first accepted.
    """
    now = face.desk.clock()
    with reading(face.desk.engine) as connection:
        _document, own, _sent = _visible(connection, request, caller, document_id)
        received = [d for d in own if may_receive(caller.roster, caller.system, d, now)]
        packet_id = received[-1].packet_id if received else documents.first_packet(connection, document_id)["id"]
        row = documents.packet(connection, packet_id)
    return row, tuple(d.id for d in received if d.packet_id == row["id"])
