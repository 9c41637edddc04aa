"""Little room on a disk: packets are refused before they are read, and everything else goes on (exchange rules 10)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from builders.api import a_hub, office_and_province, raw, refused

from hub.errors import Refusal
from hub.settings import Settings
from hub.store import disk
from hub.store.disk import Disk


def test_a_packet_is_refused_before_it_is_read_and_receiving_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_LOOK", 3600)
    with a_hub(tmp_path) as hub:
        office, province = office_and_province(hub)
        document, answer = office.issue("H41")
        delivery = answer["deliveries"][0]["id"]
        hub.face.disk.full = True
        for path in ("/v1/documents", "/v1/documents/validate", "/v1/statuses"):
            length = [(b"content-length", b"9000000")]
            told = raw(hub, "POST", path, office.token, b"<", headers=length)
            assert refused(told.answer, "storage-full")["status"] == 503
            assert told.answer.headers["Retry-After"] == "60"
            assert told.asked == 0
        assert hub.ask("GET", "/readyz").json() == {
            "status": "unavailable", "writer": "ok", "database": "ok", "disk": "storage-full",
        }  # fmt: skip
        province.receive(delivery)
        assert [item["what"] for item in office.outbox()] == ["delivered"]
        hub.face.disk.full = False
        assert province.report("01", document, other="G22").status_code == 201
        hub.axis.clock.pass_(seconds=1)
        assert hub.ask("GET", "/readyz").status_code == 200


def test_a_hub_that_starts_on_a_full_disk_takes_no_packet_from_the_first_on(tmp_path: Path) -> None:
    with a_hub(tmp_path, disk_reserve=2**62) as hub:
        office, _ = office_and_province(hub)
        refused(office.post("/v1/documents", office.packet("H41")), "storage-full")


def lies(folder: Path, on: Path) -> None:
    """The folder is one of a disk with room, or of /proc, where there is none."""
    other = folder.with_suffix(".new")
    other.symlink_to(on)
    other.replace(folder)


def test_the_disk_is_looked_at_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_LOOK", 0.01)
    folder = tmp_path / "data"
    lies(folder, on=tmp_path)
    watched = Disk([folder], 1)

    async def until(full: bool) -> None:
        deadline = time.monotonic() + 30
        while watched.full is not full:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    async def story() -> None:
        async with watched.watched():
            watched.admit()
            lies(folder, on=Path("/proc"))
            await until(full=True)
            with pytest.raises(Refusal, match=r"^storage-full"):
                watched.admit()
            lies(folder, on=tmp_path)
            await until(full=False)
            watched.admit()

    asyncio.run(story())


def test_a_folder_that_cannot_be_asked_leaves_what_was_seen_last(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    lies(folder, on=Path("/proc"))
    looked = Disk([folder], 1)
    looked.look()
    folder.unlink()
    with pytest.raises(FileNotFoundError):
        looked.look()
    assert looked.full


def test_the_disks_of_data_database_and_payloads_are_watched(tmp_path: Path) -> None:
    elsewhere = Settings(data_dir=tmp_path, database_url="sqlite:////db/hub.db", payloads_url="file:///payloads")
    assert elsewhere.folders == [tmp_path, Path("/payloads"), Path("/db")]
    server = Settings(data_dir=tmp_path, database_url="postgresql://hub@db/hub")
    assert server.folders == [tmp_path, tmp_path / "payloads"]
