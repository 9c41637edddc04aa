"""What can be played, a scenario or recorded traffic, in the one form that a run knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol, Self

from clients.replay.planned import Post
from clients.replay.player.stage import Source
from clients.replay.scenario.read import read
from clients.replay.scenario.shapes import Scenario
from clients.replay.stock.keys import key_and_certificate
from clients.replay.stock.stock import Stock
from clients.replay.traffic.plan import Step
from clients.replay.traffic.play import RecordedPlay
from hub.domain.document import VIETNAM

_STATUS = 2200  # bytes of a signed status packet, about
_BEFOREHAND = 180_000_000  # bytes of packets that are all made before the play


class OpenSource(Source, AbstractAsyncContextManager[Source], Protocol):
    """A source that has processes or files of its own while it is entered."""


@dataclass(frozen=True, slots=True)
class Played:
    """A run's terms. Times in seconds: of the scenario, ``answer_within`` real ones."""

    name: str
    title: str
    seed: int
    start: datetime
    settle: float
    duration: float
    virtual: bool
    every_look: bool  # agencies look at each interval, and not only when something may have come
    total: int  # documents
    source: Callable[[], OpenSource]  # made for one run; it knows its cast before it is entered
    answer_within: float = 30.0
    deliver_within: float = 0.0
    network: Mapping[str, float] = field(default_factory=dict)
    network_seconds: float = 0.5
    hub_faults: Mapping[str, float] = field(default_factory=dict)
    kills: tuple[float, ...] = ()
    jumps: tuple[tuple[float, float], ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)  # of a hub that is started for it
    old_axis: tuple[str, ...] = ()  # its failures that the hub has
    facts: Mapping[str, object] = field(default_factory=dict)


class OfScenario(Stock):
    """A scenario's plan with its stock of packets; all of it is made beforehand where there is room for it."""

    def __init__(self, scenario: Scenario, scale: float, seed: int, total: int) -> None:
        super().__init__(scenario, scale=scale, seed=seed)
        documents, replies = scenario.documents, scenario.replies
        size = sum(each.share * (each.least + each.most) / 2 for each in documents.sizes)
        fan_out = sum(each.share * (each.least + each.most) / 2 for each in documents.fan_out)
        if documents.deliveries and documents.count:
            fan_out = documents.deliveries / documents.count
        self._all_of_it = total * (size + fan_out * sum(replies.shares.values()) * _STATUS) < _BEFOREHAND

    def failed(self, post: Post, recipient: str) -> bool:
        """Nobody does: an agency that dies begins anew."""
        return False

    async def beforehand(self, done: Callable[[int], None]) -> None:
        if self._all_of_it:
            await self.prepare(self.posts(), done)


def of_scenario(name: str, scenario: Scenario, *, scale: float = 1.0, seed: int | None = None) -> Played:
    """``scale``: times as many documents; ``seed`` instead of the scenario's own."""
    seed = scenario.seed if seed is None else seed

    documents, hub = scenario.documents, scenario.faults.hub
    right = (documents.count or documents.rate * scenario.clock.duration) * scale
    total = round(right * (1 + documents.twice + sum(scenario.defects.values())))
    return Played(
        name=name,
        title=scenario.title,
        seed=seed,
        start=scenario.clock.start,
        settle=scenario.clock.settle,
        duration=scenario.clock.duration,
        virtual=scenario.clock.mode == "virtual",
        every_look=scenario.clock.looks == "every",
        total=total,
        source=lambda: OfScenario(scenario, scale, seed, total),
        answer_within=scenario.judge.answer_within,
        deliver_within=scenario.judge.deliver_within,
        network=scenario.faults.network.shares,
        network_seconds=scenario.faults.network.seconds,
        hub_faults=hub.shares | hub.lengths,
        kills=hub.kills,
        jumps=tuple((jump.at, jump.by) for jump in hub.jumps),
        settings={name: str(value) for name, value in scenario.hub.settings.items()},
        old_axis=scenario.hub.old_axis,
        facts={
            "scenario": name,
            "title": scenario.title,
            "scale": scale,
            "start": scenario.clock.start.isoformat(),
            "planned_documents": round(documents.count * scale) or "",
            "planned_deliveries": round(documents.deliveries * scale) or "",
            "old_axis": ", ".join(scenario.hub.old_axis),
        },
    )


class OfTraffic(RecordedPlay):
    """Recorded traffic, whose packets are made anew as they are needed."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self.__exit__(None, None, None)

    async def beforehand(self, done: Callable[[int], None]) -> None:
        """Nothing: a record is as long as it is."""


def of_traffic(path: Path, *, seed: int, anonymise: bool = False, step: Step = lambda done, of: None) -> Played:
    """Another ``seed``, other ids: with the same one a hub is told the same documents again. ``step`` is told how far
    the reading is. Raises ``TrafficProblem``."""
    today = datetime.now(VIETNAM).date()
    source = OfTraffic(
        path, seed=seed, today=today, sign_as=partial(key_and_certificate, seed), anonymise=anonymise, step=step
    )
    return Played(
        name=path.stem,
        title=path.name,
        seed=seed,
        start=source.start,
        settle=0.0,
        duration=source.duration,
        virtual=False,
        every_look=True,
        total=source.total,
        source=lambda: source,
        facts={
            "scenario": path.name,
            "title": path.name,
            "start": source.start.isoformat(),
            "anonymised": anonymise,
            "left_out": ", ".join(f"{count} {what}" for what, count in source.left_out.items()),
        },
    )


def is_record(played: str) -> bool:
    """Whether this names a traffic file; else it is a scenario's name or file."""
    return Path(played).suffix != ".toml" and Path(played).is_file()


def find(played: str, *, scale: float, seed: int | None, anonymise: bool, step: Step = lambda done, of: None) -> Played:
    """A scenario by its name or file, or a traffic file. Raises ``ScenarioError``, ``TrafficProblem``."""
    path = Path(played)
    if not is_record(played):
        return of_scenario(path.stem, read(played), scale=scale, seed=seed)
    return of_traffic(path, seed=1 if seed is None else seed, anonymise=anonymise, step=step)
