"""Groups of agencies that reports add up: by level, and by province."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from functools import lru_cache

from hub.domain.agency import Directory, ancestors, canonical, level_of

NO_PROVINCE = "–"
_RULE = 1  # to be raised with any change of what a code's groups are


class Grouping(StrEnum):
    """What agencies are one by."""

    LEVEL = "level"
    PROVINCE = "province"


class Groups:
    """To which groups an agency belongs, by a directory.

    ``mark``: SHA-256 (hex) of what may make them other ones than the forms of codes do. Two directories with one mark
    have the same groups; a unit that is listed where its code says leaves it as it is.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.of = lru_cache(maxsize=16_384)(self._of)
        self.mark = self._mark()

    def _of(self, grouping: Grouping, code: str) -> str:
        return self.level(code) if grouping is Grouping.LEVEL else self.province(code)

    def level(self, code: str) -> str:
        """``1``, the highest, to ``4``: as it is listed, else by the code's form; ``?`` where neither says one."""
        listed = self._directory.listed(code)
        level = listed.level if listed else level_of(code)
        return str(level) if level else "?"

    def province(self, code: str) -> str:
        """The code of level 1 that a province's agencies are below, of its committee or its council; ``–`` of others
        (QĐ 20/2020: H and K).
        """
        top = next((above for above in self._directory.chain(code) if _top(above) == above), "")
        return top if top[:1] in ("H", "K") else NO_PROVINCE

    def _mark(self) -> str:
        directory = self._directory
        rows = {directory.resolve(agency.code): agency for agency in directory.agencies}
        parents = ((code, canonical(row.parent)) for code, row in rows.items() if row.parent)
        ways_up = [*directory.aliases.items(), *((code, up) for code, up in parents if up not in ancestors(code))]
        # While each leads from below a top to below the same, everybody's is the one his code shows; once one does not,
        # which way is taken first may count anywhere.
        if all(_top(code) == _top(up) != code for code, up in ways_up):
            ways_up = []
        levels = [(code, self.level(code)) for code in rows.keys() | directory.aliases.keys()]
        levels = [(code, level) for code, level in levels if level != str(level_of(code) or "?")]
        said = json.dumps([_RULE, sorted(ways_up), sorted(levels)])
        return hashlib.sha256(said.encode()).hexdigest()


def _top(code: str) -> str:
    return (code, *ancestors(code))[-1] if level_of(code) else ""


@lru_cache(maxsize=2)
def groups_of(directory: Directory) -> Groups:
    """Those of a directory, made once."""
    return Groups(directory)
