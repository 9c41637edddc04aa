"""Evidence of a document for its parties: ``/v1/evidence``, and the status packets that it names."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from hub.api import evidence_answers, shapes
from hub.api.caller import Caller, Calling, Id
from hub.api.deliveries import Limit
from hub.api.documents import PACKET_ANSWER, hand_out
from hub.api.problems import responses
from hub.api.routes import router
from hub.errors import Refusal
from hub.exchange.insight import insight, leaves, may_read_report
from hub.http.interface import interface
from hub.store import counter, documents, evidence
from hub.store.engine import reading
from hub.store.evidence import Own

operations = router("evidence")

After = Annotated[str | None, Query(description="`next` of an earlier answer; without it a new list", max_length=96)]


@operations.get(
    "/evidence/{id}",
    summary="Bằng chứng của văn bản · Evidence of a document",
    responses=responses("not-found", answer=evidence_answers.Evidence),
)
def of_document(
    document_id: Id, request: Request, caller: Calling, after: After = None, limit: Limit = 100
) -> Response:
    """Receipts a party may see, each with its proof to be in the log whose checkpoint is beside them.

    All for the sender; for a recipient those of the acceptance that names it, of its own hand-overs and of its reports.
    What was written in the last seconds is not in the log yet, and has no proof so far. All pages of a list are of one
    moment: they have what was written before the first, and their proofs lead to its checkpoint.
    """
    with reading(interface(request).desk.engine) as connection:
        own = _insight(connection, request, caller, document_id)
        until = counter.last(connection)
        head = evidence.head(connection)
        assert head is not None
        seq, size = 0, head["size"]
        if after:
            seq, until, size = shapes.read_position(after, 3)
            if size > head["size"]:
                raise shapes.no_cursor(after)
        rows = evidence.of_document(connection, document_id, own, seq, until, limit + 1)
        items = leaves(connection, rows[:limit], size)
    more = shapes.cursor(rows[limit - 1]["seq"], until, size) if len(rows) > limit else None
    checkpoint = None if after else head["checkpoint"] or None
    return shapes.reply({"items": items, "checkpoint": checkpoint, "next": more})


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

    def find(connection: Connection) -> Any:
        report = documents.report(connection, report_id)
        if report is None:
            raise Refusal("not-found")
        own = _insight(connection, request, caller, report["document_id"])
        if not may_read_report(own, report["sender"]):
            raise Refusal("not-found")
        return documents.packet(connection, report["packet_id"])

    return await hand_out(face, caller, await face.reads.of(find), ())


def _insight(connection: Connection, request: Request, caller: Caller, document_id: str) -> Own | None:
    return insight(connection, caller.roster, caller.system, document_id, interface(request).desk.clock())
