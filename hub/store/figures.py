"""Figures: adding to them, and reading them for a period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Date,
    RowMapping,
    Select,
    cast,
    func,
    null,
    select,
    text,
    true,
    union_all,
    update,
)

from hub.domain.tally import WAITS, Cell, Counts, Measure, month
from hub.store import tables as t
from hub.store.engine import is_sqlite
from hub.store.figure_tables import figure, tally
from hub.store.many import Inserts
from hub.store.whole import whole

_f, _y = figure.c, tally.c
_KEY = ("span", "measure", "day", "agency", "key")
_ADD = Inserts(figure, f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET value = figure.value + excluded.value")
_d, _v = t.document.c, t.event.c
_BY_DAY_ALONE = frozenset((Measure.SENT_LATER,))  # it would need the day in its key to be of use by months


def place(connection: Connection) -> RowMapping:
    """How far was counted: the row of ``tally``."""
    return connection.execute(select(tally)).mappings().one()


def claimed(connection: Connection, *, wait: bool = False) -> RowMapping | None:
    """The same, locked until the transaction ends; None where another process has it and this one is not to wait."""
    query = select(tally)
    if not is_sqlite(connection):  # which has one writer at a time
        query = query.with_for_update(skip_locked=not wait)
    return connection.execute(query).mappings().one_or_none()


def advance(connection: Connection, **values: Any) -> None:
    """Count on from there."""
    connection.execute(update(tally).values(version=_y.version + 1, **values))


def set_event(connection: Connection) -> None:
    """The last event that is counted is the last there is: where events were removed, SQLite gives their ids again."""
    advance(connection, event=select(func.coalesce(func.max(_v.id), 0)).scalar_subquery())


def begin_recount(connection: Connection) -> int:
    """The number of a new recount; one before it stops at its next addition."""
    return int(connection.execute(update(tally).values(recount=_y.recount + 1).returning(_y.recount)).scalar_one())


def add(connection: Connection, counts: Mapping[Cell, int], *, gone: bool = False) -> None:
    """Add to the figures of days and months; ``gone``: rows that are counted, and removed now."""
    if gone:
        _put(connection, [(("G", *cell), n) for cell, n in counts.items() if n])
        return
    months: Counts = Counter()
    for cell, n in counts.items():
        if cell.measure not in _BY_DAY_ALONE:
            months[cell._replace(day=month(cell.day))] += n
    _put(connection, [(("D", *cell), n) for cell, n in counts.items() if n and cell.measure not in WAITS])
    _put(connection, [(("M", *cell), n) for cell, n in months.items() if n])


def add_to_span(connection: Connection, span: str, counts: Mapping[Cell, int]) -> None:
    """Mend figures of one span alone."""
    _put(connection, [((span, *cell), n) for cell, n in counts.items() if n])


def _put(connection: Connection, rows: list[tuple[tuple[Any, ...], int]]) -> None:
    if not rows:
        return
    # In the order of the key: two that add at once lock rows in the same order, and pages are written once.
    ordered = sorted(rows, key=lambda row: tuple(map(str, row[0])))
    _ADD.execute(connection, [dict(zip(_KEY, key, strict=True)) | {"value": n} for key, n in ordered])


_DAY = timedelta(days=1)


def first_of_month(day: ColumnElement[Any], *, sqlite: bool) -> ColumnElement[Any]:
    if sqlite:
        return func.date(day, "start of month", type_=Date)
    return cast(func.date_trunc("month", day), Date)


class Group(NamedTuple):
    """Figures of a period by what they are called: ``measure``, or ``measure/key``; without zeros."""

    agency: str | None
    month: date | None
    named: dict[str, int]


def sums(
    connection: Connection,
    measures: Sequence[str],
    since: date,
    until: date,
    *,
    keyed: Sequence[str] = (),
    before: Sequence[str] = (),
    limit: str = "",
    by_agency: bool = True,
    by_month: bool = False,
    agencies: Collection[str] | None = None,
) -> list[Group]:
    """Figures of a period, both days in it, of all agencies or some; None for what they are not apart by.

    What covers most of a month is read from the month, less the days that are too many; other days by themselves.
    ``keyed``: measures that are wanted apart by key; ``before``: those whose keys below a limit are, all as ``<``.
    Waits stand by months: of each that the period touches.
    """
    every, in_order = true(), (_f.measure, _f.day)
    ways: tuple[tuple[Sequence[str], ColumnElement[Any], ColumnElement[bool], tuple[ColumnElement[Any], ...]], ...] = (
        (measures, _f.measure, every, in_order),
        (keyed, _f.measure.concat("/").concat(_f.key), every, (_f.key, *in_order)),
        (before, _f.measure.concat("/<"), _f.key < limit, in_order),
    )
    pieces = [
        (_of(part, name, agencies) if by_agency else _together(part, name, apart)).where(which)
        for some, name, which, apart in ways
        for part in _parts(some, since, until)
    ]
    c = union_all(*pieces).subquery().c
    sqlite = is_sqlite(connection)
    of_month = first_of_month(c.day, sqlite=sqlite) if by_month else null()
    agency = c.agency if by_agency else null().label("agency")
    figures = select(agency, of_month.label("month"), c.name, func.sum(c.value).label("value"))
    # By what they are apart by alone: SQLite sorts by a column of nothing too.
    apart = [*([1] if by_agency else []), *([2] if by_month else [])]
    some = figures.group_by(*_places(*apart, 3)).having(func.sum(c.value) != 0).subquery().c
    # A row for each month, not for each figure: there are thousands of agencies with a dozen each.
    gather, told = (func.json_group_object, func.json) if sqlite else (func.json_object_agg, _as_it_is)
    named = gather(some.name, some.value, type_=JSON).label("named")
    group = select(some.agency, some.month, named).group_by(*_places(1, 2)).subquery().c
    agencies_of = gather(func.coalesce(group.agency, ""), told(group.named), type_=JSON).label("agencies")
    found = whole(connection, select(group.month, agencies_of).group_by(*_places(1)))
    return [
        Group(agency if by_agency else None, row.month, named)
        for row in found
        for agency, named in row.agencies.items()
    ]


def in_one_process(connection: Connection) -> None:
    """Until its end this transaction has its answers without PostgreSQL's workers: to start them takes as long as a
    report, where packets keep the processors busy.
    """
    if not is_sqlite(connection):
        connection.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))


def largest(connection: Connection, measure: Measure, since: date, until: date, most: int) -> list[tuple[str, int]]:
    """The agencies that have most of this measure in a period, both days in it, and how much, from the largest on."""
    c = union_all(*(_of(part, _f.measure) for part in _parts([measure], since, until))).subquery().c
    size = func.sum(c.value).label("size")
    query = select(c.agency, size).group_by(c.agency).having(size > 0).order_by(size.desc()).limit(most)
    return [(row.agency, int(row.size)) for row in whole(connection, query)]


def _as_it_is(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return value


def _places(*numbers: int) -> list[ColumnElement[Any]]:
    """Columns by place: bound values would make each expression another one to PostgreSQL."""
    return [text(str(number)) for number in numbers]  # type: ignore[misc]  # texts are expressions


class Part(NamedTuple):
    """Rows to add, or to take away: ``sign`` is 1 or -1."""

    span: str
    measures: Sequence[str]
    days: tuple[date, date]
    sign: int


def _parts(measures: Sequence[str], since: date, until: date) -> list[Part]:
    alone = [m for m in measures if m in _BY_DAY_ALONE]
    waits = [m for m in measures if m in WAITS]
    others = [m for m in measures if m not in (*_BY_DAY_ALONE, *WAITS)]
    parts = [Part("D", alone, (since, until), 1), Part("M", waits, (month(since), until), 1)]
    parts += [Part(span, others, days, sign) for span, days, sign in _pieces(since, until)]
    return [part for part in parts if part.measures]


def _pieces(since: date, until: date) -> Iterator[tuple[str, tuple[date, date], int]]:
    """The same of figures by days and months: span, days, and 1 or -1. A day has a row for each of many agencies."""
    first, last = month(since), month(until)
    second = _next(first)
    if second < last:
        yield "M", (second, last - _DAY), 1
    for begun in dict.fromkeys((first, last)):
        ended = _next(begun) - _DAY
        begin, end = max(since, begun), min(until, ended)
        over = [days for days in ((begun, begin - _DAY), (end + _DAY, ended)) if days[0] <= days[1]]
        if (end - begin).days >= sum((days[1] - days[0]).days + 1 for days in over):
            yield "M", (begun, begun), 1
            yield from (("D", days, -1) for days in over)
        else:
            yield "D", (begin, end), 1


def _next(begun: date) -> date:
    """The first day of the month after the one that begins on this day."""
    return month(begun + timedelta(days=31))


def _of(part: Part, name: ColumnElement[Any], agencies: Collection[str] | None = None) -> Select[Any]:
    value = _f.value if part.sign > 0 else (-_f.value).label("value")
    some = select(name.label("name"), _f.day, _f.agency, value)
    some = some.where(_f.span == part.span, _f.measure.in_(part.measures))
    if agencies is None:
        return some.where(_f.day.between(*part.days))
    # Each month by itself: an agency's rows are neighbours within it.
    of_days = _f.day.in_(_months(*part.days)) if part.span == "M" else _f.day.between(*part.days)
    return some.where(of_days, _f.agency.in_(agencies))


def _together(part: Part, name: ColumnElement[Any], apart: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """The same, all agencies as one: added up in the order in which rows lie, or by keys, before names are made."""
    value = (func.sum(_f.value) * part.sign).label("value")
    some = select(name.label("name"), _f.day, value).group_by(*apart)
    return some.where(_f.span == part.span, _f.measure.in_(part.measures), _f.day.between(*part.days))


def _months(since: date, until: date) -> list[date]:
    """The first days of the months that a period touches."""
    found = [month(since)]
    while (following := _next(found[-1])) <= until:
        found.append(following)
    return found


def late_days(connection: Connection, since: date, until: date) -> list[RowMapping]:
    """Documents that were not sent on their day: ``{day, agency, key, value}``, by the day they were accepted."""
    query = select(_f.day, _f.agency, _f.key, _f.value)
    found = query.where(_f.span == "D", _f.measure == Measure.SENT_LATER, _f.day.between(since, until), _f.value != 0)
    return list(whole(connection, found).mappings())


def requests(connection: Connection, since: datetime, until: datetime) -> list[RowMapping]:
    """What was asked from a moment on and before another: ``{sender, ask, outcome, month, value}``, take-backs and
    revocations, one per recipient.
    """
    q, v = t.request.c, t.delivery.c
    day = local_day_of(q.opened_at, sqlite=is_sqlite(connection))
    named = (_d.sender, q.ask, q.outcome, first_of_month(day, sqlite=is_sqlite(connection)).label("month"))
    query = (
        select(*named, func.count().label("value"))
        .join_from(t.request, t.delivery, v.id == q.delivery_id)
        .join(t.document, _d.id == v.document_id)
        .where(text("request.ask IN ('take-back','revocation')"), q.opened_at >= since, q.opened_at < until)
        .group_by(*_places(*range(1, len(named) + 1)))
    )
    return list(whole(connection, query).mappings())


def local_day_of(moment: ColumnElement[Any], *, sqlite: bool) -> ColumnElement[Any]:
    """The day in Hà Nội of a moment as it is stored, in UTC."""
    if sqlite:  # which would round parts of a second
        return func.date(func.substr(moment, 1, 19), "+7 hours", type_=Date)
    return cast(func.timezone("UTC", moment) + text("interval '7 hours'"), Date)
