"""The packets in recorded bodies, and what they say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from clients.gateway_client import hash_file
from clients.replay.traffic.file import Exchange, TrafficFile
from clients.replay.traffic.outcome import said, unpacked
from clients.replay.wire.connection import NoAnswer
from clients.replay.wire.reading import gateway_data
from hub.domain import edxml
from hub.domain.agency import canonical
from hub.domain.document import Document, StatusReport
from hub.domain.numbering import canonical_document_id, plain_number, plain_symbol
from hub.domain.signature import Signed, verify
from hub.errors import Refusal


def sent_packet(file: TrafficFile, exchange: Exchange) -> bytes:
    """The packet of a request: of the gateway's clients without the line's end that they write behind it."""
    body = file.request(exchange)
    if exchange.dialect != "gateway" or not body.endswith(b"\r\n"):
        return body
    # Some write none: then the digest is the body's.
    stated = exchange.said.get("hash-file", "").lower()
    return body if stated in {hash_file(body), digest(body).hex()} else body[:-2]


def handed_out(exchange: Exchange, answer: bytes) -> bytes:
    """The packet that was fetched; empty where none was."""
    if exchange.dialect == "gateway" and exchange.path.endswith("getEdoc"):
        try:
            return gateway_data(said(exchange, answer))
        except NoAnswer:
            return b""
    return unpacked(exchange, answer)


def read(packet: bytes) -> Document | StatusReport | None:
    """What a packet says; None where no hub can read it."""
    return examined(packet, lambda tree: True)[0]


def examined(packet: bytes, is_signed: Callable[[edxml.Tree], bool]) -> tuple[Document | StatusReport | None, bool]:
    """What a packet says, and whether it is signed: one with a wrong signature, or that nobody can read, counts so."""
    try:
        tree = edxml.parse(packet)
        content = edxml.read_status(tree) if edxml.is_status(tree) else edxml.read_document(tree)
        return content, is_signed(tree)
    except Refusal:
        return None, True


def is_signed(tree: edxml.Tree) -> bool:
    """Also with a signature that is wrong. Nothing can be verified afterwards."""
    try:
        return isinstance(verify(tree, sha1=True), Signed)
    except Refusal:
        return True


def known(sender: str, document_id: str) -> tuple[str, str]:
    """By what a document is found again."""
    return canonical(sender), canonical_document_id(document_id)


def number_of(document: Document) -> tuple[str, str, str, int | None]:
    """What a document takes: a number of its sender's, its symbol and year."""
    sender, number, symbol = document.sender.organ_id, document.number, document.symbol
    return canonical(sender), plain_number(number), plain_symbol(symbol), document.year


def digest(packet: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(packet).digest()
