"""The log's files: their names, which a tree has, and that every proof can be read from them (C2SP tlog-tiles)."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from builders.trees import mth, path, proof, some_entries, subtrees
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.merkle import (
    HASH_LENGTH,
    MAX_SIZE,
    consistency_proof,
    frontier,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
)
from hub.domain.tiles import (
    FULL,
    Tile,
    TileError,
    bundle,
    bundle_at,
    entries_in,
    grown,
    hash_in,
    hashes_from,
    tile_at,
    tile_of,
    tiles,
)

SIZE = 1000
ENTRIES = some_entries(SIZE)


@cache
def contents(tile: Tile) -> bytes:
    """A tile of the tree over ENTRIES, by the definition of its hashes."""
    span = FULL**tile.level
    first = tile.index * FULL
    return b"".join(mth(ENTRIES[at * span : (at + 1) * span]) for at in range(first, first + tile.width))


NAMES = [
    (Tile(0, 0), "tile/0/000", "tile/entries/000"),
    (Tile(0, 7, 1), "tile/0/007.p/1", "tile/entries/007.p/1"),
    (Tile(0, 999, 255), "tile/0/999.p/255", "tile/entries/999.p/255"),
    (Tile(0, 1000), "tile/0/x001/000", "tile/entries/x001/000"),
    (Tile(0, 1234067), "tile/0/x001/x234/067", "tile/entries/x001/x234/067"),
    (Tile(0, MAX_SIZE // FULL - 1, 9), "tile/0/x004/x294/x967/295.p/9", "tile/entries/x004/x294/x967/295.p/9"),
    (Tile(63, 5), "tile/63/005", None),
    (Tile(2, 1234067, 17), "tile/2/x001/x234/067.p/17", None),
]


@pytest.mark.parametrize(("tile", "path_", "bundle_path"), NAMES)
def test_a_tile_has_one_name(tile: Tile, path_: str, bundle_path: str | None) -> None:
    assert tile.path == path_
    assert tile_at(path_) == tile
    if bundle_path is None:
        with pytest.raises(TileError):
            _ = tile.bundle_path
    else:
        assert tile.bundle_path == bundle_path
        assert bundle_at(bundle_path) == tile


@given(st.integers(0, 63), st.integers(0, 10**15 - 1), st.integers(1, FULL))
def test_names_are_read_as_they_are_written(level: int, index: int, width: int) -> None:
    assert tile_at(Tile(level, index, width).path) == Tile(level, index, width)
    assert bundle_at(Tile(0, index, width).bundle_path) == Tile(0, index, width)


@pytest.mark.parametrize(
    "place",
    [
        *("", "0", "00", "0000", "1000", "001/000", "x001", "x000/001", "x000/x001/000", "x001/x000", "X001/000"),
        *("-01", "+01", "0 1", "٠٠١", "001/", "/001", "001\n", "001.p", "001.p/", "001.p/0", "001.p/01", "001.p/256"),
        *(
            "001.p/257",
            "001.p/999",
            "001.p/-1",
            "001.p/1/",
            "001.p/1.p/1",
            "../001",
            "x001/../001",
            "x999/" * 9 + "999",
        ),
    ],
)
def test_another_spelling_names_no_tile(place: str) -> None:
    with pytest.raises(TileError):
        tile_at(f"tile/0/{place}")
    with pytest.raises(TileError):
        bundle_at(f"tile/entries/{place}")


@pytest.mark.parametrize("start", ["tile/64", "tile/00", "tile/01", "tile/-1", "tile/", "tiles/0", "/tile/0", "x"])
def test_another_level_names_no_tile(start: str) -> None:
    with pytest.raises(TileError):
        tile_at(f"{start}/000")


def test_a_tile_and_a_bundle_are_not_taken_for_each_other() -> None:
    with pytest.raises(TileError):
        tile_at("tile/entries/000")
    with pytest.raises(TileError):
        bundle_at("tile/0/000")


def widths(size: int, after: int = 0) -> Counter[tuple[int, int]]:
    return Counter((tile.level, tile.width) for tile in tiles(size, after=after))


def test_the_trees_of_the_specification_have_its_tiles() -> None:
    assert widths(70_000) == {(0, 256): 273, (0, 112): 1, (1, 256): 1, (1, 17): 1, (2, 1): 1}
    assert list(tiles(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles(255)) == [Tile(0, 0, 255)]
    assert list(tiles(0)) == []


def test_the_largest_tree_has_six_levels() -> None:
    news = list(tiles(MAX_SIZE, after=MAX_SIZE - 1))
    assert [(tile.level, tile.width) for tile in news] == [(0, 256), (1, 256), (2, 256), (3, 256), (4, 256), (5, 1)]
    assert {tile.index for tile in tiles(MAX_SIZE - 1, after=MAX_SIZE - 2)} == {MAX_SIZE // FULL - 1}


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_a_tree_that_grew_has_exactly_the_tiles_that_its_beginning_had_not(after: int, size: int) -> None:
    after, size = sorted((after, size))
    news = list(tiles(size, after=after))
    assert len(set(news)) == len(news)
    assert set(news) == set(tiles(size)) - set(tiles(after))


@given(st.integers(0, 300_000))
def test_the_tiles_of_a_tree_are_those_of_the_specification(size: int) -> None:
    """A level has floor(s / 256^(l+1)) full tiles, and one of floor(s / 256^l) mod 256 hashes unless that is none."""
    expected = []
    for level in range(4):
        expected += [Tile(level, index) for index in range(size // 256 ** (level + 1))]
        if rest := size // 256**level % 256:
            expected.append(Tile(level, size // 256 ** (level + 1), rest))
    assert list(tiles(size)) == expected


@given(st.integers(0, MAX_SIZE), st.integers(0, 40), st.data())
def test_a_complete_subtree_lies_in_one_tile_that_the_tree_has(size: int, level: int, data: st.DataObject) -> None:
    if not size >> level:
        with pytest.raises(ValueError, match="no complete subtree"):
            tile_of(level, 0, size)
        return
    index = data.draw(st.integers(0, (size >> level) - 1))
    tile = tile_of(level, index, size)
    span = 256**tile.level
    assert tile.level == level // 8
    assert tile.width == min(256, size // span - tile.index * 256)
    assert tile.index * 256 * span <= index << level
    assert (index + 1) << level <= (tile.index * 256 + tile.width) * span
    with pytest.raises(ValueError, match="no complete subtree"):
        tile_of(level, size >> level, size)


def test_a_tile_says_which_hashes_it_holds() -> None:
    assert Tile(0, 2, 3).subtrees == [(0, 512), (0, 513), (0, 514)]
    assert Tile(1, 0, 2).subtrees == [(8, 0), (8, 1)]
    hash_at = subtrees(ENTRIES)
    for tile in (Tile(0, 3, 232), Tile(1, 0, 3)):
        assert contents(tile) == b"".join(hash_at(*subtree) for subtree in tile.subtrees)


@settings(max_examples=60)
@given(st.data(), st.integers(1, SIZE))
def test_every_proof_can_be_read_from_the_tiles_of_its_tree(data: st.DataObject, size: int) -> None:
    kept = set(tiles(size))

    def served(tile: Tile) -> bytes:
        assert tile in kept
        return contents(tile)

    hash_at = hashes_from(size, served)
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert inclusion_proof(index, size, hash_at) == path(index, ENTRIES[:size])
    assert consistency_proof(first, size, hash_at) == proof(first, ENTRIES[:size])
    assert frontier(first, hash_at).root() == mth(ENTRIES[:first])


def test_a_tile_of_another_length_is_not_read() -> None:
    data = contents(Tile(0, 3, 232))
    for wrong in (b"", data[:-1], data + b"\0", data[:-32], data + bytes(32)):
        with pytest.raises(TileError):
            hash_in(Tile(0, 3, 232), wrong, 0, 768)


UNEVEN, FIRST, ABOVE = Tile(0, 3, 232), Tile(0, 0), Tile(1, 0, 3)


@pytest.mark.parametrize(
    ("tile", "level", "index"),
    [
        *((UNEVEN, 0, 767), (UNEVEN, 0, 1000), (UNEVEN, 0, 1024), (UNEVEN, 3, 125), (UNEVEN, 7, 7), (UNEVEN, 8, 3)),
        *((FIRST, 8, 0), (FIRST, -1, 0), (FIRST, 0, -1), (ABOVE, 0, 0), (ABOVE, 7, 0), (ABOVE, 8, 3), (ABOVE, 16, 0)),
    ],
)
def test_a_hash_that_a_tile_does_not_hold_is_not_read_from_it(tile: Tile, level: int, index: int) -> None:
    with pytest.raises(ValueError, match="does not hold"):
        hash_in(tile, contents(tile), level, index)


def test_the_entries_of_a_bundle_hash_to_the_tile_over_it() -> None:
    tile = Tile(0, 3, 232)
    entries = entries_in(tile, bundle(ENTRIES[768:]))
    assert entries == ENTRIES[768:]
    assert b"".join(map(leaf_hash, entries)) == contents(tile)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=FULL))
def test_a_bundle_is_read_as_it_was_written_and_only_whole(entries: list[bytes]) -> None:
    tile = Tile(0, 0, len(entries))
    data = bundle(entries)
    assert entries_in(tile, data) == entries
    for wrong in (data[:-1], data + b"\0", data + b"\0\0", bundle(entries[1:])):
        with pytest.raises(TileError):
            entries_in(tile, wrong)


def test_the_longest_entry_has_sixteen_bits_of_length() -> None:
    assert bundle([b"", b"ab"]) == b"\x00\x00\x00\x02ab"
    assert entries_in(Tile(0, 0, 1), bundle([bytes(65_535)])) == [bytes(65_535)]
    with pytest.raises(ValueError, match="65536 bytes"):
        bundle([bytes(65_536)])


@pytest.mark.parametrize(("level", "index", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_there_is_no_tile_out_of_bounds(level: int, index: int, width: int) -> None:
    with pytest.raises(TileError):
        Tile(level, index, width)


def test_a_tree_does_not_shrink() -> None:
    with pytest.raises(ValueError, match="no beginning"):
        list(tiles(5, after=6))


@settings(max_examples=40)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_tiles_that_grow_in_steps_are_those_that_are_made_at_once(steps: list[int]) -> None:
    leaves = [leaf_hash(entry) for entry in some_entries(sum(steps))]
    kept: dict[tuple[int, int], bytes] = {}

    def contents(tile: Tile) -> bytes:
        return kept[tile.level, tile.index][: tile.width * HASH_LENGTH]

    size = 0
    for step in steps:
        kept |= grown(size, leaves[size : size + step], contents)
        size += step
        assert frontier(size, hashes_from(size, contents)).root() == root(leaves[:size])
    assert kept == grown(0, leaves, contents)
    for earlier in {1, size // 2, size - 1, size} - {0}:
        proof = consistency_proof(earlier, size, hashes_from(size, contents))
        verify_consistency(earlier, size, proof, root(leaves[:earlier]), root(leaves))
