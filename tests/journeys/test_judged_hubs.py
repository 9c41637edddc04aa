"""The judge before hubs that are wrong in one way, and before honest ones in trouble: real processes, both dialects."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from clients.replay.ledger.findings import Verdict
from clients.replay.player.play import Play
from clients.replay.player.run import Venue, run
from clients.replay.player.sources import of_scenario
from clients.replay.scenario.read import parse
from hub.domain.document import Kind

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
[documents.kinds]
update = 0.15
revocation = 0.1
replacement = 0.15
after = "0.5 s"
[[agencies]]
codes = ["G22", "G12", "H41", "H36"]
dialect = "DIALECT"
poll = "0.1 s"
[[agencies]]
codes = ["G14"]
reads = "outbox"
poll = "0.1 s"
[[agencies]]
codes = ["H27"]
dialect = "DIALECT"
poll = "0.1 s"
[replies]
shares = { 01 = 1.0, 03 = 1.0, 06 = 1.0 }
after = { 01 = "0.05 s", 03 = "0.1 s", 06 = "0.15 s" }
take_back = 0.2
take_back_after = "0.4 s"
answer_after = "0.3 s"
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
    .replace('"0.5 s"', '"2 days"')
    .replace('"0.4 s"', '"1 day"')
    .replace('"0.3 s"', '"5 hours"')
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
# Nothing is taken back or revoked: whatever a hub has taken must arrive.
_NO_WAY_BACK = _SMALL.replace("revocation = 0.1", "").replace("take_back = 0.2", "")
# What a hub does, and what the judge calls it; a share of the deliveries, or of the answers.
_MUTANTS = {
    "lose": (0.1, {"lost", "status-lost"}),
    "double": (0.1, {"doubled", "status-doubled"}),
    "misroute": (0.1, {"misrouted"}),
    "reorder": (0.3, {"disorder"}),
    "corrupt": (0.1, {"corrupt"}),
    "answer-late": (0.02, {"late"}),
}
# What follows from it: changed bytes are a packet nobody sent; a stranger that got one reports on it, and is refused;
# a status that has to wait for a second one waits to the end where none comes.
_FOLLOWS = {
    "misroute": {"wrongly-refused"},
    "corrupt": {"lost", "status-lost", "misrouted"},
    "double": {"contradiction"},
    "reorder": {"late", "status-lost"},
}


def played(folder: Path, dialect: str, text: str = _SMALL, **orders: object) -> Verdict:
    """A small play against a hub that was told this by its control port."""

    async def tell(play: Play) -> None:
        assert play.control is not None
        if mutants := orders.get("mutants"):
            await play.control.mutants(7, mutants)  # type: ignore[arg-type]  # a mapping of shares

    scenario = of_scenario("small", parse(text.replace("DIALECT", dialect), "small.toml"))
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
def test_every_document_lost_is_found_also_of_kinds_1_to_3(tmp_path: Path, dialect: str) -> None:
    """By a count of our own: what was accepted, and whose bytes its recipient never kept."""
    verdict = played(tmp_path, dialect, _NO_WAY_BACK, mutants={"lose": 0.9})  # some of each kind, whatever chance says
    with closing(sqlite3.connect(tmp_path / "run" / "ledger.db")) as book:
        lost = book.execute(
            """SELECT p.kind FROM post p JOIN addressee a USING (n) WHERE NOT EXISTS (
                   SELECT 1 FROM kept k WHERE k.sha256 = p.sha256 AND k.recipient = a.code)"""
        ).fetchall()
    assert {finding.kind.code: finding.count for finding in verdict.findings}["lost"] == len(lost)
    assert {Kind.NEW} < {kind for (kind,) in lost}
    assert verdict.figures.counts["accepted"] == 30


_NETWORK = ("cut-request", "cut-answer", "delay", "duplicate", "slow-upload", "reset", "wrong-length")
_HUB = ("refuse", "delay", "lose-answer", "disk-full", "database-away", "clock-jump")


@pytest.mark.parametrize("dialect", ["rest", "gateway"])
@pytest.mark.parametrize("kill", [0.0, 0.03])
def test_an_honest_hub_in_trouble_is_not_blamed(tmp_path: Path, kill: float, dialect: str) -> None:
    verdict = played(
        tmp_path,
        dialect,
        network=dict.fromkeys(_NETWORK, 0.05),
        network_seconds=0.2,
        hub_faults={**dict.fromkeys(_HUB, 0.05), "kill": kill, "delay_seconds": 0.2},
    )
    assert found(verdict) == set()
    assert verdict.figures.counts["accepted"] == 30
    # Whoever is killed takes the list of its own faults along.
    hub = {"death"} if kill else set(_HUB)
    expected = {("network", fault) for fault in _NETWORK} | {("hub", fault) for fault in hub}
    assert expected <= set(verdict.figures.injected)


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
