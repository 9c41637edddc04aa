"""A whole run: who takes part is enrolled, the play is played, and its book is judged."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from rich.console import Console
from uvloop import new_event_loop

from clients.hub_client import AsyncHubClient, HubFailure
from clients.replay.ledger.book import Book
from clients.replay.ledger.findings import Verdict
from clients.replay.ledger.judge import judge
from clients.replay.planned import Party
from clients.replay.player.agencies import Agency
from clients.replay.player.clock import Real, Virtual
from clients.replay.player.hubs import HubProblemError, OwnHub, machine, read_credentials
from clients.replay.player.play import Play
from clients.replay.player.progress import Shown, shown
from clients.replay.player.sources import Played
from clients.replay.player.stage import Source, Stage
from clients.replay.stock.keys import key_and_certificate, pem
from clients.replay.wire.control import Control
from clients.replay.wire.dialects import Credentials, Dialect
from clients.replay.wire.faults import NetworkFaults
from clients.replay.wire.gateway import Gateway
from clients.replay.wire.lines import Lines, NoAnswer
from clients.replay.wire.rest import Rest

_CONNECTIONS = 192
_AT_ONCE = 16  # registrations
_SLACK = 1 / 1000  # of the scenario: how far its time may be ahead of what is at work; but a minute at least
_TOLD = 1 / 40  # of the scenario, between two looks at what became of what was sent
_REACHED = 10.0  # real seconds in which a hub that is there must take a connection
_GIVING_UP = 60.0  # real seconds in which a request must get its answer
# Of a hub that is started for the play: every agency calls from one address, and what is over ends soon.
_SETTINGS = {"connections_per_address": "4000", "sweep_seconds": "0.2"}


@dataclass(frozen=True, slots=True)
class Venue:
    """What was asked for. ``hub``: of one that is there, with ``credentials``; else one is started.

    ``home``: the folder of a hub that is started, below ``out`` otherwise. ``trouble`` happens beside the play;
    ``buried`` is called with the hub's folder between its death and its next start.
    """

    out: Path
    hub: str = ""
    control: str = ""
    credentials: Path | None = None
    speed: float = 1.0
    database_url: str = ""
    home: Path | None = None
    trouble: Sequence[Callable[[Play], Awaitable[None]]] = field(default=())
    buried: Callable[[Path], None] = lambda folder: None


async def play(played: Played, venue: Venue, console: Console) -> None:
    """Play, and leave the book in the folder ``venue.out``, which must be new. Ctrl-C ends the play early.

    Raises :class:`HubProblemError`, ``FileExistsError``.
    """
    _check(played, venue)
    venue.out.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        book = await stack.enter_async_context(Book(venue.out / "ledger.db"))
        show = stack.enter_context(shown(console, played.title))
        source = await stack.enter_async_context(played.source())
        book.cast(source.cast)
        book.facts(**_facts(played, venue))
        show.step("enrol")
        hub, where = await _hub(stack, played, source, venue)
        control = await stack.enter_async_context(Control(where.control)) if where.control else None
        if control is not None:
            stack.push_async_callback(control.release)
        virtual = played.virtual and control is not None
        if virtual and control is not None:
            try:
                await control.clock(played.start)
                await _register(where, source.cast, played.seed)
            except (httpx.HTTPError, HubFailure) as fault:
                raise HubProblemError(f"the hub does not take its clock, or a certificate: {fault}") from None
        slack = max(played.duration * _SLACK, 60.0) if virtual else 0.0
        clock = Virtual(slack) if virtual else Real(venue.speed)
        book.facts(slack=slack)
        stage = Stage(
            clock,
            book,
            source,
            played.seed,
            _GIVING_UP,
            played.duration * _TOLD,
            every_look=played.every_look and not virtual,
        )
        try:
            lines = await stack.enter_async_context(Lines(where.url, most=_CONNECTIONS))
            await lines.reach(_REACHED)
        except (ValueError, NoAnswer) as fault:
            raise HubProblemError(f"--hub {where.url}: {fault}") from None
        faults = NetworkFaults(
            played.seed, played.network, played.network_seconds,
            told=lambda fault, mark: book.injected(fault, mark, where="network", at=clock.now),
        )  # fmt: skip
        whole = Play(
            stage, _agencies(stage, played, lines, faults, where.credentials), played.start, played.settle, hub,
            control, dict(played.hub_faults), played.kills, played.jumps, venue.trouble, old_axis=played.old_axis,
        )  # fmt: skip
        if hub is not None:
            hub.keep_alive(whole.again, partial(venue.buried, hub.folder), clock.fail)
        show.step("prepare", played.total)
        await source.beforehand(show.done)
        try:
            await _until_over(whole, show)
        except httpx.HTTPError as fault:
            raise HubProblemError(f"the hub's simulation port: {fault}") from None
        book.facts(ended=time.time(), stopped=whole.stopped, expired=whole.expired, deaths=hub.deaths if hub else 0)


def _check(played: Played, venue: Venue) -> None:
    """Raises :class:`HubProblemError` for what this hub cannot be played."""
    if venue.hub and played.kills:
        raise HubProblemError(f"{played.name} kills the hub: only one that is started here (without --hub)")
    if not venue.hub or venue.control:
        return
    if needed := _needed(played):
        raise HubProblemError(f"{played.name} needs {' and '.join(needed)}: --control, the hub's simulation port")


def _needed(played: Played) -> list[str]:
    """What is played that only a hub's simulation port can do; all that a hub does costs a little more with it."""
    return [
        *(["a virtual clock"] if played.virtual else []),
        *(["faults in the hub"] if played.hub_faults or played.jumps else []),
        *(["failures of the old axis"] if played.old_axis else []),
    ]


def _facts(played: Played, venue: Venue) -> dict[str, object]:
    return {
        **played.facts, "machine": machine(), "program": version("lienthong"), "seed": played.seed,
        "hub": urlsplit(venue.hub).netloc.rpartition("@")[2] or "own", "speed": venue.speed, "begun": time.time(),
        "answer_within": played.answer_within, "deliver_within": played.deliver_within,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Where:
    url: str
    control: str
    credentials: Mapping[str, Mapping[str, str]]


async def _hub(stack: AsyncExitStack, played: Played, source: Source, venue: Venue) -> tuple[OwnHub | None, _Where]:
    """The hub to play against, everybody enrolled."""
    if venue.hub:
        assert venue.credentials is not None
        known = read_credentials(venue.credentials)
        if missing := {party.system for party in source.cast} - set(known):
            some = ", ".join(sorted(missing)[:5])
            raise HubProblemError(f"{venue.credentials}: no credentials of {some} ({len(missing)} in all)")
        return None, _Where(venue.hub, venue.control, known)
    settings = {**_SETTINGS, **played.settings}
    if venue.database_url:
        settings["database_url"] = venue.database_url
    home, simulated = venue.home or venue.out / "hub", bool(_needed(played) or venue.trouble)
    hub = await stack.enter_async_context(OwnHub(home, settings, log=venue.out / "hub.log", simulated=simulated))
    # In a time of its own certificates count from when they are registered there (see _register).
    known = await hub.enrol(source.cast, None if played.virtual else partial(pem, played.seed))
    await hub.start()
    return hub, _Where(hub.url, hub.control, known)


async def _register(where: _Where, cast: Sequence[Party], seed: int) -> None:
    """Register the agencies' certificates by their one-time codes, at the hub's present time."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def register(code: str) -> None:
        given = where.credentials[code]
        if not given["code"]:
            return  # a certificate stands already
        key, certificate = key_and_certificate(seed, code)
        async with room, AsyncHubClient(where.url, given["token"], key=key, certificate=certificate) as client:
            await client.register_certificate(code, given["system_id"], given["code"])

    await asyncio.gather(*(register(party.code) for party in cast if party.system == party.code))


def _agencies(
    stage: Stage,
    played: Played,
    lines: Lines,
    faults: NetworkFaults,
    credentials: Mapping[str, Mapping[str, str]],
) -> list[Agency]:
    """One for each system, with all the agencies it speaks for, its own first."""
    systems: dict[str, list[Party]] = {party.code: [party] for party in stage.source.cast if party.system == party.code}
    for party in stage.source.cast:
        if party.system != party.code:
            systems[party.system].append(party)
    patience = played.answer_within * 2 or _GIVING_UP  # an answer that comes too late is still heard
    agencies = []
    for code, parties in systems.items():
        given = credentials[code]
        known = Credentials(given["system_id"], given["token"], given["secret"])
        dialect: Dialect
        if parties[0].dialect == "gateway":
            dialect = Gateway(lines, known, faults=faults, patience=patience, clock=lambda: played.start)
        else:
            dialect = Rest(lines, known, faults=faults, patience=patience)
        agencies.append(Agency(stage, parties, dialect, played.start))
    return agencies


async def _until_over(whole: Play, show: Shown) -> None:
    """Play to the end, or until Ctrl-C; a second one ends it at once."""
    loop = asyncio.get_running_loop()
    playing = asyncio.ensure_future(whole.run())

    def stop() -> None:
        if whole.stopped:
            playing.cancel()
        whole.stop()

    whole.step = show.step
    loop.add_signal_handler(signal.SIGINT, stop)  # to the loop's end: then nobody but the hub has still to end
    following = asyncio.ensure_future(show.follow(whole.stage.counts))
    try:
        await playing
    except asyncio.CancelledError:
        whole.stopped = True
    finally:
        following.cancel()


class StoppedError(Exception):
    """Ctrl-C where it leaves no verdict; the text says why."""


def run(played: Played, venue: Venue, console: Console) -> Verdict:
    """Play and judge; SIGTERM is taken as Ctrl-C. Raises what :func:`play` does, and :class:`StoppedError`."""
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        return _run(played, venue, console)
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(played: Played, venue: Venue, console: Console) -> Verdict:
    book = venue.out / "ledger.db"
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        try:
            runner.run(play(played, venue, console))
        except KeyboardInterrupt:  # before anything was sent: the play itself ends by a signal as by the clock
            if not book.exists():
                raise StoppedError(f"{venue.out}: stopped before anything was begun; there is no verdict") from None
    try:
        with shown(console, played.title) as show:
            verdict = judge(book, show.judged)
    except KeyboardInterrupt:
        raise StoppedError(f"{book}: stopped while it was judged; the book is whole, there is no verdict") from None
    home = venue.out / "hub"  # none where it was stopped before its hub was begun
    if verdict.passed and not venue.hub and venue.home is None and home.exists():
        shutil.rmtree(home)  # of one that failed it is there to be looked into
    return verdict
