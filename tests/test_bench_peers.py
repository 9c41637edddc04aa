"""The benchmark of peers: what was not run is not claimed, what was not taken is not counted, nothing stays behind."""

from __future__ import annotations

import socket
import struct
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent))  # benchmarks are not installed

from benchmarks.packets import signed
from benchmarks.peers import load, postfix, rabbitmq, this_hub
from benchmarks.peers.__main__ import PEERS, ratios
from benchmarks.peers.load import Load
from benchmarks.report import Measure, Run
from benchmarks.stage import government_office, units

HUB, MAIL = Measure(f"{this_hub.NAME}, sqlite", 900.0, "/s"), Measure("Postfix, 3 recipients", 300.0, "/s")


def test_the_hub_is_compared_with_what_was_measured_and_with_nothing_else() -> None:
    assert list(ratios([HUB])) == []
    assert list(ratios([MAIL])) == [f"{MAIL.name:38} "]
    assert list(ratios([HUB, MAIL])) == [f"{MAIL.name:38} {HUB.name} × 3.00"]


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_that_is_not_installed_is_skipped_with_the_command_that_installs_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    why = PEERS[name].absent()
    assert why.startswith("not installed: ")
    assert " install " in why


def test_a_mail_that_is_not_taken_for_each_recipient_ends_the_measuring() -> None:
    commands = postfix.envelope(["H41.0001", "H41.0002"])
    answers = [b"220 mail\r\n", b"250-mail\r\n250 PIPELINING\r\n", b"250 a\r\n250 b\r\n452 full\r\n354 go\r\n"]
    with answering(answers) as port, pytest.raises(RuntimeError, match="452 full"):
        load.fire(port, postfix.greet, partial(postfix.send, commands), [postfix.mail(b"<edXML/>")], 1, 5)


def test_a_message_that_is_not_confirmed_ends_the_measuring() -> None:
    greeting = [frame(10, 10), frame(10, 30), frame(10, 41), frame(20, 11), frame(85, 11)]
    refused = frame(60, 120, struct.pack(">QB", 1, 0))
    server = answering([*greeting, refused], speaks_first=False)
    with server as port, pytest.raises(RuntimeError, match="does not answer"):
        load.fire(port, rabbitmq.greet, partial(rabbitmq.publish, "axis"), [b"<edXML/>"], 1, 5)


@pytest.mark.long
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_that_is_here_takes_each_packet_and_leaves_nothing_behind(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if why := PEERS[name].absent():
        pytest.skip(why)
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)  # a server's own user must find its way in
        monkeypatch.setattr(tempfile, "tempdir", home)
        run, office, recipients = Run("", {}), government_office(), units(3)
        packets = list(signed(office, recipients, 10_000, range(40)))
        PEERS[name].measure(run, Load(office, recipients, packets, warm_up=10, connections=2, seconds=2))
        assert run.measures
        assert all(one.value > 0 for one in run.measures)
        assert [line for line in command_lines() if home in line] == []
        assert list(Path(home).iterdir()) == []


def command_lines() -> Iterator[str]:
    """Of every process of this machine."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield entry.read_text(errors="replace")
        except OSError:  # it ended meanwhile
            continue


def frame(kind: int, number: int, arguments: bytes = b"") -> bytes:
    """An AMQP method as a server says it (AMQP 0-9-1 §4.2)."""
    payload = struct.pack(">HH", kind, number) + arguments
    return struct.pack(">BHI", 1, 1, len(payload)) + payload + b"\xce"


@contextmanager
def answering(answers: Sequence[bytes], *, speaks_first: bool = True) -> Iterator[int]:
    """The port of a server that answers one caller with these, one after each thing it hears."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            line, _ = listening.accept()
            with line:
                for number, one in enumerate(answers):
                    if number or not speaks_first:
                        line.recv(65_536)
                    line.sendall(one)
                while line.recv(65_536):
                    pass  # until the caller closes

        thread = threading.Thread(target=answer)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join(10)
        assert not thread.is_alive()
