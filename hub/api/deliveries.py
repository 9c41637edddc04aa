"""Receiving: ``/v1/inbox``, ``/v1/deliveries``, ``/v1/outbox``."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

import structlog
from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.responses import Response

from hub.api import answers, shapes
from hub.api.caller import Caller, Calling, Id, json_body, json_of
from hub.api.documents import PACKET_ANSWER, hand_out
from hub.api.problems import JSON, NO_NUL, responses
from hub.api.routes import directly, router
from hub.errors import Refusal
from hub.exchange import hand_over
from hub.exchange.examine import may_receive
from hub.http.interface import interface
from hub.store import deliveries, documents

log = structlog.get_logger()
operations = router("deliveries")

_LOOK_AGAIN = 5.0  # seconds: on SQLite another process's commit rings no bell here
_MOST_WAIT = 60
_MOST_ITEMS = 500

After = Annotated[
    str | None, Query(description="`next` of an earlier answer; without it the oldest first", max_length=64)
]
Limit = Annotated[int, Query(ge=1, le=_MOST_ITEMS, description="Items at most")]
_PAIR = re.compile(r"(after)=([A-Za-z0-9_-]{1,64})|(limit)=([1-9][0-9]{0,2})|(wait)=([0-9]{1,2})")


def _takes_id(delivery_id: str, _query: str) -> dict[str, Any] | None:
    return {"delivery_id": delivery_id} if delivery_id else None


def _takes_page(_id: str, query: str) -> dict[str, Any] | None:
    """``after``, ``limit`` and ``wait``, plainly within their bounds; of two the last counts, as in the framework."""
    found: dict[str, Any] = {}
    for pair in query.split("&") if query else ():
        parts = _PAIR.fullmatch(pair)
        if parts is None:
            return None
        name, value = filter(None, parts.groups())
        found[name] = value if name == "after" else int(value)
    return None if found.get("limit", 1) > _MOST_ITEMS or found.get("wait", 0) > _MOST_WAIT else found


@operations.get("/inbox", summary="Hộp đến · What waits for this system", responses=responses(answer=answers.Inbox))
@directly(_takes_page)
async def inbox(
    request: Request,
    caller: Calling,
    after: After = None,
    limit: Limit = 100,
    wait: Annotated[float, Query(ge=0, le=_MOST_WAIT, description="Seconds to wait for the first item")] = 0,
) -> Response:
    """Waiting deliveries, oldest first; claims nothing. With ``wait`` an empty inbox answers when something comes."""
    face = interface(request)
    seq = shapes.read_cursor(after)
    system = caller.system.id
    face.polls.note(system)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (wait if face.bell.waiting(system) < face.settings.polls_per_system else 0)

    def look(connection: Connection) -> list[Any]:
        return deliveries.inbox(connection, system, seq, limit)

    with face.bell.listen(system) as rung:
        while True:
            rung.clear()
            rows = await face.reads.of(look)
            left = deadline - loop.time()
            # A client that is gone would hold one of its system's waiting polls until the end.
            if rows or left <= 0 or face.bell.closing or await request.is_disconnected():
                break
            try:
                await asyncio.wait_for(rung.wait(), min(left, _LOOK_AGAIN))
            except TimeoutError:
                continue
    items = [shapes.inbox_item(row) for row in rows]
    return shapes.reply(shapes.page(items, after, rows[-1]["seq"] if rows else None))


@operations.get(
    "/outbox",
    summary="Diễn biến văn bản đã gửi · What happened to the documents this system sent",
    responses=responses(answer=answers.Outbox),
)
@directly(lambda named, query: None if "wait" in query else _takes_page(named, query))
async def outbox(request: Request, caller: Calling, after: After = None, limit: Limit = 100) -> Response:
    """Delivered, reported, failed, expired, withdrawn, opened again: what became of the sent documents, in order."""
    seq = shapes.read_cursor(after)
    rows = await interface(request).reads.of(lambda c: deliveries.outbox(c, caller.system.code, seq, limit))
    items = [shapes.outbox_item(row) for row in rows]
    return shapes.reply(shapes.page(items, after, rows[-1]["seq"] if rows else None))


@operations.get(
    "/deliveries/{id}",
    summary="Một bản chuyển · One delivery",
    responses=responses("not-found", answer=answers.InboxItem),
)
@directly(_takes_id)
async def show(delivery_id: Id, request: Request, caller: Calling) -> Response:
    """One delivery of this system, in whatever state, as the inbox tells it."""

    def find(connection: Connection) -> Any:
        _mine(connection, request, caller, delivery_id)
        return deliveries.described(connection, delivery_id)

    row = await interface(request).reads.of(find)
    if row is None:
        raise Refusal("not-found")
    return shapes.reply(shapes.inbox_item(row))


@operations.get(
    "/deliveries/{id}/packet",
    summary="Gói tin, nguyên từng byte · The packet, byte for byte",
    response_class=Response,
    responses=responses("not-found", "packet-removed", "payloads-away", answer=PACKET_ANSWER),
)
@directly(_takes_id)
async def packet(delivery_id: Id, request: Request, caller: Calling) -> Response:
    """A document or status packet; from its first byte on it counts as fetched by this system."""
    face = interface(request)

    def find(connection: Connection) -> Any:
        return documents.packet(connection, _mine(connection, request, caller, delivery_id).packet_id)

    return await hand_out(face, caller, await face.reads.of(find), (delivery_id,))


def _mine(connection: Connection, request: Request, caller: Caller, delivery_id: str) -> deliveries.Delivery:
    found = deliveries.get(connection, delivery_id)
    if found is None or not may_receive(caller.roster, caller.system, found, interface(request).desk.clock()):
        raise Refusal("not-found")
    return found


class Holding(BaseModel):
    """What a recipient says of a delivery."""

    model_config = ConfigDict(extra="forbid")

    lease: str | None = Field(
        None, max_length=64, description="The lease from `taken`; there, a name for it of 24 hex digits"
    )
    reason: str = Field("", max_length=1000, pattern=NO_NUL, description="Why the packet cannot be taken (`failed`)")


@operations.post(
    "/deliveries/{id}/taken",
    summary="Giữ bản chuyển · Claim a delivery",
    openapi_extra=json_body(Holding),
    responses=responses(*JSON, "not-found", "lease-held", "delivery-final", answer=answers.Lease),
)
@directly(_takes_id)
async def taken(delivery_id: Id, request: Request, caller: Calling) -> Response:
    """``{id, lease, until}``: no other process of this system is handed the delivery until then."""
    return await _write(request, caller, hand_over.claim, delivery_id)


@operations.post(
    "/deliveries/{id}/done",
    summary="Đã lưu xong · The packet is safe",
    openapi_extra=json_body(Holding),
    responses=responses(*JSON, "not-found", "lease-lost", "delivery-not-fetched", answer=answers.Done),
)
@directly(_takes_id)
async def done(delivery_id: Id, request: Request, caller: Calling) -> Response:
    """The recipient has stored the packet. Safe to repeat."""
    return await _write(request, caller, hand_over.done, delivery_id)


@operations.post(
    "/deliveries/{id}/failed",
    summary="Không nhận được · The packet cannot be taken",
    openapi_extra=json_body(Holding),
    responses=responses(*JSON, "not-found", "lease-lost", "delivery-final", answer=answers.Failed),
)
@directly(_takes_id)
async def failed(delivery_id: Id, request: Request, caller: Calling) -> Response:
    """Before the first fetch an attempt, of which the fifth fails the delivery; after it the delivery fails at once."""
    return await _write(request, caller, hand_over.failed, delivery_id)


async def _write(request: Request, caller: Caller, verb: Any, delivery_id: str) -> Response:
    said = await json_of(request, Holding)
    job = hand_over.HandOver(caller.system.id, delivery_id, said.lease, said.reason)
    answer = await interface(request).desk.write(verb, job)
    structlog.contextvars.bind_contextvars(document=answer["document"])
    log.info(verb.__name__, delivery=delivery_id, state=answer.get("state", "taken"))
    return shapes.reply(answer)
