"""How the log lies in files that anyone may read and cache: C2SP tlog-tiles, height 8.

A *tile* of level ``L`` holds up to 256 hashes of complete subtrees of level ``8 * L`` (``hub.domain.merkle``); the
levels between are hashed from these. A *bundle* holds the entries under a tile of level 0. What is full never changes;
what is partial has its width in its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from hub.domain.merkle import HASH_LENGTH, HashAt, node_hash, root

HEIGHT = 8  # levels of the tree in one level of tiles
FULL = 1 << HEIGHT  # hashes in a full tile
MAX_ENTRY = 0xFFFF  # bytes: an entry's length is written in 16 bits

_PLACE = r"(?P<index>(?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
_TILE = re.compile(rf"tile/(?P<level>0|[1-9][0-9]?)/{_PLACE}")
_BUNDLE = re.compile(rf"tile/entries/{_PLACE}")


class TileError(ValueError):
    """A path that names no tile, or contents that are not what their name says."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile's name: its level (0–63), its index within the level, and how many hashes it holds (1–256)."""

    level: int
    index: int
    width: int = FULL

    def __post_init__(self) -> None:
        if not 0 <= self.level <= 63 or self.index < 0 or not 1 <= self.width <= FULL:
            raise TileError(f"there is no tile {self.level}/{self.index} of width {self.width}")

    @property
    def path(self) -> str:
        """``tile/<L>/<N>[.p/<W>]``."""
        return f"tile/{self.level}/{self._place()}"

    @property
    def bundle_path(self) -> str:
        """``tile/entries/<N>[.p/<W>]``: where the entries under this tile lie. Raises ``TileError`` above level 0."""
        if self.level:
            raise TileError("only tiles of level 0 have entries")
        return f"tile/entries/{self._place()}"

    @property
    def subtrees(self) -> list[tuple[int, int]]:
        """Level and index of the complete subtrees whose hashes it holds, in their order."""
        first = self.index * FULL
        return [(HEIGHT * self.level, index) for index in range(first, first + self.width)]

    def _place(self) -> str:
        digits = str(self.index)
        digits = digits.zfill(-len(digits) % 3 + len(digits))
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        place = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        return place if self.width == FULL else f"{place}.p/{self.width}"


def tile_at(path: str) -> Tile:
    """The tile that ``tile/<L>/<N>[.p/<W>]`` names; raises ``TileError`` for any other spelling."""
    tile = _named(_TILE.fullmatch(path))
    if tile is None or tile.path != path:
        raise TileError(f"no path of a tile: {path!r}")
    return tile


def bundle_at(path: str) -> Tile:
    """The tile over the bundle that ``tile/entries/<N>[.p/<W>]`` names; raises ``TileError`` for another spelling."""
    tile = _named(_BUNDLE.fullmatch(path))
    if tile is None or tile.bundle_path != path:
        raise TileError(f"no path of a bundle: {path!r}")
    return tile


def _named(match: re.Match[str] | None) -> Tile | None:
    """What the parts of a path say; groups of zeros in front or a full width are for the caller to find."""
    if match is None:
        return None
    index = int(match["index"].replace("x", "").replace("/", ""))
    return Tile(int(match.groupdict().get("level", 0)), index, int(match["width"] or FULL))


def tiles(size: int, *, after: int = 0) -> Iterator[Tile]:
    """The tiles of a tree of ``size`` leaves that the tree of its first ``after`` leaves does not have, lowest first.

    Tiles of level 0 stand for their bundles too.
    """
    if not 0 <= after <= size:
        raise ValueError(f"a tree of {after} leaves is no beginning of one of {size}")
    level = 0
    while size != after:  # where they are equal, this level and all above it are as they were
        for index in range(after // FULL, size // FULL):
            yield Tile(level, index)
        if size % FULL:
            yield Tile(level, size // FULL, size % FULL)
        level, size, after = level + 1, size // FULL, after // FULL


def tile_of(level: int, index: int, size: int) -> Tile:
    """The tile of a tree of ``size`` leaves from which the hash of a complete subtree can be had.

    Raises ``ValueError`` when the tree does not have the subtree, or not whole.
    """
    if level < 0 or index < 0 or (index + 1) << level > size:
        raise ValueError(f"a tree of {size} leaves has no complete subtree {level}/{index}")
    tile_level, inner = divmod(level, HEIGHT)
    tile_index = index << inner >> HEIGHT
    return Tile(tile_level, tile_index, min(FULL, (size >> HEIGHT * tile_level) - tile_index * FULL))


def hash_in(tile: Tile, data: bytes, level: int, index: int) -> bytes:
    """The hash of a complete subtree, from the contents of the tile that ``tile_of`` names.

    Raises ``TileError`` when ``data`` has not the length of the tile, ``ValueError`` when the subtree is not in it.
    """
    if len(data) != tile.width * HASH_LENGTH:
        raise TileError(f"{tile.path} has {len(data)} bytes, not {tile.width * HASH_LENGTH}")
    inner = level - HEIGHT * tile.level
    first = (index << max(inner, 0)) - tile.index * FULL
    stop = first + (1 << max(inner, 0))
    if not 0 <= inner < HEIGHT or first < 0 or stop > tile.width:
        raise ValueError(f"{tile.path} does not hold the subtree {level}/{index}")
    hashes = [data[at * HASH_LENGTH : (at + 1) * HASH_LENGTH] for at in range(first, stop)]
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def hashes_from(size: int, contents: Callable[[Tile], bytes]) -> HashAt:
    """What ``hub.domain.merkle`` makes proofs from, over the tiles of a tree of ``size`` leaves.

    ``contents`` gives a tile's bytes; it is asked for one tile several times over, so a caller that reads from far
    keeps what it got.
    """

    def hash_at(level: int, index: int) -> bytes:
        tile = tile_of(level, index, size)
        return hash_in(tile, contents(tile), level, index)

    return hash_at


def grown(size: int, leaf_hashes: Sequence[bytes], contents: Callable[[Tile], bytes]) -> dict[tuple[int, int], bytes]:
    """What the tiles hold, by level and index, that change when leaves are appended to a tree of ``size`` leaves.

    ``contents`` gives the bytes of the tiles that are not full so far.
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, hashes = 0, list(leaf_hashes)
    while hashes:
        first, begun = divmod(size, FULL)
        if begun:
            before = contents(Tile(level, first, begun))
            hashes = [before[at : at + HASH_LENGTH] for at in range(0, len(before), HASH_LENGTH)] + hashes
        above = []
        for start in range(0, len(hashes), FULL):
            some = hashes[start : start + FULL]
            changed[level, first + start // FULL] = b"".join(some)
            if len(some) == FULL:
                above.append(root(some))  # a complete subtree: its hash is that of a tree of its own
        level, size, hashes = level + 1, first, above
    return changed


def bundle(entries: Iterable[bytes]) -> bytes:
    """A bundle's contents: each entry after its length, 16 bits big-endian. Raises ``ValueError`` for a longer one."""
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise ValueError(f"an entry of {len(entry)} bytes, above {MAX_ENTRY}")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def entries_in(tile: Tile, data: bytes) -> list[bytes]:
    """The entries of the bundle under ``tile``; raises ``TileError`` unless they are as many, and nothing is over."""
    found: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        found.append(data[start:at])
    if at != len(data) or len(found) != tile.width:
        raise TileError(f"{tile.bundle_path} has not {tile.width} whole entries")
    return found
