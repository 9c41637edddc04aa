"""The page of the delivery log: found by its line or its filters, taken as CSV, searches kept under a name."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from typing import Any, Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from builders.console import Operating, operating, watched
from builders.served import Served, a_served_hub
from markupsafe import escape
from playwright.sync_api import Browser
from sqlalchemy import update

from hub.console import access
from hub.console import log as room
from hub.domain.operator import Role
from hub.exchange import operators
from hub.store import audit
from hub.store import tables as t
from hub.store.engine import reading, writing

HOSTILE = '=cmd|"/c calc"!A1;=1+1 <script>alert(1)</script> \u202e'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub with three documents: two of the Government Office, one of a province with a subject that means harm."""
    with a_served_hub(tmp_path_factory.mktemp("hub")) as served:
        axis = served.axis
        office, province, ward = axis.enrol("G22"), axis.enrol("H41"), axis.enrol("H27", keyed=False, profile="legacy")
        office.issue("H41", subject="V/v điều chỉnh tiền lương cơ sở")
        office.issue("H41", "H27", subject="Kế hoạch tiêm chủng mở rộng")
        ward.issue("H41", subject=HOSTILE)
        assert province
        yield served


@pytest.fixture
def lan(served: Served) -> Operating:
    return operating(served)


def shown(page: str) -> int:
    return page.count('name="delivery"')


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("", 4), ("from:G22", 3), ("from:G22 to:H41", 2), ("tiền lương", 1), ("TIEN LUONG", 1), ("state:delivered", 0),
        ("signed:no", 1), ("-state:delivered", 4), ("from:h27", 1), ("to:000.00.00.H41", 3),
    ],
)  # fmt: skip
def test_a_line_finds_what_it_asks_for(lan: Operating, line: str, lines: int) -> None:
    page = lan.get("/console/log", params={"q": line})
    assert page.status_code == 200
    assert shown(page.text) == lines
    assert ("Không có dòng nào khớp" in page.text) is (lines == 0)


def test_what_cannot_be_understood_is_told_with_an_example_in_both_languages(lan: Operating) -> None:
    for lang, said in (("vi", "Không hiểu «fron:G22»."), ("en", "“fron:G22” cannot be understood.")):
        page = lan.get("/console/log", params={"q": "fron:G22"}, lang=lang)
        assert page.status_code == 422
        assert said in page.text
        assert "from:" in page.text
    named = lan.get("/console/log", params={"q": 'to:"Nghệ An"'})
    assert "to:H41" in named.text


def test_the_controls_write_the_line(lan: Operating) -> None:
    fields = {"rest": "luong", "from": "G22", "state": "waiting", "overdue": "", "words": '"tiền lương"'}
    answer = lan.get("/console/log", params=fields)
    assert answer.status_code == 303
    page = lan.get(answer.headers["location"])
    assert 'value="from:G22 state:waiting &#34;tien luong&#34; luong"' in page.text
    assert shown(page.text) == 1


def test_pages_join_to_the_whole_log(lan: Operating, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.console.log.PAGE", 1)
    address, seen = "/console/log", []
    while address:
        page = lan.get(address).text
        seen += page.split('name="delivery" value="')[1:]
        address = (
            page.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0] if 'rel="next"' in page else ""
        )
        address = address.replace("&amp;", "&")
    assert len(seen) == len({each[:24] for each in seen}) == 4
    newer = page.partition('rel="prev"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert shown(lan.get(newer).text) == 1


def test_the_csv_is_what_the_page_shows_and_runs_no_formula(served: Served, lan: Operating) -> None:
    answer = lan.get("/console/log.csv", params={"q": "to:H41"})
    assert answer.headers["content-disposition"].startswith('attachment; filename="nhat-ky-2025-10-01.csv"')
    assert answer.content.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert head[:3] == ["Nhận lúc", "Số, ký hiệu", "Trích yếu"]
    harmless = "'" + HOSTILE.replace(";=", ";'=")
    assert [row[2] for row in rows] == [harmless, "Kế hoạch tiêm chủng mở rộng", "V/v điều chỉnh tiền lương cơ sở"]
    assert rows[0][8] == "Không do cơ quan ký"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    page = lan.get("/console/log", params={"q": "to:H41"}).text
    for row in rows:
        assert all(row[column] in page for column in (1, 6, 7, 8))
    assert "<script>alert" not in page
    assert "[U+202E]" in page
    with reading(served.axis.desk.engine) as connection:
        (taken,) = audit.entries(connection, action="log-export")
    assert (taken["operator"], taken["facts"]) == ("lan", {"query": "to:H41"})


def test_a_csv_is_read_in_steps_and_no_further_once_its_reader_is_gone(
    served: Served, lan: Operating, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lan.get("/console/log.csv").content
    monkeypatch.setattr("hub.console.log._STEP", 1)
    assert lan.get("/console/log.csv").content == whole
    steps: list[object] = []
    entered, go_on = threading.Event(), threading.Event()
    step = room._step

    def slowly(*given: Any) -> Any:
        steps.append(given)
        if len(steps) == 2:
            entered.set()
            go_on.wait(20)
        return step(*given)

    monkeypatch.setattr(room, "_step", slowly)
    headers = {"Cookie": f"{access.COOKIE}={lan.token}"}
    with httpx.stream("GET", f"{served.base_url}/console/log.csv", headers=headers) as answer:
        assert answer.status_code == 200
        parts = answer.iter_bytes()  # kept: without it the client would go at once
        assert next(parts)
        assert entered.wait(20)
    go_on.set()
    lan.get("/console/log/news")
    assert len(steps) < 5


def test_who_shows_the_log_is_told_of_what_came_since(served: Served, lan: Operating) -> None:
    whole = lan.get("/console/log").text.partition('data-news="')[2].partition('"')[0].replace("&amp;", "&")
    assert lan.get(whole).json() == {"text": ""}
    page = lan.get("/console/log", params={"q": "from:G22"}).text
    news = page.partition('data-news="')[2].partition('"')[0].replace("&amp;", "&")
    assert lan.get(news).json() == {"text": ""}
    with writing(served.axis.desk.engine) as connection:
        connection.execute(update(t.document).where(t.document.c.sender == "G22").values(subject="Kế hoạch"))
    since = f"{news.rpartition('=')[0]}=0"
    assert lan.get(since).json() == {"text": "Có 3 dòng mới. Xem ngay"}


def test_a_search_is_saved_shared_renamed_and_removed(served: Served, lan: Operating) -> None:
    minh, xem = operating(served, "minh", Role.OPERATOR), operating(served, "xem", Role.VIEWER)
    assert (
        minh.post("/console/log/saved", {"name": "Chờ lấy", "q": "state:waiting", "shared": "yes"}).status_code == 303
    )
    assert minh.post("/console/log/saved", {"name": "Riêng", "q": "from:G22"}).status_code == 303
    assert "Chờ lấy" in xem.get("/console/log").text
    assert "Riêng" not in xem.get("/console/log").text
    assert xem.post("/console/log/saved", {"name": "Của tôi", "q": "", "shared": "yes"}).status_code == 403
    own = minh.get("/console/log").text
    ids = {name: own.partition(f'value="{name}"')[0].rpartition('id="name-')[2][:24] for name in ("Chờ lấy", "Riêng")}
    rename = f"/console/log/saved/{ids['Chờ lấy']}"
    assert minh.post(rename, {"do": "rename", "name": "Riêng", "q": ""}).status_code == 409
    assert xem.post(rename, {"do": "remove", "q": ""}).status_code == 403
    assert xem.post(f"/console/log/saved/{ids['Riêng']}", {"do": "remove", "q": ""}).status_code == 404
    assert minh.post(rename, {"do": "rename", "name": "Chờ lấy lâu", "q": ""}).status_code == 303
    assert lan.post(rename, {"do": "remove", "q": ""}).status_code == 303
    assert "Chờ lấy lâu" not in xem.get("/console/log").text
    with reading(served.axis.desk.engine) as connection:
        told = [
            audit.entries(connection, action=f"search-{what}")[0]["operator"] for what in ("save", "rename", "remove")
        ]
    assert told == ["minh", "minh", "lan"]


def test_a_search_comes_back_as_it_was_typed(served: Served) -> None:
    lan = operating(served)
    typed = 'tiền\u200blương "<b>\u202e" & công\0tác'
    shown = lan.get("/console/log", params={"q": typed}).text
    assert f'name="q" type="search" value="{escape(typed).replace(chr(0), "")}"' in shown
    for path in ("agencies?q=", "refusals?q=", "refusals?sender=", "audit?subject="):
        assert 'value="x\u200by&lt;"' in lan.get(f"/console/{path}x%E2%80%8By%3C").text, path


def test_who_has_become_a_viewer_renames_nothing_that_all_see_but_may_take_it_back(served: Served) -> None:
    hoa = operating(served, "hoa", Role.OPERATOR)
    for fields in ({"name": "Của chung", "shared": "yes"}, {"name": "Của hoa"}):
        assert hoa.post("/console/log/saved", {"q": "state:waiting", **fields}).status_code == 303
    served.axis.desk.writer.run(operators.set_role, operators.Change("command:test", "hoa", Role.VIEWER))
    hoa = operating(served, "hoa")
    page = hoa.get("/console/log").text
    shared, own = (
        "/console/log/saved/" + page.partition(f'value="{name}"')[0].rpartition('id="name-')[2][:24]
        for name in ("Của chung", "Của hoa")
    )
    assert hoa.post(shared, {"do": "rename", "name": "Tên khác", "q": ""}).status_code == 403
    assert hoa.post(own, {"do": "rename", "name": "Tên khác", "q": ""}).status_code == 303
    assert hoa.post(shared, {"do": "remove", "q": ""}).status_code == 303


def test_a_viewer_selects_nothing(served: Served) -> None:
    page = operating(served, "xem", Role.VIEWER).get("/console/log").text
    assert shown(page) == 0
    assert "V/v" in page or "Kế hoạch" in page


def test_an_address_that_is_none_is_refused(lan: Operating) -> None:
    assert lan.get("/console/log/news", params={"since": "9" * 40}).json() == {"text": ""}
    assert lan.post("/console/log/saved", {"name": "\x00", "q": ""}).status_code == 422
    assert lan.get("/console/log", params={"q": "trace:\x00 id:a\x00b"}).status_code == 422
    assert lan.get("/console/log", params={"older": "x.y"}).status_code == 422


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_clerk_finds_by_keyboard_alone(served: Served, lan: Operating, browser: Browser, lang: str) -> None:
    with browser.new_context() as context:
        watch = watched(context, served, lan.token, lang)
        watch.go("/console/log")
        page = watch.page
        page.focus("#q")
        page.keyboard.type("chung mo rong")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/log?q=chung*")
        assert page.locator("tbody tr").count() == 2
        page.focus("#filters > summary")
        page.keyboard.press("Enter")
        page.focus("#f-to")
        page.keyboard.type("H27")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/log?q=to*")
        assert page.input_value("#q") == "to:H27 chung mo rong"
        assert page.locator("tbody tr").count() == 1
        assert str(page.locator("tbody a").get_attribute("href")).startswith("/console/documents/")
        watch.assert_clean()


@pytest.mark.parametrize(("lang", "scheme"), [("vi", "light"), ("en", "dark")])
def test_the_page_is_accessible_and_fits_a_phone(
    served: Served, lan: Operating, browser: Browser, lang: str, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 740}, bypass_csp=True) as context:
        watch = watched(context, served, lan.token, lang)
        for line in ("", "state:delivered", "fron:G22"):
            watch.go(f"/console/log?q={line}")
            watch.page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            found = Axe().run(watch.page)
            assert found.violations_count == 0, found.generate_report()
            assert watch.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_new_lines_are_told_and_move_nothing(served: Served, lan: Operating, browser: Browser) -> None:
    with browser.new_context() as context:
        watch = watched(context, served, lan.token)
        watch.page.clock.install()
        watch.go("/console/log?q=from:H41")
        before = watch.page.locator("tbody").all_inner_texts()
        served.axis.enrol("H17")
        served.axis.enrol("H41").issue("H17", subject="V/v mới đến")
        watch.page.clock.run_for(6000)
        watch.page.wait_for_selector("#news:not([hidden])")
        assert watch.page.inner_text("#news") == "Có 1 dòng mới. Xem ngay"
        assert watch.page.locator("tbody").all_inner_texts() == before
        watch.page.click("#news")
        assert watch.page.locator("tbody tr").count() == 1
        watch.assert_clean()


def test_a_page_that_looks_for_news_by_itself_keeps_nobody_signed_in(served: Served) -> None:
    left, there = operating(served, "left"), operating(served, "there")
    for _ in range(3):
        served.axis.clock.pass_(minutes=15)
        left.get("/console/log/news", headers={"Sec-Fetch-Dest": "empty"})
        assert there.get("/console/log", headers={"Sec-Fetch-Dest": "document"}).status_code == 200
        there.get("/console/log")
    assert left.get("/console/log").status_code == 303
