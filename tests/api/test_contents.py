"""The files of a packet one by one, and packets too large for a row."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from builders.api import NINE, Agency, Hub, a_hub, office_and_province, raw, refused
from builders.packets import PDF, a_zip, an_attachment

from hub.store import tables as t

# Attachments.

HOSTILE_NAME = "Quyết định 15%0d%0aSet-Cookie; x='y' filename=z.exe .pdf"


def test_attachments_come_unwrapped_and_never_as_a_page_of_the_hub(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    page = b"<script>alert(document.domain)</script>"
    wrapped = b"%PDF-1.7 trong ZIP\n"
    files = (
        an_attachment("Công văn 15.pdf", content_id="1"),
        an_attachment("phu-luc.pdf", wrapped, content_id="2"),
        an_attachment("trang.html", page, content_id="3", content_type="text/html"),
        an_attachment(HOSTILE_NAME, content_id="4"),
    )
    plain, zipped = (base64.b64encode(octets) for octets in (wrapped, a_zip(("f00d.pdf", wrapped))))
    packet = office.peer.packet(office.peer.draft("H41", attachments=files), signed=False)
    assert packet.count(plain) == 1
    sent = office.post("/v1/documents", office.signed(packet.replace(plain, zipped))).json()
    names = {
        1: "C%C3%B4ng%20v%C4%83n%2015.pdf",
        2: "phu-luc.pdf",
        3: "trang.html",
        4: "Quy%E1%BA%BFt%20%C4%91%E1%BB%8Bnh%2015%250d%250aSet-Cookie%3B%20x%3D%27y%27%20filename%3Dz.exe%20.pdf",
    }
    for reader in (office, nghe_an):
        for n, name in names.items():
            answer = reader.get(f"/v1/documents/{sent['id']}/attachments/{n}")
            assert answer.status_code == 200
            assert answer.content == {2: wrapped, 3: page}.get(n, PDF)
            assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_reading_an_attachment_counts_as_the_fetch_of_the_packet(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    sent = office.send("H41")
    refused(nghe_an.get(f"/v1/documents/{sent['id']}/attachments/2"), "not-found")
    assert office.get(f"/v1/documents/{sent['id']}").json()["deliveries"][0]["fetched_at"] is None
    nghe_an.get(f"/v1/documents/{sent['id']}/attachments/1")
    assert office.get(f"/v1/documents/{sent['id']}").json()["deliveries"][0]["fetched_at"] == NINE


@pytest.mark.parametrize("n", ["0", "2", "-1", "9" * 30])
def test_an_attachment_that_is_not_there_is_not_found(hub: Hub, n: str) -> None:
    office, _ = office_and_province(hub)
    sent = office.send("H41")
    refused(office.get(f"/v1/documents/{sent['id']}/attachments/{n}"), "not-found")


# Large packets.


REPORT = b"%PDF-1.7\n" + bytes(range(256)) * 4096


def large(office: Agency, to: str = "H41") -> bytes:
    """A packet above a MiB."""
    return office.packet(to, attachments=(an_attachment("bao-cao.pdf", REPORT),))


def payloads(folder: Path) -> list[Path]:
    return [path for path in (folder / "payloads").rglob("*") if path.is_file()]


def test_a_large_packet_goes_through_the_payload_folder_and_comes_back_equal(hub: Hub, tmp_path: Path) -> None:
    office, nghe_an = office_and_province(hub)
    packet = large(office)
    sent = office.post("/v1/documents", packet).json()
    (stored,) = payloads(tmp_path)
    assert stored.read_bytes() == packet
    (row,) = hub.rows(t.packet)
    assert (row.body, row.size) == (None, len(packet))
    assert nghe_an.fetch(nghe_an.inbox()[0]["id"]) == packet
    answer = office.get(f"/v1/documents/{sent['id']}/packet")
    assert answer.content == packet
    assert answer.headers["content-length"] == str(len(packet))
    assert nghe_an.get(f"/v1/documents/{sent['id']}/attachments/1").content == REPORT


@pytest.mark.parametrize("extra", [0, 1])
def test_the_inline_limit_decides_where_a_packet_lies(tmp_path: Path, extra: int) -> None:
    with a_hub(tmp_path, inline_limit=5_000) as hub:
        office, _ = office_and_province(hub)
        packet = office.packet("H41").ljust(5_000 + extra)
        assert len(packet) == 5_000 + extra
        assert office.post("/v1/documents", packet).status_code == 201
        assert len(payloads(tmp_path)) == extra


def test_a_large_packet_that_is_refused_or_repeated_leaves_no_payload_behind(hub: Hub, tmp_path: Path) -> None:
    office, _ = office_and_province(hub)
    refused(office.post("/v1/documents", large(office, "H99")), "packet-refused")
    assert payloads(tmp_path) == []
    good = large(office)
    assert [office.post("/v1/documents", good).status_code for _ in range(2)] == [201, 200]
    assert len(payloads(tmp_path)) == 1


def test_a_large_packet_is_streamed(hub: Hub) -> None:
    office, _ = office_and_province(hub)
    packet = large(office)
    sent = office.post("/v1/documents", packet).json()
    seen = raw(hub, "GET", f"/v1/documents/{sent['id']}/packet", office.token)
    assert seen.answer.content == packet
    assert max(map(len, seen.parts)) <= 256 * 1024
