"""Receipts: what the hub states of an acceptance, a hand-over or a status, signed, and bound to its log of evidence.

A receipt is a JWS (RFC 7515) in the compact form, signed with ES256 (RFC 7518 §3.4) by a key that its ``kid`` names.
Its payload is a JSON object: the *statement*, and beside it ``log``, which tells where it will be found:

* ``entry``: SHA-256 over a nonce of 16 bytes and the statement as RFC 8785 writes it. The log has this and nothing
  else of it, so whoever reads the log without the receipt does not learn who wrote to whom;
* ``leaf``: the hash of that entry in the tree (RFC 9162 §2.1.1);
* ``nonce``, ``origin`` (of the log, as its checkpoints name it) and ``by``: until when the hub promises to have it in.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from hub.domain.merkle import leaf_hash

TYPE = "lienthong-receipt+json"
PROMISE = timedelta(seconds=5)  # from the moment of the statement until it is in the log
NONCE = 16  # bytes
_LONGEST = 1024 * 1024  # characters of a receipt; one of a broadcast to 3,355 agencies has 90,000
_ALGORITHMS = ["ES256"]
_REGISTRY = jws.JWSRegistry(algorithms=_ALGORITHMS)
_REGISTRY.max_payload_length = _LONGEST
_ES256 = _REGISTRY.get_alg("ES256")

_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_PLAIN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

Statement = Mapping[str, str | list[str] | None]


class ReceiptError(ValueError):
    """It is no receipt, or not one of these keys; the text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Of a statement in the log."""

    origin: str
    nonce: bytes  # 16
    entry: bytes  # 32
    by: datetime

    @property
    def leaf(self) -> bytes:
        return leaf_hash(self.entry)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt whose signature and binding were found right. ``kid``: of the key that signed it."""

    statement: Statement
    place: Place
    kid: str


def canonical(statement: Statement) -> bytes:
    """RFC 8785, as far as texts, lists of them and null reach. Raises TypeError for anything else."""
    for value in statement.values():
        if value is None or isinstance(value, str):
            continue
        if not isinstance(value, list) or not all(isinstance(text, str) or text is None for text in value):
            raise TypeError(f"a statement has texts and lists of texts, not {value!r}")
    return _CANONICAL.encode(statement).encode()


def entry_of(statement: Statement, nonce: bytes) -> bytes:
    """What the log has of a statement: 32 bytes."""
    return hashlib.sha256(nonce + canonical(statement)).digest()


def place_of(statement: Statement, nonce: bytes, origin: str, at: datetime) -> Place:
    """Where a statement made ``at`` this moment will be."""
    return Place(origin, nonce, entry_of(statement, nonce), at + PROMISE)


def sign(statement: Statement, place: Place, key: ECKey) -> str:
    """The receipt. ``key``: P-256, with its ``kid``."""
    log = {
        "origin": place.origin, "entry": place.entry.hex(), "leaf": place.leaf.hex(), "nonce": place.nonce.hex(),
        "by": place.by.isoformat(),
    }  # fmt: skip
    payload = _PLAIN.encode({**statement, "log": log}).encode()
    # RFC 7515 §5.1. The library's own way to put it together takes twice as long as the signature.
    signed = b".".join((_header(key.kid), _base64(payload)))
    return b".".join((signed, _base64(_ES256.sign(signed, key)))).decode()


@lru_cache(maxsize=8)  # of the keys in use
def _header(kid: str | None) -> bytes:
    return _base64(_PLAIN.encode({"alg": "ES256", "kid": kid, "typ": TYPE}).encode())


def _base64(octets: bytes) -> bytes:
    return urlsafe_b64encode(octets).rstrip(b"=")


def read(receipt: str, keys: KeySet) -> Receipt:
    """The receipt, if one of ``keys`` signed it and the log's entry is of this statement. Raises ReceiptError."""
    if len(receipt) > _LONGEST:
        raise ReceiptError(f"longer than {_LONGEST} characters")
    signature = receipt.rpartition(".")[2]
    try:
        if urlsafe_b64encode(urlsafe_b64decode(signature + "==")).decode().rstrip("=") != signature:
            raise ReceiptError("its signature is not written as RFC 7515 §2 has it")  # else one text would have several
        found = jws.deserialize_compact(receipt, keys, registry=_REGISTRY)
    except ReceiptError:
        raise
    except (JoseError, ValueError, RecursionError) as fault:
        raise ReceiptError(f"not signed by a key that is known: {fault}") from None
    header = found.headers()
    if header.get("typ") != TYPE:
        raise ReceiptError(f"of the type {header.get('typ')!r}, not {TYPE}")
    try:
        payload: dict[str, Any] = json.loads(found.payload)
        log = payload.pop("log")
        place = Place(
            log["origin"], bytes.fromhex(log["nonce"]), bytes.fromhex(log["entry"]), datetime.fromisoformat(log["by"])
        )
        leaf, entry = bytes.fromhex(log["leaf"]), entry_of(payload, place.nonce)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise ReceiptError(f"signed, but no receipt: {fault!r}") from None
    if len(place.nonce) != NONCE:
        raise ReceiptError(f"signed, but its nonce has {len(place.nonce)} bytes, not {NONCE}")
    if entry != place.entry or leaf != place.leaf:
        raise ReceiptError("signed, but the log's entry is not of this statement")
    return Receipt(payload, place, str(header["kid"]))
