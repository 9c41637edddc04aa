"""The processes that are measured, started and ended here; and how much of the machine each one took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.builders.postgres import Server

_READY = 60.0  # seconds in which a server must answer
_END = 20.0  # seconds in which it must end
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """A server that answers at ``url``."""

    url: str
    pid: int

    def cpu(self) -> float:
        """Seconds of processor time so far, of the process and those it started."""
        return sum(map(_cpu_of, self._pids()))

    def own_cpu(self) -> float:
        """The same of the process alone."""
        return _cpu_of(self.pid)

    def memory(self) -> float:
        """MiB that the process and those it started hold."""
        found = 0.0
        for pid in self._pids():
            status = Path(f"/proc/{pid}/status").read_text()
            found += int(status.partition("VmRSS:")[2].split()[0]) / 1024
        return found

    def _pids(self) -> list[int]:
        """Whichever of its threads started them."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return [self.pid, *(int(pid) for task in tasks for pid in (task / "children").read_text().split())]


@dataclass(frozen=True)
class Enrolled:
    """The credentials of a system: ``token`` for REST, ``secret`` for the gateway."""

    system_id: str
    token: str
    secret: str


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS  # utime, stime


def machine_cpu() -> float:
    """Seconds of processor time that everything on this machine took so far, waiting for disks not counted."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS


def enrol(options: Sequence[str], systems: list[dict[str, str]], folder: Path) -> dict[str, Enrolled]:
    """Enrol systems with the hub's own command; gives them by agency code."""
    listed = folder / "systems.json"
    listed.write_text(json.dumps(systems), "utf-8")
    command = [sys.executable, "-m", "hub", "enrol", "--from", str(listed), "--json", *options]
    made = subprocess.run(command, env=_environment(), stdout=subprocess.PIPE, timeout=_READY, check=True)
    found: list[dict[str, Any]] = json.loads(made.stdout)
    return {row["agency"]: Enrolled(row["system_id"], row["token"], row["secret"]) for row in found}


@contextmanager
def hub(options: Sequence[str], log: Path, program: str = "hub") -> Iterator[Running]:
    """`hub serve` on a free port, ready; ``program`` is the module that has the command."""
    with _process([program, "serve", "--port", "0", *options], log) as running:
        deadline = time.monotonic() + _READY
        while not _is_ready(f"{running.url}/readyz"):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the hub does not get ready: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield running


@contextmanager
def bare_endpoint(log: Path) -> Iterator[Running]:
    """The endpoint of :mod:`benchmarks.bare`, which listens before it tells where."""
    with _process(["benchmarks.bare"], log) as running:
        yield running


@contextmanager
def databases(name: str, count: int) -> Iterator[list[str]]:
    """URLs of empty databases on a server that writes as durably as in earnest; empty URLs for SQLite."""
    if name == "sqlite":
        yield [""] * count
        return
    with Server(durable=True) as server:
        yield [server.create() for _ in range(count)]


@contextmanager
def _process(arguments: list[str], log: Path) -> Iterator[Running]:
    """A module run by this interpreter, which prints its URL first; ended at the end."""
    with open(log, "wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], env=_environment(), stdout=subprocess.PIPE, stderr=errors
        )
    try:
        url = process.stdout.readline().decode().strip() if process.stdout else ""
        if not url:
            raise RuntimeError(f"{arguments[0]} did not start: {log.read_text()[-2000:]}")
        yield Running(url, process.pid)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _environment() -> dict[str, str]:
    """Without the settings of whoever measures: they would be another hub's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:  # a URLError, or the connection broke off
        return False
