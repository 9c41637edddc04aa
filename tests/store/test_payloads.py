"""The payload folder: what is its own beside what every store of payloads does (``test_payloads_both``)."""

from __future__ import annotations

import errno
import gc
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.store.ids import new_id
from hub.store.payloads import CHUNK, Folder, place_of

NOW = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)
PACKET = "Văn bản".encode() * 100_000  # about 0.9 MB: several chunks


def a_place(now: datetime = NOW) -> str:
    return place_of(new_id(now), "ab" * 32, now)


def files_below(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if not p.is_dir())


def test_a_packet_is_a_file_of_its_own_read_chunk_by_chunk(tmp_path: Path) -> None:
    folder, place = Folder(tmp_path), a_place()
    folder.put(place, PACKET)
    assert max(map(len, folder.stream(place))) == CHUNK
    assert files_below(tmp_path) == [place]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    place = a_place()
    partial = (tmp_path / place).with_suffix(".part")
    partial.parent.mkdir(parents=True)
    partial.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as fault:
        Folder(tmp_path).put(place, PACKET)
    assert fault.value.errno == errno.ENOSPC
    assert files_below(tmp_path) == []


CRASH = """
import os, sys
from pathlib import Path
from hub.store.payloads import Folder
sys.addaudithook(lambda event, _args: os._exit(9) if event == "os.rename" else None)
Folder(Path(sys.argv[1])).put(sys.argv[2], b"x" * 300_000)
"""


def test_a_crash_before_the_rename_leaves_no_packet_and_a_remnant_the_sweep_finds(tmp_path: Path) -> None:
    place = a_place()
    assert subprocess.run([sys.executable, "-c", CRASH, str(tmp_path), place]).returncode == 9
    folder = Folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        folder.get(place)
    remnants = list(folder.older_than(datetime.now(UTC) + timedelta(days=1)))
    assert remnants == files_below(tmp_path)
    assert len(remnants) == 1


def test_bytes_are_on_disk_before_the_name_and_the_name_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, str]] = []

    def noted(name: str, real: Callable[..., Any], about: Callable[..., str]) -> None:
        def call(*args: Any) -> Any:
            steps.append((name, about(*args)))
            return real(*args)

        monkeypatch.setattr(os, name, call)

    place = a_place()
    noted(
        "fsync", os.fsync, lambda handle: Path(os.readlink(f"/proc/self/fd/{handle}")).relative_to(tmp_path).as_posix()
    )
    noted("replace", os.replace, lambda _from, to: Path(to).relative_to(tmp_path).as_posix())
    Folder(tmp_path).put(place, PACKET)
    year, month, day = (NOW.strftime(form) for form in ("%Y", "%Y/%m", "%Y/%m/%d"))
    assert steps == [
        ("fsync", "."),  # each new folder is durable in its parent
        ("fsync", year),
        ("fsync", month),
        ("fsync", place.removesuffix(".edxml") + ".part"),
        ("replace", place),
        ("fsync", day),
    ]


def test_a_place_is_a_plain_path_below_its_day() -> None:
    packet_id = new_id(NOW)
    place = place_of(packet_id, "0f" * 32, NOW)
    assert place == f"2025/10/01/{packet_id}-{'0f' * 32}.edxml"
    assert re.fullmatch(r"[0-9a-f/.-]+\.edxml", place)


@pytest.mark.parametrize("read", [0, 1])
def test_a_reader_that_goes_away_leaves_no_file_open(tmp_path: Path, read: int) -> None:
    folder, place = Folder(tmp_path), a_place()
    folder.put(place, PACKET)
    chunks = folder.stream(place)
    for _ in range(read):
        next(chunks)
    del chunks
    gc.collect()  # a file left open warns, and a warning is an error here


def test_only_what_was_written_before_the_moment_is_old(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    ages = {a_place(): -1, a_place(): 0, a_place(): 1}  # seconds after NOW
    for place, age in ages.items():
        folder.put(place, PACKET)
        os.utime(tmp_path / place, (0, NOW.timestamp() + age))
    assert list(folder.older_than(NOW)) == [place for place, age in ages.items() if age < 0]


def test_a_folder_not_made_yet_has_nothing_old(tmp_path: Path) -> None:
    assert list(Folder(tmp_path / "none").older_than(NOW)) == []
