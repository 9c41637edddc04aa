"""The process that examines PDF files: its limits, its end and its replacement, and what it has not."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from builders.judged import AT, the_authority
from builders.packets import a_document
from builders.pdfs import asked, assembled, by_both, endless, examined_by, typeset, written
from cryptography.hazmat.primitives.serialization import Encoding

from hub.domain import edxml
from hub.domain.trust import Verdict
from hub.pdf import Examiner, Limits, Opened, Report, Signer, Unexamined
from hub.pdf.examination import examine
from hub.pdf.examiner import ClosedError
from hub.pdf.findings import as_plain
from hub.pdf.line import answer, read_answer

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")

BOTH, ASKED = by_both(), asked()
SMALL = 130 << 20  # bytes of address space, of which the interpreter and its libraries take some 80 MB


def all_children() -> set[int]:
    """The examining ones of this process, whichever of its threads started them."""
    tasks = Path("/proc/self/task").iterdir()
    pids = [pid for task in tasks for pid in (task / "children").read_text("ascii").split()]
    found = set()
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended between the two looks
            if b"hub.pdf.confined" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(int(pid))
    return found


class One(Examiner):
    """An examiner whose processes are known from those of others."""

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__(limits)
        self._others = all_children()

    def of(self, pdf: bytes) -> Report:
        return examined_by(self, pdf, ASKED)

    def children(self) -> list[int]:
        return sorted(all_children() - self._others)


def soon(condition: Callable[[], Any]) -> Any:
    until = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < until
    return found


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def at_work(examiner: One, pdf: bytes) -> Iterator[tuple[int, Any]]:
    """While a file is examined: the process, and what will be found."""
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(examiner.of, pdf)
        (pid,) = soon(examiner.children)
        soon(lambda: cpu_of(pid) > 1.5)  # of which half a second is its start
        yield pid, found


def sha256(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def test_the_process_says_what_the_function_says_and_brings_what_it_names() -> None:
    with One() as examiner:
        for pdf in (BOTH, written(), b"", typeset(password="mat khau")):
            found, meant = examiner.of(pdf), examine(pdf, ASKED)
            named: dict[str, bytes] = {}

            def keep(octets: bytes) -> str:
                named[sha256(octets)] = octets  # noqa: B023  (called before the loop goes on)
                return sha256(octets)

            assert found.detail == as_plain(meant, keep)
            assert found.verdict == getattr(meant, "verdict", "UNEXAMINED")
            assert found.material == named


def test_a_packet_s_certificate_is_judged_by_the_domain_s_own_steps() -> None:
    der = the_authority().agency.certificate.public_bytes(Encoding.DER)
    packet = edxml.write_document(a_document())
    with One() as examiner:
        examiner.know(ASKED)
        opened = examiner.open(packet, edxml.DEFAULT_LIMITS, Signer(der, AT, ASKED.names))
        assert isinstance(opened, Opened)
        assert opened.signer is not None
        assert opened.signer.verdict == Verdict.VALID_NO_TIMESTAMP
        assert [step["number"] for step in opened.signer.detail["steps"]] == list(range(1, 9))
        assert opened.signer.detail["path"][0] == sha256(der)
        assert isinstance(examiner.open(b"<edXML", edxml.DEFAULT_LIMITS), Unexamined)


@pytest.mark.parametrize(
    "limits",
    [Limits(seconds=0.5), Limits(seconds=60, cpu_seconds=1, packet_seconds=60)],
    ids=["clock", "processor"],
)
def test_a_file_that_takes_too_long_is_given_up_and_the_next_is_examined(limits: Limits) -> None:
    with One(limits) as examiner:
        assert examiner.of(endless()).detail["reason"] == "time"
        assert examiner.of(written()).verdict == Verdict.MISSING_LEADER


def test_processor_time_is_counted_for_each_file_anew() -> None:
    pdf = by_both(written(size=2_000_000))
    with One(Limits(cpu_seconds=1)) as examiner:
        assert examiner.of(pdf).verdict != "UNEXAMINED"
        (pid,) = examiner.children()
        while cpu_of(pid) < 3:
            assert examiner.of(pdf).verdict != "UNEXAMINED"
        assert examiner.children() == [pid]


@pytest.mark.parametrize("large", [b"%PDF-1.7\n" + bytes(SMALL), endless()], ids=["to-read", "to-examine"])
def test_a_file_that_takes_too_much_memory_is_given_up_and_the_next_is_examined(large: bytes) -> None:
    with One(Limits(memory=SMALL)) as examiner:
        assert examiner.of(large).detail["reason"] in ("memory", "packet")
        assert examiner.of(written()).verdict == Verdict.MISSING_LEADER


def test_a_process_that_dies_spoils_one_file() -> None:
    with One() as examiner:
        with at_work(examiner, endless()) as (pid, found):
            os.kill(pid, signal.SIGSEGV)
        assert found.result().detail["reason"] == "crash"
        assert examiner.of(written()).verdict == Verdict.MISSING_LEADER


def test_a_process_that_is_killed_from_outside_is_asked_once_more() -> None:
    """The system kills for want of memory, whoever took it."""
    with One(Limits(cpu_seconds=6)) as examiner:
        with at_work(examiner, endless()) as (pid, found):
            os.kill(pid, signal.SIGKILL)
        assert found.result().detail["reason"] == "time", "the second try met its own limit"
        with at_work(examiner, endless()) as (pid, found):
            os.kill(pid, signal.SIGKILL)
            (other,) = soon(lambda: [one for one in examiner.children() if one != pid])
            soon(lambda: cpu_of(other) > 1.5)
            os.kill(other, signal.SIGKILL)
        assert found.result().detail["reason"] == "memory"


def test_a_file_is_examined_by_the_next_process_without_being_sent_by_the_caller_again() -> None:
    with One(Limits(seconds=5)) as examiner:
        assert examiner.of(BOTH).verdict == Verdict.VALID_NO_TIMESTAMP
        (pid,) = examiner.children()
        os.kill(pid, signal.SIGKILL)
        again = examiner.examine(1, ASKED.received, ASKED.agency, ASKED.names)
        assert again.verdict == Verdict.VALID_NO_TIMESTAMP


def test_who_waits_is_told_when_the_examiner_is_closed_and_finds_out_nothing() -> None:
    with One() as examiner:
        with at_work(examiner, endless()) as (pid, found):
            examiner.close()
        assert isinstance(found.exception(), ClosedError)
        assert not Path(f"/proc/{pid}").exists()
        with pytest.raises(ClosedError):
            examiner.of(BOTH)


def test_other_threads_go_on_while_a_large_file_is_examined() -> None:
    pdf = by_both(written(size=40_000_000))
    longest, done = 0.0, threading.Event()

    def look() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not done.wait(0.001):
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()

    with One() as examiner, ThreadPoolExecutor(1) as pool:
        packet_of = examiner.of(written())
        assert packet_of.verdict == Verdict.MISSING_LEADER
        looking = pool.submit(look)
        began = time.perf_counter()
        assert examiner.of(pdf).verdict == Verdict.VALID_NO_TIMESTAMP
        all_of_it = time.perf_counter() - began
        done.set()
        looking.result()
    assert longest < all_of_it / 2


def test_the_process_has_no_socket_but_its_line_and_gives_way_to_others() -> None:
    with One() as examiner, socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        examiner.of(written())
        (pid,) = examiner.children()
        links = [os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir()]
        assert len([one for one in links if one.startswith("socket:")]) == 1
        assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + 10


def test_the_process_ends_with_its_examiner() -> None:
    with One() as examiner:
        examiner.of(written())
        (pid,) = examiner.children()
    assert not Path(f"/proc/{pid}").exists()


def test_an_answer_is_json_and_octets_and_what_it_names_has_that_digest() -> None:
    said = {"verdict": "VALID", "detail": {}, "names": [sha256(b"der")]}
    sent = answer(said, {"whatever it is called": b"der"})[16:]
    text, octets = sent[:-3], sent[-3:]
    found = read_answer(text, octets)
    assert found.report(found.said).material == {sha256(b"der"): b"der"}
    for wrong in ({"names": ["0" * 64]}, {"verdict": "FINE"}, {"detail": "<script>"}):
        with pytest.raises((ValueError, KeyError)):
            found.report(said | wrong)
    for nonsense in (b"\x80\x04N.", b"[]", b"{}", json.dumps({"said": 1, "material": ["a"]}).encode()):
        with pytest.raises((ValueError, KeyError, TypeError)):
            read_answer(nonsense, b"")


def test_the_hub_loads_no_pdf_library() -> None:
    code = "import sys, hub.pdf; print([name for name in sys.modules if name.startswith(('pyhanko', 'asn1crypto'))])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_zip_bomb_in_the_part_that_signatures_hang_on_is_given_up() -> None:
    packed = zlib.compress(zlib.compress(bytes(300_000_000), 9), 9)
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R /DSS << /CRLs [3 0 R] >> >>",
        b"<< /Type /Pages /Kids [] /Count 0 >>",
        b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%b\nendstream" % (len(packed), packed),
    ]
    with One() as examiner:
        assert examiner.of(assembled(bodies)).detail["reason"] == "unreadable"
