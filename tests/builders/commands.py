"""The `hub` command as an operator types it: a process of its own, and how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from builders.axis import Peer
from builders.keys import a_certificate
from cryptography.hazmat.primitives.serialization import Encoding

_PATIENCE = 90  # seconds in which a command must end
_WIDE = {"COLUMNS": "200", "PYTHONUTF8": "1"}


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def rows(self) -> list[dict[str, Any]]:
        """JSON lines on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def said(self) -> str:
        """What went to standard error as one line, without the frames drawn around it."""
        return re.sub(r"[│╭╮╰╯─\s]+", " ", self.err)

    def tells(self, *texts: str, code: int = 1) -> None:
        """It failed with this exit code and told all of this, in words and without a trace."""
        assert self.code == code, self.err
        assert "Traceback" not in self.err
        assert [text for text in texts if text not in self.said] == [], self.said


def started(*words: str, through: tuple[str, ...] = (), **environment: str) -> subprocess.Popen[str]:
    """`hub` with these words, started ``through`` another program."""
    return subprocess.Popen(
        [*through, sys.executable, "-m", "hub", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | _WIDE | environment,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], patience: float = _PATIENCE, given: str = "") -> Ended:
    """Its end, after ``given`` went to its standard input."""
    try:
        out, err = process.communicate(given, timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Ended(process.returncode, out, err)


def run(*words: str, given: str = "", **environment: str) -> Ended:
    """`hub` with these words."""
    return ended(started(*words, **environment), given=given)


def run_all(*commands: tuple[str, ...]) -> list[Ended]:
    """Several at the same time; they all may, while the hub serves."""
    return [ended(process) for process in [started(*words) for words in commands]]


@dataclass
class Hub:
    """`hub serve` on a free port."""

    url: str
    folder: Path
    pid: int

    def enrol(self, code: str, *words: str) -> dict[str, str]:
        """The credentials of one system."""
        return self._enrolled(code, *words)

    def enrol_all(self, source: Path, *words: str) -> list[dict[str, str]]:
        """Those of every system that a file lists."""
        return self._enrolled("--from", str(source), *words)

    def peer(self, code: str, *words: str) -> Peer:
        """An agency that is enrolled with its certificate."""
        key, certificate = a_certificate(code)
        path = self.folder / f"{code}.pem"
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        made = self.enrol(code, "--certificate", str(path), *words)
        return Peer(None, code, code, made, key, certificate)  # type: ignore[arg-type]  # drafts and signs, no more

    def _enrolled(self, *words: str) -> Any:
        end = run("enrol", *words, "--json", *self.data)
        assert end.code == 0, end.err
        return json.loads(end.out)

    @property
    def data(self) -> tuple[str, str]:
        return "--data-dir", str(self.folder)

    def inbox(self, token: str, wait: float = 0) -> httpx.Response:
        return httpx.get(f"{self.url}/v1/inbox", params={"wait": wait}, headers={"Authorization": f"Bearer {token}"})


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[Hub]:
    with open(folder / "hub.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "serve", "--port", "0", "--data-dir", str(folder), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | _WIDE,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        url = process.stdout.readline().rstrip("\n")
        assert url, (folder / "hub.log").read_text("utf-8")
        yield Hub(url, folder, process.pid)
    finally:
        process.terminate()
        ended(process)
