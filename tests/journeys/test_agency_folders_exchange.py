"""Two agencies as folders, each with its daemon, on a hub of its own: processes as they run in the field, and die."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders.agency import RECEIVING, REFUSING, RENEWING, SENDING, drop
from builders.commands import Ended, run, serving
from builders.packets import PDF
from builders.ports import free_ports
from builders.waiting import comes

from clients.agency.home import Home
from clients.agency.shelf import Shelf
from clients.hub_client import HubClient, Refused

_PATIENCE = 90.0  # seconds in which everything must have arrived
CODES = ("G22", "H41")
DOCUMENTS = 5  # each way


def until(true: Callable[[], bool], what: str) -> None:
    assert comes(true, _PATIENCE), f"not within {_PATIENCE:.0f} s: {what}"


def an_agency(*words: object, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clients.agency", *map(str, words), "--home", str(home), "--json"],
        capture_output=True, text=True, timeout=_PATIENCE, check=False,
    )  # fmt: skip


pytestmark = [pytest.mark.timeout(240), pytest.mark.long]  # a dozen processes start here, one after the other


@dataclass
class Daemon:
    """`hub serve` or `agency listen`, killed and started again; ``told`` are the lines of all its lives."""

    words: list[str]
    told: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    readers: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.readers.append(threading.Thread(target=self._read, args=(self.process,)))
        self.readers[-1].start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.told.append(line.rstrip("\n"))

    def said(self, event: str) -> int:
        return sum(f'"event": "{event}"' in line for line in self.told)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        assert self.ends() == -signal.SIGKILL

    def terminate(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.ends()

    def ends(self) -> int:
        """The exit code, when everything that was told is read."""
        assert self.process is not None
        self.readers[-1].join(_PATIENCE)
        return self.process.wait(_PATIENCE)

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(_PATIENCE)
        for reader in self.readers:
            reader.join(_PATIENCE)


@dataclass
class Field:
    """A hub's process and two agencies' folders."""

    hub: Daemon
    url: str
    homes: dict[str, Path]

    def listening(self, code: str, *words: str) -> Daemon:
        return Daemon(["clients.agency", "listen", "--home", str(self.homes[code]), "--json", *words])

    def drop(self, code: str, to: str, number: int) -> None:
        order = f'to = ["{to}"]\nnumber = {number}\nnotation = "VP"\nsubject = "Về việc cải cách tiền lương"\n'
        drop(Home(self.homes[code]), str(number), order, (f"{number}.pdf", PDF + str(number).encode()))

    def waiting(self, code: str) -> list[Path]:
        """What the agency has not sent yet."""
        home = Home(self.homes[code])
        begun = [each for each in home.sending.iterdir() if not each.name.startswith(".")]
        return [*home.outbox.iterdir(), *begun]

    def operate(self, *words: str) -> Ended:
        return run(*words, "--data-dir", str(self.homes["G22"].parent / "hub"))

    def received(self, code: str) -> list[dict[str, Any]]:
        return [record for _, record in Shelf(self.homes[code] / "inbox").records()]

    def documents(self, code: str) -> Counter[int]:
        return Counter(int(r["document"]["number"]) for r in self.received(code) if r["type"] == "document")

    def statuses(self, code: str) -> Counter[tuple[int, str]]:
        return Counter(
            (int(r["document"]["number"]), r["status"]["code"]) for r in self.received(code) if r["type"] == "status"
        )


@pytest.fixture(scope="module")
def field_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    folder = tmp_path_factory.mktemp("field")
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    data = str(folder / "hub")
    with Daemon(["hub", "serve", "--port", str(port), "--data-dir", data]) as hub:
        hub.start()
        until(lambda: bool(hub.told), "the hub serves")
        homes = {}
        for code in CODES:
            enrolled = run("enrol", code, "--json", "--data-dir", data)
            assert enrolled.code == 0, enrolled.err
            given = folder / f"{code}.json"
            given.write_text(enrolled.out)
            homes[code] = folder / code
            made = an_agency("init", "--hub", url, "--code", code, "--credentials", given, home=homes[code])
            assert made.returncode == 0, made.stderr
        yield Field(hub, url, homes)


def test_two_folders_exchange_documents_and_states_while_everybody_is_killed(field_: Field) -> None:
    with ExitStack() as stack:
        g22, h41 = (stack.enter_context(field_.listening(code, "--outbox")) for code in CODES)
        g22.start()
        h41.start()
        until(lambda: g22.said("listen-begin") == h41.said("listen-begin") == 1, "both listen")
        for number in range(1, DOCUMENTS + 1):
            field_.drop("G22", "H41", number)
            field_.drop("H41", "G22", 100 + number)
        until(lambda: bool(field_.documents("H41")), "the first arrived")
        h41.kill()
        field_.hub.kill()
        h41.start()
        field_.hub.start()
        until(lambda: len(field_.documents("H41")) > DOCUMENTS // 2, "half arrived")
        g22.kill()
        g22.start()
        wanted = {"H41": range(1, DOCUMENTS + 1), "G22": range(101, 101 + DOCUMENTS)}
        for code, numbers in wanted.items():
            until(lambda code=code, numbers=numbers: set(field_.documents(code)) == set(numbers), f"all at {code}")
        until(lambda: len(field_.statuses("G22")) == len(field_.statuses("H41")) == DOCUMENTS, "all reported")

        [first] = [each for each in field_.received("H41") if each["document"]["number"] == "1"]
        reported = an_agency("report", first["id"], "03", home=field_.homes["H41"])
        assert reported.returncode == 0, reported.stderr
        until(lambda: "03" in {code for _, code in field_.statuses("G22")}, "03 is back")
        until(lambda: not [*field_.waiting("G22"), *field_.waiting("H41")], "the answers to all that was sent are kept")
        assert [g22.terminate(), h41.terminate()] == [0, 0]
    for code, numbers in wanted.items():
        assert field_.documents(code) == Counter(numbers)
        home = field_.homes[code]
        assert len(list(home.glob("sent/*/*/*/receipt.json"))) == DOCUMENTS
        assert not (home / "refused").exists()
    assert Counter(code for _, code in field_.statuses("G22")) == {"01": DOCUMENTS, "03": 1}
    assert Counter(code for _, code in field_.statuses("H41")) == {"01": DOCUMENTS}
    assert {row["state"] for row in field_.operate("log", "--json").rows()} == {"delivered"}


def test_a_daemon_ends_at_once_when_told_and_waits_for_a_hub_that_is_away(field_: Field) -> None:
    with field_.listening("H41", "--outbox") as h41:
        h41.start()
        until(lambda: h41.said("listen-begin") == 1, "it listens")
        ends_at_once(h41)
        assert h41.said("listen-end") == 1
        field_.hub.kill()
        h41.start()
        until(lambda: h41.said("listen-begin") == 2, "it listens")
        field_.hub.start()
        field_.drop("H41", "G22", 200)
        until(lambda: h41.said("sent") == 1, "it sends")
        ends_at_once(h41)


def ends_at_once(daemon: Daemon) -> None:
    began = time.monotonic()
    assert daemon.terminate() == 0
    assert time.monotonic() - began < 30  # a poll waits for 60


def test_a_daemon_whose_system_is_locked_says_so_and_ends(field_: Field) -> None:
    home = Home(field_.homes["H41"])
    assert field_.operate("agencies", "--code", "H41", "--action", "lock").code == 0
    try:
        with home.client(home.config()) as client:
            until(partial(is_refused, client), "the hub knows")
        with field_.listening("H41", "--outbox") as h41:
            h41.start()
            assert h41.ends() == 1
            assert h41.said("refused") == 1
    finally:
        field_.operate("agencies", "--code", "H41", "--action", "unlock")


def is_refused(client: HubClient) -> bool:
    try:
        client.inbox()
    except Refused as refused:
        return refused.code == "system-locked"
    return False


def test_the_guide_s_commands_run_as_written(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "agency.md").read_text("utf-8")
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL))
    bin_ = Path(sys.executable).parent
    with serving(tmp_path) as hub:
        assert "http://127.0.0.1:8000" in script
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace("http://127.0.0.1:8000", hub.url)], cwd=tmp_path,
            capture_output=True, text=True, timeout=_PATIENCE, check=False,
            env=os.environ
            | {"HUB_DATA_DIR": str(tmp_path), "PATH": f"{bin_}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Sent 15/VPCP-TH to H41" in done.stdout
    assert "Valid: 15/VPCP-TH" in done.stdout
    assert "Reported 03 on 15/VPCP-TH to G22" in done.stdout
    assert "Sent 7/BC-UBND to G22" in done.stdout
    assert "H41 7-BC-UBND" in done.stdout
    assert (tmp_path / "h41" / "agency.toml").stat().st_mode & 0o777 == 0o600


def test_every_named_step_is_tried_and_told_in_the_guide() -> None:
    root = Path(__file__).parents[2]
    called = {
        node.args[0].value
        for path in (root / "clients" / "agency").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "at"
        if isinstance(node.args[0], ast.Constant)
    }
    assert called == {step for step, _ in [*RECEIVING, *SENDING, *REFUSING, *RENEWING]}
    guide = (root / "docs" / "agency.md").read_text("utf-8").split("# What a crash leaves")[1]
    assert called == {
        step for line in guide.splitlines() if "|" in line for step in re.findall(r"`([a-z-]+)`", line.split("|")[1])
    }
