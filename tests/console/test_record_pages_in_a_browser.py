"""Pages of documents, refusals and agencies in a real browser: by keyboard, in both languages, on a phone, with axe;
whatever a sender wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from builders.console import Watched, a_session, watched
from builders.examined import with_files
from builders.reports import office_and_provinces
from builders.served import Served, a_served_hub
from playwright.sync_api import Browser, Route

from hub.domain.document import DocumentRef
from hub.exchange.enrol import hashed

HOSTILE = "<script>alert(1)</script> \"'><img src=x onerror=alert(2)> \u202egnơr\u202c " + "ườ" * 150


# Of one hand, and word of the second.
TWO_CLICKS = "button => { button.click(); setTimeout(() => { button.click(); console.log('twice'); }, 300); }"


@dataclass
class Place:
    """A hub with a document of a hostile sender, a refusal of it, and who looks at them."""

    served: Served
    token: str
    document: str
    answer: str
    refusal: str

    @property
    def paths(self) -> dict[str, str]:
        return {
            "document": f"/console/documents/{self.document}",
            "answer": f"/console/documents/{self.answer}",
            "refusals": "/console/refusals",
            "refusal": f"/console/refusals/{self.refusal}",
            "agencies": "/console/agencies?open=G12",
            "found": "/console/agencies?q=nghe+an",
            "agency": "/console/agencies/H41",
            "without a system": "/console/agencies/H05",
            "closed": "/console/agencies/H02",
            "systems": "/console/systems",
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with a_served_hub(tmp_path_factory.mktemp("hub")) as served:
        office, nghe_an, _ = office_and_provinces(served.axis)
        document, sent = office.issue("H41", "H27", subject=HOSTILE, **with_files(b"%PDF-1.7", name="Báo cáo {}.pdf"))
        delivery = next(one["id"] for one in sent["deliveries"] if one["to"] == "H41")
        nghe_an.receive(delivery)
        nghe_an.report("02", document, description=HOSTILE)
        named = DocumentRef("G22", f"{document.number}/VP", document.document_id, document.promulgation_date)
        answer = nghe_an.send("G22", subject=HOSTILE, response_for=(named, DocumentRef(HOSTILE, HOSTILE, HOSTILE)))
        bad = office.packet(office.draft("H41", subject=HOSTILE, **with_files(b"%PDF-1.7", name="a:\u202e{}.pdf")))
        headers = {"Authorization": f"Bearer {office.credentials['token']}"}
        assert httpx.post(f"{served.base_url}/v1/documents", content=bad, headers=headers).status_code == 422
        served.axis.clock.pass_(hours=5)
        token = a_session(served.axis)
        cookie = {"Cookie": f"__Host-session={token}"}
        told = httpx.get(f"{served.base_url}/console/refusals", headers=cookie).text
        yield Place(served, token, sent["id"], answer["id"], told.split("/console/refusals/")[-1][:24])


def tabbed_to(page: Watched, selector: str) -> None:
    """Go there by the tab key alone."""
    for _ in range(200):
        page.page.keyboard.press("Tab")
        if page.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached by the keyboard")


@pytest.mark.parametrize(("lang", "scheme", "width"), [("vi", "light", 1280), ("en", "dark", 360)])
def test_every_page_is_accessible_and_asks_nothing_of_others(
    place: Place, browser: Browser, lang: str, scheme: str, width: int
) -> None:
    with browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme) as context:  # type: ignore[arg-type]
        shown = watched(context, place.served, place.token, lang)
        for name, path in place.paths.items():
            shown.go(path)
            assert shown.page.get_attribute("html", "lang") == lang
            found = Axe().run(shown.page).response["violations"]
            own = [one for one in found if any("product" not in node["html"] for node in one["nodes"])]
            assert own == [], (name, [(one["id"], one["nodes"][0]["html"]) for one in own])
            assert shown.page.evaluate("document.documentElement.scrollWidth") <= width, name
        shown.assert_clean()


def test_a_hostile_sender_s_words_do_nothing_and_are_seen(place: Place, browser: Browser) -> None:
    with browser.new_context() as context:
        shown = watched(context, place.served, place.token)
        for name in ("document", "answer", "refusals", "refusal"):
            shown.go(place.paths[name])
            text = shown.page.inner_text("main")
            assert "<script>alert(1)</script>" in text
            assert "[U+202E]" in text
            assert shown.page.locator("main script, main img").count() == 0
        shown.assert_clean()


def test_the_refusal_of_a_recipient_leads_from_its_row_to_its_own_time_line(place: Place, browser: Browser) -> None:
    with browser.new_context() as context:
        shown = watched(context, place.served, place.token)
        shown.go(place.paths["document"])
        shown.page.get_by_text("chỉ xem nơi này").last.click()
        line = shown.page.locator(".time-line")
        line.get_by_text("Báo 02: từ chối tiếp nhận").wait_for()
        assert shown.page.locator("input[name=delivery]").count() == 1
        with shown.page.expect_download() as loading:
            shown.page.get_by_role("link", name="Báo cáo 1.pdf").click()
        assert loading.value.suggested_filename == "Báo cáo 1.pdf"
        shown.assert_clean()


def test_a_document_leads_to_its_answer_and_the_answer_back(place: Place, browser: Browser) -> None:
    with browser.new_context() as context:
        shown = watched(context, place.served, place.token)
        shown.go(place.paths["document"])
        links = shown.page.locator("section[aria-labelledby=links]")
        links.get_by_role("heading", name="Được trả lời bởi").wait_for()
        links.get_by_role("link", name="1/VP").click()
        shown.page.wait_for_url(f"**{place.paths['answer']}")
        links.get_by_role("heading", name="Trả lời văn bản").wait_for()
        links.get_by_text("Không tìm thấy trên trục này.").wait_for()
        links.get_by_role("link", name="1/VP").click()
        shown.page.wait_for_url(f"**{place.paths['document']}")
        shown.assert_clean()


def test_an_agency_is_found_and_locked_by_keyboard_alone(place: Place, browser: Browser) -> None:
    with browser.new_context() as context:
        shown = watched(context, place.served, place.token)
        shown.go("/console/agencies")
        tabbed_to(shown, "#q")
        shown.page.keyboard.type("ha tinh")
        shown.page.keyboard.press("Enter")
        shown.page.get_by_text("Tìm thấy").wait_for()
        tabbed_to(shown, "a[href='/console/agencies/H27']")
        shown.page.keyboard.press("Enter")
        shown.page.wait_for_url("**/console/agencies/H27")
        tabbed_to(shown, "#reason-lock")
        shown.page.keyboard.type("Nghi bị lộ khóa")
        shown.page.keyboard.press("Enter")
        shown.page.get_by_role("heading", name="Mở khóa hệ thống").wait_for()
        shown.assert_clean()


def test_a_group_of_refusals_leads_to_its_packets_and_these_to_the_repair(place: Place, browser: Browser) -> None:
    with browser.new_context() as context:
        shown = watched(context, place.served, place.token)
        shown.go("/console/refusals")
        shown.page.locator("a[href*='rule=name-character']").first.click()
        shown.page.wait_for_url("**rule=name-character**")
        shown.page.locator("section[aria-labelledby=list] tbody a").first.click()
        told = shown.page.locator("section[aria-labelledby=violations]")
        told.get_by_text("name-character").first.wait_for()
        assert "[U+202E]" in told.inner_text()
        shown.assert_clean()


def test_a_double_click_renews_once_and_loading_the_answer_again_renews_nothing(place: Place, browser: Browser) -> None:
    rosters = place.served.axis.desk.rosters
    with browser.new_context() as context:
        shown = watched(context, place.served, place.token)
        shown.go("/console/agencies/H41")
        shown.page.fill("#reason-roll", "Lộ mã truy cập")
        held: list[Route] = []  # on the way while the second click comes
        shown.page.route("**/enrol", lambda route: held.append(route))
        with shown.page.expect_console_message():
            shown.page.get_by_role("button", name="Cấp lại khóa bí mật").evaluate(TWO_CLICKS)
        held[0].continue_()
        shown.page.get_by_text("Chỉ hiện một lần này.").wait_for()
        token = shown.page.locator(".secret").nth(1).inner_text()
        assert rosters.current(now=True).tokens[hashed(token)].code == "H41"
        shown.page.unroute("**/enrol")
        shown.page.reload()
        shown.page.get_by_text("Đã làm rồi").wait_for()
        assert hashed(token) in rosters.current(now=True).tokens
        shown.told = [line for line in shown.told if line != "twice" and "409" not in line]  # that tells a refused form
        shown.assert_clean()


def test_secrets_are_renewed_and_shown_once(place: Place, browser: Browser) -> None:
    with browser.new_context() as context:
        shown = watched(context, place.served, place.token, "en")
        shown.go("/console/agencies/G22")
        shown.page.fill("#reason-roll", "The token leaked")
        shown.page.get_by_role("button", name="New secrets").click()
        shown.page.get_by_text("Shown this once.").wait_for()
        secrets = shown.page.locator(".secret").all_inner_texts()
        assert len(secrets) >= 3
        shown.page.get_by_role("link", name="To the agency").click()
        shown.page.get_by_role("heading", name="Certificates").wait_for()
        assert secrets[1] not in shown.page.content()
        shown.assert_clean()
