"""The statements of a search: for each filter what it would read in the order of the log, and which lines of given
documents fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from datetime import time as day_time
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    column,
    exists,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    true,
    tuple_,
)
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import UnaryExpression

from hub.domain import numbering
from hub.domain.delivery import FINAL, Status
from hub.domain.document import VIETNAM
from hub.domain.search import KINDS, SIGNED, Query
from hub.store import search_tables as s
from hub.store import tables as t

_d, _v, _p = t.document.c, t.delivery.c, t.packet.c


class Place(NamedTuple):
    """Between two lines of the log: after the delivery of this document, and before the next."""

    seq: int
    delivery: str


class Group(NamedTuple):
    """What one filter would read, as a stream for each of its values; parameters ``low``, ``high``, ``size``."""

    streams: list[Select[Any]]
    of_text: bool = False


def streams(query: Query, newer: bool, *, sqlite: bool) -> Iterator[Group]:
    """What may be followed; at least one."""

    def of_document(asked: ColumnElement[Any], values: Iterable[object], *also: ColumnElement[bool]) -> Group:
        return Group([_stream(_d.seq, newer, sqlite, (asked, value), *also) for value in values])

    def of_delivery(asked: ColumnElement[Any], values: Iterable[object], *also: ColumnElement[bool]) -> Group:
        return Group([_stream(_v.document_seq, newer, sqlite, (asked, value), *also) for value in values])

    kinds = _kinds(query)
    groups = [
        of_document(_d.sender, query.sender),
        of_document(_d.issuer, query.issuer),
        of_document(_d.system_id, query.system),
        of_document(_d.year, query.year),
    ]
    if kinds and 0 not in kinds and "status" not in query.kind:
        groups.append(of_document(_d.kind, kinds, s.NOT_NEW))
    if query.urgent:
        groups.append(Group([_stream(_d.seq, newer, sqlite, None, s.URGENT)]))
    if query.overdue:
        groups.append(Group([_stream(_d.seq, newer, sqlite, None, s.DUE, _d.due_on < query.today)]))
    which_lines = [s.DOCUMENTS] if "status" not in query.kind else [s.STATUS_PACKETS, *([s.DOCUMENTS] if kinds else [])]
    groups.append(
        Group([one for which in which_lines for one in of_delivery(_v.recipient, query.recipient, which).streams])
    )
    if query.state and "delivered" not in query.state:
        groups.append(of_delivery(_v.state, query.state, s.NOT_DELIVERED))
    if query.status and set(query.status) <= _RARE:
        groups.append(of_delivery(_v.status, query.status, s.RARE_STATUS))
    if sqlite and query.phrases:
        groups.append(Group([_of_text(query, newer)], of_text=True))
    groups = [group for group in groups if group.streams]
    yield from groups or [Group([_stream(_d.seq, newer, sqlite, None)])]


_RARE = frozenset(status.value for status in FINAL)


def _kinds(query: Query) -> list[int]:
    """The kinds of documents asked for."""
    return [int(KINDS[kind]) for kind in query.kind if kind in KINDS]


def _stream(
    seq: ColumnElement[Any],
    newer: bool,
    sqlite: bool,
    wanted: tuple[ColumnElement[Any], object] | None,
    *also: ColumnElement[bool],
) -> Select[Any]:
    """``seq`` of the rows with a value, in the order of their index (see :mod:`hub.store.listing`)."""
    low, high = bindparam("low", type_=BigInteger), bindparam("high", type_=BigInteger)
    found = select(seq).where(*also).limit(bindparam("size"))
    order = [seq]
    if wanted is None:
        found = found.where(seq.between(low, high))
    elif sqlite:
        found = found.where(wanted[0] == wanted[1], seq.between(low, high))
    else:
        first, value = wanted[0], literal(wanted[1], wanted[0].type)
        found = found.where(tuple_(first, seq) >= tuple_(value, low), tuple_(first, seq) <= tuple_(value, high))
        order = [first, seq]
    return found.order_by(*(one if newer else one.desc() for one in order))


def _match(query: Query) -> str:
    return " AND ".join('"' + " ".join(words) + '"' for words in query.phrases)


def _of_text(query: Query, newer: bool) -> Select[Any]:
    fts = table("document_fts", column("rowid", Integer), column("document_fts"))
    found = select(fts.c.rowid).where(
        fts.c.document_fts.op("MATCH")(literal(_match(query))), fts.c.rowid.between(bindparam("low"), bindparam("high"))
    )
    return found.order_by(fts.c.rowid if newer else fts.c.rowid.desc()).limit(bindparam("size"))


def lines(query: Query, place: Place | None, newer: bool, text_too: bool, *, sqlite: bool) -> Select[Any]:
    """The lines that fit of the documents ``seqs``, at most ``rest``, in the direction of the search.

    SQLite, which knows no figures of what is stored, is told what not to read by: a column with a ``+``.
    """

    def plain(one: ColumnElement[Any]) -> ColumnElement[Any]:
        return UnaryExpression(one, operator=operators.custom_op("+"), type_=one.type) if sqlite else one

    by_state = bool(query.state) and "delivered" not in query.state and not query.recipient
    by_status = bool(query.status) and set(query.status) <= _RARE and not (query.recipient or by_state)
    by_delivery = bool(query.recipient) or by_state or by_status
    seq = _v.document_seq if by_delivery else _d.seq
    joined = _d.seq == _v.document_seq if by_delivery else _v.document_id == _d.id
    found = select(seq, _v.id).join_from(t.document, t.delivery, joined).where(_is_listed(seq, sqlite))
    found = found.where(*_of_document(query, plain), _of_kind(query, plain))
    if query.recipient:
        found = found.where(_v.recipient.in_(query.recipient))
    if query.state:
        found = (
            found.where(_v.state.in_(query.state), s.NOT_DELIVERED)
            if by_state
            else found.where(plain(_v.state).in_(query.state))
        )
    if query.status:
        found = (
            found.where(_v.status.in_(query.status), s.RARE_STATUS)
            if by_status
            else found.where(plain(_v.status).in_(query.status))
        )
    if query.overdue is not None:
        found = found.where(_overdue(query, plain) if query.overdue else not_(_overdue(query, plain)))
    if query.signed:
        found = found.where(_signed(query))
    if query.phrases and text_too:
        found = found.where(*_has_text(query, sqlite))
    if place is not None:
        at, ids = plain(seq), plain(_v.id)
        beyond = (at > place.seq, ids < place.delivery) if newer else (at < place.seq, ids > place.delivery)
        found = found.where(or_(beyond[0], and_(at == place.seq, beyond[1])))
    order = (seq, _v.id.desc()) if newer else (seq.desc(), _v.id)
    return found.order_by(*order).limit(bindparam("rest"))


def _is_listed(seq: ColumnElement[Any], sqlite: bool) -> ColumnElement[bool]:
    if sqlite:
        return seq.in_(select(func.json_each(bindparam("seqs")).table_valued("value", name="listed").c.value))
    return seq == any_(bindparam("seqs", type_=ARRAY(BigInteger)))


_Plain = Callable[[ColumnElement[Any]], ColumnElement[Any]]


def _of_document(query: Query, plain: _Plain) -> Iterator[ColumnElement[bool]]:
    for asked, values in (
        (_d.sender, query.sender), (_d.issuer, query.issuer), (_d.system_id, query.system), (_d.year, query.year),
    ):  # fmt: skip
        if values:
            yield plain(asked).in_(values)
    if query.number:
        yield or_(*(_numbered(code, plain) for code in query.number))
    if query.trace:
        yield plain(_d.trace_id) == query.trace
    if query.urgent is not None:
        yield plain(_d.urgent) == query.urgent
    if query.after is not None:
        yield _d.accepted_at >= datetime.combine(query.after, day_time.min, VIETNAM)
    if query.before is not None:
        yield _d.accepted_at <= datetime.combine(query.before, day_time.max, VIETNAM)


def _numbered(code: str, plain: _Plain) -> ColumnElement[bool]:
    """The number as it is; the symbol may go on: ``15/VPCP`` is found by who remembers no more of 15/VPCP-KTTH."""
    number, symbol = numbering.split_code(code)
    same = plain(_d.number) == numbering.plain_number(number) if number else true()
    return and_(same, func.substr(_d.symbol, 1, len(symbol)) == symbol) if symbol else same


def _of_kind(query: Query, plain: _Plain) -> ColumnElement[bool]:
    """Status packets are lines of their own, for who asks for them."""
    kinds = _kinds(query)
    documents = and_(s.DOCUMENTS, plain(_d.kind).in_(kinds)) if kinds else s.DOCUMENTS
    if "status" not in query.kind:
        return documents
    return or_(s.STATUS_PACKETS, documents) if kinds else s.STATUS_PACKETS


_DONE = tuple(status.value for status in (Status.FINISHED, *sorted(FINAL)))


def _overdue(query: Query, plain: _Plain) -> ColumnElement[bool]:
    """Its DueDate is over, and the recipient has neither finished it nor is it the recipient's any more."""
    late = and_(_d.due_on.is_not(None), plain(_d.due_on) < query.today)
    return and_(late, plain(_v.status).not_in(_DONE), plain(_v.state) != "withdrawn")


def _signed(query: Query) -> ColumnElement[bool]:
    """By the index of packets that are not signed: SQLite would read past the bytes of each packet."""
    wanted = {SIGNED[word].value for word in query.signed}
    others = {standing.value for standing in SIGNED.values()} - wanted
    by_agency = "agency" in query.signed
    standings = others if by_agency else wanted
    have = exists().where(_p.id == _v.packet_id, s.NOT_SIGNED, _p.standing.in_(sorted(standings)))
    return not_(have) if by_agency else have


# As PostgreSQL's index has it, to the letter (migration 0015): its parser would take 15/vpcp-th for a path.
SEARCH = literal_column("translate(document.search, '/-_.@:+,~&=?%#*', repeat(' ', 15))", Text)


def _has_text(query: Query, sqlite: bool) -> Iterator[ColumnElement[bool]]:
    """Looked at in each document; PostgreSQL must not read all that have it."""
    if sqlite:
        fts = table("document_fts", column("rowid", Integer), column("document_fts"))
        matches = fts.c.document_fts.op("MATCH")(literal(_match(query)))
        yield exists().where(matches, fts.c.rowid == _d.seq).correlate(t.document)
        return
    said = " ".join(word for phrase in query.phrases for word in phrase).replace("_", " ")
    for word in sorted(set(said.split())):
        yield _d.search.contains(word)  # takes a fiftieth of the time, and rules out most
    yield from has_words(SEARCH.concat(""), query)  # another expression than the index has


def has_words(words_of: ColumnElement[Any], query: Query) -> Iterator[ColumnElement[bool]]:
    """On PostgreSQL: that a text has all phrases; by its index for :data:`SEARCH` as it is."""
    vector = func.to_tsvector(literal_column("'simple'"), words_of)
    for words in query.phrases:
        yield vector.op("@@")(func.phraseto_tsquery(literal_column("'simple'"), " ".join(words)))
