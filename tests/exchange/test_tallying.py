"""Figures are what the rows say: after any history, late changes, removals, power cuts, and several who count."""

from __future__ import annotations

import pytest
from builders.axis import Axis
from builders.tallied import History, by_measure, kept, place, recounted, told


@pytest.mark.parametrize("seed", range(4))
def test_after_any_history_a_recount_finds_the_same_figures(axis: Axis, seed: int) -> None:
    history = History(axis, seed)
    for _ in range(3):
        history.go_on(60)
        uncounted = recounted(axis, only_look=True)
        assert (uncounted.differences, uncounted.examples) == (0, [])
        told(axis)
        counted = recounted(axis, only_look=True)
        assert (counted.differences, counted.examples) == (0, [])
    assert min(kept(axis).values()) > 0
    found = by_measure(axis)
    assert found["out"] == found["in"] > found["documents"] > 0
    assert by_measure(axis, "M")["documents"] == found["documents"]
    assert place(axis)["complete"]
