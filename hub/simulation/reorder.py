"""Two statuses of one document by one agency that change places in their recipient's lists."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from hub.simulation.calls import Intent, Row
from hub.simulation.known import Kept, remember

_LOOKS = 10  # lists from which the first status is missing while no second one comes


@dataclass(slots=True)
class _Pair:
    first: str  # delivery ids
    row: Row
    second: str = ""
    looks: int = 0


class Reorder:
    """Holds the first status back until the second was listed before it; without one, for some looks only."""

    def __init__(self) -> None:
        self._pairs: Kept[_Pair] = Kept()  # by what a pair is about
        self._firsts: OrderedDict[str, str] = OrderedDict()  # what the pair is about whose first status this is
        self._over: OrderedDict[str, None] = OrderedDict()  # what a pair was about, once its first status is done

    def listed(self, intent: Intent, rows: list[Row], struck: Mapping[str, str]) -> list[Row]:
        """The list in its new order; ``struck`` says of deliveries that are struck what they are about."""
        shown: list[Row] = []
        for row in rows:
            delivery = intent.id_of(row)
            about = struck.get(delivery)
            if about is None or about in self._over:
                shown.append(row)
                continue
            pair = self._pairs.get(about)
            if pair is None:
                self._pairs.put(intent.caller, about, _Pair(delivery, row))
                remember(self._firsts, delivery, about)
            elif delivery != pair.first:
                pair.second = pair.second or delivery
                shown.append(row)
        for pair in self._pairs.of(intent.caller):
            if intent.lists(pair.row):
                self._show(intent, pair, shown)
        return shown

    def _show(self, intent: Intent, pair: _Pair, shown: list[Row]) -> None:
        if not pair.second and pair.looks < _LOOKS:
            pair.looks += 1
            return
        places = [place for place, row in enumerate(shown) if intent.id_of(row) == pair.second]
        shown.insert(places[0] + 1 if places else len(shown), pair.row)

    def done(self, delivery: str) -> None:
        """A delivery is done: if it was the first of a pair, that is over."""
        about = self._firsts.pop(delivery, None)
        if about is not None and self._pairs.drop(about):
            remember(self._over, about, None)
