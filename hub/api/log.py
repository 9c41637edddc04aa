"""The evidence log as anybody may read it: keys, checkpoint, timestamps, tiles, consistency.

It tells nobody who wrote to whom.

Paths and contents of ``/log/`` are those of C2SP tlog-tiles and tlog-checkpoint; existing log tools read them.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any

from fastapi import Path, Query, Request
from sqlalchemy import RowMapping
from starlette.responses import Response

from hub.api import evidence_answers, shapes
from hub.api.anybody import public_router
from hub.api.problems import problem, responses
from hub.domain.merkle import HASH_LENGTH, consistency_proof
from hub.domain.tiles import FULL, TileError, bundle, bundle_at, hashes_from, tile_at
from hub.errors import Refusal, violation
from hub.exchange import keys
from hub.http.interface import interface
from hub.store import evidence
from hub.store import log_timestamps as timestamps
from hub.store.engine import reading
from hub.store.tiles import Stored

operations = public_router("evidence")
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_NOW = {"Cache-Control": "no-cache"}


def _plain(what: str) -> dict[str, object]:
    return {"description": what, "content": {"text/plain": {"schema": {"type": "string"}}}}


@operations.get(
    "/.well-known/jwks.json",
    summary="Khóa kiểm tra biên nhận · Keys that receipts are verified with",
    responses=responses("busy", answer=evidence_answers.KeySet, called=False),
)
def jwks(request: Request) -> Response:
    """RFC 7517; keys that sign no longer too, so that old receipts stay verifiable."""
    with reading(interface(request).desk.engine) as connection:
        return shapes.reply(keys.jwks(connection))


@operations.get(
    "/log/keys",
    summary="Khóa kiểm tra sổ bằng chứng · Keys that checkpoints are verified with",
    response_class=Response,
    responses=responses("busy", answer=_plain("Verifier keys (C2SP signed-note), a line each"), called=False),
)
def log_keys(request: Request) -> Response:
    with reading(interface(request).desk.engine) as connection:
        return Response("".join(f"{key}\n" for key in keys.verifier_keys(connection)), 200, _NOW, _TEXT)


@operations.get(
    "/log/checkpoint",
    summary="Đầu sổ đã ký · The log's signed head",
    response_class=Response,
    responses=responses("not-found", "busy", answer=_plain("A signed note (C2SP tlog-checkpoint)"), called=False),
)
def checkpoint(request: Request) -> Response:
    """The newest; a log in which nothing is has none."""
    with reading(interface(request).desk.engine) as connection:
        head = evidence.head(connection)
    if head is None or not head["checkpoint"]:
        raise Refusal("not-found")
    return Response(head["checkpoint"], 200, _NOW, _TEXT)


@operations.get(
    "/log/consistency",
    summary="Sổ chỉ được nối dài · That the log was only appended to",
    responses=responses("request-invalid", "busy", answer=evidence_answers.Consistency, called=False),
)
def consistency(
    request: Request,
    first: Annotated[int, Query(ge=0, le=2**62, description="Size of an earlier checkpoint")],
    second: Annotated[int, Query(ge=0, le=2**62, description="Size of a later one, at most the newest")],
) -> Response:
    """RFC 9162 §2.1.4: that the tree of the second size begins with that of the first."""
    with reading(interface(request).desk.engine) as connection:
        head = evidence.head(connection)
        size = 0 if head is None else head["size"]
        if not first <= second <= size:
            raise Refusal("request-invalid", violations=[violation("log-size", "query.second", str(second), size=size)])
        proof = consistency_proof(first, second, hashes_from(size, Stored(connection)))
    return shapes.reply({"first": first, "second": second, "proof": [each.hex() for each in proof]})


@operations.get(
    "/log/timestamps",
    summary="Dấu thời gian của sổ · Timestamps on the log's checkpoints",
    responses=responses("request-invalid", "busy", answer=evidence_answers.Timestamps, called=False),
)
def log_timestamps(
    request: Request,
    below: Annotated[int | None, Query(ge=0, le=2**62, description="`next` of an earlier answer")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """RFC 3161, the newest first. None where the hub has no authority for them, or none has answered so far."""
    with reading(interface(request).desk.engine) as connection:
        rows = timestamps.page(connection, below, limit + 1)
    more = rows[limit - 1]["size"] if len(rows) > limit else None
    return shapes.reply({"items": [_timestamp(row) for row in rows[:limit]], "next": more})


@operations.get(
    "/log/timestamp/{size}",
    summary="Dấu thời gian cho sổ từ cỡ này · The timestamp on the log from this size on",
    responses=responses("not-found", "request-invalid", "busy", answer=evidence_answers.Timestamp, called=False),
)
def log_timestamp(
    request: Request,
    size: Annotated[int, Path(ge=0, le=2**62, description="Entries the tree must have; of index + 1 on, that entry")],
) -> Response:
    """The earliest on a tree with at least so many entries."""
    with reading(interface(request).desk.engine) as connection:
        row = timestamps.reaching(connection, size)
    if row is None:
        raise Refusal("not-found")
    return shapes.reply(_timestamp(row))


def _timestamp(row: RowMapping) -> dict[str, Any]:
    token = b64encode(row["token"]).decode()
    return {"size": row["size"], "at": row["at"], "checkpoint": row["checkpoint"], "token": token}


@operations.get("/log/tile/{path:path}", include_in_schema=False)  # its description is that of C2SP
def tile(path: str, request: Request) -> Response:
    """``<L>/<N>[.p/<W>]``: hashes; ``entries/<N>[.p/<W>]``: the entries below."""
    try:
        found = bundle_at(f"tile/{path}") if path.startswith("entries/") else tile_at(f"tile/{path}")
    except TileError:
        raise Refusal("not-found") from None
    level = evidence.ENTRIES if path.startswith("entries/") else found.level
    with reading(interface(request).desk.engine) as connection:
        stored = evidence.tile(connection, level, found.index) or b""
    data = stored[: found.width * HASH_LENGTH]
    if len(data) < found.width * HASH_LENGTH:
        missing = problem(Refusal("not-found"))
        missing.headers["Cache-Control"] = "no-store"  # it may be there a second later
        return missing
    if level == evidence.ENTRIES:
        data = bundle(data[at : at + HASH_LENGTH] for at in range(0, len(data), HASH_LENGTH))
    return Response(data, 200, _FOR_EVER if found.width == FULL else _NOW, _BYTES)
