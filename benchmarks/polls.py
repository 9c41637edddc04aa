"""Whether a poll costs more when a million deliveries wait than when none does."""

from __future__ import annotations

from itertools import repeat

from benchmarks import backlog, load
from benchmarks.report import Measure, Run
from benchmarks.stage import Stage, government_office, stage, units


def polls(run: Run, database: str, *, waiting: int, seconds: int, connections: int) -> None:
    """Polls per second: of an inbox where nothing waits, and of one with ``waiting``; each of one page of one item."""
    office = government_office()
    empty, full = units(2)
    with stage(database, [office], [empty, full]) as hub:
        # Both have a delivery, so that both answers have an item and are of one length.
        backlog.documents(hub, office, {empty: 1, full: waiting})
        for name, code in (("empty", empty.organ_id), (f"{waiting:,} waiting", full.organ_id)) * 2:
            _polled(run, hub, f"polls, {name}, {database}", code, seconds, connections)


def _polled(run: Run, hub: Stage, name: str, code: str, seconds: int, connections: int) -> None:
    asked = repeat(load.question("/v1/inbox?limit=1", hub.systems[code].token))
    load.fire(hub.hub.url, asked, connections=connections, seconds=1)
    before = hub.hub.cpu()
    answers = load.fire(hub.hub.url, asked, connections=connections, seconds=seconds).all_are(200)
    run.add(Measure.of(name, answers, hub.hub.cpu() - before))
