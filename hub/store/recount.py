"""The figures once more, from the rows they count and not from what happened to them: what differs is a defect, or
was there before the figures.

Each measure's figures are compared inside the database; only what differs leaves it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    union_all,
)

from hub.domain.tally import BOUNDS, REACHING, SIGNINGS, TASK_KINDS, WAITS, Cell, Counts, Measure
from hub.store import evidence
from hub.store import tables as t
from hub.store.engine import is_sqlite, reading
from hub.store.figure_tables import figure
from hub.store.figures import first_of_month, local_day_of

_f, _d, _v, _r, _n = figure.c, t.document.c, t.delivery.c, t.report.c, t.refusal.c
Group = tuple[str, Sequence[str], Select[Any] | Any]  # span, measures, what they should be


# PostgreSQL's driver would take the whole of an answer first: of a hub that had no figures yet, millions of rows.
_IN_PARTS = {"yield_per": 10_000}
_ALONE = 102_2018  # PostgreSQL advisory lock


@contextmanager
def alone(engine: Engine) -> Iterator[bool]:
    """Whether no other process recounts, until the block ends. A database in a file has one process that serves; what
    another one of its kind begins beside it stops the first.
    """
    with reading(engine) as connection:
        if is_sqlite(connection):
            yield True
        else:
            yield bool(connection.execute(select(func.pg_try_advisory_xact_lock(_ALONE))).scalar_one())


def is_unplaced(connection: Connection) -> bool:
    """Whether rows of a program before the evidence log wait for their place in it."""
    return bool(evidence.unplaced(connection, 1))


def count(connection: Connection) -> int:
    """How many figures of days there are."""
    query = select(func.count()).select_from(figure).where(_f.span == "D")
    return int(connection.execute(query).scalar_one())


def parts(connection: Connection) -> int:
    """How many :func:`differences` there are to go through."""
    return len(list(_groups(sqlite=is_sqlite(connection)))) + 1


def differences(
    connection: Connection, pending: Counts, signings: Counts
) -> Iterator[tuple[str, Iterator[tuple[Cell, int]]]]:
    """By span, what figures lack: all that rows say, without what is still to be counted. ``signings``: what the rows
    say of who signed.
    """
    sqlite = is_sqlite(connection)
    for span, measures, should in _groups(sqlite=sqlite):
        yield span, _lacking(connection, span, measures, should, {c: n for c, n in pending.items() if c[0] in measures})
    measures = (*SIGNINGS, Measure.INVALID)
    rows: Counts = Counter(signings)
    for cell, n in pending.items():
        if cell.measure in measures:
            rows[cell] -= n
    yield "D", _beside(connection, measures, rows)


def _lacking(
    connection: Connection, span: str, measures: Sequence[str], should: Any, pending: Mapping[Cell, int]
) -> Iterator[tuple[Cell, int]]:
    said = should.subquery("said")
    names = ("measure", "day", "agency", "key")
    kept = select(*(_f[name] for name in names), (-_f.value).label("n"))
    both = union_all(
        select(*(said.c[name] for name in names), said.c.n),
        kept.where(_f.span == span, _f.measure.in_(measures)),
        # What rows said that are gone now
        select(*(_f[name] for name in names), _f.value).where(_f.span == "G", _f.measure.in_(measures)),
    ).subquery("both")
    columns = [both.c[name] for name in names]
    lacking = select(*columns, func.sum(both.c.n).label("n")).group_by(*columns).having(func.sum(both.c.n) != 0)
    left = dict(pending)
    for row in connection.execute(lacking, execution_options=_IN_PARTS):
        cell = Cell(row.measure, row.day, row.agency, row.key)
        n = int(row.n) - left.pop(cell, 0)
        if n:
            yield cell, n
    yield from ((cell, -n) for cell, n in left.items() if n)


def _beside(connection: Connection, measures: Sequence[str], should: Counts) -> Iterator[tuple[Cell, int]]:
    query = select(figure).where(_f.span.in_(("D", "G")), _f.measure.in_(measures))
    for row in connection.execute(query, execution_options=_IN_PARTS):
        should[Cell(row.measure, row.day, row.agency, row.key)] += row.value if row.span == "G" else -row.value
    yield from ((cell, n) for cell, n in should.items() if n)


def months(connection: Connection) -> Iterator[tuple[Cell, int]]:
    """What figures of months lack to be the sums of their days."""
    of_day = first_of_month(_f.day, sqlite=is_sqlite(connection))
    shared = _f.measure.not_in((*WAITS, Measure.SENT_LATER))
    days = select(_f.measure, of_day.label("day"), _f.agency, _f.key, _f.value.label("n"))
    kept = select(_f.measure, _f.day, _f.agency, _f.key, (-_f.value).label("n"))
    both = union_all(days.where(_f.span == "D", shared), kept.where(_f.span == "M", shared)).subquery()
    c = both.c
    columns = (c.measure, c.day, c.agency, c.key)
    lacking = select(*columns, func.sum(c.n).label("n")).group_by(*columns).having(func.sum(c.n) != 0)
    for row in connection.execute(lacking, execution_options=_IN_PARTS):
        yield Cell(row.measure, row.day, row.agency, row.key), int(row.n)


def _groups(*, sqlite: bool) -> Iterator[Group]:
    yield _unpivoted("documents", _documents(sqlite=sqlite))
    later, said = (Measure.SENT_LATER,), _sent_later(sqlite=sqlite)
    yield "D", later, said
    yield "D", (Measure.TAKE_BACKS,), _take_backs(sqlite=sqlite)
    yield _unpivoted("sent", _deliveries_sent(sqlite=sqlite))
    yield _unpivoted("received", _deliveries_received(sqlite=sqlite))
    moved = _moves(sqlite=sqlite)
    yield _unpivoted("reached", _reached(moved, sqlite=sqlite))
    for measure, column in zip(WAITS, (moved.c.at_01, moved.c.at_03, moved.c.at_06), strict=True):
        yield "M", (measure,), _waits(measure, moved, column, sqlite=sqlite)
    yield _unpivoted("tasks", _tasks(moved, sqlite=sqlite))
    yield "D", (Measure.REFUSED, Measure.RULES), _refused(sqlite=sqlite)


def _unpivoted(name: str, wide: tuple[dict[str, ColumnElement[Any]], Select[Any]]) -> Group:
    """One pass over the rows for several measures: ``wide`` has a column for each beside day, agency and key."""
    measures, query = wide
    read = query.add_columns(*(column.label(f"m{n}") for n, column in enumerate(measures.values()))).cte(name)
    return (
        "D",
        list(measures),
        union_all(
            *(
                select(
                    literal(measure, String).label("measure"), read.c.day, read.c.agency, read.c.key,
                    read.c[f"m{n}"].label("n"),
                ).where(read.c[f"m{n}"] != 0)
                for n, measure in enumerate(measures)
            )
        ),
    )  # fmt: skip


def _number(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))


def _cell(day: ColumnElement[Any], agency: ColumnElement[Any], key: ColumnElement[Any] | None = None) -> Select[Any]:
    key = literal_column("''") if key is None else key
    grouped = [text("1"), text("2"), text("3")]
    return select(day.label("day"), agency.label("agency"), key.label("key")).group_by(*grouped)


def _documents(*, sqlite: bool) -> tuple[dict[str, ColumnElement[Any]], Select[Any]]:
    day = local_day_of(_d.accepted_at, sqlite=sqlite)
    measures = {
        Measure.DOCUMENTS: func.count(),
        Measure.REVOCATIONS: _number(_d.kind == 1),
        Measure.UPDATES: _number(_d.kind == 2),
        Measure.REPLACEMENTS: _number(_d.kind == 3),
        Measure.URGENT: _number(_d.urgent),
        Measure.OTHER_ISSUER: _number(_d.issuer != _d.sender),
        Measure.DUPLICATE: _number(cast(_d.flags, String).contains("duplicate-suspected")),
        Measure.SENT_SAME_DAY: _number(_d.promulgated_on >= day),
    }
    return {k.value: v for k, v in measures.items()}, _cell(day, _d.sender)


def _sent_later(*, sqlite: bool) -> Select[Any]:
    day = local_day_of(_d.accepted_at, sqlite=sqlite)
    if sqlite:
        hour: ColumnElement[Any] = cast(func.strftime("%H", func.substr(_d.accepted_at, 1, 19), "+7 hours"), Integer)
        on: ColumnElement[Any] = func.date(_d.promulgated_on)
    else:
        hour = func.extract("hour", func.timezone("UTC", _d.accepted_at) + text("interval '7 hours'"))
        on = func.to_char(_d.promulgated_on, "YYYY-MM-DD")
    key = cast(on, String).concat(case((hour < 12, "a"), else_="p")).concat(case((_d.urgent, "u"), else_=""))
    measure = literal(Measure.SENT_LATER.value, String).label("measure")
    found = select(measure, day.label("day"), _d.sender.label("agency"), key.label("key"))
    rows = found.where(_d.promulgated_on < day).subquery()
    c = rows.c
    return select(c.measure, c.day, c.agency, c.key, func.count().label("n")).group_by(
        c.measure, c.day, c.agency, c.key
    )


def _take_backs(*, sqlite: bool) -> Select[Any]:
    measure = literal(Measure.TAKE_BACKS.value, String).label("measure")
    day = local_day_of(_r.received_at, sqlite=sqlite).label("day")
    rows = select(measure, day, _r.sender.label("agency")).where(_r.code == "13").subquery()
    c = rows.c
    key: ColumnElement[str] = literal_column("''").label("key")
    return select(c.measure, c.day, c.agency, key, func.count().label("n")).group_by(c.measure, c.day, c.agency)


def _deliveries_sent(*, sqlite: bool) -> tuple[dict[str, ColumnElement[Any]], Select[Any]]:
    measures = {
        Measure.OUT: func.count(),
        Measure.OUT_FAILED: _number(_v.state == "failed"),
        Measure.OUT_EXPIRED: _number(_v.state == "expired"),
        Measure.OUT_WITHDRAWN: _number(_v.state == "withdrawn"),
    }
    found = _cell(local_day_of(_v.created_at, sqlite=sqlite), _d.sender)
    query = found.join_from(t.delivery, t.document, _d.id == _v.document_id).where(_v.report_id.is_(None))
    return {k.value: v for k, v in measures.items()}, query


def _deliveries_received(*, sqlite: bool) -> tuple[dict[str, ColumnElement[Any]], Select[Any]]:
    measures = {
        Measure.IN: func.count(),
        Measure.DELIVERED: _number(_v.state == "delivered"),
        Measure.FAILED: _number(_v.state == "failed"),
        Measure.EXPIRED: _number(_v.state == "expired"),
        Measure.WITHDRAWN: _number(_v.state == "withdrawn"),
        Measure.ANSWERED: _number(_v.status != "none"),
        Measure.REFUSED_BY_RECIPIENT: _number(_v.status == "02"),
        Measure.CANCELLED: _number(_v.status == "cancelled"),
        Measure.REPLACED: _number(_v.status == "replaced"),
    }
    found = _cell(local_day_of(_v.created_at, sqlite=sqlite), _v.recipient).where(_v.report_id.is_(None))
    return {k.value: v for k, v in measures.items()}, found


def _moves(*, sqlite: bool) -> CTE:
    """By delivery, when a report first moved it to 01, 03, 06 or further. Reports stay when events are removed."""
    if sqlite:
        named = func.json_each(_r.answer, "$.deliveries").table_valued("value", name="named")
        # A text to SQLite too: it joins by an index of its own only what is surely of one kind.
        delivery: ColumnElement[Any] = cast(func.json_extract(named.c.value, "$.id"), String)
        effect: ColumnElement[Any] = func.json_extract(named.c.value, "$.effect", type_=String)
    else:
        named = func.json_array_elements(_r.answer["deliveries"]).table_valued("value", name="named")
        delivery = named.c.value.op("->>")(text("'id'"))
        effect = named.c.value.op("->>")(text("'effect'"))
    rows = (
        select(delivery.label("delivery"), _r.code, _r.received_at)
        .select_from(t.report)
        .join(named, text("true"))
        .where(_r.code.in_(REACHING["01"]), effect == "moves")
        .subquery()
    )
    c = rows.c
    firsts = (
        func.min(case((c.code.in_(codes), c.received_at), else_=None), type_=_r.received_at.type).label(f"at_{step}")
        for step, codes in REACHING.items()
    )
    return select(c.delivery, *firsts).group_by(c.delivery).cte("moves")


def _reached(moved: CTE, *, sqlite: bool) -> tuple[dict[str, ColumnElement[Any]], Select[Any]]:
    m = moved.c
    same = local_day_of(m.at_01, sqlite=sqlite) == local_day_of(_v.fetched_at, sqlite=sqlite)
    measures = {
        Measure.REACHED_01: _number(m.at_01.is_not(None)),
        Measure.TOLD_SAME_DAY: _number(same),
        Measure.REACHED_03: _number(m.at_03.is_not(None)),
        Measure.FINISHED: _number(m.at_06.is_not(None)),
    }
    found = _cell(local_day_of(_v.created_at, sqlite=sqlite), _v.recipient)
    return {k.value: v for k, v in measures.items()}, found.join_from(moved, t.delivery, _v.id == m.delivery)


def _seconds(moment: ColumnElement[Any], *, sqlite: bool) -> ColumnElement[Any]:
    """Whole seconds since 1970."""
    if sqlite:
        return cast(func.strftime("%s", func.substr(moment, 1, 19)), Integer)
    return func.floor(func.extract("epoch", moment))


def _waits(measure: Measure, moved: CTE, at: ColumnElement[Any], *, sqlite: bool) -> Select[Any]:
    seconds = (_seconds(at, sqlite=sqlite) - _seconds(_v.fetched_at, sqlite=sqlite)).label("seconds")
    day = first_of_month(local_day_of(_v.created_at, sqlite=sqlite), sqlite=sqlite).label("day")
    rows = (
        select(seconds, day, _v.recipient.label("agency"))
        .join_from(moved, t.delivery, _v.id == moved.c.delivery)
        .where(at.is_not(None), _v.fetched_at.is_not(None))
        .subquery()
    )
    c = rows.c
    key: ColumnElement[str] = case(
        *((c.seconds < bound, str(n)) for n, bound in enumerate(BOUNDS)), else_=str(len(BOUNDS))
    )
    bucketed = select(c.day, c.agency, key.label("key")).subquery()
    b = bucketed.c
    named = literal(measure.value, String).label("measure")
    return select(named, b.day, b.agency, b.key, func.count().label("n")).group_by(b.day, b.agency, b.key)


def _tasks(moved: CTE, *, sqlite: bool) -> tuple[dict[str, ColumnElement[Any]], Select[Any]]:
    done = moved.c.at_06
    day_done = local_day_of(done, sqlite=sqlite)
    ended = or_(_v.state == "withdrawn", _v.status.in_(("02", "cancelled", "replaced")))
    undelivered = _v.state.in_(("failed", "expired"))
    measures = {
        Measure.TASKS: func.count(),
        Measure.TASK_IN_TIME: _number(day_done <= _d.due_on),
        Measure.TASK_LATE: _number(day_done > _d.due_on),
        Measure.TASK_ENDED: _number(and_(done.is_(None), ended)),
        Measure.TASK_UNDELIVERED: _number(and_(done.is_(None), undelivered, ~ended)),
    }
    key = func.date(_d.due_on, type_=String) if sqlite else func.to_char(_d.due_on, text("'YYYY-MM-DD'"))
    found = (
        _cell(local_day_of(_v.created_at, sqlite=sqlite), _v.recipient, key)
        .join_from(t.delivery, t.document, _d.id == _v.document_id)
        .join(moved, moved.c.delivery == _v.id, isouter=True)
        .where(_v.report_id.is_(None), _d.due_on.is_not(None), _d.kind.in_(TASK_KINDS))
    )
    return {k.value: v for k, v in measures.items()}, found


def _refused(*, sqlite: bool) -> Any:
    """Packets, and by packet each rule once; one that names none counts by its code."""
    if sqlite:
        named = func.json_each(_n.violations).table_valued("value", name="named")
        rule: ColumnElement[Any] = func.json_extract(named.c.value, "$.rule", type_=String)
        severity: ColumnElement[Any] = func.json_extract(named.c.value, "$.severity", type_=String)
    else:
        named = func.json_array_elements(_n.violations).table_valued("value", name="named")
        rule = named.c.value.op("->>")(text("'rule'"))
        severity = named.c.value.op("->>")(text("'severity'"))
    day = local_day_of(_n.at, sqlite=sqlite).label("day")
    system = t.system.c.id == _n.system_id
    is_error = func.coalesce(severity, "error") == "error"
    agency = t.system.c.code.label("agency")
    each = (
        select(_n.id, day, agency, rule.label("key"))
        .join_from(t.refusal, t.system, system)
        .join(named, text("true"))
        .where(is_error)
        .distinct()
        .subquery()
    )
    of_none = (
        select(day, agency, _n.code.label("key"))
        .join_from(t.refusal, t.system, system)
        .where(~exists(select(1).select_from(named).where(is_error)))
        .subquery()
    )
    whole = select(day, agency).join_from(t.refusal, t.system, system).subquery()
    by_rule, packets = literal(Measure.RULES.value, String), literal(Measure.REFUSED.value, String)
    nothing: ColumnElement[str] = literal_column("''")
    rules = union_all(
        select(each.c.day, each.c.agency, each.c.key), select(of_none.c.day, of_none.c.agency, of_none.c.key)
    ).subquery()
    return union_all(
        select(packets.label("measure"), whole.c.day, whole.c.agency, nothing.label("key"), func.count().label("n"))
        .group_by(whole.c.day, whole.c.agency),
        select(by_rule.label("measure"), rules.c.day, rules.c.agency, rules.c.key, func.count().label("n"))
        .group_by(rules.c.day, rules.c.agency, rules.c.key),
    )  # fmt: skip
