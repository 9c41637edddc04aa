"""The container: a ZIP (PKWARE APPNOTE 6.3) of which every byte follows from the parts.

Entries are stored, in one order, of 1 January 1980 and without attributes, extra fields or comments. Reading takes the
parts from front to back, writes the container again and compares: whatever else it might say is refused.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from zlib import crc32

from clients.evidence.strict import EvidenceError

MAX_FILE = 256 * 1024 * 1024  # bytes; a packet has 50 MiB, the status packets of 3,355 recipients about as much
MAX_PARTS = 50_000
MANIFEST, PACKET, RECEIPTS, CHECKPOINT, KEYS = REQUIRED = (
    "manifest.json", "packet.xml", "receipts.json", "checkpoint", "keys.json",
)  # fmt: skip
ACKNOWLEDGEMENT = re.compile(r"acknowledgements/([0-9a-f]{24})\.xml")
CERTIFICATE = re.compile(r"certificates/(root|intermediate|signer)-[1-9][0-9]{0,3}\.pem")
REVOCATION = re.compile(r"revocation/[1-9][0-9]{0,3}\.(crl|ocsp)")
TIMESTAMP = re.compile(r"timestamps/([1-9][0-9]{0,12})\.(checkpoint|json|token)")

_FOLDERS = (ACKNOWLEDGEMENT, CERTIFICATE, REVOCATION, TIMESTAMP)
_VERSION, _DATE = 10, 1 << 5 | 1  # APPNOTE §4.4.3: 1.0 is enough; §4.4.6: month and day, years count from 1980
# APPNOTE §4.3.7, §4.3.12, §4.3.16; what is always zero is left to the padding.
_LOCAL, _CENTRAL, _END = struct.Struct("<4sH6xHIIIH2x"), struct.Struct("<4sHH6xHIIIH12xI"), struct.Struct("<4s4xHHII2x")
_LOCAL_SIGN, _CENTRAL_SIGN, _END_SIGN = b"PK\3\4", b"PK\1\2", b"PK\5\6"


def pack(parts: Mapping[str, bytes]) -> bytes:
    """The container. Raises ``EvidenceError`` above a limit, ``KeyError`` for a name that is no part's."""
    if len(parts) > MAX_PARTS or sum(map(len, parts.values())) > MAX_FILE:
        raise _too_large()
    entries, directory, at = list[bytes](), [], 0
    for name in sorted(parts, key=_place):
        data = parts[name]
        facts = _DATE, crc32(data), len(data), len(data), len(name)
        head = _LOCAL.pack(_LOCAL_SIGN, _VERSION, *facts) + name.encode()
        directory.append(_CENTRAL.pack(_CENTRAL_SIGN, _VERSION, _VERSION, *facts, at) + name.encode())
        entries += [head, data]  # not joined yet: of a large file there would be one copy more
        at += len(head) + len(data)
    listed = b"".join(directory)
    end = _END.pack(_END_SIGN, len(parts), len(parts), len(listed), at)
    return b"".join((*entries, listed, end))


def unpack(octets: bytes) -> dict[str, bytes]:
    """The parts by name. Raises ``EvidenceError`` for what is not what :func:`pack` writes of them."""
    if len(octets) > MAX_FILE:
        raise _too_large()
    parts: dict[str, bytes] = {}
    at = 0
    while octets.startswith(_LOCAL_SIGN, at) and len(octets) >= at + _LOCAL.size:
        if len(parts) == MAX_PARTS:
            raise _too_large()
        *_, size, length = _LOCAL.unpack_from(octets, at)
        start = at + _LOCAL.size + length
        at = start + size
        name = octets[start - length : start].decode("ascii", "replace")
        if not _is_part(name) or name in parts:
            raise EvidenceError(
                f"có phần lạ hoặc lặp lại: {name!r:.60}", f"a part is unknown or there twice: {name!r:.60}"
            )
        if at > len(octets):
            raise EvidenceError(f"tệp bị cắt cụt trong {name}", f"the file ends within {name}")
        parts[name] = octets[start:at]
    if missing := [name for name in REQUIRED if name not in parts]:
        listed = ", ".join(missing)
        raise EvidenceError(f"không phải tệp chứng cứ, hoặc thiếu {listed}", f"no evidence file, or without {listed}")
    again = pack(parts)
    if again != octets:
        first = _first_difference(again, octets)
        raise EvidenceError(
            f"không còn như khi được viết, từ byte {first}", f"not as it was written, from byte {first} on"
        )
    return parts


def _is_part(name: str) -> bool:
    return name in REQUIRED or any(folder.fullmatch(name) for folder in _FOLDERS)


def _place(name: str) -> tuple[int, str]:
    if name in REQUIRED:
        return REQUIRED.index(name), name
    for number, folder in enumerate(_FOLDERS, len(REQUIRED)):
        if folder.fullmatch(name):
            return number, name
    raise KeyError(name)


def _first_difference(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _too_large() -> EvidenceError:
    return EvidenceError(
        f"quá {MAX_FILE >> 20} MiB hoặc quá {MAX_PARTS} phần", f"above {MAX_FILE >> 20} MiB or {MAX_PARTS} parts"
    )
