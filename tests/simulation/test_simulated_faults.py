"""Faults by order, as a client meets them; and what is left in the hub after each."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from builders.axis import START, Peer
from builders.simulated import Gateway, Rest, Simulated, a_simulated_hub, a_simulated_process, software, was_killed
from builders.waiting import comes

from hub.simulation.chance import chance
from hub.simulation.injected import Injected


def the_packet(office: Peer) -> bytes:
    return office.packet(office.draft("H41"))


def waiting(province: Peer) -> int:
    return len(province.waiting())


def test_a_request_is_refused_for_now_before_the_hub_does_anything(
    hub: Simulated, office: Peer, province: Peer, dialect: str
) -> None:
    sender, packet = software(hub, office, dialect), the_packet(office)
    hub.control.put("/faults", {"refuse": 1})
    assert sender.send(packet) == "busy"
    assert waiting(province) == 0
    hub.control.delete("/faults")
    assert sender.send(packet) == "sent"
    assert waiting(province) == 1
    assert hub.control.counts == {"refuse": 1}


def test_a_refusal_for_now_says_when_to_come_again_and_health_is_never_disturbed(hub: Simulated, office: Peer) -> None:
    hub.control.put("/faults", {"refuse": 1, "delay": 1, "delay_seconds": 0})
    answer = Rest(hub, office).request("GET", "/v1/inbox")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert httpx.get(f"{hub.base_url}/readyz").status_code == 200


def test_an_answer_is_delayed(hub: Simulated, office: Peer) -> None:
    hub.control.put("/faults", {"delay": 1, "delay_seconds": 0.2})
    began = time.monotonic()
    assert Rest(hub, office).look() == []
    assert time.monotonic() - began >= 0.2


def test_the_clock_jumps_with_a_request_and_stands_right_when_the_fault_is_over(
    hub: Simulated, office: Peer, province: Peer
) -> None:
    hub.control.put("/clock", {"now": "2025-10-02T08:00:00+07:00"})
    told = datetime(2025, 10, 2, 1, 0, tzinfo=UTC)
    hub.control.put("/faults", {"clock-jump": 1, "clock_jump_seconds": 900})
    sender = Rest(hub, office)

    def accepted_at() -> datetime:
        answer = sender.request("POST", "/v1/documents", the_packet(office))
        return datetime.fromisoformat(answer.json()["accepted_at"])

    jumped = [accepted_at() - told for _ in range(4)]
    assert all(timedelta() <= by < timedelta(minutes=15) for by in jumped)
    assert len(set(jumped)) == 4
    items = hub.control.get("/injected")["items"]
    assert [(item["fault"], item["mark"]) for item in items] == [("clock-jump", "")] * len(items)
    hub.control.delete("/faults")
    assert accepted_at() == told


def test_an_answer_is_lost_after_the_hub_did_its_work_and_the_repeat_gets_the_first_one(
    hub: Simulated, office: Peer, province: Peer, dialect: str
) -> None:
    sender, packet = software(hub, office, dialect), the_packet(office)
    hub.control.put("/faults", {"lose-answer": 1})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        sender.send(packet)
    assert waiting(province) == 1
    hub.control.delete("/faults")
    assert sender.send(packet) == "sent"
    assert waiting(province) == 1


@pytest.mark.parametrize(("fault", "code"), [("disk-full", "storage-full"), ("database-away", "database-away")])
def test_a_commit_that_fails_leaves_nothing_and_the_repeat_is_new(
    hub: Simulated, office: Peer, province: Peer, dialect: str, fault: str, code: str
) -> None:
    sender, packet = software(hub, office, dialect), the_packet(office)
    hub.control.put("/faults", {fault: 1})
    assert sender.send(packet) == code
    assert waiting(province) == 0
    hub.control.delete("/faults")
    assert sender.send(packet) == "sent"
    assert waiting(province) == 1
    assert hub.control.counts == {fault: 1}


def test_a_failed_commit_is_rolled_back_on_each_engine(tmp_path: Path, database_url: str) -> None:
    with a_simulated_hub(tmp_path, database_url) as hub:
        office, province = hub.enrol("G12"), hub.enrol("H41")
        sender, packet = Rest(hub, office), the_packet(office)
        for fault, code in (("disk-full", "storage-full"), ("database-away", "database-away")):
            hub.control.put("/faults", {fault: 1})
            assert sender.send(packet) == code
            assert waiting(province) == 0
        hub.control.delete("/faults")
        assert sender.request("POST", "/v1/documents", packet).status_code == 201
        assert waiting(province) == 1


def test_who_only_reads_meets_no_fault_of_a_commit(hub: Simulated, office: Peer) -> None:
    hub.control.put("/faults", {"disk-full": 1})
    assert Rest(hub, office).look() == []
    assert hub.control.counts == {}


def test_nobody_beside_a_struck_request_is_told_of_its_fault(hub: Simulated, office: Peer, province: Peer) -> None:
    """What shared a commit with it by chance was once refused too, though nothing injected excused that."""
    hub.control.put("/faults", {"disk-full": 1})
    writer, sender, packet, fine = hub.axis.desk.writer, Rest(hub, office), the_packet(office), the_packet(office)
    with ThreadPoolExecutor(1) as pool:
        with hub.axis.together():
            struck = pool.submit(sender.send, packet)
            assert comes(lambda: writer._waiting.qsize() == 1)
            beside = office.submit(fine)
        assert struck.result() == "storage-full"
        assert beside.result().new
    assert waiting(province) == 1


def test_a_fetch_whose_commit_failed_is_made_again(hub: Simulated, office: Peer, province: Peer, dialect: str) -> None:
    packet = the_packet(office)
    office.post(packet)
    receiver = software(hub, province, dialect)
    (delivery,) = receiver.listed()
    hub.control.put("/faults", {"database-away": 1})
    assert receiver.fetch(delivery) is None
    hub.control.delete("/faults")
    assert receiver.fetch(delivery) == packet


def test_the_same_seed_strikes_the_same_requests(hub: Simulated, office: Peer) -> None:
    caller = Rest(hub, office)
    marks = [f"d{n}.1" for n in range(30)]
    struck = []
    for seed in (7, 7, 8):
        hub.control.put("/faults", {"seed": seed, "refuse": 0.4})
        answers = [caller.request("GET", "/v1/inbox", mark=mark).status_code for mark in marks]
        struck.append([mark for mark, status in zip(marks, answers, strict=True) if status == 503])
    assert struck[0] == struck[1] == [mark for mark in marks if chance(7, "refuse", mark) < 0.4]
    assert struck[0] != struck[2]


def test_only_the_commit_of_a_struck_request_fails(hub: Simulated, office: Peer, province: Peer) -> None:
    sender = Rest(hub, office)
    hub.control.put("/faults", {"seed": 3, "disk-full": 0.5})
    marks = [f"d{n}.1" for n in range(8)]
    told = {mark: sender.send(the_packet(office), mark) for mark in marks}
    struck = [mark for mark in marks if chance(3, "disk-full", mark) < 0.5]
    assert 0 < len(struck) < len(marks)
    assert [mark for mark in marks if told[mark] == "storage-full"] == struck
    assert waiting(province) == len(marks) - len(struck)
    assert [item["mark"] for item in hub.control.get("/injected?after=0")["items"]] == struck


def test_only_the_newest_strikes_are_kept() -> None:
    injected = Injected(lambda: START)
    for n in range(100_005):
        injected.fault("refuse", f"d{n}", "/v1/inbox")
    pages = [injected.after(0)]
    while pages[-1]["items"]:
        pages.append(injected.after(pages[-1]["next"]))
    found = [item["mark"] for page in pages for item in page["items"]]
    assert found == [f"d{n}" for n in range(5, 100_005)]
    assert injected.counts["refuse"] == 100_005


def test_who_reads_on_misses_nothing_when_the_hub_was_started_anew() -> None:
    before, after = (Injected(lambda: START, machine=lambda moment=moment: moment) for moment in (1e9, 1e9 + 2))
    for n in range(1000):
        before.fault("refuse", f"d{n}", "/v1/inbox")
    read_to = before.after(0)["next"]
    after.fault("refuse", "d1000", "/v1/inbox")
    assert [item["mark"] for item in after.after(read_to)["items"]] == ["d1000"]


def test_what_was_injected_can_be_read_on(hub: Simulated, office: Peer) -> None:
    caller = Rest(hub, office)
    hub.control.put("/faults", {"refuse": 1})
    for mark in ("d1.1", "d2.1", "d3.1"):
        assert caller.request("GET", "/v1/inbox", mark=mark).status_code == 503
    first = hub.control.get("/injected?after=0")
    assert [(item["fault"], item["mark"], item["path"]) for item in first["items"]] == [
        ("refuse", mark, "/v1/inbox") for mark in ("d1.1", "d2.1", "d3.1")
    ]
    assert first["items"][0]["at"] == "2025-10-01T09:00:00.000+07:00"
    assert hub.control.get(f"/injected?after={first['items'][0]['seq']}")["items"] == first["items"][1:]
    assert hub.control.get(f"/injected?after={first['next']}") == {"items": [], "next": first["next"]}


def test_a_request_without_an_id_is_struck_too(hub: Simulated, office: Peer) -> None:
    hub.control.put("/faults", {"refuse": 1})
    Gateway(hub, office).look()
    assert hub.control.get("/injected?after=0")["items"][0]["mark"] == "request-1"


def test_the_hub_is_killed_when_it_would_answer_and_has_what_it_was_given(tmp_path: Path) -> None:
    with a_simulated_process(tmp_path) as (hub, control, process):
        office, province = hub.peer("G12"), hub.peer("H41")
        packet = office.packet(office.draft("H41"))
        control.put("/faults", {"kill": 1})
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{hub.url}/v1/documents", content=packet, headers=bearer(office))
        assert was_killed(process)
    with a_simulated_process(tmp_path) as (hub, _, _):
        assert len(hub.inbox(province.credentials["token"]).json()["items"]) == 1
        assert httpx.post(f"{hub.url}/v1/documents", content=packet, headers=bearer(office)).status_code == 200


def bearer(peer: Peer) -> dict[str, str]:
    return {"Authorization": f"Bearer {peer.credentials['token']}"}
