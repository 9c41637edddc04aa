"""What every dialect can do for a system: the calls, what they give, and the refusal they raise.

All raise ``NoAnswer`` where no whole answer came, or one without what is needed, and ``Refused``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from clients.replay.planned import Post


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the operator gave a system: ``token`` for REST, ``secret`` for the gateway."""

    system_id: str
    token: str
    secret: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A packet was taken. What a dialect does not say is empty.

    ``repeated`` (REST only): it had been taken before; ``hub_id`` of the document or the report; ``deliveries``: (id,
    code as addressed), of a status packet its own, whose code is not told (REST only); ``withdrawn``: codes at which
    an earlier document was withdrawn at once; ``seconds`` from the request's first byte to the answer's last.
    """

    repeated: bool
    hub_id: str
    deliveries: tuple[tuple[str, str], ...]
    withdrawn: tuple[str, ...]
    seconds: float = field(compare=False)


@dataclass(frozen=True, slots=True)
class Listed:
    """Something that waits, as the list tells it; "" for what the dialect does not say."""

    id: str
    what: str  # "document" or "status"
    to: str
    sender: str
    document_id: str  # the sender's; of the document a status is about
    sha256: str
    code: str  # of a status


@dataclass(frozen=True, slots=True)
class Listing:
    """``next`` is to be handed back as ``after``; looking from "" shows whatever still waits."""

    items: tuple[Listed, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one delivery: ``what`` is delivered, failed, expired, withdrawn, waiting (opened again), or
    status, with ``status`` 01-06, cancelled or replaced, or "" for none. ``hub_id``: the document's; in the gateway of
    a status packet the report's. The gateway says no ``document_id``.
    """

    what: str
    delivery: str
    document_id: str
    to: str
    status: str
    hub_id: str


@dataclass(frozen=True, slots=True)
class Told:
    """``next`` is to be handed back as ``after``; from "" everything is told once more."""

    entries: tuple[Entry, ...]
    next: str


class Refused(Exception):  # noqa: N818  (a refusal is an answer, not a fault)
    """The hub will not do it. ``code`` is the catalogue's (``hub.errors``), or ``http-<status>`` and ``gateway-<code>``
    of a hub that names none; ``rules`` are the rules broken besides, in the answer's order; ``error_code`` is the
    gateway's ErrorCode; ``retry_after`` seconds, 0 where nobody asked to wait; ``seconds`` as of what is taken.
    """

    def __init__(
        self,
        status: int,
        code: str,
        *,
        temporary: bool,
        seconds: float,
        retry_after: float = 0.0,
        text: str = "",
        rules: tuple[str, ...] = (),
        error_code: str = "",
    ) -> None:
        super().__init__(f"{code} ({status}): {text}")
        self.status, self.code, self.temporary, self.retry_after = status, code, temporary, retry_after
        self.seconds, self.text, self.rules, self.error_code = seconds, text, rules, error_code


class Dialect(Protocol):
    """A system's access to the hub. ``mark`` goes out as X-Request-Id and decides the faults the request meets."""

    async def send(self, packet: bytes, post: Post, mark: str) -> Taken:
        """A document packet."""

    async def report(self, packet: bytes, sender: str, mark: str) -> Taken:
        """A status packet of the agency ``sender``."""

    async def look(self, after: str, mark: str) -> Listing:
        """Documents and statuses that wait; each kind in the order in which the hub lists it, oldest first."""

    async def fetch(self, item: Listed, mark: str) -> bytes:
        """The packet, as it came: nothing of it was compared."""

    async def done(self, item: Listed, mark: str) -> None:
        """It is kept."""

    async def failed(self, item: Listed, mark: str) -> None:
        """It cannot be taken; once fetched, that ends the delivery and its sender is told."""

    async def told(self, after: str, mark: str) -> Told:
        """What became of what this system sent."""
