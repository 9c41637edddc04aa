"""Agencies that speak to a served hub over the harness's wire, in either dialect."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

from builders.axis import Peer, acting
from builders.packets import a_status

from clients.replay.planned import Post
from clients.replay.wire.dialects import Credentials, Dialect
from clients.replay.wire.gateway import Gateway
from clients.replay.wire.lines import Lines
from clients.replay.wire.rest import Rest
from hub.domain import edxml
from hub.domain.document import Document, DocumentRef, Organization
from hub.domain.signature import sign

DIALECTS = ("rest", "gateway")
_numbers = itertools.count(1)


def speaker(dialect: str, lines: Lines, peer: Peer, **options: Any) -> Dialect:
    """The peer's system in a dialect."""
    known = Credentials(peer.system_id, peer.credentials["token"], peer.credentials["secret"])
    return Rest(lines, known, **options) if dialect == "rest" else Gateway(lines, known, **options)


def a_mark() -> str:
    """Of a request that meets nothing."""
    return f"t{next(_numbers)}.1"


def a_post(sender: str, *to: str, defect: str = "") -> Post:
    """What the wire needs to know of a post."""
    n = next(_numbers)
    return Post(n, 0.0, sender, to, "", str(n), "VP", date(2025, 9, 30), defect=defect)


def a_sending(peer: Peer, *to: str, **changes: Any) -> tuple[Document, bytes, Post]:
    """A new document of the peer, its signed packet, and its post."""
    document = peer.draft(*to, number=str(next(_numbers)), **changes)
    return document, peer.packet(document), a_post(peer.code, *to)


def a_revocation(peer: Peer, original: Document, to: str) -> tuple[bytes, Post]:
    """A packet that takes an earlier document back."""
    _, packet, post = a_sending(peer, to, **acting("revocation", original))
    return packet, post


def a_reply(reporter: Peer, document: Document, code: str, description: str = "") -> bytes:
    """A signed status packet of a recipient."""
    said = a_status(
        sender=Organization(organ_id=reporter.code, name=reporter.name),
        response_for=DocumentRef(document.sender.organ_id, document_id=document.document_id),
        status=code,
        description=description,
        timestamp="2025/10/01 09:00:00",
    )
    return sign(edxml.write_status(said), reporter.key, reporter.certificate)
