"""The hub's own keys: made on first use, kept encrypted with the key file, followed by newer ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from joserfc.jwk import ECKey
from sqlalchemy import Connection

from hub.domain.checkpoint import SigningKey
from hub.errors import Refusal
from hub.exchange import audit
from hub.exchange.notary import Notary
from hub.exchange.writer import Transaction, each
from hub.store import evidence
from hub.store.ids import chance

log = structlog.get_logger()
RECEIPT, LOG = "receipt", "log"


@dataclass(frozen=True, slots=True)
class Begin:
    """``origin``: the name of a log that is begun with this; "" for one of chance. ``anew``: the key file is a new one,
    the one before is lost; the audit names ``by`` for it."""

    vault: Fernet
    origin: str
    anew: bool = False
    by: str = ""


@each
def begin(tx: Transaction, job: Begin) -> Notary:
    """The notary with the newest keys; a hub that has none gets them, and its log a name.

    So does, with ``anew``, one whose keys another key file encrypted: what they signed stays good, and whoever watches
    the log sees that it goes on under a new key. Raises ``key-file-unusable`` for such a file without it.
    """
    head = evidence.head(tx.connection)
    if head is None:
        evidence.begin(tx.connection, job.origin or f"lienthong/{chance(4)}")
    for purpose in (RECEIPT, LOG):
        rows = evidence.keys(tx.connection, purpose)
        if not rows or (job.anew and not _is_readable(rows[0]["sealed"], job.vault)):
            _make(tx, job.vault, purpose)
            if rows:
                log.warning("signing-key-unreadable", purpose=purpose, repair="a new one signs from now on")
                if job.by:
                    audit.note(tx, job.by, "keys-anew", purpose)
    return notary(tx.connection, job.vault)


@each
def renew(tx: Transaction, vault: Fernet) -> Notary:
    """New keys for receipts from now on. The keys before stay published: what they signed stays good.

    The log keeps its key, by which whoever watches it knows it.
    """
    _make(tx, vault, RECEIPT)
    return notary(tx.connection, vault)


def notary(connection: Connection, vault: Fernet) -> Notary:
    """With the newest keys there are. Raises ``key-file-unusable`` for a vault that did not seal them."""
    head = evidence.head(connection)
    newest = {purpose: evidence.keys(connection, purpose)[0] for purpose in (RECEIPT, LOG)}
    assert head is not None
    try:
        opened = {purpose: load_der_private_key(vault.decrypt(row["sealed"]), None) for purpose, row in newest.items()}
    except InvalidToken:
        why = "it did not encrypt this hub's keys (if the one that did is lost for good: hub keys --anew)"
        raise Refusal("key-file-unusable", facts={"path": "secrets.key", "why": why}) from None
    signs, seals = opened[RECEIPT], opened[LOG]
    assert isinstance(signs, ec.EllipticCurvePrivateKey)
    assert isinstance(seals, Ed25519PrivateKey)
    kid = json.loads(newest[RECEIPT]["public"])["kid"]
    return Notary(head["origin"], ECKey.import_key(signs, {"kid": kid}), SigningKey(head["origin"], seals))


def is_renewed(connection: Connection, known: Notary) -> bool:
    """Whether there is a newer key for receipts than this notary's."""
    assert known.receipts is not None
    return bool(json.loads(evidence.keys(connection, RECEIPT)[0]["public"])["kid"] != known.receipts.kid)


def jwks(connection: Connection) -> dict[str, Any]:
    """All keys of receipts, the newest first (RFC 7517)."""
    return {"keys": [json.loads(row["public"]) for row in evidence.keys(connection, RECEIPT)]}


def verifier_keys(connection: Connection) -> list[str]:
    """Of the log's checkpoints, as log tools take them."""
    return [row["public"] for row in evidence.keys(connection, LOG)]


def _is_readable(sealed: bytes, vault: Fernet) -> bool:
    try:
        vault.decrypt(sealed)
    except InvalidToken:
        return False
    return True


def _make(tx: Transaction, vault: Fernet, purpose: str) -> None:
    private: ec.EllipticCurvePrivateKey | Ed25519PrivateKey
    if purpose == RECEIPT:
        private = ec.generate_private_key(ec.SECP256R1())
        key = ECKey.import_key(private)
        public = json.dumps({**key.as_dict(private=False), "kid": key.thumbprint(), "alg": "ES256", "use": "sig"})
        named = key.thumbprint()
    else:
        head = evidence.head(tx.connection)
        assert head is not None
        private = Ed25519PrivateKey.generate()
        public = named = SigningKey(head["origin"], private).verifier.text
    plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    row = {"purpose": purpose, "public": public, "sealed": vault.encrypt(plain), "made_at": tx.now}
    evidence.add_key(tx.connection, row)
    log.info("signing-key", purpose=purpose, key=named)
