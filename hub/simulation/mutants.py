"""Wrong hubs, for the judge to find out: each loses, doubles, misroutes … a share of the deliveries.

A delivery is struck by its id, so it stays struck as long as its order stands. What a mutant needs to know of a
delivery is in memory: of more than ``known.MOST`` the oldest are forgotten, and a restart forgets all.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections import OrderedDict
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api import shapes
from hub.errors import Refusal
from hub.gateway.answers import FINE, reply
from hub.simulation.calls import OTHER, Heard, Intent, Row, as_json, hear, hear_list, read, refuse, rows_of, with_rows
from hub.simulation.known import Kept, Known, remember
from hub.simulation.ordered import Ordered
from hub.simulation.reorder import Reorder

_DIGIT = re.compile(rb"<[^>]*>|&[^;]*;|([0-9])")  # of text: names of elements and &#…; must stay what they are


@dataclass(slots=True)
class _Stray:
    """A delivery that is listed to a stranger too: the first other system, of its dialect, that lists."""

    row: Row
    owner: str
    stranger: str = ""


class Mutants:
    """ASGI, around the exchange."""

    def __init__(self, app: ASGIApp, ordered: Ordered, known: Known) -> None:
        self._app, self._ordered, self._known = app, ordered, known
        self._counted: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._listed: OrderedDict[str, tuple[str, Row]] = OrderedDict()  # to whom; to be listed again once done
        self._again: Kept[Row] = Kept()
        self._strays: OrderedDict[str, _Stray] = OrderedDict()
        self._unseen: OrderedDict[str, _Stray] = OrderedDict()  # of them, those that no stranger was listed yet
        self._misrouted: Kept[Row] = Kept()  # of them, those that their stranger has not done yet
        self._reorder = Reorder()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shares = self._ordered.mutants
        intent = read(scope) if shares.any else OTHER
        if shares.strikes("answer-late", scope["state"]["mark"]):
            self._ordered.injected.counts["answer-late"] += 1
            send = _late(send, shares.answer_late_seconds)
        stray = self._strays.get(intent.delivery)
        if intent.delivery and self._strikes("lose", intent.delivery):
            await refuse(scope, receive, send, Refusal("not-found"))
        elif stray is not None and stray.stranger == intent.caller and intent.what in ("fetch", "done"):
            await self._by_stranger(intent, scope, receive, send)
        elif intent.what == "list":
            heard = await hear_list(self._app, intent, scope, receive, self._lost)
            await (await self._list(intent, heard) if heard.is_fine() else heard).say(send)
        elif intent.what == "fetch" and self._strikes("corrupt", intent.delivery):
            heard = await hear(self._app, scope, receive)
            await (_corrupt(intent, heard) if heard.is_fine() else heard).say(send)
        elif intent.what == "done":
            heard = await hear(self._app, scope, receive)
            if heard.is_fine():
                self._done(intent)
            await heard.say(send)
        else:
            await self._app(scope, receive, send)

    def _strikes(self, name: str, delivery: str) -> bool:
        if not self._ordered.mutants.strikes(name, delivery):
            return False
        if (name, delivery) not in self._counted:
            remember(self._counted, (name, delivery), None)
            self._ordered.injected.counts[name] += 1
        return True

    async def _lost(self, delivery_ids: list[str]) -> set[str]:
        return {each for each in delivery_ids if self._strikes("lose", each)}

    async def _list(self, intent: Intent, heard: Heard) -> Heard:
        rows = rows_of(intent, heard)
        for row in rows:
            delivery = intent.id_of(row)
            if self._strikes("double", delivery):
                remember(self._listed, delivery, (intent.caller, row))
            if delivery not in self._strays and self._strikes("misroute", delivery):
                stray = _Stray(row, intent.caller)
                remember(self._strays, delivery, stray)
                remember(self._unseen, delivery, stray)
        if self._ordered.mutants.reorder:
            rows = await self._reordered(intent, rows)
        self._misroute(intent)
        own = {intent.id_of(row) for row in rows}
        more = self._again.of(intent.caller) + self._misrouted.of(intent.caller)
        rows += [row for row in more if intent.lists(row) and intent.id_of(row) not in own]
        return with_rows(intent, heard, rows)

    def _misroute(self, intent: Intent) -> None:
        for delivery, stray in list(self._unseen.items()):
            if stray.owner != intent.caller and intent.speaks_as(stray.row):
                del self._unseen[delivery]
                stray.stranger = intent.caller
                self._misrouted.put(intent.caller, delivery, stray.row)

    async def _reordered(self, intent: Intent, rows: list[Row]) -> list[Row]:
        statuses = [intent.id_of(row) for row in rows if intent.is_status(row)]
        facts = await self._known.facts(statuses)
        pairs = {each: f"{found.document} {found.sender}" for each, found in facts.items()}
        struck = {each: pair for each, pair in pairs.items() if self._strikes("reorder", pair)}
        return self._reorder.listed(intent, rows, struck)

    def _done(self, intent: Intent) -> None:
        self._reorder.done(intent.delivery)
        if not self._again.drop(intent.delivery) and intent.delivery in self._listed:
            caller, row = self._listed.pop(intent.delivery)
            self._again.put(caller, intent.delivery, row)

    async def _by_stranger(self, intent: Intent, scope: Scope, receive: Receive, send: Send) -> None:
        """What a stranger asks of a delivery, once the hub itself has let it in and found the delivery not its own."""
        downloads = intent.method == "downloadEdoc"
        if downloads:  # all its refusals are alike; the signature of the call is good for getEdoc, which tells why
            told = {"path": "/axis/getEdoc", "raw_path": b"/axis/getEdoc", "method": "POST"}
            heard = await hear(self._app, {**scope, **told}, receive)
        else:
            heard = await hear(self._app, scope, receive)
        if "not-found" in heard.refused():
            try:
                answer = await self._to_stranger(intent)
            except Refusal as refusal:
                await refuse(scope, receive, send, refusal)
            else:
                await answer(scope, receive, send)
        elif downloads:
            await self._app(scope, receive, send)
        else:
            await heard.say(send)

    async def _to_stranger(self, intent: Intent) -> Response:
        """Raises what ``Known.packet`` does."""
        facts = (await self._known.facts([intent.delivery]))[intent.delivery]
        if intent.what == "done":
            self._misrouted.drop(intent.delivery)
            said = {"id": intent.delivery, "document": facts.document, "state": "delivered"}
            return reply(FINE) if intent.method else shapes.reply(said)
        packet = await self._known.packet(facts.packet)
        if intent.method == "getEdoc":
            return reply(FINE | {"data": base64.b64encode(packet).decode()})
        return Response(packet, headers={"X-Packet-SHA256": facts.sha256}, media_type="application/xml")


def _late(send: Send, seconds: float) -> Send:
    async def later(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(seconds)
        await send(message)

    return later


def _corrupt(intent: Intent, heard: Heard) -> Heard:
    if intent.method != "getEdoc":
        return heard.with_body(_with_another_digit(heard.body))
    packet = _with_another_digit(base64.b64decode(heard.json()["data"]))
    return heard.with_body(as_json(intent, heard.json() | {"data": base64.b64encode(packet).decode()}))


def _with_another_digit(packet: bytes) -> bytes:
    """One digit of text, from the middle on, becomes another: a packet stays well-formed."""
    middle = packet.rfind(b"<", 0, len(packet) // 2)
    found = _digit(packet, max(middle, 0))
    if found is None:
        found = _digit(packet, 0)
    if found is None:
        return packet
    other = b"1" if packet[found : found + 1] == b"0" else b"0"
    return packet[:found] + other + packet[found + 1 :]


def _digit(packet: bytes, begin: int) -> int | None:
    return next((found.start() for found in _DIGIT.finditer(packet, begin) if found[1]), None)
