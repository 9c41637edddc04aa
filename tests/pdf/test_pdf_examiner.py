"""The process that examines PDF files: its limits, its end and its replacement, and what it has not."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from builders.pdfs import asked, assembled, by_both, typeset, written

from hub.domain.trust import Verdict
from hub.pdf import Examination, Examiner, Limits, Unexamined
from hub.pdf.examination import examine
from hub.pdf.line import read_answer

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")

BOTH, ASKED = by_both(), asked()
SMALL = 120 << 20  # bytes of address space, of which the interpreter and its libraries take some 70 MB


def endless() -> bytes:
    """A cross-reference stream of a few kilobytes that stands for millions of entries."""
    entries = 20_000_000
    packed = zlib.compress(bytes(3 * entries), 9)
    head = b"%PDF-1.7\n"
    about = b"/Type /XRef /W [1 1 1] /Index [0 %d] /Size %d /Filter /FlateDecode" % (entries, entries)
    body = b"1 0 obj\n<< %b /Length %d >>\nstream\n%b" % (about, len(packed), packed)
    return head + body + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(head)


def with_examiner(work: Callable[[Examiner], Awaitable[Any]], limits: Limits | None = None) -> Any:
    async def run() -> Any:
        async with Examiner(limits) as examiner:
            return await work(examiner)

    return asyncio.run(run())


def children() -> list[int]:
    """The examining ones of this process, whichever of its threads started them."""
    tasks = Path("/proc/self/task").iterdir()
    pids = [pid for task in tasks for pid in (task / "children").read_text("ascii").split()]
    return [int(pid) for pid in pids if b"hub.pdf.confined" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def soon(condition: Callable[[], Any]) -> Any:
    while not (found := condition()):
        await asyncio.sleep(0.005)
    return found


def reason_of(found: Examination | Unexamined) -> str:
    assert isinstance(found, Unexamined)
    return found.reason


def test_the_process_says_what_the_function_says() -> None:
    pdfs = [BOTH, written(), b"", typeset(password="mat khau")]

    async def work(examiner: Examiner) -> list[Any]:
        return [await examiner.examine(pdf, ASKED) for pdf in pdfs]

    assert with_examiner(work) == [examine(pdf, ASKED) for pdf in pdfs]


def test_the_process_serves_an_event_loop_of_uvloop_too() -> None:
    async def run() -> Any:
        async with Examiner() as examiner:
            return await examiner.examine(BOTH, ASKED)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(run()).verdict is Verdict.VALID_NO_TIMESTAMP


def test_questions_at_once_are_answered_each_with_its_own() -> None:
    async def work(examiner: Examiner) -> list[Any]:
        return await asyncio.gather(*(examiner.examine(pdf, ASKED) for pdf in (BOTH, written(), b"")))

    both, unsigned, nothing = with_examiner(work)
    assert (len(both.signatures), len(unsigned.signatures), reason_of(nothing)) == (2, 0, "not a PDF")


@pytest.mark.parametrize(
    "limits",
    [Limits(seconds=0.5), Limits(seconds=60, cpu_seconds=1)],
    ids=["clock", "processor"],
)
def test_a_file_that_takes_too_long_is_given_up_and_the_next_is_examined(limits: Limits) -> None:
    async def work(examiner: Examiner) -> tuple[Any, Any]:
        return await examiner.examine(endless(), ASKED), await examiner.examine(written(), ASKED)

    first, second = with_examiner(work, limits)
    assert reason_of(first) == "time"
    assert second.verdict is Verdict.MISSING_LEADER


def test_processor_time_is_counted_for_each_file_anew() -> None:
    pdf = by_both(written(size=2_000_000))

    async def work(examiner: Examiner) -> list[int]:
        began, seen = time.process_time(), set[int]()
        while cpu_of(children()[0] if children() else 0) < 2.5 and time.process_time() - began < 60:
            assert isinstance(await examiner.examine(pdf, ASKED), Examination)
            seen.update(children())
        return sorted(seen)

    assert len(with_examiner(work, Limits(cpu_seconds=1))) == 1


def cpu_of(pid: int) -> float:
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("large", [b"%PDF-1.7\n" + bytes(SMALL), endless()], ids=["to-read", "to-examine"])
def test_a_file_that_takes_too_much_memory_is_given_up_and_the_next_is_examined(large: bytes) -> None:
    async def work(examiner: Examiner) -> tuple[Any, Any]:
        return await examiner.examine(large, ASKED), await examiner.examine(written(), ASKED)

    first, second = with_examiner(work, Limits(memory=SMALL))
    assert reason_of(first) == "memory"
    assert second.verdict is Verdict.MISSING_LEADER


def test_a_process_that_dies_spoils_one_file() -> None:
    async def work(examiner: Examiner) -> tuple[Any, Any]:
        question = asyncio.create_task(examiner.examine(endless(), ASKED))
        (pid,) = await soon(children)
        await soon(lambda: cpu_of(pid) > 1.0)  # it is at work
        os.kill(pid, signal.SIGSEGV)
        return await question, await examiner.examine(written(), ASKED)

    first, second = with_examiner(work)
    assert reason_of(first) == "crash"
    assert second.verdict is Verdict.MISSING_LEADER


def test_who_no_longer_waits_leaves_no_answer_to_the_next() -> None:
    async def work(examiner: Examiner) -> Any:
        question = asyncio.create_task(examiner.examine(endless(), ASKED))
        (pid,) = await soon(children)
        await soon(lambda: cpu_of(pid) > 1.0)
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question
        return await examiner.examine(BOTH, ASKED)

    assert len(with_examiner(work).signatures) == 2


def test_the_event_loop_goes_on_while_a_large_file_is_examined() -> None:
    pdf = by_both(written(size=40_000_000))

    async def work(examiner: Examiner) -> tuple[Any, float, float]:
        await examiner.examine(written(), ASKED)
        question = asyncio.create_task(examiner.examine(pdf, ASKED))
        longest = 0.0
        began = last = time.perf_counter()
        while not question.done():
            await asyncio.sleep(0.001)
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
        return await question, longest, last - began

    found, longest, all_of_it = with_examiner(work)
    assert found.verdict is Verdict.VALID_NO_TIMESTAMP
    assert longest < all_of_it / 2


def test_the_process_has_no_socket_but_its_line_and_gives_way_to_others() -> None:
    async def work(examiner: Examiner) -> tuple[list[str], int]:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.set_inheritable(True)
            await examiner.examine(written(), ASKED)
            (pid,) = children()
            links = [os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir()]
            return [one for one in links if one.startswith("socket:")], os.getpriority(os.PRIO_PROCESS, pid)

    sockets, priority = with_examiner(work)
    assert len(sockets) <= 1  # its input is one in some versions of Python
    assert priority == os.getpriority(os.PRIO_PROCESS, 0) + 10


def test_the_process_ends_with_its_examiner() -> None:
    async def work(examiner: Examiner) -> list[int]:
        await examiner.examine(written(), ASKED)
        return children()

    (pid,) = with_examiner(work)
    assert not Path(f"/proc/{pid}").exists()


def test_an_answer_can_name_nothing_but_findings() -> None:
    assert read_answer(pickle.dumps(examine(BOTH, ASKED))) == examine(BOTH, ASKED)
    for evil in (os.system, examine, by_both):
        with pytest.raises(pickle.UnpicklingError):
            read_answer(pickle.dumps(evil))


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

    async def work(examiner: Examiner) -> Any:
        return await examiner.examine(assembled(bodies), ASKED)

    assert reason_of(with_examiner(work)) == "unreadable"
