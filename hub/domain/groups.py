"""Groups of agencies that reports add up: by level, and by province."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from functools import cached_property, lru_cache

from hub.domain.agency import Directory, level_of

NO_PROVINCE = "–"


class Grouping(StrEnum):
    """What agencies are one by."""

    LEVEL = "level"
    PROVINCE = "province"


class Groups:
    """To which groups an agency belongs, by a directory."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.of = lru_cache(maxsize=16_384)(self._of)

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
        top = next(iter(self._tops(code)), "")
        return top if top[:1] in ("H", "K") else NO_PROVINCE

    def _tops(self, code: str) -> list[str]:
        return [above for above in self._directory.chain(code) if level_of(above) == 1]

    @cached_property
    def mark(self) -> str:
        """SHA-256 (hex) of what makes agencies' groups other ones than the forms of their codes do. Two directories
        with one mark have the same groups; a unit that is listed where its code says leaves it as it is.
        """
        plain, directory = Groups(Directory(())), self._directory
        odd: list[tuple[str, ...]] = []
        for code in {directory.resolve(agency.code) for agency in directory.agencies} | directory.aliases.keys():
            level, listed = self.level(code), directory.listed(code)
            # Who is below one top alone is in its group whichever way up is taken; of others each way counts.
            if level != plain.level(code) or self._tops(code) != plain._tops(code):
                odd.append((code, directory.resolve(code), level, listed.parent if listed else ""))
        return hashlib.sha256(json.dumps(sorted(odd)).encode()).hexdigest()


@lru_cache(maxsize=2)
def groups_of(directory: Directory) -> Groups:
    """Those of a directory, whose mark is made once."""
    return Groups(directory)
