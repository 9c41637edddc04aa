"""The page ``/console/verify`` as a clerk meets it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from builders.browser import NAMED, Opened, opened
from builders.complete import stamped, under_an_authority
from builders.evidence import Hub, a_story_under_an_authority, pem, some_evidence
from playwright.sync_api import Browser

from clients.evidence import packed

STEPS = range(1, 13)


AUTHORITY, STORY = a_story_under_an_authority()
EVIDENCE = under_an_authority(AUTHORITY, STORY)
FILE, KEYS, ROOT = packed(EVIDENCE), EVIDENCE.keys.octets, pem(AUTHORITY.root.certificate)


def changed(octets: bytes, at: int) -> bytes:
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]


def test_a_true_file_passes_every_step_by_the_keys_that_were_chosen(page: Opened) -> None:
    page.choose(FILE)
    page.trust(KEYS, ROOT)
    assert page.verdict("ĐẠT") == "ĐẠT: mọi bước đều đúng, theo khóa bạn đã chọn."
    assert page.results() == [(number, "passed") for number in STEPS]
    told = page.page.inner_text("#facts")
    assert all(text in told for text in (EVIDENCE.document, *EVIDENCE.keys.thumbprints, EVIDENCE.keys.log[0].text))
    assert "CA gốc thử nghiệm" in told


def test_without_keys_the_verdict_promises_nothing_and_names_what_to_compare(page: Opened) -> None:
    page.choose(FILE)
    assert "mới chỉ dựa vào khóa của chính nó" in page.verdict("CHƯA CHẮC")
    assert page.results() == [(n, "untold" if n in (3, 12) else "passed") for n in STEPS]
    assert EVIDENCE.keys.thumbprints[0] in page.page.inner_text("#steps > li:nth-child(3)")


def test_what_is_left_to_judge_is_named_beside_a_file_that_passes(page: Opened) -> None:
    evidence = some_evidence()
    page.choose(packed(evidence))
    page.trust(evidence.keys.octets)
    assert page.verdict("ĐẠT") == "ĐẠT theo khóa bạn đã chọn. Còn điều bạn phải tự xét ở bước 12."


def test_timestamps_are_a_thirteenth_step_with_roots_of_their_own(page: Opened) -> None:
    evidence, tsa = stamped()
    page.trust(evidence.keys.octets)
    page.choose(packed(evidence))
    assert page.verdict("ĐẠT").endswith("ở bước 12, 13.")
    root = {"name": "tsa.pem", "mimeType": "text/plain", "buffer": pem(tsa.root.certificate)}
    page.page.set_input_files("#tsa-files", root)
    page.page.locator("#verdict").filter(has_text="ở bước 12.").wait_for()
    assert page.results()[12:] == [(13, "passed")]
    assert "CA gốc dấu thời gian" in page.page.inner_text("#facts")


def test_keys_of_another_hub_fail_the_third_step_and_are_not_said_to_be_trusted(page: Opened) -> None:
    page.choose(FILE)
    page.page.fill("#key-text", Hub().keys.octets.decode())
    page.page.locator("#key-text").blur()
    assert page.verdict("KHÔNG ĐẠT") == "KHÔNG ĐẠT: tệp sai ở bước 3. Đừng dựa vào tệp này."
    assert EVIDENCE.keys.thumbprints[0] not in page.page.inner_text("#facts")


def test_keys_that_are_none_are_told_and_decide_nothing(page: Opened) -> None:
    page.choose(FILE)
    page.trust(b"no key")
    assert "khóa không dùng được" in page.verdict("Chưa kiểm")
    assert page.page.locator("#result").is_hidden()


def test_a_changed_byte_is_told_with_the_steps_that_cannot_be_gone(page: Opened) -> None:
    page.choose(changed(FILE, len(FILE) // 2))
    assert page.verdict("KHÔNG ĐẠT") == "KHÔNG ĐẠT: tệp sai ở bước 1. Đừng dựa vào tệp này."
    assert page.results() == [(1, "failed"), *((number, "missing") for number in range(2, 13))]


def test_what_is_no_evidence_is_told_in_words(page: Opened) -> None:
    for octets in (b"", b"PK\3\4", b"%PDF-1.7\n" * 100, FILE + FILE):
        page.choose(octets, f"{len(octets)}.zip")
        page.page.locator("#facts").filter(has_text=f"{len(octets)}.zip").wait_for()
        assert page.results()[0] == (1, "failed")


def test_the_file_chosen_last_is_the_one_that_is_told_of(page: Opened) -> None:
    page.choose(packed(replace(EVIDENCE, packet=bytes(4_000_000))), "lớn.zip")
    page.choose(FILE, "sau.zip")
    page.verdict("CHƯA CHẮC")
    assert "sau.zip" in page.page.inner_text("#facts")


def test_files_that_are_dropped_are_evidence_and_keys(page: Opened) -> None:
    files = [("15.ZIP", FILE), ("keys.json", KEYS), ("root.pem", ROOT)]
    transfer = page.page.evaluate_handle(
        """(files) => {
            const transfer = new DataTransfer();
            for (const [name, octets] of files) transfer.items.add(new File([new Uint8Array(octets)], name));
            return transfer;
        }""",
        [(name, list(octets)) for name, octets in files],
    )
    page.page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    assert page.verdict("ĐẠT") == "ĐẠT: mọi bước đều đúng, theo khóa bạn đã chọn."


def test_once_the_page_is_there_no_network_is_needed(page: Opened) -> None:
    page.page.context.set_offline(True)
    asked = len(page.asked)
    page.trust(KEYS, ROOT)
    page.choose(FILE)
    page.verdict("ĐẠT")
    assert page.asked[asked:] == []


def test_the_page_may_send_nothing_anywhere(browser: Browser, base_url: str) -> None:
    with browser.new_context() as context:
        page = opened(context, base_url)
        sent = page.page.evaluate("fetch('/healthz').then(() => 'sent', () => 'kept')")
        assert (sent, page.told[0].count("Content Security Policy")) == ("kept", 1)


def test_both_languages_say_everything(page: Opened) -> None:
    page.choose(changed(FILE, len(FILE) // 2))
    page.verdict("KHÔNG ĐẠT")
    vietnamese = page.page.inner_text("main")
    page.page.get_by_role("button", name="English").click()
    assert page.verdict("FAILED") == "FAILED: the file is wrong at step 1. Do not rely on it."
    english = page.page.inner_text("main")
    assert page.page.evaluate("document.documentElement.lang") == "en"
    same = {line for line in vietnamese.splitlines() if line} & set(english.splitlines())
    assert same == {"15.zip"}
    page.page.reload(wait_until="networkidle")
    assert page.page.inner_text("h1") == "Verify an evidence file"
    page.page.get_by_role("button", name="Tiếng Việt").click()
    assert page.page.inner_text("h1") == "Kiểm tệp chứng cứ"


def test_everything_can_be_done_by_keyboard(page: Opened) -> None:
    keyboard = page.page.keyboard
    page.page.on("filechooser", lambda chooser: None)  # asked for this early, the browser shows none of its own

    def focused() -> str:
        return str(page.page.evaluate("document.activeElement.id || document.activeElement.textContent"))

    keyboard.press("Tab")
    keyboard.press("Tab")
    assert focused() == "English"
    keyboard.press("Enter")
    keyboard.press("Tab")
    assert focused() == "file"
    with page.page.expect_file_chooser() as chooser:
        keyboard.press("Enter")
    chooser.value.set_files({"name": "15.zip", "mimeType": "application/zip", "buffer": FILE})
    page.verdict("NOT CERTAIN")
    keyboard.press("Tab")
    assert focused() == "key-files"
    keyboard.press("Tab")
    assert focused() == "key-text"
    keyboard.insert_text(KEYS.decode())
    keyboard.press("Tab")  # leaves it, which verifies again
    assert focused() == "tsa-files"
    page.verdict("PASSED")
    keyboard.press("Tab")
    assert focused() == "What this step proves"
    keyboard.press("Enter")
    assert "Does not prove: Who wrote it." in page.page.inner_text("#steps > li:first-child")


@pytest.mark.parametrize(("scheme", "width"), list(itertools.product(["light", "dark"], [320, 1280])))
def test_it_is_accessible_in_light_and_dark_on_a_phone_and_a_screen(
    browser: Browser, base_url: str, scheme: str, width: int
) -> None:
    with browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}) as context:
        page = opened(context, base_url)
        rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

        def violations() -> list[str]:
            return [each["id"] for each in Axe().run(page.page, options=rules).response["violations"]]

        assert violations() == []
        for octets, keys, verdict in (
            (FILE, (KEYS, ROOT), "ĐẠT"), (FILE, (), "CHƯA CHẮC"), (changed(FILE, 99), (), "KHÔNG ĐẠT"),
        ):  # fmt: skip
            page.choose(octets)
            page.trust(*keys)
            page.verdict(verdict)
            page.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            assert violations() == []
            assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_over_plain_http_from_another_machine_it_says_why_it_cannot(browser: Browser, base_url: str) -> None:
    with browser.new_context() as context:
        page = opened(context, base_url.replace("127.0.0.1", NAMED))
        assert "không cho tính mật mã" in page.page.inner_text("#fault")
        assert page.page.locator("#form").is_hidden()


def test_without_ed25519_what_hangs_on_it_is_left_to_the_command(page: Opened) -> None:
    """As browsers before 2025 are: the checkpoint is neither right nor wrong, and the file does not pass."""
    page.page.evaluate(
        """() => {
            const { subtle } = crypto;
            const importKey = subtle.importKey.bind(subtle);
            const refuse = () => Promise.reject(new DOMException("", "NotSupportedError"));
            subtle.importKey = (form, key, algorithm, ...others) =>
                algorithm.name === "Ed25519" ? refuse() : importKey(form, key, algorithm, ...others);
        }"""
    )
    [steps] = page.verify([FILE], [KEYS, ROOT])
    assert [step["number"] for step in steps if step["result"] != "passed"] == [5, 6]
    assert [step["number"] for step in steps if step["elsewhere"]] == [5, 6]
    assert "not checked here (this browser has no Ed25519), use agency verify" in steps[4]["en"]
    assert "không kiểm ở đây" in steps[4]["vi"]
