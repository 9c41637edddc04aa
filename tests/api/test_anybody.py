"""What strangers may ask keeps nobody waiting who exchanges documents."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from builders.served import Served, a_served_hub
from sqlalchemy import event

from hub.api import anybody

_PATIENCE = 30.0  # seconds until a test that hangs fails
WAITING = 20
TILE = "/log/tile/0/000.p/1"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Served]:
    with a_served_hub(tmp_path) as served:
        yield served


@contextmanager
def slow_tiles(hub: Served) -> Iterator[threading.Event]:
    """Whoever reads a tile waits in the database until this is set."""
    go = threading.Event()

    def hold(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM log_tile" in statement:
            go.wait(_PATIENCE)

    event.listen(hub.axis.desk.engine, "before_cursor_execute", hold)
    try:
        yield go
    finally:
        go.set()
        event.remove(hub.axis.desk.engine, "before_cursor_execute", hold)


def answered(line: socket.socket) -> httpx.Response:
    """The answer to a request that asked for the connection's end."""
    head, _, body = b"".join(iter(lambda: line.recv(65536), b"")).partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    headers = [(name, value) for name, _, value in (field.partition(": ") for field in fields)]
    return httpx.Response(int(status.split()[1]), headers=headers, content=body)


def test_a_flood_of_tiles_leaves_agencies_answered_and_sends_the_surplus_away(
    hub: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiles were read by the same four threads as everything else: whoever loaded them held up all agencies."""
    monkeypatch.setattr(anybody, "WAITING", WAITING)
    office, province = hub.axis.enrol("G22"), hub.axis.enrol("H41")
    sent = office.send("H41")
    hub.axis.integrate()
    place = urlsplit(hub.base_url)
    surplus = 5
    with ExitStack() as open_, slow_tiles(hub) as go:
        lines = []
        for _ in range(1 + WAITING + surplus):
            line = open_.enter_context(socket.create_connection((place.hostname, place.port), _PATIENCE))
            line.sendall(f"GET {TILE} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n".encode())
            lines.append(line)
        refused = []
        while len(refused) < surplus:
            ready = [line for line in lines if _is_answered(line)]
            refused += [answered(line) for line in ready]
            lines = [line for line in lines if line not in ready]
        assert [(each.status_code, each.json()["code"]) for each in refused] == [(503, "busy")] * surplus
        assert all(int(each.headers["retry-after"]) > 0 for each in refused)
        for peer, path in ((province, "/v1/inbox"), (office, f"/v1/documents/{sent['id']}"), (office, "/v1/agencies")):
            headers = {"Authorization": f"Bearer {peer.credentials['token']}"}
            answer = httpx.get(hub.base_url + path, headers=headers, timeout=_PATIENCE)
            assert answer.status_code == 200, answer.text
        assert not go.is_set()
        go.set()
        tiles = [answered(line) for line in lines]
    assert {(tile.status_code, len(tile.content)) for tile in tiles} == {(200, 32)}
    assert len(tiles) == 1 + WAITING


def _is_answered(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return bool(line.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        line.settimeout(_PATIENCE)
