"""Figures: adding to them, and reading them for a period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Date,
    RowMapping,
    Select,
    case,
    cast,
    func,
    null,
    select,
    text,
    true,
    union_all,
    update,
)

from hub.domain.groups import Grouping, Groups
from hub.domain.tally import WAITS, Cell, Counts, Measure, month
from hub.store import tables as t
from hub.store.engine import is_sqlite
from hub.store.figure_tables import figure, group_figure, tally
from hub.store.many import Inserts
from hub.store.whole import whole

_f, _y = figure.c, tally.c
_KEY = ("span", "measure", "day", "agency", "key")
_GROUP_KEY = ("grouping", "span", "measure", "day", "name", "key")
_ADD = Inserts(figure, f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET value = figure.value + excluded.value")
_ADD_TO_GROUPS = Inserts(
    group_figure,
    f"ON CONFLICT ({', '.join(_GROUP_KEY)}) DO UPDATE SET value = group_figure.value + excluded.value",
)
# One of these is counted with each document, delivery, refused packet and take-back, whatever else is.
_WITH_EACH = (Measure.DOCUMENTS, Measure.OUT, Measure.IN, Measure.REFUSED, Measure.TAKE_BACKS)
_d, _v = t.document.c, t.event.c
BY_DAY_ALONE = frozenset((Measure.SENT_LATER,))  # it would need the day in its key to be of use by months


def place(connection: Connection) -> RowMapping:
    """How far was counted: the row of ``tally``."""
    return connection.execute(select(tally)).mappings().one()


def claimed(connection: Connection, *, wait: bool = False) -> RowMapping | None:
    """The same, locked until the transaction ends; None where another process has it and this one is not to wait."""
    query = select(tally)
    if not is_sqlite(connection):  # which has one writer at a time
        query = query.with_for_update(skip_locked=not wait)
    return connection.execute(query).mappings().one_or_none()


def advance(connection: Connection, *, groups_too: bool, **values: Any) -> None:
    """Count on from there; ``groups_too``: groups have all that agencies have now, if they had before."""
    if groups_too:
        values["grouped"] = _y.grouped + 1
    connection.execute(update(tally).values(version=_y.version + 1, **values))


def set_event(connection: Connection) -> None:
    """The last event that is counted is the last there is: where events were removed, SQLite gives their ids again."""
    advance(connection, groups_too=True, event=select(func.coalesce(func.max(_v.id), 0)).scalar_subquery())


def begin_recount(connection: Connection) -> int:
    """The number of a new recount; one before it stops at its next addition."""
    return int(connection.execute(update(tally).values(recount=_y.recount + 1).returning(_y.recount)).scalar_one())


def begin_regroup(connection: Connection, groups: Groups) -> int:
    """The same of adding up groups again: until its end their figures do not hold, and what is counted meanwhile is
    added to those of this directory.
    """
    begun = update(tally).values(regroup=_y.regroup + 1, grouped=_y.version - 1, mark=groups.mark)
    return int(connection.execute(begun.returning(_y.regroup)).scalar_one())


def end_regroup(connection: Connection) -> None:
    """Groups' figures hold from now on, unless something was counted for none of them since the beginning."""
    held = case((_y.grouped == _y.version - 1, _y.version), else_=_y.grouped)
    connection.execute(update(tally).values(grouped=held))


def leave_groups(connection: Connection) -> None:
    """Groups' figures do not hold any more, nor will they by a regroup that goes on."""
    connection.execute(update(tally).values(grouped=_y.version - 2))


def groups_hold(place: RowMapping, groups: Groups, *, lacking: int = 0) -> bool:
    """Whether figures of groups are those of their agencies, by this directory; ``place`` as :func:`place` gives it.
    ``lacking`` is 1 for who adds them up: whether nothing was counted for agencies alone meanwhile.
    """
    return bool(place["grouped"] == place["version"] - lacking and place["mark"] == groups.mark)


def add(connection: Connection, counts: Mapping[Cell, int], groups: Groups | None) -> None:
    """Add to the figures of days and months, and to those of groups."""
    months: Counts = Counter()
    for cell, n in counts.items():
        if cell.measure not in BY_DAY_ALONE:
            months[cell._replace(day=month(cell.day))] += n
    days = {cell: n for cell, n in counts.items() if cell.measure not in WAITS}
    for span, some in (("D", days), ("M", months)):
        add_to_span(connection, span, some)
        if groups is not None:
            add_to_groups(connection, in_groups(span, some.items(), groups))


class GroupCell(NamedTuple):
    """Where a figure of a group stands."""

    grouping: str
    span: str
    measure: str
    day: date
    name: str
    key: str


def in_groups(span: str, counts: Iterable[tuple[Cell, int]], groups: Groups) -> Counter[GroupCell]:
    """What agencies' figures of one span are for their groups."""
    found: Counter[GroupCell] = Counter()
    for (measure, day, agency, key), n in counts:
        for grouping in Grouping:
            found[GroupCell(grouping, span, measure, day, groups.of(grouping, agency), key)] += n
    return found


def add_to_span(connection: Connection, span: str, counts: Mapping[Cell, int]) -> None:
    """Add to agencies' figures of one span alone: to mend them, or, of rows that are removed, to G."""
    _put(connection, _ADD, _KEY, [((span, *cell), n) for cell, n in counts.items()])


def add_to_groups(connection: Connection, counts: Mapping[GroupCell, int]) -> None:
    """The same of groups alone."""
    _put(connection, _ADD_TO_GROUPS, _GROUP_KEY, list(counts.items()))


def _put(
    connection: Connection, inserts: Inserts, names: Sequence[str], rows: list[tuple[tuple[Any, ...], int]]
) -> None:
    # In the order of the key: two that add at once lock rows in the same order, and pages are written once.
    ordered = sorted((row for row in rows if row[1]), key=lambda row: tuple(map(str, row[0])))
    if ordered:
        inserts.execute(connection, [dict(zip(names, key, strict=True)) | {"value": n} for key, n in ordered])


_DAY = timedelta(days=1)


def first_of_month(day: ColumnElement[Any], *, sqlite: bool) -> ColumnElement[Any]:
    if sqlite:
        return func.date(day, "start of month", type_=Date)
    return cast(func.date_trunc("month", day), Date)


class Sum(NamedTuple):
    """Figures of a period by what they are called: ``measure``, or ``measure/key``; without zeros. ``who``: an agency,
    or a group of them; the same and its month may come twice, with other names.
    """

    who: str
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
    by_month: bool = False,
    of: Of = None,
) -> list[Sum]:
    """Figures of a period, both days in it, of all agencies, some, or groups.

    What covers most of a month is read from the month, less the days that are too many; other days by themselves.
    ``keyed``: measures that are wanted apart by key; ``before``: those whose keys below a limit are, all as ``<``.
    Waits stand by months: of each that the period touches.
    """
    c, who = _columns(of)
    # Waits stand once for each month: where months are apart they come as they lie, and nothing is sorted.
    lying = [m for m in keyed if m in WAITS and (by_month or month(since) == month(until))]
    ways: tuple[tuple[Sequence[str], ColumnElement[Any], ColumnElement[bool]], ...] = (
        (measures, c.measure, true()),
        ([m for m in keyed if m not in lying], c.measure.concat("/").concat(c.key), true()),
        (before, c.measure.concat("/<"), c.key < limit),
    )
    pieces = [
        _of(part, of, name.label("name"), c.day, who.label("who"), (c.value * part.sign).label("value")).where(which)
        for some, name, which in ways
        for part in _parts(some, since, until)
    ]
    sqlite = is_sqlite(connection)
    rows = [_added_up(pieces, by_month=by_month, sqlite=sqlite)] if pieces else []
    rows += [_as_they_lie(part, of, by_month=by_month, sqlite=sqlite) for part in _parts(lying, since, until)]
    found = whole(connection, union_all(*rows)) if rows else ()
    return [Sum(name, row.month, named) for row in found for name, named in row.all_of.items()]


# Both give a row for each month, not for each figure: there are thousands of agencies with a dozen each.
def _added_up(pieces: Sequence[Select[Any]], *, by_month: bool, sqlite: bool) -> Select[Any]:
    p = union_all(*pieces).subquery().c
    of_month = first_of_month(p.day, sqlite=sqlite) if by_month else null()
    figures = select(p.who, of_month.label("month"), p.name, func.sum(p.value).label("value"))
    # By what they are apart by alone: SQLite sorts by a column of nothing too.
    apart = (1, 2, 3) if by_month else (1, 3)
    some = figures.group_by(*_places(*apart)).having(func.sum(p.value) != 0).subquery().c
    named = _object(some.name, some.value, sqlite=sqlite).label("named")
    one = select(some.who, some.month, named).group_by(*_places(1, 2)).subquery().c
    return select(one.month, _object(one.who, one.named, sqlite=sqlite).label("all_of")).group_by(*_places(1))


def _as_they_lie(part: Part, of: Of, *, by_month: bool, sqlite: bool) -> Select[Any]:
    c, who = _columns(of)
    named = _object(c.measure.concat("/").concat(c.key), c.value, sqlite=sqlite).label("named")
    found = _of(part, of, c.measure, c.day, who.label("who"), named).where(c.value != 0)
    one = found.group_by(*_places(1, 2, 3)).subquery().c
    of_month = one.day if by_month else null()
    all_of = _object(one.who, one.named, sqlite=sqlite).label("all_of")
    return select(of_month.label("month"), all_of).group_by(one.measure, one.day)


def _object(name: ColumnElement[Any], value: ColumnElement[Any], *, sqlite: bool) -> ColumnElement[Any]:
    """JSON of a group's rows."""
    if not sqlite:
        return func.json_object_agg(name, value, type_=JSON)
    return func.json_group_object(name, func.json(value) if isinstance(value.type, JSON) else value, type_=JSON)


def in_one_process(connection: Connection) -> None:
    """Until its end this transaction has its answers without PostgreSQL's workers: to start them takes as long as a
    report, where packets keep the processors busy.
    """
    if not is_sqlite(connection):
        connection.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))


def largest(connection: Connection, measure: Measure, since: date, until: date, most: int) -> list[tuple[str, int]]:
    """The agencies that have most of this measure in a period, both days in it, and how much, from the largest on."""
    parts = _parts([measure], since, until)
    c = union_all(*(_of(p, None, _f.agency, (_f.value * p.sign).label("value")) for p in parts)).subquery().c
    size = func.sum(c.value).label("size")
    query = select(c.agency, size).group_by(c.agency).having(size > 0).order_by(size.desc()).limit(most)
    return [(row.agency, int(row.size)) for row in whole(connection, query)]


def agencies(connection: Connection, since: date, until: date) -> list[str]:
    """Who has figures in the months that a period touches."""
    days = _f.day.between(month(since), until)
    query = select(_f.agency).where(_f.span == "M", _f.measure.in_(_WITH_EACH), days).group_by(_f.agency)
    return [row.agency for row in whole(connection, query)]


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
    alone = [m for m in measures if m in BY_DAY_ALONE]
    waits = [m for m in measures if m in WAITS]
    others = [m for m in measures if m not in (*BY_DAY_ALONE, *WAITS)]
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


Of = Grouping | Collection[str] | None  # groups, some agencies, all


def _columns(of: Of) -> tuple[Any, ColumnElement[Any]]:
    """Where its figures are, and who they are of."""
    return (group_figure.c, group_figure.c.name) if isinstance(of, Grouping) else (_f, _f.agency)


def _of(part: Part, of: Of, *what: ColumnElement[Any]) -> Select[Any]:
    c, who = _columns(of)
    some = select(*what).where(c.span == part.span, c.measure.in_(part.measures))
    if isinstance(of, Grouping):
        return some.where(c.grouping == of, c.day.between(*part.days))
    if of is None:
        return some.where(c.day.between(*part.days))
    # Each day of a month by itself, or each month: an agency's rows are neighbours within it.
    is_short = part.span == "M" or part.days[1] - part.days[0] < timedelta(days=31)
    return some.where(c.day.in_(_days(part)) if is_short else c.day.between(*part.days), who.in_(of))


def _days(part: Part) -> list[date]:
    """The days of a part; of months the first ones."""
    found, last = [part.days[0]], part.days[1]
    while (following := _next(found[-1]) if part.span == "M" else found[-1] + _DAY) <= last:
        found.append(following)
    return found


def late_days(connection: Connection, since: date, until: date, of: Of = None) -> list[RowMapping]:
    """Documents that were not sent on their day: ``{day, who, key, value}``, by the day they were accepted; of all
    agencies, some, or groups.
    """
    c, who = _columns(of)
    part = Part("D", [Measure.SENT_LATER], (since, until), 1)
    found = _of(part, of, c.day, who.label("who"), c.key, c.value).where(c.value != 0)
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
