"""Failures that the national axis had in its first years, as its users told of them; each can be switched on."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import OrderedDict

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api import shapes
from hub.domain import edxml, places
from hub.domain.document import Document, Kind
from hub.errors import Refusal
from hub.gateway.answers import FINE, reply
from hub.simulation.calls import OTHER, Asked, Heard, Row, as_json, hear, read, refuse, rows_of, with_rows
from hub.simulation.known import Known, remember
from hub.simulation.standing import Standing

VPCP = "G22"  # Văn phòng Chính phủ
_LONGEST = 255  # characters


class OldAxis:
    """ASGI, around the exchange:

    * ``sender-is-always-vpcp``: lists name Văn phòng Chính phủ as sender and issuer of every document;
    * ``limit-255``: a document with a file name, subject or content of more characters is accepted, and reaches nobody;
    * ``duplicates-across-years``: a number and symbol of the sender's are taken if another year has them.
    """

    def __init__(self, app: ASGIApp, standing: Standing, known: Known) -> None:
        self._app, self._standing, self._known = app, standing, known
        self._unreachable: OrderedDict[str, None] = OrderedDict()  # packets, by SHA-256

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        on = self._standing.old_axis
        asked = read(scope) if on else OTHER
        if asked.what == "send" and on & {"limit-255", "duplicates-across-years"}:
            await self._send(asked, scope, receive, send)
        elif asked.delivery and "limit-255" in on and asked.delivery in await self._hidden([asked.delivery]):
            await refuse(scope, receive, send, Refusal("not-found"))
        elif asked.what in ("list", "show"):
            heard = await hear(self._app, scope, receive)
            await (await self._told(asked, heard, on)).say(send)
        else:
            await self._app(scope, receive, send)

    async def _send(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        on = self._standing.old_axis
        body, again = await _read_ahead(receive)
        document = await asyncio.to_thread(_document, body)
        if document is not None and "duplicates-across-years" in on and document.kind is Kind.NEW:
            first = await self._known.number_in_other_years(document)
            if first:
                self._standing.injected.counts["duplicates-across-years"] += 1
                facts = {"first": first}
                await refuse(scope, again, send, Refusal("number-taken", places.CODE, facts=facts, extra=facts))
                return
        if document is not None and "limit-255" in on and _is_too_long(document):
            self._standing.injected.counts["limit-255"] += 1
            # Before the hub has it: nobody may see it in between. The gateway's client appends a line end to the file.
            for packet in (body, body.removesuffix(b"\r\n")):
                remember(self._unreachable, hashlib.sha256(packet).hexdigest(), None)
            heard = await hear(self._app, scope, again)
            if _refused_rules(heard) == {"name-too-long"}:
                await self._acknowledge(asked, document, body)(scope, again, send)
            else:
                await heard.say(send)
            return
        await self._app(scope, again, send)

    def _acknowledge(self, asked: Asked, document: Document, packet: bytes) -> Response:
        """What the old axis said to a file name that this hub refuses; the packet is nowhere."""
        sha256 = hashlib.sha256(packet).hexdigest()
        if asked.method:
            return reply(FINE | {"DocId": sha256[:24]})
        body = {
            "id": sha256[:24],
            "document_id": document.document_id,
            "sha256": sha256,
            "accepted_at": self._standing.clock(),
            "issuer": document.sender.organ_id,
            "issuer_basis": "from",
            "signature": {"standing": "signed", "signer": document.sender.organ_id},
            "warnings": [],
            "deliveries": [
                {
                    "id": hashlib.sha256(f"{sha256} {to.organ_id}".encode()).hexdigest()[:24],
                    "to": to.organ_id,
                    "state": "waiting",
                }
                for to in document.recipients
            ],
        }
        return shapes.reply(body, 201)

    async def _told(self, asked: Asked, heard: Heard, on: frozenset[str]) -> Heard:
        always_vpcp = "sender-is-always-vpcp" in on
        if not heard.is_fine():
            return heard
        if asked.what == "show":
            return heard.with_body(as_json(asked, _by_vpcp(asked, heard.json()))) if always_vpcp else heard
        rows = rows_of(asked, heard)
        hidden = await self._hidden([asked.id_of(row) for row in rows]) if "limit-255" in on else set()
        shown = [row for row in rows if asked.id_of(row) not in hidden]
        return with_rows(asked, heard, [_by_vpcp(asked, row) for row in shown] if always_vpcp else shown)

    async def _hidden(self, delivery_ids: list[str]) -> set[str]:
        if not self._unreachable:
            return set()
        facts = await self._known.facts(delivery_ids)
        return {each for each, found in facts.items() if found.sha256 in self._unreachable}


def _by_vpcp(asked: Asked, row: Row) -> Row:
    if asked.is_status(row):
        return row
    if asked.method:
        return row | {"from": VPCP}
    return row | {"document": row["document"] | {"sender": VPCP, "issuer": VPCP}}


def _refused_rules(heard: Heard) -> set[str]:
    """The rules for which a packet was refused; none where it was taken."""
    if heard.is_fine():
        return set()
    told = heard.json()
    if "violations" in told:
        return {each["rule"] for each in told["violations"] if each["severity"] == "error"}
    return set(re.findall(r"\[([a-z][a-z-]+)\]", told.get("ErrorDesc", "")))


def _document(body: bytes) -> Document | None:
    """What a body says; None where the hub will refuse it anyway."""
    try:
        return edxml.read_document(edxml.parse(body))
    except Refusal:
        return None


def _is_too_long(document: Document) -> bool:
    names = [attachment.name for attachment in document.attachments]
    names += [entry.name for entry in document.manifest]
    return any(len(text) > _LONGEST for text in (document.subject, document.content, *names))


async def _read_ahead(receive: Receive) -> tuple[bytes, Receive]:
    """The body, and a way to read it again."""
    messages: list[Message] = []
    while not messages or messages[-1].get("more_body", False):
        messages.append(await receive())
    waiting = iter(messages)

    async def again() -> Message:
        return next(waiting, None) or await receive()

    return b"".join(message.get("body", b"") for message in messages), again
