"""From what a hub answers to the evidence of a document."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterable
from typing import Any

from clients.evidence.file import Entry, Evidence, Timestamp
from clients.evidence.grounds import Signer, parts_of
from clients.evidence.keys import Keys, jwk_of
from clients.evidence.strict import EvidenceError
from clients.hub_client import Evidence as Answered
from hub.domain.checkpoint import CheckpointError, open_note, verifier_key


class EarlyError(EvidenceError):
    """A receipt is not in the log yet; it will be within seconds."""


def collect(document: str, answered: Answered, signers: Iterable[Signer] = (), known: Iterable[bytes] = ()) -> Evidence:
    """The evidence of the document with this id of the hub's, with those of the hub's keys that signed something in it,
    the certificates of its ``signers``, and what these rest on of what is ``known`` of authorities (DER).

    Raises ``EarlyError`` while a receipt is not in the log yet, ``EvidenceError`` for an answer that is not a hub's.
    """
    early = sum(item["proof"] is None for item in answered.items)
    if early or answered.checkpoint is None or not answered.items:
        raise EarlyError(
            f"{early} biên nhận chưa vào sổ, hãy làm lại sau vài giây",
            f"{early} receipts are not in the log yet, repeat it in some seconds",
        )
    note = answered.checkpoint.encode()
    try:
        entries = [_entry(item) for item in answered.items]
        used = {_kid(entry.receipt) for entry in entries}
        receipts = tuple(jwk_of(key) for key in answered.jwks["keys"] if key["kid"] in used)
        stamped = tuple(map(_timestamp, answered.timestamps))
        notes = [note, *(one.checkpoint for one in stamped)]
        published = map(verifier_key, answered.log_keys)
        log = tuple(key for key in published if any(_signed(each, key) for each in notes))
    except (KeyError, TypeError, ValueError) as fault:  # with those of wrong keys
        raise EvidenceError(f"câu trả lời của trục: {fault}", f"the hub's answer: {fault}") from None
    return Evidence(
        document,
        answered.packet,
        tuple(sorted(entries, key=lambda entry: entry.index)),
        note,
        Keys(receipts, log),
        answered.reports,
        *parts_of(signers, known),
        timestamps=stamped,
    )


def _entry(item: dict[str, Any]) -> Entry:
    proof = tuple(bytes.fromhex(one) for one in item["proof"])
    return Entry(item["kind"], int(item["index"]), str(item["receipt"]), proof)


def _timestamp(item: dict[str, Any]) -> Timestamp:
    token = b64decode(item["token"], validate=True)
    proof = tuple(bytes.fromhex(one) for one in item["proof"])
    return Timestamp(int(item["size"]), str(item["checkpoint"]).encode(), token, proof)


def _kid(receipt: str) -> str:
    """Of the key that a receipt says it was signed with."""
    head = receipt.partition(".")[0]
    return str(json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])


def _signed(note: bytes, key: Any) -> bool:
    try:
        open_note(note, [key])
    except CheckpointError:
        return False
    return True
