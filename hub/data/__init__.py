"""The data files that come with the package, and their readers.

``agencies.csv`` is the directory a new hub starts with: level 1 by QĐ 20/2020 as amended by QĐ 09/2025, and the units
of the Ministry of Finance known before 2025. Rows with ``uncertain`` = 1 await a check against the decisions.

``holidays.csv`` has the days off of 2019 to 2027 that fall on a Monday to Friday, and the Saturdays worked for them, of
offices with a five-day week. ``basis`` tells whether a row was announced, as the writer remembers the announcement, or
computed; a computed one awaits its announcement.
"""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files

from hub.domain.agency import Agency
from hub.domain.deadlines import Day, DayKind


def read_agencies() -> list[Agency]:
    """The packaged directory, in the order of the file."""
    return [
        Agency(
            code=row["code"],
            name=row["name"],
            level=int(row["level"]),
            parent=row["parent"],
            closed_on=date.fromisoformat(row["closed_on"]) if row["closed_on"] else None,
            successor=row["successor"],
            uncertain=row["uncertain"] == "1",
            note=row["note"],
        )
        for row in _rows("agencies.csv")
    ]


def read_holidays() -> list[Day]:
    """The packaged calendar, by day."""
    return [
        Day(date.fromisoformat(row["day"]), DayKind(row["kind"]), row["name"], row["basis"], row["source"])
        for row in _rows("holidays.csv")
    ]


def _rows(name: str) -> csv.DictReader[str]:
    return csv.DictReader(files(__name__).joinpath(name).read_text(encoding="utf-8").splitlines())
