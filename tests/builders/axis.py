"""A hub without its HTTP interface, and agencies that hold real keys: for stories about what the exchange does.

Time stands still until a test moves it.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from builders.keys import a_certificate
from builders.packets import a_document, a_status
from sqlalchemy import Connection, update

from hub.app import At, no_step, open_hub
from hub.domain import edxml
from hub.domain.document import Business, Document, DocumentRef, Organization, Replaced
from hub.domain.signature import sign
from hub.exchange import accept, checks, enrol, hand_over
from hub.exchange import report as statuses
from hub.exchange.desk import Desk
from hub.exchange.examine import Submission
from hub.exchange.inspection import Inspector
from hub.exchange.sequencer import Sequencer
from hub.pdf import Examiner
from hub.settings import Settings
from hub.store import counter, deliveries, documents, evidence, examinations, tables
from hub.store.deliveries import Delivery
from hub.store.engine import reading
from hub.store.ids import new_id

START = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)  # 9 o'clock in Hà Nội


@dataclass
class Clock:
    """The injected time."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


@cache
def an_examiner() -> Examiner:
    """One for all tests of this process: it takes a second to start."""
    made = Examiner()
    atexit.register(made.close)
    return made


def end_certificate(connection: Connection, fingerprint: str, code: str, at: datetime) -> None:
    """A certificate stops to count, as when its time is over."""
    c = tables.certificate
    connection.execute(update(c).where(c.c.fingerprint == fingerprint, c.c.code == code).values(until=at))


@dataclass
class Axis:
    """A running hub."""

    desk: Desk
    clock: Clock

    def enrol(self, code: str, name: str = "", *, keyed: bool = True, key: str = "P-256", **terms: Any) -> Peer:
        """Enrol a system for an agency; ``keyed`` with a certificate registered by the operator."""
        private_key, certificate = a_certificate(f"{code} {name}".strip(), key)
        job = enrol.Enrolment(code, name, certificate=certificate if keyed else None, **terms)
        made = self.desk.writer.run(enrol.enrol, enrol.Enrolments((job,), self.desk.vault, replace=True))[0]
        return Peer(self, code, name or code, made, private_key, certificate)

    def steer(self, code: str, action: str) -> None:
        self.desk.writer.run(enrol.steer, enrol.Steer(code, action))

    def sweep(self) -> int:
        swept: int = self.desk.writer.run(hand_over.sweep, hand_over.Sweep())
        return swept

    @contextmanager
    def together(self) -> Iterator[None]:
        """Submit inside, wait for the answers outside: what is submitted is written in one batch."""
        started, go = threading.Event(), threading.Event()

        def hold(_tx: Any, jobs: list[Any]) -> list[Any]:
            started.set()
            go.wait()
            return jobs

        held = self.desk.writer.submit(hold, None)
        started.wait()
        try:
            yield
        finally:
            go.set()
            held.result()

    def states(self, answer: dict[str, Any]) -> dict[str, str]:
        """The document's own deliveries as they stand now: ``transport/status`` by the addressed code."""
        with reading(self.desk.engine) as connection:
            found = deliveries.of_document(connection, answer["id"])
        return {d.addressed: f"{d.state}/{d.status}" for d in found}

    def integrate(self) -> int:
        """Have the log take in what waits; gives how many entries."""
        return asyncio.run(Sequencer(self.desk).once())

    def inspect(self, examiner: Examiner | None = None) -> None:
        """Have all that was accepted examined."""
        inspector = Inspector(self.desk, examiner or an_examiner())
        while self._uninspected():
            inspector.once()

    def _uninspected(self) -> bool:
        with reading(self.desk.engine) as connection:
            return bool(examinations.accepted(connection, *examinations.places(connection), 1))

    def evidence(self, answer: dict[str, Any]) -> list[Any]:
        """The document's leaves, oldest first."""
        with reading(self.desk.engine) as connection:
            return evidence.of_document(connection, answer["id"], None, 0, counter.last(connection), 1000)

    def delivery(self, delivery_id: str) -> Delivery:
        with reading(self.desk.engine) as connection:
            found = deliveries.get(connection, delivery_id)
        assert found is not None
        return found

    def document(self, document_id: str) -> Any:
        with reading(self.desk.engine) as connection:
            return documents.get(connection, document_id)

    def events(self, delivery_id: str) -> list[Any]:
        with reading(self.desk.engine) as connection:
            return deliveries.events_of(connection, [delivery_id])

    def requests(self, delivery_id: str) -> list[tuple[str, str]]:
        with reading(self.desk.engine) as connection:
            return [(row["ask"], row["outcome"]) for row in deliveries.requests_of(connection, [delivery_id])]


def acting(kind: str, original: Document, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a document of kinds 1 to 3 says beside all others: on which it acts; ``only`` for these recipients."""
    if kind == "update":
        return {"business": Business(type="2", reason="Cập nhật", document_id=original.document_id)}
    if kind == "replacement":
        return {"business": Business(type="3", reason="Thay thế", replaced=(Replaced(original.document_id, only),))}
    named = DocumentRef(document_id=original.document_id, promulgation_date=original.promulgation_date)
    return {"business": Business(type="1", reason="Thu hồi"), "response_for": (named,)}


@dataclass
class Peer:
    """An agency's system."""

    axis: Axis
    code: str
    name: str
    credentials: dict[str, str]
    key: Any
    certificate: Any
    number: int = 0

    @property
    def system_id(self) -> str:
        return self.credentials["system_id"]

    def draft(
        self, *to: str, number: str = "", symbol: str = "VP", date: str = "2025/09/30", **changes: Any
    ) -> Document:
        """A new document of this agency, numbered on unless ``number`` says otherwise."""
        if not number:
            self.number += 1
            number = str(self.number)
        values: dict[str, Any] = {
            "sender": Organization(organ_id=self.code, name=self.name),
            "recipients": tuple(Organization(organ_id=code, name=code) for code in to),
            "document_id": f"{self.code},{date},{number}/{symbol}",
            "number": number,
            "symbol": symbol,
            "promulgation_date": date,
            "due_date": "",
            "response_for": (),
            "business": Business(type="0"),
        }
        return a_document(**(values | changes))

    def packet(self, document: Document, *, signed: bool = True) -> bytes:
        packet = edxml.write_document(document)
        return sign(packet, self.key, self.certificate) if signed else packet

    def send(self, *to: str, signed: bool = True, **changes: Any) -> dict[str, Any]:
        """Send a new document; gives the hub's answer or raises its refusal."""
        return self.post(self.packet(self.draft(*to, **changes), signed=signed)).body

    def issue(self, *to: str, **changes: Any) -> tuple[Document, dict[str, Any]]:
        """Send a new document that later packets will name; gives it and the hub's answer."""
        document = self.draft(*to, **changes)
        return document, self.post(self.packet(document)).body

    def post(self, packet: bytes) -> accept.Accepted:
        accepted: accept.Accepted = self.submit(packet).result()
        return accepted

    def hand_in(self, packet: bytes) -> accept.Accepted:
        """Bring a packet to the desk, as the API does; a refusal it raises is on record."""
        system = self.axis.desk.rosters.current(now=True).systems[self.system_id]
        return asyncio.run(self.axis.desk.accept(packet, system, "vết-thử"))

    def submit(self, packet: bytes) -> Future[Any]:
        """Check a packet and queue it; raises at once what the check refuses."""
        desk = self.axis.desk
        return desk.writer.submit(accept.commit, self.checked(packet))

    def checked(self, packet: bytes, **changes: Any) -> checks.Checked:
        """A packet that is checked now, and may be written later; ``changes`` to its submission."""
        submission = self.submission(packet)._replace(**changes)
        roster = self.axis.desk.rosters.current(now=True)
        return checks.Checked(submission, checks.prepare(packet, submission, roster, self.axis.clock()), None, packet)

    def submission(self, packet: bytes) -> Submission:
        terms = self.axis.desk.terms
        packet_id = new_id(self.axis.clock())
        return Submission(len(packet), self.system_id, packet_id, "vết-thử", terms.limits, terms.refuse_taken)

    def update(self, original: Document, *to: str, **changes: Any) -> dict[str, Any]:
        return self.send(*to, **(acting("update", original) | changes))

    def replace(self, original: Document, *to: str, only: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
        return self.send(*to, **(acting("replacement", original, only) | changes))

    def revoke(self, original: Document, *to: str, **changes: Any) -> dict[str, Any]:
        return self.send(*to, **(acting("revocation", original) | changes))

    def report(
        self,
        status: str,
        document: Document | None = None,
        *,
        other: str = "",
        description: str = "",
        timestamp: str = "2025/10/01 09:00:00",
        signed: bool = True,
        sender: str = "",
        **ref: str,
    ) -> dict[str, Any]:
        """Report on a document (13: on an own one); gives the hub's answer or raises its refusal."""
        named = DocumentRef(other, document_id=document.document_id if document else "")
        said = a_status(
            sender=Organization(organ_id=sender or self.code, name=self.name),
            response_for=replace(named, **ref),
            status=status,
            description=description or ("Lý do" if status == "02" else ""),
            timestamp=timestamp,
        )
        packet = edxml.write_status(said)
        return self.tell(sign(packet, self.key, self.certificate) if signed else packet).body

    def tell(self, packet: bytes) -> statuses.Reported:
        desk = self.axis.desk
        now = self.axis.clock()
        prepared = statuses.prepare(packet, self.submission(packet), desk.rosters.current(now=True), now)
        reported: statuses.Reported = desk.writer.run(statuses.commit, replace(prepared, body=packet))
        return reported

    def inbox(self, after: int = 0, limit: int = 500) -> list[Any]:
        with reading(self.axis.desk.engine) as connection:
            return deliveries.inbox(connection, self.system_id, after, limit)

    def waiting(self, after: int = 0) -> list[str]:
        """The ids of the deliveries in the inbox."""
        return [row["id"] for row in self.inbox(after)]

    def entries(self, after: int = 0) -> list[Any]:
        """The outbox with everything an entry says."""
        owner = self.axis.desk.rosters.current(now=True).directory.resolve(self.code)
        with reading(self.axis.desk.engine) as connection:
            return deliveries.outbox(connection, owner, after, 500)

    def outbox(self, after: int = 0) -> list[tuple[str, str]]:
        """What happened to sent documents: (what, status)."""
        return [(row["what"], row["status"]) for row in self.entries(after)]

    def claim(self, delivery_id: str, lease: str | None = None) -> dict[str, Any]:
        claimed: dict[str, Any] = self._do(hand_over.claim, hand_over.HandOver(self.system_id, delivery_id, lease))
        return claimed

    def fetch(self, *delivery_ids: str) -> None:
        self._do(hand_over.fetch, hand_over.Fetch(self.system_id, delivery_ids))

    def done(self, delivery_id: str, lease: str | None = None) -> dict[str, Any]:
        done: dict[str, Any] = self._do(hand_over.done, hand_over.HandOver(self.system_id, delivery_id, lease))
        return done

    def failed(self, delivery_id: str, reason: str = "Lỗi", lease: str | None = None) -> dict[str, Any]:
        job = hand_over.HandOver(self.system_id, delivery_id, lease, reason)
        failed: dict[str, Any] = self._do(hand_over.failed, job)
        return failed

    def receive(self, delivery_id: str) -> None:
        """Fetch a packet and keep it."""
        self.fetch(delivery_id)
        self.done(delivery_id)

    def _do(self, verb: Any, job: Any) -> Any:
        return self.axis.desk.writer.run(verb, job)


@contextmanager
def an_axis(folder: Path, database_url: str = "", at: At = no_step, **changes: Any) -> Iterator[Axis]:
    """A hub in a folder (SQLite there unless a database is given), with its clock at START."""
    clock = Clock()
    settings = Settings(data_dir=folder, database_url=database_url, **changes)
    with open_hub(settings, clock=clock, at=at) as desk:
        yield Axis(desk, clock)
