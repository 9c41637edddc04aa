"""What the hub answered to a recorded request, as the book has it: accepted, refused with which code, or nothing that
counts. Answers are read as the wire reads them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from clients.replay.traffic.file import Exchange
from clients.replay.wire.connection import Answer, NoAnswer
from clients.replay.wire.dialects import Refused
from clients.replay.wire.reading import Object, gateway_accepted, object_of, objects, rest_accepted, text

_LARGEST = 256 * 1024 * 1024  # bytes an answer may unpack to; the Base64 of the largest packet is a third of it
_PACKED = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


@dataclass(frozen=True, slots=True)
class Outcome:
    """``final``: the hub decided. ``code`` of a refusal, with the first rule broken: ``packet-refused/name-control``;
    "" when it was accepted. ``deliveries``: (id, code as addressed), which REST tells and the gateway does not."""

    final: bool
    code: str = ""
    deliveries: tuple[tuple[str, str], ...] = ()


_NOTHING = Outcome(False)


def outcome(exchange: Exchange, answer: bytes) -> Outcome:
    """Of a request whose answer is JSON."""
    if exchange.lost or not exchange.status:
        return _NOTHING
    try:
        reached = objects(_said(exchange, answer), "deliveries")
    except NoAnswer:
        return _NOTHING
    except Refused as refused:
        if refused.temporary:
            return _NOTHING
        rule = f"/{refused.rules[0]}" if refused.code == "packet-refused" and refused.rules else ""
        return Outcome(True, refused.code + rule)
    return Outcome(True, "", tuple((text(each, "id"), text(each, "to")) for each in reached))


def said(exchange: Exchange, answer: bytes) -> Object:
    """The JSON object of an answer that refuses nothing; an empty one where there is none."""
    try:
        return _said(exchange, answer)
    except (NoAnswer, Refused):
        return {}


def _said(exchange: Exchange, answer: bytes) -> Object:
    whole = Answer(exchange.status, b"", unpacked(exchange, answer), exchange.took)
    return gateway_accepted(whole) if exchange.dialect == "gateway" else object_of(rest_accepted(whole))


def unpacked(exchange: Exchange, answer: bytes) -> bytes:
    """The answer as it was before it was packed on the way; empty where that went wrong, or is larger than any is."""
    if exchange.packed not in _PACKED:
        return answer
    packing = zlib.decompressobj(_PACKED[exchange.packed])
    try:
        found = packing.decompress(answer, _LARGEST)
    except zlib.error:
        return b""
    return found if packing.eof else b""
