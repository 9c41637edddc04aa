"""The traffic file: what of it can be read however it ended, and when there is none."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from builders.recorded import a_recorder, bodies, exchanges
from builders.served import a_line, answers, nobody_listens
from builders.wire import Wire
from rich.console import Console

from clients.replay.traffic.file import TrafficFile, TrafficProblem
from clients.replay.traffic.record import record

_PATIENCE = 30.0


def recording(hub: str, file: Path, *, room: int) -> subprocess.Popen[str]:
    """A recorder as a process of its own; the limit of a file's size, ``room`` bytes, stands for the disk's."""
    code = (
        "import asyncio, resource, signal, sys; from pathlib import Path; from rich.console import Console;"
        "from clients.replay.traffic.record import record;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])));"
        "asyncio.run(record(sys.argv[1], Path(sys.argv[2]), Console()))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, hub, str(file), str(room)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip


def test_a_file_cut_at_any_byte_gives_the_exchanges_that_had_ended(tmp_path: Path) -> None:
    file, cut = tmp_path / "a.traffic", tmp_path / "b.traffic"
    packets = [b"mot", b"hai\n{}\n", b"ba"]
    with a_line(*[answers(201, b"{}")] * 3) as line, a_recorder(line.base_url, file) as proxy:
        for packet in packets:
            with Wire(proxy.base_url) as wire:
                wire.say("POST /v1/documents HTTP/1.1", "Host: a", f"Content-Length: {len(packet)}", body=packet).hear()
    whole = file.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole)):
        cut.write_bytes(whole[:end])
        with TrafficFile(cut) as reading:
            found = [reading.request(exchange) for exchange in reading]
            assert found == packets[: len(found)]
            assert reading.torn is (whole[:end] != whole[:first] and end not in _ends(file))
    with TrafficFile(file) as reading:
        assert [reading.request(exchange) for exchange in reading] == packets
        assert not reading.torn


def _ends(file: Path) -> set[int]:
    return {exchange.answer[0] + exchange.answer[1] + 1 for exchange in exchanges(file)}


def test_a_file_that_is_there_and_a_hub_that_is_none_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.traffic"
    file.write_text("mine")
    for hub in ("http://127.0.0.1:1", "hub.example.vn", "http://user:password@hub.example.vn"):
        with pytest.raises(TrafficProblem):
            asyncio.run(record(hub, file, Console(quiet=True)))
    assert file.read_text() == "mine"


def test_a_recorder_that_cannot_begin_leaves_no_file(tmp_path: Path) -> None:
    """The command put right was once refused, since the file was there."""
    file = tmp_path / "a.traffic"
    with socket.create_server(("127.0.0.1", 0)) as taken, nobody_listens() as held:
        for hub, port in (
            ("hub.example.vn", 0),
            ("http://127.0.0.1:x", 0),
            ("http://127.0.0.1:1", taken.getsockname()[1]),
            ("http://127.0.0.1:1", held),
        ):
            with pytest.raises(TrafficProblem):
                asyncio.run(record(hub, file, Console(quiet=True), port=port))
            assert not file.exists()


def test_a_disk_without_room_for_the_first_line_has_no_file_on_it(tmp_path: Path) -> None:
    file = tmp_path / "a.traffic"
    with recording("http://127.0.0.1:1", file, room=10) as process:
        _, told = process.communicate(timeout=_PATIENCE)
    assert f"TrafficProblem: {file}: File too large" in told
    assert not file.exists()


def test_a_disk_that_is_full_ends_the_recording_and_leaves_a_file_that_can_be_read(tmp_path: Path) -> None:
    file, packet = tmp_path / "a.traffic", bytes(40_000)
    deeds = [answers(201, b"{}")] * 3
    with a_line(*deeds) as line, recording(line.base_url, file, room=100_000) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split()[0]
        for _ in range(3):
            with Wire(url) as wire:
                wire.say("POST /v1/documents HTTP/1.1", "Host: a", f"Content-Length: {len(packet)}", body=packet)
                assert wire.hear().status == 201
        assert process.wait(_PATIENCE) == 1
        assert f"TrafficProblem: {file}: File too large" in process.stderr.read()
    assert [len(request) for _, request, _ in bodies(file)] == [len(packet)] * 2
