"""What the simulator looks up in the hub's database: only reads."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hub.domain import numbering
from hub.domain.document import Document
from hub.exchange.desk import Desk
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


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a delivery: ids of its packet and document, and of a status the agency that reports it."""

    packet: str
    sha256: str
    document: str
    reporter: str | None


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
        found = {}
        with reading(self._desk().engine) as connection:
            for each in delivery_ids:
                row = deliveries.described(connection, each)
                if row is not None:
                    found[each] = Facts(row["packet_id"], row["sha256"], row["document_id"], row["status_from"])
        return found

    async def packet(self, packet_id: str) -> bytes:
        """A packet's bytes; no fetch is put on record."""

        def read() -> bytes:
            desk = self._desk()
            with reading(desk.engine) as connection:
                row = documents.packet(connection, packet_id)
            return bytes(row["body"]) if row["place"] is None else desk.payloads.get(row["place"])

        return await asyncio.to_thread(read)

    async def number_in_other_years(self, document: Document) -> str:
        """The sender's newest document that has the number and symbol in another year, if it has none in this one."""

        def read() -> str:
            desk = self._desk()
            sender = desk.rosters.current().directory.resolve(document.sender.organ_id)
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
