"""Ways in which a hub, its database and its disk fail while agencies are at work; each is a trouble of a play.

Whatever is left to chance comes from a seed. The agencies' book alone judges what came of it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

from clients.replay.player.play import Play
from tests.builders.postgres import Server
from tests.crash.tears import tear_postgresql

Trouble = Callable[[Play], Awaitable[None]]
_REACHED = 20.0  # seconds in which the agencies' work must lead to a named step
_ROOM = 256 * 1024**2  # bytes of the small disk


class NotReachedError(Exception):
    """Nothing the agencies did led to this step."""


def at_steps(steps: Sequence[str], seed: int, told: Callable[[str], None]) -> Trouble:
    """A death at each of these steps, at one of the first times that it is reached."""

    async def die(play: Play) -> None:
        assert play.hub is not None
        assert play.control is not None
        chance = Random(f"{seed}/steps")
        for step in steps:
            deaths = play.hub.deaths
            await play.control.death(step, chance.randint(1, 3))
            try:
                await asyncio.wait_for(play.hub.outlived(deaths), _REACHED)
            except TimeoutError:
                raise NotReachedError(step) from None
            told(f"at {step}")

    return die


def at_random(kills: int, seed: int, told: Callable[[str], None], most: float = 1.0) -> Trouble:
    """SIGKILL so many times, each time at a moment between none and ``most`` seconds after the hub was there again."""

    async def die(play: Play) -> None:
        assert play.hub is not None
        chance = Random(f"{seed}/kills")
        for _ in range(kills):
            deaths = play.hub.deaths
            await asyncio.sleep(chance.uniform(0.0, most))
            play.hub.kill()
            await play.hub.outlived(deaths)
            told("at random")

    return die


def clock_jumps(jumps: Sequence[float], told: Callable[[str], None]) -> Trouble:
    """The hub's clock goes so many seconds forward or back, a second of work apart."""

    async def jump(play: Play) -> None:
        for by in jumps:
            await asyncio.sleep(1.0)
            await play.jump(by)
            told(f"clock {by:+g} s")

    return jump


def database_deaths(
    server: Server, times: int, seed: int, told: Callable[[str], None], *, torn: bool = False
) -> Trouble:
    """PostgreSQL is killed and started again while the hub serves; ``torn``: with its last write torn."""

    async def die(play: Play) -> None:
        chance = Random(f"{seed}/database")
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            await asyncio.to_thread(server.kill)
            _note(play, "database-killed", "")
            if torn:
                await asyncio.to_thread(tear_postgresql, server, chance)
                told("PostgreSQL's log torn")
            await asyncio.sleep(chance.uniform(0.1, 1.0))
            await asyncio.to_thread(server.start)
            await asyncio.sleep(1.0)
            told("PostgreSQL killed")

    return die


def full_disk(ballast: Path, times: int, told: Callable[[str], None]) -> Trouble:
    """The disk is filled to its last byte for a second, and again has room."""

    async def fill(play: Play) -> None:
        for _ in range(times):
            await asyncio.sleep(1.0)
            await asyncio.to_thread(_fill, ballast)
            _note(play, "disk-full", "")
            await asyncio.sleep(1.0)
            ballast.unlink()
            told("disk full")

    return fill


def _note(play: Play, fault: str, mark: str) -> None:
    play.stage.book.injected(fault, mark, where="hub", at=play.stage.clock.now)


def _fill(ballast: Path) -> None:
    with open(ballast, "wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(65536))


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of its own that can be full; None where this user may not mount one."""
    folder.mkdir(parents=True)
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    if mounted:
        command = ["mount", "-t", "tmpfs", "-o", f"size={_ROOM}", "tmpfs", str(folder)]
        mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    if not mounted:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
