"""A whole play: everybody's acts in their order, the hub's clock and faults beside them, and the end of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from clients.replay.planned import Post
from clients.replay.player.agencies import Agency
from clients.replay.player.clock import Clock, Virtual
from clients.replay.player.hubs import OwnHub
from clients.replay.player.stage import Stage
from clients.replay.wire.control import Control

_TICK = 0.05  # real seconds between two words to the hub's clock
_SAMPLE = 1.0  # real seconds between two samples
_ROUNDS = 50  # looks of everybody at the end, each of which found something new
_EXPIRY = 30 * 86_400.0  # seconds after which a delivery expires that nobody fetches (exchange rules 6)
_WAIT = 30.0  # real seconds in which the hub must tell at least one more end of what nobody fetched


@dataclass
class Play:
    """What is needed to play; :meth:`run` returns when everything has come to its end, or :meth:`stop` was called."""

    stage: Stage
    agencies: Sequence[Agency]
    start: datetime
    settle: float  # seconds of scenario time after the last post
    hub: OwnHub | None = None
    control: Control | None = None
    hub_faults: dict[str, float] = field(default_factory=dict)
    kills: Sequence[float] = ()  # moments at which the hub is killed
    jumps: Sequence[tuple[float, float]] = ()  # moments at which its clock jumps, and by how many seconds
    trouble: Sequence[Callable[[Play], Awaitable[None]]] = ()  # what else happens meanwhile; the last ends the sending
    stopped: bool = False
    ahead: float = 0.0  # seconds that the hub's clock is ahead of the scenario's
    old_axis: Sequence[str] = ()  # its failures that the hub has
    expired: bool = False  # the clock passed whatever expires, and there was time to tell the senders
    step: Callable[[str], None] = lambda what: None
    _drawn: bool = False
    _injected: int = 0  # the last of the hub's faults that is written down

    @property
    def _clock(self) -> Clock:
        return self.stage.clock

    def stop(self) -> None:
        """Send nothing more, and let what is at work end."""
        self.stopped = True
        self.stage.quick = True
        self._clock.stop()

    async def run(self) -> None:
        """Raises what an agency's act raised: a defect of the harness."""
        stage = self.stage
        stage.begun = time.monotonic()
        others = {code: agency for agency in self.agencies for code in agency.codes}
        for agency in self.agencies:
            agency.others = others
        if self.hub is not None and isinstance(self._clock, Virtual):
            self.hub.moment = self._moment
        await self.prepare_hub()
        aside = [self._watched(self._beside(each)) for each in (self._tell_time, self._sample)]
        troubles = [self._watched(each(self)) for each in self.trouble]
        for moment in self.kills:
            self._clock.at(moment, self._kill)
        for moment, by in self.jumps:
            self._clock.at(moment, self.jump, by)
        try:
            self.step("play")
            self._feed(stage.source.posts(), others)
            if stage.every_look:
                for agency in self.agencies:
                    agency.expect()
            await self._clock.run()
            if not self.stopped:
                await asyncio.gather(*troubles)
            if not self.stopped:
                self.step("settle")
                await self._settle()
        finally:
            await self._clock.finish(3.0)
            for task in (*aside, *troubles):
                task.cancel()
            await asyncio.gather(*aside, *troubles, return_exceptions=True)
            with suppress(httpx.HTTPError):
                await self._read_injected()

    def _watched(self, work: Awaitable[None]) -> asyncio.Future[None]:
        """Work beside the play: what it raises ends the play at once."""

        def ended(task: asyncio.Future[None]) -> None:
            if not task.cancelled() and (fault := task.exception()) is not None:
                self._clock.fail(fault)

        task = asyncio.ensure_future(work)
        task.add_done_callback(ended)
        return task

    async def again(self) -> None:
        """The hub has died, and was started again."""
        self.stage.book.injected("death", "", where="hub", at=self._clock.now)
        self._injected = 0  # its list went with it
        await self.prepare_hub()

    async def prepare_hub(self) -> None:
        """The clock and the faults of a hub that has just started."""
        if self.control is None:
            return
        if isinstance(self._clock, Virtual):
            await self.control.clock(self._moment())
        elif self.ahead:
            await self.control.jump(self.ahead)
        if self.old_axis:
            await self.control.old_axis(self.old_axis)
        if self.hub_faults and not self.stage.settling:
            await self.control.faults(self.stage.seed, self.hub_faults)

    async def _kill(self) -> None:
        if self.hub is not None:
            self.hub.kill()

    async def jump(self, by: float) -> None:
        """The hub's clock goes so many seconds forward, or back."""
        if self.control is None:
            return
        self.stage.book.injected("clock-jump", "", where="hub", at=self._clock.now)
        self.ahead += by
        if not isinstance(self._clock, Virtual):
            with suppress(httpx.HTTPError):
                await self.control.jump(by)

    def enough(self) -> None:
        """Nothing more is drawn from the plan."""
        self._drawn = True

    def _feed(self, posts: Iterator[Post], others: dict[str, Agency]) -> None:
        """The next post is drawn when the one before begins: a plan may have millions."""

        async def begin(post: Post) -> None:
            draw()
            await others[post.sender].send(post)

        def draw() -> None:
            post = None if self._drawn else next(posts, None)
            if post is not None:
                self._clock.at(post.at, begin, post)
            else:
                self.stage.settling = True

        draw()

    async def _settle(self) -> None:
        """Everybody looks until nothing new comes; then what nobody fetches ends, and the senders read of it."""
        self.stage.settling = True
        if self.control is not None and self.hub_faults:
            with suppress(httpx.HTTPError):
                await self.control.faults()
        awake = [agency for agency in self.agencies if not agency.party.silent]
        await self._everybody(awake)
        if self.stage.silent and self.settle > _EXPIRY and isinstance(self._clock, Virtual):
            self._clock.now += self.settle
            await self._until_ended()
            await self._everybody(awake)
        for agency in self.agencies:
            self._clock.at(self._clock.now, agency.read_told)
        await self._clock.run()

    async def _everybody(self, agencies: Sequence[Agency]) -> None:
        counts = self.stage.counts
        for _ in range(_ROUNDS):
            before = (counts.received, counts.statuses)
            for agency in agencies:
                self._clock.at(self._clock.now, agency.look)
            await self._clock.run()
            if (counts.received, counts.statuses) == before or self.stopped:
                return

    async def _until_ended(self) -> None:
        """Until the hub's sweep has ended what was too long on its way, and the senders are told."""
        if self.control is None:
            return
        # Its clock is told of the new time beside this (_tell_time).
        silent, until = self.stage.silent, time.monotonic() + _WAIT
        while silent and time.monotonic() < until and not self.stopped:
            await asyncio.sleep(0.5)
            before = len(silent)
            for agency in self.agencies:
                self._clock.at(self._clock.now, agency.read_told)
            await self._clock.run()
            if len(silent) < before:
                until = time.monotonic() + _WAIT
        self.expired = not self.stopped

    def _moment(self) -> datetime:
        return self.start + timedelta(seconds=self._clock.now + self.ahead)

    async def _beside(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            with suppress(httpx.HTTPError):  # the hub is dead for the moment
                await work()

    async def _tell_time(self) -> None:
        told = -1.0
        while True:
            await asyncio.sleep(_TICK)
            if self.control is not None and isinstance(self._clock, Virtual) and self._clock.now != told:
                told = self._clock.now
                await self.control.clock(self._moment())

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(_SAMPLE)
            counts, use = self.stage.counts, self.hub.use() if self.hub else None
            self.stage.book.sampled(
                time.monotonic() - self.stage.begun, scenario=self._clock.now, sent=counts.sent,
                received=counts.received, statuses=counts.statuses, requests=counts.requests,
                open=len(self.stage.under_way),
                memory=use.memory if use else 0.0, files=use.files if use else 0, cpu=use.cpu if use else 0.0,
            )  # fmt: skip
            await self._read_injected()

    async def _read_injected(self) -> None:
        if self.control is not None and self.hub_faults:
            items, self._injected = await self.control.injected(self._injected)
            for item in items:
                self.stage.book.injected(item["fault"], item["mark"], where="hub", at=self._clock.now)
