"""The hub is killed at every step of its retention and started again: what is over goes in the end, and no more."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import httpx
import pytest
from builders.axis import an_axis
from builders.crash import MortalHub
from builders.databases import opened
from builders.packets import an_attachment
from builders.retention import DEATHS
from builders.waiting import comes
from sqlalchemy import select

from hub.store import tables as t
from hub.store.engine import reading

pytestmark = pytest.mark.long

LARGE = b"%PDF-1.7\n" + bytes(range(256)) * 512
CASES = [("sqlite", path) for path in DEATHS] + [("postgresql", "pare-written > before-commit")]


@pytest.mark.parametrize(("database_url", "path"), CASES, indirect=["database_url"])
def test_a_killed_hub_removes_what_is_over_in_the_end_and_nothing_else(
    tmp_path: Path, database_url: str, path: str
) -> None:
    with an_axis(tmp_path, database_url) as axis:
        axis.clock.pass_(days=-200)
        office, province = axis.enrol("G22"), axis.enrol("H41")
        system = axis.desk.rosters.current(now=True).systems[office.system_id]
        packets, ids = [], []
        for files in (
            (an_attachment(),),
            (an_attachment("Phụ lục.pdf", LARGE),),
            (an_attachment("Bản đồ.pdf", LARGE),),
        ):
            packets.append(office.packet(office.draft("H41", attachments=files)))
            ids.append(asyncio.run(axis.desk.accept(packets[-1], system, "")).body["deliveries"][0]["id"])
        for delivery in ids[:2]:
            province.receive(delivery)
        axis.clock.pass_(days=20)
        office.send("H41")
    with MortalHub(tmp_path, database_url, keep_packets=190, keep_history=190) as mortal:
        mortal.start(*path.split(" > "))
        mortal.revive(mortal.url)
        headers = {"Authorization": f"Bearer {province.credentials['token']}"}
        with httpx.Client(base_url=mortal.url, headers=headers) as client:
            assert comes(lambda: removed(database_url) >= 2), "what is over does not go"
            answers = [client.get(f"/v1/deliveries/{delivery}/packet") for delivery in ids]
        assert [answer.status_code for answer in answers] == [410, 410, 200]
        assert answers[0].json()["code"] == "packet-removed"
        assert answers[0].json()["violations"][0]["message"]["en"].endswith("SHA-256 is " + digest(packets[0]) + ".")
        assert answers[2].content == packets[2]
        mortal.stop()
    with an_axis(tmp_path, database_url) as axis:
        for file in tmp_path.rglob("*.edxml"):
            os.utime(file, (0, 0))
        axis.desk.sweep_payloads()  # what the death left behind is a file like any that no row names
        assert [file.read_bytes() for file in tmp_path.rglob("*.edxml")] == [packets[2]]
        assert [bool(axis.events(delivery)) for delivery in ids] == [False, False, True]
        assert axis.evidence({"id": axis.delivery(ids[0]).document_id})


def digest(packet: bytes) -> str:
    return hashlib.sha256(packet).hexdigest()


def removed(database_url: str) -> int:
    """Documents whose packets and history are both gone."""
    with opened(database_url) as engine, reading(engine) as connection:
        return len(connection.execute(select(t.document.c.id).where(t.document.c.pared == 5)).all())
