"""A hub whose large packets lie in a bucket of a real S3 server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from builders.api import STORED, a_hub, office_and_province, refused
from builders.objects import SECRET, ObjectServer
from builders.packets import an_attachment

from hub.store import tables as t
from hub.store.s3 import Bucket

LARGE = (an_attachment("bao-cao.pdf", b"%PDF-1.7\n" + bytes(300_000)),)
LATER = timedelta(days=2)


def settings(folder: Path, server: ObjectServer) -> dict[str, Any]:
    place = f"s3://van-ban/{folder.name}"
    return {"s3_endpoint": server.endpoint, "s3_access_key": "hub", "s3_secret_key": SECRET, "payloads_url": place}


def places(folder: Path, server: ObjectServer) -> list[str]:
    return list(Bucket(server.access("van-ban", folder.name)).older_than(datetime.now(UTC) + LATER))


def test_a_large_packet_goes_through_the_bucket_and_comes_back_equal(tmp_path: Path, objects: ObjectServer) -> None:
    with a_hub(tmp_path, **settings(tmp_path, objects)) as hub:
        office, nghe_an = office_and_province(hub)
        packet = office.packet("H41", attachments=LARGE)
        sent = office.post("/v1/documents", packet).json()
        (row,) = hub.rows(t.packet)
        assert (row.body, places(tmp_path, objects)) == (None, [row.place])
        assert nghe_an.fetch(nghe_an.inbox()[0]["id"]) == packet
        attachment = nghe_an.get(f"/v1/documents/{sent['id']}/attachments/1")
        assert attachment.content == LARGE[0].content
        assert not (tmp_path / "payloads").exists()


def test_what_is_refused_or_repeated_leaves_nothing_in_the_bucket(tmp_path: Path, objects: ObjectServer) -> None:
    with a_hub(tmp_path, **settings(tmp_path, objects)) as hub:
        office, _ = office_and_province(hub)
        refused(office.post("/v1/documents", office.packet("H99", attachments=LARGE)), "packet-refused")
        assert places(tmp_path, objects) == []
        packet = office.packet("H41", attachments=LARGE)
        assert [office.post("/v1/documents", packet).status_code for _ in range(2)] == [201, 200]
        assert len(places(tmp_path, objects)) == 1


def test_the_sweep_removes_from_the_bucket_what_no_row_names(
    tmp_path: Path, objects: ObjectServer, monkeypatch: Any
) -> None:
    with a_hub(tmp_path, **settings(tmp_path, objects)) as hub:
        office, _ = office_and_province(hub)
        office.post("/v1/documents", office.packet("H41", attachments=LARGE))
        (named,) = places(tmp_path, objects)
        desk = hub.axis.desk
        desk.payloads.put("2025/10/01/orphan.edxml", b"x")
        assert desk.sweep_payloads() == 0  # written a moment ago: its row may come
        monkeypatch.setattr("hub.exchange.desk._ORPHAN", -LATER)
        assert desk.sweep_payloads() == 1
        assert places(tmp_path, objects) == [named]


def test_while_the_bucket_is_away_large_packets_wait_and_small_ones_go_on(tmp_path: Path) -> None:
    with ObjectServer() as server, a_hub(tmp_path, **settings(tmp_path, server)) as hub:
        office, nghe_an = office_and_province(hub)
        first, second = (office.packet("H41", attachments=LARGE) for _ in range(2))
        sent = office.post("/v1/documents", first).json()
        before = hub.count(*STORED)
        server.stop()
        for answer in (
            office.post("/v1/documents", second),
            nghe_an.get(f"/v1/deliveries/{sent['deliveries'][0]['id']}/packet"),
            nghe_an.get(f"/v1/documents/{sent['id']}/attachments/1"),
        ):
            assert refused(answer, "payloads-away")["status"] == 503
            assert int(answer.headers["retry-after"]) > 0
        assert hub.count(*STORED) == before
        assert office.get(f"/v1/documents/{sent['id']}").json()["deliveries"][0]["fetched_at"] is None
        assert office.send("H41")["id"]
        server.start()
        assert office.post("/v1/documents", second).status_code == 201
        waiting = [nghe_an.fetch(item["id"]) for item in nghe_an.inbox()]
        assert (waiting[0], waiting[2]) == (first, second)
