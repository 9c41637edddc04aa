"""What the hub judges certificates by, for whoever puts evidence together: authorities, and their revocation data."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Request
from pydantic import Field
from starlette.responses import Response

from hub.api import shapes
from hub.api.answers import Cursor, Digest, Shape
from hub.api.caller import Calling
from hub.api.problems import responses
from hub.api.routes import router
from hub.errors import Refusal
from hub.http.interface import interface
from hub.store import trust
from hub.store.engine import reading

operations = router("evidence")
_DER = "application/octet-stream"


class Ground(Shape):
    """A certificate of an authority, a CRL or an OCSP answer."""

    kind: Literal["root", "intermediate", "crl", "ocsp"]
    sha256: Digest
    about: Digest | None = Field(description="Of an OCSP answer: SHA-256 of the certificate it is about")


class Grounds(Shape):
    """What certificates are judged by now."""

    items: list[Ground]
    next: Cursor


@operations.get(
    "/trust",
    summary="Căn cứ xét chứng thư · What certificates are judged by",
    responses=responses(answer=Grounds),
)
def grounds(request: Request, caller: Calling) -> Response:  # noqa: ARG001  (whoever is enrolled)
    """The authorities the hub trusts, and what it keeps about revocation. What a verdict was reached from stays with
    the verdict (`/v1/documents/{id}/examinations`).
    """
    with reading(interface(request).desk.engine) as connection:
        rows = trust.grounds(connection)
    items = [
        {"kind": row.kind, "sha256": row.sha256, "about": row.about if row.kind == "ocsp" else None} for row in rows
    ]
    return shapes.reply({"items": items, "next": None})


@operations.get(
    "/trust/{sha256}",
    summary="Chứng thư, CRL, trả lời OCSP · A certificate, CRL or OCSP answer of these",
    response_class=Response,
    responses=responses("not-found", answer={"description": "DER, byte for byte", "content": {_DER: {}}}),
)
def ground(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    request: Request,
    caller: Calling,  # noqa: ARG001  (whoever is enrolled)
) -> Response:
    """One of them, by its SHA-256."""
    with reading(interface(request).desk.engine) as connection:
        found = trust.ground(connection, sha256)
    if found is None:
        raise Refusal("not-found")
    return Response(found, 200, {"X-Content-Type-Options": "nosniff"}, _DER)
