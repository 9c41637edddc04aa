"""Where and with what was measured: a figure without its machine says nothing."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path

import psycopg

_PACKAGES = ("lienthong", "uvicorn", "httptools", "uvloop", "fastapi", "sqlalchemy", "lxml", "cryptography")
_SYNCS = 200


def hardware() -> str:
    """Processor, cores, memory and system."""
    info = Path("/proc/cpuinfo").read_text("utf-8")
    model = next((line.partition(": ")[2] for line in info.splitlines() if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def sync_time(folder: Path) -> str:
    """How long the folder's disk takes to make 4 KiB durable: no commit is quicker."""
    taken = []
    with open(folder / "sync", "wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return f"fsync of 4 KiB {statistics.median(taken):.2f} ms (worst of {_SYNCS}: {max(taken):.2f})"


def versions(database_url: str) -> str:
    """Of the interpreter, the database and what the accept path runs through."""
    found = [f"Python {sys.version.split()[0]}", _database(database_url)]
    return ", ".join([*found, *(f"{name} {version(name)}" for name in _PACKAGES)])


def _database(url: str) -> str:
    if not url:
        return f"SQLite {sqlite3.sqlite_version}"
    with psycopg.connect(url) as connection:
        return f"PostgreSQL {connection.info.parameter_status('server_version')}"
