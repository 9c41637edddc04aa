"""The parts of an evidence file, in both directions. docs/evidence.md has them as a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from clients.evidence.container import (
    ACKNOWLEDGEMENT,
    CERTIFICATE,
    CHECKPOINT,
    KEYS,
    MANIFEST,
    PACKET,
    RECEIPTS,
    REVOCATION,
    TIMESTAMP,
    pack,
)
from clients.evidence.keys import Keys, keys_of
from clients.evidence.strict import EvidenceError, loaded, members, of_type, texts, written

FORMAT = "lienthong-evidence/1"
KINDS = ("accept", "handover", "status")
_ID = re.compile("[0-9a-f]{24}")
_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A receipt, and where its leaf stands in the tree of the checkpoint."""

    kind: str  # one of KINDS
    index: int
    receipt: str  # JWS
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A checkpoint of ``size`` leaves, what an authority signed over it (RFC 3161), and the proof that the tree of the
    file's checkpoint begins with its tree."""

    size: int
    checkpoint: bytes
    token: bytes = field(repr=False)
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a file holds. ``document`` is the hub's id; ``entries`` are in the order of their index.

    ``acknowledgements`` are status packets by the hub's id of the report; ``certificates`` (PEM) and ``revocation``
    (DER) by the names of their parts; ``timestamps`` are in the order of their size.
    """

    document: str
    packet: bytes = field(repr=False)
    entries: tuple[Entry, ...]
    checkpoint: bytes
    keys: Keys
    acknowledgements: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    certificates: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    revocation: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    timestamps: tuple[Timestamp, ...] = ()


def packed(evidence: Evidence) -> bytes:
    """The file. Raises ``EvidenceError`` above the limits of a container."""
    return pack(parts_of(evidence))


def parts_of(evidence: Evidence) -> dict[str, bytes]:
    """The parts by name."""
    entries = [
        {"kind": one.kind, "index": one.index, "receipt": one.receipt, "proof": [hash_.hex() for hash_ in one.proof]}
        for one in evidence.entries
    ]
    parts = {
        PACKET: evidence.packet,
        RECEIPTS: written(entries),
        CHECKPOINT: evidence.checkpoint,
        KEYS: evidence.keys.octets,
        **{f"acknowledgements/{report}.xml": packet for report, packet in evidence.acknowledgements.items()},
        **evidence.certificates,
        **evidence.revocation,
        **{name: part for one in evidence.timestamps for name, part in _parts_of_timestamp(one).items()},
    }
    return {**parts, MANIFEST: manifest(evidence.document, parts)}


def _parts_of_timestamp(one: Timestamp) -> dict[str, bytes]:
    parts = {"checkpoint": one.checkpoint, "json": written([hash_.hex() for hash_ in one.proof]), "token": one.token}
    return {f"timestamps/{one.size}.{ending}": part for ending, part in parts.items()}


def manifest(document: str, parts: Mapping[str, bytes]) -> bytes:
    """``manifest.json`` over the other parts."""
    digests = {name: sha256(octets).hexdigest() for name, octets in parts.items() if name != MANIFEST}
    return written({"format": FORMAT, "document": document, "files": digests})


def read(parts: Mapping[str, bytes]) -> Evidence:
    """The evidence of parts that :func:`clients.evidence.container.unpack` gave. Raises ``EvidenceError``.

    The manifest is compared with the parts; nothing is known yet of who signed what.
    """
    found = loaded(MANIFEST, parts[MANIFEST])
    form, document, _ = members(MANIFEST, found, "format", "document", "files")
    if form != FORMAT:
        raise EvidenceError(f"định dạng {form!r:.60}, không phải {FORMAT}", f"the format is {form!r:.60}, not {FORMAT}")
    if not _ID.fullmatch(of_type(MANIFEST, document, str)):
        raise EvidenceError(f"mã văn bản {document!r:.60}", f"the document's id is {document!r:.60}")
    if manifest(document, parts) != parts[MANIFEST]:
        raise EvidenceError("bản kê không khớp với các phần", "the manifest is not that of the parts")
    return Evidence(
        document,
        parts[PACKET],
        _entries(parts[RECEIPTS]),
        parts[CHECKPOINT],
        keys_of(parts[KEYS]),
        {match[1]: octets for name, octets in parts.items() if (match := ACKNOWLEDGEMENT.fullmatch(name))},
        {name: octets for name, octets in parts.items() if CERTIFICATE.fullmatch(name)},
        {name: octets for name, octets in parts.items() if REVOCATION.fullmatch(name)},
        _timestamps(parts),
    )


def _timestamps(parts: Mapping[str, bytes]) -> tuple[Timestamp, ...]:
    found: dict[int, dict[str, bytes]] = {}
    for name, octets in parts.items():
        match = TIMESTAMP.fullmatch(name)
        if match is not None:
            found.setdefault(int(match[1]), {})[match[2]] = octets
    made = []
    for size, part in sorted(found.items()):
        name = f"timestamps/{size}.json"
        if len(part) < 3:
            raise EvidenceError(
                f"{name}, .checkpoint, .token: thiếu một", f"{name}, .checkpoint, .token: one is missing"
            )
        hashes = texts(name, loaded(name, part["json"]))
        if not all(_HASH.fullmatch(one) for one in hashes):
            raise EvidenceError(f"{name}: chứng minh sai", f"{name}: the proof is none")
        made.append(Timestamp(size, part["checkpoint"], part["token"], tuple(map(bytes.fromhex, hashes))))
    return tuple(made)


def _entries(octets: bytes) -> tuple[Entry, ...]:
    entries = tuple(_entry(item) for item in of_type(RECEIPTS, loaded(RECEIPTS, octets), list))
    indexes = [entry.index for entry in entries]
    if indexes != sorted(set(indexes)):
        raise EvidenceError("biên nhận không theo thứ tự", "the receipts are not in the order of their index")
    return entries


def _entry(item: Any) -> Entry:
    kind, index, receipt, proof = members(RECEIPTS, item, "kind", "index", "receipt", "proof")
    hashes = texts(RECEIPTS, proof)
    if kind not in KINDS or not all(_HASH.fullmatch(one) for one in hashes):
        raise EvidenceError(f"{RECEIPTS}: loại hoặc chứng minh sai", f"{RECEIPTS}: a kind or proof is not one")
    return Entry(
        kind,
        of_type(RECEIPTS, index, int),
        of_type(RECEIPTS, receipt, str),
        tuple(bytes.fromhex(one) for one in hashes),
    )
