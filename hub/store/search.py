"""Which deliveries a search finds, newest document first, a page at a time (decision 44).

No plan of the engines serves every combination of filters. So a search looks at candidates in the order of the log, a
chunk at a time: each filter with an index says which documents it would read next, and the one that reaches furthest
back with as many is followed, since it passes over most. A filter that names few documents in all is read whole, and
nothing else is looked at. When the time given is over, what was found so far is the page, and it says how far the
search has come.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as day_time
from heapq import merge
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from hub.domain import numbering
from hub.domain.document import VIETNAM
from hub.domain.search import SIGNED, Query
from hub.store import search_tables as s
from hub.store import tables as t
from hub.store.engine import is_sqlite
from hub.store.search_filters import SEARCH, Group, Place, has_words, lines, streams

_d, _v, _p = t.document.c, t.delivery.c, t.packet.c
SECONDS = 0.3  # a page may take, before it says how far it came
_FIRST, _MOST = 100, 16_000  # documents in a chunk
_CHUNK = 0.04  # seconds a chunk should take
_SPAN = 2_000  # of `seq`, for each document wanted, that SQLite looks for words in: two may be common and never meet
_FEW = 20_000  # documents of a filter that is read whole
_FEW_PACKETS = 2_000
_FEW_TEXTS = 5_000  # PostgreSQL looks at the text of each again
_UNSURE = timedelta(minutes=10)  # by which a clock may have been put back: acceptance grows with `seq` but for that


# Deliveries of a document, at its newer and at its older side. Ids are hex digits; a letter lies behind them in every
# collation, where many of PostgreSQL's have marks before digits.
BEFORE_ALL, AFTER_ALL = "", "z"


@dataclass(frozen=True, slots=True)
class Found:
    """Lines in the order of the log as (``document.seq``, delivery id). ``more`` follow in the direction looked in;
    ``reached`` is the ``seq`` down (or up) to which it was looked when the time was over, or None."""

    keys: list[Place]
    more: bool
    reached: int | None = None

    def onward(self, *, newer: bool) -> Place | None:
        """Where the next page in the same direction begins; None if there is none."""
        if self.reached is not None:
            return Place(self.reached, BEFORE_ALL if newer else AFTER_ALL)
        if not self.more:
            return None
        return self.keys[0 if newer else -1]


def find(
    connection: Connection,
    query: Query,
    *,
    limit: int,
    place: Place | None = None,
    newer: bool = False,
    seconds: float = SECONDS,
    elapsed: Callable[[], float] = time.monotonic,
) -> Found:
    """The lines next to a place: older ones, or ``newer``. Without a place from the newest, or from the oldest."""
    bounds = _bounds(connection, query)
    if bounds is None:
        return Found([], more=False)
    until = elapsed() + seconds
    walk = _Walk(connection, query, bounds, place, newer, limit + 1)
    few = _few(connection, query)
    if few is not None:
        walk.follow(few)
    texts = bool(query.phrases) and few is None and not is_sqlite(connection)
    size = max(_FIRST, limit)
    while not walk.over:
        began = elapsed()
        walk.look(size)
        took = elapsed() - began
        if walk.over:
            break
        if elapsed() >= until:
            return Found(walk.keys(limit), more=True, reached=walk.position)
        if texts:  # not before the newest were looked at: words that many documents have are among them
            texts = False
            if (few := _few_texts(connection, query, walk.left, until - elapsed())) is not None:
                walk.follow(few)
        size = min(_MOST, size * 4) if took < _CHUNK else max(_FIRST, size // 2)
    return Found(walk.keys(limit), more=len(walk.found) > limit)


class _Walk:
    """A search under way: up to ``position`` (a ``seq``) nothing is left to be found."""

    def __init__(
        self,
        connection: Connection,
        query: Query,
        bounds: tuple[int, int],
        place: Place | None,
        newer: bool,
        wanted: int,
    ) -> None:
        low, high = bounds
        if place is not None:
            low, high = (max(low, place.seq), high) if newer else (low, min(high, place.seq))
        self.found: list[Place] = []
        self.position = low - 1 if newer else high + 1
        self._connection, self._newer, self._wanted = connection, newer, wanted
        self._low, self._high = low, high
        self._groups = list(streams(query, newer, sqlite=is_sqlite(connection)))
        self._listed: list[int] | None = None
        self._lines = [lines(query, place, newer, text_too, sqlite=is_sqlite(connection)) for text_too in (False, True)]
        self.over = low > high

    @property
    def left(self) -> tuple[int, int]:
        """The documents that were not looked at."""
        return (self.position + 1, self._high) if self._newer else (self._low, self.position - 1)

    def follow(self, seqs: Iterable[int]) -> None:
        """Look at these documents and no others."""
        low, high = self.left
        self._listed = sorted((seq for seq in seqs if low <= seq <= high), reverse=not self._newer)
        self.over = not self._listed

    def look(self, size: int) -> None:
        """Look at about ``size`` documents more."""
        chunk = self._listed_chunk(size) if self._listed is not None else self._chunk(size)
        if chunk.seqs:
            seqs = json.dumps(chunk.seqs) if is_sqlite(self._connection) else chunk.seqs
            values = {"seqs": seqs, "rest": self._wanted - len(self.found)}
            asked = self._lines[not chunk.of_text]
            self.found += [Place(*row) for row in self._connection.execute(asked, values)]
        if chunk.end is not None:
            self.position = chunk.end
        low, high = self.left
        self.over = chunk.end is None or low > high or len(self.found) >= self._wanted

    def _listed_chunk(self, size: int) -> _Chunk:
        some, self._listed = (self._listed or [])[:size], (self._listed or [])[size:]
        return _Chunk(some, some[-1] if self._listed else None)

    def _chunk(self, size: int) -> _Chunk:
        """The next candidates of the filter that passes over most."""
        best: _Chunk | None = None
        for group in self._groups:
            found = self._of(group, size)
            if best is None or self._is_better(found, best):
                best = found
        assert best is not None  # there is always a group
        return best

    def _is_better(self, one: _Chunk, other: _Chunk) -> bool:
        if one.end is None or other.end is None:
            return one.end is None and (other.end is not None or len(one.seqs) < len(other.seqs))
        return one.end > other.end if self._newer else one.end < other.end

    def _of(self, group: Group, size: int) -> _Chunk:
        low, high = self.left
        edge: int | None = None
        if group.of_text and high - low > size * _SPAN:
            edge = low + size * _SPAN if self._newer else high - size * _SPAN
            low, high = (low, edge) if self._newer else (edge, high)
        values = {"low": low, "high": high, "size": size}
        read = [list(self._connection.execute(one, values).scalars()) for one in group.streams]
        seqs = list(dict.fromkeys(merge(*read, reverse=not self._newer)))
        ends = [one[-1] for one in read if len(one) == size]  # of those that go on: what lies behind is not known
        if not ends:
            return _Chunk(seqs, edge, group.of_text)
        end = min(ends) if self._newer else max(ends)
        known = [seq for seq in seqs if (seq <= end if self._newer else seq >= end)]
        return _Chunk(known, end, group.of_text)

    def keys(self, limit: int) -> list[Place]:
        """What was found, in the order of the log."""
        some = self.found[:limit]
        return some[::-1] if self._newer else some


class _Chunk(NamedTuple):
    """Documents to look at, all up to ``end``; None: there are no more. ``of_text``: they have the phrases."""

    seqs: list[int]
    end: int | None
    of_text: bool = False


def _few_texts(connection: Connection, query: Query, left: tuple[int, int], seconds: float) -> list[int] | None:
    """On PostgreSQL, all documents that have the phrases; None if they are many, or the time does not do."""
    found = select(_d.seq).where(*has_words(SEARCH, query), _d.seq.between(*left)).limit(_FEW_TEXTS + 1)
    try:
        with connection.begin_nested():
            connection.execute(text(f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}"))
            seqs = list(connection.execute(found).scalars())
            connection.execute(text("SET LOCAL statement_timeout TO DEFAULT"))
    except DBAPIError as fault:
        if getattr(fault.orig, "sqlstate", None) != _CANCELLED:
            raise
        return None
    return seqs if len(seqs) <= _FEW_TEXTS else None


_CANCELLED = "57014"


def _few(connection: Connection, query: Query) -> list[int] | None:
    """The documents that a filter names, if one does which names few; None if none does."""
    lists: list[list[int] | None] = []
    if query.id:
        lists.append(named(connection, query.id))
    if query.trace:
        lists.append(_at_most(connection, select(_d.seq).where(_d.trace_id == query.trace), _FEW))
    numbers = [numbering.plain_number(number) for code in query.number if (number := numbering.split_code(code)[0])]
    if numbers and len(numbers) == len(query.number):
        found = select(_d.seq).where(_d.number.in_(numbers))
        lists.append(_at_most(connection, found.where(_d.year.in_(query.year)) if query.year else found, _FEW))
    if query.signed and "agency" not in query.signed and "status" not in query.kind:
        standings = [SIGNED[word].value for word in query.signed]
        unsigned = select(_p.document_id).where(s.NOT_SIGNED, _p.standing.in_(standings), _p.document_id.is_not(None))
        few = unsigned.limit(_FEW_PACKETS + 1).subquery()
        rows = connection.execute(select(_d.seq).join(few, few.c.document_id == _d.id)).scalars().all()
        lists.append(None if len(rows) > _FEW_PACKETS else list(rows))
    sets = [set(one) for one in lists if one is not None]
    return list(set.intersection(*sets)) if sets else None


def _at_most(connection: Connection, found: Select[Any], most: int) -> list[int] | None:
    seqs = list(connection.execute(found.limit(most + 1)).scalars())
    return seqs if len(seqs) <= most else None


def named(connection: Connection, key: str) -> list[int]:
    """The documents with an id: their own, that of a delivery, packet or report of theirs, or their DocumentId."""
    ids = [
        select(_d.seq).where(_d.id == key),
        select(_v.document_seq).where(_v.id == key),
        select(_d.seq).join(t.packet, _p.document_id == _d.id).where(_p.id == key),
        select(_d.seq).join(t.report, t.report.c.document_id == _d.id).where(t.report.c.id == key),
        select(_d.seq).where(_d.document_id == numbering.canonical_document_id(key)).limit(_FEW),
    ]
    return [seq for one in ids for seq in connection.execute(one).scalars()]


def _bounds(connection: Connection, query: Query) -> tuple[int, int] | None:
    """The first and the last document that can have been accepted in the days asked for; None if there is none."""
    low = connection.execute(select(func.min(_d.seq))).scalar_one()
    high = connection.execute(select(func.max(_d.seq))).scalar_one()
    if low is None:
        return None
    if query.after is not None:
        low = _first_from(connection, datetime.combine(query.after, day_time.min, VIETNAM) - _UNSURE, low, high)
    if query.before is not None:
        high = (
            _first_from(connection, datetime.combine(query.before, day_time.max, VIETNAM) + _UNSURE, low, high + 1) - 1
        )
    return (low, high) if low <= high else None


def _first_from(connection: Connection, moment: datetime, low: int, high: int) -> int:
    """The least ``seq`` in [low, high] from which on documents were accepted at the moment or later."""
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(_FROM, {"from": middle}).one_or_none()
        if row is None or row.accepted_at >= moment:
            high = middle
        else:
            low = min(row.seq + 1, high)
    return low


_FROM = select(_d.seq, _d.accepted_at).where(_d.seq >= bindparam("from")).order_by(_d.seq).limit(1)


def newest(connection: Connection) -> int:
    """The ``seq`` of the newest document; 0 if there is none."""
    return int(connection.execute(select(func.max(_d.seq))).scalar_one() or 0)
