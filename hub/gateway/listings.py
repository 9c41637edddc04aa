"""How often what waits was listed to a system that did nothing with it. Kept in memory: a restart counts anew."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable

from hub.domain.delivery import LISTINGS

PAGE = 500  # entries of one list
_KEPT = 2 * PAGE  # of one system's documents, or statuses


class Listings:
    """Of one process, in its event loop."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, bool], OrderedDict[str, int]] = defaultdict(OrderedDict)

    def shown(self, system_id: str, statuses: bool, delivery_ids: Iterable[str]) -> tuple[str, ...]:
        """Count a page; gives those that were now listed ``LISTINGS`` times."""
        counts = self._counts[system_id, statuses]
        sunk = []
        for delivery_id in delivery_ids:
            count = counts.pop(delivery_id, 0) + 1
            if count >= LISTINGS:
                sunk.append(delivery_id)
            else:
                counts[delivery_id] = count
        while len(counts) > _KEPT:
            counts.popitem(last=False)
        if not counts:
            del self._counts[system_id, statuses]
        return tuple(sunk)

    def acted(self, system_id: str, delivery_id: str) -> None:
        """The system did something with it."""
        for statuses in (False, True):
            counts = self._counts.get((system_id, statuses))
            if counts is not None:
                counts.pop(delivery_id, None)
