"""This hub: the packet as a document over REST."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks import load, machine, servers
from benchmarks.accept import by_rest
from benchmarks.load import Answers
from benchmarks.peers.load import Load
from benchmarks.report import Run
from benchmarks.stage import stage

NAME = "this hub"
DOES = (
    "verifies the P-256 signature and whose certificate it is, checks every rule and for duplicates, and commits "
    "packet, deliveries and evidence (fsync) before it answers"
)


def absent() -> str:
    """Empty: it is here."""
    return ""


def measure(run: Run, given: Load) -> None:
    """Documents per second on PostgreSQL and, nearer to the peers in time, on SQLite."""
    for database in ("postgresql", "sqlite"):
        measure_on(run, given, database, f"{NAME}, {database}")


def measure_on(run: Run, given: Load, database: str, name: str) -> None:
    """Documents per second on this database. Raises RuntimeError when one is not accepted."""
    with stage(database, [given.office], given.recipients) as hub:
        way = by_rest(hub, given.office)
        documents = replace(given, packets=[way(packet) for packet in given.packets])

        def fire(requests: Sequence[bytes], connections: int, seconds: float) -> Answers:
            answers = load.fire(hub.hub.url, requests, connections=connections, seconds=seconds)
            return answers.all_are(201)

        documents.measure(run, name, hub.hub, fire)


def versions() -> list[str]:
    """Of this hub on each database."""
    found = []
    for database in ("sqlite", "postgresql"):
        with servers.databases(database, 1) as (url,):
            found.append(machine.versions(url))
    return found
