"""The operator's calendar: working days, where the packaged calendar is not right (``hub.domain.deadlines``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hub.domain.deadlines import Day, DayKind
from hub.exchange import audit
from hub.exchange.writer import Transaction, each
from hub.store import calendar


@dataclass(frozen=True, slots=True)
class Addition:
    """Days to be known as these say. ``by``: who, for the audit."""

    days: tuple[Day, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Removal:
    """Days to be ordinary days of their week. ``packaged`` are those of the packaged calendar."""

    days: tuple[date, ...]
    packaged: frozenset[date]
    by: str


@each
def add(tx: Transaction, job: Addition) -> int:
    """Gives how many days."""
    calendar.put(tx.connection, job.days)
    _note(tx, job.by, "calendar-add", {day.day.isoformat(): day.kind.value for day in job.days})
    return len(job.days)


@each
def remove(tx: Transaction, job: Removal) -> int:
    """What the operator said is gone, what the package says is taken back; gives how many days that were."""
    known = {day.day: day.kind for day in calendar.days(tx.connection)}
    said = job.packaged | {day for day, kind in known.items() if kind is not DayKind.ORDINARY}
    gone = [day for day in dict.fromkeys(job.days) if day in said and known.get(day) is not DayKind.ORDINARY]
    calendar.remove(tx.connection, gone)
    calendar.put(tx.connection, [Day(day, DayKind.ORDINARY, "") for day in gone if day in job.packaged])
    if gone:
        _note(tx, job.by, "calendar-remove", {day.isoformat(): "" for day in gone})
    return len(gone)


def _note(tx: Transaction, by: str, action: str, facts: Mapping[str, str]) -> None:
    audit.note(tx, by, action, f"{len(facts)}: {', '.join(list(facts)[:5])}", facts={"days": dict(facts)})
