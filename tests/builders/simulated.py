"""A hub that misbehaves by order: served in this process with a clock of its own, or as a process that may die."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from builders.axis import START, Axis, Peer
from builders.commands import Hub, ended
from builders.gateway import a_client
from builders.served import Served, _Server

from clients.gateway_client import GatewayClient
from hub.app import create_app
from hub.settings import Settings
from hub.simulation.simulator import Simulator

_PATIENCE = 60.0  # seconds until a test that hangs fails
# Reading the authorities that nobody asks for takes longer than a request.
_PLAIN: dict[str, Any] = {"timeout": 30, "trust_env": False, "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}


@dataclass
class Control:
    """The control port, as a client of it."""

    url: str

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        with httpx.Client(base_url=self.url, **_PLAIN) as http:
            return http.request(method, path, json=body)

    def put(self, path: str, body: Any) -> Any:
        """An order that is taken, and what stands now."""
        answer = self.ask("PUT", path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def delete(self, path: str) -> Any:
        answer = self.ask("DELETE", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def counts(self) -> dict[str, int]:
        found: dict[str, int] = self.get("/")["injected"]
        return found


@dataclass
class Simulated(Served):
    """A served hub, and its control port."""

    control: Control

    def enrol(self, code: str, **terms: Any) -> Peer:
        peer = self.axis.enrol(code, **terms)
        self.axis.desk.rosters.current(now=True)
        return peer


@contextmanager
def a_simulated_hub(folder: Path, database_url: str = "", **changes: Any) -> Iterator[Simulated]:
    """The hub and its control port on free ports, in a thread; its clock stands at START."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as controlling:
        simulator = Simulator(controlling)
        simulator.clock.put(START, running=False)
        settings = Settings(data_dir=folder, database_url=database_url, checkers=0, **changes)
        app = create_app(settings, clock=simulator.clock, at=simulator.at, writing=simulator.writer)
        config = uvicorn.Config(
            simulator.around(app), http=simulator.http, ws="none", loop="asyncio", log_config=None, access_log=False,
            timeout_graceful_shutdown=2,
        )  # fmt: skip
        server = _Server(config)
        control = Control(f"http://127.0.0.1:{controlling.getsockname()[1]}")
        thread = threading.Thread(target=server.run_in_thread, args=(listener,), name="simulated-hub")
        thread.start()
        try:
            assert server.decided.wait(_PATIENCE), "the hub does not start"
            assert server.started, "the hub did not start"
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield Simulated(url, Axis(app.state.interface.desk, simulator.clock), control)  # type: ignore[arg-type]
        finally:
            server.should_exit = True
            thread.join(_PATIENCE)
            assert not thread.is_alive(), "the hub does not end"


Item = dict[str, Any]


@dataclass
class Rest:
    """An agency's software that speaks REST; every call has a connection of its own, and says how it was answered."""

    hub: Simulated
    peer: Peer
    marks: int = 0

    def request(self, method: str, path: str, content: bytes | None = None, mark: str = "") -> httpx.Response:
        """One request under a mark, or one that nobody has used."""
        self.marks += 1
        headers = {
            "Authorization": f"Bearer {self.peer.credentials['token']}",
            "X-Request-Id": mark or f"{self.peer.code}.{self.marks}",
        }
        with httpx.Client(base_url=self.hub.base_url, headers=headers, **_PLAIN) as http:
            return http.request(method, path, content=content)

    def send(self, packet: bytes, mark: str = "") -> str:
        """What became of it: ``sent``, or the code of its refusal."""
        answer = self.request("POST", "/v1/documents", packet, mark)
        return "sent" if answer.status_code in (200, 201) else str(answer.json()["code"])

    def report(self, packet: bytes) -> str:
        answer = self.request("POST", "/v1/statuses", packet)
        return "sent" if answer.status_code in (200, 201) else str(answer.json()["code"])

    def look(self, mark: str = "") -> list[Item]:
        items: list[Item] = self.request("GET", "/v1/inbox", mark=mark).json()["items"]
        return items

    def listed(self, *, statuses: bool = False) -> list[str]:
        return [item["id"] for item in self.look() if item["type"] == ("status" if statuses else "document")]

    def senders(self) -> list[str]:
        return [item["document"]["sender"] for item in self.look()]

    def fetch(self, delivery: str, mark: str = "") -> bytes | None:
        answer = self.request("GET", f"/v1/deliveries/{delivery}/packet", mark=mark)
        return answer.content if answer.status_code == 200 else None

    def done(self, delivery: str) -> bool:
        return self.request("POST", f"/v1/deliveries/{delivery}/done").status_code == 200


@dataclass
class Gateway:
    """The same in the gateway dialect; by ``downloadEdoc`` where ``downloads``."""

    hub: Simulated
    peer: Peer
    downloads: bool = False
    http: GatewayClient = field(init=False)

    def __post_init__(self) -> None:
        self.http = a_client(self.hub, self.peer)

    def send(self, packet: bytes, mark: str = "") -> str:
        answer = self.http.send_edoc(packet, sender=self.peer.code)
        return "sent" if answer.ok else answer.description.partition("]")[0].removeprefix("[")

    def report(self, packet: bytes) -> str:
        answer = self.http.send_edoc(packet, sender=self.peer.code, message_type="status")
        return "sent" if answer.ok else answer.description.partition("]")[0].removeprefix("[")

    def look(self, mark: str = "") -> list[Item]:
        return list(self.http.get_received_edoc_list("edoc").items)

    def listed(self, *, statuses: bool = False) -> list[str]:
        return [item["docId"] for item in self.http.get_received_edoc_list("status" if statuses else "edoc").items]

    def senders(self) -> list[str]:
        return [item["from"] for item in self.look()]

    def fetch(self, delivery: str, mark: str = "") -> bytes | None:
        if self.downloads:
            answer = self.http.ask("downloadEdoc", {"docId": delivery})
            return answer.content if answer.status_code == 200 else None
        answer = self.http.get_edoc(delivery)
        return answer.packet if answer.ok else None

    def done(self, delivery: str) -> bool:
        return self.http.update_status(delivery, "done").ok


Software = Rest | Gateway
DIALECTS = ("rest", "gateway")


def software(hub: Simulated, peer: Peer, dialect: str) -> Software:
    return Rest(hub, peer) if dialect == "rest" else Gateway(hub, peer)


@contextmanager
def a_simulated_process(folder: Path, *words: str) -> Iterator[tuple[Hub, Control, subprocess.Popen[str]]]:
    """`hub serve --simulation-port 0` as a process of its own."""
    with open(folder / "hub.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "serve", "--port", "0", "--simulation-port", "0", "--data-dir", str(folder),
             *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
            env=os.environ | {"PYTHONUTF8": "1"},
        )  # fmt: skip
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        told, _, control = process.stdout.readline().strip().partition(" ")
        assert told == "simulation", (folder / "hub.log").read_text("utf-8")
        yield Hub(url, folder, process.pid), Control(control), process
    finally:
        process.terminate()
        ended(process)


def was_killed(process: subprocess.Popen[str]) -> bool:
    return process.wait(_PATIENCE) == -signal.SIGKILL
