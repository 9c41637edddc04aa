"""The page of reports: what it shows, in both languages, by keyboard, with downloads that the audit knows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from builders.console import Operating, Watched, operating, watched
from builders.reports import office_and_province, only
from builders.served import Served, a_served_hub
from builders.tallied import told
from playwright.sync_api import Browser, expect

from hub.domain.operator import Role
from hub.store import audit
from hub.store.engine import reading

OCTOBER = "from=2025-10-01&to=2025-10-31"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_served_hub(tmp_path_factory.mktemp("hub")) as running:
        axis = running.axis
        office, province = office_and_province(axis)
        document, answer = office.issue("H41", due_date="2025/10/20")
        office.send("H41", date="2025/09/01")
        province.receive(only(answer))
        province.report("03", document, other="G22")
        told(axis)
        yield running


@pytest.fixture
def lan(served: Served) -> Operating:
    return operating(served, role=Role.VIEWER)


@pytest.fixture
def page(browser: Browser, served: Served, lan: Operating) -> Iterator[Watched]:
    with browser.new_context() as context:
        found = watched(context, served, lan.token)
        yield found
        found.assert_clean()


def test_each_report_is_shown_with_its_table_and_the_way_it_is_counted(page: Watched) -> None:
    for name, title in (
        ("sent-received", "Gửi và nhận"), ("levels", "Tiếp nhận và ký số"), ("timeliness", "Đúng hạn"),
        ("tasks", "Nhiệm vụ có thời hạn"), ("quality", "Chất lượng"), ("withdrawals", "Rút lại và thu hồi"),
    ):  # fmt: skip
        page.go(f"/console/reports?report={name}&{OCTOBER}")
        expect(page.page.get_by_role("heading", level=1)).to_have_text(f"{title} 01/10/2025–31/10/2025")
        expect(page.page.get_by_role("heading", name="Cách tính")).to_be_visible()
    page.go(f"/console/reports?{OCTOBER}")
    row = page.page.get_by_role("row").filter(has=page.page.get_by_role("rowheader", name="G22"))
    expect(row.get_by_role("cell").nth(1)).to_contain_text("2")
    picture = page.page.get_by_role("img", name="Gửi và nhận 01/10/2025–31/10/2025")
    expect(picture).to_be_visible()


def test_a_report_is_chosen_by_keyboard_in_english_and_stays_in_the_address(
    browser: Browser, served: Served, lan: Operating
) -> None:
    with browser.new_context() as context:
        page = watched(context, served, lan.token, lang="en")
        page.go("/console/reports")
        choose_tasks(page)
        page.assert_clean()


def choose_tasks(page: Watched) -> None:
    page.page.get_by_label("Report", exact=True).focus()
    page.page.keyboard.type("Tas")
    page.page.get_by_label("From").fill("2025-10-01")
    page.page.get_by_label("To", exact=True).fill("2025-10-31")
    page.page.get_by_role("button", name="Show").focus()
    page.page.keyboard.press("Enter")
    expect(page.page.get_by_role("heading", level=1)).to_have_text("Tasks 01/10/2025–31/10/2025")
    assert "report=tasks" in page.page.url
    page.page.get_by_role("link", name="12/3–21/7/2019").click()
    expect(page.page.get_by_text("Nothing in this period")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["sent-received", "quality"])
def test_nothing_is_in_the_way_of_anybody(page: Watched, width: int, name: str) -> None:
    page.page.set_viewport_size({"width": width, "height": 900})
    for scheme in ("light", "dark"):
        page.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
        page.go(f"/console/reports?report={name}&{OCTOBER}")
        found = Axe().run(page.page)
        assert found.violations_count == 0, [
            (v["id"], [n["html"][:150] + n["failureSummary"][:200] for n in v["nodes"][:3]])
            for v in found.response["violations"]
        ]
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width


def test_sheets_have_what_the_page_shows_and_the_audit_knows_who_took_them(served: Served, lan: Operating) -> None:
    found = lan.get(f"/console/reports/download?report=sent-received&{OCTOBER}&as=csv", lang="en")
    table = list(csv.reader(io.StringIO(found.content.decode("utf-8-sig"))))
    assert (table[0][2], table[-1][:3]) == ("Documents sent", ["Total", "", "2"])
    assert "sent-received-2025-10-01-2025-10-31.csv" in found.headers["content-disposition"]
    assert lan.get(f"/console/reports/download?{OCTOBER}&as=xlsx").content.startswith(b"PK")
    with reading(served.axis.desk.engine) as connection:
        entries = [row for row in audit.entries(connection) if row["action"] == "report-download"]
    assert [(row["operator"], row["facts"]["as"]) for row in entries] == [("lan", "xlsx"), ("lan", "csv")]


@pytest.mark.parametrize(
    "query", ["report=other", "from=2025-10-02&to=2025-10-01", "from=x", "by=week", "from=0001-01-01&to=0001-01-02"]
)
def test_what_no_report_can_be_is_told(lan: Operating, query: str) -> None:
    assert lan.get(f"/console/reports?{query}").status_code == 422


def test_a_code_that_is_no_code_is_shown_as_text(page: Watched) -> None:
    page.go(f"/console/reports?{OCTOBER}&agency=%3Cscript%3Ealert(1)%3C/script%3E")
    expect(page.page.get_by_text("Kỳ này không có gì")).to_be_visible()


def test_nobody_sees_reports_without_signing_in(served: Served) -> None:
    for path in ("/console/reports", "/console/reports/download?as=csv"):
        answer = httpx.get(served.base_url + path)
        assert (answer.status_code, "/console/login" in answer.headers["location"]) == (303, True)


def test_a_page_shows_the_first_rows_and_the_sheets_have_all(lan: Operating, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.console.reports._MOST", 1)
    address = f"/console/reports?report=sent-received&{OCTOBER}"
    shown = lan.get(address, lang="en").text
    assert ("The first 1 rows; CSV and sheet have all." in shown, ">G22<" in shown, ">H41<" in shown) == (
        True,
        True,
        False,
    )
    sheet = lan.get(address.replace("reports?", "reports/download?") + "&as=csv").text
    assert ("G22" in sheet, "H41" in sheet) == (True, True)
