"""The log: written by a thread of its own, whole and in order, each line one JSON object, whoever wrote it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.commands import serving
from builders.wire import Wire

from hub.logs import Lines


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


# In a process of its own.


def read(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


def logged(program: str, code: int = 0) -> list[dict[str, Any]]:
    """The log of a program that ends with this code."""
    begin = "from hub.logs import log_as_json, log_at_once\nimport structlog\nlog_as_json()\n"
    ended = subprocess.run(
        [sys.executable, "-c", begin + program], capture_output=True, text=True, encoding="utf-8", check=False,
        env=os.environ | {"PYTHONUTF8": "1"},
    )  # fmt: skip
    assert ended.returncode == code, ended.stderr
    return read(ended.stderr)


ENDS = {
    "by itself": ('structlog.get_logger().info("đầu")\nstructlog.get_logger().info("cuối")', 0),
    "by a signal": (
        'import os\nstructlog.get_logger().info("đầu")\nlog_at_once()\nstructlog.get_logger().info("cuối")\n'
        "os.kill(os.getpid(), 9)",
        -9,
    ),
}


@pytest.mark.parametrize(("program", "code"), ENDS.values(), ids=ENDS)
def test_a_process_about_to_end_has_written_each_line(program: str, code: int) -> None:
    assert [line["event"] for line in logged(program, code)] == ["đầu", "cuối"]


FAULT = """
import logging
token = "bí mật"
try:
    raise RuntimeError("không gửi được")
except RuntimeError:
    logging.getLogger("uvicorn.error").exception("Exception in %s application\\n", "ASGI")
logging.getLogger("uvicorn.error").info("Started")
"""


def test_a_fault_the_server_logs_is_one_json_line_without_values() -> None:
    (line,) = logged(FAULT)
    assert (line["level"], line["logger"]) == ("error", "uvicorn.error")
    assert line["event"].strip() == "Exception in ASGI application"
    assert line["exception"][0]["exc_value"] == "không gửi được"
    assert "bí mật" not in json.dumps(line, ensure_ascii=False)


def test_what_is_no_http_is_logged_as_a_json_line_though_the_server_logs_it(tmp_path: Path) -> None:
    with serving(tmp_path) as hub:
        with Wire(hub.url) as wire:
            assert wire.say("Xin chào").hear().status == 400
        assert httpx.get(f"{hub.url}/healthz").status_code == 200
    told = {(line["level"], line["event"]) for line in read((tmp_path / "hub.log").read_text("utf-8"))}
    assert {("warning", "Invalid HTTP request received."), ("info", "request")} <= told
