"""An agency whose software was installed long ago: it speaks the national gateway's dialect, and nobody changed it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clients.gateway_client import Answer, GatewayClient
from clients.hub_client import Received
from hub.demo.peers import Peer, Sent
from hub.domain import edxml
from hub.domain.document import Document, DocumentRef, Kind

_PAUSE = 0.1  # seconds between two lists: there is no waiting poll


@dataclass(kw_only=True)
class Installed(Peer):
    """Its letter box and its agent are two objects, as in the vendor's client, each with a map of headers of its own.

    REST is left to the story itself, which registers certificates by it and shows at the end what became of all.
    """

    box: GatewayClient
    agent: GatewayClient

    async def send(self, packet: bytes | Document) -> Sent:
        content = packet if isinstance(packet, bytes) else self.client.sign(packet)
        answer = self._expect(await asyncio.to_thread(self.agent.send_edoc, content, sender=self.code))
        told = self._expect(await asyncio.to_thread(self.agent.get_sent_edoc_list, "edoc", answer.doc_id))
        sent = Sent(answer.doc_id, tuple({"id": r["receiverDocId"], "to": r["toCode"]} for r in told.items), content)
        for delivery in sent.deliveries:
            self.books.acknowledged[delivery["id"]] = sent.id
        return sent

    async def report(self, status: str, ref: DocumentRef, *, sender: str = "") -> None:
        packet = self.client.sign(self.said(status, ref, sender))
        speaker, send = sender or self.code, self.box.send_edoc
        answer = self._expect(await asyncio.to_thread(send, packet, sender=speaker, message_type="status"))
        told = self._expect(await asyncio.to_thread(self.box.get_sent_edoc_list, "status", answer.doc_id))
        self.books.handed_on.update(row["receiverDocId"] for row in told.items if row["receiverDocId"])

    async def listen(self, stop: asyncio.Event) -> None:
        """List, get, keep, done, report; again and again."""
        while not stop.is_set():
            for message_type in ("edoc", "status"):
                listed = self._expect(await asyncio.to_thread(self.box.get_received_edoc_list, message_type))
                for item in listed.items:
                    await self._receive(item)
            await asyncio.sleep(_PAUSE)

    async def _receive(self, item: Mapping[str, Any]) -> None:
        delivery_id = str(item["docId"])
        packet = self._expect(await asyncio.to_thread(self.box.get_edoc, delivery_id)).packet
        self.kept[delivery_id] = Received(packet, "")
        self._expect(await asyncio.to_thread(self.box.update_status, delivery_id, "done"))
        tree = edxml.parse(packet)
        if item["messageType"] == "status":
            self.books.statuses[delivery_id] += 1
            said = edxml.read_status(tree)
            await self.hear(said.status, DocumentRef(said.sender.organ_id, document_id=said.response_for.document_id))
        else:
            self.books.received[delivery_id] += 1
            document = edxml.read_document(tree)
            ref = DocumentRef(document.sender.organ_id, document_id=document.document_id)
            await self.work(ref, addressed=str(item["to"]), new=document.kind is Kind.NEW)

    def _expect(self, answer: Answer) -> Answer:
        self.books.expect(answer.ok, f"{self.code}: {answer.code} {answer.description}")
        return answer
