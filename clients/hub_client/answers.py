"""What the hub answers, as the client gives it on (exchange rules 8).

An answer to a call is a frozen dataclass. What stands in lists (``Page.items``, ``deliveries``) and a document's
whole story stay the hub's JSON, whose members its ``/docs`` page describes: new ones reach the caller unhindered.

The readers raise ``ValueError``, ``LookupError`` or ``TypeError`` for what no hub answers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote

from cryptography.x509 import Certificate, load_pem_x509_certificate

from clients.hub_client.failures import violation_of
from hub.errors import Violation

Item: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The hub has the document. ``id`` is the hub's, ``document_id`` the sender's in canonical form.

    ``new`` is False for a repeat, which is answered like the first time. ``signature``: ``{standing, signer}``;
    ``deliveries``: ``{id, to, state}``, one for each recipient. ``packet`` are the bytes that were sent.
    """

    id: str
    document_id: str
    sha256: str
    accepted_at: datetime
    issuer: str
    signature: Item
    warnings: tuple[Violation, ...]
    deliveries: tuple[Item, ...]
    new: bool
    packet: bytes = field(repr=False)


def read_accepted(answer: Answer, packet: bytes) -> Accepted:
    body = answer.json()
    return Accepted(
        body["id"],
        body["document_id"],
        body["sha256"],
        datetime.fromisoformat(body["accepted_at"]),
        body["issuer"],
        body["signature"],
        _violations(body["warnings"]),
        tuple(body["deliveries"]),
        answer.status == 201,
        packet,
    )


@dataclass(frozen=True, slots=True)
class Validation:
    """What sending the packet now would answer; ``code`` is the refusal's, or empty."""

    valid: bool
    code: str
    violations: tuple[Violation, ...]
    warnings: tuple[Violation, ...]


def read_validation(answer: Answer) -> Validation:
    body = answer.json()
    return Validation(body["valid"], body["code"], _violations(body["violations"]), _violations(body["warnings"]))


@dataclass(frozen=True, slots=True)
class Reported:
    """The hub has the report on ``document`` (the hub's id).

    ``delivery`` is the report's own towards the other party, None when there is nothing to hand on; ``deliveries``:
    ``{id, to, effect, state, status}``, those it was applied to. ``packet`` are the bytes that were sent.
    """

    id: str
    document: str
    status: str
    accepted_at: datetime
    delivery: str | None
    warnings: tuple[Violation, ...]
    deliveries: tuple[Item, ...]
    new: bool
    packet: bytes = field(repr=False)


def read_reported(answer: Answer, packet: bytes) -> Reported:
    body = answer.json()
    return Reported(
        body["id"],
        body["document"],
        body["status"],
        datetime.fromisoformat(body["accepted_at"]),
        body["delivery"],
        _violations(body["warnings"]),
        tuple(body["deliveries"]),
        answer.status == 201,
        packet,
    )


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. ``next`` is where to go on, to be handed back as ``after``."""

    items: tuple[Item, ...]
    next: str | None


def read_page(answer: Answer) -> Page:
    body = answer.json()
    return Page(tuple(body["items"]), body["next"])


@dataclass(frozen=True, slots=True)
class Lease:
    """A delivery is this process's until ``until``."""

    delivery: str
    lease: str
    until: datetime


def read_lease(answer: Answer) -> Lease:
    body = answer.json()
    return Lease(body["id"], body["lease"], datetime.fromisoformat(body["until"]))


@dataclass(frozen=True, slots=True)
class Received:
    """A packet as the hub holds it; ``sha256`` (hex) was compared with its bytes."""

    packet: bytes = field(repr=False)
    sha256: str


def read_received(answer: Answer) -> Received:
    """Raises ``ValueError`` when the bytes are not those the hub named."""
    found = hashlib.sha256(answer.body).hexdigest()
    if found != answer.headers["x-packet-sha256"]:
        raise ValueError(f"the packet arrived with the SHA-256 {found}")
    return Received(answer.body, found)


@dataclass(frozen=True, slots=True)
class File:
    """An attachment, unwrapped. ``name`` is the sender's: not a path to write to unseen."""

    name: str
    content: bytes = field(repr=False)


def read_file(answer: Answer) -> File:
    name = answer.headers["content-disposition"].rpartition("filename*=UTF-8''")[2]  # RFC 8187
    return File(unquote(name), answer.body)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the hub has recorded of a document for this party.

    ``items``: ``{id, kind, at, entry, receipt, index, proof}`` each; ``checkpoint`` is the signed note that the proofs
    lead to, None before there is one. ``reports`` are status packets by the hub's id of the report, those this party
    may see, and of very many and large ones only the first. ``jwks`` and ``log_keys`` are the hub's keys.
    ``timestamps``: ``{size, checkpoint, token, proof}`` each, the earliest over each entry; the proof leads to
    ``checkpoint``.
    """

    items: tuple[Item, ...]
    checkpoint: str | None
    packet: bytes = field(repr=False)
    reports: Mapping[str, bytes] = field(repr=False)
    jwks: Item
    log_keys: tuple[str, ...]
    timestamps: tuple[Item, ...] = ()


class Entries(NamedTuple):
    """A page of a document's evidence; ``checkpoint`` is that of all pages, and comes with the first."""

    items: tuple[Item, ...]
    checkpoint: str | None
    next: str | None


def read_entries(answer: Answer) -> Entries:
    body = answer.json()
    return Entries(tuple(body["items"]), body["checkpoint"], body["next"])


def read_bytes(answer: Answer) -> bytes:
    return answer.body


def read_log_keys(answer: Answer) -> tuple[str, ...]:
    return tuple(answer.body.decode().splitlines())


def read_item(answer: Answer) -> Item:
    item = answer.json()
    if not isinstance(item, dict):
        raise TypeError("the answer is no JSON object")
    return item


@dataclass(frozen=True, slots=True)
class AgencyCertificate:
    """A certificate of the agency ``owner``, and from when until when it counts at the hub."""

    owner: str
    certificate: Certificate
    since: datetime
    until: datetime


def read_certificates(answer: Answer) -> tuple[AgencyCertificate, ...]:
    return tuple(
        AgencyCertificate(
            item["owner"],
            load_pem_x509_certificate(item["pem"].encode()),
            datetime.fromisoformat(item["from"]),
            datetime.fromisoformat(item["until"]),
        )
        for item in answer.json()["items"]
    )


@dataclass(frozen=True, slots=True)
class Registered:
    """The certificate counts for ``agency``; ``fingerprint`` is its SHA-256 (hex)."""

    agency: str
    fingerprint: str


def read_registered(answer: Answer) -> Registered:
    body = answer.json()
    return Registered(body["agency"], body["fingerprint"])


def _violations(bodies: list[Item]) -> tuple[Violation, ...]:
    return tuple(violation_of(body) for body in bodies)
