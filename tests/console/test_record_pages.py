"""Pages of documents, refusals and systems as they are asked for, on both engines: what they show, and to whom."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.axis import acting
from builders.console import Operating, operating
from builders.databases import statements
from builders.examined import at_the_time, trusting, with_files
from builders.pdfs import by_both, text_changed
from builders.reports import office_and_province, office_and_provinces
from builders.served import Served, a_served_hub
from builders.steered import order
from builders.waiting import comes
from sqlalchemy import select

from hub.domain.document import DocumentRef
from hub.domain.operator import Role
from hub.exchange.polled import polled
from hub.store import examinations, story, tables, views
from hub.store.console_tables import refusal_rule
from hub.store.engine import reading

SOURCES = len(story._SOURCES)
HOSTILE = "<script>alert(1)</script> \u202etrích yếu\u202c " + "dài " * 60


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[Served]:
    with a_served_hub(tmp_path, database_url) as hub:
        yield hub


@pytest.fixture
def lan(served: Served) -> Operating:
    return operating(served)


def handed_in(served: Served, system: Any, packet: bytes) -> httpx.Response:
    """By the REST API, where a refusal is recorded."""
    token = {"Authorization": f"Bearer {system.credentials['token']}"}
    return httpx.post(f"{served.base_url}/v1/documents", content=packet, headers=token, timeout=30)


def views_of(served: Served, document_id: str) -> list[tuple[str, str]]:
    with reading(served.axis.desk.engine) as connection:
        return [(row["operator"], row["took"]) for row in views.of_document(connection, document_id, 10)]


def test_a_document_tells_itself_in_both_languages_and_by_any_of_its_ids(served: Served, lan: Operating) -> None:
    office, province = office_and_province(served.axis)
    document, sent = office.issue("H41", subject="V/v điều chỉnh tiền lương")
    province.receive(sent["deliveries"][0]["id"])
    province.report("01", document)
    address = f"/console/documents/{sent['id']}"
    told = lan.get(address).text
    for text in ("V/v điều chỉnh tiền lương", "Văn phòng Chính phủ", "cơ quan đã ký", "Đã lưu xong", "Báo 01: đã đến"):
        assert text in told
    assert "signed by the agency" in lan.get(address, lang="en").text
    for key in (sent["deliveries"][0]["id"], sent["document_id"], f" {sent['document_id']} "):
        assert lan.get(f"/console/documents/{key}").headers["location"] == address
    assert lan.get("/console/documents/không-có/ở đây").status_code == 404
    assert lan.get(f"/console/documents/{'0' * 24}").status_code == 404


def test_what_a_sender_wrote_is_text_whatever_it_looks_like(served: Served, lan: Operating) -> None:
    office, province = office_and_province(served.axis)
    sent = office.send("H41", subject=HOSTILE)
    province.failed(sent["deliveries"][0]["id"], '<img src=x onerror="alert(1)">\x1b[2J')
    told = lan.get(f"/console/documents/{sent['id']}").text
    assert "<script>alert" not in told
    assert "<img src=x" not in told
    assert "&lt;script&gt;alert(1)&lt;/script&gt; [U+202E]trích yếu[U+202C]" in told
    assert "\u202e" not in told
    assert "\x1b" not in told


def test_files_and_packets_leave_as_octets_that_no_browser_runs(served: Served, lan: Operating) -> None:
    office, _ = office_and_province(served.axis)
    page = b"<script>alert(1)</script>"
    sent = office.send("H41", **with_files(page, name="Báo cáo số {}.html"))
    with reading(served.axis.desk.engine) as connection:
        packet = connection.execute(select(tables.packet.c.id)).scalar_one()
    below = f"/console/documents/{sent['id']}/packets/{packet}"
    file, whole = lan.get(f"{below}/attachments/1"), lan.get(below)
    for answer in (file, whole):
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["content-disposition"].startswith("attachment; ")
    assert file.content == page
    assert "filename*=UTF-8''B%C3%A1o%20c%C3%A1o%20s%E1%BB%91%201.html" in file.headers["content-disposition"]
    assert b"<edXML" in whole.content[:400]
    text = lan.get(f"{below}/text").text
    assert "&lt;edXML" in text
    assert "<edXML" not in text
    assert lan.get(f"{below}/attachments/2").status_code == 404
    assert lan.get(f"/console/documents/{'0' * 24}/packets/{packet}").status_code == 404
    assert views_of(served, sent["id"]) == [("lan", "1 packet")]


def test_who_looked_and_what_was_taken_is_on_record_once_a_day(served: Served, lan: Operating) -> None:
    office, _ = office_and_province(served.axis)
    sent = office.send("H41")
    bac = operating(served, "bắc", Role.VIEWER)
    for _ in range(2):
        told = lan.get(f"/console/documents/{sent['id']}").text
        bac.get(f"/console/documents/{sent['id']}")
    assert "Ai đã xem" in told
    assert sorted(views_of(served, sent["id"])) == [("bắc", ""), ("lan", "")]
    served.axis.clock.pass_(days=1)
    operating(served).get(f"/console/documents/{sent['id']}")
    assert len(views_of(served, sent["id"])) == 3


def test_the_evidence_is_taken_with_its_proofs(served: Served, lan: Operating) -> None:
    office, province = office_and_province(served.axis)
    sent = office.send("H41")
    province.receive(sent["deliveries"][0]["id"])
    served.axis.integrate()
    told = json.loads(lan.get(f"/console/documents/{sent['id']}/evidence").text)
    assert [item["kind"] for item in told["items"]] == ["accept", "handover"]
    assert all(item["proof"] is not None and item["receipt"] for item in told["items"])
    assert told["checkpoint"]
    assert told["keys"]["keys"]
    assert told["next"] is None


def test_what_each_signature_is_worth_is_told_step_by_step(served: Served) -> None:
    office = at_the_time(served.axis)
    trusting(served.axis)
    sent = office.send("H41", **with_files(by_both(), text_changed(by_both())))
    settled(served, sent["id"])
    lan = operating(served)
    told = lan.get(f"/console/documents/{sent['id']}").text
    unknown, changed = "chưa rõ đã bị thu hồi chưa", "bị sửa sau khi ký"
    for text in (unknown, changed, "Người có thẩm quyền:", "Chứng thư của gói tin", "không dẫn tới gốc tin cậy"):
        assert text in told, text
    assert "modified after signing" in lan.get(f"/console/documents/{sent['id']}", lang="en").text


def settled(served: Served, document_id: str) -> None:
    """The hub's own inspector has examined it."""

    def over() -> bool:
        with reading(served.axis.desk.engine) as connection:
            return not examinations.is_pending(connection, document_id)

    assert comes(over)


def test_what_an_operator_did_is_told_with_who_and_why(served: Served, lan: Operating) -> None:
    office, _ = office_and_province(served.axis)
    sent = office.send("H41")
    delivery = sent["deliveries"][0]["id"]
    order(served.axis, "undeliverable", delivery, by="lan", reason="Cơ quan <b>đã</b> giải thể")
    order(served.axis, "release", delivery, by="command:root", reason="Máy treo")
    told = unescape(lan.get(f"/console/documents/{sent['id']}").text)
    assert "<b>Báo không giao được, do lan thực hiện</b>" in told
    assert "<q>Cơ quan <b>đã</b> giải thể</q>" in told
    assert "Nhả quyền giữ, do command:root thực hiện – Để nguyên: không ai đang giữ" in told
    [run, _] = re.findall(r'href="(/console/actions/[0-9a-f]{24})"', told)
    assert lan.get(run).status_code == 200
    english = lan.get(f"/console/documents/{sent['id']}", lang="en").text
    assert "Mark undeliverable, by lan" in english
    assert "by command:root – Left: held by nobody" in english


def test_why_it_is_stuck_is_said_in_one_sentence(served: Served) -> None:
    office, province = office_and_province(served.axis)
    sent = office.send("H41")
    served.axis.clock.pass_(hours=1, minutes=32)
    served.axis.desk.writer.run(polled, {province.system_id: served.axis.clock()})
    served.axis.clock.pass_(days=1, hours=2)
    told = operating(served).get(f"/console/documents/{sent['id']}").text
    sentence = "Hệ thống của Ủy ban nhân dân tỉnh Nghệ An chưa lấy văn bản từ 1 ngày nay; lần hỏi cuối 10:32 hôm qua."
    assert sentence in told


def test_a_broadcast_is_read_in_pages_and_towards_one_recipient(served: Served, lan: Operating) -> None:
    office = served.axis.enrol("G22")
    codes = [f"H{number:02}" for number in (1, 5, 12, 13, 14, 15, 17, 18, 19, 20, 21, 24, 26, 27, 29, 31, 32, 35, 36)]
    codes += [f"H{number}" for number in (37, 38, 41, 42, 44, 48, 49, 50, 52, 53)]
    for code in codes:
        served.axis.enrol(code)
    sent = office.send(*codes)
    address = f"/console/documents/{sent['id']}"
    first = lan.get(address).text
    assert first.count('name="delivery"') == 25
    assert "Nơi nhận tiếp theo" in first
    assert lan.get(f"{address}?after=H44").text.count('name="delivery"') == 5
    one = next(each["id"] for each in sent["deliveries"] if each["to"] == "H53")
    assert lan.get(f"{address}?delivery={one}").text.count('name="delivery"') == 1
    assert "Không có nơi nhận nào như vậy" in lan.get(f"{address}?state=failed").text
    for wrong in ("at=x", "at=2025-10-01T00:00:00~3~x", "at=2025-10-01T00:00:00~9~1", "at=0001-01-01~0~1", "after=%00"):
        assert lan.get(f"{address}?{wrong}").status_code in {200, 422}, wrong
    for path in ("refusals?q=%00", "refusals?before=x~%00", "agencies?q=%00", "systems?after=%00", "agencies/%00"):
        assert lan.get(f"/console/{path}").status_code in {200, 404, 422}, path
    assert operating(served, "bắc", Role.VIEWER).get(address).text.count('name="delivery"') == 0


def test_a_place_in_the_time_line_that_cannot_be_is_refused_before_it_gets_there(
    served: Served, lan: Operating
) -> None:
    office, _ = office_and_province(served.axis)
    address = f"/console/documents/{office.send('H41')['id']}"

    def status(at: str, rank: object, key: str) -> int:
        return lan.get(address, params={"at": f"{at}~{rank}~{key}"}).status_code

    now = "2025-10-01T00:00:00+00:00"
    for rank in range(SOURCES):
        for key in ("1", "0", str(2**63 - 1)):
            assert status(now, rank, key) == 200, (rank, key)
        for key in (
            str(2**63),
            "9" * 40,
            "-1",
            f"-{'9' * 30}",
            "x" * 40,
            "\U0010ffff" * 9,
            "\N{ARABIC-INDIC DIGIT NINE}" * 30,
        ):
            assert status(now, rank, key) in {200, 422}, (rank, key)
    assert status("2025-10-01T00:00:00.123456+00:00", 3, "a" * 48) == 200
    for rank in (-1, -SOURCES, SOURCES, "9" * 30, "x"):
        assert status(now, rank, "1") == 422, rank
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 30, ""):
        assert status(at, 3, "1") == 422, at
    for at in ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"):
        assert status(at, 3, "1") == 200, at


def test_what_no_database_takes_is_refused_before_it_gets_there(served: Served, lan: Operating) -> None:
    office, _ = office_and_province(served.axis)
    sent = office.send("H41")
    for wrong in ("older=5.%00", "newer=5.%00", "older=5.x", f"older=5.{'0' * 25}", f"older={'9' * 40}."):
        assert lan.get(f"/console/log?{wrong}").status_code == 422, wrong
    for right in ("older=5.", "newer=5.z", f"older=5.{sent['deliveries'][0]['id']}"):
        assert lan.get(f"/console/log?{right}").status_code == 200, right
    for name in ("operator", "action", "subject"):
        assert lan.get(f"/console/audit?{name}=%00").status_code == 422, name
    for key in ("%00", "x", "0" * 25):
        assert lan.post(f"/console/log/saved/{key}", {"do": "remove", "q": ""}).status_code in {404, 422}, key
    assert lan.post(f"/console/log/saved/{'0' * 24}", {"do": "remove", "q": ""}).status_code == 404
    evidence = f"/console/documents/{sent['id']}/evidence"
    for after, status in ((0, 200), (2**63 - 1, 200), (2**63, 422), (-1, 422), (10**40, 422)):
        assert lan.get(f"{evidence}?after={after}").status_code == status, after
    for path in ("actions/%00", "actions?before=9223372036854775808", "operators/%00", "reports?as=%00"):
        assert lan.get(f"/console/{path}").status_code < 500, path


def test_an_update_and_its_target_name_each_other(served: Served, lan: Operating) -> None:
    office, *_ = office_and_provinces(served.axis)
    document, sent = office.issue("H41")
    update = office.send("H41", **acting("update", document))
    assert f"/console/documents/{sent['id']}" in lan.get(f"/console/documents/{update['id']}").text
    assert f"/console/documents/{update['id']}" in lan.get(f"/console/documents/{sent['id']}").text


def test_an_answer_and_what_it_answers_name_each_other_in_both_languages(served: Served, lan: Operating) -> None:
    office, nghe_an, _ = office_and_provinces(served.axis)
    letter, sent = office.issue("H41", subject="V/v báo cáo tiền lương")
    elsewhere = DocumentRef("G12", "7/BNV-TL", "G12,2019/03/01,7/BNV-TL", "2019/03/01")
    hostile = DocumentRef("<b>G12</b>", "<script>alert(1)</script>\u202e", "", "")
    named = DocumentRef("G22", "", letter.document_id, "")
    answer = nghe_an.send("G22", subject="V/v trả lời", response_for=(named, elsewhere, hostile))
    below = links_of(lan.get(f"/console/documents/{answer['id']}").text)
    for text in (
        "Trả lời văn bản",
        f"/console/documents/{sent['id']}",
        "V/v báo cáo tiền lương",
        "7/BNV-TL",
        "01/03/2019",
    ):
        assert text in below, text
    assert below.count("Không tìm thấy trên trục này.") == 2
    assert "&lt;script&gt;alert(1)&lt;/script&gt;[U+202E]" in below
    assert "Được trả lời bởi" not in below
    above = links_of(lan.get(f"/console/documents/{sent['id']}").text)
    for text in (
        "Được trả lời bởi",
        f"/console/documents/{answer['id']}",
        "V/v trả lời",
        "Ủy ban nhân dân tỉnh Nghệ An",
    ):
        assert text in above, text
    assert "Trả lời văn bản" not in above
    for sort, one in (("Answers", answer), ("Answered by", sent)):
        assert f"<h3>{sort}</h3>" in links_of(lan.get(f"/console/documents/{one['id']}", lang="en").text)


def links_of(page: str) -> str:
    """The part of a document's page that has its links."""
    return page.partition('aria-labelledby="links"')[2].partition("</section>")[0]


def test_what_a_revocation_revokes_stands_once_on_its_page(served: Served, lan: Operating) -> None:
    office, *_ = office_and_provinces(served.axis)
    document, sent = office.issue("H41")
    revocation = office.revoke(document, "H41")
    assert links_of(lan.get(f"/console/documents/{revocation['id']}").text).count(sent["id"]) == 1
    assert links_of(lan.get(f"/console/documents/{sent['id']}").text).count(revocation["id"]) == 1


def test_a_page_asks_twice_for_answers_however_many_and_shows_the_newest(served: Served, lan: Operating) -> None:
    office, nghe_an, _ = office_and_provinces(served.axis)
    letter, sent = office.issue("H41")
    alone = office.send("H41")
    named = DocumentRef("G22", f"{letter.number}/VP", letter.document_id, letter.promulgation_date)
    answers = [nghe_an.send("G22", response_for=(named,)) for _ in range(22)]

    def asked(document_id: str) -> tuple[int, str]:
        with statements(served.axis.desk.engine) as seen:
            told = lan.get(f"/console/documents/{document_id}").text
        return sum("reference.document_seq" in statement for statement, _ in seen), links_of(told)

    assert asked(alone["id"]) == (2, "")
    many, told = asked(sent["id"])
    assert many == 2
    assert [one["id"] in told for one in answers] == [False] * 2 + [True] * 20
    assert told.index(answers[21]["id"]) < told.index(answers[2]["id"])
    assert "Còn nữa; chỉ hiện 20 văn bản." in told


def test_refusals_are_grouped_found_and_told_with_their_repair(served: Served, lan: Operating) -> None:
    office, province = office_and_province(served.axis)
    for _ in range(3):
        handed_in(served, office, office.packet(office.draft("H41", **with_files(b"%PDF-1", name="a:{}.pdf"))))
    handed_in(served, province, province.packet(province.draft("G22", subject="")))
    with reading(served.axis.desk.engine) as connection:
        ids = list(connection.execute(select(refusal_rule.c.refusal_id)).scalars())
    told = lan.get("/console/refusals").text
    assert "name-character" in told
    assert told.index("name-character") < told.index("field-missing"), "the largest group is the first"
    only = lan.get("/console/refusals?sender=H41&rule=field-missing").text
    assert "field-missing" in only
    assert "name-character" not in only
    assert "Không có gói nào bị từ chối" in lan.get("/console/refusals?first=2025-09-01&last=2025-09-02").text
    one = lan.get(f"/console/refusals/{ids[0]}").text
    assert "MessageHeader" in one or "Attachment" in one
    assert lan.get(f"/console/documents/{ids[0]}").headers["location"] == f"/console/refusals/{ids[0]}"
    assert lan.get(f"/console/refusals/{'0' * 24}").status_code == 404
    assert lan.get("/console/refusals?first=hôm+nay").status_code == 422


def test_an_agency_tells_backlog_certificates_and_how_much_is_refused(served: Served, lan: Operating) -> None:
    office, _ = office_and_province(served.axis)
    office.send("H41")
    handed_in(served, office, office.packet(office.draft("H41", subject="")))
    told = lan.get("/console/agencies/G22").text
    assert "1 văn bản được nhận" in told
    assert "1 gói bị từ chối" in told
    assert "50,0 %" in told
    assert "CN=G22" in told
    assert "còn " in told
    assert '<td class="number">1</td>' in lan.get("/console/systems").text
    assert lan.get("/console/systems?after=H41").text.count('<td class="number">') == 0


def test_systems_that_have_not_asked_for_a_day_are_listed_apart(served: Served, lan: Operating) -> None:
    office, province = office_and_province(served.axis)
    served.axis.desk.rosters.current(now=True)
    served.axis.desk.writer.run(polled, {office.system_id: served.axis.desk.clock()})
    shown = lan.get("/console/systems?silent=yes").text
    assert province.system_id in shown
    assert office.system_id not in shown
    served.axis.desk.writer.run(polled, {province.system_id: served.axis.desk.clock()})
    assert "Mọi hệ thống đều đã hỏi trong 24 giờ qua." in lan.get("/console/systems?silent=yes").text
    assert lan.get("/console/systems?silent=perhaps").status_code == 422


def test_nobody_sees_any_of_it_without_a_session(served: Served) -> None:
    unknown = f"documents/{'0' * 24}"
    paths = (unknown, f"{unknown}/evidence", "refusals", "agencies", "systems", "agencies/H41")
    for path in paths:
        answer = httpx.get(f"{served.base_url}/console/{path}")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/console/login")
