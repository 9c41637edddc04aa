"""The log's tree: known answers, a second implementation, and what a changed proof is found by (RFC 9162 §2.1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders.trees import CLASSIC, mth, path, proof, some_entries, subtrees
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    Frontier,
    HashAt,
    ProofError,
    consistency_proof,
    frontier,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

MOST = 70  # leaves: past two complete subtrees of 32, and uneven ones after them
ENTRIES = some_entries(MOST + 1)
ROOTS = [mth(ENTRIES[:size]) for size in range(len(ENTRIES) + 1)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
HASH_AT = subtrees(ENTRIES)

CLASSIC_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Hashes of the classic tree, by the leaves that they cover.
LEAF_0 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
LEAF_1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
LEAF_4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
LEAVES_0_1 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
LEAVES_2_3 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
LEAVES_4_5 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
LEAVES_6_7 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
LEAVES_0_3 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
LEAVES_4_7 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"


@pytest.mark.parametrize("size", range(9))
def test_the_classic_trees_have_their_known_roots(size: int) -> None:
    assert root(map(leaf_hash, CLASSIC[:size])).hex() == CLASSIC_ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "known"),
    [
        (0, 1, []),
        (0, 8, [LEAF_1, LEAVES_2_3, LEAVES_4_7]),
        (5, 8, [LEAF_4, LEAVES_6_7, LEAVES_0_3]),
        (2, 3, [LEAVES_0_1]),
        (1, 5, [LEAF_0, LEAVES_2_3, LEAF_4]),
    ],
)
def test_the_classic_trees_have_their_known_inclusion_proofs(index: int, size: int, known: list[str]) -> None:
    made = inclusion_proof(index, size, subtrees(CLASSIC))
    assert [one.hex() for one in made] == known
    verify_inclusion(leaf_hash(CLASSIC[index]), index, size, made, bytes.fromhex(CLASSIC_ROOTS[size]))


@pytest.mark.parametrize(
    ("first", "second", "known"),
    [
        (1, 1, []),
        (1, 8, [LEAF_1, LEAVES_2_3, LEAVES_4_7]),
        (6, 8, [LEAVES_4_5, LEAVES_6_7, LEAVES_0_3]),
        (2, 5, [LEAVES_2_3, LEAF_4]),
    ],
)
def test_the_classic_trees_have_their_known_consistency_proofs(first: int, second: int, known: list[str]) -> None:
    made = consistency_proof(first, second, subtrees(CLASSIC))
    assert [one.hex() for one in made] == known
    verify_consistency(first, second, made, *(bytes.fromhex(CLASSIC_ROOTS[size]) for size in (first, second)))


def test_the_example_of_seven_leaves_is_that_of_the_rfc() -> None:
    """RFC 9162 §2.1.5, with its letters."""
    entries = some_entries(7)
    a, b, c, d, e, f, j = map(leaf_hash, entries)
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l_ = node_hash(g, h), node_hash(i, j)
    hash_at = subtrees(entries)
    assert root(map(leaf_hash, entries)) == node_hash(k, l_)
    assert [inclusion_proof(index, 7, hash_at) for index in (0, 3, 4, 6)] == [
        [b, h, l_],
        [c, g, l_],
        [f, j, k],
        [i, k],
    ]
    assert [consistency_proof(first, 7, hash_at) for first in (3, 4, 6)] == [[c, d, g, l_], [l_], [i, j, k]]


def test_an_entry_never_passes_for_a_node() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


@given(st.integers(0, MOST), st.integers(0, MOST))
def test_a_tree_grown_in_steps_is_the_tree_at_once(first: int, second: int) -> None:
    first, second = sorted((first, second))
    grown = Frontier().with_leaves(LEAVES[:first]).with_leaves(LEAVES[first:second])
    assert grown == frontier(second, HASH_AT)
    assert grown.root() == ROOTS[second]


@given(st.data(), st.integers(1, MOST))
def test_an_inclusion_proof_is_that_of_the_definition_and_verifies(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    made = inclusion_proof(index, size, HASH_AT)
    assert made == path(index, ENTRIES[:size])
    verify_inclusion(LEAVES[index], index, size, made, ROOTS[size])


@given(st.data(), st.integers(0, MOST))
def test_every_prefix_is_consistent_by_the_proof_of_the_definition(data: st.DataObject, second: int) -> None:
    first = data.draw(st.integers(0, second))
    made = consistency_proof(first, second, HASH_AT)
    assert made == (proof(first, ENTRIES[:second]) if first else [])
    verify_consistency(first, second, made, ROOTS[first], ROOTS[second])


def flipped(hash_: bytes, bit: int) -> bytes:
    return (int.from_bytes(hash_, "big") ^ 1 << bit).to_bytes(32, "big")


def spoilt(data: st.DataObject, hashes: list[bytes]) -> list[bytes]:
    """The hashes with one bit changed, one left out, one too many or two exchanged."""
    at = data.draw(st.integers(0, len(hashes) - 1))
    changed = {
        "bit": [*hashes[:at], flipped(hashes[at], data.draw(st.integers(0, 255))), *hashes[at + 1 :]],
        "missing": hashes[:at] + hashes[at + 1 :],
        "doubled": [*hashes[:at], hashes[at], *hashes[at:]],
        "longer": [*hashes, LEAVES[MOST]],
        "cut": [*hashes[:at], hashes[at][:-1], *hashes[at + 1 :]],
        "turned": hashes[1:] + hashes[:1] if len(hashes) > 1 else [],
    }
    return changed[data.draw(st.sampled_from(sorted(changed)))]


@given(st.data(), st.integers(2, MOST))
def test_any_change_of_an_inclusion_proof_is_found(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    made = inclusion_proof(index, size, HASH_AT)
    other_index = data.draw(st.integers(-1, size).filter(lambda other: other != index))
    other_size = data.draw(st.integers(0, MOST).filter(lambda other: other != size))
    bit = data.draw(st.integers(0, 255))
    for leaf, at, of, hashes, tree_root in (
        (LEAVES[index], index, size, spoilt(data, made), ROOTS[size]),
        (flipped(LEAVES[index], bit), index, size, made, ROOTS[size]),
        (LEAVES[index], index, size, made, flipped(ROOTS[size], bit)),
        (LEAVES[index], other_index, size, made, ROOTS[size]),
        (LEAVES[index], index, other_size, made, ROOTS[other_size]),
    ):
        with pytest.raises(ProofError):
            verify_inclusion(leaf, at, of, hashes, tree_root)


@given(st.data(), st.integers(2, MOST))
def test_any_change_of_a_consistency_proof_is_found(data: st.DataObject, second: int) -> None:
    first = data.draw(st.integers(1, second - 1))
    made = consistency_proof(first, second, HASH_AT)
    other_first = data.draw(st.integers(-1, MOST).filter(lambda other: other != first))
    other_second = data.draw(st.integers(0, MOST).filter(lambda other: other != second))
    bit = data.draw(st.integers(0, 255))
    for old, new, hashes, first_root, second_root in (
        (first, second, spoilt(data, made), ROOTS[first], ROOTS[second]),
        (first, second, made, flipped(ROOTS[first], bit), ROOTS[second]),
        (first, second, made, ROOTS[first], flipped(ROOTS[second], bit)),
        (other_first, second, made, ROOTS[max(other_first, 0)], ROOTS[second]),
        (other_first, second, made, ROOTS[first], ROOTS[second]),
        (first, other_second, made, ROOTS[first], ROOTS[other_second]),
    ):
        with pytest.raises(ProofError):
            verify_consistency(old, new, hashes, first_root, second_root)


@given(st.data(), st.integers(1, MOST))
def test_a_log_that_rewrote_an_entry_has_no_consistency_proof(data: st.DataObject, second: int) -> None:
    first = data.draw(st.integers(1, second))
    rewritten = data.draw(st.integers(0, first - 1))
    entries = [*ENTRIES[:rewritten], b"another", *ENTRIES[rewritten + 1 : second]]
    with pytest.raises(ProofError):
        verify_consistency(
            first, second, consistency_proof(first, second, subtrees(entries)), ROOTS[first], mth(entries)
        )


def test_a_proof_alone_does_not_tell_the_size_so_it_must_be_signed() -> None:
    """The reason for which sizes are taken from checkpoints only: leaf 3 has one shape of proof in 5 to 8 leaves."""
    made = inclusion_proof(3, 5, HASH_AT)
    for size in (5, 6, 7, 8):
        verify_inclusion(LEAVES[3], 3, size, made, ROOTS[5])
    for size in (4, 9):
        with pytest.raises(ProofError):
            verify_inclusion(LEAVES[3], 3, size, made, ROOTS[5])


def test_a_proof_that_goes_on_past_the_root_of_the_size_told_is_refused() -> None:
    """Left siblings alone would lead from a smaller tree's shape on to the larger tree's root."""
    with pytest.raises(ProofError, match="too long"):
        verify_inclusion(LEAVES[7], 0, 1, inclusion_proof(7, 8, HASH_AT), ROOTS[8])
    with pytest.raises(ProofError, match="too long"):
        verify_consistency(5, 8, consistency_proof(13, 16, HASH_AT), ROOTS[13], ROOTS[16])


def test_the_border_between_two_hashes_cannot_be_moved() -> None:
    left, right = LEAVES[0][:-1], LEAVES[0][-1:] + LEAVES[1]
    with pytest.raises(ProofError, match="32 bytes"):
        verify_inclusion(left, 0, 2, [right], ROOTS[2])
    with pytest.raises(ProofError, match="32 bytes"):
        verify_consistency(1, 2, [right], left, ROOTS[2])


def test_of_equal_sizes_and_of_the_empty_tree_the_roots_decide() -> None:
    verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    verify_consistency(0, 5, [], EMPTY_ROOT, ROOTS[5])
    verify_consistency(5, 5, [], ROOTS[5], ROOTS[5])
    for first, second, hashes, first_root, second_root in (
        (0, 0, [], ROOTS[1], ROOTS[1]),
        (0, 5, [], ROOTS[1], ROOTS[5]),
        (0, 5, [LEAVES[0]], EMPTY_ROOT, ROOTS[5]),
        (5, 5, [], ROOTS[5], ROOTS[6]),
        (5, 5, [LEAVES[0]], ROOTS[5], ROOTS[5]),
        (4, 5, [], ROOTS[4], ROOTS[5]),
        (3, 5, [], ROOTS[3], ROOTS[5]),
        (6, 5, [], ROOTS[6], ROOTS[5]),
    ):
        with pytest.raises(ProofError):
            verify_consistency(first, second, hashes, first_root, second_root)


def alike() -> HashAt:
    """A tree of any size whose leaves are all the same, so that a level has one hash."""
    levels = [leaf_hash(b"")]
    for _ in range(40):
        levels.append(node_hash(levels[-1], levels[-1]))
    return lambda level, index: levels[level]


@settings(max_examples=50)
@given(st.data(), st.integers(MAX_SIZE // 2, MAX_SIZE))
def test_a_trillion_leaves_need_forty_hashes(data: st.DataObject, size: int) -> None:
    hash_at = alike()
    reads = []

    def counted(level: int, index: int) -> bytes:
        assert (index + 1) << level <= size
        reads.append(level)
        return hash_at(level, index)

    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    tree = frontier(size, hash_at)
    made = inclusion_proof(index, size, counted)
    assert len(made) <= 40
    assert len(reads) <= 80
    verify_inclusion(hash_at(0, index), index, size, made, tree.root())
    made = consistency_proof(first, size, counted)
    assert len(made) <= 41
    verify_consistency(first, size, made, frontier(first, hash_at).root(), tree.root())
    assert len(tree.peaks) <= 40


@pytest.mark.parametrize(
    "ask",
    [
        lambda: inclusion_proof(5, 5, HASH_AT),
        lambda: inclusion_proof(-1, 5, HASH_AT),
        lambda: inclusion_proof(0, MAX_SIZE + 1, HASH_AT),
        lambda: consistency_proof(6, 5, HASH_AT),
        lambda: consistency_proof(-1, 5, HASH_AT),
        lambda: consistency_proof(1, MAX_SIZE + 1, HASH_AT),
        lambda: Frontier(3, (LEAVES[0],)),
        lambda: Frontier(-1, (LEAVES[0],)),
        lambda: frontier(MAX_SIZE, alike()).with_leaves([LEAVES[0]]),
    ],
)
def test_what_no_tree_has_is_not_made(ask: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"leaf|leaves"):
        ask()


@pytest.mark.parametrize("size", [MAX_SIZE + 1, 1 << 10_000])
def test_a_size_out_of_bounds_is_refused_before_any_work(size: int) -> None:
    with pytest.raises(ProofError, match="not in a tree"):
        verify_inclusion(LEAVES[0], 0, size, [LEAVES[1]] * 41, ROOTS[1])
    with pytest.raises(ProofError, match="no beginning"):
        verify_consistency(1, size, [LEAVES[1]] * 41, ROOTS[1], ROOTS[1])
