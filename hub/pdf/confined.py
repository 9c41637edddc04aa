"""The process that opens packets and examines the PDF files in them for the hub: it takes questions from its line and
answers them in order.

It holds neither key nor database nor any other socket, and gives way to the processes that serve. Its memory is bounded
once, its processor time for each question; the hub bounds the time on the clock and ends it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import pickle
import resource
import signal
import socket
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO

from cryptography import x509

from hub.domain import edxml
from hub.domain.trust import Validation, Verdict, validate
from hub.pdf.examination import HEADER_WITHIN, examine
from hub.pdf.findings import UNEXAMINED, Asked, Examination, Signer, Unexamined, as_plain, unexamined
from hub.pdf.line import LENGTHS, NO_MEMORY, READY, answer
from hub.runtime import spare_what_stays

_NICE = 10
_MOST_TOLD = 64 * 1024  # bytes of one file's detail; one with ten signatures has 30,000


def main(memory: int, seconds: int) -> None:
    """``memory``: bytes of address space; ``seconds`` of processor time for each question."""
    for meant_for_the_hub in (signal.SIGINT, signal.SIGTERM):  # whose end closes the line
        signal.signal(meant_for_the_hub, signal.SIG_IGN)
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    logging.disable()  # the library tells of every flaw of a file
    spare_what_stays()
    line = socket.socket(fileno=0)
    line.sendall(READY)
    try:
        with line.makefile("rb") as questions:
            _answer_questions(questions, line, seconds)
    except MemoryError:
        os._exit(NO_MEMORY)  # what the file took is given back, and nothing is left half-way


def _answer_questions(questions: BinaryIO, line: socket.socket, seconds: int) -> None:
    bench = _Bench()
    while head := questions.read(LENGTHS.size):
        asked, octets = (questions.read(length) for length in LENGTHS.unpack(head))
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, most))
        verb, *arguments = pickle.loads(asked)  # noqa: S301  (from the hub)
        if verb == "know":
            bench.grounds = arguments[0]
            continue
        told = bench.open(octets, *arguments) if verb == "open" else bench.examine(*arguments)
        line.sendall(told)


class _Bench:
    """What lies before the process: what to judge on, and the PDF files of the packet that was opened last."""

    def __init__(self) -> None:
        self.grounds: Asked | None = None
        self._files: dict[int, bytes] = {}

    def open(self, packet: bytes, limits: edxml.Limits, signer: Signer | None) -> bytes:
        self._files = {}
        try:
            attachments = edxml.read_document(edxml.parse(packet, limits), limits).attachments
        except MemoryError:
            raise
        except Exception:  # what was accepted once may be refused by other limits, or be damaged where it lies
            return answer(None, {})
        files = []
        for part, file in enumerate(attachments, 1):
            is_pdf = b"%PDF-" in file.content[:HEADER_WITHIN]
            if is_pdf:
                self._files[part] = file.content
            if is_pdf or file.name.casefold().endswith(".pdf"):
                files.append([part, file.name, file.sha256, is_pdf])
        material: dict[str, bytes] = {}
        said = {"files": files, "signer": signer and self._judged(signer, material)}
        return answer(said, material)

    def examine(self, part: int, received: datetime, agency: str, names: tuple[str, ...]) -> bytes:
        asked = replace(self._grounds, received=received, agency=agency, names=names)
        material: dict[str, bytes] = {}
        return answer(_report(examine(self._files[part], asked), material), material)

    def _judged(self, signer: Signer, material: dict[str, bytes]) -> dict[str, Any]:
        asked = self._grounds
        anchors, intermediates = (
            [x509.load_der_x509_certificate(der) for der in ders] for ders in (asked.anchors, asked.intermediates)
        )
        certificate = x509.load_der_x509_certificate(signer.certificate)
        found = validate(
            certificate, signer.at, anchors=anchors, intermediates=intermediates, revocation=asked.revocation,
            agency=signer.names,
        )  # fmt: skip
        return _report(found, material)

    @property
    def _grounds(self) -> Asked:
        if self.grounds is None:
            raise RuntimeError("nothing to judge on")
        return self.grounds


def _report(found: Examination | Unexamined | Validation, material: dict[str, bytes]) -> dict[str, Any]:
    named: dict[str, bytes] = {}

    def keep(octets: bytes) -> str:
        name = hashlib.sha256(octets).hexdigest()
        named[name] = octets
        return name

    detail = as_plain(found, keep)
    verdict: Verdict | str = UNEXAMINED if isinstance(found, Unexamined) else found.verdict
    if len(json.dumps(detail)) > _MOST_TOLD:
        return _report(unexamined("too much"), material)
    material |= named
    return {"verdict": verdict, "detail": detail, "names": list(named)}
