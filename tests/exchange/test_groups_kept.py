"""Figures of groups are those of their agencies, or no report reads them."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from datetime import date
from itertools import pairwise

import pytest
from builders.axis import Axis
from builders.reports import office_and_provinces
from builders.tallied import History, groups_hold, kept, place, recounted, told
from builders.units import by_operator, listing, mapping
from sqlalchemy import select, update
from sqlalchemy.pool import QueuePool

from hub.background import beside
from hub.domain.groups import Grouping
from hub.domain.tally import Cell, Measure
from hub.errors import Refusal
from hub.exchange import tallying
from hub.exchange.tallying import Teller, mend, mend_groups
from hub.reports.build import Asked, Report, build
from hub.reports.definitions import KINDS, By
from hub.store import figures
from hub.store.engine import reading, writing
from hub.store.figure_tables import figure, group_figure, tally

YEAR = (date(2025, 9, 1), date(2026, 8, 31))
START = date(2025, 10, 1)


def report(axis: Axis, by: By, name: str = "sent-received", **more: date) -> Report:
    since, until = more.get("since", YEAR[0]), more.get("until", YEAR[1])
    with reading(axis.desk.engine) as connection:
        directory = axis.desk.rosters.current(now=True).directory
        return build(connection, directory, Asked(KINDS[name], since, until, by), YEAR[1])


def sent(axis: Axis, by: By) -> dict[str, int]:
    return {row.group: int(row.values[0] or 0) for row in report(axis, by).rows if row.values[0]}


def by_a_program_before(axis: Axis, cell: Cell) -> None:
    """One more of these, counted by a process that knows of no groups."""
    with writing(axis.desk.engine) as connection:
        figures.add(connection, {cell: 1}, None)
        connection.execute(update(tally).values(version=tally.c.version + 1))


@pytest.mark.parametrize("name", KINDS)
def test_a_report_is_the_same_whether_groups_hold_or_not(axis: Axis, name: str) -> None:
    History(axis, 33).go_on(90)
    told(axis)
    periods = (YEAR, (date(2025, 10, 1), date(2025, 10, 12)), (date(2026, 10, 4), date(2026, 10, 30)))
    asked = [(by, name, {"since": since, "until": until}) for by in By for since, until in periods]
    assert groups_hold(axis)
    by_groups = [report(axis, by, name, **days) for by, name, days in asked]
    with writing(axis.desk.engine) as connection:
        connection.execute(update(tally).values(mark=""))
    assert not groups_hold(axis)
    by_agencies = [report(axis, by, name, **days) for by, name, days in asked]
    for one, other in zip(by_groups, by_agencies, strict=True):
        assert [(row.group, row.values, row.before) for row in (one.total, *one.rows)] == [
            (row.group, row.values, row.before) for row in (other.total, *other.rows)
        ]
        assert one.rules == other.rules


def test_a_hub_that_serves_adds_up_groups_by_itself(axis: Axis) -> None:
    office, *_ = office_and_provinces(axis)
    office.send("H41")

    async def served() -> None:
        async with beside(Teller(axis.desk).keep()):
            while not (groups_hold(axis) and kept(axis)):
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(served(), 60))
    told(axis)
    assert groups_hold(axis)
    assert sent(axis, By.LEVEL) == {"1": 1}


class Watch:
    """Seconds that pass when it is said so."""

    def __init__(self) -> None:
        self.now, self.looks = 0.0, 0

    def __call__(self) -> float:
        self.looks += 1
        return self.now


def test_where_groups_never_hold_they_are_not_added_up_all_the_time(
    axis: Axis, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, begun = Watch(), list[float]()

    def adding_up(_: object, **__: object) -> None:
        begun.append(watch.now)
        watch.now += 60

    async def served() -> None:
        async with beside(Teller(axis.desk, watch).keep()):
            while watch.now < 2000:
                looks = watch.looks
                while watch.looks < looks + 12:
                    await asyncio.sleep(0.001)
                watch.now += 10

    monkeypatch.setattr(tallying, "_EVERY", 0.001)
    monkeypatch.setattr(tallying, "mend_groups", adding_up)
    asyncio.run(asyncio.wait_for(served(), 60))
    assert len(begun) >= 3
    assert min(later - earlier for earlier, later in pairwise(begun)) >= 600


def test_a_hub_that_ends_left_a_connection_open_behind_the_adding_up(
    axis: Axis, monkeypatch: pytest.MonkeyPatch
) -> None:
    History(axis, 14).go_on(20)
    told(axis)
    with writing(axis.desk.engine) as connection:
        connection.execute(update(tally).values(mark=""))
    lacking, begun = tallying.regroup.lacking, threading.Event()
    pool = axis.desk.engine.pool
    assert isinstance(pool, QueuePool)
    in_use = pool.checkedout()  # SQLite's one writer

    def slowly(*arguments: object) -> object:
        begun.set()
        return lacking(*arguments)  # type: ignore[arg-type]

    async def served() -> None:
        async with beside(Teller(axis.desk).keep()):
            while not begun.is_set():
                await asyncio.sleep(0.001)

    monkeypatch.setattr(tallying.regroup, "lacking", slowly)
    asyncio.run(asyncio.wait_for(served(), 60))
    assert not [thread for thread in threading.enumerate() if thread.name == "recount"]
    assert pool.checkedout() == in_use
    assert not groups_hold(axis)


def test_while_a_program_before_counts_beside_this_one_reports_read_agencies(axis: Axis) -> None:
    office, *_ = office_and_provinces(axis)
    mend_groups(axis.desk.engine)
    office.send("H41")
    told(axis)
    assert groups_hold(axis)
    by_a_program_before(axis, Cell(Measure.DOCUMENTS, START, "H27"))
    assert not groups_hold(axis)
    office.send("H41")
    told(axis)
    assert not groups_hold(axis)
    assert sent(axis, By.PROVINCE) == {"–": 2, "H27": 1}
    mend_groups(axis.desk.engine)
    assert groups_hold(axis)
    assert sent(axis, By.PROVINCE) == {"–": 2, "H27": 1}


@pytest.mark.parametrize("who", ["a program before", "one that knows another directory"])
def test_what_is_counted_for_no_group_while_they_are_added_up_is_not_missed(
    axis: Axis, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, *_ = office_and_provinces(axis)
    office.send("H41")
    told(axis)
    whole = tallying.regroup.windows

    def meanwhile(*arguments: object) -> object:
        monkeypatch.setattr(tallying.regroup, "windows", whole)
        if who == "a program before":
            by_a_program_before(axis, Cell(Measure.DOCUMENTS, START, "H27"))
        else:
            office.send("H41")
            by_operator(axis, mapping("H41", "H27"))
            told(axis)
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(tallying.regroup, "windows", meanwhile)
    mend_groups(axis.desk.engine)
    assert not groups_hold(axis)
    mend_groups(axis.desk.engine)
    assert groups_hold(axis)
    assert sum(sent(axis, By.LEVEL).values()) == 2


def test_what_is_counted_while_groups_are_added_up_is_added_to_them(
    axis: Axis, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(axis, 8)
    history.go_on(60)
    told(axis)
    with writing(axis.desk.engine) as connection:
        connection.execute(group_figure.delete().where(group_figure.c.measure == Measure.DOCUMENTS))
        connection.execute(update(tally).values(grouped=-1))
    lacking = tallying.regroup.lacking

    def meanwhile(*arguments: object) -> object:
        monkeypatch.setattr(tallying.regroup, "lacking", lacking)
        found = lacking(*arguments)  # type: ignore[arg-type]
        history.go_on(30)
        assert told(axis) > 0
        return found

    monkeypatch.setattr(tallying.regroup, "lacking", meanwhile)
    mend_groups(axis.desk.engine)
    assert groups_hold(axis)
    assert recounted(axis, only_look=True).differences == 0


@pytest.mark.parametrize(
    ("code", "change"),
    [("H41", mapping("H41", "H27")), ("G22.7", listing("G22.7", "Vụ Tổng hợp", parent="H27"))],
    ids=["mapped", "listed"],
)
def test_when_the_directory_puts_an_agency_elsewhere_reports_do_so_at_once(
    axis: Axis, code: str, change: object
) -> None:
    office_and_provinces(axis)
    by_a_program_before(axis, Cell(Measure.DOCUMENTS, START, code))
    mend_groups(axis.desk.engine)
    assert groups_hold(axis)
    assert sent(axis, By.PROVINCE) == {"H41" if code == "H41" else "–": 1}
    by_operator(axis, change)
    assert not groups_hold(axis)
    assert sent(axis, By.PROVINCE) == {"H27": 1}
    mend_groups(axis.desk.engine)
    assert groups_hold(axis)
    assert sent(axis, By.PROVINCE) == {"H27": 1}


def test_who_knows_another_directory_than_that_of_the_groups_adds_to_none(axis: Axis) -> None:
    office, *_ = office_and_provinces(axis)
    mend_groups(axis.desk.engine)
    with writing(axis.desk.engine) as connection:  # as a worker leaves it that knows a newer one already
        connection.execute(update(tally).values(mark="f" * 64))
    office.send("H41")
    told(axis)
    assert place(axis)["grouped"] == place(axis)["version"] - 1
    with reading(axis.desk.engine) as connection:
        assert connection.execute(select(group_figure)).all() == []


def test_a_unit_that_is_listed_where_its_code_says_costs_nothing(axis: Axis) -> None:
    office_and_provinces(axis)
    mend_groups(axis.desk.engine)
    by_operator(axis, listing("H41.15", "Sở Tài chính"))
    assert groups_hold(axis)


def test_a_recount_beside_a_hub_that_adds_up_groups_goes_on(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite nothing keeps the hub from adding them up, as it does two seconds after they do not hold."""
    history = History(axis, 12)
    history.go_on(60)
    told(axis)
    c = figure.c
    with writing(axis.desk.engine) as connection:
        connection.execute(update(figure).where(c.span == "D", c.measure == Measure.IN).values(value=c.value + 1))
    months = tallying.recount.months

    def meanwhile(*arguments: object) -> object:
        monkeypatch.setattr(tallying.recount, "months", months)
        assert not groups_hold(axis)
        with suppress(Refusal):  # on PostgreSQL the recount is alone
            mend_groups(axis.desk.engine)
        return months(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(tallying.recount, "months", meanwhile)
    assert recounted(axis).differences > 0
    assert groups_hold(axis)
    assert recounted(axis, only_look=True).differences == 0


def test_what_a_recount_mends_while_groups_are_added_up_is_not_missed(
    axis: Axis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite both may go on at once."""
    history = History(axis, 13)
    history.go_on(40)
    told(axis)
    with writing(axis.desk.engine) as connection:
        connection.execute(update(tally).values(mark=""))
    windows = tallying.regroup.windows

    def meanwhile(*arguments: object) -> object:
        monkeypatch.setattr(tallying.regroup, "windows", windows)
        with writing(axis.desk.engine) as connection:  # as a recount mends
            figures.add_to_span(connection, "D", {Cell(Measure.DOCUMENTS, START, "H27"): 1})
            figures.leave_groups(connection)
        return windows(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(tallying.regroup, "windows", meanwhile)
    mend_groups(axis.desk.engine)
    assert not groups_hold(axis)


@pytest.mark.parametrize("only_look", [True, False])
def test_what_is_counted_for_no_group_during_a_recount_is_no_difference(
    axis: Axis, only_look: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, *_ = office_and_provinces(axis)
    office.send("H41")
    told(axis)
    mend_groups(axis.desk.engine)
    windows = tallying.regroup.windows

    def meanwhile(*arguments: object) -> object:
        monkeypatch.setattr(tallying.regroup, "windows", windows)
        by_a_program_before(axis, Cell(Measure.DOCUMENTS, START, "H27"))
        return windows(*arguments)  # type: ignore[arg-type]

    assert recounted(axis, only_look=True).with_groups
    monkeypatch.setattr(tallying.regroup, "windows", meanwhile)
    found = recounted(axis, only_look=only_look)
    assert (found.differences, found.with_groups) == (0, False)


def test_a_recount_finds_a_figure_of_a_group_that_is_wrong(axis: Axis) -> None:
    office, *_ = office_and_provinces(axis)
    mend_groups(axis.desk.engine)
    office.send("H41")
    told(axis)
    c = group_figure.c
    with writing(axis.desk.engine) as connection:
        wrong = update(group_figure).where(c.grouping == Grouping.LEVEL, c.span == "D", c.measure == Measure.OUT)
        connection.execute(wrong.values(value=7))
    told_of = ("level D", Cell(Measure.OUT, START, "1"), -6)
    for only_look, differences in ((True, 1), (False, 1), (True, 0)):
        found = recounted(axis, only_look=only_look)
        assert (found.differences, found.examples) == (differences, [told_of][:differences])


def test_a_power_cut_while_groups_are_added_up_leaves_them_to_be_added_up(
    axis: Axis, monkeypatch: pytest.MonkeyPatch
) -> None:
    History(axis, 9).go_on(40)
    told(axis)
    with writing(axis.desk.engine) as connection:
        connection.execute(group_figure.delete())
        connection.execute(update(tally).values(grouped=-1))

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(figures, "end_regroup", cut)
        with pytest.raises(KeyboardInterrupt):
            mend(axis.desk.engine, axis.clock)
    assert not groups_hold(axis)
    told(axis)
    mend_groups(axis.desk.engine)
    assert groups_hold(axis)
    assert recounted(axis, only_look=True).differences == 0
    assert place(axis)["grouped"] == place(axis)["version"]
