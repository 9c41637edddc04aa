"""Tiles as they are stored, for proofs: each is read once."""

from __future__ import annotations

from sqlalchemy import Connection

from hub.domain.merkle import HASH_LENGTH
from hub.domain.tiles import Tile
from hub.store import evidence


class Stored:
    """``contents`` for :func:`hub.domain.tiles.hashes_from`. Raises RuntimeError for a tile that is not there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: dict[tuple[int, int], bytes] = {}

    def __call__(self, tile: Tile) -> bytes:
        place = tile.level, tile.index
        if place not in self._read:
            found = evidence.tile(self._connection, *place)
            if found is None:
                raise RuntimeError(f"tile {tile.level}/{tile.index} of the evidence log is missing")
            self._read[place] = found
        return self._read[place][: tile.width * HASH_LENGTH]

    def keep(self, changed: dict[tuple[int, int], bytes]) -> None:
        """Tiles that were changed and not written yet."""
        self._read |= changed
