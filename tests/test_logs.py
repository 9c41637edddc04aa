"""The log is written by a thread of its own, whole and in order."""

from __future__ import annotations

import io
import subprocess
import sys
import threading

from hub.logs import Lines

KILLED = """
import os, signal
from hub.logs import log_as_json, log_at_once
import structlog
log_as_json()
structlog.get_logger().info("đầu")
log_at_once()
structlog.get_logger().info("cuối")
os.kill(os.getpid(), signal.SIGKILL)
"""


class Told(io.StringIO):
    """A stream that says when something was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def flush(self) -> None:
        self.written.set()


def test_a_line_is_written_soon_without_anybody_asking() -> None:
    told = Told()
    Lines(told).write("Đã nhận\n")
    assert told.written.wait(30)
    assert told.getvalue() == "Đã nhận\n"


def test_lines_of_many_threads_come_whole_and_each_threads_in_order() -> None:
    told = Told()
    lines = Lines(told)

    def write(thread: int) -> None:
        for number in range(500):
            lines.write(f"{thread} {number}\n")

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines.at_once()
    found = [tuple(map(int, line.split())) for line in told.getvalue().splitlines()]
    assert sorted(found) == [(thread, number) for thread in range(4) for number in range(500)]
    assert all([n for t, n in found if t == thread] == list(range(500)) for thread in range(4))


def test_a_process_about_to_end_by_a_signal_has_written_each_line() -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, check=False)
    assert ended.returncode == -9
    assert ["đầu" in ended.stderr, "cuối" in ended.stderr] == [True, True]


def test_a_process_that_ends_by_itself_has_written_what_waited() -> None:
    program = "from hub.logs import log_as_json; log_as_json(); import structlog; structlog.get_logger().info('xong')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "xong" in ended.stderr
