"""The commands of the test harness, as people type them: processes, sockets, folders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from builders.commands import serving

pytestmark = pytest.mark.long

AGENCY = (sys.executable, "-m", "clients.agency")
_SMALL = """
title = "Hai tỉnh một buổi sáng"
seed = 41
[clock]
mode = "real"
start = 2025-10-01T09:00:00+07:00
duration = "DURATION"
settle = "1 s"
[documents]
rate = 8
fan_out = [{ share = 1.0, least = 1, most = 2 }]
[[agencies]]
codes = ["G22", "H41"]
poll = "0.2 s"
[[agencies]]
codes = ["H36"]
dialect = "gateway"
poll = "0.2 s"
[replies]
shares = { 01 = 1.0, 06 = 1.0 }
after = { 01 = "0.1 s", 06 = "0.3 s" }
[defects]
name-characters = 0.1
[judge]
answer_within = "20 s"
"""


def scenario(folder: Path, duration: str = "3 s") -> str:
    file = folder / "small.toml"
    file.write_text(_SMALL.replace("DURATION", duration), "utf-8")
    return str(file)


def agency(*words: str, code: int = 0) -> str:
    ended = subprocess.run([*AGENCY, *words], capture_output=True, text=True, timeout=100)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def verdict(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "verdict.json").read_text("utf-8"))
    return found


def test_a_run_leaves_its_book_its_report_and_a_verdict(tmp_path: Path) -> None:
    out = tmp_path / "run"
    told = agency("replay", scenario(tmp_path), "--out", str(out))
    assert "Đạt" in told
    assert {"ledger.db", "report.html", "junit.xml", "verdict.json", "hub.log"} <= {each.name for each in out.iterdir()}
    counts = verdict(out)["figures"]["counts"]
    assert (counts["accepted"], counts["refused"]) == (24, 3)


def test_the_same_seed_plays_the_same_and_diff_says_so(tmp_path: Path) -> None:
    for name in ("a", "b"):
        agency("replay", scenario(tmp_path), "--out", str(tmp_path / name))
    agency("diff", str(tmp_path / "a"), str(tmp_path / "b"))
    agency("replay", scenario(tmp_path), "--seed", "42", "--out", str(tmp_path / "c"))
    assert json.loads(agency("diff", str(tmp_path / "a"), str(tmp_path / "c"), "--json", code=1))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_end_is_judged(tmp_path: Path, number: int) -> None:
    out = tmp_path / "run"
    playing = subprocess.Popen(
        [*AGENCY, "replay", scenario(tmp_path, "10 min"), "--out", str(out)],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and b'"/v1/documents"' not in _log(out):
        time.sleep(0.1)
    if number == signal.SIGINT:
        os.killpg(playing.pid, number)  # as a terminal does: to all that the command started
    else:
        playing.send_signal(number)
    told, _ = playing.communicate(timeout=60)
    assert playing.returncode == 0, told
    found = verdict(out)
    assert found["stopped"]
    assert found["passed"]
    assert 0 < found["figures"]["counts"]["accepted"] < 500


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize("step", ["enrolling", "preparing"])
def test_a_run_that_is_told_to_end_before_anything_was_sent_ends_the_hub_and_says_so(
    tmp_path: Path, step: str, number: int
) -> None:
    out = tmp_path / "run"
    playing = subprocess.Popen(
        [*AGENCY, "replay", "load", "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    name, told = ("hub/enrolments/systems.json", b"]") if step == "enrolling" else ("hub.log", b"/readyz")
    begun = out / name
    while time.monotonic() < deadline and not (begun.exists() and told in begun.read_bytes()):
        time.sleep(0.05)
    if number == signal.SIGINT:
        os.killpg(playing.pid, number)
    else:
        playing.send_signal(number)
    _, said = playing.communicate(timeout=60)
    assert playing.returncode == 130, said
    assert said == "stopped before anything was sent\n"
    found = verdict(out)
    assert found["stopped"]
    assert found["figures"]["counts"]["attempts"] == 0
    if step == "preparing":
        assert _processes_of(out) == []


def _processes_of(out: Path) -> list[bytes]:
    """The commands of processes that were told of this folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            found.append(each.read_bytes())
    return [command for command in found if bytes(out) in command]


def _log(out: Path) -> bytes:
    return (out / "hub.log").read_bytes() if (out / "hub.log").exists() else b""


def test_a_scenario_that_is_wrong_is_told_with_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(_SMALL.replace("DURATION", "3 fortnights").replace('"G22", "H41"', '"G22"'), "utf-8")
    told = agency("replay", str(file), code=2)
    assert "wrong.toml:7: clock.duration" in told
    assert "Traceback" not in told
    assert "no such file" in agency("replay", "nobody-knows-it", code=2)
    assert "--credentials" in agency("replay", "smoke", "--hub", "http://127.0.0.1:9", code=2)


def test_a_hub_that_is_there_is_played_recorded_and_its_record_played_again(tmp_path: Path) -> None:
    hub = (sys.executable, "-m", "hub")
    systems = agency("replay", scenario(tmp_path), "--enrolments", str(tmp_path / "systems")).strip()
    data = tmp_path / "var"
    enrolled = subprocess.run(
        [*hub, "enrol", "--from", systems, "--json", "--data-dir", str(data)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    credentials = tmp_path / "credentials.json"
    credentials.write_text(enrolled.stdout, "utf-8")
    traffic = tmp_path / "day.traffic"
    with serving(data) as there:
        recording = subprocess.Popen(
            [*AGENCY, "record", "--hub", there.url, "--to", str(traffic)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert recording.stdout
            proxy = recording.stdout.readline().split()[0]
            agency(
                "replay", scenario(tmp_path), "--hub", proxy, "--credentials", str(credentials), "--out",
                str(tmp_path / "first"),
            )  # fmt: skip
        finally:
            recording.send_signal(signal.SIGINT)
            recording.communicate(timeout=30)
    assert recording.returncode == 0
    first = verdict(tmp_path / "first")["figures"]["counts"]
    agency("replay", str(traffic), "--anonymise", "--out", str(tmp_path / "again"))
    again = verdict(tmp_path / "again")["figures"]["counts"]
    assert [again[each] for each in ("accepted", "refused", "deliveries", "statuses_accepted")] == [
        first[each] for each in ("accepted", "refused", "deliveries", "statuses_accepted")
    ]
