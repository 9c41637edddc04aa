"""A process that checks packets for the hub: it takes questions from a socket and answers them in order.

A question is a function of the project and its arguments. The roster is sent once, before the first question that needs
it, and stands in for :class:`Known`.
"""

from __future__ import annotations

import pickle
import signal
import socket
import struct
import traceback
from typing import Any

from hub.errors import Refusal
from hub.runtime import spare_what_stays
from hub.store.roster import Roster

_LENGTHS = struct.Struct("!QQ")  # of a message's two parts
HEAD = _LENGTHS.size  # bytes before each message


class Known:
    """Stands in a question for the roster that was sent before it."""


def message(said: object) -> tuple[bytes | memoryview, ...]:
    """What travels: lengths, a pickle, and beside it, uncopied, the packet that the pickle names by a buffer."""
    packets: list[pickle.PickleBuffer] = []
    text = pickle.dumps(said, pickle.HIGHEST_PROTOCOL, buffer_callback=packets.append)
    beside = [packet.raw() for packet in packets]
    return _LENGTHS.pack(len(text), sum(map(len, beside))) + text, *beside


def lengths(head: bytes | bytearray) -> tuple[int, int]:
    """Of the two parts of the message behind these ``HEAD`` bytes."""
    return _LENGTHS.unpack(head)


def content(text: bytes, packet: bytes) -> Any:
    """What a message says."""
    return pickle.loads(text, buffers=[packet])  # noqa: S301  (between the hub and its own process)


def answer_questions(hub: socket.socket) -> None:
    """Until the hub closes its end, which it does by dying too."""
    roster: Roster | None = None
    hub.sendall(b"".join(message(None)))  # ready
    with hub.makefile("rb") as questions:
        while head := questions.read(HEAD):
            text, packet = lengths(head)
            question = content(questions.read(text), questions.read(packet))
            if isinstance(question, Roster):
                roster = question
                continue
            function, arguments = question
            answer = _answer(function, [roster if one is Known else one for one in arguments])
            hub.sendall(b"".join(message(answer)))


def _answer(function: Any, arguments: list[Any]) -> tuple[Any, Exception | None]:
    try:
        return function(*arguments), None
    except Refusal as refusal:
        return None, refusal
    except Exception:  # told as text: not every exception can be sent
        return None, RuntimeError(traceback.format_exc())


def main(descriptor: int) -> None:
    """The process; ``descriptor`` is its socket to the hub."""
    for meant_for_the_hub in (signal.SIGINT, signal.SIGTERM):  # which first answers what it has
        signal.signal(meant_for_the_hub, signal.SIG_IGN)
    spare_what_stays()
    answer_questions(socket.socket(fileno=descriptor))
