"""Database away, disk full, writer stuck: 503 with Retry-After, nothing half done, and well again by itself.

The full disk is real: SQLite may not grow its file by another page, a payload cannot be written because its folder is
a file. PostgreSQL is stopped, and killed in the middle of a commit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.api import STORED, Agency, Hub, a_hub, office_and_province, refused
from builders.databases import full
from builders.packets import an_attachment
from builders.postgres import Server

from hub.api import deliveries
from hub.store import tables as t


def asked_again(answer: httpx.Response, code: str) -> None:
    """A fault that passes: the client is told when to come again."""
    assert refused(answer, code)["status"] == 503
    assert int(answer.headers["retry-after"]) > 0


def until(hub: Hub, path: str, status: int) -> dict[str, Any]:
    """The answer of ``path`` once it has that status; it must come by itself. Each look is a second after the last."""
    deadline = time.monotonic() + 60
    hub.axis.clock.pass_(seconds=1)
    while (answer := hub.ask("GET", path)).status_code != status:
        assert time.monotonic() < deadline, answer.text
        hub.axis.clock.pass_(seconds=1)
    body: dict[str, Any] = answer.json()
    return body


# PostgreSQL.


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@contextmanager
def away(server: Server) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def requests(office: Agency, nghe_an: Agency) -> dict[str, Callable[[], httpx.Response]]:
    """One request of each kind, with what it needs already there."""
    document, sent = office.issue("H41")
    delivery = sent["deliveries"][0]["id"]
    nghe_an.fetch(delivery)
    packet, status = office.packet("H41"), nghe_an.status("03", document)
    return {
        "send": lambda: office.post("/v1/documents", packet),
        "validate": lambda: office.post("/v1/documents/validate", packet),
        "refused": lambda: office.post("/v1/documents", b"<edXML/>"),
        "report": lambda: nghe_an.post("/v1/statuses", status),
        "inbox": lambda: nghe_an.get("/v1/inbox"),
        "outbox": lambda: office.get("/v1/outbox"),
        "document": lambda: office.get(f"/v1/documents/{sent['id']}"),
        "packet": lambda: nghe_an.get(f"/v1/deliveries/{delivery}/packet"),
        "attachment": lambda: nghe_an.get(f"/v1/documents/{sent['id']}/attachments/1"),
        "done": lambda: nghe_an.post(f"/v1/deliveries/{delivery}/done"),
        "certificates": lambda: office.get("/v1/agencies/H41/certificates"),
        "evidence": lambda: office.get(f"/v1/evidence/{sent['id']}"),
        "unknown token": lambda: office.hub.ask("GET", "/v1/inbox", "sai"),
    }


AFTERWARDS = {"send": 201, "report": 201, "refused": 422, "unknown token": 401}


def test_while_the_database_is_away_every_request_is_asked_again_and_succeeds_after(
    tmp_path: Path, server: Server
) -> None:
    with a_hub(tmp_path, server.create()) as hub:
        office, nghe_an = office_and_province(hub)
        each = requests(office, nghe_an)
        before = hub.count(*STORED, t.refusal)
        with away(server):
            for request in each.values():
                asked_again(request(), "database-away")
            assert hub.ask("GET", "/healthz").status_code == 200
            red = until(hub, "/readyz", 503)
            assert (red["status"], red["writer"], red["database"]) == ("unavailable", "database-away", "database-away")
        assert until(hub, "/readyz", 200) == {"status": "ok", "writer": "ok", "database": "ok", "disk": "ok"}
        assert hub.count(*STORED, t.refusal) == before
        for name, request in each.items():
            assert request().status_code == AFTERWARDS.get(name, 200), name
        assert len(nghe_an.inbox()) == 1


@pytest.mark.parametrize("step", ["accept-written", "before-commit"])
def test_a_database_that_dies_before_the_commit_has_nothing_of_it_and_takes_it_again(
    tmp_path: Path, server: Server, step: str
) -> None:
    armed: list[str] = []

    def at(name: str) -> None:
        if name in armed:
            armed.clear()
            server.kill()

    with a_hub(tmp_path, server.create(), at=at) as hub:
        office, nghe_an = office_and_province(hub)
        packets = [office.packet("H41"), office.packet("H41", attachments=(an_attachment(content=bytes(100_000)),))]
        for n, packet in enumerate(packets):
            armed.append(step)
            asked_again(office.post("/v1/documents", packet), "database-away")
            server.start()
            until(hub, "/readyz", 200)
            assert {hub.count(table) for table in (t.document, t.packet, t.delivery, t.evidence)} == {n}
            assert office.post("/v1/documents", packet).status_code == 201
        assert [nghe_an.fetch(item["id"]) for item in nghe_an.inbox()] == packets


def test_a_poll_that_waits_while_the_database_is_away_is_woken_by_the_next_document(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_LOOK_AGAIN", 3600)
    with a_hub(tmp_path, server.create()) as hub:
        office, nghe_an = office_and_province(hub)
        poll = nghe_an.later("/v1/inbox", wait=60)
        hub.waits(nghe_an, 1)
        with away(server):
            pass
        until(hub, "/readyz", 200)
        sent = office.send("H41")
        answer = poll.result(30)
        if answer.status_code == 503:  # it looked while the database was away
            answer = nghe_an.get("/v1/inbox")
        assert [item["id"] for item in answer.json()["items"]] == [sent["deliveries"][0]["id"]]


# A full disk.


def test_a_full_disk_refuses_for_a_while_and_keeps_everything_readable(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        office, nghe_an = office_and_province(hub)
        first = office.send("H41")
        large = office.packet("H41", attachments=(an_attachment(content=bytes(30_000)),))
        before = hub.count(*STORED, t.refusal)
        with full(hub.axis.desk.engine):
            for _ in range(2):
                asked_again(office.post("/v1/documents", large), "storage-full")
            assert hub.count(*STORED, t.refusal) == before
            assert [item["document"]["id"] for item in nghe_an.inbox()] == [first["id"]]
            assert hub.ask("GET", "/healthz").status_code == 200
        assert office.post("/v1/documents", large).status_code == 201
        assert len(nghe_an.inbox()) == 2
        assert until(hub, "/readyz", 200)["status"] == "ok"


def test_a_payload_folder_that_cannot_be_written_accepts_nothing_large_until_it_can(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        office, nghe_an = office_and_province(hub)
        large = office.packet("H41", attachments=(an_attachment(content=bytes(100_000)),))
        folder, gone = tmp_path / "payloads", tmp_path / "gone"
        folder.rename(gone)
        folder.write_bytes(b"")
        asked_again(office.post("/v1/documents", large), "internal")
        assert hub.count(*STORED, t.refusal) == 0
        office.send("H41")
        folder.unlink()
        gone.rename(folder)
        assert office.post("/v1/documents", large).status_code == 201
        assert [nghe_an.fetch(item["id"]) for item in nghe_an.inbox()][1] == large


def test_a_payload_that_is_missing_is_no_end_of_the_hub_and_no_fetch(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        office, nghe_an = office_and_province(hub)
        sent = office.send("H41", attachments=(an_attachment(content=bytes(100_000)),))
        (payload,) = [path for path in (tmp_path / "payloads").rglob("*") if path.is_file()]
        aside = payload.rename(tmp_path / "aside")
        delivery = sent["deliveries"][0]["id"]
        for path in (f"/v1/deliveries/{delivery}/packet", f"/v1/documents/{sent['id']}/attachments/1"):
            answer = nghe_an.get(path)
            asked_again(answer, "internal")
            assert payload.name not in answer.text
        assert office.get(f"/v1/documents/{sent['id']}").json()["deliveries"][0]["fetched_at"] is None
        aside.rename(payload)
        assert len(nghe_an.fetch(delivery)) > 100_000


# A writer that is stuck.


def test_readyz_is_red_while_the_writer_is_stuck_and_green_again_after(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        office, nghe_an = office_and_province(hub)
        assert until(hub, "/readyz", 200) == {"status": "ok", "writer": "ok", "database": "ok", "disk": "ok"}
        with hub.axis.together():
            hub.axis.clock.pass_(seconds=1)
            answer = hub.ask("GET", "/readyz")
            assert (answer.status_code, answer.json()["writer"]) == (503, "stuck")
            assert hub.ask("GET", "/healthz").status_code == 200
            assert nghe_an.get("/v1/inbox").json()["items"] == []
        assert until(hub, "/readyz", 200)["writer"] == "ok"
        office.send("H41")
        assert len(nghe_an.inbox()) == 1


def test_a_client_that_gives_up_waiting_for_a_stuck_writer_harms_nobody(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        office, nghe_an = office_and_province(hub)
        packets = [office.packet("H41") for _ in range(3)]
        with hub.axis.together():
            gone, *stay = [hub.later("POST", "/v1/documents", office.token, content=packet) for packet in packets]
            while hub.face.in_flight != sum(map(len, packets)):
                hub.turn()
            gone.cancel()
        assert [answer.result(30).status_code for answer in stay] == [201, 201]
        assert office.post("/v1/documents", packets[0]).status_code in {200, 201}
        assert len(nghe_an.inbox()) == 3
