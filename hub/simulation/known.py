"""What the simulator looks up in the hub's database: only reads."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hub.domain import numbering
from hub.domain.document import Document
from hub.exchange.desk import Desk
from hub.exchange.enrol import hashed
from hub.exchange.examine import may_speak
from hub.http import bodies
from hub.store import deliveries, documents
from hub.store.engine import reading

K = TypeVar("K")
V = TypeVar("V")
MOST = 10_000  # of whatever is remembered


def remember(known: OrderedDict[K, V], key: K, value: V, most: int = MOST) -> None:
    """Keep a value; of more than ``most`` the oldest go."""
    known[key] = value
    known.move_to_end(key)
    while len(known) > most:
        known.popitem(last=False)


class Kept(Generic[V]):
    """Values by a key that one caller has; of more than ``most`` the oldest go."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._callers: OrderedDict[str, str] = OrderedDict()  # by key
        self._of: dict[str, dict[str, V]] = {}

    def put(self, caller: str, key: str, value: V) -> None:
        self.drop(key)
        self._callers[key] = caller
        self._of.setdefault(caller, {})[key] = value
        if len(self._callers) > self._most:
            self.drop(next(iter(self._callers)))

    def get(self, key: str) -> V | None:
        caller = self._callers.get(key)
        return None if caller is None else self._of[caller][key]

    def drop(self, key: str) -> bool:
        """Whether it was there."""
        caller = self._callers.pop(key, None)
        if caller is None:
            return False
        del self._of[caller][key]
        if not self._of[caller]:
            del self._of[caller]
        return True

    def of(self, caller: str) -> list[V]:
        """What one caller has, oldest first."""
        return list(self._of.get(caller, {}).values())


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a delivery: ids of its packet and document, and who sent it (of a status, who reports it)."""

    packet: str
    sha256: str
    document: str
    sender: str


class Known:
    """``desk`` gives the exchange, once the application has started."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        self._desk = desk
        self._facts: OrderedDict[str, Facts] = OrderedDict()

    async def facts(self, delivery_ids: Sequence[str]) -> dict[str, Facts]:
        """Of those that there are; they never change."""
        missing = [each for each in delivery_ids if each not in self._facts]
        if missing:
            for each, found in (await asyncio.to_thread(self._look, missing)).items():
                remember(self._facts, each, found)
        return {each: self._facts[each] for each in delivery_ids if each in self._facts}

    def _look(self, delivery_ids: Sequence[str]) -> dict[str, Facts]:
        with reading(self._desk().engine) as connection:
            found = deliveries.some(connection, delivery_ids)
            carried = deliveries.carried(connection, delivery_ids)
        return {
            each: Facts(found[each].packet_id, sha256, found[each].document_id, sender)
            for each, (sender, sha256) in carried.items()
        }

    async def packet(self, packet_id: str) -> bytes:
        """A packet's bytes; no fetch is put on record. Raises ``packet-removed`` and ``payloads-away``."""

        def read() -> bytes:
            desk = self._desk()
            with reading(desk.engine) as connection:
                row = documents.packet(connection, packet_id)
            bodies.kept(row)
            return bytes(row["body"]) if row["place"] is None else desk.payloads.get(row["place"])

        return await asyncio.to_thread(read)

    async def number_in_other_years(self, document: Document, caller: str) -> str:
        """The sender's newest document that has the number and symbol in another year, if it has none in this one; none
        for a caller who may not speak for that sender. ``caller``: whom the hub has let in, as ``calls.Intent`` has it.
        """

        def read() -> str:
            desk = self._desk()
            roster = desk.rosters.current()
            sender = roster.directory.resolve(document.sender.organ_id)
            dialect, _, key = caller.partition(" ")
            system = roster.systems.get(key) if dialect == "gateway" else roster.tokens.get(hashed(key.strip()))
            if system is None or may_speak(roster, system, sender, desk.clock()) is not None:
                return ""
            series: dict[str, str | int] = {
                "number": numbering.plain_number(document.number),
                "symbol": numbering.plain_symbol(document.symbol),
            }
            with reading(desk.engine) as connection:
                found = [row for row, _ in deliveries.of_described(connection, series, sender=sender)]
            if not found or document.year in {row["year"] for row in found}:
                return ""
            return str(found[0]["id"])

        return await asyncio.to_thread(read)
