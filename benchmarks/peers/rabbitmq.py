"""RabbitMQ: the packet as a persistent message with publisher confirms, over AMQP 0-9-1."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.peers import load, processes
from benchmarks.peers.load import Load, Talk
from benchmarks.report import Run
from benchmarks.servers import Running

NAME = "RabbitMQ"
DOES = (
    "routes a persistent message to durable queues, one or one per recipient, and confirms it when each has it on "
    "disk (fsync of many at once); verifies nothing; nobody consumes"
)
_PROGRAM = Path(
    "/usr/lib/rabbitmq/bin/rabbitmq-server"
)  # what Debian's command of this name runs, as a user of its own
_USER = "rabbitmq"
_FRAME = 131_072  # bytes, the server's own limit

# Methods by class and number (AMQP 0-9-1 §1.3 and RabbitMQ's confirms).
_START, _START_OK, _TUNE, _TUNE_OK, _OPEN, _OPEN_OK = (10, 10), (10, 11), (10, 30), (10, 31), (10, 40), (10, 41)
_CHANNEL_OPEN, _CHANNEL_OPEN_OK = (20, 10), (20, 11)
_EXCHANGE_DECLARE, _EXCHANGE_DECLARE_OK = (40, 10), (40, 11)
_QUEUE_DECLARE, _QUEUE_DECLARE_OK, _QUEUE_BIND, _QUEUE_BIND_OK = (50, 10), (50, 11), (50, 20), (50, 21)
_CONFIRM_SELECT, _CONFIRM_SELECT_OK = (85, 10), (85, 11)
_PUBLISH, _ACK = (60, 40), (60, 80)
_HAS_TYPE_AND_MODE = 1 << 15 | 1 << 12  # which properties a message has
_PASSIVE, _DURABLE = 1, 2
_NONE = struct.pack(">H", 0)  # what is reserved
_NO_TABLE = struct.pack(">I", 0)
_HEAD, _AROUND = 7, 8  # bytes of a frame before its payload, and around it

_Name = tuple[int, int]


def absent() -> str:
    """Why it cannot be measured here; empty if it can."""
    if not _PROGRAM.exists() or shutil.which("epmd") is None:
        return "not installed: apt-get install --no-install-recommends rabbitmq-server"
    return ""


def measure(run: Run, given: Load) -> None:
    """Messages per second, for each kind of queue: into one, and into one for each recipient."""
    with _server() as (port, server):
        for kind in ("classic", "quorum"):
            for queues in (1, len(given.recipients)):
                exchange = f"{kind}-{queues}"
                names = [f"{exchange}-{number}" for number in range(queues)]
                server_is = load.asked(port, partial(_declared, exchange, kind, names))
                name = f"{NAME}, {queues} {kind} queue{'s' if queues > 1 else ''}"
                fire = partial(load.fire, port, greet, partial(publish, exchange))
                sent = given.measure(run, name, server, fire)
                kept = load.asked(port, partial(_counted, names))
                if set(kept) != {sent}:
                    raise RuntimeError(f"{name}: confirmed {sent}, kept {kept}")
        run.versions.append(server_is)


@contextmanager
def _server() -> Iterator[tuple[int, Running]]:
    with processes.folder(_USER) as home:
        port, names = processes.free_port(), processes.free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),  # its cookie
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(names),
            "RUNNING_UNDER_SYSTEMD": "1",  # no shell stays between
            "RABBITMQ_CONF_ENV_FILE": str(home / "none"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home / "logs"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_NODENAME": "bench@localhost",
            "RABBITMQ_DIST_PORT": str(processes.free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        (home / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n", "utf-8")
        (home / "plugins").write_text("[].\n", "utf-8")
        # Without one it would start one for the whole machine, and leave it.
        mapper = ["epmd", "-address", "127.0.0.1", "-port", str(names)]
        log = home / "log"
        with (
            processes.started(mapper, home / "epmd.log", user=_USER, environment=environment),
            processes.started([_PROGRAM], log, user=_USER, environment=environment) as process,
        ):
            processes.await_port(port, process, log)
            yield port, Running(f"amqp://127.0.0.1:{port}", process.pid)


async def _declared(exchange: str, kind: str, queues: list[str], talk: Talk) -> str:
    """Each of the queues gets what is sent to the exchange; gives which server it is."""
    start = await greet(talk)
    declared = _NONE + _short(exchange) + _short("fanout") + bytes([_DURABLE]) + _NO_TABLE
    await _called(talk, _EXCHANGE_DECLARE, declared, _EXCHANGE_DECLARE_OK)
    of_kind = _short("x-queue-type") + b"S" + _long(kind.encode())
    for queue in queues:
        declared = _NONE + _short(queue) + bytes([_DURABLE]) + _long(of_kind)
        await _called(talk, _QUEUE_DECLARE, declared, _QUEUE_DECLARE_OK)
        bound = _NONE + _short(queue) + _short(exchange) + _short("") + b"\0" + _NO_TABLE
        await _called(talk, _QUEUE_BIND, bound, _QUEUE_BIND_OK)
    return f"RabbitMQ {_property(start, b'version')} on {_property(start, b'platform')}"


async def _counted(queues: list[str], talk: Talk) -> list[int]:
    """How many messages each holds."""
    await greet(talk)
    found = []
    for queue in queues:
        asked = _NONE + _short(queue) + bytes([_PASSIVE]) + _NO_TABLE
        answer = await _called(talk, _QUEUE_DECLARE, asked, _QUEUE_DECLARE_OK)
        found.append(struct.unpack_from(">I", answer, 1 + len(queue))[0])
    return found


async def greet(talk: Talk) -> bytes:
    """Open a connection, and on it a channel that confirms; gives what the server says of itself."""
    start = _answer(await talk.ask(b"AMQP\x00\x00\x09\x01", _is_whole), _START)
    credentials = _long(b"\0guest\0guest")  # who is known from the start, on loopback only
    await _called(talk, _START_OK, _NO_TABLE + _short("PLAIN") + credentials + _short("en_US"), _TUNE, channel=0)
    tuned = _frame(1, 0, _method(_TUNE_OK, struct.pack(">HIH", 1, _FRAME, 0)))
    opened = _frame(1, 0, _method(_OPEN, _short("/") + _short("") + b"\0"))
    _answer(await talk.ask(tuned + opened, _is_whole), _OPEN_OK)
    await _called(talk, _CHANNEL_OPEN, _short(""), _CHANNEL_OPEN_OK)
    await _called(talk, _CONFIRM_SELECT, b"\0", _CONFIRM_SELECT_OK)
    return start


async def publish(exchange: str, talk: Talk, packet: bytes) -> None:
    """Raises RuntimeError when it is not confirmed."""
    room = _FRAME - _AROUND
    head = struct.pack(">HHQH", 60, 0, len(packet), _HAS_TYPE_AND_MODE) + _short("application/xml") + bytes([2])
    published = _method(_PUBLISH, _NONE + _short(exchange) + _short("") + b"\0")
    bodies = (_frame(3, 1, packet[start : start + room]) for start in range(0, len(packet), room))
    said = b"".join([_frame(1, 1, published), _frame(2, 1, head), *bodies])
    _answer(await talk.ask(said, _is_whole), _ACK)


async def _called(talk: Talk, method: _Name, arguments: bytes, expected: _Name, channel: int = 1) -> bytes:
    """The arguments of the answer."""
    return _answer(await talk.ask(_frame(1, channel, _method(method, arguments)), _is_whole), expected)


def _answer(heard: bytes, expected: _Name) -> bytes:
    """Raises RuntimeError for another method, as when the server closes the channel."""
    if heard[_HEAD : _HEAD + 4] != struct.pack(">HH", *expected):
        raise RuntimeError(f"RabbitMQ does not answer with {expected}: {heard!r}")
    return heard[_HEAD + 4 : -1]


def _is_whole(heard: bytes) -> bool:
    """A frame tells its length. No two answers are under way at once."""
    return len(heard) > _HEAD and len(heard) == _AROUND + struct.unpack_from(">I", heard, 3)[0]


def _frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def _method(name: _Name, arguments: bytes) -> bytes:
    return struct.pack(">HH", *name) + arguments


def _short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _long(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _property(start: bytes, name: bytes) -> str:
    """A text of the table that the server introduces itself with."""
    _, _, rest = start.partition(bytes([len(name)]) + name + b"S")
    return rest[4 : 4 + struct.unpack_from(">I", rest)[0]].decode()
