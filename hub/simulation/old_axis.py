"""Failures that the national axis had in its first years, as its users told of them; each can be switched on."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api import shapes
from hub.domain import edxml, places
from hub.domain.document import Document, Kind
from hub.errors import Refusal
from hub.gateway.answers import FINE, reply
from hub.simulation.calls import OTHER, Heard, Intent, Row, as_json, hear, hear_list, read, refuse, rows_of, with_rows
from hub.simulation.known import Known, remember
from hub.simulation.ordered import Ordered

VPCP = "G22"  # Văn phòng Chính phủ
_LONGEST = 255  # characters


class OldAxis:
    """ASGI, around the exchange:

    * ``sender-is-always-vpcp``: lists name Văn phòng Chính phủ as sender and issuer of every document;
    * ``limit-255``: a document with a file name, subject or content of more characters is accepted, and reaches nobody;
    * ``duplicates-across-years``: a number and symbol of the sender's are taken if another year has them.
    """

    def __init__(self, app: ASGIApp, ordered: Ordered, known: Known) -> None:
        self._app, self._ordered, self._known = app, ordered, known
        self._unreachable: OrderedDict[str, None] = OrderedDict()  # packets, by SHA-256

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        on = self._ordered.old_axis
        intent = read(scope) if on else OTHER
        if intent.what == "send" and on & {"limit-255", "duplicates-across-years"}:
            await self._send(intent, scope, receive, send)
        elif intent.delivery and intent.delivery in await self._hidden([intent.delivery]):
            await refuse(scope, receive, send, Refusal("not-found"))
        elif intent.what == "list":
            heard = await hear_list(self._app, intent, scope, receive, self._hidden)
            await _told(intent, heard, on).say(send)
        elif intent.what == "show":
            heard = await hear(self._app, scope, receive)
            await _told(intent, heard, on).say(send)
        else:
            await self._app(scope, receive, send)

    async def _send(self, intent: Intent, scope: Scope, receive: Receive, send: Send) -> None:
        """A packet on its way in. Raises nothing of its own: what it refuses is refused by the hub, as a body is."""
        on = self._ordered.old_axis
        parts: list[bytes] = []
        too_long: list[Document] = []

        async def looking() -> Message:
            """The body as the hub takes it in: it has let the caller in by then, and keeps to its limits.

            Raises ``number-taken`` with its end, which the hub tells as any refusal of a body.
            """
            message = await receive()
            parts.append(message.get("body", b""))
            if message["type"] == "http.request" and not message.get("more_body", False):
                document = await asyncio.to_thread(_document, b"".join(parts))
                if document is not None and "duplicates-across-years" in on:
                    await self._check_number(document, intent.caller)
                if document is not None and "limit-255" in on and _is_too_long(document):
                    too_long.append(document)
                    self._hide(b"".join(parts))
            return message

        heard = await hear(self._app, scope, looking)
        if too_long and heard.refused() == {"name-too-long"}:
            await self._acknowledge(intent, too_long[0], b"".join(parts))(scope, receive, send)
        else:
            await heard.say(send)

    async def _check_number(self, document: Document, caller: str) -> None:
        """Raises ``number-taken`` for a new document whose number and symbol its sender has in another year."""
        first = await self._known.number_in_other_years(document, caller) if document.kind is Kind.NEW else ""
        if first:
            self._ordered.injected.counts["duplicates-across-years"] += 1
            facts = {"first": first}
            raise Refusal("number-taken", places.CODE, facts=facts, extra=facts)

    def _hide(self, body: bytes) -> None:
        """Before the hub has it whole: nobody may see it in between. The gateway's client appends a line end."""
        self._ordered.injected.counts["limit-255"] += 1
        for packet in (body, body.removesuffix(b"\r\n")):
            remember(self._unreachable, hashlib.sha256(packet).hexdigest(), None)

    def _acknowledge(self, intent: Intent, document: Document, packet: bytes) -> Response:
        """What the old axis said to a file name that this hub refuses; the packet is nowhere."""
        sha256 = hashlib.sha256(packet).hexdigest()
        if intent.method:
            return reply(FINE | {"DocId": sha256[:24]})
        body = {
            "id": sha256[:24],
            "document_id": document.document_id,
            "sha256": sha256,
            "accepted_at": self._ordered.clock(),
            "issuer": document.sender.organ_id,
            "issuer_basis": "from",
            "signature": {"standing": "signed", "signer": document.sender.organ_id},
            "warnings": [],
            "receipt": None,  # of what is in no log
            "added_receipts": [],
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

    async def _hidden(self, delivery_ids: list[str]) -> set[str]:
        if "limit-255" not in self._ordered.old_axis or not self._unreachable:
            return set()
        facts = await self._known.facts(delivery_ids)
        return {each for each, found in facts.items() if found.sha256 in self._unreachable}


def _told(intent: Intent, heard: Heard, on: frozenset[str]) -> Heard:
    """A list, or one entry, with the sender that the old axis named."""
    if "sender-is-always-vpcp" not in on or not heard.is_fine():
        return heard
    if intent.what == "show":
        return heard.with_body(as_json(intent, _by_vpcp(intent, heard.json())))
    return with_rows(intent, heard, [_by_vpcp(intent, row) for row in rows_of(intent, heard)])


def _by_vpcp(intent: Intent, row: Row) -> Row:
    if intent.is_status(row):
        return row
    if intent.method:
        return row | {"from": VPCP}
    return row | {"document": row["document"] | {"sender": VPCP, "issuer": VPCP}}


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
