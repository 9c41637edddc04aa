"""What a system receives: ``getReceivedEdocList``, ``getEdoc``, ``downloadEdoc``, ``updateStatus``, the counts.

List, get, done: no lease is taken, and a packet can be fetched in every state but withdrawn (exchange rules 6).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from hub.domain.turns import Turn, page
from hub.errors import Refusal
from hub.exchange import hand_over
from hub.exchange.examine import may_receive
from hub.gateway.answers import FINE, reply
from hub.gateway.call import Call, local_time, wrong
from hub.gateway.listings import PAGE
from hub.http import bodies
from hub.store import deliveries, documents, queue
from hub.store.engine import reading

log = structlog.get_logger()


async def get_received_edoc_list(call: Call) -> Response:
    """What waits for the system, a page of it (``hub.domain.turns.page``)."""
    await bodies.small_body(call.request)
    statuses = call.asks_for_statuses()
    after, until = call.moment("fromDate"), call.moment("toDate", end=True)
    system_id = call.system.id
    call.face.polls.note(system_id)

    def look() -> list[RowMapping]:
        with reading(call.face.desk.engine) as connection:

            def waiting(turn: Turn, most: int, newest: bool) -> list[str]:
                return queue.documents(connection, system_id, turn, most, newest=newest, after=after, until=until)

            if statuses:  # the oldest first, so that 03 never overtakes 01 (exchange rules 6)
                return queue.rows(connection, queue.statuses(connection, system_id, PAGE, after, until), statuses=True)
            return queue.rows(connection, page(waiting, PAGE), statuses=False)

    rows = await run_in_threadpool(look)
    # Statuses never sink: what comes later must not stand before them.
    sunk = () if statuses else call.listings.shown(call.system.id, [row["id"] for row in rows])
    if sunk:
        await call.face.desk.write(hand_over.sink, hand_over.Sink(call.system.id, sunk))
    return reply(FINE | {"data": [_listed(row) for row in rows]})


def _listed(row: RowMapping) -> dict[str, str]:
    changed = max(filter(None, (row["created_at"], row["again_at"], row["fetched_at"])))
    fetched = row["fetched_at"] is not None
    return {
        "docId": row["id"],
        "serviceType": "eDoc",
        "messageType": "edoc" if row["report_id"] is None else "status",
        "created_time": local_time(row["created_at"]),
        "updated_time": local_time(changed),
        "from": row["sender"],
        "to": row["addressed"],
        "status": "processing" if fetched else "initial",
        "status_desc": "Đã lấy, chưa xác nhận" if fetched else "Chưa xử lý",
    }


async def get_edoc(call: Call) -> Response:
    """The packet as Base64 in JSON; of a large one no more than a part is in memory."""
    await bodies.small_body(call.request)
    row, body = await _packet(call)
    if isinstance(body, bytes):
        return reply(FINE | {"data": base64.b64encode(body).decode()})
    head, tail = _HEAD, b'"}'
    length = len(head) + (row["size"] + 2) // 3 * 4 + len(tail)
    headers = {"Content-Length": str(length)}
    return StreamingResponse(_in_base64(head, body, tail), 200, headers, "application/json;charset=UTF-8")


_HEAD = json.dumps(FINE | {"data": ""}).encode()[:-2]


def _in_base64(head: bytes, parts: Iterable[bytes], tail: bytes) -> Iterator[bytes]:
    yield head
    rest = b""
    for part in parts:
        data = rest + part
        end = len(data) - len(data) % 3
        rest = data[end:]
        yield base64.b64encode(data[:end])
    yield base64.b64encode(rest) + tail


async def download_edoc(call: Call) -> Response:
    """The packet itself."""
    row, body = await _packet(call)
    headers = {"Content-Length": str(row["size"]), "X-Content-Type-Options": "nosniff"}
    if isinstance(body, bytes):
        return Response(body, 200, headers, "application/xml")
    return StreamingResponse(body, 200, headers, "application/xml")


async def _packet(call: Call) -> tuple[RowMapping, bytes | Iterator[bytes]]:
    delivery_id = call.id_of("docId", "docid")

    def find(connection: Connection) -> RowMapping:
        found = deliveries.get(connection, delivery_id)
        if found is None or not may_receive(call.roster, call.system, found, call.face.desk.clock()):
            raise Refusal("not-found")
        return documents.packet(connection, found.packet_id)

    row = await call.face.reads.of(find)
    body = await bodies.taken_out(call.face, call.system.id, row, (delivery_id,))
    call.listings.acted(call.system.id, delivery_id)
    return row, body


_VERBS: dict[str, Any] = {"processing": hand_over.processing, "done": hand_over.done, "fail": hand_over.failed}


async def update_status(call: Call) -> Response:
    """What became of a delivery at its recipient. Where both ``docid`` and ``docId`` are signed, ``docid`` is that of
    this call, for whoever uses it at all.
    """
    await bodies.small_body(call.request)
    delivery_id = call.id_of("docid", "docId")
    given = call.arguments.get("status", "")
    verb = _VERBS.get(given.lower())
    if verb is None:
        raise wrong("status", given, ", ".join(_VERBS))
    # Of another status it is what was said of another delivery: the client's map still has it.
    reason = call.arguments.get("description", "") if verb is hand_over.failed else ""
    job = hand_over.HandOver(call.system.id, delivery_id, reason=reason)
    answer = await call.face.desk.write(verb, job)
    call.listings.acted(call.system.id, delivery_id)
    structlog.contextvars.bind_contextvars(document=answer["document"])
    log.info(verb.__name__, delivery=delivery_id, state=answer["state"])
    return reply(FINE)


async def count_receive_edoc(call: Call) -> Response:
    """How many documents wait, listed or not."""
    return await _count(call, statuses=False)


async def count_receive_status(call: Call) -> Response:
    """How many status packets wait, listed or not."""
    return await _count(call, statuses=True)


async def _count(call: Call, *, statuses: bool) -> Response:
    await bodies.small_body(call.request)

    def look() -> int:
        with reading(call.face.desk.engine) as connection:
            return queue.count(connection, call.system.id, statuses=statuses)

    return reply(FINE | {"count": await run_in_threadpool(look)})
