"""When an office works: 7:30 to 17:00 from Monday to Friday, in Vietnam."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from hub.domain.document import VIETNAM

_OPENS, _CLOSES = time(7, 30), time(17, 0)


def next_working(moment: datetime) -> datetime:
    """This moment, or the next at which the office opens."""
    local = moment.astimezone(VIETNAM)
    if local.weekday() < 5 and _OPENS <= local.time() < _CLOSES:
        return moment
    day = local.date() if local.time() < _OPENS else local.date() + timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return datetime.combine(day, _OPENS, VIETNAM)
