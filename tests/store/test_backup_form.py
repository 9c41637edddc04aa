"""Backups: whole, of one moment, for either database; a restored hub gives out nothing a second time."""

from __future__ import annotations

import asyncio
import hashlib
import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders.axis import START, Axis, Peer, an_axis
from builders.reports import only
from sqlalchemy import select

from hub.errors import Refusal
from hub.exchange.retention import Keep, Keeper
from hub.store import backup
from hub.store import tables as t
from hub.store.backup import Manifest, Tell
from hub.store.engine import reading
from hub.store.payloads import Folder, Payloads


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody looks on."""


def backed_up(axis: Axis, home: Path, *, payloads: Payloads | None = None, tell: Tell = silent) -> Manifest:
    """Into ``home / "backup"``."""
    return backup.write(
        axis.desk.engine, payloads or axis.desk.payloads, home / "secrets.key", home / "backup",
        now=axis.clock(), program="0.1.0", tell=tell,
    )  # fmt: skip


def restored(source: Path, home: Path, url: str = "", days: float = 1) -> Manifest:
    (home / "payloads").mkdir(parents=True, exist_ok=True)
    url = url or f"sqlite:///{home / 'hub.db'}"
    return backup.restore(
        source, url, Folder(home / "payloads"), home, now=START + timedelta(days=days), by="command:root", tell=silent
    )  # fmt: skip


def accepted(axis: Axis, peer: Peer, *to: str) -> tuple[str, bytes]:
    """A packet that the desk took, so that it may lie in the payload folder: its delivery's id, and its bytes."""
    packet = peer.packet(peer.draft(*to))
    return only(peer.hand_in(packet).body), packet


def rows_of(axis: Axis) -> dict[str, list[dict[str, Any]]]:
    """All that is stored, in the order of its keys."""
    with reading(axis.desk.engine) as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
            for table in t.metadata.sorted_tables
        }


def but_for_places(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Without what a restoration numbers anew: the counter's ``seq``, and that of deliveries that wait."""
    anew = {
        "counter": [row | {"seq": 0} for row in rows["counter"]],
        "delivery": [row | ({"seq": 0} if row["state"] == "waiting" else {}) for row in rows["delivery"]],
    }
    return rows | anew


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Path:
    """The data folder of a hub."""
    return tmp_path


def a_full_hub(axis: Axis) -> tuple[Peer, Peer, str, bytes]:
    """Documents, large and small, delivered and waiting, a status, a refusal, a request."""
    office, province = axis.enrol("G22"), axis.enrol("H41")
    first, packet = accepted(axis, office, "H41")
    document, answer = office.issue("H41")
    province.receive(answer["deliveries"][0]["id"])
    province.report("03", document, other="G22")
    office.update(document, "H41")
    with pytest.raises(Refusal, match=r"^packet-refused"):
        accepted(axis, office, "W00")
    return office, province, first, packet


def test_a_backup_of_either_database_makes_the_same_hub_on_either(
    home: Path, database_url: str, empty_url: str
) -> None:
    with an_axis(home, database_url, inline_limit=2048) as axis:
        office, province, first, packet = a_full_hub(axis)
        made = backed_up(axis, home)
        before = rows_of(axis)
        waiting = province.waiting()
    assert (made.documents, made.payloads, made.missing) == (3, 1, ())
    restored(home / "backup", home / "new", empty_url)
    with an_axis(home / "new", empty_url, inline_limit=2048) as axis:
        after = rows_of(axis)
        assert after["audit_entry"].pop()["action"] == "restore"
        assert but_for_places(after) == but_for_places(before)
        province.axis = office.axis = axis
        assert province.waiting() == waiting
        place = next(row["place"] for row in after["packet"] if row["id"] == axis.delivery(first).packet_id)
        assert axis.desk.payloads.get(place) == packet
        secrets = {axis.desk.vault.decrypt(row["secret"]).decode() for row in after["system"]}
        assert secrets == {peer.credentials["secret"] for peer in (office, province)}, "the key came with it"
        province.receive(first)  # events are numbered on behind those that were restored


def test_a_restored_hub_gives_out_no_seq_and_no_id_a_second_time(home: Path, database_url: str) -> None:
    with an_axis(home, database_url) as axis:
        office, province = axis.enrol("G22"), axis.enrol("H41")
        office.send("H41")
        backed_up(axis, home)
        lost = [office.send("H41") for _ in range(5)]
        cursor = province.inbox()[-1]["seq"]
        ids = province.waiting()
    for restoration, days in (("one", 1), ("two", 2)):  # the second of the very same backup
        restored(home / "backup", home / restoration, days=days)
        with an_axis(home / restoration) as axis:
            axis.clock.pass_(days=days)
            office.axis = province.axis = axis
            [again] = province.inbox(after=cursor)
            assert again["id"] in ids, "what waits is seen again, by whoever had seen it too"
            new = office.send("H41")
            seqs = [row["seq"] for row in province.inbox(after=cursor)]
            assert len(seqs) == 2
            assert seqs[0] > cursor
            assert new["id"] not in {answer["id"] for answer in lost}
            cursor = seqs[-1]


def test_clients_count_on_after_a_restoration_for_two_hundred_years() -> None:
    """Beyond 2^53 some of them would lose digits."""
    assert (START.timestamp() + 200 * 365 * 86400) * backup._SEQS_A_SECOND < 2**53


def test_the_copy_is_of_one_moment_while_the_hub_goes_on(
    home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_PAGES", 5)
    with an_axis(home, database_url) as axis:
        office = axis.enrol("G22")
        axis.enrol("H41")
        for _ in range(50):
            office.send("H41")
        sent = []

        def tell(what: str, _done: int, _total: int) -> None:
            if what != "payloads" and len(sent) < 100:
                sent.append(office.send("H41"))

        made = backed_up(axis, home, tell=tell)
        assert len(sent) > 3
    assert made.documents == 50
    backup.check(home / "backup", silent)
    restored(home / "backup", home / "new")
    with an_axis(home / "new") as axis:
        rows = rows_of(axis)
        assert len(rows["document"]) == len(rows["delivery"]) == len(rows["packet"]) == len(rows["evidence"]) == 50


def test_a_packet_whose_time_comes_while_it_is_copied_is_removed_in_the_copy_too(home: Path, database_url: str) -> None:
    with an_axis(home, database_url, inline_limit=0) as axis:
        office, province = axis.enrol("G22"), axis.enrol("H41")
        first, _ = accepted(axis, office, "H41")
        second, packet = accepted(axis, office, "H41")
        province.receive(first)
        axis.clock.pass_(days=10)

        class Slow(Folder):
            """Retention comes by before the first is read."""

            def get(self, place: str) -> bytes:
                asyncio.run(Keeper(axis.desk, Keep(packets=5)).once())
                return super().get(place)

        made = backed_up(axis, home, payloads=Slow(home / "payloads"))
        assert (made.payloads, made.missing) == (1, ())
    restored(home / "backup", home / "new", days=20)
    with an_axis(home / "new") as axis:
        with reading(axis.desk.engine) as connection:
            packets = {row.id: row.place for row in connection.execute(select(t.packet))}
        assert packets[axis.delivery(first).packet_id] == ""
        assert axis.desk.payloads.get(packets[axis.delivery(second).packet_id]) == packet


def test_a_packet_that_the_hub_has_lost_is_named_and_the_rest_is_backed_up(home: Path, database_url: str) -> None:
    with an_axis(home, database_url, inline_limit=0) as axis:
        office, _ = axis.enrol("G22"), axis.enrol("H41")
        packet_id, whole = (axis.delivery(accepted(axis, office, "H41")[0]).packet_id for _ in range(2))
        next(home.rglob(f"{packet_id}-*.edxml")).write_bytes("hỏng".encode())
        made = backed_up(axis, home)
    assert made.missing == (packet_id,)
    assert made.payloads == 1
    assert backup.check(home / "backup", silent) == made
    restored(home / "backup", home / "new")
    (file,) = (home / "new").rglob("*.edxml")
    assert file.name.startswith(whole)


def test_nobody_else_may_read_a_backup(home: Path, database_url: str) -> None:
    with an_axis(home, database_url) as axis:
        backed_up(axis, home)
    assert stat.S_IMODE((home / "backup").stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "backup" / "secrets.key").stat().st_mode) == 0o600


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A backup."""
    with an_axis(tmp_path / "hub", inline_limit=0) as axis:
        office, _ = axis.enrol("G22"), axis.enrol("H41")
        accepted(axis, office, "H41")
        backed_up(axis, tmp_path / "hub")
    return tmp_path / "hub" / "backup"


@pytest.mark.parametrize("what", ["hub.db", "secrets.key", "payloads/", "manifest.json"])
@pytest.mark.parametrize("how", ["changed", "missing"])
def test_a_backup_that_is_not_whole_makes_no_hub(whole: Path, tmp_path: Path, what: str, how: str) -> None:
    file = next(whole.rglob("*.edxml")) if what == "payloads/" else whole / what
    content = file.read_bytes()
    file.unlink()
    if how == "changed":
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for attempt in (lambda: backup.check(whole, silent), lambda: restored(whole, tmp_path / "new")):
        with pytest.raises(Refusal, match=r"^backup-broken") as found:
            attempt()
        assert what in found.value.en
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["payloads"]


def test_checking_and_restoring_leave_the_backup_as_it_is(whole: Path, tmp_path: Path) -> None:
    before = {path: hashlib.sha256(path.read_bytes()).digest() for path in whole.rglob("*") if path.is_file()}
    restored(whole, tmp_path / "new")
    backup.check(whole, silent)
    assert {p: hashlib.sha256(p.read_bytes()).digest() for p in whole.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("there", ["hub.db", "hub.db-wal", "secrets.key"])
def test_where_anything_of_a_hub_is_nothing_is_restored(whole: Path, tmp_path: Path, there: str) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / there).write_bytes("trước".encode())
    with pytest.raises(Refusal, match=r"^hub-present"):
        restored(whole, tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {there, "payloads"}
    assert not list((tmp_path / "new").rglob("*.edxml"))


def test_over_a_hub_that_serves_nothing_is_restored(whole: Path, home: Path, database_url: str) -> None:
    with an_axis(home, database_url) as axis:
        axis.enrol("G22")
        before = rows_of(axis)
        with pytest.raises(Refusal, match=r"^hub-present"):
            restored(whole, home / "new", database_url)
        assert rows_of(axis) == before


@pytest.mark.parametrize("dies_at", ["put", "begin_anew", "_settle"])
def test_a_restoration_that_was_cut_off_leaves_no_hub_and_is_simply_made_again(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    class Cut(Folder):
        def put(self, place: str, data: bytes) -> None:
            super().put(place, data)
            raise KeyboardInterrupt

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    home = tmp_path / "new"
    (home / "payloads").mkdir(parents=True)
    payloads = Cut(home / "payloads") if dies_at == "put" else Folder(home / "payloads")
    with monkeypatch.context() as patched:
        if dies_at != "put":
            patched.setattr(backup, dies_at, cut)
        with pytest.raises(KeyboardInterrupt):
            backup.restore(whole, f"sqlite:///{home / 'hub.db'}", payloads, home, now=START, by="", tell=silent)
    assert not (home / "hub.db").exists()
    restored(whole, home)
    with an_axis(home) as axis:
        assert len(rows_of(axis)["document"]) == 1


def test_a_backup_that_was_cut_off_has_not_its_name(home: Path, database_url: str) -> None:
    def cut(_what: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with an_axis(home, database_url) as axis:
        with pytest.raises(KeyboardInterrupt):
            backed_up(axis, home, tell=cut)
        assert list(home.glob("backup*")) == []
        backed_up(axis, home)
        with pytest.raises(Refusal, match=r"^backup-exists"):
            backed_up(axis, home)


def test_a_clock_behind_the_backup_s_is_told(whole: Path, tmp_path: Path) -> None:
    """The numbers of the restored hub begin by the clock."""
    with pytest.raises(Refusal, match=r"^clock-behind"):
        restored(whole, tmp_path / "new", days=-1)


def test_a_backup_of_a_newer_form_is_told(whole: Path, tmp_path: Path) -> None:
    said = json.loads((whole / "manifest.json").read_text())
    (whole / "manifest.json").write_text(json.dumps(said | {"format": 2}))
    with pytest.raises(Refusal, match=r"^backup-broken") as refused:
        restored(whole, tmp_path / "new")
    assert "manifest.json" in refused.value.en
