"""The judge, on random histories: an honest hub is never blamed, and a defect is found whenever it was made."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from builders.books import Pages, blamed
from builders.histories import History
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.replay.ledger.findings import Verdict

SEEDS = st.integers(0, 2**32)


def judged(pages: Pages) -> Verdict:
    with TemporaryDirectory() as folder:
        return pages.judged(Path(folder) / "ledger.db")


@settings(max_examples=60)
@given(SEEDS)
def test_an_honest_hub_is_never_blamed(seed: int) -> None:
    assert blamed(judged(History(seed).play())) == {}


@settings(max_examples=30)
@given(SEEDS, st.floats(0, 1), st.booleans())
def test_nor_when_the_run_is_cut_off_anywhere(seed: int, part: float, by_hand: bool) -> None:
    pages = History(seed).play()
    del pages.lines[int(len(pages.lines) * part) :]
    if by_hand:
        pages.facts["stopped"] = True
    else:
        del pages.facts["ended"]
    assert set(blamed(judged(pages))) <= {"open"}


@pytest.mark.parametrize(
    ("defect", "kinds"),
    [
        ("lost", {"lost"}),
        ("doubled", {"doubled"}),
        ("done-forgotten", {"doubled", "status-doubled"}),
        ("misrouted", {"misrouted"}),
        ("corrupt", {"corrupt"}),
        ("status-lost", {"status-lost"}),
        ("status-doubled", {"status-doubled"}),
        ("disorder", {"disorder"}),
        ("wrongly-refused", {"wrongly-refused"}),
        ("late", {"late"}),
        ("contradiction", {"contradiction"}),
        ("mislabelled", {"mislabelled"}),
        ("never-taken", {"never-taken"}),
        ("told-elsewhere", {"misrouted"}),
        ("outbox-disorder", {"disorder"}),
        ("expired-untold", {"lost"}),
    ],
)
@settings(max_examples=12)
@given(seed=SEEDS)
def test_a_defect_is_found_whenever_it_was_made(defect: str, kinds: set[str], seed: int) -> None:
    history = History(seed, defect=defect, calm=True)
    verdict = judged(history.play())
    assert verdict.passed is not history.hub.made
    assert bool(set(blamed(verdict)) & kinds) is history.hub.made


@pytest.mark.parametrize("seed", [9, 17, 95])
def test_every_history_comes_to_its_end(seed: int) -> None:
    """These had none: each look led to more than one other, on average."""
    assert blamed(judged(History(seed, calm=True).play())) == {}


def test_each_defect_is_made_in_most_histories() -> None:
    """Else the test above would see nothing."""
    often = ("lost", "corrupt", "disorder", "misrouted", "contradiction", "late", "mislabelled", "never-taken")
    for defect in (*often, "told-elsewhere"):
        histories = [History(seed, defect=defect, calm=True) for seed in range(12)]
        for history in histories:
            history.play()
        assert sum(history.hub.made for history in histories) > 5, defect
