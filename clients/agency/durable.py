"""Writes that a power cut leaves whole or not done: what was returned from here is on the disk (fsync(2)).

A file, or a folder with all its files, is written under another name, synced, renamed, and its folder synced. Raises
``OSError``; what was begun then is left under a name that begins with a dot. Files are readable by their owner alone.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

Step = Callable[[str], None]  # called at named places; tests stop the process there


def no_step(step: str) -> None:
    """Nothing happens."""


def sync_folder(folder: Path) -> None:
    """The folder's entries are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """The folder and all above it that are missing."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def write(path: Path, data: bytes) -> None:
    """A file, in place of an earlier one."""
    part = path.with_name(".part-" + path.name)
    _write(part, data)
    part.replace(path)
    sync_folder(path.parent)


def write_folder(target: Path, files: Mapping[str, bytes], part: Path, at: Step = no_step) -> None:
    """A new folder with these files, made as ``part`` on the same file system: there is all of it, or no ``target``."""
    make_folder(part.parent)
    make_folder(target.parent)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for name, data in files.items():
        _write(part / name, data)
        at("file-written")
    sync_folder(part)
    at("part-written")
    move(part, target)


def move(source: Path, target: Path) -> None:
    """Rename, for good on both sides."""
    source.rename(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)


def discard(folder: Path) -> None:
    """The folder and all in it; what a power cut leaves of it is a whole folder or none."""
    gone = folder.with_name(f".gone-{folder.name}")
    shutil.rmtree(gone, ignore_errors=True)
    move(folder, gone)
    shutil.rmtree(gone)


def free(path: Path, taken: Callable[[Path], bool] = Path.exists) -> Path:
    """The path, or the first of ``NAME (2)``, ``NAME (3)`` … that nothing has."""
    n, found = 1, path
    while taken(found):
        n += 1
        end = f" ({n})"
        stem = path.name.encode()[: 255 - len(end)].decode(errors="ignore")
        found = path.with_name(stem + end)
    return found


@contextmanager
def held(folder: Path, *, wait: bool = False) -> Iterator[bool]:
    """Whether this process alone has the folder, until the end of the block or of the process."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        has = True
    except BlockingIOError:
        has = False
    try:
        yield has
    finally:
        os.close(handle)


def _write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
