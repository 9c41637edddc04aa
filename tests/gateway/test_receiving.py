"""What waits for a system: pages, turns, windows and counts; and what it says of each delivery."""

from __future__ import annotations

from typing import Any

import pytest
from builders.axis import Peer
from builders.gateway import a_client, call
from builders.reports import packet_of, ref
from builders.served import Served

from hub.gateway import receiving

PAGE = 8  # instead of 500: the same parts, from less


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "PAGE", PAGE)


@pytest.fixture
def province(served: Served) -> Peer:
    return served.axis.enrol("H41")


@pytest.fixture
def office(served: Served, province: Peer) -> Peer:
    return served.axis.enrol("G22")


def issued(office: Peer, count: int, **changes: Any) -> list[str]:
    """The deliveries of so many documents to the province."""
    return [office.issue("H41", **changes)[1]["deliveries"][0]["id"] for _ in range(count)]


def listed(hub: Served, peer: Peer, **arguments: str) -> list[str]:
    answer = call(hub, peer, "getReceivedEdocList", **arguments)
    assert answer.body["ErrorCode"] == "0", answer.body
    return [item["docId"] for item in answer.body["data"]]


def count(hub: Served, peer: Peer, method: str = "countReceiveEdoc") -> int:
    found: int = call(hub, peer, method, b"{}").body["count"]
    return found


def test_an_entry_says_what_it_is(served: Served, office: Peer, province: Peer) -> None:
    (delivery,) = issued(office, 1)
    with a_client(served, province) as client:
        entry = {
            "docId": delivery, "serviceType": "eDoc", "messageType": "edoc", "created_time": "2025-10-01 09:00:00",
            "updated_time": "2025-10-01 09:00:00", "from": "G22", "to": "H41", "status": "initial",
            "status_desc": "Chưa xử lý",
        }  # fmt: skip
        assert client.get_received_edoc_list("edoc").items == (entry,)
        served.axis.clock.pass_(minutes=1)
        assert client.get_edoc(delivery).ok
        fetched = {
            "updated_time": "2025-10-01 09:01:00",
            "status": "processing",
            "status_desc": "Đã lấy, chưa xác nhận",
        }
        assert client.get_received_edoc_list("edoc").items == (entry | fetched,)


def test_a_page_has_the_newest_and_the_oldest_and_the_count_tells_the_whole(
    served: Served, office: Peer, province: Peer
) -> None:
    waiting = issued(office, PAGE + 3)
    assert listed(served, province) == [*waiting[-PAGE // 2 :], *waiting[: PAGE // 2]]
    assert count(served, province) == PAGE + 3


def test_what_fits_a_page_comes_oldest_first(served: Served, office: Peer, province: Peer) -> None:
    waiting = issued(office, PAGE)
    assert listed(served, province) == waiting


def test_urgent_documents_come_first_and_the_others_share_the_rest(
    served: Served, office: Peer, province: Peer
) -> None:
    ordinary = issued(office, PAGE)
    urgent = issued(office, 2, priority="1")
    assert listed(served, province) == [*urgent, *ordinary[-3:], *ordinary[:3]]


def test_more_urgent_documents_than_a_page_are_shared_alike(served: Served, office: Peer, province: Peer) -> None:
    urgent = issued(office, PAGE + 1, priority="3")
    issued(office, 1)
    assert listed(served, province) == [*urgent[-PAGE // 2 :], *urgent[: PAGE // 2]]


def test_what_was_listed_twenty_times_without_action_sinks(served: Served, office: Peer, province: Peer) -> None:
    stuck = issued(office, PAGE)
    for _ in range(19):
        assert listed(served, province) == stuck
    served.axis.clock.pass_(minutes=1)
    fetched = stuck[0]
    with a_client(served, province) as client:
        assert client.get_edoc(fetched).ok
    assert listed(served, province) == stuck, "the twentieth listing still shows them"
    new = issued(office, PAGE - 2)
    assert listed(served, province) == [fetched, *new, stuck[1]], "what sank comes last, where there is room"
    assert count(served, province) == 2 * PAGE - 2


@pytest.mark.parametrize("act", ["getEdoc", "downloadEdoc", "processing"])
def test_an_action_begins_the_count_anew(served: Served, office: Peer, province: Peer, act: str) -> None:
    first, second = issued(office, 2)
    for turn in range(25):
        if turn == 15:
            with a_client(served, province) as client:
                if act == "processing":
                    assert client.update_status(first, "processing").ok
                else:
                    assert client.download_edoc(first) if act == "downloadEdoc" else client.get_edoc(first).packet
        listed(served, province)
    (third,) = issued(office, 1)
    assert listed(served, province) == [first, third, second]


def test_what_sank_rises_when_it_is_opened_again(served: Served, office: Peer, province: Peer) -> None:
    document, answer = office.issue("H41")
    (delivery,) = (each["id"] for each in answer["deliveries"])
    for _ in range(20):
        listed(served, province)
    province.fetch(delivery)
    province.failed(delivery)
    office.post(office.packet(document))
    (other,) = issued(office, 1)
    assert listed(served, province) == [delivery, other]


def test_a_thousand_bad_packets_keep_nobody_from_new_work(served: Served, office: Peer, province: Peer) -> None:
    stuck = issued(office, 3 * PAGE)
    for _ in range(200):
        shown = listed(served, province)
        if not set(shown) & set(stuck[:PAGE]):
            break
    (new,) = issued(office, 1)
    assert new in listed(served, province)
    assert sorted(stuck) == sorted(row["id"] for row in province.inbox() if row["id"] != new), "REST knows no turns"


def test_a_status_never_sinks_below_a_later_one(served: Served, office: Peer, province: Peer) -> None:
    """03 must not overtake 01 (exchange rules 6), however often a clerk's software only looks."""
    document, answer = office.issue("H41")
    province.receive(answer["deliveries"][0]["id"])
    arrived = province.report("01", document, other="G22")["delivery"]
    for _ in range(25):
        assert listed(served, office, messagetype="status") == [arrived]
    accepted = province.report("03", document, other="G22")["delivery"]
    assert listed(served, office, messagetype="status") == [arrived, accepted]


def test_what_moves_to_another_system_has_its_first_turn_again(served: Served, office: Peer, province: Peer) -> None:
    (old,) = issued(office, 1)
    for _ in range(20):
        listed(served, province)
    successor = served.axis.enrol("H41")
    (new,) = issued(office, 1)
    assert listed(served, successor) == [old, new]


def test_statuses_are_listed_apart_and_oldest_first(served: Served, office: Peer, province: Peer) -> None:
    document, answer = office.issue("H41")
    province.receive(answer["deliveries"][0]["id"])
    issued(province_to_office(served, province), 1)
    reports = []
    for minute in range(PAGE + 2):
        code = "03" if minute else "01"
        said = packet_of(
            province, response_for=ref(document), status=code, timestamp=f"2025/10/01 09:{minute:02}:00",
            description=f"Lần {minute}",
        )  # fmt: skip
        reports.append(province.tell(said).body["delivery"])
    assert listed(served, office, messagetype="status") == reports[:PAGE]
    assert count(served, office, "countReceiveStatus") == PAGE + 2
    assert (len(listed(served, office)), count(served, office)) == (1, 1)
    item = call(served, office, "getReceivedEdocList", messagetype="status").body["data"][0]
    assert (item["messageType"], item["from"], item["to"]) == ("status", "H41", "G22")


def province_to_office(served: Served, province: Peer) -> Peer:
    """The province as a sender to whoever ``issued`` sends to."""

    class _Sender:
        def issue(self, _to: str, **changes: Any) -> Any:
            return province.issue("G22", **changes)

    return _Sender()  # type: ignore[return-value]  # all that ``issued`` asks of it


def test_a_window_shows_what_became_available_in_it(served: Served, office: Peer, province: Peer) -> None:
    early, late = [], []
    early += issued(office, 1)
    served.axis.clock.pass_(days=1)
    late += issued(office, 1)
    days = {
        ("01/10/2025 00:00:00", ""): [*early, *late],
        ("02/10/2025 00:00:00", ""): late,
        ("", "01/10/2025 09:00:00"): early,
        ("", "01/10/2025 08:59:59"): [],
        ("01/10/2025", "01/10/2025"): early,
        ("2025-10-02", "2025-10-02 09:00:00"): late,
        ("2025/10/02 09:00:01", ""): [],
    }
    for (start, end), expected in days.items():
        assert listed(served, province, fromDate=start, toDate=end) == expected, (start, end)


def test_what_is_opened_again_is_new_to_whoever_asks_since_yesterday(
    served: Served, office: Peer, province: Peer
) -> None:
    document, answer = office.issue("H41")
    delivery = answer["deliveries"][0]["id"]
    province.fetch(delivery)
    province.failed(delivery)
    served.axis.clock.pass_(days=3)
    office.post(office.packet(document))
    assert listed(served, province, fromDate="03/10/2025") == [delivery]


@pytest.mark.parametrize("given", ["hôm qua", "31/02/2025", "2025", "01/10/0001", "01/10/2025 25:00:00"])
def test_a_date_that_cannot_be_read_is_refused_and_not_passed_over(
    served: Served, office: Peer, province: Peer, given: str
) -> None:
    answer = call(served, province, "getReceivedEdocList", fromDate=given)
    assert (answer.body["ErrorCode"], answer.status) == ("22", 200)
    assert "dd/MM/yyyy HH:mm:ss" in answer.body["ErrorDesc"]


def test_what_another_process_holds_is_not_listed_until_its_lease_ends(
    served: Served, office: Peer, province: Peer
) -> None:
    (delivery,) = issued(office, 1)
    province.claim(delivery)
    assert (listed(served, province), count(served, province)) == ([], 0)
    served.axis.clock.pass_(minutes=6)
    served.axis.sweep()
    assert listed(served, province) == [delivery]


def test_docid_and_docid_in_lower_case_may_differ(served: Served, office: Peer, province: Peer) -> None:
    """A client that uses both in turn sends the old one of each again with every call."""
    old, fresh = issued(office, 2)
    assert call(served, province, "getEdoc", b"{}", docId=fresh, docid=old).body["ErrorCode"] == "0"
    answer = call(served, province, "updateStatus", b"{}", docId=old, docid=fresh, status="done")
    assert answer.body["ErrorCode"] == "0"
    assert served.axis.delivery(fresh).state == "delivered"
    assert served.axis.delivery(old).state == "waiting"


@pytest.mark.parametrize("status", ["processing", "Processing"])
def test_processing_is_noted_and_changes_nothing(served: Served, office: Peer, province: Peer, status: str) -> None:
    (delivery,) = issued(office, 1)
    assert call(served, province, "updateStatus", b"{}", docId=delivery, status=status).body["status"] == "OK"
    assert [event["what"] for event in served.axis.events(delivery)] == ["processing"]
    assert listed(served, province) == [delivery]


def test_done_needs_a_fetch_and_may_be_repeated(served: Served, office: Peer, province: Peer) -> None:
    (delivery,) = issued(office, 1)
    with a_client(served, province) as client:
        assert "[delivery-not-fetched]" in client.update_status(delivery, "done").description
        client.get_edoc(delivery)
        for _ in range(2):
            assert client.update_status(delivery, "done").ok
        assert "[delivery-final]" in client.update_status(delivery, "fail").description


def test_fail_before_the_fetch_is_a_try_and_the_fifth_ends_it(served: Served, office: Peer, province: Peer) -> None:
    (delivery,) = issued(office, 1)
    with a_client(served, province) as client:
        for _ in range(4):
            assert client.update_status(delivery, "fail", "Mất kết nối").ok
            assert client.get_received_edoc_list("edoc").items
        assert client.update_status(delivery, "fail", "Mất kết nối").ok
        assert client.get_received_edoc_list("edoc").items == ()
        assert client.update_status(delivery, "fail").ok, "a repeat"
    assert served.axis.delivery(delivery).reason == "Mất kết nối"


@pytest.mark.parametrize("status", ["", "ok", "xong", "failed"])
def test_another_status_is_told_which_there_are(served: Served, office: Peer, province: Peer, status: str) -> None:
    (delivery,) = issued(office, 1)
    answer = call(served, province, "updateStatus", b"{}", docId=delivery, status=status)
    assert answer.body["ErrorCode"] == "22"
    assert "processing, done, fail" in answer.body["ErrorDesc"]


@pytest.mark.parametrize("size", [1, 2, 3, 300_000, 300_001, 300_002])
def test_a_packet_of_any_length_comes_whole(
    served: Served, office: Peer, province: Peer, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Base64 three bytes are four letters; a large packet is read in parts."""
    packet = office.packet(office.draft("H41", content="đ" * 10)) + b"\n" * size
    delivery = office.hand_in(packet).body["deliveries"][0]["id"]
    with a_client(served, province) as client:
        assert client.get_edoc(delivery).packet == packet
        assert client.download_edoc(delivery) == packet


def test_the_fetch_is_on_record_before_a_byte_goes_out(served: Served, office: Peer, province: Peer) -> None:
    first, second = issued(office, 2)
    with a_client(served, province) as client:
        client.get_edoc(first)
        client.download_edoc(second)
    for delivery in (first, second):
        assert [event["what"] for event in served.axis.events(delivery)] == ["fetch"]
        assert served.axis.delivery(delivery).fetched


def test_what_was_withdrawn_is_gone_for_its_recipient(served: Served, office: Peer, province: Peer) -> None:
    document, answer = office.issue("H41")
    delivery = answer["deliveries"][0]["id"]
    office.tell(packet_of(office, response_for=ref(document, organ_id="H41"), status="13", description="Gửi nhầm"))
    assert listed(served, province) == []
    assert call(served, province, "getEdoc", b"{}", docId=delivery).body["ErrorCode"] == "22"
    assert call(served, province, "GET downloadEdoc", docId=delivery).status == 404
    assert call(served, province, "updateStatus", b"{}", docId=delivery, status="done").body["ErrorCode"] == "22"
