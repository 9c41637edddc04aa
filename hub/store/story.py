"""One document's story as an operator reads it: its recipients in pages, and one time line of all that happened to it
towards some of them. A document has thousands of recipients, and one of these may fetch it as often as it likes: both
are read in pages.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    Select,
    and_,
    case,
    exists,
    extract,
    func,
    literal,
    or_,
    select,
    text,
    union,
)

from hub.domain.document import Kind
from hub.store import tables as t
from hub.store.console_tables import reference, system_poll
from hub.store.listing import only
from hub.store.steering_tables import steering_delivery, steering_run

Row = Mapping[str, Any] | RowMapping
_d, _v, _p, _r, _e, _n, _q, _x = (
    t.document.c, t.delivery.c, t.packet.c, t.report.c, t.event.c, t.evidence.c, t.request.c, t.refusal.c,
)  # fmt: skip
_a, _s = steering_run.c, steering_delivery.c
_NOT_OVER = text("delivery.state IN ('waiting','taken','failed','expired')")
_RECIPIENT = (
    select(
        t.delivery, t.system.c.code.label("system"), t.system.c.state.label("system_state"),
        system_poll.c.at.label("polled"),
    )
    .join_from(t.delivery, t.system, _v.system_id == t.system.c.id, isouter=True)
    .join(system_poll, system_poll.c.system_id == _v.system_id, isouter=True)
    .where(_v.report_id.is_(None))
)  # fmt: skip


def recipients(
    connection: Connection, document_id: str, *, after: str = "", state: str = "", most: int
) -> list[RowMapping]:
    """The document's own deliveries behind the recipient ``after``, by recipient, in this ``state`` (empty: any)."""
    found = _RECIPIENT.where(_v.document_id == document_id, _v.recipient > after)
    if state:
        found = found.where(_v.state == state)
    return list(connection.execute(found.order_by(_v.recipient).limit(most)).mappings())


def recipient(connection: Connection, document_id: str, delivery_id: str) -> RowMapping | None:
    """One of them."""
    found = _RECIPIENT.where(_v.document_id == document_id, _v.id == delivery_id)
    return connection.execute(found).mappings().one_or_none()


def not_over(connection: Connection, document_id: str, most: int) -> list[RowMapping]:
    """Those that wait, have failed or expired; what waits first, and of it the oldest."""
    ended = case((_v.state.in_(("failed", "expired")), 1), else_=0)
    found = _RECIPIENT.where(_v.document_id == document_id, _NOT_OVER)
    return list(connection.execute(found.order_by(ended, _v.created_at, _v.recipient).limit(most)).mappings())


def states(connection: Connection, document_id: str) -> list[RowMapping]:
    """How many of them stand how: ``{state, status, deliveries}``."""
    count = func.count().label("deliveries")
    found = select(_v.state, _v.status, count).where(_v.document_id == document_id, _v.report_id.is_(None))
    return list(connection.execute(found.group_by(_v.state, _v.status).order_by(_v.state, _v.status)).mappings())


def packets(connection: Connection, document_id: str, most: int) -> list[RowMapping]:
    """The packets it came with, the first first, without their bytes; with the certificate they were signed with."""
    c = t.certificate.c
    facts = [column for column in _p if column.name != "body"]
    signed = and_(c.fingerprint == _p.fingerprint, c.code == _p.signer)
    found = select(*facts, c.subject, c.serial, c.since, c.until, c.basis).join_from(
        t.packet, t.certificate, signed, isouter=True
    )
    return list(connection.execute(found.where(_p.document_id == document_id).order_by(_p.seq).limit(most)).mappings())


def packet_of(connection: Connection, document_id: str, packet_id: str) -> RowMapping | None:
    """One of its packets, or of a status about it, with its bytes or the place they lie at."""
    told = select(_r.packet_id).where(_r.document_id == document_id, _r.packet_id == packet_id)
    own = or_(_p.document_id == document_id, _p.id.in_(told))
    return connection.execute(select(t.packet).where(_p.id == packet_id, own)).mappings().one_or_none()


_LINKED = [_d[name] for name in ("id", "kind", "number", "symbol", "year", "subject", "sender", "accepted_at")]


def acts_on(connection: Connection, document_id: str, most: int) -> list[RowMapping]:
    """What an update, replacement or revocation acts on."""
    found = select(*_LINKED).join_from(t.link, t.document, t.link.c.target_id == _d.id)
    found = found.where(t.link.c.document_id == document_id).order_by(_d.seq).limit(most)
    return list(connection.execute(found).mappings())


def acted_on_by(connection: Connection, document_id: str, most: int) -> list[RowMapping]:
    """The updates, replacements and revocations of it."""
    found = select(*_LINKED).join_from(t.link, t.document, t.link.c.document_id == _d.id)
    found = found.where(t.link.c.target_id == document_id).order_by(_d.seq).limit(most)
    return list(connection.execute(found).mappings())


def answers(connection: Connection, document_id: str) -> list[RowMapping]:
    """What became of all that it asks of others' recipients: ``{ask, outcome, requests}``."""
    found = select(_q.ask, _q.outcome, func.count().label("requests")).where(_q.asking_document_id == document_id)
    return list(connection.execute(found.group_by(_q.ask, _q.outcome).order_by(_q.ask, _q.outcome)).mappings())


def _means(ref: FromClause, document: FromClause) -> ColumnElement[bool]:
    """By its DocumentId: of that agency, and of that year where one is written. A revocation repeats the id of what it
    revokes."""
    r, d = ref.c, document.c
    dated = or_(r.promulgated_on.is_(None), extract("year", r.promulgated_on) == d.year)
    by = r.organ_id.in_([d.sender, d.issuer])
    return and_(d.document_id == r.named, by, dated, d.kind != int(Kind.REVOCATION), d.seq != r.document_seq)


_LOOKED_AT = 10  # references to a number, for each that is wanted
_BY_ID, _BY_NUMBER = t.document.alias("by_id"), t.document.alias("by_number")


def references(connection: Connection, document: Row, most: int) -> list[RowMapping]:
    """What it answers, as it names them, each with the document that is here, by its id or else by its number; ``id``
    is None where none is. One id may mean a document and its update."""
    some = select(reference).where(reference.c.document_seq == document["seq"]).order_by(reference.c.position)
    ref = some.limit(most).subquery("some")
    known = [func.coalesce(_BY_ID.c[column.name], _BY_NUMBER.c[column.name]).label(column.name) for column in _LINKED]
    other = _BY_NUMBER.c.seq != ref.c.document_seq
    numbered = and_(_BY_ID.c.seq.is_(None), _BY_NUMBER.c.business == ref.c.business, other)
    found = select(*(ref.c[name] for name in ("organ_id", "named", "code", "promulgated_on")), *known).select_from(
        ref.outerjoin(_BY_ID, _means(ref, _BY_ID)).outerjoin(_BY_NUMBER, numbered)
    )
    rows = connection.execute(found.order_by(ref.c.position, _BY_ID.c.seq).limit(most)).mappings()
    once: dict[object, RowMapping] = {}
    for row in rows:  # two ways to name one document
        once.setdefault(row["id"] or tuple(row.values()), row)
    return list(once.values())


def answered_by(connection: Connection, document: Row, most: int) -> list[RowMapping]:
    """The documents that answer it, the newest first."""
    if document["kind"] == int(Kind.REVOCATION):
        return []
    r, other = reference.c, reference.c.document_seq != document["seq"]
    dated = or_(r.promulgated_on.is_(None), extract("year", r.promulgated_on) == document["year"])
    ways = [
        select(r.organ_id, r.document_seq)
        .where(r.named == document["document_id"], only(r.organ_id, code), dated, other)
        .order_by(r.organ_id.desc(), r.document_seq.desc())
        for code in dict.fromkeys((document["sender"], document["issuer"]))
    ]
    if document["business"]:
        numbered = select(reference).where(only(r.business, document["business"]), other)
        # Nearly all are named by their ids too, and found so: the newest tell enough.
        newest = numbered.order_by(r.business.desc(), r.document_seq.desc()).limit(_LOOKED_AT * most).subquery("some")
        unnamed = ~exists().where(_means(newest, _BY_ID))
        ways.append(
            select(newest.c.business, newest.c.document_seq).where(unnamed).order_by(newest.c.document_seq.desc())
        )
    found = [way.distinct().limit(most).subquery(f"way{n}") for n, way in enumerate(ways)]
    listed = union(*(select(way.c.document_seq) for way in found)).subquery("listed")
    answers = select(*_LINKED).join_from(listed, t.document, _d.seq == listed.c.document_seq)
    return list(connection.execute(answers.order_by(_d.seq.desc()).limit(most)).mappings())


class Line(NamedTuple):
    """One thing that happened. ``source``: packet, refusal, report, acted (an operator, on a delivery), event, carried
    and carried-acted (the same of a status packet's own delivery), evidence, asked, answered; ``row``: what is known.
    """

    at: datetime
    source: str
    key: int | str
    row: RowMapping


@dataclass(frozen=True, slots=True)
class Scope:
    """Of which document, and towards which recipients; ``deliveries`` and ``codes`` are theirs. ``whole``: these are
    all, so that what names no recipient's own row belongs here too."""

    document_id: str
    sender: str
    business_id: str
    deliveries: Collection[str]
    codes: Collection[str]
    whole: bool


Place = tuple[datetime, int, str]  # in the order of the time line: moment, number of the source, key


def time_line(connection: Connection, scope: Scope, after: Place | None, most: int) -> tuple[list[Line], Place | None]:
    """What happened behind ``after``, oldest first; and where to go on, None at the end."""
    found = [_behind(connection, rank, source, scope, after, most + 1) for rank, source in enumerate(_SOURCES)]
    ranks = {source.name: rank for rank, source in enumerate(_SOURCES)}
    lines = sorted(chain.from_iterable(found), key=lambda line: (line.at, ranks[line.source], line.key))
    if len(lines) <= most:
        return lines, None
    last = lines[most - 1]
    return lines[:most], (last.at, ranks[last.source], str(last.key))


def place(at: datetime, rank: int, key: str) -> Place:
    """One that is read from outside. Raises ValueError, LookupError for what cannot be one."""
    if rank < 0:
        raise LookupError(rank)
    return at, rank, str(_SOURCES[rank].read(key))


def _number(key: str) -> int:
    """Raises ValueError for what no column of numbers takes."""
    found = int(key)
    if not 0 <= found < 2**63:
        raise ValueError(key)
    return found


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    query: Callable[[Scope], Select[Any]]
    at: ColumnElement[Any]
    key: ColumnElement[Any]
    read: Callable[[str], int | str] = _number


def _behind(
    connection: Connection, rank: int, source: _Source, scope: Scope, after: Place | None, most: int
) -> Sequence[Line]:
    query = source.query(scope)
    if after is not None:
        at, ranked, key = after
        if rank == ranked:
            query = query.where(or_(source.at > at, and_(source.at == at, source.key > source.read(key))))
        else:
            query = query.where(source.at >= at if rank > ranked else source.at > at)
    query = query.add_columns(source.at.label("line_at"), source.key.label("line_key"))
    rows = connection.execute(query.order_by(source.at, source.key).limit(most)).mappings()
    return [Line(row["line_at"], source.name, row["line_key"], row) for row in rows]


def _packets(scope: Scope) -> Select[Any]:
    facts = [column for column in _p if column.name != "body"]
    return select(*facts).where(_p.document_id == scope.document_id)


def _refusals(scope: Scope) -> Select[Any]:
    same = (_x.document_id == scope.business_id, _x.sender == scope.sender, literal(bool(scope.business_id)))
    return select(_x.id, _x.code).where(*same)


def _told(scope: Scope) -> ColumnElement[bool]:
    """Status packets by or to these recipients."""
    own = _r.document_id == scope.document_id
    if scope.whole:
        return own
    return and_(own, or_(_r.sender.in_(scope.codes), _r.addressee.in_(scope.codes)))


def _reports(scope: Scope) -> Select[Any]:
    facts = [_r[name] for name in ("id", "packet_id", "sender", "addressee", "code", "description", "stated_at")]
    return select(*facts).where(_told(scope))


def _events(scope: Scope) -> Select[Any]:
    return (
        select(t.event, _v.recipient, _v.addressed)
        .join(t.delivery, _e.delivery_id == _v.id)
        .where(_e.delivery_id.in_(scope.deliveries))
    )


_ACTED = [_a.id.label("run"), _a.by, _a.action, _a.reason, _s.outcome, _v.id.label("delivery_id"), _v.recipient]


def _acted(scope: Scope) -> Select[Any]:
    """What operators ordered, with what came of it (``hub.store.steering``)."""
    found = select(*_ACTED).join_from(steering_delivery, steering_run, _s.run == _a.seq)
    return found.join(t.delivery, _s.delivery_id == _v.id).where(_s.delivery_id.in_(scope.deliveries))


def _carried_acted(scope: Scope) -> Select[Any]:
    found = select(*_ACTED, _r.code.label("report_code")).join_from(t.report, t.delivery, _v.report_id == _r.id)
    found = found.join(steering_delivery, _s.delivery_id == _v.id).join(steering_run, _s.run == _a.seq)
    return found.where(_told(scope))


def _carried(scope: Scope) -> Select[Any]:
    found = select(t.event, _v.recipient, _v.addressed, _r.code.label("report_code")).join_from(
        t.report, t.delivery, _v.report_id == _r.id
    )
    return found.join(t.event, _e.delivery_id == _v.id).where(_told(scope))


def _evidence(scope: Scope) -> Select[Any]:
    facts = [_n[name] for name in ("id", "kind", "delivery_id", "report_id", "leaf_index")]
    found = select(*facts).where(_n.document_id == scope.document_id)
    if scope.whole:
        return found
    told = select(_r.id).where(_told(scope))
    carried = select(_v.id).join_from(t.report, t.delivery, _v.report_id == _r.id).where(_told(scope))
    handed = or_(_n.delivery_id.in_(scope.deliveries), _n.delivery_id.in_(carried))
    return found.where(or_(_n.kind == "accept", handed, _n.report_id.in_(told)))


def _asked(scope: Scope) -> Select[Any]:
    found = select(t.request, _v.recipient, _v.addressed).join(t.delivery, _q.delivery_id == _v.id)
    return found.where(_q.delivery_id.in_(scope.deliveries))


_ORDER = _a.id + _s.delivery_id  # a run is on many deliveries, and on each once
_SOURCES = (
    _Source("packet", _packets, _p.received_at, _p.seq),
    _Source("refusal", _refusals, _x.at, _x.id, str),
    _Source("report", _reports, _r.received_at, _r.id, str),
    _Source("acted", _acted, _a.made_at, _ORDER, str),
    _Source("event", _events, _e.at, _e.id),
    _Source("carried", _carried, _e.at, _e.id),
    _Source("carried-acted", _carried_acted, _a.made_at, _ORDER, str),
    _Source("asked", _asked, _q.opened_at, _q.seq),
    _Source("answered", lambda scope: _asked(scope).where(_q.closed_at.is_not(None)), _q.closed_at, _q.seq),
    _Source("evidence", _evidence, _n.at, _n.seq),
)
