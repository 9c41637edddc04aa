"""The figures of the overview, put together once for all who watch; what cannot change any more is counted once."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Container, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hub.domain.agency import System
from hub.domain.document import VIETNAM, local
from hub.http.interface import Interface
from hub.store import examinations, overview, polls
from hub.store.engine import reading
from hub.store.overview import Came
from hub.store.state import State, state

LATE = timedelta(
    hours=24
)  # who leaves something that long, or does not ask, is silent; urgent ones expire in three days
QUARTER, MINUTE = timedelta(minutes=15), timedelta(minutes=1)
_SETTLED = timedelta(minutes=2)  # after it nothing with an older id is committed any more
_WEEK = timedelta(days=7)
_HOURS = 12
_SHOWN = 6  # systems, and rules


@dataclass(frozen=True, slots=True)
class Bar:
    at: datetime
    documents: int
    deliveries: int


@dataclass(frozen=True, slots=True)
class Silent:
    """A system that does not fetch, for whom it stands, since when something waits for it, how much."""

    system: str
    code: str
    name: str
    since: datetime
    waiting: int


@dataclass(frozen=True, slots=True)
class Figures:
    at: datetime
    today: Came
    before: Came  # until the same time of the same weekday, a week before
    waiting: int
    late: int
    taken: int
    undelivered: int
    oldest: Any  # a row of overview.began, or None
    silent: tuple[Silent, ...]
    silent_count: int
    unheard: int  # systems that have not asked for so long, or never
    rules: tuple[tuple[str, int], ...]
    bars: tuple[Bar, ...]
    log: State
    unexamined: int
    sweep_behind: timedelta
    disks: tuple[tuple[str, int, int], ...]  # folder, bytes free, bytes in all
    ready: dict[str, str]


class Counts:
    """Of one process: what came in spans that are over is counted once."""

    def __init__(self) -> None:
        self._kept: dict[tuple[datetime, datetime], Came] = {}

    def of(self, connection: Connection, since: datetime, until: datetime, now: datetime) -> Came:
        found = Came()
        settled = now - _SETTLED
        for a, b in spans(since, until, settled):
            one = self._kept.get((a, b))
            if one is None:
                one = overview.came(connection, a, b)
                if b <= settled:
                    self._kept[a, b] = one
            found += one
        return found

    def forget(self, before: datetime) -> None:
        for span in [each for each in self._kept if each[0] < before]:
            del self._kept[span]


def spans(since: datetime, until: datetime, settled: datetime) -> list[tuple[datetime, datetime]]:
    """A span in quarters of an hour and minutes that are over, and the rest in one. ``since`` is a whole minute."""
    found: list[tuple[datetime, datetime]] = []
    at = since
    while at < until:
        for step in (QUARTER, MINUTE):
            end = at + step
            if end <= min(until, settled) and at.timestamp() % step.total_seconds() == 0:
                break
        else:
            end = until
        found.append((at, end))
        at = end
    return found


def look(face: Interface, counts: Counts, ready: dict[str, str]) -> Figures:
    """Everything, as of now; read in a thread."""
    now = face.desk.clock().replace(microsecond=0) + timedelta(seconds=1)  # what came in this second is there too
    midnight = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    minute = now.replace(second=0)
    with reading(face.desk.engine) as connection:
        counts.forget(midnight - _WEEK - timedelta(days=1))
        today = counts.of(connection, midnight, now, now)
        before = counts.of(connection, midnight - _WEEK, minute - _WEEK, now)
        waits = overview.waiting(connection, now - LATE)
        late = [one for one in waits if one.late]
        asked = [one.first for one in (*waits[:1], *late[:_SHOWN])]
        began = {row["seq"]: row for row in overview.began(connection, asked)}
        asked_since = polls.asked_since(connection, now - LATE)
        log = state(connection)
        place, end = examinations.places(connection)
        unswept = overview.unswept(connection)
        bars = _bars(connection, counts, now)
    systems, directory = face.desk.rosters.current().systems, face.desk.rosters.current().directory
    silent = tuple(
        Silent(one.system_id, *_named(systems.get(one.system_id), directory), began[one.first]["since"], one.count)
        for one in late[:_SHOWN]
        if one.system_id is not None and one.first in began
    )
    return Figures(
        at=now,
        today=today,
        before=before,
        waiting=sum(one.count for one in waits),
        late=sum(one.late for one in waits),
        taken=log.taken,
        undelivered=log.undelivered,
        oldest=began.get(waits[0].first) if waits else None,
        silent=silent,
        silent_count=sum(one.system_id is not None for one in late),
        unheard=len(unheard(systems.values(), asked_since)),
        rules=tuple(_most(today.rules)),
        bars=bars,
        log=log,
        unexamined=max(0, end - place),
        sweep_behind=max(timedelta(0), now - unswept) if unswept is not None else timedelta(0),
        disks=_disks(face),
        ready=ready,
    )


def unheard(systems: Iterable[System], asked: Container[str]) -> list[System]:
    """Those that did not ask, though they may."""
    return [one for one in systems if not one.locked and one.id not in asked]


def _most(rules: Counter[str]) -> list[tuple[str, int]]:
    return sorted(rules.items(), key=lambda each: (-each[1], each[0]))[:_SHOWN]


def _named(system: System | None, directory: Any) -> tuple[str, str]:
    return (system.code, directory.name_of(system.code)) if system is not None else ("", "")


def _bars(connection: Connection, counts: Counts, now: datetime) -> tuple[Bar, ...]:
    """The last hours by quarters, the last of which goes on."""
    begins = local(now).replace(minute=0, second=0, microsecond=0) - timedelta(hours=_HOURS - 1)
    found = []
    while begins < now:
        one = counts.of(connection, begins, min(begins + QUARTER, now), now)
        found.append(Bar(begins.astimezone(VIETNAM), one.documents, one.deliveries))
        begins += QUARTER
    return tuple(found)


def _disks(face: Interface) -> tuple[tuple[str, int, int], ...]:
    found: dict[tuple[int, int], str] = {}
    for folder in face.settings.folders:
        with suppress(OSError):
            usage = shutil.disk_usage(folder)
            found.setdefault((usage.free, usage.total), str(folder))  # folders of one disk are told once
    return tuple((folder, free, total) for (free, total), folder in found.items())
