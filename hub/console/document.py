"""One document: its header and files, what its signatures are worth, every recipient, and one line of time.

Opening it and taking anything of it is put on record before it goes out. What a sender wrote is shown as text and
handed out as octets, never as something that a browser would run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy import Connection, RowMapping
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from hub.console import frame
from hub.console.access import Views
from hub.console.happened import happened, reasons
from hub.domain import edxml
from hub.domain.delivery import Standing, Status, Transport, overall
from hub.domain.document import Attachment, Kind, local_day
from hub.domain.filenames import safe_name
from hub.domain.operator import Operator
from hub.errors import Refusal
from hub.exchange import insight, keys
from hub.exchange.viewed import EVIDENCE, PACKET, View, is_recorded, viewed
from hub.http import bodies
from hub.http.interface import Interface, interface
from hub.store import counter, documents, evidence, examinations, log, story, views
from hub.store.engine import reading
from hub.store.story import Place, Scope

operations = APIRouter(include_in_schema=False)

_RECIPIENTS = 25  # of a page
_LINES = 100  # of a page of the time line
_LATE = 50  # deliveries that are looked at for what to tell at the top
_FEW = 20  # packets, links, views
_AT_ONCE = 2 << 20  # bytes of a packet that is opened for its list of files without being asked
_AS_TEXT = 256 << 10  # bytes of a packet that is shown as text
_ENTRIES = 1000  # of evidence in one file
_OCTETS = frame.HEADERS | {"Content-Security-Policy": "default-src 'none'; sandbox"}

Id = Annotated[str, Path(alias="id", pattern=r"^[0-9a-f]{24}$")]
PacketId = Annotated[str, Path(alias="packet", pattern=r"^[0-9a-f]{24}$")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What of it: recipients behind ``after`` in a ``state``, or one ``delivery``; the time line behind ``at``."""

    document_id: str
    after: str
    state: str
    delivery: str
    at: Place | None


@dataclass(slots=True)
class Page:
    """What the page shows, as it is stored."""

    document: RowMapping
    packets: list[RowMapping]
    states: list[RowMapping]
    rows: list[RowMapping]
    more: str  # the recipient behind which there are more
    lines: list[story.Line]
    further: Place | None
    late: list[RowMapping]
    acts_on: list[RowMapping]
    acted_on_by: list[RowMapping]
    references: list[RowMapping]  # one more than is shown, if there are more; so are those that answer it
    answered_by: list[RowMapping]
    answers: list[RowMapping]
    examined: list[RowMapping]
    pending: bool
    views: list[RowMapping]
    covered: int  # entries of the evidence log that its checkpoint covers
    files: tuple[Attachment, ...] | None = field(default=None)
    details: list[dict[str, Any]] = field(default_factory=list)


@operations.get("/console/documents/{id}")
async def show(
    request: Request,
    operator: Views,
    document_id: Id,
    after: Annotated[str, Query(max_length=64, pattern=frame.NO_NUL)] = "",
    state: Annotated[str, Query(max_length=10, pattern=frame.NO_NUL)] = "",
    delivery: Annotated[str, Query(max_length=24, pattern=frame.NO_NUL)] = "",
    at: Annotated[str, Query(max_length=100, pattern=frame.NO_NUL)] = "",
    files: bool = False,
) -> Response:
    """``files``: open the packet for its list of files, however large it is."""
    asked = Asked(document_id, after, state, delivery, _place(at))
    if not await _record(request, operator, document_id):
        return await find(request, operator, document_id)
    page = await frame.read(request, _page, asked)
    first = page.packets[0]
    if first["place"] != "" and (files or first["size"] <= _AT_ONCE):
        page.files = await _files(interface(request), first)
    directory = (await run_in_threadpool(interface(request).desk.rosters.current)).directory
    now = interface(request).desk.clock()
    told = [happened(request, line, first["id"]) for line in page.lines]
    standing = [Standing(Transport(row["state"]), Status(row["status"])) for row in page.states]
    return frame.render(
        request, "document.html", operator, page=page, asked=asked, told=told, packet=first, name=directory.name_of,
        kind=Kind(page.document["kind"]).word, reasons=reasons(request, page.late, directory, now),
        overall=overall(standing).value, recipients=sum(row["deliveries"] for row in page.states),
        counts=_counts(page.states), address=f"/console/documents/{document_id}", again=partial(frame.again, request),
        further=_written(page.further), parts_of=page.details, few=_FEW,
    )  # fmt: skip


def _page(connection: Connection, asked: Asked) -> Page:
    document = documents.get(connection, asked.document_id)
    assert document is not None  # documents are pared, never deleted
    rows, more, whole = _recipients(connection, asked)
    states = story.states(connection, asked.document_id)
    ids, codes = [row["id"] for row in rows], [row["recipient"] for row in rows]
    own = asked.document_id, document["sender"], document["document_id"]
    lines, further = story.time_line(connection, Scope(*own, ids, codes, whole), asked.at, _LINES)
    pending = examinations.is_pending(connection, asked.document_id)  # first: what comes meanwhile is in the rows
    examined = examinations.of_document(connection, asked.document_id, None)
    head = evidence.head(connection)
    return Page(
        document=document,
        packets=story.packets(connection, asked.document_id, _FEW),
        states=states,
        rows=rows,
        more=more,
        lines=lines,
        further=further,
        late=story.not_over(connection, asked.document_id, _LATE),
        acts_on=story.acts_on(connection, asked.document_id, _FEW),
        acted_on_by=story.acted_on_by(connection, asked.document_id, _FEW),
        references=story.references(connection, document, _FEW + 1),
        answered_by=story.answered_by(connection, document, _FEW + 1),
        answers=story.answers(connection, asked.document_id),
        examined=examined,
        pending=pending,
        views=views.of_document(connection, asked.document_id, _FEW),
        covered=head["size"] if head is not None else 0,
        details=[_detail(row) for row in examined],
    )


def _recipients(connection: Connection, asked: Asked) -> tuple[list[RowMapping], str, bool]:
    """Those of this page, the recipient behind which there are more, and whether these are all there are."""
    if asked.delivery:
        one = story.recipient(connection, asked.document_id, asked.delivery)
        return [one] if one is not None else [], "", False
    rows = story.recipients(connection, asked.document_id, after=asked.after, state=asked.state, most=_RECIPIENTS + 1)
    more = len(rows) > _RECIPIENTS
    rows = rows[:_RECIPIENTS]
    whole = not more and not asked.after and not asked.state
    return rows, rows[-1]["recipient"] if more else "", whole


def _counts(states: list[RowMapping]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in states:
        found[row["state"]] = found.get(row["state"], 0) + row["deliveries"]
    return found


def _detail(row: RowMapping) -> dict[str, Any]:
    """What an examination told, in one form for packets and files."""
    told: dict[str, Any] = json.loads(row["detail"])
    signatures = told.get("signatures", [])
    for each in signatures:
        each["at"] = datetime.fromisoformat(each["at"]) if each["at"] else None
    return {
        "part": row["part"], "name": row["name"], "sha256": row["sha256"], "verdict": row["verdict"], "at": row["at"],
        "steps": told.get("steps", []), "signatures": signatures, "why": told if "reason" in told else None,
    }  # fmt: skip


def _place(text: str) -> Place | None:
    """Where the time line goes on. Raises ``request-invalid``."""
    if not text:
        return None
    try:
        at, rank, key = text.split("~")
        return story.place(datetime.fromisoformat(at).astimezone(UTC), int(rank), key)
    except (ValueError, LookupError, OverflowError):
        raise Refusal("request-invalid") from None


def _written(place: Place | None) -> str:
    return "" if place is None else f"{place[0].isoformat()}~{place[1]}~{place[2]}"


async def _record(request: Request, operator: Operator, document_id: str, took: str = "") -> bool:
    """Put on record who looks, before anything goes out. False: there is no such document."""
    desk, job = interface(request).desk, View(document_id, operator.name, took)
    known = await frame.read(request, is_recorded, job, local_day(desk.clock()))
    if known is False:
        await desk.write(viewed, job)
    return known is not None


async def _packet(request: Request, document_id: str, packet_id: str) -> RowMapping:
    """Raises ``not-found``, ``packet-removed``."""
    row = await frame.read(request, story.packet_of, document_id, packet_id)
    if row is None:
        raise Refusal("not-found")
    bodies.kept(row)
    return row


@operations.get("/console/documents/{id}/packets/{packet}")
async def packet(request: Request, operator: Views, document_id: Id, packet_id: PacketId) -> Response:
    """The packet as it was received, every byte."""
    row = await _packet(request, document_id, packet_id)
    payloads = interface(request).desk.payloads
    body = row["body"] if row["place"] is None else await run_in_threadpool(payloads.stream, row["place"])
    await _record(request, operator, document_id, PACKET)
    headers = _OCTETS | {
        "Content-Disposition": frame.attachment(f"{packet_id}.edxml"),
        "Content-Length": str(row["size"]),
    }
    if row["place"] is None:
        return Response(body, 200, headers, "application/octet-stream")
    return StreamingResponse(body, 200, headers, "application/octet-stream")


@operations.get("/console/documents/{id}/packets/{packet}/text")
async def as_text(request: Request, operator: Views, document_id: Id, packet_id: PacketId) -> Response:
    """The same as text, its beginning where it is large."""
    row = await _packet(request, document_id, packet_id)
    face = interface(request)
    with face.room(row["size"]):
        body = await run_in_threadpool(_octets, face, row)
    await _record(request, operator, document_id, PACKET)
    told = body[:_AS_TEXT].decode("utf-8", "replace")
    return frame.render(
        request, "document_packet.html", operator, packet=row, text=told, cut=len(body) > _AS_TEXT,
        address=f"/console/documents/{document_id}",
    )  # fmt: skip


@operations.get("/console/documents/{id}/packets/{packet}/attachments/{n}")
async def attachment(request: Request, operator: Views, document_id: Id, packet_id: PacketId, n: int) -> Response:
    """The n-th file, from 1, out of its wrapping."""
    row = await _packet(request, document_id, packet_id)
    found = await _files(interface(request), row)
    if found is None or not 1 <= n <= len(found):
        raise Refusal("not-found")
    await _record(request, operator, document_id, str(n))
    headers = _OCTETS | {"Content-Disposition": frame.attachment(safe_name(found[n - 1].name))}
    return Response(found[n - 1].content, 200, headers, "application/octet-stream")


def _octets(face: Interface, row: RowMapping) -> bytes:
    body: bytes = row["body"] if row["place"] is None else face.desk.payloads.get(row["place"])
    return body


async def _files(face: Interface, row: RowMapping) -> tuple[Attachment, ...] | None:
    """The files of a packet, given without its bytes or with them; None where they cannot be had."""

    def work() -> tuple[Attachment, ...] | None:
        with_bytes = row
        if "body" not in row:
            with reading(face.desk.engine) as connection:
                with_bytes = documents.packet(connection, row["id"])
        limits = face.desk.terms.limits
        try:
            tree = edxml.parse(_octets(face, with_bytes), limits)
            return () if edxml.is_status(tree) else edxml.read_document(tree, limits).attachments
        except (FileNotFoundError, Refusal):  # the store has lost it, or the hub reads it no longer
            return None

    with face.room(row["size"]):
        return await run_in_threadpool(work)


@operations.get("/console/documents/{id}/evidence")
async def proofs(
    request: Request, operator: Views, document_id: Id, after: Annotated[int, Query(ge=0, lt=2**63)] = 0
) -> Response:
    """What the hub recorded of the document, with receipts, proofs, checkpoint and keys: JSON in a file."""
    if not await _record(request, operator, document_id, EVIDENCE):
        raise Refusal("not-found")
    found = await frame.read(request, _proofs, document_id, after)
    headers = _OCTETS | {"Content-Disposition": frame.attachment(f"{document_id}-evidence.json")}
    text = json.dumps(found, ensure_ascii=False, indent=1, default=lambda moment: moment.isoformat())
    return Response(text, 200, headers, "application/octet-stream")


def _proofs(connection: Connection, document_id: str, after: int) -> dict[str, Any]:
    until, head = counter.last(connection), evidence.head(connection)
    size = head["size"] if head is not None else 0
    rows = evidence.of_document(connection, document_id, None, after, until, _ENTRIES + 1)
    return {
        "items": insight.leaves(connection, rows[:_ENTRIES], size),
        "checkpoint": head["checkpoint"] if head is not None else None,
        "next": rows[_ENTRIES - 1]["seq"] if len(rows) > _ENTRIES else None,
        "keys": keys.jwks(connection),
        "log": keys.verifier_keys(connection),
    }


@operations.get("/console/documents/{key:path}")
async def find(request: Request, _operator: Views, key: str) -> Response:
    """The document of any id, or of a DocumentId, which may have slashes; a refused packet is found too."""
    wanted = key.strip()[:500].replace("\0", "")
    document_id = await frame.read(request, log.find_document, wanted)
    if document_id is not None and document_id != key:
        return frame.to(f"/console/documents/{document_id}")
    if await frame.read(request, log.refusal, wanted) is not None:
        return frame.to(f"/console/refusals/{wanted}")
    raise Refusal("id-unknown", "id", key, {"key": key[:80]})
