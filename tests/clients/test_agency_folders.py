"""The outbox as a folder: what is dropped there is sent once, or refused with a reason a person can read."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest
from builders.agency import LATER, REFUSING, SENDING, dies, drop, home_of, send_outbox, tree
from builders.axis import Peer
from builders.calling import OFFICE, PROVINCE, a_letter, enrolled
from builders.packets import PDF
from builders.served import Deed, Served, a_line, answers, cuts, loses_the_answer

from clients.agency.home import Home
from clients.hub_client import HubFailure, Refused, Unavailable
from hub.domain import edxml

_numbers = itertools.count(1000)
PACKET_STORED = {"packet-stored", "answered", "receipt-stored", "sent-indexed", "sent-moved"}


def order(number: int, to: str = PROVINCE, **more: str) -> str:
    lines = [f'to = ["{to}"]', f"number = {number}", 'notation = "UBND-NC"', 'subject = "Về việc cải cách tiền lương"']
    return "\n".join([*lines, "date = 2025-09-30", *(f"{name} = {value}" for name, value in more.items())])


@pytest.fixture
def province(hub: Served) -> Peer:
    return enrolled(hub, PROVINCE)


@pytest.fixture
def home(hub: Served, province: Peer, tmp_path: Path) -> Home:
    """The folder of a sender; its recipient is connected."""
    return home_of(tmp_path / "G22", hub.base_url, enrolled(hub, OFFICE))


def arrived(province: Peer, number: int) -> list[Any]:
    """The deliveries of a number that wait at its recipient."""
    return [row for row in province.inbox() if row["number"] == str(number)]


def test_what_is_dropped_is_sent_and_moves_to_sent(province: Peer, home: Home) -> None:
    number = next(_numbers)
    drop(home, "cong-van", order(number), ("cong-van.pdf", PDF), ("cong-van.txt", b"Ban van ban"), ("khac.pdf", PDF))
    [said] = send_outbox(home)
    assert (said["event"], said["to"], said["path"]) == ("sent", PROVINCE, "sent/2025/10/cong-van")
    assert tree(home.outbox) == ["khac.pdf"]
    assert tree(home.sending) == []
    folder = home.sent / "2025" / "10" / "cong-van"
    assert tree(folder) == [
        "cong-van.pdf", "cong-van.toml", "cong-van.txt", "originals.json", "packet.edxml", "receipt.json"
    ]  # fmt: skip
    receipt = json.loads((folder / "receipt.json").read_text("utf-8"))
    assert receipt["document_id"] == f"G22,2025/09/30,{number}/UBND-NC"
    document = edxml.read_document(edxml.parse((folder / "packet.edxml").read_bytes()))
    assert [(each.name, each.content) for each in document.attachments] == [
        ("cong-van.pdf", PDF), ("cong-van.txt", b"Ban van ban")
    ]  # fmt: skip
    assert document.promulgation_date == "2025/09/30"
    assert len(arrived(province, number)) == 1
    assert send_outbox(home) == []


@pytest.mark.parametrize(("step", "nth"), SENDING)
def test_killed_at_any_step_it_sends_the_same_packet_once(province: Peer, home: Home, step: str, nth: int) -> None:
    number = next(_numbers)
    drop(home, "cv", order(number, files='["cv.pdf", "phu-luc.pdf"]'), ("cv.pdf", PDF), ("phu-luc.pdf", PDF + b"2"))
    assert dies(send_outbox, home, step, nth)
    before = [path.read_bytes() for path in home.root.rglob("packet.edxml")]
    send_outbox(home)
    assert len(arrived(province, number)) == 1
    assert tree(home.outbox) == tree(home.sending) == []
    [packet] = home.root.rglob("packet.edxml")
    assert before == ([packet.read_bytes()] if step in PACKET_STORED else [])
    assert packet.parent == home.sent / "2025" / "10" / "cv"
    assert hashlib.sha256(packet.read_bytes()).hexdigest() == arrived(province, number)[0]["sha256"]
    assert {"cv.pdf", "phu-luc.pdf", "cv.toml", "receipt.json"} <= set(tree(packet.parent))
    assert send_outbox(home) == []


def test_what_is_dropped_under_the_same_name_while_it_is_sent_is_another_document(province: Peer, home: Home) -> None:
    first, second = next(_numbers), next(_numbers)
    drop(home, "cv", order(first), ("cv.pdf", PDF))
    assert dies(send_outbox, home, "packet-stored")
    drop(home, "cv", order(second), ("cv.pdf", PDF + b"2"))
    assert [said["event"] for said in send_outbox(home)] == ["sent", "sent"]
    assert [len(arrived(province, number)) for number in (first, second)] == [1, 1]
    assert sorted(path.name for path in (home.sent / "2025" / "10").iterdir()) == ["cv", "cv (2)"]


def test_what_the_hub_refuses_lies_in_refused_with_the_reason_in_both_languages(home: Home) -> None:
    drop(home, "cv", order(next(_numbers), to="W00"), ("cv.pdf", PDF))
    [said] = send_outbox(home)
    assert (said["event"], said["path"]) == ("refused-to", "refused/cv/reason.txt")
    reason = (home.refused / "cv" / "reason.txt").read_text("utf-8")
    assert "recipient-is-node" in reason
    assert "không phải nơi nhận" in reason
    assert "not an addressee" in reason
    assert {"cv.pdf", "cv.toml"} <= set(tree(home.refused / "cv"))
    assert tree(home.outbox) == tree(home.sending) == []


def test_a_refusal_that_was_cut_short_is_told_once(home: Home) -> None:
    drop(home, "cv", order(next(_numbers), to="W00"), ("cv.pdf", PDF))
    for step, nth in REFUSING:
        assert dies(send_outbox, home, step, nth)
    assert [said["event"] for said in send_outbox(home)] == ["refused-to"]
    assert [path.name for path in home.refused.iterdir()] == ["cv"]


BAD = {
    "không đọc được": "to = [",
    "«nunber»": 'to = ["H41"]\nnunber = 3',
    "Thiếu: number, notation": 'to = ["H41"]\nsubject = "Về việc thử"',
    "«to»": "to = 3",
    "Không có tệp phu-luc.pdf": order(1, files='["cv.pdf", "phu-luc.pdf"]'),
    "names only": order(1, files='["../cv.pdf"]'),
    "--update, --replace, --revoke": order(1, update='"a"', revoke='"b"'),
}


@pytest.mark.parametrize("told", BAD)
def test_an_order_that_cannot_be_understood_is_refused_with_what_is_wrong(home: Home, told: str) -> None:
    drop(home, "cv", BAD[told], ("cv.pdf", PDF))
    send_outbox(home)
    assert told in (home.refused / "cv" / "reason.txt").read_text("utf-8")
    lost = {"cv.pdf", "cv.toml"} - {*tree(home.outbox), *tree(home.refused / "cv")}
    assert (lost, tree(home.sending)) == (set(), [])
    assert "cv.toml" in tree(home.refused / "cv")


def test_files_without_their_order_and_copies_under_way_are_left(province: Peer, home: Home) -> None:
    number = next(_numbers)
    drop(home, "cv", order(number), ("cv.pdf", PDF))
    for fresh in ("cv.toml", "cv.pdf"):
        os.utime(home.outbox / fresh, (LATER.timestamp() - 1,) * 2)
        assert send_outbox(home) == []
        os.utime(home.outbox / fresh, (LATER.timestamp() - 60,) * 2)
    whole = (home.outbox / "cv.toml").rename(home.root / "cv.toml")
    assert send_outbox(home) == []
    assert tree(home.outbox) == ["cv.pdf"]
    whole.rename(home.outbox / "cv.toml")
    assert [said["event"] for said in send_outbox(home)] == ["sent"]
    assert len(arrived(province, number)) == 1


def test_a_packet_that_is_signed_already_is_sent_as_it_is(hub: Served, province: Peer, tmp_path: Path) -> None:
    office = enrolled(hub, OFFICE)
    home = home_of(tmp_path / "G22", hub.base_url, office)
    packet = office.packet(a_letter(office, PROVINCE))
    drop(home, "goi", "", ("goi.edxml", packet))
    [said] = send_outbox(home)
    assert said["sha256"] == hashlib.sha256(packet).hexdigest()


def test_the_same_document_dropped_again_is_not_sent_twice(province: Peer, home: Home) -> None:
    number = next(_numbers)
    for event in ("sent", "sent-before"):
        drop(home, "cv", order(number), ("cv.pdf", PDF))
        assert [said["event"] for said in send_outbox(home)] == [event]
    assert len(arrived(province, number)) == 1


@pytest.mark.parametrize(
    ("deed", "failure", "event"),
    [
        (cuts, Unavailable, "sent"),
        (loses_the_answer, Unavailable, "sent-before"),
        (answers(503), Unavailable, "sent"),
        (answers(404), Refused, "sent"),
    ],
    ids=["cut off", "the answer lost", "503", "404 of a proxy"],
)
def test_without_an_answer_of_the_hub_the_packet_waits_and_goes_out_the_same(
    hub: Served, province: Peer, tmp_path: Path, deed: Deed, failure: type[HubFailure], event: str
) -> None:
    number = next(_numbers)
    with a_line(deed, to=hub.base_url) as line:
        home = home_of(tmp_path / "G22", line.base_url, enrolled(hub, OFFICE))
        drop(home, "cv", order(number), ("cv.pdf", PDF))
        with pytest.raises(failure):
            send_outbox(home)
        waiting = (home.sending / "cv" / "packet.edxml").read_bytes()
        assert [said["event"] for said in send_outbox(home)] == [event]
    assert (home.sent / "2025" / "10" / "cv" / "packet.edxml").read_bytes() == waiting
    assert len(arrived(province, number)) == 1


def test_one_packet_that_the_hub_cannot_take_now_does_not_hold_up_the_others(
    hub: Served, province: Peer, tmp_path: Path
) -> None:
    first, second = next(_numbers), next(_numbers)
    body = b'{"code": "internal", "detail": "", "title": "", "violations": []}'
    with a_line(answers(503, body), to=hub.base_url) as line:
        home = home_of(tmp_path / "G22", line.base_url, enrolled(hub, OFFICE))
        drop(home, "a", order(first), ("a.pdf", PDF))
        drop(home, "b", order(second), ("b.pdf", PDF))
        with pytest.raises(Unavailable):
            send_outbox(home)
    assert [len(arrived(province, number)) for number in (first, second)] == [0, 1]
    assert tree(home.sending) == ["a/a.pdf", "a/a.toml", "a/originals.json", "a/packet.edxml"]


def test_a_packet_that_a_proxy_finds_too_large_is_refused_and_holds_up_nothing(
    hub: Served, province: Peer, tmp_path: Path
) -> None:
    with a_line(answers(413), to=hub.base_url) as line:
        home = home_of(tmp_path / "G22", line.base_url, enrolled(hub, OFFICE))
        drop(home, "a", order(next(_numbers)), ("a.pdf", PDF))
        drop(home, "b", order(next(_numbers)), ("b.pdf", PDF))
        assert [said["event"] for said in send_outbox(home)] == ["refused-to", "sent"]
    assert "413" in (home.refused / "a" / "reason.txt").read_text("utf-8")


def test_what_somebody_else_put_into_sending_is_left_alone(home: Home) -> None:
    ours, theirs = home.sending / "cv", home.sending / "ghi chú"
    for folder in (ours, theirs):
        folder.mkdir(parents=True)
    (theirs / "của tôi.txt").write_text("")
    (ours / ".part-originals.json").write_text("{")  # as a power cut leaves it
    assert send_outbox(home) == []
    assert [path.name for path in home.sending.iterdir()] == ["ghi chú"]
