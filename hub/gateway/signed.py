"""The signed header of a call: who calls, and every argument of it.

The signature is an HMAC-SHA256 over the received bytes of ``XroadVnpt-sign-header``, and covers neither verb nor path
nor body. The single argument headers are not read: two of them may differ in case only, and may contradict the text
that was signed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import Refusal

_TEXT, _HASH = b"xroadvnpt-sign-header", b"xroadvnpt-hash-header"
_PREFIX = "XroadVnpt-"


@dataclass(frozen=True, slots=True)
class Signed:
    """What a call claims until its signature is checked. ``arguments`` without their prefix, keys as written."""

    arguments: Mapping[str, str]
    text: bytes
    hash: bytes

    @property
    def system_id(self) -> str:
        return self.arguments["systemid"]

    def is_by(self, secret: bytes) -> bool:
        """Whether who made it holds the secret; takes the same time wherever the two hashes differ."""
        made = hmac.new(secret, self.text, hashlib.sha256).hexdigest()
        return hmac.compare_digest(made.encode(), self.hash)


def read(headers: Iterable[tuple[bytes, bytes]]) -> Signed:
    """The signed header of a request, whose header names are in lower case. Raises ``gateway-signature``."""
    found: dict[bytes, list[bytes]] = {_TEXT: [], _HASH: []}
    for name, value in headers:
        if name in found:
            found[name].append(value)
    for name, values in found.items():
        if len(values) != 1:
            named = "XroadVnpt-" + name.decode().removeprefix("xroadvnpt-")
            raise _not_accepted(f"{named} phải có đúng một lần", f"{named} must be there once")
    (text,), (digest,) = found.values()
    arguments = _arguments(text)
    if not arguments.get("systemid"):
        raise _not_accepted("thiếu systemid", "systemid is missing")
    return Signed(arguments, text, digest)


def _arguments(text: bytes) -> dict[str, str]:
    try:
        pairs = json.loads(text.decode(), object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        raise _not_accepted("không phải JSON", "it is no JSON") from None
    if not isinstance(pairs, _Members):
        raise _not_accepted("không phải đối tượng JSON", "it is no JSON object")
    arguments: dict[str, str] = {}
    for name, value in pairs:
        key = name.removeprefix(_PREFIX)
        if key == name:
            continue
        if key in arguments:
            raise _not_accepted("một khóa có hai lần", "a key is there twice")
        if not isinstance(value, str) or not _is_plain(value):
            raise _not_accepted("giá trị phải là chuỗi ký tự", "values must be texts")
        arguments[key] = value
    return arguments


class _Members(list[tuple[str, Any]]):
    """A JSON object as it was written, with members that are there twice."""


def _is_plain(value: str) -> bool:
    """Neither half a character nor a NUL, which the databases cannot keep."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def _not_accepted(vi: str, why: str) -> Refusal:
    """Of what no client sends on purpose: letters broken on the way, or a request put together by hand."""
    repair = (
        "Chỉ dùng chữ không dấu trong tham số, hoặc endpoint không ghi cổng / ASCII arguments, or no port in endpoint"
    )
    return Refusal("gateway-signature", facts={"vi": vi, "why": why, "repair": repair})


def hash_file(packet: bytes) -> tuple[str, str]:
    """The two ways in which a packet's SHA-256 is written: byte by byte without leading zeros, as the vendor's client
    does, and as usual.
    """
    digest = hashlib.sha256(packet).digest()
    return "".join(f"{byte:x}" for byte in digest), digest.hex()
