"""The log as an operator's collector reads it: each line on standard error is one JSON object, whoever wrote it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

_PATIENCE = 60  # seconds


def lines(log: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.decode().splitlines()]


def test_what_is_no_http_is_logged_as_a_json_line_though_the_server_logs_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", "serve", "--port", "0", "--data-dir", str(tmp_path)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), _PATIENCE) as wire:
            wire.sendall("Xin chào\r\n\r\n".encode())
            assert wire.recv(65536).startswith(b"HTTP/1.1 400 ")
        assert httpx.get(f"{url}/healthz").status_code == 200
    finally:
        process.terminate()
        _, log = process.communicate(timeout=_PATIENCE)
    told = {(line["level"], line["event"]) for line in lines(log)}
    assert {("warning", "Invalid HTTP request received."), ("info", "request")} <= told


FAULT = """
import logging
from hub.logs import log_as_json
log_as_json()
token = "bí mật"
try:
    raise RuntimeError("không gửi được")
except RuntimeError:
    logging.getLogger("uvicorn.error").exception("Exception in %s application\\n", "ASGI")
logging.getLogger("uvicorn.error").info("Started")
"""


def test_a_fault_the_server_logs_is_one_json_line_without_values() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FAULT], capture_output=True, check=True, env=os.environ | {"PYTHONUTF8": "1"}
    )
    (line,) = lines(ended.stderr)
    assert (line["level"], line["logger"]) == ("error", "uvicorn.error")
    assert line["event"].strip() == "Exception in ASGI application"
    assert line["exception"][0]["exc_value"] == "không gửi được"
    assert "bí mật" not in ended.stderr.decode()
