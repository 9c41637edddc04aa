"""What a system sends: ``sendEdoc``, and what became of it: ``getSentEdocList``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hub.domain.delivery import Transport
from hub.errors import Refusal, Violation
from hub.exchange.examine import Stated, is_sender, may_receive
from hub.gateway import signed
from hub.gateway.answers import FINE, reply, told_of
from hub.gateway.call import Call, local_time, wrong
from hub.gateway.listings import PAGE
from hub.http import bodies
from hub.store import deliveries, documents, queue
from hub.store.engine import reading

_APPENDED = b"\r\n"  # the client writes the file, and then this
_AT_ONCE = 1024 * 1024  # bytes hashed in the event loop; more would keep others waiting


async def send_edoc(call: Call) -> Response:
    """A document or, with ``messagetype`` status, a status packet. ``DocId``: the document's or the report's id.

    Raises ``gateway-body`` for a body that is not the signed one, and what the desk refuses.
    """
    hashes = call.arguments.get("hash-file", "").lower()
    if not hashes:
        raise Refusal("gateway-body")
    statuses = call.asks_for_statuses()
    stated = _stated(call, statuses)
    desk = call.face.desk
    async with bodies.packet_of(call.request, len(_APPENDED)) as packet:
        if len(packet) <= _AT_ONCE:
            packet = _that_is_meant(packet, hashes)
        else:
            packet = await run_in_threadpool(_that_is_meant, packet, hashes)
        if statuses:
            answer = (await desk.report(packet, call.system, call.trace_id, stated)).body
        else:
            answer = (await desk.accept(packet, call.system, call.trace_id, stated)).body
    said = {"DocId": answer["id"]}
    withdrawn = [each["to"] for each in answer["deliveries"] if each["state"] == Transport.WITHDRAWN]
    if withdrawn:  # here and in getSentEdocList: the hub writes no status packet in an agency's name
        said["ErrorDesc"] = f"{FINE['ErrorDesc']}. Đã rút khi nơi nhận chưa lấy: {', '.join(withdrawn)}"
    # No member of the contract: its client skips it, and whoever reads the wire finds what the hub noticed.
    warnings = {"warnings": [told_of(_violation(found)) for found in answer["warnings"]]}
    return reply(FINE | said | warnings)


def _violation(found: Violation | Mapping[str, Any]) -> Violation:
    return found if isinstance(found, Violation) else Violation(**found)


def _that_is_meant(body: bytes, hashes: str) -> bytes:
    """The file in a body: without one CR LF at its end, or as it is for whoever appends none. Raises ``gateway-body``
    where ``hash-file`` is neither's.
    """
    if body.endswith(_APPENDED):
        packet = body[: -len(_APPENDED)]
        if hashes in signed.hash_file(packet):
            return packet
    if hashes in signed.hash_file(body):
        return body
    raise Refusal("gateway-body")


def _stated(call: Call, statuses: bool) -> Stated:
    """``from`` and ``to``. A status packet names its parties itself; ``to`` may be an earlier document's."""
    sender = call.arguments.get("from", "").strip()
    if not sender.isprintable():  # it goes into what is kept of a refused packet, and from there to a terminal
        raise wrong("from", sender, "000.00.00.H41")
    return Stated(sender, () if statuses else _codes(call.arguments.get("to", "")))


def _codes(given: str) -> tuple[str, ...]:
    """The codes in ``to``: JSON, a list of texts or one text; or one code as it is."""
    if not given.strip():
        return ()
    try:
        found = json.loads(given)
    except (ValueError, RecursionError):
        found = given
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(code, str) and code.isprintable() for code in listed):
        raise wrong("to", given, '["000.00.00.H41"]')
    return tuple(code for code in listed if code.strip())


async def get_sent_edoc_list(call: Call) -> Response:
    """A row for each recipient: of the document or status packet ``docId``, or of all (``hub.store.queue.sent``)."""
    await bodies.small_body(call.request)
    statuses = call.asks_for_statuses()
    wanted = call.id_of("docId") if call.arguments.get("docId") else ""

    def look() -> list[dict[str, str]]:
        with reading(call.face.desk.engine) as connection:
            return _sent(connection, call, wanted, statuses)

    return reply(FINE | {"data": await run_in_threadpool(look)})


def _sent(connection: Connection, call: Call, wanted: str, statuses: bool) -> list[dict[str, str]]:
    now = call.face.desk.clock()
    if wanted:
        sent = documents.get(connection, wanted) or documents.report(connection, wanted)
        if sent is not None and is_sender(call.roster, call.system, sent, now):
            if "subject" in sent:
                return _rows(queue.sent_document(connection, wanted))
            return _rows(queue.sent_statuses(connection, [wanted]))
        received = deliveries.get(connection, wanted)
        own = received is not None and received.system_id == call.system.id  # also what was withdrawn meanwhile
        if received is None or not (own or may_receive(call.roster, call.system, received, now)):
            raise Refusal("not-found")
        # What it asked for last, and no filter: the client's map still has it.
    return _rows(queue.sent(connection, call.system.code, statuses=statuses, limit=PAGE))


# By transport state: receiveStatus, and what it means in words. A status packet that was not handed on has none.
_RECEIVED = {
    None: ("done", "Trục đã ghi nhận"),
    "waiting": ("initial", "Chưa nhận"),
    "taken": ("processing", "Đang nhận"),
    "delivered": ("done", "Đã nhận"),
    "failed": ("fail", "Nơi nhận không nhận được"),
    "expired": ("fail", "Hết hạn, nơi nhận chưa xác nhận"),
    "withdrawn": ("fail", "Đã rút khi nơi nhận chưa lấy"),
}
# QCVN 102 and the vendor's samples; beside the state, since a packet can be received and its document refused.
_PROCESSED = {
    "01": "đã đến",
    "02": "từ chối tiếp nhận",
    "03": "đã tiếp nhận",
    "04": "phân công xử lý",
    "05": "đang xử lý",
    "06": "hoàn thành",
    "cancelled": "đã thu hồi",
    "replaced": "đã thay thế",
}


def _rows(found: Iterable[RowMapping]) -> list[dict[str, str]]:
    return [_row(row) for row in found]


def _row(row: RowMapping) -> dict[str, str]:
    status = "code" in row  # of a status packet
    received, meaning = _RECEIVED[row["state"]]
    if row["state"] == "waiting" and row["fetched_at"] is not None:
        received, meaning = "processing", "Đã lấy, chưa xác nhận"
    parts = [meaning, row["reason"] or "", "" if status else _PROCESSED.get(row["status"], "")]
    return {
        "serviceType": "eDoc",
        "messageType": "status" if status else "edoc",
        "title": f"{row['code']}: {row['subject']}" if status else row["subject"],
        "notation": f"{row['number']}/{row['symbol']}",
        "fromCode": row["reporter"] if status else row["sender"],
        "toCode": row["addressed"] or row["addressee"],
        "senderDocId": row["sent"],
        "receiverDocId": row["id"] or "",
        "sentTime": local_time(row["at"]),
        "receivedTime": local_time(row["fetched_at"]),
        "sendStatus": "done",
        "sendStatusDesc": "Đã gửi",
        "receiveStatus": received,
        "receiveStatusDesc": "; ".join(part for part in parts if part),
    }
