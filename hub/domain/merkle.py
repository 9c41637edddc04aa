"""The Merkle tree of the log: roots, proofs and their verification (RFC 9162 §2.1, SHA-256).

A *leaf hash* is what the tree is built over; ``leaf_hash`` makes it from an entry. A *complete subtree* of level ``l``
and index ``i`` covers the leaves ``i * 2**l`` to ``(i + 1) * 2**l``; it never changes once it is full. Proofs are made
from complete subtrees alone, so they can be read from tiles (``hub.domain.tiles``).

An inclusion or consistency proof tells its tree sizes only by its shape, and many sizes share one. Sizes and roots
given to the verification must therefore come from signed checkpoints, never from beside the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_LENGTH = 32  # bytes
MAX_SIZE = 2**40  # leaves
EMPTY_ROOT = sha256(b"").digest()

HashAt = Callable[[int, int], bytes]
"""The hash of the complete subtree of a level and an index."""


class ProofError(ValueError):
    """A proof that does not show what it was given for."""


def leaf_hash(entry: bytes) -> bytes:
    """RFC 9162 §2.1.1: the prefix keeps an entry from passing for a node."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 §2.1.1."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What must be kept of a tree to append to it: its size, and its largest complete subtrees from left to right."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"{len(self.peaks)} subtrees are no frontier of {self.size} leaves")

    def with_leaves(self, leaf_hashes: Iterable[bytes]) -> Frontier:
        """The tree after these leaves were appended. Raises ``ValueError`` above ``MAX_SIZE``."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaf_hashes:
            size += 1
            peaks.append(leaf)
            for _ in range(
                (size & -size).bit_length() - 1
            ):  # each trailing zero of the size is a subtree that got full
                right = peaks.pop()
                peaks[-1] = node_hash(peaks[-1], right)
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        """The tree head (RFC 9162 §2.1.1)."""
        return _joined(self.peaks) if self.peaks else EMPTY_ROOT


def frontier(size: int, hash_at: HashAt) -> Frontier:
    """The frontier of the first ``size`` leaves, read from complete subtrees."""
    return Frontier(size, tuple(hash_at(level, index) for level, index in _subtrees(0, size)))


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The tree head over leaf hashes."""
    return Frontier().with_leaves(leaf_hashes).root()


def inclusion_proof(index: int, size: int, hash_at: HashAt) -> list[bytes]:
    """The audit path of leaf ``index`` in the tree of ``size`` leaves, lowest first (RFC 9162 §2.1.3.1).

    Reads at most about two hashes for each level. Raises ``ValueError`` for a leaf outside of the tree.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    path = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append(_root_between(middle, stop, hash_at))
            stop = middle
        else:
            path.append(_root_between(start, middle, hash_at))
            start = middle
    return path[::-1]


def consistency_proof(first: int, second: int, hash_at: HashAt) -> list[bytes]:
    """What shows that the tree of ``second`` leaves begins with that of ``first`` (RFC 9162 §2.1.4.1).

    Empty when the sizes are equal or the first tree is: the roots alone decide. Raises ``ValueError`` for a first tree
    larger than the second.
    """
    if not 0 <= first <= second <= MAX_SIZE:
        raise ValueError(f"a tree of {first} leaves is no beginning of one of {second}")
    if first in (0, second):
        return []
    path = []
    start, stop = 0, second
    while stop != first:
        middle = start + _split(stop - start)
        if first <= middle:
            path.append(_root_between(middle, stop, hash_at))
            stop = middle
        else:
            path.append(_root_between(start, middle, hash_at))
            start = middle
    if start:  # otherwise the rest is the first tree itself, whose root the verifier has
        path.append(_root_between(start, stop, hash_at))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> None:
    """Whether the leaf hash ``leaf`` stands at ``index`` of the tree (RFC 9162 §2.1.3.2); raises ``ProofError``."""
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"leaf {index} is not in a tree of {size} leaves")
    _require_hashes(leaf, *proof)
    at, last = index, size - 1
    found = leaf
    for hash_ in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if at & 1 or at == last:
            found = node_hash(hash_, found)
            at, last = _past_missing(at, last)
        else:
            found = node_hash(found, hash_)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the inclusion proof is too short")
    if found != tree_root:
        raise ProofError("the inclusion proof leads to another root")


def verify_consistency(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> None:
    """Whether the second tree begins with the first (RFC 9162 §2.1.4.2); raises ``ProofError``.

    Of an empty first tree and of equal sizes, which the clause leaves out, the proof is empty.
    """
    if not 0 <= first <= second <= MAX_SIZE:
        raise ProofError(f"a tree of {first} leaves is no beginning of one of {second}")
    _require_hashes(first_root, second_root, *proof)
    if first == 0 and first_root != EMPTY_ROOT:
        raise ProofError("an empty tree has another root")
    if first in (0, second):
        if proof:
            raise ProofError("the consistency proof is too long")
        if first == second and first_root != second_root:
            raise ProofError("one size has two roots")
        return
    if not proof:
        raise ProofError("the consistency proof is too short")
    path = [first_root, *proof] if first.bit_count() == 1 else proof
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for hash_ in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if at & 1 or at == last:
            old, new = node_hash(hash_, old), node_hash(hash_, new)
            at, last = _past_missing(at, last)
        else:
            new = node_hash(new, hash_)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the consistency proof is too short")
    if old != first_root:
        raise ProofError("the consistency proof leads to another first root")
    if new != second_root:
        raise ProofError("the consistency proof leads to another second root")


def _split(count: int) -> int:
    """The largest power of two smaller than ``count``."""
    return 1 << (count - 1).bit_length() - 1


def _subtrees(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Level and index of the complete subtrees of ``start..stop``, largest first; ``start`` is a multiple of each."""
    while start < stop:
        level = (stop - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _root_between(start: int, stop: int, hash_at: HashAt) -> bytes:
    return _joined([hash_at(level, index) for level, index in _subtrees(start, stop)])


def _joined(peaks: Sequence[bytes]) -> bytes:
    """RFC 9162 §2.1.1: the smaller right side is always a tree of its own, so joining goes from right to left."""
    found = peaks[-1]
    for peak in reversed(peaks[:-1]):
        found = node_hash(peak, found)
    return found


def _past_missing(at: int, last: int) -> tuple[int, int]:
    """Up over the levels where the last node of an incomplete tree has no sibling."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _require_hashes(*hashes: bytes) -> None:
    # Of hashes of other lengths, the border between left and right could be moved without changing the node.
    if any(len(hash_) != HASH_LENGTH for hash_ in hashes):
        raise ProofError(f"a hash is not {HASH_LENGTH} bytes long")
