"""A report, read from the figures: grouped, beside the same period of the year before, with its total."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, cached_property

from sqlalchemy import Connection

from hub.data import read_holidays
from hub.domain import deadlines
from hub.domain.agency import Directory
from hub.domain.deadlines import Calendar, Sent
from hub.domain.document import VIETNAM
from hub.domain.groups import Grouping, groups_of
from hub.domain.tally import WAITS, Measure, month
from hub.reports.definitions import NEXT_MORNING, SENT_LATE, By, Column, Form, Kind, Sums, Value
from hub.store import calendar as calendar_rows
from hub.store import figures

_SOME = 800  # agencies whose figures are read by themselves, besides those that are shown; of more, all are


@dataclass(frozen=True, slots=True)
class Asked:
    """A report that is wanted; both days belong to the period. ``agency``: of it and all below it alone."""

    kind: Kind
    since: date
    until: date
    by: By
    agency: str = ""

    @property
    def told(self) -> dict[str, str]:
        return {"from": f"{self.since}", "to": f"{self.until}", "by": self.by.value, "agency": self.agency}


@dataclass(frozen=True)
class Row:
    """``group`` is a code, a level, or the first day of a month; ``name`` what it is called, where it has a name.

    What nobody looks at is not computed.
    """

    group: str
    name: str
    columns: tuple[Column, ...]
    now: Sums
    then: Sums

    @cached_property
    def values(self) -> tuple[Value, ...]:
        return tuple(column.of(self.now) for column in self.columns)

    @cached_property
    def before(self) -> tuple[Value, ...]:
        return tuple(column.of(self.then) for column in self.columns)


@dataclass(frozen=True)
class Report:
    """``before`` are the days of the year before, ``as_of`` when rows were last counted; incomplete ones lack what was
    there before figures were kept. ``is_whole``: there are no other rows. ``rules``: of refusals, each with its number
    now and then.
    """

    asked: Asked
    before: tuple[date, date]
    rows: tuple[Row, ...]
    total: Row
    as_of: datetime | None
    complete: bool
    is_whole: bool
    rules: tuple[tuple[str, int, int], ...] = ()

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return self.asked.kind.columns


def calendar(connection: Connection) -> Calendar:
    """The packaged calendar, with what the operator says otherwise."""
    return Calendar.of([*read_holidays(), *calendar_rows.days(connection)])


def build(
    connection: Connection, directory: Directory, asked: Asked, today: date, *, most: int | None = None
) -> Report:
    """Read a report; ``today`` decides which open tasks are late, ``most`` is how many agencies are wanted, the first
    ones: months, levels and provinces are few, and all there. Raises CalendarError.
    """
    figures.in_one_process(connection)
    place = figures.place(connection)
    most = most if asked.by is By.AGENCY else None
    read = _Reading(connection, directory, asked, today, groups_hold=figures.groups_hold(place, groups_of(directory)))
    period, before = (asked.since, asked.until), deadlines.same_period_before(asked.since, asked.until)
    first = read.first(most) if most else None
    now, then = read.rows(*period, first), read.rows(*before, first, shift=1)
    columns = asked.kind.columns
    groups = sorted(now.keys() | then.keys(), key=_order(asked, now))
    rows = [Row(group, read.name(group), columns, now[group], then[group]) for group in groups[:most]]
    if first is None:
        total, earlier = _together(now.values()), _together(then.values())
    else:
        total, earlier = read.total(*period), read.total(*before)
    return Report(
        asked=asked,
        before=before,
        rows=tuple(rows),
        total=Row("", "", columns, total, earlier),
        as_of=place["at"],
        complete=place["complete"],
        is_whole=first is None and len(rows) == len(groups),
        rules=_rules(total, earlier) if Measure.RULES in asked.kind.measures else (),
    )


def _together(all_sums: Iterable[Sums]) -> Sums:
    total = Sums()
    for sums in all_sums:
        total.add(sums)
    return total


def _rules(total: Sums, earlier: Sums) -> tuple[tuple[str, int, int], ...]:
    start = f"{Measure.RULES}/"
    names = {name for sums in (total, earlier) for name in sums if name.startswith(start)}
    found = [(name.removeprefix(start), total[name], earlier[name]) for name in names]
    return tuple(sorted(found, key=lambda rule: (-rule[1], -rule[2], rule[0])))


def _order(asked: Asked, now: _Rows) -> Callable[[str], tuple[object, ...]]:
    """Months and levels in their order; agencies with the largest numbers first."""
    if asked.by in (By.MONTH, By.LEVEL):
        return lambda group: (group,)
    first = asked.kind.columns[0]
    return lambda group: (-(first.of(now[group]) or 0), -sum(now[group].values()), group)


class _Rows(dict[str, Sums]):
    def __missing__(self, group: str) -> Sums:
        return self.setdefault(group, Sums())


_GROUPINGS = {By.LEVEL: Grouping.LEVEL, By.PROVINCE: Grouping.PROVINCE, By.MONTH: Grouping.LEVEL}
_Named = Callable[[str, date | None], str | None]  # a row's name from an agency's, or a group's, and a month


@dataclass
class _Reading:
    """``groups_hold``: figures of groups can be read, else those of their agencies are."""

    connection: Connection
    directory: Directory
    asked: Asked
    today: date
    groups_hold: bool

    def __post_init__(self) -> None:
        self.of_groups = self.groups_hold and not self.asked.agency
        self.is_asked, self.how_late = cache(self._is_asked), cache(self._how_late)

    def first(self, most: int) -> frozenset[str] | None:
        """The agencies whose rows come first, and those that are as large as the last; None to read of all.

        A row's place is by its first column before all else. Thousands of agencies have figures of which a page shows
        few; where few have any in that column, or very many the same, their other figures decide.
        """
        if not self.of_groups:
            return None
        enough = most + _SOME
        found = figures.largest(
            self.connection, self.asked.kind.measures[0], self.asked.since, self.asked.until, enough + 1
        )
        last = found[most - 1][1] if len(found) >= most else 0
        first = frozenset(agency for agency, size in found if size >= last)
        return first if last and len(first) <= enough else None

    def total(self, since: date, until: date) -> Sums:
        """The figures of a period, of all agencies together."""
        return self._read(since, until, Grouping.LEVEL, lambda name, of_month: "", lambda agency, of_month: "")[""]

    def rows(self, since: date, until: date, some: Collection[str] | None = None, *, shift: int = 0) -> _Rows:
        """The figures of a period by the rows' names, of all agencies or some; months of ``shift`` years before are
        those of the year asked for.
        """

        def of_month(day: date | None) -> str:
            return f"{day.replace(year=day.year + shift):%Y-%m}" if day else ""

        def of_agency(agency: str, day: date | None) -> str | None:
            if not (self.is_asked(agency) and (some is None or agency in some)):
                return None
            return of_month(day) or self._group(agency)

        if self.of_groups and self.asked.by in _GROUPINGS:
            return self._read(
                since, until, _GROUPINGS[self.asked.by], lambda name, day: of_month(day) or name, of_agency
            )
        source = some or (self._below(since, until) if self.asked.agency else None)
        return self._read(since, until, source, of_agency, of_agency)

    def _below(self, since: date, until: date) -> Collection[str] | None:
        """The agencies that are asked for; None where they are so many that all are read."""
        found = [agency for agency in figures.agencies(self.connection, since, until) if self.is_asked(agency)]
        return found if len(found) <= _SOME else None

    def _read(self, since: date, until: date, of: figures.Of, named: _Named, of_agency: _Named) -> _Rows:
        kind, found, by_month = self.asked.kind, _Rows(), self.asked.by is By.MONTH
        keyed = [m for m in kind.measures if m in (*WAITS, Measure.RULES)]
        plain = [m for m in kind.measures if m not in (*keyed, Measure.SENT_LATER)]
        tasks = [m for m in plain if m.startswith(Measure.TASKS)]
        limit = self.today.isoformat()
        for each in figures.sums(
            self.connection, plain, since, until, keyed=keyed, before=tasks, limit=limit, by_month=by_month, of=of
        ):
            if (row := named(each.who, each.month)) is not None:
                found[row].add(each.named)
        if Measure.SENT_LATER in kind.measures:
            for late in figures.late_days(self.connection, since, until, of):
                if (row := named(late["who"], month(late["day"]) if by_month else None)) is not None:
                    found[row][self.how_late(late["day"], late["key"])] += late["value"]
        if kind.name == "withdrawals":
            begin, end = (datetime.combine(day, time.min, VIETNAM) for day in (since, until + timedelta(days=1)))
            for asked in figures.requests(self.connection, begin, end):
                if (row := of_agency(asked["sender"], asked["month"] if by_month else None)) is not None:
                    found[row][f"request/{asked['outcome']}"] += asked["value"]
        return found

    @cached_property
    def days(self) -> Calendar:
        return calendar(self.connection)

    def _how_late(self, day: date, key: str) -> str:
        at = datetime.combine(day, time(0 if key[10] == "a" else 12), VIETNAM)
        how = deadlines.sent(date.fromisoformat(key[:10]), at, self.days, urgent=key.endswith("u"))
        return NEXT_MORNING if how is Sent.NEXT_MORNING else SENT_LATE

    def _is_asked(self, agency: str) -> bool:
        return not self.asked.agency or self.directory.resolve(self.asked.agency) in self.directory.chain(agency)

    def _group(self, agency: str) -> str:
        grouping = _GROUPINGS.get(self.asked.by)
        return groups_of(self.directory).of(grouping, agency) if grouping else agency

    def name(self, group: str) -> str:
        if self.asked.by in (By.LEVEL, By.MONTH):
            return ""
        listed = self.directory.listed(group)
        return listed.name if listed else ""


def growth(now: Value, before: Value) -> float | None:
    """How much more than in the year before, of one; None where there was nothing."""
    return (now or 0) / before - 1 if before else None


def is_growing(column: Column) -> bool:
    """Whether its growth says something: of shares and waits the two values do."""
    return column.form is Form.COUNT
