"""The process that examines PDF files for the hub: it takes questions from its input and answers them in order.

It holds neither key nor database nor socket, and gives way to the processes that serve. Its memory is bounded once,
its processor time for each question; the hub bounds the time on the clock and ends it.
"""

from __future__ import annotations

import logging
import os
import pickle
import resource
import signal
import sys
from typing import BinaryIO

from hub.runtime import spare_what_stays
from hub.pdf.examination import examine
from hub.pdf.line import LENGTH, LENGTHS, NO_MEMORY

_NICE = 10


def main(memory: int, seconds: int) -> None:
    """``memory``: bytes of address space; ``seconds`` of processor time for each question."""
    for meant_for_the_hub in (signal.SIGINT, signal.SIGTERM):  # whose end closes the input
        signal.signal(meant_for_the_hub, signal.SIG_IGN)
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    logging.disable()  # the library tells of every flaw of a file
    spare_what_stays()
    try:
        _answer_questions(sys.stdin.buffer, sys.stdout.buffer, seconds)
    except MemoryError:
        os._exit(NO_MEMORY)  # what the file took is given back, and nothing is left half-way


def _answer_questions(questions: BinaryIO, answers: BinaryIO, seconds: int) -> None:
    answers.write(LENGTH.pack(0))  # ready
    answers.flush()
    while head := questions.read(LENGTHS.size):
        asked, pdf = (questions.read(length) for length in LENGTHS.unpack(head))
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, most))
        found = examine(pdf, pickle.loads(asked))  # noqa: S301  (from the hub)
        octets = pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
        del asked, pdf, found
        answers.write(LENGTH.pack(len(octets)) + octets)
        answers.flush()
