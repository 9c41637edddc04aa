"""Filling an empty hub: its systems by its own command, the rows in bulk, the evidence log and the figures of reports
by its own means.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlalchemy import Connection, func, insert, select, text, update

from benchmarks import servers
from benchmarks.console.cast import Cast
from benchmarks.console.columns import COLUMNS, Rows
from benchmarks.console.history import History
from benchmarks.console.places import Place
from benchmarks.console.sinks import sink
from hub.app import open_hub
from hub.exchange import sequencer
from hub.exchange.tallying import mend
from hub.settings import Settings
from hub.store import examination_tables as et
from hub.store import tables as t
from hub.store.engine import open_engine, writing
from hub.store.figure_tables import tally

_ROWS = 60_000  # written at once
_ENTRIES = 50_000  # taken into the log's tree at once
_BODY = "<edXML>…</edXML>".encode()  # in place of the packets that are still kept


@dataclass
class _Told:
    """What is shown meanwhile, and how long each part took."""

    progress: Progress
    task: Any
    seconds: dict[str, float] = field(default_factory=dict)

    def __call__(self, what: str) -> None:
        self.progress.update(self.task, description=what[:60])

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        self(name)
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 1)


def fill(place: Place, deliveries: int, seed: int, end: datetime | None = None) -> dict[str, Any]:
    """Fill a place where nothing is; gives what it now has and what it took, which is kept there too."""
    columns = (TextColumn("{task.description:62}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        told = _Told(progress, progress.add_task("", total=deliveries))
        with told.part("systems"):
            history = _begun(place, deliveries, seed, end or datetime.now(UTC))
        counts = dict.fromkeys(COLUMNS, 0)
        with told.part("indexes"), sink(place, told) as to, told.part("rows"):
            for rows in _batches(history):
                to.write(rows)
                for name, some in rows.items():
                    counts[name] += len(some)
                progress.update(told.task, completed=counts["delivery"], description=f"rows, {place.database}")
        told.seconds["indexes"] = round(told.seconds["indexes"] - told.seconds["rows"], 1)
        with told.part("log"):
            _settle(place, history, told)
        with told.part("figures"):
            _count(place, told)
    facts = {"deliveries": deliveries, "seed": seed, "rows": counts, "seconds": told.seconds, "bytes": place.size()}
    place.keep(facts)
    return facts


def _batches(history: History) -> Iterator[Rows]:
    gathered: Rows = {name: [] for name in COLUMNS}
    for rows in history.hours():
        for name, some in rows.items():
            gathered[name] += some
        if len(gathered["event"]) > _ROWS:
            yield gathered
            gathered = {name: [] for name in COLUMNS}
    yield gathered


def _begun(place: Place, deliveries: int, seed: int, end: datetime) -> History:
    """A hub with its systems and units, and nothing sent."""
    cast = Cast()
    place.data_dir.mkdir()
    servers.enrol(place.options, cast.systems(), place.folder)
    with _writing(place) as connection:
        listed = set(connection.execute(select(t.agency.c.code)).scalars())
        units = [
            {
                "code": party.code, "name": party.name, "level": 2, "parent": party.code.partition(".")[0],
                "successor": "", "uncertain": False, "note": "",
            }
            for party in cast.units
            if party.code not in listed
        ]  # fmt: skip
        connection.execute(insert(t.agency), units)
        connection.execute(update(t.counter).values(directory=t.counter.c.directory + 1))
        systems = {row.code: row.id for row in connection.execute(select(t.system.c.code, t.system.c.id))}
        seq, entries = connection.execute(select(t.counter.c.seq, t.counter.c.entries)).one()
    return History(cast, systems, deliveries, seed, end, seq, entries, _BODY)


def _settle(place: Place, history: History, told: _Told) -> None:
    """Let the counter stand where the rows end, and take the entries of evidence into the log's tree."""
    with _writing(place) as connection:
        connection.execute(update(t.counter).values(seq=history.seq, entries=history.entries))
        connection.execute(update(et.examined).values(leaf_index=history.entries))
        # As where there was a hub before the figures: a recount finds all of it.
        last = select(func.max(t.event.c.id)).scalar_subquery()
        place_of = {"entries": history.entries, "event": last, "signings": history.entries, "complete": False}
        connection.execute(update(tally).values(place_of))
    settings = Settings.model_validate({"data_dir": place.data_dir, "database_url": place.url})
    with open_hub(settings, create=False) as desk:
        done = 0
        while True:
            with writing(desk.engine) as connection:
                some = sequencer.integrate(connection, desk.writer.notary, _ENTRIES)
            done += some
            told(f"log: {done:,} entries")
            if some < _ENTRIES:
                break
    if place.url:
        with _writing(place) as connection:
            connection.execute(text("ANALYZE"))


def _count(place: Place, told: _Told) -> None:
    """The figures of reports, as `hub report --recount` counts what was there before them."""
    engine = open_engine(place.engine_url)
    try:
        mend(engine, lambda: datetime.now(UTC), told=lambda what, done, of: told(f"{what}: {done:,} of {of:,}"))
    finally:
        engine.dispose()


@contextmanager
def _writing(place: Place) -> Iterator[Connection]:
    engine = open_engine(place.engine_url)
    try:
        with writing(engine) as connection:
            yield connection
    finally:
        engine.dispose()
