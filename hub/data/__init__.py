"""The data files that come with the package, and their readers.

``agencies.csv`` is the directory a new hub starts with: level 1 by QĐ 20/2020 as amended by QĐ 09/2025, and the units
of the Ministry of Finance known before 2025. Rows with ``uncertain`` = 1 await a check against the decisions.
"""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files

from hub.domain.agency import Agency


def read_agencies() -> list[Agency]:
    """The packaged directory, in the order of the file."""
    lines = files(__name__).joinpath("agencies.csv").read_text(encoding="utf-8").splitlines()
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
        for row in csv.DictReader(lines)
    ]
