"""Numbers that are spread by rule instead of drawn: exact sums, and nothing to remember."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import gcd

from clients.replay.scenario.shapes import Range

_GOLDEN = 0.6180339887498949


class Spread:
    """Of ``count`` whole numbers, shared out as ``ranges`` say, the one at each place; evenly mixed by the golden
    section. With ``total`` their sum is exactly that.
    """

    def __init__(self, ranges: Sequence[Range], count: int, most: int, total: int = 0, offset: float = 0.0) -> None:
        counts = _counts(ranges, count, most)
        if total:
            _correct(counts, total, most)
        self._values = sorted(counts)
        self._until = list(accumulate(counts[value] for value in self._values))
        self._count, self._offset = count, int(offset * count)
        self._step = next((k for k in range(max(1, round(count * _GOLDEN)), 2 * count + 2) if gcd(k, count) == 1), 1)

    def __getitem__(self, place: int) -> int:
        rank = (place * self._step + self._offset) % self._count
        return self._values[bisect_right(self._until, rank)]


def _counts(ranges: Sequence[Range], count: int, most: int) -> dict[int, int]:
    """How often each value occurs; a value above ``most`` is ``most``."""
    counts: dict[int, int] = {}
    begin = 0.0
    for each in ranges:
        end = begin + each.share * count
        first, last = round(begin), round(end)
        width = each.most - each.least + 1
        for step, (low, high) in enumerate(quotas([1.0] * min(width, max(1, last - first)), last - first)):
            values = min(width, max(1, last - first))
            value = min(most, each.least + (step * width) // values)
            counts[value] = counts.get(value, 0) + high - low
        begin = end
    return {value: times for value, times in counts.items() if times}


def _correct(counts: dict[int, int], total: int, most: int) -> None:
    """Move as many values by one as it takes to reach the total; the most frequent first."""
    missing = total - sum(value * times for value, times in counts.items())
    step = 1 if missing > 0 else -1
    while missing:
        movable = {v: t for v, t in counts.items() if t and (v < most if step > 0 else v > 1)}
        if not movable:
            raise ValueError(f"{total} recipients cannot be shared out")
        value = max(movable, key=lambda v: (movable[v], -v))
        times = min(movable[value], abs(missing), max(1, movable[value] // 4))
        counts[value] -= times
        counts[value + step] = counts.get(value + step, 0) + times
        missing -= step * times


def quotas(weights: Iterable[float], count: int) -> Iterable[tuple[int, int]]:
    """``count`` things shared out by weight, in order: for each weight the first place and the one after its last."""
    listed = list(weights)
    whole = sum(listed)
    placed, below = 0, 0.0
    for weight in listed:
        below += weight
        until = round(count * below / whole) if whole else 0
        yield placed, until
        placed = until
