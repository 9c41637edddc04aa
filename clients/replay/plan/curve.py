"""When documents are sent: slots of time with their weights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from math import exp
from typing import NamedTuple

from clients.replay.scenario.shapes import Scenario
from hub.domain.document import VIETNAM

_SLOTS = 500  # of an even or swelling curve
_HALF_HOUR = 1800.0
_WEEKEND = 0.03  # of a working day
# Working days by half hours: 92 of 100 documents in eight hours, with peaks at 10:00-11:30 and 15:00-16:30
# (regulation.md §7: assumptions of the load model).
_DAY = {
    7.0: 1.0, 7.5: 3.0, 8.0: 4.5, 8.5: 5.5, 9.0: 6.5, 9.5: 7.5, 10.0: 9.5, 10.5: 9.5, 11.0: 8.0, 11.5: 1.5, 12.0: 0.5,
    13.0: 2.0, 13.5: 4.0, 14.0: 5.5, 14.5: 6.5, 15.0: 8.5, 15.5: 8.5, 16.0: 7.5, 16.5: 3.0, 17.0: 1.5, 18.0: 0.5,
    19.0: 0.5, 20.0: 0.5,
}  # fmt: skip


class Slot(NamedTuple):
    start: float
    seconds: float
    weight: float


def slots(scenario: Scenario) -> Iterator[Slot]:
    """The play's time in pieces, with what share of the documents falls into each."""
    duration, documents = scenario.clock.duration, scenario.documents
    pieces = _office(scenario) if documents.curve == "office-hours" else _plain(scenario)
    for start, seconds, weight in pieces:
        yield Slot(start, seconds, weight * documents.growth ** ((start + seconds / 2) / duration))


def _plain(scenario: Scenario) -> Iterator[Slot]:
    seconds = scenario.clock.duration / _SLOTS
    swelling = scenario.documents.curve == "peak"
    for n in range(_SLOTS):
        away = (n + 0.5) / _SLOTS - 0.5
        yield Slot(n * seconds, seconds, 0.15 + exp(-((away / 0.16) ** 2)) if swelling else 1.0)


def _office(scenario: Scenario) -> Iterator[Slot]:
    begin = scenario.clock.start.astimezone(VIETNAM)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    day = 0
    while (from_start := (midnight + timedelta(days=day) - begin).total_seconds()) < scenario.clock.duration:
        today = (midnight + timedelta(days=day)).date()
        weight = _WEEKEND if today.weekday() >= 5 else 1.0
        if _ends_a_month(today):
            weight *= scenario.documents.month_end
        for hour, share in _DAY.items():
            start = from_start + hour * 3600
            if start >= 0 and start + _HALF_HOUR <= scenario.clock.duration:
                yield Slot(start, _HALF_HOUR, weight * share)
        day += 1


def _ends_a_month(day: date) -> bool:
    """Whether it is the last working day of its month."""
    after = day + timedelta(days={4: 3, 5: 2}.get(day.weekday(), 1))
    return day.weekday() < 5 and after.month != day.month
