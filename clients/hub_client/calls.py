"""The protocol without I/O: each call is a generator that yields what to do and is sent what came of it.

Rules:

* ``Request`` is answered with an ``Answer`` or with ``Lost``; ``Pause`` with nothing. The generator's value is the
  call's. Sockets, threads and clocks are the driver's (``client``).
* A repeat is the same ``Request``, byte for byte, so that the hub sees one document however often it comes.
* What may be temporary is repeated: no answer, one that is not the hub's, 408, 429, 5xx. All others are final.
* Pauses double and are jittered; a Retry-After is waited for first (RFC 9110 §10.2.3; in seconds: the hub has no
  other form, and a date would need this machine's clock to be right).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TypeAlias, TypeVar
from urllib.parse import quote

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from clients.hub_client import answers, proofs
from clients.hub_client.answers import (
    Accepted,
    AgencyCertificate,
    Answer,
    Evidence,
    File,
    Item,
    Lease,
    Page,
    Received,
    Registered,
    Reported,
    Validation,
)
from clients.hub_client.failures import Refused, Unavailable, refused
from clients.hub_client.proofs import Verified
from hub.domain.agency import canonical
from hub.domain.document import Document, StatusReport
from hub.domain.signature import PrivateKey, fingerprint, prove, statement

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0  # seconds, before jitter
_PAGE = 500  # entries of evidence at once, as many as a hub gives
_MOST_PACKETS = 192 * 1024 * 1024  # bytes of the packets in evidence: they lie in memory together
_MOST_PATIENCE = 300.0  # seconds of Retry-After; who is told to come back later than that decides himself

XML, JSON = "application/xml", "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` is percent-encoded and below the hub's address; ``wait``: seconds the hub may take longer to answer."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    media_type: str = ""
    wait: float = 0


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer that counts: the hub may have done what was asked, or not."""

    why: str
    fault: Exception | None = None
    retry_after: float = 0  # seconds


T = TypeVar("T")
Steps: TypeAlias = Generator[Request | Pause, Answer | Lost | None, T]


@dataclass(frozen=True, slots=True)
class Calls:
    """One method for each operation; ``HubClient`` says what they do."""

    key: PrivateKey | None
    certificate: Certificate | None
    attempts: int
    random: Random
    clock: Callable[[], datetime]

    def sign(self, content: Document | StatusReport) -> bytes:
        if self.key is None or self.certificate is None:
            raise ValueError("signing needs the client's key and certificate")
        return proofs.signed_packet(content, self.key, self.certificate)

    def send(self, packet: bytes | Document) -> Steps[Accepted]:
        body = packet if isinstance(packet, bytes) else self.sign(packet)
        request = Request("POST", "/v1/documents", body=body, media_type=XML)
        return (yield from self._ask(request, lambda answer: answers.read_accepted(answer, body)))

    def validate(self, packet: bytes | Document) -> Steps[Validation]:
        body = packet if isinstance(packet, bytes) else self.sign(packet)
        request = Request("POST", "/v1/documents/validate", body=body, media_type=XML)
        return (yield from self._ask(request, answers.read_validation))

    def report(self, report: bytes | StatusReport) -> Steps[Reported]:
        body = report if isinstance(report, bytes) else self.sign(report)
        request = Request("POST", "/v1/statuses", body=body, media_type=XML)
        return (yield from self._ask(request, lambda answer: answers.read_reported(answer, body)))

    def inbox(self, after: str | None, limit: int, wait: float) -> Steps[Page]:
        query = _query(after=after, limit=limit, wait=wait)
        return (yield from self._ask(Request("GET", "/v1/inbox", query, wait=wait), answers.read_page))

    def poll(self, after: str | None, wait: float) -> Steps[Page]:
        """One turn of polling."""
        page = yield from self.inbox(after, 100, wait)
        if wait and not page.items:
            # One poll too many of a system is answered at once (exchange rules 10).
            yield Pause(_FIRST_PAUSE * self.random.uniform(0.5, 1))
        return page

    def outbox(self, after: str | None, limit: int) -> Steps[Page]:
        return (yield from self._ask(Request("GET", "/v1/outbox", _query(after=after, limit=limit)), answers.read_page))

    def take(self, delivery_id: str, lease: str | None) -> Steps[Lease]:
        lease = lease or f"{self.random.getrandbits(96):024x}"
        named = _posted({"lease": lease}, "deliveries", delivery_id, "taken")
        return (yield from self._ask(named, answers.read_lease))

    def packet(self, delivery_id: str) -> Steps[Received]:
        return (yield from self._ask(Request("GET", _path("deliveries", delivery_id, "packet")), answers.read_received))

    def done(self, delivery_id: str, lease: str | None) -> Steps[Item]:
        request = _posted({"lease": lease}, "deliveries", delivery_id, "done")
        return (yield from self._ask(request, answers.read_item))

    def failed(self, delivery_id: str, reason: str, lease: str | None) -> Steps[Item]:
        request = _posted({"lease": lease, "reason": reason}, "deliveries", delivery_id, "failed")
        return (yield from self._ask(request, answers.read_item))

    def document(self, document_id: str) -> Steps[Item]:
        return (yield from self._ask(Request("GET", _path("documents", document_id)), answers.read_item))

    def attachment(self, document_id: str, n: int) -> Steps[File]:
        request = Request("GET", _path("documents", document_id, "attachments", str(n)))
        return (yield from self._ask(request, answers.read_file))

    def evidence(self, document_id: str) -> Steps[Evidence]:
        page = yield from self._ask(_entries(document_id, None), answers.read_entries)
        items, checkpoint = list(page.items), page.checkpoint
        while page.next:
            page = yield from self._ask(_entries(document_id, page.next), answers.read_entries)
            items += page.items
        packet = yield from self._ask(Request("GET", _path("documents", document_id, "packet")), answers.read_received)
        reports: dict[str, bytes] = {}
        size = len(packet.packet)
        for item in items:
            if item["kind"] == "status" and size < _MOST_PACKETS:
                report = item["entry"]["report"]
                try:
                    read = yield from self._ask(
                        Request("GET", _path("reports", report, "packet")), answers.read_received
                    )
                except Refused as refusal:
                    if refusal.status != 404:
                        raise
                else:
                    reports[report] = read.packet
                    size += len(read.packet)
        jwks = yield from self._ask(Request("GET", "/.well-known/jwks.json"), answers.read_item)
        log_keys = yield from self._ask(Request("GET", "/log/keys"), answers.read_log_keys)
        timestamps = yield from self._timestamps(checkpoint, [item["index"] for item in items])
        return Evidence(tuple(items), checkpoint, packet.packet, reports, jwks, log_keys, timestamps)

    def _timestamps(self, checkpoint: str | None, indexes: list[int | None]) -> Steps[tuple[Item, ...]]:
        """The earliest on each entry, as far as the checkpoint reaches."""
        found: list[Item] = []
        size, reached = _size_of(checkpoint), 0
        for index in sorted(each for each in indexes if each is not None):
            if index < reached:
                continue
            try:
                item = yield from self._ask(Request("GET", f"/log/timestamp/{index + 1}"), answers.read_item)
            except Refused as refusal:
                if refusal.status != 404:
                    raise
                break
            reached = int(item["size"])
            if reached > size:  # it came after the checkpoint
                break
            query = _query(first=reached, second=size)
            proof = yield from self._ask(Request("GET", "/log/consistency", query), answers.read_item)
            found.append(item | {"proof": proof["proof"]})
        return tuple(found)

    def grounds(self, document_id: str, about: Collection[str]) -> Steps[tuple[bytes, ...]]:
        examined = yield from self._if_there(_path("documents", document_id, "examinations"))
        trusted = yield from self._if_there(_path("trust"))
        own = [sha256 for item in examined if item["part"] == 0 for sha256 in item["material"]]
        paths = {sha256: _path("documents", document_id, "material", sha256) for sha256 in own}
        for item in trusted:
            if item["kind"] != "ocsp" or item["about"] in about:
                paths.setdefault(item["sha256"], _path("trust", item["sha256"]))
        found = []
        for path in paths.values():
            try:
                found.append((yield from self._ask(Request("GET", path), answers.read_bytes)))
            except Refused as refusal:
                if refusal.status != 404:  # replaced by a newer one since it was listed
                    raise
        return tuple(found)

    def _if_there(self, path: str) -> Steps[list[Item]]:
        """The items of a list; none of a hub that has no such list."""
        try:
            items: list[Item] = (yield from self._ask(Request("GET", path), answers.read_item))["items"]
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return []
        return items

    def agencies(self, q: str, after: str | None, limit: int) -> Steps[Page]:
        request = Request("GET", "/v1/agencies", _query(q=q, after=after, limit=limit))
        return (yield from self._ask(request, answers.read_page))

    def certificates(self, code: str) -> Steps[tuple[AgencyCertificate, ...]]:
        request = Request("GET", _path("agencies", code, "certificates"))
        return (yield from self._ask(request, answers.read_certificates))

    def register_certificate(
        self, code: str, system_id: str, one_time_code: str, endorsed_by: tuple[PrivateKey, Certificate] | None
    ) -> Steps[Registered]:
        if self.key is None or self.certificate is None:
            raise ValueError("registering needs the client's key and certificate")
        text = statement(system_id, code, self.certificate, one_time_code)
        body = {
            "certificate": self.certificate.public_bytes(Encoding.PEM).decode(),
            "proof": _base64(prove(self.key, text)),
            "one_time_code": one_time_code,
        }
        if endorsed_by is not None:
            body |= {
                "endorsed_by": fingerprint(endorsed_by[1]),
                "endorsement": _base64(prove(endorsed_by[0], text)),
            }
        try:
            return (yield from self._ask(_posted(body, "agencies", code, "certificates"), answers.read_registered))
        except Refused as refusal:
            if refusal.code not in {"possession-not-proved", "one-time-code-wrong"}:
                raise
            # A one-time code is spent by the registration whose answer was lost: the certificate stands then.
            for standing in (yield from self.certificates(code)):
                if standing.certificate == self.certificate and canonical(standing.owner) == canonical(code):
                    return Registered(standing.owner, fingerprint(self.certificate))
            raise

    def verify(
        self, packet: bytes, certificates: Iterable[AgencyCertificate] | None, at: datetime | None, sha1: bool
    ) -> Steps[Verified]:
        examined = proofs.examine(packet, sha1=sha1)
        if certificates is None:
            certificates = yield from self.certificates(examined.sender)
        return proofs.judged(examined, certificates, at or self.clock())

    def _ask(self, request: Request, read: Callable[[Answer], T]) -> Steps[T]:
        """Ask until the answer counts. Raises ``Refused`` for a final one, ``Unavailable`` after the last try."""
        tries = 0
        while True:
            heard = yield request
            assert heard is not None, "a request has an outcome"
            outcome = heard if isinstance(heard, Lost) else _outcome(heard, read)
            if not isinstance(outcome, Lost):
                return outcome
            tries += 1
            if tries >= self.attempts or outcome.retry_after > _MOST_PATIENCE:
                raise Unavailable(tries, outcome.why, outcome.retry_after) from outcome.fault
            # On top of a Retry-After, so that all who were told the same do not come back together.
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (tries - 1)) * self.random.uniform(0.5, 1)
            yield Pause(outcome.retry_after + pause)


def _outcome(answer: Answer, read: Callable[[Answer], T]) -> T | Lost:
    """What the answer says, or ``Lost`` for one that may be another next time. Raises ``Refused``."""
    if 200 <= answer.status < 300:
        try:
            return read(answer)
        except (ValueError, LookupError, TypeError) as fault:
            return Lost(f"the answer is not the hub's: {fault}", fault)
    refusal = refused(answer.status, answer.headers, answer.body)
    if answer.status not in {408, 429} and answer.status < 500:
        raise refusal
    asked = answer.headers.get("retry-after", "")
    return Lost(str(refusal), refusal, int(asked) if asked.isascii() and asked.isdigit() else 0)


def _path(*parts: str) -> str:
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def _entries(document_id: str, after: str | None) -> Request:
    return Request("GET", _path("evidence", document_id), _query(after=after, limit=_PAGE))


def _size_of(checkpoint: str | None) -> int:
    """Of the tree, as its note says it (C2SP tlog-checkpoint); 0 of none."""
    lines = (checkpoint or "").split("\n")
    return int(lines[1]) if len(lines) > 1 and lines[1].isdecimal() else 0


def _query(**values: object) -> dict[str, str]:
    """Without what is missing, empty or zero: those are the hub's defaults."""
    return {name: str(value) for name, value in values.items() if value}


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _posted(body: Mapping[str, str | None], *path: str) -> Request:
    return Request("POST", _path(*path), body=json.dumps(body, ensure_ascii=False).encode(), media_type=JSON)
