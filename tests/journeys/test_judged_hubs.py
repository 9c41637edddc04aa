"""The judge before hubs that are wrong in one way, and before honest ones in trouble: real processes, both dialects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from clients.replay.ledger.findings import Verdict
from clients.replay.player.play import Play
from clients.replay.player.run import Venue, run
from clients.replay.player.sources import of_scenario
from clients.replay.scenario.read import parse

pytestmark = pytest.mark.long

_SMALL = """
title = "Một buổi sáng nhỏ"
seed = 7
[clock]
mode = "real"
start = 2025-10-01T09:00:00+07:00
duration = "2 s"
settle = "1 s"
[documents]
count = 30
fan_out = [{ share = 0.5, least = 1, most = 2 }, { share = 0.5, least = 3, most = 4 }]
[[agencies]]
codes = ["G22", "G12", "H41", "H36"]
dialect = "DIALECT"
poll = "0.1 s"
[[agencies]]
codes = ["H27"]
dialect = "DIALECT"
poll = "0.1 s"
[replies]
shares = { 01 = 1.0, 03 = 1.0, 06 = 1.0 }
after = { 01 = "0.05 s", 03 = "0.1 s", 06 = "0.15 s" }
[judge]
answer_within = "2 s"
"""
# The same on a clock of its own, in March 2019; somebody never looks, and the hub dies twice.
_MARCH = (
    _SMALL.replace('mode = "real"', 'mode = "virtual"')
    .replace("2025-10-01", "2019-03-12")
    .replace('"2 s"', '"10 days"', 1)
    .replace('"1 s"', '"35 days"')
    .replace('"0.1 s"', '"20 min"')
    .replace('after = { 01 = "0.05 s", 03 = "20 min", 06 = "0.15 s" }', 'after = { 03 = "3 hours", 06 = "2 days" }')
    .replace('codes = ["H27"]', 'codes = ["H27"]\nsilent = 1.0')
    + """
[faults.hub]
kills = ["2 days", "7 days"]
"""
)
# Across two years, in which numbers begin anew, with texts above 255 characters.
_OLD = (
    _MARCH.partition("[faults.hub]")[0]
    .replace("2019-03-12", "2019-12-25")
    .replace("DIALECT", "rest")
    .replace("silent = 1.0", "")
    .replace('"35 days"', '"3 days"')
    + """
[defects]
right-subject-500 = 0.2
right-id-without-year = 0.5
[hub]
old_axis = ["FAILURE"]
"""
)
# What a hub does, and what the judge calls it; a share of the deliveries, or of the answers.
_MUTANTS = {
    "lose": (0.1, {"lost", "status-lost"}),
    "double": (0.1, {"doubled", "status-doubled"}),
    "misroute": (0.1, {"misrouted"}),
    "reorder": (0.3, {"disorder"}),
    "corrupt": (0.1, {"corrupt"}),
    "answer-late": (0.02, {"late"}),
}
# What follows from it: changed bytes are a packet nobody sent; a stranger that got one reports on it, and is refused.
_FOLLOWS = {
    "misroute": {"wrongly-refused"},
    "corrupt": {"lost", "status-lost", "misrouted"},
    "double": {"contradiction"},
    "reorder": {"late"},
}


def played(folder: Path, dialect: str, **orders: object) -> Verdict:
    """A small play against a hub that was told this by its control port."""

    async def tell(play: Play) -> None:
        assert play.control is not None
        if mutants := orders.get("mutants"):
            await play.control.mutants(7, mutants)  # type: ignore[arg-type]  # a mapping of shares

    scenario = of_scenario("small", parse(_SMALL.replace("DIALECT", dialect), "small.toml"))
    scenario = replace(scenario, **{name: value for name, value in orders.items() if name != "mutants"})  # type: ignore[arg-type]
    return run(scenario, Venue(folder / "run", trouble=(tell,)), Console(quiet=True))


def found(verdict: Verdict) -> set[str]:
    return {finding.kind.code for finding in verdict.findings if finding.count and finding.kind.fails}


@pytest.mark.parametrize("dialect", ["rest", "gateway"])
@pytest.mark.parametrize("mutant", _MUTANTS)
def test_a_hub_that_is_wrong_is_caught_and_called_what_it_is(tmp_path: Path, mutant: str, dialect: str) -> None:
    share, kinds = _MUTANTS[mutant]
    shares = {mutant: share} | ({"answer_late_seconds": 3.0} if mutant == "answer-late" else {})
    verdict = played(tmp_path, dialect, mutants=shares)
    assert not verdict.passed
    assert found(verdict) & kinds
    assert found(verdict) <= kinds | _FOLLOWS.get(mutant, set())


@pytest.mark.parametrize("dialect", ["rest", "gateway"])
def test_an_honest_hub_in_trouble_is_not_blamed(tmp_path: Path, dialect: str) -> None:
    verdict = played(
        tmp_path,
        dialect,
        network={"cut-request": 0.05, "cut-answer": 0.05, "duplicate": 0.05, "reset": 0.05, "wrong-length": 0.05},
        hub_faults={"refuse": 0.03, "lose-answer": 0.05, "disk-full": 0.03, "database-away": 0.03, "kill": 0.005},
    )
    assert found(verdict) == set()
    assert verdict.figures.counts["accepted"] == 30
    assert {place for place, _ in verdict.figures.injected} == {"network", "hub"}


def test_a_hub_that_dies_in_2019_and_lets_the_unread_expire_is_not_blamed(tmp_path: Path) -> None:
    scenario = of_scenario("march", parse(_MARCH.replace("DIALECT", "rest"), "march.toml"))
    verdict = run(scenario, Venue(tmp_path / "run"), Console(quiet=True))
    counts = verdict.figures.counts
    assert found(verdict) == set()
    assert (verdict.facts["deaths"], counts["accepted"]) == (2, 30)
    assert counts["ended"] > 0
    assert verdict.facts["expired"]


@pytest.mark.parametrize(
    ("failure", "kinds"),
    [
        ("sender-is-always-vpcp", {"mislabelled"}),
        ("limit-255", {"lost"}),
        ("duplicates-across-years", {"wrongly-refused"}),
    ],
)
def test_a_scenario_may_have_the_hub_fail_as_the_old_axis_did(tmp_path: Path, failure: str, kinds: set[str]) -> None:
    text = _OLD.replace("FAILURE", failure)
    verdict = run(of_scenario("old", parse(text, "old.toml")), Venue(tmp_path / "run"), Console(quiet=True))
    assert found(verdict) == kinds
    assert verdict.facts["old_axis"] == failure
