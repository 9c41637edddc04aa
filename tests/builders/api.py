"""A hub behind its REST API, and agencies that call it: the ASGI application with its lifespan, in a loop of its own.

Tests are plain functions: every call waits for its answer, and ``later`` starts one that may wait. Every answer of 400
and above is checked here to be a problem of the catalogue, and every answer to be described, so no test can meet
another one unseen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from builders.axis import Axis, Clock, Peer
from builders.described import undescribed
from builders.packets import a_status
from fastapi import FastAPI
from sqlalchemy import Table, func, select

from hub.app import At, create_app, no_step
from hub.domain import edxml
from hub.domain.document import Document, DocumentRef, Organization
from hub.domain.signature import sign
from hub.errors import PROBLEMS
from hub.http.interface import Interface
from hub.settings import Settings
from hub.store import tables as t
from hub.store.engine import reading

UNKNOWN = "0123456789abcdef01234567"  # an id as the hub makes them, and that it never made
NINE = "2025-10-01T09:00:00.000+07:00"  # START, as REST writes it
# Everything but what was refused.
STORED = (t.document, t.packet, t.delivery, t.event, t.outbox, t.report, t.request, t.link, t.evidence)


@dataclass
class Hub:
    """The application, the exchange behind it and a client to it."""

    app: FastAPI
    axis: Axis
    face: Interface
    portal: BlockingPortal
    http: httpx.AsyncClient

    def ask(self, method: str, path: str, token: str = "", **request: Any) -> httpx.Response:
        """One request and its answer; ``token`` goes into the Authorization header."""
        return self.later(method, path, token, **request).result(30)

    def later(self, method: str, path: str, token: str = "", **request: Any) -> Future[httpx.Response]:
        """The same without waiting for the answer."""
        headers = ({"Authorization": f"Bearer {token}"} if token else {}) | request.pop("headers", {})

        async def send() -> httpx.Response:
            answer = await self.http.request(method, path, headers=headers, **request)
            if answer.status_code >= 400 and path != "/readyz":
                problem(answer)
            beyond = undescribed(self.app, answer)
            assert not beyond, beyond
            return answer

        return self.portal.start_task_soon(send)

    def turn(self) -> None:
        """Let the event loop run whatever is ready."""
        self.portal.call(asyncio.sleep, 0)

    def waits(self, agency: Agency, polls: int) -> None:
        """Returns once so many polls of the agency wait."""
        deadline = time.monotonic() + 30
        while self.face.bell.waiting(agency.peer.system_id) != polls:
            assert time.monotonic() < deadline, f"{self.face.bell.waiting(agency.peer.system_id)} polls wait"
            self.turn()

    def enrol(self, code: str, name: str = "", **terms: Any) -> Agency:
        return Agency(self, self.axis.enrol(code, name, **terms))

    def rows(self, table: Table) -> list[Any]:
        with reading(self.axis.desk.engine) as connection:
            return list(connection.execute(select(table)))

    def count(self, *tables: Table) -> int:
        with reading(self.axis.desk.engine) as connection:
            return sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)


@dataclass
class Agency:
    """An agency's system that calls the hub with its token."""

    hub: Hub
    peer: Peer

    @property
    def token(self) -> str:
        return str(self.peer.credentials["token"])

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.hub.ask("GET", path, self.token, params=params)

    def later(self, path: str, **params: Any) -> Future[httpx.Response]:
        return self.hub.later("GET", path, self.token, params=params)

    def post(self, path: str, content: bytes | None = None, **request: Any) -> httpx.Response:
        return self.hub.ask("POST", path, self.token, content=content, **request)

    def packet(self, *to: str, **changes: Any) -> bytes:
        """A signed packet of a new document."""
        return self.peer.packet(self.peer.draft(*to, **changes))

    def send(self, *to: str, **changes: Any) -> dict[str, Any]:
        """Send a new document that is accepted; gives the answer."""
        return self.issue(*to, **changes)[1]

    def issue(self, *to: str, **changes: Any) -> tuple[Document, dict[str, Any]]:
        """The same for a document that later packets will name."""
        document = self.peer.draft(*to, **changes)
        answer = self.post("/v1/documents", self.peer.packet(document))
        assert answer.status_code == 201, answer.text
        return document, answer.json()

    def status(self, code: str, document: Document, *, other: str = "", **changes: Any) -> bytes:
        """A signed status packet about a document."""
        values = {
            "sender": Organization(organ_id=self.peer.code, name=self.peer.name),
            "response_for": DocumentRef(other, document_id=document.document_id),
            "status": code,
            "description": "Đã tiếp nhận",
            "timestamp": "2025/10/01 09:00:00",
        }
        return self.signed(edxml.write_status(a_status(**(values | changes))))

    def signed(self, packet: bytes) -> bytes:
        return sign(packet, self.peer.key, self.peer.certificate)

    def report(self, code: str, document: Document, **changes: Any) -> httpx.Response:
        return self.post("/v1/statuses", self.status(code, document, **changes))

    def inbox(self, **params: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get("/v1/inbox", **params).json()["items"]
        return items

    def outbox(self, **params: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get("/v1/outbox", **params).json()["items"]
        return items

    def fetch(self, delivery_id: str) -> bytes:
        answer = self.get(f"/v1/deliveries/{delivery_id}/packet")
        assert answer.status_code == 200, answer.text
        return answer.content

    def receive(self, delivery_id: str) -> None:
        """Fetch a packet and keep it."""
        self.fetch(delivery_id)
        assert self.post(f"/v1/deliveries/{delivery_id}/done").status_code == 200


def office_and_province(hub: Hub) -> tuple[Agency, Agency]:
    """The Government Office and Nghệ An."""
    return hub.enrol("G22"), hub.enrol("H41")


def office_and_provinces(hub: Hub) -> tuple[Agency, Agency, Agency]:
    """The Government Office, Nghệ An and Hà Tĩnh."""
    return *office_and_province(hub), hub.enrol("H27")


@contextmanager
def a_hub(folder: Path, database_url: str = "", at: At = no_step, **changes: Any) -> Iterator[Hub]:
    """A hub that has started, its clock at START; ``changes`` are settings."""
    clock = Clock()
    app = create_app(Settings(data_dir=folder, database_url=database_url, checkers=0, **changes), clock=clock, at=at)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
        portal.wrap_async_context_manager(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub.example.vn", timeout=30)
        ) as http,
    ):
        face: Interface = app.state.interface
        yield Hub(app, Axis(face.desk, clock), face, portal, http)


def operations(app: FastAPI) -> list[tuple[str, str]]:
    """Every operation under ``/v1``: method and path, its parameters in braces."""
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
    return [(method.upper(), path) for path, each in paths.items() for method in each if path.startswith("/v1/")]


@dataclass
class Raw:
    """The answer to a request made by hand, how much of its body the hub asked for, and how it came."""

    answer: httpx.Response
    asked: int  # times
    parts: list[bytes]  # of the answer's body


def raw(hub: Hub, method: str, path: str, token: str = "", *body: bytes, then: Any = None, **scope: Any) -> Raw:
    """A request no client would make: the path is not normalised, ``headers`` are bytes, the body comes in parts.

    After the last part the client goes away, or does what ``then`` says when awaited.
    """
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    parts = list(body)
    asked = 0
    status, named = 0, []
    answered: list[bytes] = []

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if parts:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts or then)}
        return await then() if then else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status, named
        if message["type"] == "http.response.start":
            status, named = message["status"], message["headers"]
        else:
            answered.append(message.get("body", b""))

    values = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(errors="replace"),
        "root_path": "",
        "query_string": b"",
    }
    given = scope.pop("headers", [])
    hub.portal.call(hub.app, values | scope | {"headers": headers + given}, receive, send)
    answer = httpx.Response(status, headers=named, content=b"".join(answered))
    if status >= 400 and method != "HEAD":
        problem(answer)
    return Raw(answer, asked, answered)


async def silence() -> Any:
    """What comes ``then``: nothing, and the client does not go away either."""
    await asyncio.Event().wait()


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The body of a refused request, after a look at every member that each of them has (RFC 9457)."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    line = PROBLEMS[body["code"]]
    assert answer.status_code == body["status"] == line.status
    assert body["type"] == f"urn:lienthong:problem:{line.code}"
    assert body["title"]
    assert body["detail"]
    assert body["violations"]
    for violation in body["violations"]:
        assert violation.keys() == {"rule", "severity", "pointer", "value", "message", "repair"}
        assert len(violation["value"]) <= 200
        assert violation["message"].keys() == {"vi", "en"}
    assert ("Retry-After" in answer.headers) == line.temporary
    assert "Traceback" not in answer.text
    return body


def refused(answer: httpx.Response, code: str) -> dict[str, Any]:
    """The body of an answer that must refuse with ``code``."""
    body = problem(answer)
    assert body["code"] == code, body
    return body


def without(named: str) -> Callable[[httpx.Response], tuple[int, dict[str, str], str]]:
    """What two answers are compared by: everything but the request's own id and what it asked for, ``named``."""

    def seen(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
        own = {"x-request-id", "content-length"}
        headers = {name: value for name, value in answer.headers.items() if name not in own}
        return answer.status_code, headers, answer.text.replace(named, "…")

    return seen


def with_recipients(document: Document, *codes: str) -> Document:
    """The same document to others."""
    return replace(document, recipients=tuple(Organization(organ_id=code, name=code) for code in codes))
