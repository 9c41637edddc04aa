"""The pages in a browser: what they show, in both languages, by keyboard, for everybody, and live."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from builders.axis import Peer
from builders.console import PASSWORD, Watched, a_session, operating, watched
from builders.served import Served, a_served_hub
from playwright.sync_api import Browser, expect

from hub.console import access
from hub.console.meanings import MEANINGS
from hub.console.settings import lines
from hub.domain.operator import IDLE, Role
from hub.exchange import operators as verbs
from hub.exchange.passwords import hashed
from hub.settings import Settings

PAGES = {
    "/console": ("Tổng quan", "Overview"),
    "/console/audit": ("Nhật ký thao tác", "Audit"),
    "/console/settings": ("Cài đặt đang dùng", "Settings in force"),
    "/console/operators": ("Người vận hành", "Operators"),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_served_hub(tmp_path_factory.mktemp("hub")) as served:
        account = verbs.Account("command:root", "lan", Role.ADMINISTRATOR, hashed(PASSWORD))
        served.axis.desk.writer.run(verbs.add, account)
        yield served


@pytest.fixture(scope="module")
def office(served: Served) -> Peer:
    served.axis.enrol("H41")
    return served.axis.enrol("G22")


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Watched]:
    with browser.new_context(locale="vi") as context:
        page = watched(context, served, a_session(served.axis))
        yield page
        page.assert_clean()


def test_one_signs_in_with_the_keyboard_and_lands_where_one_wanted_to(browser: Browser, served: Served) -> None:
    """The browser keeps the Secure cookie on http of this machine."""
    with browser.new_context() as context:
        page = watched(context, served)
        page.go("/console/audit?action=sign-in")
        expect(page.page).to_have_url(re.compile("/console/login"))
        page.page.locator("#name").focus()
        page.page.keyboard.type("Lan")
        page.page.keyboard.press("Tab")
        page.page.keyboard.type(PASSWORD)
        page.page.keyboard.press("Enter")
        expect(page.page).to_have_url(f"{served.base_url}/console/audit?action=sign-in")
        expect(page.page.locator("tbody tr").first).to_contain_text("Đăng nhập")
        [kept] = [each for each in context.cookies() if each["name"] == access.COOKIE]
        assert (kept["httpOnly"], kept["secure"], kept["sameSite"]) == (True, True, "Strict")
        page.page.get_by_role("button", name="Đăng xuất").click()
        expect(page.page).to_have_url(f"{served.base_url}/console/login")
        page.assert_clean()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*PAGES, "/console/nothing", "/console/login?link=a"])
def test_a_page_is_for_everybody_in_light_and_dark_and_on_a_phone(
    browser: Browser, served: Served, office: Peer, path: str, scheme: str
) -> None:
    with browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 740}) as context:  # type: ignore[arg-type]
        page = watched(context, served, a_session(served.axis))
        page.go(path)
        found = Axe().run(page.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
        assert found.response["violations"] == [], found.generate_report()
        wider = page.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, "the page is wider than the phone"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_in_both_languages_and_switches_where_it_is(page: Watched, path: str) -> None:
    page.go(path)
    vi, en = PAGES[path]
    expect(page.page.locator("h1")).to_have_text(vi)
    page.page.get_by_role("link", name="English").click()
    expect(page.page.locator("h1")).to_have_text(en)
    assert page.page.url == page.base_url + path
    expect(page.page.locator("html")).to_have_attribute("lang", "en")
    page.page.get_by_role("link", name="Tiếng Việt").click()
    expect(page.page.locator("h1")).to_have_text(vi)


def test_the_first_key_leads_past_the_menu_and_the_menu_says_where_one_is(page: Watched) -> None:
    page.go("/console/settings")
    page.page.keyboard.press("Tab")
    expect(page.page.locator(".skip")).to_be_focused()
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#main")).to_be_focused()
    expect(page.page.locator("nav [aria-current=page]")).to_have_text("Cài đặt")


def test_the_overview_follows_what_happens(page: Watched, served: Served, office: Peer) -> None:
    page.go("/console")
    expect(page.page.locator(".live")).to_have_attribute("data-state", "on")
    tile = page.page.locator("#today .tile").first.locator(".figure")
    before = int(tile.inner_text())
    office.send("H41", number="151", document_id="G22,2025/10/01,151/VPCP-TH")
    served.axis.clock.pass_(seconds=2)
    expect(tile).to_have_text(str(before + 1), timeout=15_000)
    expect(page.page.locator("#silent")).to_contain_text("151/")


def test_a_stream_ends_with_its_session(browser: Browser, served: Served) -> None:
    with browser.new_context(locale="vi") as context:
        page = watched(context, served, a_session(served.axis, "an"))
        page.go("/console")
        expect(page.page.locator(".live")).to_have_attribute("data-state", "on")
        served.axis.desk.writer.run(verbs.end_sessions, verbs.Change("lan", "an", reason="thử"))
        expect(page.page.locator(".live")).to_have_attribute("data-state", "over", timeout=15_000)


def test_a_page_that_gets_no_stream_says_so_and_leads_to_a_new_one(browser: Browser, served: Served) -> None:
    token = a_session(served.axis, "hà")
    with (
        browser.new_context(locale="vi") as context,
        httpx.Client(headers={"Cookie": f"{access.COOKIE}={token}"}) as own,
    ):
        page = watched(context, served, token)
        with ExitStack() as others:
            kept = []  # or the client would hang up
            for _ in range(4):  # as many as one session may have
                stream = others.enter_context(own.stream("GET", f"{served.base_url}/console/live"))
                kept.append(stream.iter_lines())
                assert next(kept[-1])  # it has begun
            page.go("/console")
            state = page.page.locator(".live")
            expect(state).to_have_attribute("data-state", "lost")
            expect(state).to_have_text("Mất kết nối, số liệu đã dừng cập nhật")
        page.page.get_by_role("link", name="Tải lại trang").click()
        expect(state).to_have_attribute("data-state", "on")
        expect(page.page.locator(".reload")).to_be_hidden()
        page.told = [line for line in page.told if "503" not in line]  # the browser tells every refused request
        page.assert_clean()


def test_a_page_works_without_script(browser: Browser, served: Served) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = watched(context, served, a_session(served.axis))
        page.go("/console")
        expect(page.page.locator(".tile")).to_have_count(6)
        expect(page.page.locator(".live")).to_contain_text("Tải lại trang")
        expect(page.page.locator("svg desc")).to_have_count(1)
        page.page.locator("#throughput-table summary").click()
        expect(page.page.locator("#throughput-table tbody tr").first).to_be_visible()


def test_an_administrator_adds_changes_and_removes_an_account_with_a_reason(page: Watched, served: Served) -> None:
    page.go("/console/operators")
    add = page.page.locator("form[action='/console/operators/add']")
    add.get_by_label("Tên").fill("Bình")
    add.get_by_label("Vai trò").select_option("viewer")
    add.get_by_label("Mật khẩu", exact=True).fill(PASSWORD)
    add.get_by_label("Nhập lại mật khẩu").fill(PASSWORD)
    add.get_by_label("Lý do").fill("Người mới của phòng")
    add.get_by_role("button").click()
    row = page.page.locator("tr", has=page.page.locator("th", has_text="bình"))
    expect(row).to_contain_text("Người xem")
    row.locator("summary").click()
    form = row.locator("form[action='/console/operators/role']")
    form.get_by_label("Vai trò").select_option("operator")
    form.get_by_label("Lý do").fill("Trực ca")
    form.get_by_role("button").click()
    expect(row.locator("td").first).to_have_text("Người vận hành")
    row.locator("summary").click()
    form = row.locator("form[action='/console/operators/remove']")
    form.get_by_label("Lý do").fill("Chuyển công tác")
    form.get_by_role("button").click()
    expect(page.page.locator("tbody th", has_text="bình")).to_have_count(0)
    page.go("/console/audit?subject=bình")
    expect(page.page.locator("tbody td:nth-child(3)")).to_have_text(
        ["Xóa người vận hành", "Đổi vai trò", "Thêm người vận hành"]
    )
    expect(page.page.locator("tbody")).to_contain_text("Chuyển công tác")


def test_a_hostile_name_in_the_audit_is_shown_as_it_is(served: Served) -> None:
    served.axis.desk.writer.run(
        verbs.end_sessions,
        verbs.Change("command:<script>alert(1)</script>", "lan", reason="ngược \u202edòng <b>đậm</b>"),
    )
    other = operating(served, "an").get("/console/audit")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in other.text
    assert "ngược [U+202E]dòng &lt;b&gt;đậm&lt;/b&gt;" in other.text


def test_the_audit_is_read_page_by_page(served: Served) -> None:
    lan, _, _ = (operating(served, name) for name in ("lan", "an", "minh"))
    for n in range(60):
        served.axis.desk.writer.run(verbs.end_sessions, verbs.Change("minh", "an", reason=f"lần thứ {n}"))
    first = lan.get("/console/audit?operator=minh")
    numbers = re.findall(r"lần thứ (\d+)", first.text)
    older = re.search(r'href="(/console/audit\?[^"]*)" rel="next"', first.text)
    assert older is not None
    numbers += re.findall(r"lần thứ (\d+)", lan.get(older[1].replace("&amp;", "&")).text)
    assert numbers == [str(n) for n in reversed(range(60))]


def test_every_setting_says_in_both_languages_what_it_means() -> None:
    assert set(MEANINGS) == set(Settings.model_fields)
    assert all(unicodedata.is_normalized("NFC", meaning) for meaning in MEANINGS.values())
    assert all(line.vi and line.en for line in lines(Settings()))


def test_settings_show_no_secret() -> None:
    shown = {
        line.name: line.value
        for line in lines(
            Settings(
                database_url="postgresql://hub:matkhau@db.example.vn/hub?password=matkhau2&sslmode=require",
                s3_endpoint="https://s3.example.vn", s3_access_key="khoa", s3_secret_key="matkhau3",
                log_tsa_url="https://an:matkhau4@tsa.example.vn/",
            )
        )
    }  # fmt: skip
    assert not any("matkhau" in (value or "") for value in shown.values())
    assert shown["HUB_S3_SECRET_KEY"] is None
    assert shown["HUB_DATABASE_URL"] == "postgresql://…@db.example.vn/hub?password=…&sslmode=require"
    assert shown["HUB_PACKET_LIMIT"] == "52428800 (50 MiB)"
    assert set(shown) == {f"HUB_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("password", ["mat/khau", "mat?khau", "mat#khau", "mat@khau", "mat:/?#@khau"])
def test_settings_show_no_password_whatever_letters_it_has(password: str) -> None:
    given = Settings(
        database_url=f"postgresql://hub:{password}@db/hub?sslmode=require",
        log_tsa_url=f"https://an:{password}@tsa.example.vn/",
    )
    shown = {line.name: line.value for line in lines(given)}
    assert shown["HUB_DATABASE_URL"] == "postgresql://…@db/hub?sslmode=require"
    assert shown["HUB_LOG_TSA_URL"] == "https://…@tsa.example.vn/"


def test_the_idle_session_of_a_live_page_ends_too(browser: Browser, served: Served) -> None:
    with browser.new_context(locale="vi") as context:
        page = watched(context, served, a_session(served.axis, "minh"))
        page.go("/console")
        expect(page.page.locator(".live")).to_have_attribute("data-state", "on")
        served.axis.clock.now += IDLE
        expect(page.page.locator(".live")).to_have_attribute("data-state", "over", timeout=15_000)
