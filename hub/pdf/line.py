"""What travels between the hub and the process that examines; it loads no PDF library into the hub.

A question is a pickle and, beside it, the octets of a packet. An answer is JSON and, beside it, certificates, CRLs and
OCSP answers: whatever a file might make of the process, its answers can be nothing else.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from hub.domain.trust import Verdict
from hub.pdf.findings import UNEXAMINED, Report

LENGTHS = struct.Struct("!QQ")  # of the two parts of a message
READY = b"ready"
NO_MEMORY = 12  # exit status
_MOST_SAID = 64 << 20  # bytes of an answer
_VERDICTS = {*map(str, Verdict), UNEXAMINED}


def message(text: bytes, *, beside: int) -> bytes:
    """The first part of a message; ``beside``: bytes of the second, which follows uncopied."""
    return LENGTHS.pack(len(text), beside) + text


def answer(said: Any, material: Mapping[str, bytes]) -> bytes:
    """An answer as it travels."""
    told = {"said": said, "material": [len(octets) for octets in material.values()]}
    octets = b"".join(material.values())
    return message(json.dumps(told, ensure_ascii=False).encode(), beside=len(octets)) + octets


class Answer(NamedTuple):
    """``material`` by the SHA-256 that it has, whatever was said of it."""

    said: Any
    material: dict[str, bytes]

    def report(self, said: Any) -> Report:
        """A part of what was said as a report, with the material that it names. Raises ValueError for what is none."""
        if not isinstance(said["detail"], dict) or said["verdict"] not in _VERDICTS:
            raise ValueError("no report")
        return Report(said["verdict"], said["detail"], {name: self.material[name] for name in said["names"]})


def read_answer(text: bytes, octets: bytes) -> Answer:
    """Raises ValueError, TypeError, KeyError for what is no answer."""
    told = json.loads(text)
    found, start = {}, 0
    for length in told["material"]:
        der = octets[start : start + length]
        found[hashlib.sha256(der).hexdigest()] = der
        start += length
    return Answer(told["said"], found)


def heard(line: socket.socket, until: float) -> Answer:
    """The next answer, before ``until`` on the monotonic clock.

    Raises TimeoutError, EOFError, ConnectionError, and what ``read_answer`` does.
    """
    text, octets = LENGTHS.unpack(received(line, LENGTHS.size, until))
    if text + octets > _MOST_SAID:
        raise ValueError("too long an answer")
    return read_answer(received(line, text, until), received(line, octets, until))


def received(line: socket.socket, length: int, until: float) -> bytes:
    """So many bytes. Raises as :func:`heard`."""
    found = bytearray(length)
    rest = memoryview(found)
    while rest:
        line.settimeout(max(until - time.monotonic(), 0.001))
        count = line.recv_into(rest)
        if not count:
            raise EOFError
        rest = rest[count:]
    return bytes(found)
