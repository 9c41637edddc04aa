"""The keys a hub signs with: P-256 for receipts (RFC 7517), Ed25519 for checkpoints (C2SP signed-note).

In the file they stand in one form. Those a verifier trusts (*pinned*) are read as the hub gives them.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from clients.evidence.container import KEYS
from clients.evidence.strict import EvidenceError, loaded, members, of_type, texts, written
from hub.domain.checkpoint import CheckpointError, VerifierKey, verifier_key

_MEMBERS = ("crv", "kid", "kty", "x", "y")


@dataclass(frozen=True, slots=True)
class Keys:
    """``receipts``: JWKs with the members crv, kid, kty, x, y; ``roots``: of certificates, only where pinned."""

    receipts: tuple[Mapping[str, str], ...]
    log: tuple[VerifierKey, ...]
    roots: tuple[x509.Certificate, ...] = ()

    @property
    def key_set(self) -> KeySet:
        return KeySet([ECKey.import_key(dict(key)) for key in self.receipts])

    @property
    def thumbprints(self) -> tuple[str, ...]:
        """RFC 7638, of the receipts' keys."""
        return tuple(ECKey.import_key(dict(key)).thumbprint() for key in self.receipts)

    @property
    def octets(self) -> bytes:
        """``keys.json``."""
        return written({"jwks": {"keys": [dict(key) for key in self.receipts]}, "log": [key.text for key in self.log]})


def keys_of(octets: bytes) -> Keys:
    """Those of ``keys.json``. Raises ``EvidenceError`` for another form, and for keys that are none."""
    jwks, log = members(KEYS, loaded(KEYS, octets), "jwks", "log")
    (listed,) = members(KEYS, jwks, "keys")
    receipts = tuple(jwk_of(key) for key in of_type(KEYS, listed, list))
    if list(receipts) != listed or len({key["kid"] for key in receipts}) != len(receipts):
        raise _unusable("keys")
    return Keys(receipts, tuple(_log_key(text) for text in texts(KEYS, log)))


def pinned_keys(files: Iterable[bytes]) -> Keys:
    """The keys of files as a hub gives them: a JWKS, or verifier keys line by line; ``keys.json`` of an evidence file
    that is trusted; roots of certificates in PEM. Raises ``EvidenceError``."""
    receipts: list[Mapping[str, str]] = []
    log: list[VerifierKey] = []
    roots: list[x509.Certificate] = []
    for octets in files:
        try:
            text = octets.decode().strip()
            if text.startswith("-----BEGIN"):
                roots += x509.load_pem_x509_certificates(octets)
                continue
            found = json.loads(text) if text.startswith("{") else {"log": text.splitlines()}
            receipts += [jwk_of(key) for key in found.get("jwks", found).get("keys", [])]
            log += [_log_key(line) for line in found.get("log", [])]
        except (ValueError, TypeError, AttributeError, RecursionError) as fault:
            raise fault if isinstance(fault, EvidenceError) else _unusable(fault) from None
    return Keys(tuple(receipts), tuple(log), tuple(roots))


def jwk_of(key: Any) -> dict[str, str]:
    """The JWK with the members that make it, and no others. Raises ``EvidenceError`` for one not of P-256."""
    try:
        made = {member: of_type(KEYS, key[member], str) for member in _MEMBERS}
        # Of Base64 in 43 characters the last has two bits to spare: one key would have four spellings.
        if not all(_is_plain(made[member]) for member in ("x", "y")) or (made["kty"], made["crv"]) != ("EC", "P-256"):
            raise _unusable(made["kid"])
        _ = ECKey.import_key(dict(made)).public_key  # a point that is on the curve
    except (KeyError, TypeError, ValueError, JoseError) as fault:
        raise fault if isinstance(fault, EvidenceError) else _unusable(fault) from None
    return made


def _is_plain(text: str) -> bool:
    octets = urlsafe_b64decode(text + "=")
    return len(octets) == 32 and urlsafe_b64encode(octets).decode().rstrip("=") == text


def _log_key(text: str) -> VerifierKey:
    try:
        return verifier_key(text)
    except CheckpointError as fault:
        raise _unusable(fault) from None


def _unusable(what: object) -> EvidenceError:
    return EvidenceError(f"khóa không dùng được ({what!s:.100})", f"a key cannot be used ({what!s:.100})")
