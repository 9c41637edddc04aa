"""The order of a list that has an end: turn after turn, and of what is too much the newest and the oldest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.turns import Turn, page, turn_of


def listed(size: int, **waiting: int) -> list[str]:
    """A page of so many documents, of as many as wait in each turn; each is named by its turn and age, 1 the oldest."""

    def read(turn: Turn, most: int, newest: bool) -> list[str]:
        ids = [f"{turn.name}-{n}" for n in range(1, waiting.get(turn.name, 0) + 1)]
        return (ids[::-1] if newest else ids)[:most]

    return page(read, size)


def test_what_fits_comes_turn_after_turn_oldest_first() -> None:
    assert listed(5, SUNK=1, ORDINARY=2, URGENT=2) == ["URGENT-1", "URGENT-2", "ORDINARY-1", "ORDINARY-2", "SUNK-1"]


def test_of_what_does_not_fit_half_are_the_newest_and_half_the_oldest() -> None:
    assert listed(5, ORDINARY=9) == ["ORDINARY-8", "ORDINARY-9", "ORDINARY-1", "ORDINARY-2", "ORDINARY-3"]
    assert listed(4, URGENT=1, ORDINARY=9, SUNK=9) == ["URGENT-1", "ORDINARY-9", "ORDINARY-1", "ORDINARY-2"]


def test_an_urgent_document_has_the_first_turn() -> None:
    assert [turn_of(urgent=True), turn_of(urgent=False)] == [Turn.URGENT, Turn.ORDINARY]


@given(st.integers(1, 9), st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_a_page_is_full_or_has_everything_once(size: int, urgent: int, ordinary: int, sunk: int) -> None:
    found = listed(size, URGENT=urgent, ORDINARY=ordinary, SUNK=sunk)
    assert len(found) == len(set(found)) == min(size, urgent + ordinary + sunk)
    if ordinary and size - min(size, urgent) > 1:
        assert {"ORDINARY-1", f"ORDINARY-{ordinary}"} <= set(found)
