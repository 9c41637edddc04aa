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
from hub.simulation.calls import OTHER, Asked, Heard, Row, as_json, hear, read, refuse, rows_of, with_rows
from hub.simulation.known import Known, remember
from hub.simulation.reorder import Reorder
from hub.simulation.standing import Standing

_DIGIT = re.compile(rb"[0-9]")


@dataclass(slots=True)
class _Stray:
    """A delivery that is listed to a stranger too: the first other system, of its dialect, that lists."""

    row: Row
    owner: str
    stranger: str = ""
    over: bool = False


class Mutants:
    """ASGI, around the exchange."""

    def __init__(self, app: ASGIApp, standing: Standing, known: Known) -> None:
        self._app, self._standing, self._known = app, standing, known
        self._counted: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._listed: OrderedDict[str, tuple[str, Row]] = OrderedDict()  # to whom; to be listed again once done
        self._again: OrderedDict[str, tuple[str, Row]] = OrderedDict()
        self._strays: OrderedDict[str, _Stray] = OrderedDict()
        self._reorder = Reorder()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shares = self._standing.mutants
        asked = read(scope) if shares.any else OTHER
        if shares.strikes("answer-late", scope["state"]["mark"]):
            self._standing.injected.counts["answer-late"] += 1
            send = _late(send, shares.answer_late_seconds)
        stray = self._strays.get(asked.delivery)
        if asked.delivery and self._strikes("lose", asked.delivery):
            await refuse(scope, receive, send, Refusal("not-found"))
        elif stray is not None and stray.stranger == asked.caller and asked.what in ("fetch", "done"):
            await (await self._to_stranger(asked, stray))(scope, receive, send)
        elif asked.what == "list":
            heard = await hear(self._app, scope, receive)
            await (await self._list(asked, heard) if heard.is_fine() else heard).say(send)
        elif asked.what == "fetch" and self._strikes("corrupt", asked.delivery):
            heard = await hear(self._app, scope, receive)
            await (_corrupt(asked, heard) if heard.is_fine() else heard).say(send)
        elif asked.what == "done":
            heard = await hear(self._app, scope, receive)
            if heard.is_fine():
                self._done(asked)
            await heard.say(send)
        else:
            await self._app(scope, receive, send)

    def _strikes(self, name: str, delivery: str) -> bool:
        if not self._standing.mutants.strikes(name, delivery):
            return False
        if (name, delivery) not in self._counted:
            remember(self._counted, (name, delivery), None)
            self._standing.injected.counts[name] += 1
        return True

    async def _list(self, asked: Asked, heard: Heard) -> Heard:
        rows = [row for row in rows_of(asked, heard) if not self._strikes("lose", asked.id_of(row))]
        for row in rows:
            delivery = asked.id_of(row)
            if self._strikes("double", delivery):
                remember(self._listed, delivery, (asked.caller, row))
            if delivery not in self._strays and self._strikes("misroute", delivery):
                remember(self._strays, delivery, _Stray(row, asked.caller))
        if self._standing.mutants.reorder:
            rows = await self._reordered(asked, rows)
        own = {asked.id_of(row) for row in rows}
        more = [row for caller, row in self._again.values() if caller == asked.caller]
        more += [stray.row for stray in self._strays.values() if self._is_misrouted_to(asked, stray)]
        rows += [row for row in more if asked.lists(row) and asked.id_of(row) not in own]
        return with_rows(asked, heard, rows)

    def _is_misrouted_to(self, asked: Asked, stray: _Stray) -> bool:
        if not stray.stranger and stray.owner != asked.caller and asked.speaks_as(stray.row):
            stray.stranger = asked.caller
        return stray.stranger == asked.caller and not stray.over

    async def _reordered(self, asked: Asked, rows: list[Row]) -> list[Row]:
        statuses = [asked.id_of(row) for row in rows if asked.is_status(row)]
        facts = await self._known.facts(statuses)
        pairs = {each: f"{found.document} {found.reporter}" for each, found in facts.items()}
        struck = {each: pair for each, pair in pairs.items() if self._strikes("reorder", pair)}
        return self._reorder.listed(asked, rows, struck)

    def _done(self, asked: Asked) -> None:
        self._reorder.done(asked.delivery)
        if asked.delivery in self._again:
            del self._again[asked.delivery]
        elif asked.delivery in self._listed:
            remember(self._again, asked.delivery, self._listed.pop(asked.delivery))

    async def _to_stranger(self, asked: Asked, stray: _Stray) -> Response:
        facts = (await self._known.facts([asked.delivery]))[asked.delivery]
        if asked.what == "done":
            stray.over = True
            said = {"id": asked.delivery, "document": facts.document, "state": "delivered"}
            return reply(FINE) if asked.method else shapes.reply(said)
        packet = await self._known.packet(facts.packet)
        if asked.method == "getEdoc":
            return reply(FINE | {"data": base64.b64encode(packet).decode()})
        return Response(packet, headers={"X-Packet-SHA256": facts.sha256}, media_type="application/xml")


def _late(send: Send, seconds: float) -> Send:
    async def later(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(seconds)
        await send(message)

    return later


def _corrupt(asked: Asked, heard: Heard) -> Heard:
    if asked.method != "getEdoc":
        return heard.with_body(_with_another_digit(heard.body))
    packet = _with_another_digit(base64.b64decode(heard.json()["data"]))
    return heard.with_body(as_json(asked, heard.json() | {"data": base64.b64encode(packet).decode()}))


def _with_another_digit(packet: bytes) -> bytes:
    """One digit from the middle on becomes another: in names of elements there are none, so it stays well-formed."""
    found = _DIGIT.search(packet, len(packet) // 2) or _DIGIT.search(packet)
    if found is None:
        return packet
    other = b"1" if found[0] == b"0" else b"0"
    return packet[: found.start()] + other + packet[found.end() :]
