"""Evidence of a document for its parties: ``/v1/evidence``, and the status packets that it names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hub.api import evidence_answers, shapes
from hub.api.caller import Caller, Calling, Id
from hub.api.documents import PACKET_ANSWER, hand_out
from hub.api.problems import responses
from hub.api.routes import router
from hub.domain.merkle import inclusion_proof, leaf_hash
from hub.domain.tiles import hashes_from
from hub.errors import Refusal
from hub.exchange.examine import evidence_of, is_sender
from hub.http.interface import interface
from hub.store import deliveries, documents, evidence
from hub.store.engine import reading
from hub.store.tiles import Stored

operations = router("evidence")


@operations.get(
    "/evidence/{id}",
    summary="Bằng chứng của văn bản · Evidence of a document",
    responses=responses("not-found", answer=evidence_answers.Evidence),
)
def of_document(document_id: Id, request: Request, caller: Calling) -> Response:
    """Receipts a party may see, each with its proof to be in the log whose checkpoint is beside them.

    All for the sender; for a recipient those of the acceptance that names it, of its own hand-overs and of its reports.
    What was written in the last seconds is not in the log yet, and has no proof so far.
    """
    with reading(interface(request).desk.engine) as connection:
        rows = _seen(connection, request, caller, document_id)
        head = evidence.head(connection)
        assert head is not None
        hash_at = hashes_from(head["size"], Stored(connection))
        items = [
            {
                "id": row["id"],
                "kind": row["kind"],
                "at": row["at"],
                "entry": row["body"],
                "receipt": row["receipt"],
                "index": row["leaf_index"],
                "leaf": None if row["entry"] is None else leaf_hash(row["entry"]).hex(),
                "proof": _proof(row["leaf_index"], head["size"], hash_at),
            }
            for row in rows
        ]
    return shapes.reply({"items": items, "checkpoint": head["checkpoint"] or None, "next": None})


def _proof(index: int | None, size: int, hash_at: Any) -> list[str] | None:
    if index is None or index >= size:
        return None
    return [each.hex() for each in inclusion_proof(index, size, hash_at)]


@operations.get(
    "/reports/{id}/packet",
    summary="Gói trạng thái, nguyên từng byte · A status packet, byte for byte",
    response_class=Response,
    responses=responses("not-found", "packet-removed", answer=PACKET_ANSWER),
)
async def acknowledgement(report_id: Id, request: Request, caller: Calling) -> Response:
    """What a party said of a document, as it signed it: beside the hub's receipt for it, the other half of the
    evidence. Reading it here fetches nothing.
    """
    face = interface(request)

    def find() -> Any:
        with reading(face.desk.engine) as connection:
            report = documents.report(connection, report_id)
            if report is None:
                raise Refusal("not-found")
            seen = _seen(connection, request, caller, report["document_id"])
            if not any(row["report_id"] == report_id for row in seen):
                raise Refusal("not-found")
            return documents.packet(connection, report["packet_id"])

    return await hand_out(face, caller, await run_in_threadpool(find), ())


def _seen(connection: Connection, request: Request, caller: Caller, document_id: str) -> Iterable[Any]:
    """The entries this caller may see. Raises ``not-found`` where there is none."""
    document = documents.get(connection, document_id)
    if document is None:
        raise Refusal("not-found")
    rows = evidence.of_document(connection, document_id)
    if is_sender(caller.roster, caller.system, document, interface(request).desk.clock()):
        return rows
    return evidence_of(caller.system, rows, deliveries.of_document(connection, document_id))
