"""What a document's signatures are worth, for its parties: verdicts, and what each rests on."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Path, Request
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from hub.api import shapes
from hub.api.answers import Digest, Moment, Shape
from hub.api.caller import Caller, Calling, Id
from hub.api.problems import responses
from hub.api.routes import router
from hub.errors import Refusal
from hub.exchange.insight import insight
from hub.http.interface import interface
from hub.store import examinations
from hub.store.engine import reading

operations = router("evidence")


class Examined(Shape):
    """What a signature was found to be worth, or the signatures of a file."""

    part: int = Field(description="0: the packet itself; n: its n-th attachment")
    name: str = Field(description="Of the file; empty once the packet's bytes were removed")
    sha256: Digest = Field(description="Of the file, or of the packet")
    verdict: str = Field(description="VALID, VALID_NO_TIMESTAMP, …; UNEXAMINED, with its reason in `detail`")
    at: Moment = Field(description="When it was found")
    detail: dict[str, Any] = Field(description="Numbered steps with clauses, in both languages; material by SHA-256")
    material: list[Digest] = Field(description="Certificates, CRLs and OCSP answers it rests on")


class Examinations(Shape):
    """What the signatures of a document are worth."""

    items: list[Examined]
    pending: bool = Field(description="Not all is examined yet")


@operations.get(
    "/documents/{id}/examinations",
    summary="Chữ ký có giá trị không · What the signatures are worth",
    responses=responses("not-found", answer=Examinations),
)
def examined(document_id: Id, request: Request, caller: Calling) -> Response:
    """Of the packet (part 0, where the hub knows a root) and of each PDF file in it (the n-th attachment): a verdict,
    its steps and what it was reached from. Found within seconds of the acceptance; ``pending`` until then.
    """
    with reading(interface(request).desk.engine) as connection:
        pending = examinations.is_pending(connection, document_id)  # first: what comes meanwhile is then in the rows
        rows = examinations.of_document(connection, document_id, _own(connection, request, caller, document_id))
        named = examinations.material_of(connection, {row["packet_id"] for row in rows})
    items = [
        {
            "part": row["part"],
            "name": row["name"],
            "sha256": row["sha256"],
            "verdict": row["verdict"],
            "at": row["at"],
            "detail": json.loads(row["detail"]),
            "material": named.get((row["packet_id"], row["part"]), []),
        }
        for row in rows
    ]
    return shapes.reply({"items": items, "pending": pending})


@operations.get("/documents/{id}/material/{sha256}", include_in_schema=False)  # described in docs/evidence.md
def material(
    document_id: Id,
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    request: Request,
    caller: Calling,
) -> Response:
    """A certificate, CRL or OCSP answer that an examination of this document rests on, as it was then: DER."""
    with reading(interface(request).desk.engine) as connection:
        rows = examinations.parts_of_document(connection, document_id, _own(connection, request, caller, document_id))
        named = examinations.material_of(connection, {row["packet_id"] for row in rows})
        seen = {(row["packet_id"], row["part"]) for row in rows}
        if not any(sha256 in names for place, names in named.items() if place in seen):
            raise Refusal("not-found")
        found = examinations.material(connection, sha256)
    return Response(found, 200, {"X-Content-Type-Options": "nosniff"}, "application/octet-stream")


def _own(connection: Connection, request: Request, caller: Caller, document_id: str) -> frozenset[str] | None:
    """The deliveries that came with what this caller may read of; None: all. Raises ``not-found``."""
    own = insight(connection, caller.roster, caller.system, document_id, interface(request).desk.clock())
    return None if own is None else own.deliveries
