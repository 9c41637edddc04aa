"""Actions on deliveries as people meet them: by keyboard, in both languages, while a run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from builders.axis import Peer
from builders.console import Watched, a_session, operating, watched
from builders.reports import office_and_province, only
from builders.served import Served, a_served_hub
from builders.steered import an_order, audited, outcomes
from playwright.sync_api import Browser, expect

from hub.domain.operator import Role
from hub.exchange import steering

_SUBMIT = """async ([path, fields]) => {
    const form = Object.assign(document.createElement("form"), { method: "post", action: path });
    fields.csrf = document.querySelector("input[name=csrf]").value;
    for (const [name, value] of Object.entries(fields)) {
        const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
        form.append(field);
    }
    document.body.append(form);
    form.submit();
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_served_hub(tmp_path_factory.mktemp("hub"), sweep_seconds=3600) as running:
        yield running


@pytest.fixture(scope="module")
def peers(served: Served) -> tuple[Peer, Peer]:
    return office_and_province(served.axis)


@pytest.fixture(params=["vi", "en"])
def page(request: pytest.FixtureRequest, browser: Browser, served: Served) -> Iterator[Watched]:
    with browser.new_context(locale="vi-VN", color_scheme="light") as context:
        page = watched(context, served, a_session(served.axis, "lan", Role.OPERATOR), request.param)
        yield page
        page.assert_clean()


def failed(peers: tuple[Peer, Peer], subject: str = "V/v phòng, chống bão số 10") -> str:
    office, province = peers
    delivery = only(office.send("H41", subject=subject))
    province.fetch(delivery)
    province.failed(delivery)
    return delivery


def chosen(page: Watched, **fields: Any) -> None:
    """As the delivery log and a document's page send it."""
    page.go("/console/actions")
    with page.page.expect_navigation():
        page.page.evaluate(_SUBMIT, ["/console/actions", fields])


def assert_accessible(page: Watched) -> None:
    found = Axe().run(page.page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def press_until(page: Watched, wanted: str) -> None:
    """Tab on until what has the focus has this text or name."""
    for _ in range(60):
        page.page.keyboard.press("Tab")
        there = page.page.evaluate(
            "(document.activeElement.textContent || '').trim() + ' ' + (document.activeElement.name || '')"
        )
        if wanted in there:
            return
    raise AssertionError(f"{wanted} cannot be reached by keyboard")


WORDS = {
    "vi": ("Xem trước: Giao lại", "Giao lại 2 bản chuyển", "Đã làm xong cả 2 bản chuyển."),
    "en": ("Look first: Deliver again", "Deliver 2 again", "All 2 deliveries are done."),
}


def test_the_whole_way_goes_by_keyboard_in_both_languages(
    page: Watched, served: Served, peers: tuple[Peer, Peer]
) -> None:
    first, second = failed(peers), failed(peers, "V/v <b>khẩn</b> " + "dài " * 100)
    waiting = only(peers[0].send("H41"))
    lang = page.page.context.cookies(f"{page.base_url}/console")[0]["value"]
    lang = lang if lang in WORDS else page.page.context.cookies(f"{page.base_url}/console")[1]["value"]
    look, do, told = WORDS[lang]
    chosen(page, delivery=f"{first} {second} {waiting}")
    assert_accessible(page)
    press_until(page, look)
    page.page.keyboard.press("Enter")
    expect(page.page.get_by_role("button", name=do)).to_be_visible()
    assert_accessible(page)
    assert served.axis.delivery(first).state == "failed"
    press_until(page, "reason")
    page.page.keyboard.type("Máy chủ đã chạy lại")
    press_until(page, do)
    page.page.keyboard.press("Enter")
    expect(page.page.get_by_text(told)).to_be_visible()
    assert_accessible(page)
    assert [served.axis.delivery(one).state.value for one in (first, second, waiting)] == ["waiting"] * 3
    page.go("/console/actions")
    assert_accessible(page)


def test_lines_of_the_log_are_ticked_and_acted_on_without_a_mouse(
    page: Watched, served: Served, peers: tuple[Peer, Peer]
) -> None:
    delivery = failed(peers, "V/v thủy lợi Đô Lương")
    page.go("/console/log?q=state:failed%20%22th%E1%BB%A7y%20l%E1%BB%A3i%22")
    box = page.page.locator(f"input[name=delivery][value='{delivery}']")
    box.focus()
    page.page.keyboard.press("Space")
    with page.page.expect_navigation():
        page.page.keyboard.press("Enter")
    again = page.page.locator("form:has(input[name=action][value=again]) button")
    again.focus()
    page.page.keyboard.press("Enter")
    page.page.locator("#reason").focus()
    page.page.keyboard.type("Trạm bơm đã có điện lại")
    with page.page.expect_navigation():
        page.page.keyboard.press("Enter")
    expect(page.page.locator("#outcome .tone-good")).to_have_count(1)
    assert served.axis.delivery(delivery).state == "waiting"


def test_all_that_a_search_finds_is_acted_on(page: Watched, served: Served, peers: tuple[Peer, Peer]) -> None:
    ids = [failed(peers, "V/v đê sông Lam") for _ in range(3)]
    page.go("/console/log?q=state:failed%20%22s%C3%B4ng%20lam%22")
    with page.page.expect_navigation():
        page.page.locator("form:has(input[name=query]) button").click()
    with page.page.expect_navigation():
        page.page.locator("form:has(input[name=action][value=again]) button").click()
    page.page.fill("#reason", "Đã nối lại đường truyền")
    with page.page.expect_navigation():
        page.page.locator("form.confirm button").click()
    expect(page.page.locator("#outcome .tone-good")).to_have_count(3)
    assert [served.axis.delivery(one).state.value for one in ids] == ["waiting"] * 3


def test_without_a_search_all_is_not_offered_and_the_page_says_what_to_do(
    page: Watched, peers: tuple[Peer, Peer]
) -> None:
    failed(peers)
    page.go("/console/log")
    expect(page.page.locator("form:has(input[name=query])")).to_have_count(0)
    assert_accessible(page)
    with page.page.expect_navigation():
        page.page.get_by_role("link", name="state:expired", exact=True).click()
    expect(page.page.locator("#q")).to_have_value("state:expired")
    page.go("/console/log?q=state:failed")
    expect(page.page.locator("form:has(input[name=query]) button")).to_be_visible()


def test_a_run_under_way_shows_how_far_it_is_until_it_ends(
    page: Watched, served: Served, peers: tuple[Peer, Peer]
) -> None:
    """Nothing goes on by itself here: this hub looks for runs once an hour."""
    answer = peers[0].send(*(f"H41.{n}" for n in range(1, 2 * steering.CHUNK + 2)))
    wanted = an_order(served.axis, "undeliverable", *(delivery["id"] for delivery in answer["deliveries"]))
    served.axis.desk.writer.run(steering.begin, wanted)
    page.go(f"/console/actions/{wanted.run_id}")
    progress = page.page.get_by_role("progressbar")
    expect(progress).to_have_attribute("value", "0")
    page.page.locator("#stop summary").click()
    page.page.fill("#reason-stop", "Chưa gửi thì trang này không mất")
    assert_accessible(page)
    served.axis.desk.writer.run(steering.go_on, wanted.run_id)
    expect(progress).to_have_attribute("value", str(steering.CHUNK))
    expect(page.page.locator("#reason-stop")).to_have_value("Chưa gửi thì trang này không mất")
    for _ in range(2):
        served.axis.desk.writer.run(steering.go_on, wanted.run_id)
    expect(progress).to_have_count(0)
    expect(page.page.locator("#stop")).to_have_count(0)
    expect(page.page.get_by_role("status")).to_contain_text(str(2 * steering.CHUNK + 1))


def a_run_under_way(served: Served, peers: tuple[Peer, Peer]) -> str:
    """Of which a hundred deliveries are done, and one is not."""
    answer = peers[0].send(*(f"H41.{n}" for n in range(1, steering.CHUNK + 2)))
    wanted = an_order(served.axis, "undeliverable", *(delivery["id"] for delivery in answer["deliveries"]))
    served.axis.desk.writer.run(steering.begin, wanted)
    served.axis.desk.writer.run(steering.go_on, wanted.run_id)
    return wanted.run_id


def test_a_run_under_way_is_stopped_by_keyboard_with_a_reason(
    page: Watched, served: Served, peers: tuple[Peer, Peer]
) -> None:
    run_id = a_run_under_way(served, peers)
    page.go(f"/console/actions/{run_id}")
    page.page.locator("#stop summary").focus()
    page.page.keyboard.press("Enter")
    assert_accessible(page)
    page.page.keyboard.press("Tab")
    page.page.keyboard.type("Nhầm <b>tỉnh</b>")
    with page.page.expect_navigation():
        page.page.keyboard.press("Enter")
    expect(page.page.get_by_role("status")).to_contain_text("100")
    expect(page.page.locator("#stop")).to_have_count(0)
    expect(page.page.locator("dl.facts")).to_contain_text("Nhầm <b>tỉnh</b>")
    expect(page.page.locator("ul.reasons li")).to_have_count(1)
    assert_accessible(page)
    assert outcomes(served.axis, run_id).count("stopped") == 1
    page.go("/console/actions")
    page.go("/console/audit?action=delivery-stop")
    expect(page.page.locator("tbody tr").first).to_contain_text(run_id)


def test_a_viewer_is_not_offered_to_stop_and_may_not(served: Served, peers: tuple[Peer, Peer]) -> None:
    run_id = a_run_under_way(served, peers)
    viewer, operator = operating(served, "xem", Role.VIEWER), operating(served, "minh", Role.OPERATOR)
    path = f"/console/actions/{run_id}/stop"
    assert path not in viewer.get(f"/console/actions/{run_id}").text
    assert viewer.post(path, {"reason": "Nhầm tỉnh"}).status_code == 403
    assert operator.post(path, {"reason": "x"}).status_code == 422
    assert operator.post("/console/actions/none/stop", {"reason": "Nhầm tỉnh"}).status_code == 404
    assert outcomes(served.axis, run_id).count("stopped") == 0
    for _ in range(2):
        assert operator.post(path, {"reason": "Nhầm tỉnh"}).status_code == 303
    stops = [entry for entry in audited(served.axis) if entry["action"] == "delivery-stop"]
    assert [entry["operator"] for entry in stops if entry["subject"] == run_id] == ["minh"]


def test_the_pages_hold_on_a_phone(page: Watched, peers: tuple[Peer, Peer]) -> None:
    page.page.set_viewport_size({"width": 360, "height": 740})
    chosen(page, delivery=failed(peers, "Từ" * 200))
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
    chosen(page, delivery=failed(peers, "Từ" * 200), action="again")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
