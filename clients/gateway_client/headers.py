"""The header lines of a call: keys in the order of Java's hash map, the JSON over them, and its signature (§2)."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from hub.domain.document import VIETNAM

_ENDS_A_LINE = re.compile(r"[\0\n\v\f\r]")  # or, for NUL, is refused by h11

Lines = list[tuple[str, str]]


def timestamp(moment: datetime) -> str:
    """``ddMMyyyy'T'HHmmss+SSSS`` in Vietnam's time; what looks like a zone are milliseconds (§2.1)."""
    moment = moment.astimezone(VIETNAM)
    return f"{moment:%d%m%YT%H%M%S}+{moment.microsecond // 1000:04}"


def hash_file(packet: bytes) -> str:
    """SHA-256 in hex as the Java client writes it: bytes below 16 have one digit (§2.5)."""
    return "".join(f"{octet:x}" for octet in hashlib.sha256(packet).digest())


def signed_headers(values: Mapping[str, str], secret: str) -> Lines:
    """The header lines for a map of headers, in the order of the wire; ``values`` in the order of their first use.

    The signature is HMAC-SHA256 over the JSON (§2.3), where every value stands as it is. In a value's own line a blank
    takes the place of what would end the line, as in Apache HttpClient.
    """
    order = hash_map_order(values)
    lines: Lines = []
    for key in order:
        value = _ENDS_A_LINE.sub(" ", values[key]).strip(" \t")
        if key == "Content-Type":
            lines.append((key, value))
        lines.append((f"XroadVnpt-{key}", value))
    signed = compact({f"XroadVnpt-{key}": values[key] for key in order})
    return [
        *lines,
        ("XroadVnpt-sign-header-key", ";".join(order)),
        ("XroadVnpt-sign-header", signed),
        ("XroadVnpt-hash-header", hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()),
        ("User-Agent", "JAVASDKAgent/1.0.0 XRoad/VPCP"),
        ("XroadVnpt-version", "3.0.201608"),
    ]


def hash_map_order(keys: Iterable[str]) -> list[str]:
    """The order in which ``java.util.HashMap`` gives back distinct keys that were put in this order.

    A table of 16 buckets doubles when more than three quarters of it are taken; within a bucket keys stay in the order
    they came, through every doubling. A bucket of nine becomes a tree: no keys of this dialect go that far.
    """
    keys = list(keys)
    buckets = 16
    while len(keys) > buckets * 3 // 4:
        buckets *= 2
    return sorted(keys, key=lambda key: _spread(key) % buckets)


@lru_cache(maxsize=1024)  # the dialect has few keys, and every call has most of them
def _spread(key: str) -> int:
    """``HashMap.hash``: ``String.hashCode``, over UTF-16 units, with its upper half mixed into the lower."""
    code = 0
    units = key.encode("utf-16-be")
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + (high << 8 | low)) & 0xFFFFFFFF
    return code ^ code >> 16


def compact(value: Any) -> str:
    """JSON as Gson 2.2 writes it (§2.3)."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def with_apache_headers(lines: Lines, host: str, length: int | None) -> Lines:
    """As Apache HttpClient sends them; ``length``: bytes of the body, None for a GET."""
    sized = [] if length is None else [("Content-Length", str(length))]
    return [*lines, *sized, ("Host", host), ("Connection", "Keep-Alive"), ("Accept-Encoding", "gzip,deflate")]


def with_jdk_headers(lines: Lines, host: str, length: int) -> Lines:
    """As ``HttpURLConnection`` sends them: Content-Type first, and of names that differ in case only the first name,
    with the last value."""
    kept = {"content-type": ("Content-Type", "")}
    for name, value in lines:
        kept[name.lower()] = (kept.get(name.lower(), (name,))[0], value)
    return [
        *kept.values(),
        ("Cache-Control", "no-cache"),
        ("Pragma", "no-cache"),
        ("Host", host),
        ("Accept", "text/html, image/gif, image/jpeg, */*; q=0.2"),
        ("Connection", "keep-alive"),
        ("Content-Length", str(length)),
    ]
