"""What the log signs: its size and root (C2SP tlog-checkpoint) as a note under Ed25519 keys (C2SP signed-note).

A note has one spelling: what is read here gives the same bytes when it is written again. Its text counts for nothing
before a known key's signature was verified.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.domain.merkle import HASH_LENGTH, MAX_SIZE

MAX_NOTE = 1_000_000  # bytes; room for far more than the 16 signatures that must be accepted
_ED25519 = b"\x01"  # signed-note: the type of an Ed25519 signature over the text itself
_SIZE = re.compile("0|[1-9][0-9]{0,12}")
_LINE = re.compile("[^\x00-\x1f\ud800-\udfff]+")  # no control character, and nothing that UTF-8 does not have
_NAME = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]+")
_SIGNATURE = re.compile(f"— (?P<name>{_NAME.pattern}) (?P<signature>[A-Za-z0-9+/=]+)")


class CheckpointError(ValueError):
    """A checkpoint, note or verifier key that is not written as it must be, or that no known key signed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: which log, how many leaves, the root over them.

    ``extensions`` are further lines, which no auditor of the log can check; the hub writes none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(_LINE.fullmatch(line) for line in (self.origin, *self.extensions)):
            raise CheckpointError("a line of the checkpoint is empty or has control characters")
        if not 0 <= self.size <= MAX_SIZE:
            raise CheckpointError(f"a tree of {self.size} leaves is out of bounds")
        if len(self.root) != HASH_LENGTH:
            raise CheckpointError(f"the root is not {HASH_LENGTH} bytes long")

    @property
    def text(self) -> str:
        """What is signed (tlog-checkpoint, "Note text")."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key that notes are verified with: its name, and the 32 bytes of the Ed25519 public key (RFC 8032)."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise CheckpointError("the name of a key is not empty and has no space and no plus sign")
        if len(self.public) != 32:
            raise CheckpointError("an Ed25519 public key is 32 bytes long")

    @property
    def id(self) -> bytes:
        """Four bytes; they find the key, they do not prove it."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """``name+id+key``, as log tools take it."""
        return f"{self.name}+{self.id.hex()}+{b64encode(_ED25519 + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that notes are signed with, and its name; a log's is its origin."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())


def verifier_key(text: str) -> VerifierKey:
    """Reads ``name+id+key``; raises ``CheckpointError`` for another form, another type, or an id of another key."""
    name, _, rest = text.partition("+")
    _, _, encoded = rest.partition("+")
    key = VerifierKey(name, _base64(encoded)[1:])
    if key.text != text:
        raise CheckpointError("the verifier key is not the name, the id and the Ed25519 key that belong together")
    return key


def read(text: str) -> Checkpoint:
    """A checkpoint from a note's text; raises ``CheckpointError``. Nothing is known yet of who wrote it."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise CheckpointError("a checkpoint has at least three lines, each ended by a line feed")
    origin, size, root, *extensions = lines
    if not _SIZE.fullmatch(size):
        raise CheckpointError("the tree size is not a decimal number without leading zeros")
    return Checkpoint(origin, int(size), _base64(root), tuple(extensions))


def sign(checkpoint: Checkpoint, keys: Sequence[SigningKey]) -> bytes:
    """The checkpoint as a signed note, with one signature by each key (at least one) in their order."""
    return sign_note(checkpoint.text, keys)


def verify(note: bytes, keys: Iterable[VerifierKey], origin: str) -> Checkpoint:
    """The checkpoint of the log ``origin``; raises ``CheckpointError`` unless one of ``keys`` signed it.

    The origin is asked for because one key may serve two logs.
    """
    checkpoint = read(open_note(note, keys))
    if checkpoint.origin != origin:
        raise CheckpointError(f"the checkpoint is of the log {checkpoint.origin!r}, not {origin!r}")
    return checkpoint


def sign_note(text: str, keys: Sequence[SigningKey]) -> bytes:
    """Signs a text that ends in a line feed; raises ``CheckpointError`` for one that cannot be a note's."""
    if not keys:
        raise CheckpointError("a note has at least one signature")
    _require_text(text)
    lines = []
    for key in keys:
        signature = key.verifier.id + key.private.sign(text.encode())
        lines.append(f"— {key.name} {b64encode(signature).decode()}\n")
    return f"{text}\n{''.join(lines)}".encode()


def open_note(note: bytes, keys: Iterable[VerifierKey]) -> str:
    """The text of a note that at least one of ``keys`` signed; raises ``CheckpointError`` otherwise.

    Signatures by other keys are skipped: that lets a log change its key and witnesses add theirs. A wrong signature
    under a known name and id refuses the whole note.
    """
    text, signatures = _parts(note)
    known = tuple(keys)
    verified = False
    for name, key_id, signature in signatures:
        for key in known:
            if (key.name, key.id) == (name, key_id):
                _require_signature(key, signature, text)
                verified = True
    if not verified:
        raise CheckpointError("no known key signed the note")
    return text


def _parts(note: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """A note's text, and of each signature the key's name, its id and the bytes."""
    if len(note) > MAX_NOTE:
        raise CheckpointError(f"a note of {len(note)} bytes, above {MAX_NOTE}")
    try:
        whole = note.decode()
    except UnicodeDecodeError as fault:
        raise CheckpointError("the note is not UTF-8") from fault
    # The text may have empty lines; the last one is the border.
    text, border, rest = whole.rpartition("\n\n")
    lines = rest.split("\n")
    if not border or lines.pop():
        raise CheckpointError("a note is a text, an empty line and signatures, each line ended by a line feed")
    text += "\n"
    _require_text(text)
    signatures = []
    for line in lines:
        match = _SIGNATURE.fullmatch(line)
        signature = _base64(match["signature"]) if match else b""
        if match is None or len(signature) < 5:
            raise CheckpointError("a signature line is not: em dash, name of the key, id and signature in base64")
        signatures.append((match["name"], signature[:4], signature[4:]))
    return text, signatures


def _require_text(text: str) -> None:
    if not text.endswith("\n") or not all(_LINE.fullmatch(line) for line in text.split("\n") if line):
        raise CheckpointError("the text does not end in a line feed or has control characters")


def _require_signature(key: VerifierKey, signature: bytes, text: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text.encode())
    except InvalidSignature as fault:
        raise CheckpointError(f"the signature of {key.name} is wrong") from fault


def _base64(text: str) -> bytes:
    """RFC 4648 §4 with its one spelling: padded, no bits set behind the data, nothing between."""
    try:
        data = b64decode(text, validate=True)
    except ValueError as fault:
        raise CheckpointError("base64 is broken") from fault
    if b64encode(data).decode() != text:
        raise CheckpointError("base64 is not in its one form")
    return data
