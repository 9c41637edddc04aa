"""Packets too large for a row: each there whole or not at all (power cut included), before a row may name it.

What no row names is left by a crash between the two, or by a refused packet, and is swept after a day. They lie in a
folder of files (:class:`Folder`) or in a bucket (``hub.store.s3``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from hub.store.durable import sync

CHUNK = 256 * 1024  # bytes


class Payloads(Protocol):
    """A place for packets; ``place`` is a relative path of safe characters made by :func:`place_of`.

    A fault that passes by itself comes as an OSError of the disk (see ``hub.store.engine.temporary``) or as the
    refusal ``payloads-away``.
    """

    def put(self, place: str, data: bytes) -> None:
        """Store durably; whole, or not at all."""

    def get(self, place: str) -> bytes:
        """The payload. Raises FileNotFoundError."""

    def stream(self, place: str) -> Iterator[bytes]:
        """The payload in parts. Raises FileNotFoundError at once, not only when its first part is asked for."""

    def remove(self, place: str) -> None:
        """Remove it; that it is not there is no fault."""

    def older_than(self, moment: datetime) -> Iterator[str]:
        """Places last written before ``moment``, by the clock of where they lie; unfinished ones included."""


class Folder:
    """Payloads below one folder: each written and synced under another name, then renamed, and its folders synced."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._durable: set[Path] = set()  # folders whose own names this process has synced

    def put(self, place: str, data: bytes) -> None:
        """Store durably. Raises OSError (ENOSPC when the disk is full); what is left behind is swept."""
        final = self._root / place
        self._make(final.parent)
        partial = final.with_suffix(".part")
        try:
            with open(partial, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, final)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        sync(final.parent)

    def get(self, place: str) -> bytes:
        return (self._root / place).read_bytes()

    def stream(self, place: str) -> Iterator[bytes]:
        """The payload in chunks; opened at once, so that a missing file is known before an answer begins."""
        chunks = self._chunks(place)
        next(chunks)
        return chunks

    def _chunks(self, place: str) -> Iterator[bytes]:
        with open(self._root / place, "rb") as file:
            yield b""  # open, and from here on closed with the generator, also when nobody reads
            while chunk := file.read(CHUNK):
                yield chunk

    def remove(self, place: str) -> None:
        (self._root / place).unlink(missing_ok=True)

    def older_than(self, moment: datetime) -> Iterator[str]:
        """Places of files last written before ``moment``, unfinished ones included."""
        for folder, _folders, names in os.walk(self._root):
            for name in names:
                path = Path(folder, name)
                try:
                    written = path.stat().st_mtime
                except FileNotFoundError:
                    continue  # another process swept it
                if datetime.fromtimestamp(written, UTC) < moment:
                    yield path.relative_to(self._root).as_posix()

    def _make(self, folder: Path) -> None:
        if folder == self._root or folder in self._durable:
            return
        self._make(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)  # also where another made it: that one may not have come to sync it
        self._durable.add(folder)


def place_of(packet_id: str, sha256: str, now: datetime) -> str:
    """Where a packet goes: by day, so that retention drops whole folders; nothing is shared between packets."""
    return f"{now:%Y/%m/%d}/{packet_id}-{sha256}.edxml"
