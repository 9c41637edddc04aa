"""The sequencer: takes entries of evidence into the tree, within seconds of their commit, and signs its new head.

An entry has its place from the commit that wrote it, under the counter's lock, so the tree grows in that order and
nobody who accepts waits for this. Every process of a hub looks each second; who has the lock on the log's head is the
sequencer for that moment.
"""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import Connection

from hub.domain.merkle import HASH_LENGTH, frontier, leaf_hash
from hub.domain.tiles import FULL, grown, hashes_from
from hub.errors import Refusal
from hub.exchange import keys
from hub.exchange.change import statement_of
from hub.exchange.desk import Desk
from hub.exchange.notary import Notary
from hub.exchange.writer import Transaction, each
from hub.store import evidence
from hub.store.engine import reading, temporary, writing
from hub.store.tiles import Stored

log = structlog.get_logger()
_EVERY = 1.0  # seconds between two looks: receipts promise five
_MOST = 5000  # entries taken in at once
_ADOPTED = 500  # rows given their place in one look: 50 ms in which nobody else writes, hardly more than 100 take


@each
def adopt(tx: Transaction, _job: None) -> int:
    """Give the next rows of a program before the log their place and receipt; gives how many."""
    rows = evidence.unplaced(tx.connection, _ADOPTED)
    placed = []
    for row in rows:
        entry, signed = tx.notary.entry(statement_of(row), bytes.fromhex(row["nonce"]), tx.now)
        placed.append({"_id": row["id"], "_to_leaf_index": tx.entries, "_to_entry": entry, "_to_receipt": signed})
        tx.entries += 1
    if placed:
        evidence.place(tx.connection, placed)
    return len(placed)


def integrate(connection: Connection, notary: Notary, most: int = _MOST) -> int:
    """Take the next entries in, inside the caller's transaction; gives how many (``most``: there may be more).

    None where another process is at it.
    """
    head = evidence.claimed(connection)
    if head is None:
        return 0
    size: int = head["size"]
    written = evidence.size(connection)  # before the entries are read: more may be committed meanwhile
    entries = evidence.behind(connection, size, most)
    if not entries:
        if size < written:
            raise RuntimeError(f"the last entries of the evidence log are missing, from {size} on")
        return 0
    contents = Stored(connection)
    changed = grown(size, [leaf_hash(entry) for entry in entries], contents)
    contents.keep(changed)
    number, begun = divmod(size, FULL)
    before = evidence.tile(connection, evidence.ENTRIES, number) if begun else b""
    if before is None:
        raise RuntimeError(f"entries {number} of the evidence log are missing")
    laid = before + b"".join(entries)
    for start in range(0, len(laid), FULL * HASH_LENGTH):
        changed[evidence.ENTRIES, number] = laid[start : start + FULL * HASH_LENGTH]
        number += 1
    evidence.put_tiles(connection, changed)
    size += len(entries)
    root = frontier(size, hashes_from(size, contents)).root()
    evidence.advance(connection, size, notary.checkpoint(size, root))
    return len(entries)


class Sequencer:
    """One process's turn at it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def keep(self) -> None:
        """Looks again and again."""
        while True:
            try:
                await self.once()
            except Exception as fault:
                if temporary(fault) is None and not (isinstance(fault, Refusal) and fault.problem.temporary):
                    log.exception("log-fault")
            await asyncio.sleep(_EVERY)

    async def once(self) -> int:
        """Take in all that waits; gives how many entries that were."""
        count = await self._take_in()
        if await self._desk.aside(self._look):
            await self._desk.write(adopt, None)  # the others at the next look: what is accepted now must not wait
            count += await self._take_in()
        return count

    async def _take_in(self) -> int:
        count = 0
        while (some := await self._desk.aside(self._integrate)) == _MOST:
            count += some
        return count + some

    def _look(self) -> bool:
        """Whether there are rows without a place. Takes newer keys up by the way."""
        desk = self._desk
        with reading(desk.engine) as connection:
            if keys.is_renewed(connection, desk.writer.notary):
                desk.writer.notary = keys.notary(connection, desk.vault)
            return bool(evidence.unplaced(connection, 1))

    def _integrate(self) -> int:
        with reading(self._desk.engine) as connection:
            head = evidence.head(connection)
            if head is None or head["size"] == evidence.size(connection):
                return 0
        with writing(self._desk.engine) as connection:
            return integrate(connection, self._desk.writer.notary)
