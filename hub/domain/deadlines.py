"""Working days, and the clocks of QĐ 28/2018 and NĐ 30/2020 that run on them.

Working days are Monday to Friday without public holidays, and Saturdays or Sundays that were swapped for a day off.
Which days those are is a calendar's, and the calendar an argument. Moments have a zone; days are those of Hà Nội.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from hub.domain.document import VIETNAM, local_day

MORNING_ENDS = time(12)
_LONGEST_HOLIDAY = 366  # days; a calendar that has more in a row is no calendar


class DayKind(StrEnum):
    """What a calendar says of a day. ``ORDINARY`` takes back what the packaged calendar says."""

    HOLIDAY = "holiday"
    WORKDAY = "workday"
    ORDINARY = "ordinary"


@dataclass(frozen=True, slots=True)
class Day:
    """A row of the calendar. ``basis``: announced, computed (a lunar holiday or day in lieu worked out from the Labour
    Code, to be checked when it is announced), or operator; ``source``: who announced it, as far as is known.
    """

    day: date
    kind: DayKind
    name: str
    basis: str = "operator"
    source: str = ""


class CalendarError(Exception):
    """A calendar without a working day in a year."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days that are no ordinary days of their week."""

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    @classmethod
    def of(cls, days: Iterable[Day]) -> Calendar:
        """By the last row of each day."""
        last = {row.day: row.kind for row in days}
        return cls(
            frozenset(day for day, kind in last.items() if kind is DayKind.HOLIDAY),
            frozenset(day for day, kind in last.items() if kind is DayKind.WORKDAY),
        )

    def is_working(self, day: date) -> bool:
        if day in self.workdays:
            return True
        return day.weekday() < 5 and day not in self.holidays

    def next_working(self, day: date) -> date:
        """The first working day after this one. Raises CalendarError."""
        for ahead in range(1, _LONGEST_HOLIDAY):
            following = day + timedelta(days=ahead)
            if self.is_working(following):
                return following
        raise CalendarError(f"no working day within a year of {day}")

    def working_days(self, after: date, until: date) -> int:
        """How many working days there are after the first day, up to and with the last."""
        return sum(self.is_working(after + timedelta(days=n)) for n in range(1, (until - after).days + 1))


class Sent(StrEnum):
    """How a document was sent after it was signed."""

    SAME_DAY = "same-day"
    NEXT_MORNING = "next-morning"
    LATE = "late"


def _noon(day: date) -> datetime:
    return datetime.combine(day, MORNING_ENDS, VIETNAM)


def _end(day: date) -> datetime:
    """The first moment after a day."""
    return datetime.combine(day + timedelta(days=1), time.min, VIETNAM)


def send_by(signed_on: date, calendar: Calendar, *, urgent: bool) -> datetime:
    """Before this moment a document is to be sent (QĐ 28/2018 Đ.6 k.2): on the day it was signed, at the latest in the
    morning of the next working day; an urgent one right after signing, of which only the day is known.

    Raises CalendarError.
    """
    return _end(signed_on) if urgent else _noon(calendar.next_working(signed_on))


def sent(signed_on: date, at: datetime, calendar: Calendar, *, urgent: bool) -> Sent:
    """How a document was sent at a moment. Raises CalendarError."""
    if local_day(at) <= signed_on:
        return Sent.SAME_DAY
    return Sent.NEXT_MORNING if at < send_by(signed_on, calendar, urgent=urgent) else Sent.LATE


def told_by(arrived: datetime) -> datetime:
    """Before this moment the sender is to be told of receipt: the same day (NĐ 30/2020 Đ.21 k.2c)."""
    return _end(local_day(arrived))


def registered_by(arrived: datetime, calendar: Calendar, *, urgent: bool) -> datetime:
    """Before this moment a document is to be registered and passed on: the same day, at the latest the next working
    day; an urgent one at once (NĐ 30/2020 Đ.4 k.2c, Đ.23 k.1). Raises CalendarError.
    """
    day = local_day(arrived)
    return _end(day if urgent else calendar.next_working(day))


def same_period_before(since: date, until: date) -> tuple[date, date]:
    """The same days of the year before; the 29th of February is the 28th there, and a period that ends with February
    ends with it there too."""
    return _year_before(since), _month_end(_year_before(until)) if _is_february_end(until) else _year_before(until)


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)


def _is_february_end(day: date) -> bool:
    return day.month == 2 and (day + timedelta(days=1)).month == 3


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
