"""Small trees, and a second reading of RFC 9162 §2.1: its definitions over lists, word for word and slow."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from hub.domain.merkle import HashAt

# The entries with which Certificate Transparency's implementations test themselves.
CLASSIC = [
    bytes.fromhex(one)
    for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]


def some_entries(count: int) -> list[bytes]:
    """So many entries, no two alike."""
    return [f"công văn {number}".encode() for number in range(count)]


def mth(entries: Sequence[bytes]) -> bytes:
    """§2.1.1: MTH(D_n)."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = _k(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """§2.1.3.1: PATH(m, D_n)."""
    if len(entries) == 1:
        return []
    k = _k(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """§2.1.4.1: PROOF(m, D_n), for 0 < m <= n."""
    return _subproof(m, entries, True)


def _subproof(m: int, entries: Sequence[bytes], whole: bool) -> list[bytes]:
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = _k(len(entries))
    if m <= k:
        return [*_subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*_subproof(m - k, entries[k:], False), mth(entries[:k])]


def _k(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def subtrees(entries: Sequence[bytes]) -> HashAt:
    """The hashes of complete subtrees; refuses one that the tree does not have whole."""

    def hash_at(level: int, index: int) -> bytes:
        start, stop = index << level, (index + 1) << level
        assert 0 <= start < stop <= len(entries), f"subtree {level}/{index} of {len(entries)} leaves"
        return mth(entries[start:stop])

    return hash_at
