"""A recipient that told the hub that it could not take its delivery does so again when the record is played."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from builders.axis import Peer
from builders.calling import client, enrolled
from builders.recorded import Listening, a_recorder, bodies, newly_enrolled
from builders.served import Served, a_served_hub
from builders.speaking import speaker

from clients.gateway_client import GatewayClient
from clients.replay.stock.keys import key_and_certificate
from clients.replay.traffic.file import TrafficFile
from clients.replay.traffic.plan import TrafficPlan
from clients.replay.traffic.play import RecordedPlay
from clients.replay.wire.dialects import Dialect
from clients.replay.wire.lines import Lines

OFFICE, PROVINCE, MINISTRY, CITY = "G22", "H41", "G06", "H17"
NAMES = {
    OFFICE: "Văn phòng Chính phủ",
    PROVINCE: "Ủy ban nhân dân tỉnh Nghệ An",
    MINISTRY: "Bộ Giáo dục và Đào tạo",
    CITY: "Ủy ban nhân dân thành phố Đà Nẵng",
}
LATER = 45  # days between the recording and the play


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of three recipients the province, in the gateway's dialect, and the ministry cannot take the document; the city
    could not at first, and then did."""
    folder = tmp_path_factory.mktemp("recorded")
    file = folder / "a.traffic"
    with a_served_hub(folder / "hub") as hub:
        peers = {code: enrolled(hub, code, name) for code, name in NAMES.items()}
        with a_recorder(hub.base_url, file) as proxy:
            _story(proxy, peers)
    return file


def _story(proxy: Listening, peers: dict[str, Peer]) -> None:
    office, province, ministry, city = peers.values()
    letter = office.draft(PROVINCE, MINISTRY, CITY)
    with client(proxy, office) as agency:  # type: ignore[arg-type]  # it has a base_url
        agency.send(office.packet(letter))
    with GatewayClient(f"{proxy.base_url}/axis", province.system_id, province.credentials["secret"]) as java:
        (item,) = java.get_received_edoc_list("edoc").items
        assert not java.update_status(item["docId"], "done").ok, "nothing was fetched: refused, by a 200"
        java.get_edoc(item["docId"])
        assert java.update_status(item["docId"], "fail", description="Anh Nguyễn Văn Thử nghỉ").ok
    for peer in (ministry, city):
        with client(proxy, peer) as agency:  # type: ignore[arg-type]
            (waiting,) = agency.inbox().items
            agency.packet(waiting["id"])
            agency.failed(waiting["id"], "Chị Trần Thị Thử nghỉ")
            if peer is city:
                agency.done(waiting["id"])


def test_who_failed_in_the_end_is_in_the_plan(record: Path) -> None:
    with TrafficFile(record) as file:
        plan = TrafficPlan(file)
        assert {code: plan.failed(1, code) for code in (PROVINCE, MINISTRY, f"000.00.00.{CITY}", OFFICE)} == {
            PROVINCE: True,
            MINISTRY: True,
            f"000.00.00.{CITY}": False,
            OFFICE: False,
        }
        handled = plan.sent(1).recipients
        assert handled[PROVINCE].done is None, "a refused done is none"
        assert handled[CITY].done is not None


def test_why_it_failed_is_not_written_down(record: Path) -> None:
    assert "nghỉ".encode() not in record.read_bytes()
    ended = [answer for exchange, _, answer in bodies(record) if exchange.operation in {"done", "failed"}]
    assert len(ended) == 5
    assert all(ended)


def test_played_again_the_senders_are_told_of_the_same_failures(record: Path, tmp_path: Path) -> None:
    with TrafficFile(record) as file:
        today = (file.begun + timedelta(days=LATER)).date()
    terms = {"seed": 7, "today": today, "sign_as": partial(key_and_certificate, 7)}
    with a_served_hub(tmp_path) as hub, RecordedPlay(record, **terms) as play:
        hub.axis.clock.pass_(days=LATER)
        peers = {party.code: newly_enrolled(hub, play, party) for party in play.cast}
        asyncio.run(played(hub, play, peers))
        assert sorted(peers[OFFICE].outbox()) == [("delivered", "none"), ("failed", "none"), ("failed", "none")]


async def played(hub: Served, play: RecordedPlay, peers: dict[str, Peer]) -> None:
    async with Lines(hub.base_url) as lines:
        systems: dict[str, Dialect] = {
            party.code: speaker(party.dialect, lines, peers[party.code]) for party in play.cast
        }
        (post,) = play.posts()
        await systems[OFFICE].send(await play.packet(post), post, "d1.1")
        for code in post.recipients:
            system = systems[code]
            (item,) = (await system.look("", f"l{code}.1")).items
            await system.fetch(item, f"f{code}.1")
            ends = system.failed if play.failed(post, code) else system.done
            await ends(item, f"c{code}.1")
