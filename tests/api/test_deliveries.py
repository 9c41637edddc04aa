"""Receiving over REST: inbox, waiting, claiming, fetching, done and failed, and the sender's outbox."""

from __future__ import annotations

import time
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.api import NINE, UNKNOWN, Hub, a_hub, office_and_province, office_and_provinces, refused
from builders.axis import Axis

from hub.api import deliveries
from hub.app import open_hub
from hub.data import read_agencies
from hub.domain.document import Business, Organization
from hub.settings import Settings


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


def test_the_inbox_tells_of_a_document_what_a_registry_needs_before_it_fetches(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    sent = office.send("000.00.00.H41", priority="1", due_date="2025/10/15")
    packet = office.get(f"/v1/documents/{sent['id']}/packet").content
    answer = nghe_an.get("/v1/inbox").json()
    assert answer == {
        "items": [
            {
                "id": sent["deliveries"][0]["id"],
                "type": "document",
                "to": "000.00.00.H41",
                "state": "waiting",
                "urgent": True,
                "sha256": sent["sha256"],
                "size": len(packet),
                "available_at": NINE,
                "expires_at": "2025-10-04T09:00:00.000+07:00",
                "document": {
                    "id": sent["id"],
                    "document_id": "G22,2025/09/30,1/VP",
                    "kind": "new",
                    "number": "1",
                    "symbol": "VP",
                    "year": 2025,
                    "sender": "G22",
                    "issuer": "G22",
                    "type_name": "Công văn",
                    "subject": "V/v kết nối, liên thông văn bản điện tử năm 2025",
                    "promulgation_date": "2025-09-30",
                    "due_date": "2025-10-15",
                },
                "signature": {"standing": "signed", "signer": "G22"},
            }
        ],
        "next": answer["next"],
    }


def test_the_inbox_tells_of_a_status_what_it_says_and_about_which_document(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    document, sent = office.issue("H41")
    nghe_an.receive(ids(nghe_an.inbox())[0])
    reported = nghe_an.report("03", document).json()
    (item,) = office.inbox()
    assert (item["id"], item["type"], item["to"]) == (reported["delivery"], "status", "G22")
    assert item["document"]["id"] == sent["id"]
    assert item["signature"] == {"standing": "signed", "signer": "H41"}
    assert item["status"] == {"code": "03", "from": "H41", "description": "Đã tiếp nhận", "stated_at": NINE}


def test_reading_the_inbox_changes_nothing(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    sent = office.send("H41")
    first = nghe_an.get("/v1/inbox").json()
    hub.axis.clock.pass_(minutes=10)
    assert [nghe_an.get("/v1/inbox").json() for _ in range(2)] == [first, first]
    delivery = office.get(f"/v1/documents/{sent['id']}").json()["deliveries"][0]
    assert (delivery["state"], delivery["fetched_at"], delivery["history"]) == ("waiting", None, [])


def test_pages_follow_each_other_oldest_first_without_gap_or_repeat(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    sent = [office.send("H41")["deliveries"][0]["id"] for _ in range(5)]
    found: list[str] = []
    after: dict[str, Any] = {}
    sizes = []
    while True:
        page = nghe_an.get("/v1/inbox", limit=2, **after).json()
        sizes.append(len(page["items"]))
        found += ids(page["items"])
        if not page["items"]:
            break
        after = {"after": page["next"]}
    assert found == sent
    assert sizes == [2, 2, 1, 0]
    assert page["next"] == after["after"], "an empty page leaves the reader where it was"


def test_a_cursor_finds_what_came_later_and_what_came_back(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    first = office.send("H41")["deliveries"][0]["id"]
    lease = nghe_an.post(f"/v1/deliveries/{first}/taken").json()["lease"]
    second = office.send("H41")["deliveries"][0]["id"]
    page = nghe_an.get("/v1/inbox").json()
    assert ids(page["items"]) == [second]
    nghe_an.post(f"/v1/deliveries/{first}/failed", json={"lease": lease, "reason": "Mất điện"})
    assert ids(nghe_an.inbox(after=page["next"])) == [first], "available again, so it is new in the list"


@pytest.mark.parametrize(
    "after", ["", "czE", "0", "s1", "czA=", "Ly8v", "ff" * 32, "%00", "Ï€", "czk5OTk5OTk5OTk5OTk5OTk5OTk5"]
)
def test_a_cursor_no_list_gave_out_is_refused_or_reads_as_a_position(hub: Hub, after: str) -> None:
    nghe_an = hub.enrol("H41")
    for path in ("/v1/inbox", "/v1/outbox"):
        answer = nghe_an.get(path, after=after)
        if after in {"", "czE"}:
            assert answer.json() == {"items": [], "next": after}
        else:
            (violation,) = refused(answer, "request-invalid")["violations"]
            assert violation["pointer"] == "query.after"


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", v) for v in ("0", "501", "-1", "1.5", "x", "")] + [("wait", v) for v in ("-1", "61", "nan", "inf", "x")],
)
def test_a_limit_or_wait_out_of_bounds_is_refused_and_the_bounds_are_named(hub: Hub, name: str, value: str) -> None:
    nghe_an = hub.enrol("H41")
    (violation,) = refused(nghe_an.get("/v1/inbox", **{name: value}), "request-invalid")["violations"]
    assert (violation["pointer"], violation["value"]) == (f"query.{name}", value)


# Waiting.


@pytest.fixture(autouse=True)
def woken_by_commits_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself an inbox that waits would look again every five seconds."""
    monkeypatch.setattr(deliveries, "_LOOK_AGAIN", 3600)


def test_a_waiting_inbox_answers_when_a_document_is_committed(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    poll = nghe_an.later("/v1/inbox", wait=60)
    hub.waits(nghe_an, 1)
    sent = office.send("H41")
    assert ids(poll.result(30).json()["items"]) == [sent["deliveries"][0]["id"]]


def test_a_waiting_inbox_looks_again_for_what_another_process_committed_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite no commit of another process rings a bell here."""
    monkeypatch.setattr(deliveries, "_LOOK_AGAIN", 0.05)
    with a_hub(tmp_path) as hub, open_hub(Settings(data_dir=tmp_path), clock=hub.axis.clock) as other:
        nghe_an = hub.enrol("H41")
        poll = nghe_an.later("/v1/inbox", wait=60)
        hub.waits(nghe_an, 1)
        sent = Axis(other, hub.axis.clock).enrol("G22").send("H41")
        assert ids(poll.result(30).json()["items"]) == [sent["deliveries"][0]["id"]]


def test_a_waiting_inbox_sleeps_on_when_a_document_is_anothers(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    poll = nghe_an.later("/v1/inbox", wait=60)
    hub.waits(nghe_an, 1)
    office.send("H27")
    assert len(ha_tinh.inbox()) == 1
    assert not poll.done()
    office.send("H41")
    assert len(poll.result(30).json()["items"]) == 1


def test_a_waiting_inbox_with_a_cursor_answers_with_what_is_behind_it(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    office.send("H41")
    seen = nghe_an.get("/v1/inbox").json()["next"]
    poll = nghe_an.later("/v1/inbox", wait=60, after=seen)
    hub.waits(nghe_an, 1)
    sent = office.send("H41")
    assert ids(poll.result(30).json()["items"]) == [sent["deliveries"][0]["id"]]


def test_a_wait_that_meets_nothing_ends_empty_when_it_said(hub: Hub) -> None:
    nghe_an = hub.enrol("H41")
    began = time.monotonic()
    assert nghe_an.get("/v1/inbox", wait=0.2).json() == {"items": [], "next": None}
    assert time.monotonic() - began >= 0.2


def test_four_polls_of_a_system_wait_a_fifth_is_answered_at_once_and_others_are_not_held_up(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    polls = [nghe_an.later("/v1/inbox", wait=60) for _ in range(4)]
    hub.waits(nghe_an, 4)
    assert nghe_an.get("/v1/inbox", wait=60).json()["items"] == []  # within the 30 seconds that `get` waits
    assert not any(poll.done() for poll in polls)
    own = office.later("/v1/inbox", wait=60)
    hub.waits(office, 1)
    sent = office.send("H41", "G22")["deliveries"]
    assert [ids(poll.result(30).json()["items"]) for poll in polls] == [[sent[0]["id"]]] * 4
    assert ids(own.result(30).json()["items"]) == [sent[1]["id"]]


def test_waiting_holds_neither_a_thread_nor_a_connection(hub: Hub) -> None:
    office = hub.enrol("G22")
    open_ones = (agency.code for agency in read_agencies() if agency.code[0] == "H" and agency.closed_on is None)
    provinces = [hub.enrol(code) for code in islice(open_ones, 12)]
    polls: list[Future[httpx.Response]] = []
    for province in provinces:
        polls += [province.later("/v1/inbox", wait=60) for _ in range(4)]
    for province in provinces:
        hub.waits(province, 4)
    assert len(polls) == 48  # there can be 30 connections, and 4 threads that read
    office.send(*(province.peer.code for province in provinces))
    assert all(len(poll.result(30).json()["items"]) == 1 for poll in polls)


def test_polls_that_wait_are_answered_when_the_hub_stops(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        nghe_an = hub.enrol("H41")
        poll = nghe_an.later("/v1/inbox", wait=60)
        hub.waits(nghe_an, 1)
        hub.portal.call(hub.face.bell.close)
        assert poll.result(30).json() == {"items": [], "next": None}


# Claiming, fetching, done, failed.


def test_one_delivery_is_shown_as_the_inbox_shows_it_whatever_its_state(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    office.send("H41")
    (item,) = nghe_an.inbox()
    path = f"/v1/deliveries/{item['id']}"
    assert nghe_an.get(path).json() == item
    nghe_an.post(f"{path}/taken")
    assert nghe_an.get(path).json() == item | {"state": "taken"}
    nghe_an.receive(item["id"])
    assert nghe_an.get(path).json() == item | {"state": "delivered"}


def test_a_claim_gives_a_lease_and_hides_the_delivery_from_other_processes(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    delivery = office.send("H41")["deliveries"][0]["id"]
    answer = nghe_an.post(f"/v1/deliveries/{delivery}/taken")
    body = answer.json()
    assert answer.status_code == 200
    assert (body["id"], body["until"]) == (delivery, NINE.replace(":00:", ":05:", 1))
    assert body["lease"]
    assert nghe_an.inbox() == []
    until = refused(nghe_an.post(f"/v1/deliveries/{delivery}/taken"), "lease-held")["violations"][0]["message"]["en"]
    assert "2025-10-01T09:05:00+07:00" in until


def test_done_keeps_the_packet_readable_and_is_safe_to_repeat(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    packet = office.packet("H41")
    delivery = office.post("/v1/documents", packet).json()["deliveries"][0]["id"]
    lease = nghe_an.post(f"/v1/deliveries/{delivery}/taken").json()["lease"]
    answer = nghe_an.get(f"/v1/deliveries/{delivery}/packet")
    assert (answer.content, answer.headers["content-type"]) == (packet, "application/xml")
    done = [nghe_an.post(f"/v1/deliveries/{delivery}/done", json={"lease": lease}) for _ in range(2)]
    assert [one.status_code for one in done] == [200, 200]
    assert done[0].json() == done[1].json()
    assert (done[0].json()["id"], done[0].json()["state"]) == (delivery, "delivered")
    assert nghe_an.fetch(delivery) == packet
    assert nghe_an.inbox() == []


def test_done_needs_no_body_and_takes_an_empty_one(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    for request in ({}, {"content": b""}, {"content": b"{}"}, {"json": {"lease": None}}):
        delivery = office.send("H41")["deliveries"][0]["id"]
        nghe_an.fetch(delivery)
        answer = hub.ask("POST", f"/v1/deliveries/{delivery}/done", nghe_an.token, **request)
        assert answer.json()["state"] == "delivered"


def test_nothing_is_safe_that_was_never_handed_out(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    delivery = office.send("H41")["deliveries"][0]["id"]
    body = refused(nghe_an.post(f"/v1/deliveries/{delivery}/done"), "delivery-not-fetched")
    assert body["violations"][0]["repair"] == f"GET /v1/deliveries/{delivery}/packet; getEdoc, downloadEdoc"
    assert ids(nghe_an.inbox()) == [delivery]


def test_another_process_lease_does_neither_done_nor_failed(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    delivery = office.send("H41")["deliveries"][0]["id"]
    lease = nghe_an.post(f"/v1/deliveries/{delivery}/taken").json()["lease"]
    nghe_an.fetch(delivery)
    for what in ("done", "failed"):
        for other in (UNKNOWN, "", "đã mất"):
            refused(nghe_an.post(f"/v1/deliveries/{delivery}/{what}", json={"lease": other}), "lease-lost")
    assert nghe_an.post(f"/v1/deliveries/{delivery}/done", json={"lease": lease}).status_code == 200


def test_failing_before_the_fetch_is_an_attempt_and_the_fifth_ends_it_with_the_reason(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    sent = office.send("H41")
    path = f"/v1/deliveries/{sent['deliveries'][0]['id']}/failed"
    answers = [nghe_an.post(path, json={"reason": "Ổ đĩa đầy"}).json() for _ in range(5)]
    assert [(one["state"], one["attempts"]) for one in answers] == [
        *(("waiting", n) for n in range(1, 5)),
        ("failed", 5),
    ]
    assert nghe_an.post(path).json() == answers[-1]
    assert nghe_an.inbox() == []
    seen = office.get(f"/v1/documents/{sent['id']}").json()
    assert (seen["state"], seen["deliveries"][0]["reason"]) == ("bad", "Ổ đĩa đầy")


def test_failing_after_the_fetch_ends_it_at_once_and_done_after_all_mends_it(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    delivery = office.send("H41")["deliveries"][0]["id"]
    nghe_an.fetch(delivery)
    path = f"/v1/deliveries/{delivery}"
    assert nghe_an.post(f"{path}/failed", json={"reason": "Tệp hỏng"}).json()["state"] == "failed"
    assert nghe_an.post(f"{path}/done").json()["state"] == "delivered"
    refused(nghe_an.post(f"{path}/failed"), "delivery-final")
    refused(nghe_an.post(f"{path}/taken"), "delivery-final")
    assert [entry["what"] for entry in office.outbox()] == ["failed", "delivered"]


@pytest.mark.parametrize("what", ["taken", "done", "failed"])
def test_an_unknown_delivery_is_not_found(hub: Hub, what: str) -> None:
    nghe_an = hub.enrol("H41")
    refused(nghe_an.post(f"/v1/deliveries/{UNKNOWN}/{what}"), "not-found")
    refused(nghe_an.get(f"/v1/deliveries/{UNKNOWN}"), "not-found")
    refused(nghe_an.get(f"/v1/deliveries/{UNKNOWN}/packet"), "not-found")


# The outbox.


def test_the_outbox_tells_the_sender_all_that_happened_in_order(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    document, sent = office.issue("H41", "H27")
    (first,), (second,) = ids(nghe_an.inbox()), ids(ha_tinh.inbox())
    nghe_an.receive(first)
    reported = nghe_an.report("03", document).json()
    hub.axis.clock.pass_(minutes=1)
    ha_tinh.fetch(second)
    ha_tinh.post(f"/v1/deliveries/{second}/failed", json={"reason": "Tệp hỏng"})
    about = {"document": {"id": sent["id"], "document_id": "G22,2025/09/30,1/VP"}}
    to_nghe_an: dict[str, Any] = {"at": NINE, "delivery": first, "to": "H41", "report": None} | about
    to_ha_tinh = to_nghe_an | {"at": NINE.replace(":00:", ":01:", 1), "delivery": second, "to": "H27"}
    whole = office.get("/v1/outbox").json()
    assert whole["items"] == [
        to_nghe_an | {"what": "delivered", "status": "none", "detail": ""},
        to_nghe_an | {"what": "status", "status": "03", "detail": "03 Đã tiếp nhận", "report": reported["id"]},
        to_ha_tinh | {"what": "failed", "status": "none", "detail": "Tệp hỏng"},
    ]
    page = office.get("/v1/outbox", limit=2).json()
    assert page["items"] == whole["items"][:2]
    assert office.get("/v1/outbox", after=page["next"]).json() == {"items": whole["items"][2:], "next": whole["next"]}
    assert office.get("/v1/outbox", after=whole["next"]).json() == {"items": [], "next": whole["next"]}
    assert ha_tinh.outbox() == []


def test_a_withdrawal_is_told_to_the_sender_and_to_nobody_else(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    document, sent = office.issue("H41")
    asking = office.send("H41", business=Business(type="1", reason="Gửi nhầm"), document_id=document.document_id)
    assert nghe_an.inbox() == []
    told = [(entry["what"], entry["document"]["id"]) for entry in office.outbox()]
    assert told == [("withdrawn", sent["id"]), ("withdrawn", asking["id"])]


def test_a_platform_receives_for_the_units_below_it_under_the_codes_they_were_addressed_by(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    packet = office.packet("H41.15", "H41.16", sender=Organization("G22", name="Văn phòng Chính phủ"))
    sent = office.post("/v1/documents", packet).json()
    assert [item["to"] for item in nghe_an.inbox()] == ["H41.15", "H41.16"]
    assert ids(nghe_an.inbox()) == ids(sent["deliveries"])
    assert [nghe_an.fetch(delivery["id"]) for delivery in sent["deliveries"]] == [packet, packet]
