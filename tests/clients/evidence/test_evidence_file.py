"""The file's one form: whatever byte is changed, added or moved, it is told."""

from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import replace
from zlib import crc32

import pytest
from builders.evidence import DOCUMENT, some_evidence

from clients.evidence import EvidenceError, packed, verify
from clients.evidence.container import MAX_PARTS, pack, unpack
from clients.evidence.file import FORMAT, manifest, parts_of, read
from clients.evidence.strict import written

EVIDENCE = some_evidence()
FILE = packed(EVIDENCE)
PARTS = parts_of(EVIDENCE)


def is_caught(octets: bytes) -> bool:
    """Told in words, by a step that failed."""
    found = verify(octets)
    return not found.holds and all(step.vi and step.en for step in found.steps)


def test_a_file_gives_back_what_it_was_made_of() -> None:
    assert read(unpack(FILE)) == EVIDENCE
    assert packed(read(unpack(FILE))) == FILE


def test_one_set_of_parts_has_one_file_whatever_their_order() -> None:
    assert pack(dict(reversed(PARTS.items()))) == FILE


def test_any_zip_program_opens_it() -> None:
    with zipfile.ZipFile(io.BytesIO(FILE)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == PARTS
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist()[:5] == ["manifest.json", "packet.xml", "receipts.json", "checkpoint", "keys.json"]


def test_every_single_changed_byte_of_the_file_is_caught() -> None:
    assert not is_caught(FILE)
    missed = []
    for at, byte in enumerate(FILE):
        for other in (byte ^ 1, byte ^ 0x20):  # another letter, the same letter in the other case
            changed = FILE[:at] + bytes([other]) + FILE[at + 1 :]
            if not is_caught(changed):
                missed.append((at, other))
    assert missed == []


def test_every_shortened_file_is_caught() -> None:
    assert [end for end in range(0, len(FILE), 7) if not is_caught(FILE[:end])] == []


# What somebody changes who sets the manifest right afterwards: it is signed by nobody.

_STRIDE = {"checkpoint": 1, "keys.json": 1}  # bytes; elsewhere each seventh is tried


# A changed certificate in a packet may be one of which the library warns.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("name", [name for name in PARTS if name != "manifest.json"])
def test_a_changed_byte_is_caught_though_the_manifest_was_set_right(name: str) -> None:
    part, missed = PARTS[name], []
    for at in range(0, len(part), _STRIDE.get(name, 7)):
        changed = {**PARTS, name: part[:at] + bytes([part[at] ^ 1]) + part[at + 1 :]}
        if not is_caught(pack({**changed, "manifest.json": manifest(DOCUMENT, changed)})):
            missed.append(at)
    assert missed == []


def test_a_part_left_out_or_added_is_caught_unless_the_manifest_says_so_too() -> None:
    report = next(name for name in PARTS if name.startswith("acknowledgements/"))
    fewer = {name: octets for name, octets in PARTS.items() if name != report}
    assert is_caught(pack(fewer))
    assert is_caught(pack({**PARTS, "acknowledgements/" + "0" * 24 + ".xml": PARTS[report]}))
    missing = verify(pack({**fewer, "manifest.json": manifest(DOCUMENT, fewer)}))
    assert missing.holds  # the hub's receipt is still there
    assert "1 status packets are not in the file" in missing.steps[10].en


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("manifest.json", b"[" * 200_000),
        ("manifest.json", b"\xff"),
        ("manifest.json", PARTS["manifest.json"].replace(b'"document":', b'"document": ')),
        ("manifest.json", PARTS["manifest.json"].replace(FORMAT.encode(), b"lienthong-evidence/2")),
        ("manifest.json", PARTS["manifest.json"].replace(b'{"document"', b'{"a":1,"document"')),
        ("receipts.json", b"{}"),
        ("receipts.json", b"[1]"),
        ("receipts.json", written([{"index": True, "kind": "accept", "proof": [], "receipt": "x"}])),
        ("receipts.json", written([{"index": -1, "kind": "accept", "proof": [], "receipt": "x"}])),
        ("receipts.json", written([{"index": 1, "kind": "other", "proof": [], "receipt": "x"}])),
        ("receipts.json", written([{"index": 1, "kind": "accept", "proof": ["AB" * 32], "receipt": "x"}])),
        ("receipts.json", written([])),
        ("receipts.json", b'[{"index":NaN,"kind":"accept","proof":[],"receipt":"x"}]'),
        ("keys.json", b'{"jwks":{"keys":[]},"log":[]}'),
        ("keys.json", PARTS["keys.json"].replace(b'"kid"', b'"use":"sig","kid"')),
        ("keys.json", PARTS["keys.json"].replace(b'"kty":"EC"', b'"kty":"OKP"')),
        ("keys.json", PARTS["keys.json"].replace(b'"kty":"EC"', b'"kty":1')),
        ("checkpoint", b""),
        ("packet.xml", b""),
        ("packet.xml", b"<a/>"),
        ("certificates/root-1.pem", b"no certificate"),
        ("acknowledgements/" + "0" * 24 + ".xml", b"<a/>"),
    ],
)
def test_a_part_that_is_not_one_is_told_in_words(name: str, octets: bytes) -> None:
    changed = {**PARTS, name: octets}
    if name != "manifest.json":
        changed["manifest.json"] = manifest(DOCUMENT, changed)
    assert octets != PARTS.get(name)
    assert is_caught(pack(changed))


def test_two_receipts_for_one_place_and_others_out_of_order_are_caught() -> None:
    first, second, *rest = EVIDENCE.entries
    assert is_caught(packed(replace(EVIDENCE, entries=(second, first, *rest))))
    assert is_caught(packed(replace(EVIDENCE, entries=(first, first, second, *rest))))


def test_a_key_has_one_spelling() -> None:
    """The last character of 32 bytes in Base64 has two bits that say nothing."""
    [key] = EVIDENCE.keys.receipts
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(key["x"][-1]) + 1]
    changed = {**PARTS, "keys.json": PARTS["keys.json"].replace(key["x"].encode(), (key["x"][:-1] + other).encode())}
    found = verify(pack({**changed, "manifest.json": manifest(DOCUMENT, changed)}))
    assert "a key cannot be used" in found.steps[-1].en


# Hostile containers.


def a_zip(*entries: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, octets in entries:
            archive.writestr(zipfile.ZipInfo(name), octets, method)
    return target.getvalue()


def an_entry(name: bytes, octets: bytes = b"", size: int | None = None) -> bytes:
    """A local entry, whatever it says of its size."""
    said = len(octets) if size is None else size
    head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 10, 0, 0, 0, 33, crc32(octets), said, said, len(name), 0)
    return head + name + octets


def encrypted(octets: bytes) -> bytes:
    """General purpose bit 0, in both places."""
    central = octets.index(b"PK\1\2")
    changed = bytearray(octets)
    changed[6] |= 1
    changed[central + 8] |= 1
    return bytes(changed)


def a_million() -> bytes:
    """A million entries, and what a reader finds who begins at the end."""
    count = 1_000_000
    listed = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 10, 10, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, count * len(listed), 31, 0)
    return b"".join(an_entry(f"acknowledgements/{n:024x}.xml".encode()) for n in range(count)) + listed * 1000 + end


HOSTILE = {
    "compressed": a_zip(*PARTS.items(), method=zipfile.ZIP_DEFLATED),
    "bomb": a_zip(*[*PARTS.items(), ("revocation/1.crl", bytes(50_000_000))], method=zipfile.ZIP_DEFLATED),
    "said to be large": an_entry(b"packet.xml", b"x", size=0xFFFF_FFFE),
    "zip64": an_entry(b"packet.xml", b"x", size=0xFFFF_FFFF),
    "up": a_zip(*PARTS.items(), ("../packet.xml", b"x")),
    "absolute": a_zip(*PARTS.items(), ("/etc/passwd", b"x")),
    "up within": a_zip(*PARTS.items(), ("certificates/../packet.xml", b"x")),
    "a line more": a_zip(*PARTS.items(), ("revocation/1.crl\n", b"x")),
    "a name not in ASCII": a_zip(*PARTS.items(), ("gói.xml", b"x")),
    "the same twice": an_entry(b"packet.xml", b"x") + an_entry(b"packet.xml", b"x") + FILE,
    "before": b"#!/bin/sh\n" + FILE,
    "after": FILE + b"\0",
    "comment": FILE[:-2] + b"\1\0x",
    "encrypted": encrypted(FILE),
    "made by another program": a_zip(*PARTS.items()),
    "twice": FILE + FILE,
    "empty": b"",
    "empty zip": a_zip(),
    "no zip": b"%PDF-1.7\n" * 100,
    "a head alone": b"PK\3\4",
    "noise": bytes(range(256)) * 4000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_another_container_is_told_in_words(name: str) -> None:
    found = verify(HOSTILE[name])
    assert not found.holds
    assert [step.number for step in found.steps] == [1]


def test_a_million_entries_are_given_up_early() -> None:
    with pytest.raises(EvidenceError, match=str(MAX_PARTS)):
        unpack(a_million())
