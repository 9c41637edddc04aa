"""Who gets in: without an account nobody, by a password, by a link; and what keeps others out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.console import PASSWORD, Operating, a_session, operating
from builders.served import Served, a_served_hub

from hub.console import access
from hub.domain.operator import FREE_OF_ACCOUNT, FREE_OF_ADDRESS, IDLE, Role
from hub.exchange import operators as verbs
from hub.exchange.passwords import hashed

PAGES = ("/console", "/console/audit", "/console/settings")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with a_served_hub(tmp_path) as served:
        yield served


@pytest.fixture
def lan(served: Served) -> Served:
    """A hub with an account that has a password."""
    account = verbs.Account("command:test", "lan", Role.ADMINISTRATOR, hashed(PASSWORD))
    served.axis.desk.writer.run(verbs.add, account)
    return served


def sign_in(served: Served, name: str = "lan", password: str = PASSWORD, **more: Any) -> httpx.Response:
    data = {"name": name, "password": password, "next": more.pop("next", "/console")}
    return httpx.post(f"{served.base_url}/console/login", data=data, timeout=30, **more)


def test_without_an_account_every_page_leads_to_one_that_says_how_to_add_one(served: Served) -> None:
    for path in PAGES:
        answer = httpx.get(served.base_url + path, timeout=30)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/console/login")
    page = httpx.get(f"{served.base_url}/console/login")
    assert page.status_code == 403
    assert "hub operator add" in page.text
    assert "<input" not in page.text


def test_a_password_opens_a_session_whose_cookie_scripts_and_other_sites_never_get(lan: Served) -> None:
    answer = sign_in(lan, "LAN", next="/console/audit")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/audit")
    [cookie] = [value for value in answer.headers.get_list("set-cookie") if value.startswith(access.COOKIE)]
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    token = cookie.partition("=")[2].partition(";")[0]
    assert all(Operating(lan.base_url, token).get(path).status_code == 200 for path in PAGES)


def test_wrong_name_and_wrong_password_are_told_alike(lan: Served) -> None:
    answers = [sign_in(lan, *pair) for pair in (("lan", "x" * 12), ("minh", PASSWORD), ("a b", PASSWORD))]
    assert [answer.status_code for answer in answers] == [403] * 3
    texts = {re.sub(r'value="[^"]*"', "", answer.text) for answer in answers}
    assert len(texts) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_who_guesses_at_an_account_waits_and_its_owner_gets_in_after_it(lan: Served) -> None:
    for _ in range(FREE_OF_ACCOUNT):
        assert sign_in(lan, password="nhầm rồi nhầm nữa").status_code == 403
    held = sign_in(lan)
    assert (held.status_code, held.headers["retry-after"]) == (429, "31")
    lan.axis.clock.pass_(seconds=31)
    assert sign_in(lan).status_code == 303


def test_guesses_sent_at_once_are_as_few_as_one_after_the_other(lan: Served) -> None:
    with ThreadPoolExecutor(3 * FREE_OF_ACCOUNT) as many:
        answers = list(many.map(lambda n: sign_in(lan, password=f"nhầm lần thứ {n}"), range(3 * FREE_OF_ACCOUNT)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {403: FREE_OF_ACCOUNT, 429: 2 * FREE_OF_ACCOUNT}
    assert sign_in(lan).status_code == 429


def test_right_passwords_sent_at_once_all_open_and_count_for_nothing(lan: Served) -> None:
    with ThreadPoolExecutor(FREE_OF_ACCOUNT) as many:
        assert {answer.status_code for answer in many.map(lambda _: sign_in(lan), range(FREE_OF_ACCOUNT))} == {303}
    for _ in range(FREE_OF_ACCOUNT):
        assert sign_in(lan, password="nhầm rồi nhầm nữa").status_code == 403


def test_who_tries_many_accounts_from_one_address_waits_too(lan: Served) -> None:
    for n in range(FREE_OF_ADDRESS):
        sign_in(lan, f"minh{n}", "nhầm rồi nhầm nữa")
    assert sign_in(lan).status_code == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://example.vn"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_a_form_of_another_site_signs_nobody_in_or_out(lan: Served, headers: dict[str, str]) -> None:
    assert sign_in(lan, headers=headers).status_code == 403
    token = a_session(lan.axis)
    assert Operating(lan.base_url, token).post("/console/logout", headers=headers).status_code == 403
    assert Operating(lan.base_url, token).get("/console").status_code == 200


def test_a_form_without_its_session_s_token_changes_nothing(lan: Served) -> None:
    one, other = operating(lan, "minh"), operating(lan, "an")
    fields = {"name": "binh", "role": "viewer", "password": PASSWORD, "again": PASSWORD, "reason": "thử"}
    for csrf in ("", "0" * 64, access.csrf_of(other.token)):
        answer = one.post("/console/operators/add", fields | {"csrf": csrf})
        assert (answer.status_code, "form-stale" in answer.text) == (403, True)
    assert one.post("/console/operators/add", fields).status_code == 303


def test_over_plain_http_nobody_signs_in_from_elsewhere(lan: Served) -> None:
    answer = sign_in(lan, headers={"Host": "hub.example.vn"})
    assert (answer.status_code, "sign-in-plain" in answer.text or "https://" in answer.text) == (403, True)
    assert "set-cookie" not in answer.headers


def test_a_link_signs_in_once_and_only_by_its_button(lan: Served) -> None:
    lan.axis.desk.writer.run(verbs.add_link, verbs.Link("command:test", "lan", access.hashed("abc")))
    address = f"{lan.base_url}/console/login"
    for _ in range(2):  # looking at it, as programs that read mail do, spends nothing
        assert 'value="abc"' in httpx.get(address, params={"link": "abc"}).text
    answers = [httpx.post(address, data={"link": "abc"}).status_code for _ in range(2)]
    assert answers == [303, 410]


@pytest.mark.parametrize(
    ("asked", "back"),
    [
        ("/console/agencies/Đ1?x=tiền lương&y=1,2", "/console/agencies/%C4%901?x=ti%E1%BB%81n%20l%C6%B0%C6%A1ng&y=1,2"),
        ("/console/agencies/a%3Fb%25%23c", "/console/agencies/a%3Fb%25%23c"),
        ("/console/documents/G22,2025/10/01,15/VPCP-TH", "/console/documents/G22,2025/10/01,15/VPCP-TH"),
        ("/console/log?q=to%3AH41+%22ti%E1%BB%81n%22", "/console/log?q=to%3AH41+%22ti%E1%BB%81n%22"),
    ],
)
def test_signing_in_leads_back_to_any_page_of_the_console(lan: Served, asked: str, back: str) -> None:
    with httpx.Client(base_url=lan.base_url, timeout=30) as browser:
        first = browser.get(asked)
        page = browser.get(first.headers["location"])
        [further] = re.findall(r'name="next" value="([^"]*)"', page.text)
        fields = {"name": "lan", "password": PASSWORD, "next": unescape(further)}
        assert browser.post("/console/login", data=fields).headers["location"] == back
    language = Operating(lan.base_url, a_session(lan.axis)).get(asked).text.partition('hreflang="en"')[0]
    address = unescape(language.rpartition('href="')[2].partition('"')[0])
    assert httpx.get(lan.base_url + address).headers["location"] == back


@pytest.mark.parametrize(
    "path",
    ["https://example.vn/", "//example.vn", "/v1/x", "/consolex", "/console\r\nA: b", "/\\example.vn"],
)
def test_signing_in_leads_nowhere_else(lan: Served, path: str) -> None:
    assert sign_in(lan, next=path).headers["location"] == "/console"


def test_roles_see_what_is_theirs(served: Served) -> None:
    viewer, administrator = operating(served, "an", Role.VIEWER), operating(served, "lan")
    assert viewer.get("/console/operators").status_code == 403
    assert "role-low" in viewer.get("/console/operators").text
    assert "/console/operators" not in viewer.get("/console").text
    assert "/console/operators" in administrator.get("/console").text
    assert administrator.get("/console/operators").status_code == 200


def test_a_session_that_was_not_used_is_over_and_one_that_was_goes_on(served: Served) -> None:
    used, left = operating(served, "an"), operating(served, "lan")
    for _ in range(3):
        served.axis.clock.now += IDLE / 2
        assert used.get("/console/settings").status_code == 200
        served.axis.desk.writer.run(lambda _tx, jobs: jobs, None)  # past it what was written before is committed
    assert left.get("/console/settings").status_code == 303


def test_after_signing_out_the_session_is_over_everywhere(served: Served) -> None:
    lan = operating(served)
    assert lan.post("/console/logout").headers["location"] == "/console/login"
    assert lan.get("/console").status_code == 303


def test_what_is_not_there_is_told_as_a_page_and_elsewhere_as_a_problem(served: Served) -> None:
    lan = operating(served)
    for path, status in (("/console/nothing", 404), ("/console/operators/nothing", 404), ("/console/logout", 404)):
        answer = lan.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert lan.get("/v1/nothing").headers["content-type"] == "application/problem+json"


def test_every_page_forbids_other_hosts_inline_scripts_and_keeping(served: Served) -> None:
    lan = operating(served)
    for path in (*PAGES, "/console/operators", "/console/nothing", "/console/login?link=a"):
        answer = lan.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<style|<script(?![^>]* src=)|\sstyle=|\son\w+=", answer.text)


def test_the_language_is_chosen_by_a_link_that_leads_back(served: Served) -> None:
    lan = operating(served)
    answer = lan.get("/console/language?to=en&next=/console/audit?action=sign-in")
    assert answer.headers["location"] == "/console/audit?action=sign-in"
    assert "lang=en" in answer.headers["set-cookie"]
    assert "Settings in force" in lan.get("/console/settings", lang="en").text
    assert "Cài đặt đang dùng" in lan.get("/console/settings").text
