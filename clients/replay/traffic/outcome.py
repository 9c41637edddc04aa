"""What the hub answered to a packet, as the book has it: accepted, refused with which code, or nothing that counts."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clients.replay.traffic.file import Exchange
from hub.domain.rules import RULES
from hub.errors import PROBLEMS

_PASSING = {408, 425, 429}  # and all above 500
_NAMED = re.compile(r"\[([a-z0-9]+(?:-[a-z0-9]+)*)\]")  # a rule at the beginning of ErrorDesc
_GATEWAY_PASSING = "99"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``final``: the hub decided. ``code`` of a refusal, with the first rule broken: ``packet-refused/name-control``;
    "" when it was accepted. ``deliveries``: (id, code as addressed), which REST tells and the gateway does not."""

    final: bool
    code: str = ""
    deliveries: tuple[tuple[str, str], ...] = ()


_NOTHING = Outcome(False)


def outcome(exchange: Exchange, answer: bytes) -> Outcome:
    """Of a packet that was sent or a status that was reported."""
    status = exchange.status
    if exchange.lost or not status or status in _PASSING or status >= 500:
        return _NOTHING
    said = json_of(exchange, answer)
    if exchange.dialect == "gateway":
        return _of_gateway(status, said)
    if 200 <= status < 300:
        reached = said.get("deliveries")
        found = [each for each in reached if isinstance(each, dict)] if isinstance(reached, list) else []
        return Outcome(True, "", tuple((str(each.get("id", "")), str(each.get("to", ""))) for each in found))
    code = str(said.get("code") or f"http-{status}")
    broken = said.get("violations")
    rules = [
        str(each.get("rule"))
        for each in (broken if isinstance(broken, list) else ())
        if isinstance(each, dict) and each.get("severity") != "warning"
    ]
    return Outcome(True, f"{code}/{rules[0]}" if code == "packet-refused" and rules else code)


def _of_gateway(status: int, said: Mapping[str, Any]) -> Outcome:
    if not said:  # somebody on the way, who does not speak the dialect
        return Outcome(True, f"http-{status}") if status >= 400 else _NOTHING
    code = str(said.get("ErrorCode", ""))
    if code == "0" or (not code and said.get("status") == "OK"):
        return Outcome(True)
    if code == _GATEWAY_PASSING:
        return _NOTHING
    named = _NAMED.match(str(said.get("ErrorDesc", "")))
    if named and named[1] in PROBLEMS:
        return Outcome(True, named[1])
    if named and named[1] in RULES:
        return Outcome(True, f"packet-refused/{named[1]}")
    return Outcome(True, f"gateway-{code}")


def json_of(exchange: Exchange, answer: bytes) -> Mapping[str, Any]:
    """The JSON object of an answer; an empty one where there is none."""
    try:
        found = json.loads(unpacked(exchange, answer))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def unpacked(exchange: Exchange, answer: bytes) -> bytes:
    """The answer as it was before it was packed on the way; empty where that went wrong."""
    try:
        if exchange.packed == "gzip":
            return gzip.decompress(answer)
        if exchange.packed == "deflate":
            return zlib.decompress(answer)
    except (OSError, EOFError, zlib.error):
        return b""
    return answer
