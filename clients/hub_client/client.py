"""The two clients: the same calls, driven over a blocking and over an asynchronous ``httpx`` connection pool.

What is asked, repeated and raised is decided in ``calls``; here are sockets, pauses and the size of an answer.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from random import Random
from types import TracebackType
from typing import Any, TypeVar

import httpx
from cryptography.x509 import Certificate

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
from clients.hub_client.calls import Calls, Lost, Pause, Request, Steps
from clients.hub_client.failures import Unavailable
from clients.hub_client.proofs import Verified
from hub.domain.document import Document, StatusReport
from hub.domain.signature import PrivateKey

ANSWER_LIMIT = 64 * 1024 * 1024  # bytes; the largest packet has 50 MiB
_PART = 64 * 1024  # bytes of a body between two words about its progress

# What may end otherwise next time. A wrong address or a header that cannot be written is the caller's, and is raised.
_LOST = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError, httpx.ProxyError, httpx.DecodingError)

T = TypeVar("T")


def _now() -> datetime:
    return datetime.now(UTC)


class HubClient:
    """A system's access to the hub; a context manager, and safe to share between threads.

    Every method repeats what may be temporary and raises ``Refused`` for the hub's final refusals and
    ``Unavailable`` when ``attempts`` tries brought no answer; all repeats are safe. ``Document`` and ``StatusReport``
    are written and signed with ``key`` and ``certificate`` (``ValueError`` without them; ``hub.errors.Refusal`` for
    what cannot be signed); bytes are sent as they are.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        key: PrivateKey | None = None,
        certificate: Certificate | None = None,
        timeout: float = 30.0,
        attempts: int = 6,
        transport: httpx.BaseTransport | None = None,
        random: Random = Random(),  # noqa: S311  # jitter, no secret
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = _now,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """``timeout``: seconds to connect, and for the next part to be written or read; ``attempts``: tries in all.

        ``progress`` hears how many bytes of a body of how many have gone out, or come in.
        """
        self._calls = Calls(key, certificate, attempts, random, clock)
        self._http = httpx.Client(base_url=base_url, headers=_headers(token), transport=transport, verify=_trust())
        self._timeout, self._sleep, self._progress = timeout, sleep, progress

    def __enter__(self) -> HubClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def sign(self, content: Document | StatusReport) -> bytes:
        """The packet as :meth:`send` and :meth:`report` would sign it, to be stored before it is sent."""
        return self._calls.sign(content)

    def send(self, packet: bytes | Document) -> Accepted:
        """Send a document to all its recipients. The hub sees one document however often these bytes are sent."""
        return self._run(self._calls.send(packet))

    def validate(self, packet: bytes | Document) -> Validation:
        """What :meth:`send` would answer now; nothing is stored."""
        return self._run(self._calls.validate(packet))

    def report(self, report: bytes | StatusReport) -> Reported:
        """Report 01–06, 15 or 16 on a received document, or 13 on an own one."""
        return self._run(self._calls.report(report))

    def inbox(self, after: str | None = None, limit: int = 100, wait: float = 0) -> Page:
        """What waits for this system, oldest first; claims nothing.

        Without ``after`` from the oldest on, which is how to start, and to start again after an error. An empty inbox
        answers after ``wait`` seconds (60 at most), or when something comes.
        """
        return self._run(self._calls.inbox(after, limit, wait))

    def poll(self, wait: float = 60) -> Iterator[Item]:
        """The inbox's items as they come: endlessly, or with ``wait=0`` until nothing more waits.

        An item comes once, and again when its delivery becomes available again (a lease is over).
        """
        after: str | None = None
        while True:
            page = self._run(self._calls.poll(after, wait))
            yield from page.items
            if not page.items and not wait:
                return
            after = page.next

    def outbox(self, after: str | None = None, limit: int = 100) -> Page:
        """What happened to the documents this system sent, in order."""
        return self._run(self._calls.outbox(after, limit))

    def take(self, delivery_id: str, lease: str | None = None) -> Lease:
        """Claim a delivery for this process. Refused as ``lease-held`` while another holds it.

        The lease is named here, so that a repeat after a lost answer is given the same; a caller that names it itself
        (24 hex digits) can ask for it again after a restart.
        """
        return self._run(self._calls.take(delivery_id, lease))

    def packet(self, delivery_id: str) -> Received:
        """The delivery's packet, byte for byte. From now on it counts as fetched."""
        return self._run(self._calls.packet(delivery_id))

    def done(self, delivery_id: str, lease: str | None = None) -> Item:
        """Say that the packet is stored safely: ``{id, state}``."""
        return self._run(self._calls.done(delivery_id, lease))

    def failed(self, delivery_id: str, reason: str, lease: str | None = None) -> Item:
        """Say that the packet cannot be taken: ``{id, state, attempts}``; ``reason`` of 1000 characters at most.

        Before the first fetch, a repeat after a lost answer counts as another attempt; with a lease it is refused
        as ``lease-lost``.
        """
        return self._run(self._calls.failed(delivery_id, reason, lease))

    def document(self, document_id: str) -> Item:
        """A document and its recipients' states, by the hub's id: for its sender all, for a recipient its own."""
        return self._run(self._calls.document(document_id))

    def attachment(self, document_id: str, n: int) -> File:
        """The document's n-th file, from 1. For a recipient the packet counts as fetched."""
        return self._run(self._calls.attachment(document_id, n))

    def evidence(self, document_id: str) -> Evidence:
        """What the hub has recorded of a document, with its packets and keys. For a recipient it counts as fetched."""
        return self._run(self._calls.evidence(document_id))

    def grounds(self, document_id: str, about: Collection[str]) -> tuple[bytes, ...]:
        """What the hub judges certificates by, in DER: authorities, their CRLs, OCSP answers ``about`` certificates of
        these SHA-256, and whatever the document's packet was judged by. Nothing of a hub that judges none."""
        return self._run(self._calls.grounds(document_id, about))

    def agencies(self, q: str = "", after: str | None = None, limit: int = 200) -> Page:
        """The directory by code; ``q``: a part of a name or code, with or without marks."""
        return self._run(self._calls.agencies(q, after, limit))

    def certificates(self, code: str) -> tuple[AgencyCertificate, ...]:
        """All certificates that ever counted for the agency, its platform's too."""
        return self._run(self._calls.certificates(code))

    def register_certificate(
        self,
        code: str,
        system_id: str,
        one_time_code: str = "",
        endorsed_by: tuple[PrivateKey, Certificate] | None = None,
    ) -> Registered:
        """Register this client's certificate for the agency: the first with the one-time code, later ones endorsed by
        the key and certificate of an earlier."""
        return self._run(self._calls.register_certificate(code, system_id, one_time_code, endorsed_by))

    def verify(
        self,
        packet: bytes,
        certificates: Iterable[AgencyCertificate] | None = None,
        *,
        at: datetime | None = None,
        sha1: bool = False,
    ) -> Verified:
        """Who signed the packet: signature and digests are verified here, not by the hub.

        ``certificates`` are the sender's, asked of the hub when missing; ``at`` is when the hub took the packet, now
        when missing; ``sha1`` accepts SHA-1. Raises ``hub.errors.Refusal`` for a packet that is not signed, wrongly
        signed, or signed by a certificate that does not count for its sender.
        """
        return self._run(self._calls.verify(packet, certificates, at, sha1))

    def _run(self, steps: Steps[T]) -> T:
        heard: Answer | Lost | None = None
        try:
            while True:
                heard = self._do(steps.send(heard))
        except StopIteration as end:
            value: T = end.value
            return value

    def _do(self, step: Request | Pause) -> Answer | Lost | None:
        if isinstance(step, Pause):
            self._sleep(step.seconds)
            return None
        arguments = _arguments(step, self._timeout)
        if self._progress and step.body:
            arguments["content"] = _told(step.body, self._progress)
            # Or it would be chunked, which the hub refuses.
            arguments["headers"]["Content-Length"] = str(len(step.body))
        try:
            with self._http.stream(**arguments) as response:
                body = bytearray()
                declared = response.headers.get("content-length", "")
                for part in response.iter_bytes():
                    body += part
                    _check_size(body)
                    if self._progress and declared.isdecimal():
                        self._progress(len(body), int(declared))
                return _answer(response, body)
        except _LOST as fault:
            return _lost(fault)


class AsyncHubClient:
    """:class:`HubClient` for an event loop: the same methods with the same arguments, to be awaited."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        key: PrivateKey | None = None,
        certificate: Certificate | None = None,
        timeout: float = 30.0,
        attempts: int = 6,
        transport: httpx.AsyncBaseTransport | None = None,
        random: Random = Random(),  # noqa: S311  # jitter, no secret
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._calls = Calls(key, certificate, attempts, random, clock)
        self._http = httpx.AsyncClient(base_url=base_url, headers=_headers(token), transport=transport, verify=_trust())
        self._timeout, self._sleep = timeout, sleep

    async def __aenter__(self) -> AsyncHubClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    def sign(self, content: Document | StatusReport) -> bytes:
        return self._calls.sign(content)

    async def send(self, packet: bytes | Document) -> Accepted:
        return await self._run(self._calls.send(packet))

    async def validate(self, packet: bytes | Document) -> Validation:
        return await self._run(self._calls.validate(packet))

    async def report(self, report: bytes | StatusReport) -> Reported:
        return await self._run(self._calls.report(report))

    async def inbox(self, after: str | None = None, limit: int = 100, wait: float = 0) -> Page:
        return await self._run(self._calls.inbox(after, limit, wait))

    async def poll(self, wait: float = 60) -> AsyncIterator[Item]:
        after: str | None = None
        while True:
            page = await self._run(self._calls.poll(after, wait))
            for item in page.items:
                yield item
            if not page.items and not wait:
                return
            after = page.next

    async def outbox(self, after: str | None = None, limit: int = 100) -> Page:
        return await self._run(self._calls.outbox(after, limit))

    async def take(self, delivery_id: str, lease: str | None = None) -> Lease:
        return await self._run(self._calls.take(delivery_id, lease))

    async def packet(self, delivery_id: str) -> Received:
        return await self._run(self._calls.packet(delivery_id))

    async def done(self, delivery_id: str, lease: str | None = None) -> Item:
        return await self._run(self._calls.done(delivery_id, lease))

    async def failed(self, delivery_id: str, reason: str, lease: str | None = None) -> Item:
        return await self._run(self._calls.failed(delivery_id, reason, lease))

    async def document(self, document_id: str) -> Item:
        return await self._run(self._calls.document(document_id))

    async def attachment(self, document_id: str, n: int) -> File:
        return await self._run(self._calls.attachment(document_id, n))

    async def evidence(self, document_id: str) -> Evidence:
        return await self._run(self._calls.evidence(document_id))

    async def grounds(self, document_id: str, about: Collection[str]) -> tuple[bytes, ...]:
        return await self._run(self._calls.grounds(document_id, about))

    async def agencies(self, q: str = "", after: str | None = None, limit: int = 200) -> Page:
        return await self._run(self._calls.agencies(q, after, limit))

    async def certificates(self, code: str) -> tuple[AgencyCertificate, ...]:
        return await self._run(self._calls.certificates(code))

    async def register_certificate(
        self,
        code: str,
        system_id: str,
        one_time_code: str = "",
        endorsed_by: tuple[PrivateKey, Certificate] | None = None,
    ) -> Registered:
        return await self._run(self._calls.register_certificate(code, system_id, one_time_code, endorsed_by))

    async def verify(
        self,
        packet: bytes,
        certificates: Iterable[AgencyCertificate] | None = None,
        *,
        at: datetime | None = None,
        sha1: bool = False,
    ) -> Verified:
        return await self._run(self._calls.verify(packet, certificates, at, sha1))

    async def _run(self, steps: Steps[T]) -> T:
        heard: Answer | Lost | None = None
        try:
            while True:
                heard = await self._do(steps.send(heard))
        except StopIteration as end:
            value: T = end.value
            return value

    async def _do(self, step: Request | Pause) -> Answer | Lost | None:
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
            return None
        try:
            async with self._http.stream(**_arguments(step, self._timeout)) as response:
                body = bytearray()
                async for part in response.aiter_bytes():
                    body += part
                    _check_size(body)
                return _answer(response, body)
        except _LOST as fault:
            return _lost(fault)


@cache
def _trust() -> ssl.SSLContext:
    # Read once: it takes longer than most calls, and a process may hold a client for each of many systems.
    return httpx.create_ssl_context()


def _headers(token: str) -> dict[str, str]:
    # Packed answers could unpack to more than is counted at a time, and the packet is handed out byte for byte.
    return {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}


def _arguments(request: Request, timeout: float) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": request.path,
        "params": request.query,
        "content": request.body,
        "headers": {"Content-Type": request.media_type} if request.media_type else {},
        "timeout": httpx.Timeout(timeout, read=timeout + request.wait),
    }


def _told(body: bytes, progress: Callable[[int, int], None]) -> Iterator[bytes]:
    """The body in parts; each is told when it has gone out."""
    for start in range(0, len(body), _PART):
        yield body[start : start + _PART]
        progress(min(start + _PART, len(body)), len(body))


def _check_size(body: bytearray) -> None:
    if len(body) > ANSWER_LIMIT:
        raise Unavailable(1, f"the answer is larger than {ANSWER_LIMIT} bytes")


def _answer(response: httpx.Response, body: bytearray) -> Answer:
    return Answer(response.status_code, dict(response.headers), bytes(body))


def _lost(fault: Exception) -> Lost:
    return Lost(f"{type(fault).__name__}: {fault}".rstrip(": "), fault)
