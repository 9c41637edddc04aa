"""`hub backup` while agencies send, the loss of the machine, `hub restore` elsewhere, and the agencies go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.commands import run, serving
from builders.packets import an_attachment
from builders.postgres import Server

from clients.hub_client import HubClient

pytestmark = pytest.mark.long


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[tuple[str, ...]]:
    """The words that name the database: none for SQLite."""
    if request.param == "sqlite":
        yield ()
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.create()
    yield "--database-url", url
    server.drop(url)


def test_agencies_go_on_with_a_restored_hub_and_lose_nothing_that_was_backed_up(
    tmp_path: Path, database: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_INLINE_LIMIT", "8192")  # so that some lie in rows, and some in files
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    packets: dict[str, bytes] = {}  # by document
    with serving(first, *database) as hub:
        office, province = hub.peer("G22", *database), hub.peer("H41", *database)
        enough, stop = threading.Event(), threading.Event()
        before: list[str] = []

        def send() -> None:
            with HubClient(hub.url, office.credentials["token"]) as client:
                while not stop.wait(0.02):
                    file = an_attachment(content=bytes(10_000 * (len(packets) % 2) + 1))
                    packet = office.packet(office.draft("H41", attachments=(file,)))
                    packets[client.send(packet).id] = packet
                    if len(packets) == 30:
                        enough.set()

        sender = threading.Thread(target=send)
        sender.start()
        try:
            assert enough.wait(60)
            before = list(packets)
            end = run("backup", str(tmp_path / "backup"), "--data-dir", str(first), *database)
        finally:
            stop.set()
            sender.join(60)
        assert end.code == 0, end.err
        with HubClient(hub.url, office.credentials["token"]) as client:  # one at least that is in no backup
            packet = office.packet(office.draft("H41"))
            packets[client.send(packet).id] = packet
        with HubClient(hub.url, province.credentials["token"]) as client:
            page = client.inbox(limit=500)
            cursor, seen = page.next, {item["id"]: item["document"]["id"] for item in page.items}
            kept = [item["id"] for item in page.items[:10]]
            for delivery in kept:
                client.packet(delivery)
                client.done(delivery)
    files = len(list((tmp_path / "backup").rglob("*.edxml")))
    assert run("restore", str(tmp_path / "backup"), "--check").code == 0
    end = run("restore", str(tmp_path / "backup"), "--data-dir", str(second))  # onto SQLite, from either
    assert end.code == 0, end.err

    with serving(second) as hub, HubClient(hub.url, province.credentials["token"]) as client:
        run("restore", str(tmp_path / "backup"), "--data-dir", str(second)).tells("hub-present", "hub.db")
        again = everything(client, cursor)
        documents = [item["document"]["id"] for item in again]
        assert set(before) <= set(documents) <= set(packets), "all of before the backup, nothing that never was"
        assert len(documents) == len(set(documents))
        assert 10 <= files <= len(documents) - 10, "some lie in files, and some in rows"
        assert {item["id"] for item in again} <= set(seen), "the ids are the same: who has one already knows it"
        for item in again:
            assert client.packet(item["id"]).packet == packets[item["document"]["id"]]
            client.done(item["id"])
        lost = [packet for document, packet in packets.items() if document not in documents]
        with HubClient(hub.url, office.credentials["token"]) as sender_again:
            for packet in [*lost, packets[before[0]]]:
                sender_again.send(packet)
        assert lost
        assert len(everything(client, None)) == len(lost)


def everything(client: HubClient, cursor: str | None) -> list[dict[str, Any]]:
    """What waits behind a cursor."""
    found: list[dict[str, Any]] = []
    while (page := client.inbox(after=cursor, limit=500)).items:
        found += page.items
        cursor = page.next
    return found


def test_what_keeps_a_backup_from_being_made_is_told(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    run("backup", str(tmp_path / "b"), "--data-dir", str(hub)).tells("hub-missing")
    assert run("migrate", "--data-dir", str(hub)).code == 0
    assert run("backup", str(tmp_path / "b"), "--data-dir", str(hub)).code == 0
    run("backup", str(tmp_path / "b"), "--data-dir", str(hub)).tells("backup-exists", str(tmp_path / "b"))
    run("restore", str(tmp_path / "none"), "--data-dir", str(tmp_path / "new")).tells("backup-broken", "manifest.json")
    (tmp_path / "b" / "secrets.key").write_bytes(b"")
    run("restore", "--check", str(tmp_path / "b")).tells("backup-broken", "secrets.key")
