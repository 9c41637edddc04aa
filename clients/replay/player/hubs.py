"""A hub of this project as a process of its own: started on a folder, enrolled, killed, and started again."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from clients.replay.planned import Party

_READY = 60.0  # seconds in which a hub must answer
_END = 15.0  # seconds in which it must end
_STARTS = 5  # times in a row that it may die while it starts
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # past any proxy of the environment
_TICKS = os.sysconf("SC_CLK_TCK")

Certificate = Callable[[str], bytes]  # of an agency's code, in PEM


class HubProblemError(Exception):
    """The hub does not start, or does not take whom it should know; the text says why."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a hub's processes hold and took: MiB, open files, seconds of processor time."""

    memory: float
    files: int
    cpu: float


class OwnHub:
    """A context manager; ``settings`` are ``HUB_*`` without the prefix. After each death it has the same port."""

    def __init__(self, folder: Path, settings: Mapping[str, str], *, log: Path, simulated: bool = True) -> None:
        self.url, self.control = "", ""
        self.moment: Callable[[], datetime] | None = None  # where its clock stands when it is started again
        self.deaths = 0  # after which it was started again
        self.folder, self._settings, self._log, self._simulated = folder, dict(settings), log, simulated
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._alive = asyncio.Condition()

    async def __aenter__(self) -> OwnHub:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait((self._watch,))
        await self.stop()

    async def start(self) -> None:
        """Start and wait until it is ready. Raises :class:`HubProblemError`."""
        port = self.url.rpartition(":")[2] or "0"
        control = self.control.rpartition(":")[2] or "0"
        more = ("--simulation-port", control) if self._simulated else ()
        with open(self._log, "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hub", "serve", "--port", port, *more, *self._where(),
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log, env=self._environment(),
                start_new_session=True,  # Ctrl-C is for the player: it ends the hub when it has judged
            )  # fmt: skip
        assert self._process.stdout is not None
        said = self._process.stdout
        try:
            async with asyncio.timeout(_READY):
                url = (await said.readline()).decode().strip()
                control = (await said.readline()).decode().strip() if self._simulated else ""
                if not url:
                    raise HubProblemError(self._why())
                self.url, self.control = url, control.removeprefix("simulation ")
                while not await asyncio.to_thread(_is_ready, self.url):
                    if self._process.returncode is not None:
                        raise HubProblemError(self._why())
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise HubProblemError(self._why()) from None

    async def stop(self) -> None:
        """A clean end, as by an operator; a hub that does not end is killed."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _END)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def kill(self) -> None:
        """SIGKILL, at whatever it is doing."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.kill()

    async def died(self) -> None:
        """Wait until the process is gone."""
        assert self._process is not None
        await self._process.wait()

    def keep_alive(
        self,
        revived: Callable[[], Awaitable[None]],
        buried: Callable[[], None],
        lost: Callable[[BaseException], None],
    ) -> None:
        """From now on start it again whenever it has died; ``revived`` is awaited when it is ready again, ``buried``
        called before it is started. What keeps it from starting is told to ``lost``."""

        def ended(watch: asyncio.Task[None]) -> None:
            if not watch.cancelled() and (fault := watch.exception()) is not None:
                lost(fault)

        self._watch = asyncio.ensure_future(self._revive(revived, buried))
        self._watch.add_done_callback(ended)

    async def _revive(self, revived: Callable[[], Awaitable[None]], buried: Callable[[], None]) -> None:
        tries = 0
        while True:
            await self.died()
            buried()
            try:
                await self.start()
                await revived()
            except (HubProblemError, httpx.HTTPError):
                tries += 1
                if tries == _STARTS or await self._lives():
                    raise
                continue  # killed once more while it started
            tries = 0
            async with self._alive:
                self.deaths += 1
                self._alive.notify_all()

    async def _lives(self) -> bool:
        """Whether the process goes on; one that is about to end gets a moment for it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.died(), 1.0)
        return self._process is not None and self._process.returncode is None

    async def outlived(self, deaths: int) -> None:
        """Wait until it has been started again after more than so many deaths. Raises what kept it from starting."""
        assert self._watch is not None
        waiting = asyncio.ensure_future(self._outlived(deaths))
        await asyncio.wait({waiting, self._watch}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            self._watch.result()

    async def _outlived(self, deaths: int) -> None:
        async with self._alive:
            await self._alive.wait_for(lambda: self.deaths > deaths)

    async def enrol(self, parties: Sequence[Party], certificate: Certificate | None) -> dict[str, dict[str, str]]:
        """Enrol the systems, with their agencies' certificates if given; credentials by the system's code."""
        listed = write_enrolments(self.folder / "enrolments", parties, certificate)
        enrolling = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub", "enrol", "--from", str(listed), "--json", *self._where(),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=self._environment(),
        )  # fmt: skip
        told, why = await enrolling.communicate()
        if enrolling.returncode:
            raise HubProblemError(f"hub enrol: {why.decode(errors='replace').strip()[-2000:]}")
        return {row["agency"]: row for row in json.loads(told)}

    def use(self) -> Use:
        """Of the hub and the processes it started; zeros while it is dead."""
        if self._process is None or self._process.returncode is not None:
            return Use(0.0, 0, 0.0)
        return use_of(self._process.pid)

    def _where(self) -> tuple[str, ...]:
        return ("--data-dir", str(self.folder))

    def _environment(self) -> dict[str, str]:
        """Without the settings of whoever plays: they would be another hub's."""
        plain = {name: value for name, value in os.environ.items() if not name.upper().startswith("HUB_")}
        clock = {"simulation_clock": self.moment().isoformat()} if self.moment is not None else {}
        return plain | {f"HUB_{name.upper()}": value for name, value in (self._settings | clock).items()}

    def _why(self) -> str:
        told = self._log.read_text("utf-8", errors="replace").strip()
        return f"the hub does not start: {told[-2000:] or 'it says nothing'}"


def write_enrolments(folder: Path, parties: Sequence[Party], certificate: Certificate | None) -> Path:
    """What an operator gives to ``hub enrol --from``: a list of the systems, each with its agency's certificate."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for party in parties:
        if party.system != party.code:
            continue
        rows.append({"code": party.code, "name": party.name, "profile": party.profile})
        if certificate is not None:
            (folder / f"{party.code}.pem").write_bytes(certificate(party.code))
            rows[-1]["certificate"] = f"{party.code}.pem"
    listed = folder / "systems.json"
    listed.write_text(json.dumps(rows, ensure_ascii=False, indent=1), "utf-8")
    return listed


def use_of(pid: int) -> Use:
    """Of a process and its children, whichever of its threads started them; of one that has just ended, nothing."""
    memory, files, ticks = 0.0, 0, 0
    with suppress(OSError, IndexError, ValueError):
        threads = Path(f"/proc/{pid}/task").iterdir()
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
        for each in (str(pid), *children):
            with suppress(OSError):
                memory += int(Path(f"/proc/{each}/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024
                files += len(os.listdir(f"/proc/{each}/fd"))
                fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return Use(memory, files, ticks / _TICKS)


def _is_ready(url: str) -> bool:
    try:
        with _DIRECT.open(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def read_credentials(file: Path) -> dict[str, dict[str, str]]:
    """What ``hub enrol --from … --json`` printed, by agency code. Raises :class:`HubProblemError`."""
    try:
        return {row["agency"]: row for row in json.loads(file.read_text("utf-8"))}
    except (OSError, ValueError, TypeError, KeyError) as fault:
        raise HubProblemError(f"{file}: no output of `hub enrol --from … --json` ({fault})") from None


def machine() -> str:
    """Cores and memory, without any name."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{os.cpu_count()} cores, {pages / 2**30:.0f} GiB, {time.strftime('%Y-%m-%d')}"
