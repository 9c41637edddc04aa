"""What the machine can do at most: an endpoint that only reads and hashes, and commits of rows nobody checked.

The accept path cannot be quicker than either; beside its figure they tell a slow hub from a slow machine.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import uvicorn

_INLINE = 64 * 1024  # bytes; the hub's own default: larger packets lie in files
GROUP = 64  # packets in one commit at most, as in the hub


async def endpoint(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """An ASGI application that reads the body, hashes it and says so."""
    if scope["type"] != "http":
        return
    digest = hashlib.sha256()
    more = True
    while more:
        message = await receive()
        digest.update(message.get("body", b""))
        more = message.get("more_body", False)
    body = f'{{"sha256": "{digest.hexdigest()}"}}'.encode()
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def serve() -> None:
    """Serve the endpoint as the hub is served, and print its URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        config = uvicorn.Config(endpoint, http="httptools", lifespan="off", log_config=None, access_log=False)
        uvicorn.Server(config).run(sockets=[listening])


def commits(folder: Path, database_url: str, packets: Sequence[bytes], *, group: int, to: int, seconds: float) -> float:
    """Packets per second that one thread stores in groups, each a packet and ``to`` delivery rows, durably."""
    group, stored = min(group, GROUP), 0
    files = ThreadPoolExecutor(2)  # as many as the hub gives to large packets
    began = time.perf_counter()
    with files, _writing(folder, database_url) as write:
        while (now := time.perf_counter()) - began < seconds:
            ids = range(stored, stored + group)
            bodies = [packets[n % len(packets)] for n in ids]
            if len(bodies[0]) > _INLINE:
                paths = (folder / f"{n}.edxml" for n in ids)
                list(files.map(_store, paths, bodies))
                bodies = [b""] * group
            write(ids, bodies, to)
            stored += group
    return stored / (now - began)


def _store(path: Path, body: bytes) -> None:
    with open(path, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


_TABLES = (
    "CREATE TABLE bare_packet (id INTEGER PRIMARY KEY, body {bytes} NOT NULL)",
    "CREATE TABLE bare_delivery (id INTEGER PRIMARY KEY, packet_id INTEGER NOT NULL)",
)
_Write = Callable[[range, list[bytes], int], None]


@contextmanager
def _writing(folder: Path, database_url: str) -> Iterator[_Write]:
    """Writes one group in one transaction, on the engine that the hub uses and as durably."""
    connection: Any
    if database_url:
        connection, mark, kind = psycopg.connect(database_url), "%s", "bytea"
    else:
        connection, mark, kind = sqlite3.connect(folder / "bare.db"), "?", "BLOB"
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    def write(ids: range, bodies: list[bytes], to: int) -> None:
        cursor = connection.cursor()
        cursor.executemany(f"INSERT INTO bare_packet VALUES ({mark}, {mark})", list(zip(ids, bodies, strict=True)))
        rows = [(number * to + n, number) for number in ids for n in range(to)]
        cursor.executemany(f"INSERT INTO bare_delivery VALUES ({mark}, {mark})", rows)
        connection.commit()

    try:
        for table in _TABLES:
            connection.execute(table.format(bytes=kind))
        connection.commit()
        yield write
    finally:
        connection.close()


if __name__ == "__main__":
    serve()
