"""A process that checks packets for the hub: it takes questions from a socket and answers them in order.

A question is a function of the project and its arguments. The roster is sent once, before the first question that needs
it, and stands in for :class:`Known`.
"""

from __future__ import annotations

import pickle
import signal
import socket
import traceback
from typing import Any

from hub.errors import Refusal
from hub.store.roster import Roster

LENGTH = 8  # bytes before each message
READY = b"!"  # what a checker says first


class Known:
    """Stands in a question for the roster that was sent before it."""


def message(content: object) -> bytes:
    """What travels: a length and a pickle."""
    text = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return len(text).to_bytes(LENGTH) + text


def answer_questions(hub: socket.socket) -> None:
    """Until the hub closes its end, which it does by dying too."""
    roster: Roster | None = None
    hub.sendall(READY)
    with hub.makefile("rb") as questions:
        while head := questions.read(LENGTH):
            question = pickle.loads(questions.read(int.from_bytes(head)))  # noqa: S301  (the hub's own)
            if isinstance(question, Roster):
                roster = question
                continue
            function, arguments = question
            hub.sendall(message(_answer(function, [roster if one is Known else one for one in arguments])))


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
    answer_questions(socket.socket(fileno=descriptor))
