"""A page of a report shows its first rows: they and their total are those of the whole report."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from builders.axis import Axis
from builders.reports import office_and_provinces
from builders.tallied import CODES, History, kept, told
from builders.units import by_operator, listing

from hub.reports import build as building
from hub.reports.build import Asked, Report, build
from hub.reports.definitions import KINDS, By, Kind, Sums
from hub.store import figures
from hub.store.engine import reading

YEAR = (date(2025, 9, 1), date(2026, 8, 31))
PERIODS = (YEAR, (date(2025, 10, 1), date(2025, 10, 20)), (date(2026, 10, 1), date(2026, 10, 31)))


def read(axis: Axis, asked: Asked, most: int | None) -> Report:
    with reading(axis.desk.engine) as connection:
        return build(connection, axis.desk.rosters.current(now=True).directory, asked, YEAR[1], most=most)


def shown(found: Report) -> list[tuple[object, ...]]:
    return [
        (row.group, row.name, row.values, row.before, dict(row.now), dict(row.then))
        for row in (found.total, *found.rows)
    ]


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_row_has_its_place_by_the_first_measure_of_its_report(kind: Kind) -> None:
    first, *others = kind.measures
    assert kind.columns[0].of(Sums({first: 7} | dict.fromkeys(others, 3))) == 7


@pytest.mark.parametrize("as_large", [0, 800])
def test_the_first_rows_are_those_of_the_whole_report(
    axis: Axis, as_large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_SOME", as_large)
    history = History(axis, 41)
    history.go_on(90)
    told(axis)
    are_narrowed = 0
    for kind in KINDS.values():
        for since, until in PERIODS:
            for by in By:
                asked = Asked(kind, since, until, by)
                whole = read(axis, asked, None)
                for most in range(1, len(CODES) + 2):
                    part = read(axis, asked, most)
                    first = whole.rows[:most] if by is By.AGENCY else whole.rows
                    assert shown(part) == shown(replace(whole, rows=first))
                    assert part.rules == whole.rules
                    if len(part.rows) < len(whole.rows):
                        assert not part.is_whole
                        are_narrowed += 1
                    elif by is not By.AGENCY:
                        assert part.is_whole
    assert are_narrowed > 20


@pytest.mark.parametrize("some", [0, 800])
def test_the_report_of_an_agency_has_the_rows_of_the_whole_one(
    axis: Axis, some: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_SOME", some)
    history = History(axis, 43)
    history.go_on(90)
    told(axis)
    for kind in KINDS.values():
        for since, until in PERIODS:
            whole = read(axis, Asked(kind, since, until, By.AGENCY), None)
            for code in CODES:
                of_one = read(axis, Asked(kind, since, until, By.AGENCY, code), None)
                assert shown(of_one)[1:] == [row for row in shown(whole)[1:] if row[0] == code]


@pytest.mark.parametrize("by", By)
def test_the_report_of_an_agency_has_those_below_it_listed_or_not(axis: Axis, by: By) -> None:
    office, *_ = office_and_provinces(axis)
    by_operator(axis, listing("H41.15", "Sở Tài chính"))
    office.send("H41", "H41.15", "H41.16.3", "H27")
    told(axis)
    found = read(axis, Asked(KINDS["sent-received"], *YEAR, by, "H41"), None)
    received = {row.group: row.values[3] for row in found.rows}
    assert (
        received
        == {
            By.AGENCY: {"H41": 1, "H41.15": 1, "H41.16.3": 1},
            By.LEVEL: {"1": 1, "2": 1, "3": 1},
            By.PROVINCE: {"H41": 3},
            By.MONTH: {"2025-10": 3},
        }[by]
    )
    assert found.total.values[3] == 3


def test_who_has_figures_in_a_month_is_found_by_few_measures(axis: Axis) -> None:
    history = History(axis, 44)
    history.go_on(120)
    told(axis)
    found = {(cell.day, cell.agency) for cell in kept(axis, "M")}
    assert len({day for day, _ in found}) >= 2
    for day in {day for day, _ in found}:
        with reading(axis.desk.engine) as connection:
            assert set(figures.agencies(connection, day, day)) == {agency for of, agency in found if of == day}


def test_agencies_as_large_as_the_last_that_is_shown_stand_in_their_order(axis: Axis) -> None:
    """Each has sent one document; then it counts what else there is of them."""
    office, north, middle = office_and_provinces(axis)
    north.send("H27")
    middle.send("H41")
    office.send("H41")
    told(axis)
    asked = Asked(KINDS["sent-received"], *YEAR, By.AGENCY)
    assert [row.group for row in read(axis, asked, 1).rows] == ["H41"]
    assert [row.group for row in read(axis, asked, 2).rows] == ["H41", "H27"]


def test_a_page_by_month_ended_before_the_newest_month(axis: Axis) -> None:
    office, *_ = office_and_provinces(axis)
    for _ in range(3):
        office.send("H41")
        axis.clock.pass_(days=31)
    told(axis)
    found = read(axis, Asked(KINDS["sent-received"], *YEAR, By.MONTH), 2)
    assert [row.group for row in found.rows] == ["2025-10", "2025-11", "2025-12"]
