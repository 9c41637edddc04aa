"""How often what waits was listed to a system that did nothing with it. Kept in memory: a restart counts anew."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from hub.domain.turns import LISTINGS

PAGE = 500  # entries of one list
_KEPT = 100_000  # of all systems; 23 MB


class Listings:
    """Of one process, in its event loop. What was not listed for long is forgotten first."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str], int] = OrderedDict()

    def shown(self, system_id: str, delivery_ids: Iterable[str]) -> tuple[str, ...]:
        """Count a page; gives those that were now listed ``LISTINGS`` times."""
        sunk = []
        for delivery_id in delivery_ids:
            count = self._counts.pop((system_id, delivery_id), 0) + 1
            if count >= LISTINGS:
                sunk.append(delivery_id)
            else:
                self._counts[system_id, delivery_id] = count
        while len(self._counts) > _KEPT:
            self._counts.popitem(last=False)
        return tuple(sunk)

    def acted(self, system_id: str, delivery_id: str) -> None:
        """The system did something with it."""
        self._counts.pop((system_id, delivery_id), None)
