"""Names that must outlive a power cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.store.durable import make_folder


def test_a_new_data_folder_is_on_the_disk_by_name_with_those_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def noted(handle: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")).relative_to(tmp_path).as_posix())
        real(handle)

    monkeypatch.setattr(os, "fsync", noted)
    make_folder(tmp_path / "srv" / "lienthong" / "data")
    assert sorted(synced) == [".", "srv", "srv/lienthong"]
    assert (tmp_path / "srv" / "lienthong" / "data").stat().st_mode & 0o777 == 0o700
    synced.clear()
    make_folder(tmp_path / "srv" / "lienthong" / "data")
    assert synced == []


def test_what_is_no_folder_is_not_made_one(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("tệp", "utf-8")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "data")
