"""The directory and certificates: ``/v1/agencies``."""

from __future__ import annotations

from typing import Annotated, Any

from cryptography.x509 import InvalidVersion, load_pem_x509_certificate
from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.api import answers, shapes
from hub.api.caller import Calling, json_body, json_of
from hub.api.problems import JSON, NO_NUL, responses
from hub.api.routes import router
from hub.domain.document import local_day
from hub.domain.search import fold
from hub.errors import Refusal
from hub.exchange import enrol
from hub.http.interface import interface
from hub.store import roster
from hub.store.engine import reading

operations = router("agencies")

Code = Annotated[str, Path(max_length=64, pattern=NO_NUL)]


@operations.get("/agencies", summary="Danh mục cơ quan · The directory", responses=responses(answer=answers.Agencies))
def agencies(
    request: Request,
    caller: Calling,
    q: Annotated[str, Query(max_length=200, description="Part of a name or code; marks do not matter")] = "",
    after: Annotated[str, Query(max_length=64, description="`next` of an earlier answer")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Listed agencies by code, with whether something is connected for them."""
    directory, today = caller.roster.directory, local_day(interface(request).desk.clock())
    wanted = fold(q)
    found: list[dict[str, Any]] = []
    for agency in directory.agencies:
        if agency.code <= after or (wanted and wanted not in fold(f"{agency.code} {agency.name}")):
            continue
        closed = directory.closed(agency.code, today)
        found.append(
            {
                "code": agency.code,
                "name": agency.name,
                "level": agency.level,
                "parent": agency.parent,
                "connected": directory.nearest(agency.code) is not None,
                "closed_on": closed.since if closed else None,
                "successor": directory.successor_of(agency.code, today),
                "uncertain": agency.uncertain,
            }
        )
        if len(found) == limit:
            break
    return shapes.reply({"items": found, "next": found[-1]["code"] if found else after or None})


@operations.get(
    "/agencies/{code}/certificates",
    summary="Chứng thư của cơ quan · Certificates that ever counted for an agency",
    responses=responses(answer=answers.Certificates),
)
def certificates(code: Code, request: Request, caller: Calling) -> Response:
    """Every certificate ever registered for the code, for those above it, and for its successor."""
    directory = caller.roster.directory
    successor = directory.successor_of(code, local_day(interface(request).desk.clock()))
    codes = dict.fromkeys([*directory.chain(code), *([successor] if successor else [])])  # who may have signed
    with reading(interface(request).desk.engine) as connection:
        rows = roster.certificates_of(connection, codes)
    items = [
        {
            "owner": row["code"],
            "fingerprint": row["fingerprint"],
            "subject": row["subject"],
            "serial": row["serial"],
            "from": row["since"],
            "until": row["until"],
            "pem": enrol.pem_of(row["der"]),
        }
        for row in rows
    ]
    return shapes.reply({"items": items, "next": None})


class Certificate(BaseModel):
    """A certificate to register. Signatures are Base64 over the statement of docs/signature.md."""

    model_config = ConfigDict(extra="forbid")

    certificate: str = Field(max_length=20_000, description="PEM")
    proof: str = Field(max_length=2_000, description="Signature by the certificate's key")
    one_time_code: str = Field("", max_length=200, description="From `hub enrol`, for the first certificate")
    endorsed_by: str = Field("", max_length=64, description="Fingerprint of an earlier certificate, for later ones")
    endorsement: str = Field("", max_length=2_000, description="Signature by the earlier certificate's key")


@operations.post(
    "/agencies/{code}/certificates",
    status_code=201,
    summary="Đăng ký chứng thư · Register a certificate",
    openapi_extra=json_body(Certificate),
    responses=responses(
        *JSON,
        "not-found",
        "possession-not-proved",
        "one-time-code-wrong",
        "certificate-invalid",
        "certificate-ended",
        "too-many-certificates",
        answer=answers.Registered,
        status=201,
    ),
)
async def register(code: Code, request: Request, caller: Calling) -> Response:
    """The first with the one-time code, later ones endorsed by an earlier: a stolen token enrols no key."""
    body = await json_of(request, Certificate)
    try:
        certificate = load_pem_x509_certificate(body.certificate.encode())
        # Parsed only on access, and needed by whoever registers or shows the certificate.
        _ = certificate.subject, certificate.issuer, certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except (ValueError, InvalidVersion):
        raise Refusal("certificate-invalid", "certificate", facts={"why": "PEM"}) from None
    job = enrol.Registration(
        caller.system.id,
        code,
        certificate,
        enrol.decode_signature(body.proof),
        body.one_time_code,
        body.endorsed_by,
        enrol.decode_signature(body.endorsement),
    )
    return shapes.reply(await interface(request).desk.write(enrol.register, job), 201)
