"""`make crash`: a hub under load dies, again and again, and the agencies' own book judges what came of it.

On each database: once at every named step of accepting and handing over; at random moments; with the last write torn
(see ``tests.crash.tears``); with the clock jumping; with the database killed under it, its last write torn too
(PostgreSQL) and with its disk full (SQLite, where this user may mount one). The exit code is 0 when nothing was lost,
doubled, misrouted or changed. Beside each book ``befell.json`` counts what befell its hub.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from clients.replay.ledger.findings import Verdict
from clients.replay.player import sources
from clients.replay.player.hubs import HubProblemError
from clients.replay.player.play import Play
from clients.replay.player.run import StoppedError, Venue, run
from clients.replay.scenario.read import read
from clients.replay.scenario.shapes import Scenario
from clients.replay.verdict import write
from hub.simulation.steps import STEPS
from tests.builders.postgres import Server
from tests.crash import deaths, tears
from tests.crash.deaths import NotReachedError, Trouble

# Retention's own steps come once a day, those of operators when somebody acts.
OF_EXCHANGE = tuple(step for step in STEPS if not step.startswith(("pare", "steering")))
_RATE = 6.0  # documents a second
JUMPS = (86_400.0, -3600.0, 0.5, 3600.0, -7200.0)  # never back behind the start: no certificate counted yet


@dataclass(frozen=True)
class Proof:
    """One play with what befalls it: ``trouble`` gets the server of its database, None for SQLite."""

    name: str
    trouble: Callable[[Server | None, Path, int, Callable[[str], None]], Sequence[Trouble]]
    torn: bool = False
    on_small_disk: bool = False
    only: str = ""  # the one database it is for


def proofs(kills: int, *, every_step: bool) -> list[Proof]:
    """What is tried on each database, with so many random deaths in all."""
    of_database = max(3, kills // 20)
    found = [
        Proof("random kills", lambda server, folder, seed, told: [deaths.at_random(kills - kills // 4, seed, told)]),
        Proof(
            "random kills, last write torn",
            lambda server, folder, seed, told: [deaths.at_random(kills // 4, seed + 1, told)],
            torn=True,
        ),
        Proof("clock jumps", lambda server, folder, seed, told: [deaths.clock_jumps(JUMPS, told)]),
        Proof(
            "database killed",
            lambda server, folder, seed, told: (
                [deaths.database_deaths(server, of_database, seed, told)] if server else []
            ),
            only="postgresql",
        ),
        Proof(
            "database killed, last write torn",
            lambda server, folder, seed, told: (
                [deaths.database_deaths(server, of_database, seed + 1, told, torn=True)] if server else []
            ),
            only="postgresql",
        ),
        Proof(
            "disk full",
            lambda server, folder, seed, told: [deaths.full_disk(folder / "ballast", 3, told)],
            on_small_disk=True,
            only="sqlite",
        ),
    ]
    if every_step:
        steps = lambda server, folder, seed, told: [deaths.at_steps(OF_EXCHANGE, seed, told)]  # noqa: E731
        found.insert(0, Proof("every step", steps))
    return found


def prove(
    proof: Proof, out: Path, folder: Path, database_url: str, server: Server | None, seed: int, console: Console
) -> Verdict:
    """Play until all trouble is over, and judge. ``out``: for the book; ``folder``: for the hub."""
    happened: list[str] = []

    async def last(play: Play) -> None:
        for trouble in proof.trouble(server, folder, seed, happened.append):
            await trouble(play)
        play.enough()

    played = sources.of_scenario("crash", _endless(read("crash")), seed=seed)
    if proof.on_small_disk:
        played = replace(played, settings={**played.settings, "disk_reserve": "0"})
    venue = Venue(
        out, database_url=database_url, home=folder / "hub", trouble=(last,),
        buried=tears.torn(seed, happened.append) if proof.torn else lambda home: None,
    )  # fmt: skip
    verdict = run(played, venue, console)
    write(verdict, out)
    befell = Counter(happened)
    (out / "befell.json").write_text(json.dumps(befell), "utf-8")
    told = ", ".join(f"{what} {times} ×" for what, times in befell.items())
    console.print(f"{proof.name}: {told}: {_told(verdict)}")
    return verdict


def _endless(scenario: Scenario) -> Scenario:
    """The same for hours, at a pace that a hub holds which is dead half the time; the last trouble ends it."""
    documents = scenario.documents.model_copy(update={"count": 0, "rate": _RATE})
    return scenario.model_copy(
        update={"documents": documents, "clock": scenario.clock.model_copy(update={"duration": 10 * 3600.0})}
    )


@contextmanager
def _database(name: str) -> Iterator[tuple[str, Server | None]]:
    if name == "sqlite":
        yield "", None
        return
    with Server(durable=True) as server:
        yield server.create(), server


def main() -> int:
    parser = argparse.ArgumentParser(prog="make crash ARGS=…", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="random deaths on each database (200)")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-steps", action="store_true", help="leave out the named steps")
    parser.add_argument("--keep", type=Path, help="keep books and reports in this folder")
    given = parser.parse_args()
    console = Console(stderr=True)
    table = Table("Database", "Proof", "Documents", "Deliveries", "Deaths", "Verdict", title="crash")
    passed = True
    home = given.keep or Path(tempfile.mkdtemp(prefix="hub-crash-"))
    for database in ("sqlite", "postgresql") if given.database == "both" else (given.database,):
        for proof in proofs(given.kills, every_step=not given.no_steps):
            if proof.only not in ("", database):
                continue
            out = home / database / proof.name.replace(",", "").replace(" ", "-")
            folder = home / f"{database}-hub" / out.name
            with deaths.small_disk(folder) if proof.on_small_disk else _plain(folder) as place:
                if place is None:
                    table.add_row(database, proof.name, "", "", "", "skipped: a small disk cannot be mounted here")
                    continue
                try:
                    with _database(database) as (url, server):
                        verdict = prove(proof, out, place, url, server, given.seed, console)
                except (NotReachedError, HubProblemError, FileExistsError) as fault:
                    table.add_row(database, proof.name, "", "", "", f"FAILED: {fault}")
                    passed = False
                    continue
                except StoppedError:
                    return _over(table, home, 130, console)
            counts = verdict.figures.counts
            table.add_row(
                database, proof.name, f"{counts['accepted']:,}", f"{counts['deliveries']:,}",
                str(verdict.facts.get("deaths", 0)), _told(verdict),
            )  # fmt: skip
            if verdict.stopped:
                return _over(table, home, 130, console)
            passed = passed and verdict.passed
    if passed and not given.keep:
        Console().print(table)
        shutil.rmtree(home)
        return 0
    return _over(table, home, 0 if passed else 1, console)


def _over(table: Table, home: Path, code: int, console: Console) -> int:
    Console().print(table)
    console.print(f"books and reports: {home}")
    return code


@contextmanager
def _plain(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


def _told(verdict: Verdict) -> str:
    if verdict.stopped:
        return "stopped: not proved"
    if verdict.passed:
        return "passed"
    return ", ".join(f"{each.kind.code} {each.count}" for each in verdict.findings if each.count and each.kind.fails)


if __name__ == "__main__":
    sys.exit(main())
