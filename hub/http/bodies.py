"""What comes in and goes out as bytes: the declared form and length first, then the body (exchange rules 10); and a
packet handed out, its fetch on record before its first byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from hub.errors import Refusal
from hub.exchange import hand_over
from hub.http.interface import Interface, interface

log = structlog.get_logger()
PACE = 32 * 1024  # bytes a second, the least that a body may come at: a trickle would hold its room for ever


async def read_body(request: Request, size: int) -> bytes:
    """Exactly the declared bytes, or ``body-incomplete``.

    Raises ``body-late`` when the next part takes longer than ``body_timeout``, or the whole longer than that and
    ``size`` bytes take at ``PACE``.
    """
    face = interface(request)
    patience = face.settings.body_timeout
    late = face.elapsed() + patience + size / PACE
    parts: list[bytes] = []
    received, more = 0, True
    try:
        async with asyncio.timeout(patience) as limit:
            while more:
                message = await request.receive()
                received += len(message.get("body", b""))
                more = message.get("more_body", False)
                if message["type"] == "http.disconnect" or received > size:
                    raise Refusal("body-incomplete")
                if face.elapsed() > late:
                    raise Refusal("body-late")
                parts.append(message["body"])
                if more:
                    limit.reschedule(asyncio.get_running_loop().time() + patience)
    except TimeoutError:
        raise Refusal("body-late") from None
    if received != size:
        raise Refusal("body-incomplete")
    return b"".join(parts)


def declared(request: Request, limit: int, too_large: str, beside: int = 0) -> int:
    """The length of a body that may be read. ``too_large`` refuses one above ``limit`` bytes, and those
    ``beside`` that a dialect adds; ``content-encoding`` and ``length-required`` what is not declared plainly.
    """
    encoding = ", ".join(request.headers.getlist("content-encoding")).strip()
    if encoding.lower() not in {"", "identity"}:
        raise Refusal("content-encoding", "Content-Encoding", encoding, {"found": encoding[:40]})
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        raise Refusal("length-required")
    if len(length) > 12 or int(length) > limit + beside:
        raise Refusal(too_large, facts={"limit": limit})
    return int(length)


JSON_LIMIT = 64 * 1024  # bytes


async def small_body(request: Request) -> bytes:
    """A body of at most ``JSON_LIMIT`` bytes; empty where there is none. Raises ``json-too-large`` and what
    :func:`declared` and :func:`read_body` do.
    """
    size = declared(request, JSON_LIMIT, "json-too-large") if "content-length" in request.headers else 0
    if size == 0 and "transfer-encoding" in request.headers:
        raise Refusal("length-required")
    return await read_body(request, size) if size else b""


@asynccontextmanager
async def packet_of(request: Request, beside: int = 0) -> AsyncIterator[bytes]:
    """The packet in a request's body; it counts as in flight until the block ends.

    ``beside``: bytes that a dialect adds to every packet. Raises ``too-large``, ``busy``, ``storage-full``, and what
    :func:`declared` and :func:`read_body` do.
    """
    face = interface(request)
    size = declared(request, face.settings.packet_limit, "too-large", beside)
    face.disk.admit()
    with face.room(size):
        yield await read_body(request, size)


async def taken_out(
    face: Interface, system_id: str, row: Any, delivery_ids: tuple[str, ...]
) -> bytes | Iterator[bytes]:
    """The bytes of a packet's row, for a system whose deliveries of it are fetched by that (exchange rules 6).

    Raises ``packet-removed``, ``payloads-away`` and what :func:`fetched` does.
    """
    kept(row)
    place = row["place"]
    body: bytes | Iterator[bytes]
    body = row["body"] if place is None else await run_in_threadpool(face.desk.payloads.stream, place)
    if delivery_ids:
        await fetched(face, system_id, delivery_ids)
    return body


async def fetched(face: Interface, system_id: str, delivery_ids: tuple[str, ...]) -> None:
    """Put on record that these deliveries are handed out now; nothing may go out before that.

    Raises ``not-found``, ``not-authenticated`` and ``system-locked`` as ``hand_over.fetch`` does, ``storage-full``,
    ``database-away`` and ``busy`` where it cannot be written.
    """
    document = await face.desk.write(hand_over.fetch, hand_over.Fetch(system_id, delivery_ids))
    structlog.contextvars.bind_contextvars(document=document)
    log.info("fetched", deliveries=delivery_ids)


def kept(row: Any) -> None:
    """Raises ``packet-removed`` for a packet whose bytes were removed after their time."""
    if row["place"] == "":
        raise Refusal("packet-removed", facts={"sha256": row["sha256"]})
