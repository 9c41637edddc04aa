"""Working days, and what was sent in time by QĐ 28/2018 Đ.6 and NĐ 30/2020."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.data import read_holidays
from hub.domain.deadlines import (
    Calendar,
    CalendarError,
    Day,
    DayKind,
    Sent,
    registered_by,
    same_period_before,
    send_by,
    sent,
    told_by,
)
from hub.domain.document import VIETNAM

PACKAGED = Calendar.of(read_holidays())
DAYS = st.dates(date(2018, 6, 1), date(2028, 6, 1))
CALENDARS = st.builds(
    Calendar,
    st.frozensets(st.dates(date(2019, 1, 1), date(2019, 12, 31)), max_size=60),
    st.frozensets(st.dates(date(2019, 1, 1), date(2019, 12, 31)), max_size=20),
)
MOMENTS = st.datetimes(datetime(2018, 12, 1), datetime(2020, 2, 1)).map(lambda at: at.replace(tzinfo=VIETNAM))  # noqa: DTZ001


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+07:00")


@pytest.mark.parametrize(
    ("signed", "moment", "urgent", "how"),
    [
        ("2019-06-14", "2019-06-14T23:59:59", False, Sent.SAME_DAY),
        ("2019-06-14", "2019-06-17T11:59:59", False, Sent.NEXT_MORNING),  # Friday to Monday morning
        ("2019-06-14", "2019-06-17T12:00:00", False, Sent.LATE),
        ("2019-06-14", "2019-06-15T08:00:00", False, Sent.NEXT_MORNING),  # on a Saturday: before it was due
        ("2019-06-14", "2019-06-15T08:00:00", True, Sent.LATE),
        ("2019-06-14", "2019-06-14T20:00:00", True, Sent.SAME_DAY),
        ("2019-06-20", "2019-06-14T08:00:00", False, Sent.SAME_DAY),  # dated ahead
        ("2019-02-01", "2019-02-11T11:00:00", False, Sent.NEXT_MORNING),  # over Tết
        ("2019-02-01", "2019-02-12T11:00:00", False, Sent.LATE),
        (
            "2019-05-03",
            "2019-05-04T11:00:00",
            False,
            Sent.NEXT_MORNING,
        ),  # a Saturday that was worked for the 29th of April
        ("2019-05-03", "2019-05-06T11:00:00", False, Sent.LATE),
    ],
)
def test_a_document_is_sent_on_its_day_or_the_next_working_morning(
    signed: str, moment: str, urgent: bool, how: Sent
) -> None:
    assert sent(date.fromisoformat(signed), at(moment), PACKAGED, urgent=urgent) is how


@given(DAYS, CALENDARS)
def test_the_next_working_day_is_the_first_that_is_one(day: date, calendar: Calendar) -> None:
    following = calendar.next_working(day)
    between = [day + timedelta(days=n) for n in range(1, (following - day).days)]
    assert calendar.is_working(following)
    assert following > day
    assert not any(map(calendar.is_working, between))
    assert calendar.working_days(day, following) == 1


@given(MOMENTS, MOMENTS, CALENDARS, st.booleans())
def test_later_is_never_better(first: datetime, second: datetime, calendar: Calendar, urgent: bool) -> None:
    early, late = sorted((first, second))
    order = list(Sent)
    signed = date(2019, 6, 14)
    how = [order.index(sent(signed, moment, calendar, urgent=urgent)) for moment in (early, late)]
    assert how == sorted(how)


@given(DAYS, CALENDARS)
def test_what_is_not_late_was_sent_before_it_was_due(day: date, calendar: Calendar) -> None:
    due = send_by(day, calendar, urgent=False)
    assert sent(day, due - timedelta(microseconds=1), calendar, urgent=False) is not Sent.LATE
    assert sent(day, due, calendar, urgent=False) is Sent.LATE


@given(st.datetimes(datetime(2019, 1, 1), datetime(2019, 12, 1)), CALENDARS)  # noqa: DTZ001
def test_receipt_is_told_the_same_day_and_registered_the_next_working_one(moment: datetime, calendar: Calendar) -> None:
    arrived = moment.replace(tzinfo=VIETNAM)
    assert arrived < told_by(arrived) <= arrived + timedelta(days=1)
    last = registered_by(arrived, calendar, urgent=False) - timedelta(days=1)
    assert last.timetz().replace(tzinfo=None) == time.min
    assert last.date() == calendar.next_working(arrived.date())
    assert registered_by(arrived, calendar, urgent=True) == told_by(arrived)


def test_the_packaged_calendar_has_a_row_for_each_day_once_and_no_holiday_at_a_weekend() -> None:
    days = read_holidays()
    assert len({day.day for day in days}) == len(days)
    assert all(day.day.weekday() < 5 for day in days if day.kind is DayKind.HOLIDAY)
    assert all(day.day.weekday() >= 5 for day in days if day.kind is DayKind.WORKDAY)
    assert all(day.source and day.basis in {"announced", "computed"} for day in days)
    assert {day.day.year for day in days if day.basis == "computed"} == {2027}
    for year in range(2019, 2028):  # ten or eleven days by the Labour Code, none lost at a weekend
        own = [day for day in days if max(day.day.year, 2019) == year]  # New Year of 2019 began with Monday
        off = [day for day in own if day.kind is DayKind.HOLIDAY]
        assert len(off) - (len(own) - len(off)) in {10, 11}


def test_the_operator_says_the_last_word_of_a_day() -> None:
    day = date(2027, 2, 12)
    assert PACKAGED.is_working(day)
    assert not Calendar.of([*read_holidays(), Day(day, DayKind.HOLIDAY, "Tết")]).is_working(day)
    assert Calendar.of([*read_holidays(), Day(date(2027, 1, 1), DayKind.ORDINARY, "")]).is_working(date(2027, 1, 1))


def test_a_calendar_without_working_days_is_told() -> None:
    all_days = frozenset(date(2019, 1, 1) + timedelta(days=n) for n in range(800))
    with pytest.raises(CalendarError):
        Calendar(all_days).next_working(date(2019, 1, 1))


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (("2019-03-12", "2019-07-21"), ("2018-03-12", "2018-07-21")),
        (("2024-02-29", "2024-02-29"), ("2023-02-28", "2023-02-28")),
        (("2024-02-01", "2024-02-29"), ("2023-02-01", "2023-02-28")),
        (("2025-02-01", "2025-02-28"), ("2024-02-01", "2024-02-29")),
    ],
)
def test_the_same_period_of_the_year_before(period: tuple[str, str], before: tuple[str, str]) -> None:
    since, until = map(date.fromisoformat, period)
    assert same_period_before(since, until) == tuple(map(date.fromisoformat, before))
