"""Whole stories over HTTP: agencies with keys of their own send, receive, report, take back, and are told the truth."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.api import Agency, Hub, a_hub, refused
from builders.packets import an_attachment
from builders.waiting import comes

from hub.domain import edxml
from hub.domain.document import Business, Document, DocumentRef, Organization, Replaced
from hub.domain.search import parse
from hub.exchange import enrol
from hub.store import log, tables
from hub.store.engine import reading


@pytest.fixture
def hub(tmp_path: Path, database_url: str) -> Iterator[Hub]:
    with a_hub(tmp_path, database_url) as running:
        yield running


def found(hub: Hub, query: str) -> list[tuple[str, str]]:
    """What the delivery log lists: (number/symbol, recipient), newest first."""
    with reading(hub.axis.desk.engine) as connection:
        rows = log.lines(connection, parse(query), limit=50)
    return [(f"{row['number']}/{row['symbol']}", row["recipient"]) for row in rows]


def received(agency: Agency) -> list[dict[str, Any]]:
    """Takes in all that waits; gives the items."""
    items = agency.inbox()
    for item in items:
        agency.receive(item["id"])
    return items


def codes(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The statuses among items: (from, code)."""
    return [(item["status"]["from"], item["status"]["code"]) for item in items if item["type"] == "status"]


def told(agency: Agency) -> list[tuple[str, str]]:
    """The outbox: (what, status)."""
    return [(entry["what"], entry["status"]) for entry in agency.outbox()]


def at(agency: Agency, answer: dict[str, Any], code: str) -> dict[str, Any]:
    """How a sent document stands at a recipient, as its sender reads it."""
    [delivery] = [d for d in agency.get(f"/v1/documents/{answer['id']}").json()["deliveries"] if d["to"] == code]
    return dict(delivery)


def overall(agency: Agency, answer: dict[str, Any]) -> str:
    return str(agency.get(f"/v1/documents/{answer['id']}").json()["state"])


# The Government Office's mixed traffic.


def test_who_issued_a_document_is_told_apart_from_who_sent_it(hub: Hub) -> None:
    office, province = hub.enrol("G22", "Văn phòng Chính phủ"), hub.enrol("H41")
    symbols = {"QĐ-TTg": "TTg", "NQ-CP": "CP", "TTg-KTTH": "TTg", "VPCP-TH": "G22"}
    for number, (symbol, issuer) in enumerate(symbols.items(), 11):
        answer = office.send("H41", number=str(number), symbol=symbol)
        assert answer["issuer"] == issuer

    items = {item["document"]["symbol"]: item["document"] for item in province.inbox()}
    assert {symbol: about["issuer"] for symbol, about in items.items()} == symbols
    assert {about["sender"] for about in items.values()} == {"G22"}

    assert found(hub, "issuer:TTg") == [("13/TTg-KTTH", "H41"), ("11/QĐ-TTg", "H41")]
    assert found(hub, "issuer:CP from:G22") == [("12/NQ-CP", "H41")]
    assert found(hub, "issuer:G22") == [("14/VPCP-TH", "H41")]
    assert found(hub, "from:G22 number:11/QĐ-TTg year:2025 to:H41") == [("11/QĐ-TTg", "H41")]
    assert found(hub, "issuer:H41") == []


# The same number in two years.


@pytest.mark.parametrize("named_by", ["its id", "number and date", "an id without its year, and the date"])
def test_a_status_about_last_years_document_leaves_this_years_alone(hub: Hub, named_by: str) -> None:
    office, province = hub.enrol("G22"), hub.enrol("H41")
    same = {"document_id": "G22,15/VPCP-KTTH"} if named_by.startswith("an id") else {}
    old = office.peer.draft("H41", number="15", symbol="VPCP-KTTH", date="2024/03/04", **same)
    new = office.peer.draft("H41", number="15", symbol="VPCP-KTTH", date="2025/03/03", **same)
    sent = [office.post("/v1/documents", office.peer.packet(document)) for document in (old, new)]
    assert [answer.status_code for answer in sent] == [201, 201]
    received(province)

    dated = DocumentRef("G22", "15/VPCP-KTTH", promulgation_date="2024/03/04")
    references = {
        "its id": DocumentRef("G22", document_id=old.document_id),
        "number and date": dated,
        "an id without its year, and the date": DocumentRef(
            "G22", "15/VPCP-KTTH", document_id=old.document_id, promulgation_date="2024/03/04"
        ),
    }
    reported = province.report("06", old, response_for=references[named_by])
    assert reported.status_code == 201, reported.text
    assert reported.json()["document"] == sent[0].json()["id"]
    assert [at(office, answer.json(), "H41")["status"] for answer in sent] == ["06", "none"]
    [status] = office.inbox()
    assert (status["document"]["year"], status["status"]["code"]) == (2024, "06")


def test_a_status_that_could_mean_either_year_lands_on_neither(hub: Hub) -> None:
    office, province = hub.enrol("G22"), hub.enrol("H41")
    answers = []
    for date in ("2024/03/04", "2025/03/03"):
        both = office.peer.draft("H41", number="15", symbol="VPCP", date=date, document_id="G22,15/VPCP")
        answers.append(office.post("/v1/documents", office.peer.packet(both)).json())
    received(province)
    body = refused(province.report("03", both), "status-ambiguous")
    assert "2024, 2025" in body["violations"][0]["message"]["en"] + body["violations"][0]["repair"]
    assert [at(office, answer, "H41")["status"] for answer in answers] == ["none", "none"]


# A file that no recipient could keep.


def test_a_forbidden_file_name_is_refused_with_the_name_to_use_and_then_taken(hub: Hub) -> None:
    office, province = hub.enrol("G22"), hub.enrol("H41")
    bad = office.peer.draft("H41", attachments=(an_attachment("Báo cáo: quý I/2025?.pdf"),))
    body = refused(office.post("/v1/documents", office.peer.packet(bad)), "packet-refused")
    repairs = {violation["repair"] for violation in body["violations"]}
    assert len(repairs) == 1, body
    [name] = repairs
    assert province.inbox() == []
    assert hub.count(tables.document, tables.packet, tables.delivery) == 0

    repaired = office.peer.draft("H41", number=bad.number, attachments=(an_attachment(name),))
    assert repaired.document_id == bad.document_id
    answer = office.post("/v1/documents", office.peer.packet(repaired))
    assert answer.status_code == 201, answer.text
    assert {warning["rule"] for warning in answer.json()["warnings"]} == {"name-directory"}  # of agencies, not files
    [item] = province.inbox()
    document = edxml.read_document(edxml.parse(province.fetch(item["id"])))
    assert [file.name for file in document.attachments] == [name]


# A platform for a whole province, and a commune that enrols itself later.


def test_a_commune_that_enrols_gets_what_its_platform_has_not_fetched(hub: Hub) -> None:
    office, platform = hub.enrol("G22"), hub.enrol("H17")
    read_document, read = office.issue("H17.12.05")
    unread = office.send("H17.12.05", "H17")
    [first, *_] = platform.inbox()
    packet = platform.fetch(first["id"])

    commune = hub.enrol("H17.12.05", "Ủy ban nhân dân xã Hòa Thử")
    [mine] = commune.inbox()
    assert mine["document"]["id"] == unread["id"]
    assert [(i["to"], i["document"]["id"]) for i in platform.inbox()] == [
        ("H17.12.05", read["id"]),
        ("H17", unread["id"]),
    ]
    commune.receive(mine["id"])
    assert platform.get(f"/v1/deliveries/{mine['id']}/packet").status_code == 404

    # What the platform fetched stays with it: readable, and its to report on.
    assert platform.fetch(first["id"]) == packet
    assert platform.post(f"/v1/deliveries/{first['id']}/done").status_code == 200
    by_platform = platform.report("03", read_document, sender=Organization(organ_id="H17.12.05"))
    assert by_platform.status_code == 201, by_platform.text
    assert at(office, read, "H17.12.05")["status"] == "03"

    later = office.send("H17.12.05")
    assert [item["document"]["id"] for item in commune.inbox()] == [later["id"]]


# Update, replacement and revocation, answered with 15 or 16.


def act(sender: Agency, kind: str, original: Document, *to: str) -> tuple[Document, dict[str, Any]]:
    """A document that updates (2), replaces (3) or revokes (1) an earlier one."""
    named = original.document_id
    business = {
        "1": Business(type="1", reason="Thu hồi"),
        "2": Business(type="2", reason="Cập nhật", document_id=named),
        "3": Business(type="3", reason="Thay thế", replaced=(Replaced(named),)),
    }
    reference = (DocumentRef(document_id=named, promulgation_date=original.promulgation_date),) if kind == "1" else ()
    return sender.issue(*to, business=business[kind], response_for=reference)


ENDS = {"1": "cancelled", "2": "03", "3": "replaced"}
ASKS = {"1": "revocation", "2": "update", "3": "replacement"}


@pytest.mark.parametrize("kind", list(ENDS))
def test_what_a_later_document_asks_is_agreed_to_by_one_and_refused_by_another(hub: Hub, kind: str) -> None:
    office, agrees, declines = hub.enrol("G22"), hub.enrol("H41"), hub.enrol("H36")
    original, answer = office.issue("H41", "H36")
    for recipient in (agrees, declines):
        received(recipient)
        recipient.report("03", original)
    asking, second = act(office, kind, original, "H41", "H36")
    assert [link["target"] for link in office.get(f"/v1/documents/{second['id']}").json()["links"]] == [answer["id"]]
    for recipient, code in ((agrees, "15"), (declines, "16")):
        [item] = received(recipient)
        assert item["document"]["id"] == second["id"]
        assert recipient.report(code, asking).status_code == 201

    yes, no = at(office, answer, "H41"), at(office, answer, "H36")
    assert [(r["ask"], r["outcome"]) for r in yes["requests"]] == [(ASKS[kind], "agreed")]
    assert [(r["ask"], r["outcome"]) for r in no["requests"]] == [(ASKS[kind], "refused")]
    assert (yes["status"], no["status"]) == (ENDS[kind], "03")
    assert sorted(codes(received(office))) == [("H36", "03"), ("H36", "16"), ("H41", "03"), ("H41", "15")]


# Taken back: unseen, agreed to, refused; and by revocation.


def test_what_nobody_has_fetched_is_taken_back_unseen(hub: Hub) -> None:
    office, province = hub.enrol("G22"), hub.enrol("H41")
    document, answer = office.issue("H41")
    assert office.report("13", document, other="H41").status_code == 201
    assert province.inbox() == []
    assert province.get(f"/v1/deliveries/{answer['deliveries'][0]['id']}/packet").status_code == 404
    assert told(office) == [("withdrawn", "none")]
    assert overall(office, answer) == "withdrawn"


@pytest.mark.parametrize(("code", "outcome", "status", "state"), [
    ("15", "agreed", "cancelled", "withdrawn"),
    ("16", "refused", "05", "open"),
])  # fmt: skip
def test_what_was_fetched_is_taken_back_only_as_its_recipient_says(
    hub: Hub, code: str, outcome: str, status: str, state: str
) -> None:
    office, province = hub.enrol("G22"), hub.enrol("H41")
    document, answer = office.issue("H41")
    received(province)
    province.report("05", document)
    assert office.report("13", document, other="H41").status_code == 201
    assert at(office, answer, "H41")["requests"][0]["outcome"] == "open"
    assert codes(received(province)) == [("G22", "13")]
    assert province.report(code, document).status_code == 201
    delivery = at(office, answer, "H41")
    assert (delivery["requests"][0]["outcome"], delivery["status"]) == (outcome, status)
    assert codes(received(office)) == [("H41", "05"), ("H41", code)]
    assert overall(office, answer) == state


def test_a_revocation_that_comes_before_the_document_was_seen_withdraws_both(hub: Hub) -> None:
    office, province = hub.enrol("G22"), hub.enrol("H41")
    original, answer = office.issue("H41")
    _, second = act(office, "1", original, "H41")
    assert province.inbox() == []
    assert (overall(office, answer), overall(office, second)) == ("withdrawn", "withdrawn")
    assert told(office) == [("withdrawn", "none")] * 2


# A recipient that never polls, and one that cannot take a packet.


@pytest.mark.parametrize(("priority", "days"), [("0", 30), ("3", 3)])
def test_a_sender_is_told_of_a_recipient_that_never_polls(hub: Hub, priority: str, days: int) -> None:
    office, asleep, awake = hub.enrol("G22"), hub.enrol("H41"), hub.enrol("H36")
    document = office.peer.draft("H41", "H36", priority=priority)
    packet = office.peer.packet(document)
    answer = office.post("/v1/documents", packet).json()
    received(awake)
    awake.report("06", document)

    hub.axis.clock.pass_(days=days, seconds=-1)
    hub.axis.sweep()
    assert [what for what, _ in told(office)] == ["delivered", "status"]
    hub.axis.clock.pass_(seconds=1)
    hub.axis.sweep()
    assert [what for what, _ in told(office)] == ["delivered", "status", "expired"]
    assert (at(office, answer, "H41")["state"], overall(office, answer)) == ("expired", "bad")

    again = office.post("/v1/documents", packet)
    assert (again.status_code, again.json()["id"]) == (200, answer["id"])
    assert {d["to"]: d["state"] for d in again.json()["deliveries"]} == {"H41": "waiting", "H36": "delivered"}
    [item] = received(asleep)
    assert item["id"] in {d["id"] for d in answer["deliveries"]}
    asleep.report("06", document)
    assert overall(office, answer) == "completed"
    assert received(awake) == []


def test_after_the_fifth_failed_attempt_the_sender_is_told_why_and_can_send_again(hub: Hub) -> None:
    office, province = hub.enrol("G22"), hub.enrol("H41")
    document = office.peer.draft("H41")
    packet = office.peer.packet(document)
    answer = office.post("/v1/documents", packet).json()
    [item] = province.inbox()
    for attempt in range(1, 6):
        said = province.post(f"/v1/deliveries/{item['id']}/failed", json={"reason": f"Đĩa đầy, lần {attempt}"})
        assert said.json()["attempts"] == attempt
        assert told(office) == ([("failed", "none")] if attempt == 5 else [])
    assert province.inbox() == []
    assert [(entry["what"], entry["detail"]) for entry in office.outbox()] == [("failed", "Đĩa đầy, lần 5")]
    assert at(office, answer, "H41")["reason"] == "Đĩa đầy, lần 5"

    assert office.post("/v1/documents", packet).status_code == 200
    [reopened] = received(province)
    assert reopened["id"] == item["id"]
    assert at(office, answer, "H41")["state"] == "delivered"


# What is broken stops nothing else.


def test_a_packet_its_recipient_cannot_take_does_not_hold_up_those_behind_it(hub: Hub) -> None:
    office, province = hub.enrol("G22"), hub.enrol("H41")
    poison, *good = [office.send("H41") for _ in range(5)]
    items = province.inbox()
    province.fetch(items[0]["id"])
    assert province.post(f"/v1/deliveries/{items[0]['id']}/failed", json={"reason": "Không đọc được"}).is_success
    assert [item["document"]["id"] for item in received(province)] == [answer["id"] for answer in good]
    assert (overall(office, poison), at(office, poison, "H41")["reason"]) == ("bad", "Không đọc được")
    assert [at(office, answer, "H41")["state"] for answer in good] == ["delivered"] * 4


def test_packets_that_are_refused_spoil_none_of_those_committed_with_them(hub: Hub) -> None:
    office, ministry, province = hub.enrol("G22"), hub.enrol("G12"), hub.enrol("H41")
    taken = office.send("H41", number="7", symbol="VPCP")
    fine = [(ministry if n % 2 else office).packet("H41") for n in range(6)]
    conflict = office.packet("H41", number="7", symbol="VPCP", subject="V/v nội dung khác")
    number_taken = office.packet("H41", number="7", symbol="VPCP", document_id="G22,2025/09/30,7bis")
    bad = [conflict, number_taken, b"<edXML/>", fine[0].replace(b"</", b"< /", 1)]
    with hub.axis.together():
        waiting = [
            hub.later("POST", "/v1/documents", token, content=packet)
            for packet, token in [(p, (ministry if n % 2 else office).token) for n, p in enumerate(fine)]
            + [(p, office.token) for p in bad]
        ]
        assert comes(lambda: hub.axis.desk.writer._waiting.qsize() == len(waiting)), "they are not in one batch"
    answers = [answer.result(30) for answer in waiting]
    assert [answer.status_code for answer in answers] == [201] * 6 + [409, 409, 422, 422]
    accepted = [answer.json()["id"] for answer in answers[:6]]
    assert sorted(item["document"]["id"] for item in received(province)) == sorted([taken["id"], *accepted])


# Three hundred recipients.


def test_the_same_packet_again_to_three_hundred_recipients_adds_nothing(hub: Hub) -> None:
    office = hub.enrol("G22")
    communes = [f"H41.{n:02}.{m:02}" for n in range(1, 16) for m in range(1, 21)]
    listed = tuple(enrol.Enrolment(code, f"Xã Thử {code}") for code in communes)
    tokens = {
        made["agency"]: made["token"]
        for made in hub.axis.desk.writer.run(enrol.enrol, enrol.Enrolments(listed, hub.axis.desk.vault))
    }
    packet = office.packet(*communes)
    first = office.post("/v1/documents", packet)
    assert first.status_code == 201, first.text
    deliveries = {d["to"]: d["id"] for d in first.json()["deliveries"]}
    assert set(deliveries) == set(communes)

    [item] = hub.ask("GET", "/v1/inbox", tokens[communes[0]]).json()["items"]
    done = f"/v1/deliveries/{item['id']}"
    assert hub.ask("GET", f"{done}/packet", tokens[communes[0]]).content == packet
    assert hub.ask("POST", f"{done}/done", tokens[communes[0]]).status_code == 200

    again = office.post("/v1/documents", packet)
    assert again.status_code == 200
    assert {d["to"]: d["id"] for d in again.json()["deliveries"]} == deliveries
    assert {d["to"] for d in again.json()["deliveries"] if d["state"] != "waiting"} == {communes[0]}
    unchanging = ("id", "document_id", "sha256", "accepted_at", "issuer", "signature", "warnings")
    assert [again.json()[name] for name in unchanging] == [first.json()[name] for name in unchanging]
    assert (hub.count(tables.document), hub.count(tables.packet), hub.count(tables.delivery)) == (1, 1, 300)
    assert hub.ask("GET", "/v1/inbox", tokens[communes[0]]).json()["items"] == []
    [last] = hub.ask("GET", "/v1/inbox", tokens[communes[-1]]).json()["items"]
    assert last["id"] == deliveries[communes[-1]]


# Long polling.


def test_a_waiting_poll_is_answered_within_200_ms_of_the_commit(tmp_path: Path, database_url: str) -> None:
    committed: list[float] = []

    def at_step(step: str) -> None:
        if step == "after-commit":
            committed.append(time.monotonic())

    with a_hub(tmp_path, database_url, at=at_step, sweep_seconds=3600) as hub:
        office, province = hub.enrol("G22"), hub.enrol("H41")
        delays: list[float] = []
        for _ in range(5):
            poll = province.later("/v1/inbox", wait=60)
            hub.waits(province, 1)
            packet = office.packet("H41")
            committed.clear()
            sent = hub.later("POST", "/v1/documents", office.token, content=packet)
            answer = poll.result(30)
            # PostgreSQL rings at the commit itself, and the answer may be here before the writer says that it was.
            delays.append(time.monotonic() - committed[0] if committed else 0.0)
            [item] = answer.json()["items"]
            assert item["document"]["id"] == sent.result(30).json()["id"]
            province.receive(item["id"])
    # Without the bell a poll looks again after five seconds; one slow round is the machine's, five are the hub's.
    assert sorted(delays)[1] < 0.2, delays
