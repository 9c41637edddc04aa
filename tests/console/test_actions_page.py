"""Actions on deliveries by plain requests: who may, what is counted, what comes of it, twice and at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from builders.axis import Peer
from builders.console import Operating, operating
from builders.reports import office_and_province, only
from builders.served import Served, a_served_hub
from builders.steered import audited, run_of
from builders.waiting import comes

from hub.console.access import FORM_LIMIT
from hub.domain.operator import REASON_MOST, Role
from hub.exchange.steering import CHUNK, MOST

REASON = "Máy chủ của tỉnh đã chạy lại"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_served_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def peers(served: Served) -> tuple[Peer, Peer]:
    return office_and_province(served.axis)


@pytest.fixture(scope="module")
def lan(served: Served) -> Operating:
    return operating(served, "lan", Role.OPERATOR)


def failed(peers: tuple[Peer, Peer], **changes: Any) -> str:
    office, province = peers
    delivery = only(office.send("H41", **changes))
    province.fetch(delivery)
    province.failed(delivery)
    return delivery


def hidden(page: str, name: str) -> str:
    """The value of the page's hidden field, in its last form."""
    return unescape(re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)[-1])


def confirmed(page: str, **changes: str) -> dict[str, str]:
    """What the form of the count sends."""
    names = ("run", "action", "seen", "until", "query", "delivery")
    return {name: hidden(page, name) for name in names} | {"reason": REASON} | changes


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_a_viewer_sees_what_was_done_and_may_do_nothing(served: Served, peers: tuple[Peer, Peer]) -> None:
    viewer = operating(served, "minh", Role.VIEWER)
    delivery = failed(peers)
    assert viewer.get("/console/actions").status_code == 200
    for path in ("/console/actions", "/console/actions/run"):
        refused = viewer.post(path, {"delivery": delivery, "action": "again"})
        assert refused.status_code == 403
    assert served.axis.delivery(delivery).state == "failed"


def test_nobody_acts_without_a_session_or_by_a_form_of_another_site(
    served: Served, peers: tuple[Peer, Peer], lan: Operating
) -> None:
    delivery = failed(peers)
    fields = {"delivery": delivery, "action": "again"}
    nobody = Operating(served.base_url, "")
    assert nobody.post("/console/actions", fields).status_code == 303
    assert lan.post("/console/actions", fields | {"csrf": "0" * 64}).status_code == 403
    assert lan.post("/console/actions", fields, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert lan.post("/console/actions/run", fields, headers={"Origin": "https://xau.example.vn"}).status_code == 403


def test_what_is_counted_is_done_and_told_with_its_audit(
    served: Served, peers: tuple[Peer, Peer], lan: Operating
) -> None:
    first, second = failed(peers), failed(peers)
    waiting = only(peers[0].send("H41"))
    look = lan.post("/console/actions", {"delivery": [first, second, waiting, "0" * 24], "action": "again"})
    assert "Tìm thấy 4 bản chuyển: 2 giao lại được, 2 không." in words(look.text)
    assert "1 đang chờ nơi nhận lấy" in words(look.text)
    assert "Giao lại 2 bản chuyển" in words(look.text)
    assert served.axis.delivery(first).state == "failed"
    done = lan.post("/console/actions/run", confirmed(look.text))
    assert done.status_code == 303
    page = lan.get(done.headers["Location"])
    assert "Đã làm xong cả 2 bản chuyển." in words(page.text)
    for one in (first, second):
        assert served.axis.delivery(one).state == "waiting"
        assert f"/console/documents/{served.axis.delivery(one).document_id}" in page.text
    entry = audited(served.axis)[-1]
    assert (entry["operator"], entry["action"], entry["reason"]) == ("lan", "delivery-again", REASON)
    assert sorted(entry["facts"]["deliveries"]) == sorted([first, second])


def test_without_an_action_each_one_is_counted(peers: tuple[Peer, Peer], lan: Operating) -> None:
    delivery, waiting = failed(peers), only(peers[0].send("H41"))
    page = words(lan.post("/console/actions", {"delivery": [delivery, waiting]}).text)
    assert "Làm gì với 2 bản chuyển?" in page
    assert re.search(r"Giao lại .* 1 trên 2 giao lại được", page)
    assert re.search(r"Nhả quyền giữ .* Không bản nào trong số này làm được", page)


def test_a_search_counts_what_it_finds(served: Served, peers: tuple[Peer, Peer], lan: Operating) -> None:
    delivery = failed(peers, subject="V/v đê điều Nghi Lộc")
    fields = {"query": '"đê điều" state:failed', "action": "undeliverable"}
    assert "không bản nào có thể báo không giao được" in words(lan.post("/console/actions", fields).text)
    look = lan.post("/console/actions", fields | {"action": "again"})
    assert "Tìm thấy 1 bản chuyển, tất cả đều giao lại được." in words(look.text)
    lan.post("/console/actions/run", confirmed(look.text))
    assert served.axis.delivery(delivery).state == "waiting"
    assert audited(served.axis)[-1]["facts"]["query"] == '"đê điều" state:failed'


def test_a_form_sent_twice_does_it_once(served: Served, peers: tuple[Peer, Peer], lan: Operating) -> None:
    delivery = failed(peers)
    form = confirmed(lan.post("/console/actions", {"delivery": delivery, "action": "again"}).text)
    noted = len(audited(served.axis))
    places = {lan.post("/console/actions/run", form).headers["Location"] for _ in range(3)}
    assert places == {f"/console/actions/{form['run']}"}
    assert len(audited(served.axis)) == noted + 1


def test_a_reason_that_is_none_brings_the_page_again_with_what_was_typed(
    served: Served, peers: tuple[Peer, Peer], lan: Operating
) -> None:
    delivery = failed(peers)
    form = confirmed(lan.post("/console/actions", {"delivery": delivery, "action": "again"}).text, reason="x<")
    refused = lan.post("/console/actions/run", form)
    assert refused.status_code == 422
    assert 'value="x&lt;"' in refused.text
    assert hidden(refused.text, "run") == form["run"]
    assert served.axis.delivery(delivery).state == "failed"
    assert lan.post("/console/actions/run", form | {"reason": REASON}).status_code == 303


def test_what_changed_since_the_count_is_named_and_left(
    served: Served, peers: tuple[Peer, Peer], lan: Operating
) -> None:
    first, second = failed(peers), failed(peers)
    form = confirmed(lan.post("/console/actions", {"delivery": [first, second], "action": "again"}).text)
    peers[1].done(first)
    page = words(lan.get(lan.post("/console/actions/run", form).headers["Location"]).text)
    assert "Đã làm 1 bản chuyển; 1 để nguyên" in page
    assert "đã giao xong" in page


def test_more_time_asks_for_its_day_first(served: Served, peers: tuple[Peer, Peer], lan: Operating) -> None:
    delivery = only(peers[0].send("H41"))
    chosen = {"delivery": delivery, "action": "extend"}
    assert 'type="date"' in lan.post("/console/actions", chosen).text
    refused = lan.post("/console/actions", chosen | {"until": "2020-01-01"})
    assert (refused.status_code, "90 ngày" in refused.text) == (422, True)
    look = lan.post("/console/actions", chosen | {"until": "2025-12-01"})
    assert "đến hết ngày 01/12/2025" in words(look.text)
    lan.post("/console/actions/run", confirmed(look.text))
    assert served.axis.delivery(delivery).expires_at.isoformat() == "2025-12-01T16:59:59+00:00"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"query": "fron:G22", "action": "again"},
        {"delivery": "0" * 24, "action": "erase"},
        {"query": "   "},
    ],
)
def test_what_cannot_be_understood_is_told_in_words(lan: Operating, fields: dict[str, str]) -> None:
    assert lan.post("/console/actions", fields).status_code == 422


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"action": ""}, 422),
        ({"seen": "hôm qua"}, 422),
        ({"seen": "2099-01-01T00:00:00+00:00"}, 422),
        ({"seen": "2025-10-01T02:00:00"}, 422),
        ({"seen": "0001-01-01T00:00:00+00:00"}, 422),
        ({"query": "a\0b"}, 422),
        ({"delivery": "0" * 23 + "\0"}, 422),
        ({"run": "../../x"}, 404),
        ({"delivery": "0" * 24}, 404),
        ({"delivery": ""}, 422),
    ],
)
def test_a_form_that_was_tampered_with_changes_nothing(
    served: Served, peers: tuple[Peer, Peer], lan: Operating, changes: dict[str, str], status: int
) -> None:
    delivery = failed(peers)
    form = confirmed(lan.post("/console/actions", {"delivery": delivery, "action": "again"}).text, **changes)
    assert lan.post("/console/actions/run", form).status_code == status
    assert served.axis.delivery(delivery).state == "failed"


def test_a_run_of_another_is_not_taken_over(served: Served, peers: tuple[Peer, Peer], lan: Operating) -> None:
    delivery = failed(peers)
    form = confirmed(lan.post("/console/actions", {"delivery": delivery, "action": "again"}).text)
    lan.post("/console/actions/run", form)
    other = operating(served, "hoa", Role.OPERATOR)
    assert other.post("/console/actions/run", form).status_code == 404
    for unknown in ("0123456789abcdef01234567", "x", "%00"):
        assert lan.get(f"/console/actions/{unknown}").status_code == 404


@pytest.mark.parametrize("address", ["?before=-1", f"?before={2**63}", "?before=x", "/x?after=-1", f"/x?after={2**31}"])
def test_an_address_that_was_tampered_with_is_told_in_words(lan: Operating, address: str) -> None:
    assert lan.get(f"/console/actions{address}").status_code == 422


def test_a_long_run_goes_on_by_itself_after_its_form_was_answered(
    served: Served, peers: tuple[Peer, Peer], lan: Operating
) -> None:
    office, _ = peers
    answer = office.send(*(f"H41.{n}" for n in range(1, 3 * CHUNK + 1)))
    ids = [delivery["id"] for delivery in answer["deliveries"]]
    look = lan.post("/console/actions", {"delivery": " ".join(ids), "action": "undeliverable"})
    form = confirmed(look.text, reason="Các đơn vị đã sáp nhập")
    assert lan.post("/console/actions/run", form).status_code == 303
    assert comes(lambda: run_of(served.axis, form["run"])["ended_at"] is not None)
    page = lan.get(f"/console/actions/{form['run']}")
    assert f"Đã làm xong cả {3 * CHUNK} bản chuyển." in words(page.text)
    assert page.text.count('<span class="badge tone-good">') == 50
    older = re.search(r'href="([^"]*after=50[^"]*)"', page.text)
    assert older is not None
    assert lan.get(unescape(older[1])).status_code == 200


def test_the_largest_order_fits_into_a_form() -> None:
    fields = {
        "csrf": "f" * 64, "run": "f" * 24, "action": "undeliverable", "seen": "2025-10-01T02:00:00.000000+00:00",
        "until": "2025-12-01", "query": "ế" * 500, "reason": "ế" * REASON_MOST, "delivery": " ".join(["f" * 24] * MOST),
    }  # fmt: skip
    assert len(urlencode(fields)) <= FORM_LIMIT


def test_what_a_sender_wrote_stays_text(peers: tuple[Peer, Peer], lan: Operating) -> None:
    delivery = failed(peers, subject="V/v <script>alert(1)</script> \u202emẹo")
    page = lan.post("/console/actions", {"delivery": delivery, "action": "again"}).text
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_english_says_the_same(peers: tuple[Peer, Peer], lan: Operating) -> None:
    delivery = failed(peers)
    page = words(lan.post("/console/actions", {"delivery": delivery, "action": "again"}, lang="en").text)
    assert "1 deliveries found; all of them can be delivered again." in page
    assert "Deliver 1 again" in page
