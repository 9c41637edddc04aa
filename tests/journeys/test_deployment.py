"""The processes of ``docker-compose.yml``, started as it says without an engine: two agencies exchange documents.

Only addresses, ports and folders are others; the command lines, scripts, settings and files are the compose file's.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import psycopg
import pytest
from builders.commands import run
from builders.deployment import COMPOSE, environment_of, last, words_of
from builders.objects import WEED
from builders.ports import free_ports
from builders.postgres import Server

from hub.store.s3 import Access, Bucket

pytestmark = pytest.mark.long

_PATIENCE = 60.0  # seconds in which anything here must have happened
_PORTS = ("master.port", "volume.port", "filer.port", "s3.port")
LARGE = "Phụ lục kèm theo công văn.\n" * 10_000  # above what lies in a row


@dataclass
class Stack:
    """What is started, and with what in place of what the engine would give it."""

    folder: Path
    instead: dict[str, str]  # parts of words and values
    settings: dict[str, str]  # whole values of the environment
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environment(self, name: str) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
        own = {key: self.settings.get(key, self.put(value)) for key, value in environment_of(name).items()}
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return inherited | own | {"PATH": path, "HUB_DATA_DIR": str(self.folder / "hub")}

    def put(self, text: str) -> str:
        for old, new in self.instead.items():
            text = text.replace(old, new)
        return text

    def start(self, name: str, *more: str) -> subprocess.Popen[bytes]:
        program = ["weed"] if name == "objects" else []  # its image's own script begins with it
        command = [*program, *(self.put(word) for word in words_of(name)), *more]
        if setpriv := shutil.which("setpriv"):  # no orphan when the tests are killed
            command[:0] = [setpriv, "--pdeathsig", "TERM", "--"]
        home = self.folder / name.removesuffix("-enrolled")
        home.mkdir(exist_ok=True)
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home, env=self.environment(name)
            )
        self.running[name] = process
        return process

    def run(self, *names: str) -> str:
        """Those that end, beside each other; gives what they said."""
        for name, process in [(name, self.start(name)) for name in names]:
            assert process.wait(_PATIENCE) == 0, self.said(name)
        return "".join(map(self.said, names))

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")[-4000:]

    def until(self, name: str, there: Callable[[], Any]) -> Any:
        """What there is at last; ``name`` may not end before."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            if found := there():
                return found
            ended = self.running[name].poll() is not None
            assert not ended, self.said(name)
            assert time.monotonic() < deadline, self.said(name)
            time.sleep(0.2)  # a probe is a process, and not to be in the way of what it waits for

    def end(self, name: str) -> int:
        """As the engine ends it."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(_PATIENCE)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    ports = free_ports(2 * len(_PORTS) + 1)
    named = dict(zip((*_PORTS, *(f"{name}.grpc" for name in _PORTS)), ports, strict=False))
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, module in (("hub", "hub"), ("agency", "clients.agency")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        (programs / name).chmod(0o755)
    (programs / "weed").symlink_to(WEED)
    with Server() as database:
        database.run("CREATE DATABASE hub")
        database.run(COMPOSE["configs"]["second-database"]["content"].rstrip(";"))
        url = database.url("hub")
        (home,) = parse_qs(urlsplit(url).query)["host"]
        made = Stack(
            tmp_path,
            {
                "-ip=objects": "-ip=127.0.0.1",
                "0.0.0.0": "127.0.0.1",
                "/data": str(tmp_path / "objects"),
                "objects:9333": f"127.0.0.1:{named['master.port']}.{named['master.port.grpc']}",
                "objects:8333": f"127.0.0.1:{named['s3.port']}",
                "http://hub:8000": f"http://127.0.0.1:{ports[-1]}",
                "8000": str(ports[-1]),
            },
            {"HUB_DATABASE_URL": url, "WEED_POSTGRES2_HOSTNAME": home},
        )
        try:
            sockets = (f"-s3.localSocket={tmp_path}/s3.sock", f"-filer.localSocket={tmp_path}/filer.sock")
            made.start("objects", *(f"-{name}={port}" for name, port in named.items()), *sockets)
            made.until("objects", lambda: answers(f"http://127.0.0.1:{named['s3.port']}/healthz"))
            yield made
        finally:
            for process in made.running.values():
                process.send_signal(signal.SIGKILL if process is made.running.get("objects") else signal.SIGTERM)
                process.wait(_PATIENCE)
            for port in named.values():
                for left in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):
                    left.unlink()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def is_healthy(stack: Stack) -> bool:
    """By the image's own probe."""
    probe = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    return subprocess.run([sys.executable, *map(stack.put, probe[1:])], capture_output=True).returncode == 0


def test_two_agencies_exchange_documents_through_all_that_the_compose_file_starts(stack: Stack) -> None:
    for _ in range(2):  # at the first start, and at every later one
        stack.run("bucket")
    stack.start("hub")
    stack.until("hub", lambda: is_healthy(stack))
    stack.run("g22-enrolled", "h41-enrolled")
    stack.run("g22-enrolled")  # likewise
    stack.start("g22")
    stack.start("h41")
    inbox = stack.folder / "h41" / "inbox"
    letter = stack.until("h41", lambda: list(inbox.rglob("cong-van-15.txt")))[0]
    assert letter.read_text("utf-8") == environment_of("g22")["LETTER"]

    outbox = stack.folder / "g22" / "outbox"
    (outbox / "cong-van-16.txt").write_text(LARGE, "utf-8")
    order = environment_of("g22")["ORDER"].replace('"15"', '"16"')
    (outbox / "cong-van-16.toml").write_text(order, "utf-8")
    annex = stack.until("h41", lambda: list(inbox.rglob("cong-van-16.txt")))[0]
    assert annex.read_text("utf-8") == LARGE

    environment = stack.environment("hub")
    access = Access(
        "packets", "hub", environment["HUB_S3_ENDPOINT"], "us-east-1", environment["HUB_S3_ACCESS_KEY"],
        environment["HUB_S3_SECRET_KEY"],
    )  # fmt: skip
    (place,) = Bucket(access).older_than(datetime.now(UTC) + timedelta(days=1))
    assert place.startswith(f"{datetime.now(UTC):%Y/%m}/")
    assert not (stack.folder / "hub" / "payloads").exists()
    with psycopg.connect(stack.settings["HUB_DATABASE_URL"].replace("/hub?", "/objects?")) as connection:
        listed = connection.execute("SELECT count(*) FROM packets WHERE name = %s", [Path(place).name]).fetchone()
    assert listed == (1,), "where the object lies stands in PostgreSQL"

    reports = stack.folder / "g22" / "inbox"
    stack.until("g22", lambda: len(list(reports.rglob("*.edxml"))) >= 2)  # 01 on both
    assert [stack.end(name) for name in ("g22", "h41")] == [0, 0]
    assert stack.end("hub") in {0, -signal.SIGTERM}


def test_serve_says_in_words_why_the_bucket_cannot_be_used(tmp_path: Path) -> None:
    end = run(
        "serve", "--port", "0", "--data-dir", str(tmp_path / "hub"), HUB_PAYLOADS_URL="s3://van-ban",
        HUB_S3_ENDPOINT="http://127.0.0.1:1", HUB_S3_ACCESS_KEY="hub", HUB_S3_SECRET_KEY="bí-mật",
    )  # fmt: skip
    end.tells("The packet store cannot be used", "http://127.0.0.1:1/van-ban/.hub", "HUB_S3_ENDPOINT")
    assert end.out == ""
    assert "bí-mật" not in end.err
