"""Pages of agencies as they are asked for, on both engines: found, enrolled, locked, given new secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.console import Operating, operating
from builders.keys import a_certificate
from builders.served import Served, a_served_hub

from hub.domain.operator import Role
from hub.exchange import enrol
from hub.store import audit
from hub.store.engine import reading


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[Served]:
    with a_served_hub(tmp_path, database_url) as hub:
        yield hub


@pytest.fixture
def lan(served: Served) -> Operating:
    return operating(served)


def roll_of(lan: Operating, code: str) -> dict[str, str]:
    """The form that renews the secrets of an agency's system, as its page has it now."""
    made_at = re.search(r'name="made_at" value="([^"]*)"', lan.get(f"/console/agencies/{code}").text)
    return {"action": "roll", "reason": "Lộ mã truy cập", "made_at": made_at[1] if made_at else ""}


def rolls(lan: Operating, code: str, **more: Any) -> httpx.Response:
    return lan.post(f"/console/agencies/{code}/enrol", roll_of(lan, code), **more)


def audited(served: Served) -> list[tuple[str, str, str, str]]:
    with reading(served.axis.desk.engine) as connection:
        rows = audit.entries(connection)
    return [(row["operator"], row["action"], row["subject"], row["reason"]) for row in rows if row["operator"] == "lan"]


def test_an_agency_is_found_by_name_without_marks_and_by_either_code(served: Served, lan: Operating) -> None:
    for text in ("nghe an", "Nghệ An", "H41", "000.00.00.H41"):
        told = lan.get("/console/agencies", params={"q": text}).text
        assert "Ủy ban nhân dân tỉnh Nghệ An" in told, text
        assert "Ủy ban nhân dân tỉnh Hà Tĩnh" not in told, text
    assert "Không có cơ quan nào như vậy" in lan.get("/console/agencies?q=xyz").text
    closed = lan.get("/console/agencies/H02").text
    assert "01/07/2025" in closed
    assert "/console/agencies/H05" in closed
    assert lan.get("/console/agencies/X99").status_code == 404


def test_an_administrator_enrols_and_renews_secrets_that_are_shown_once(served: Served, lan: Operating) -> None:
    fields = {"action": "enrol", "reason": "Kết nối mới", "profile": "required", "algorithms": "2025"}
    shown = lan.post("/console/agencies/H41/enrol", fields)
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    system = served.axis.desk.rosters.current(now=True).directory.nearest("H41")
    assert system is not None
    assert system.id in shown.text
    assert "Trục giữ khóa bí mật ở dạng mã hóa; mã truy cập và mã một lần thì chỉ giữ dấu vân tay." in shown.text
    assert lan.post("/console/agencies/H41/enrol", fields).status_code == 409
    before = dict(served.axis.desk.rosters.current(now=True).tokens)
    rolled = rolls(lan, "H41")
    assert system.id in rolled.text
    after = served.axis.desk.rosters.current(now=True)
    assert after.systems[system.id].code == "H41"
    assert before.keys().isdisjoint(after.tokens)
    assert [entry[1:] for entry in audited(served)][:2] == [
        ("system-enrol", "H41", "Lộ mã truy cập"),
        ("system-enrol", "H41", "Kết nối mới"),
    ]


def test_a_form_sent_twice_enrols_and_renews_once_and_says_so(served: Served, lan: Operating) -> None:
    def tokens() -> set[str]:
        return set(served.axis.desk.rosters.current(now=True).tokens)

    enrol = {"action": "enrol", "reason": "Kết nối mới", "profile": "required", "algorithms": "2025"}
    assert lan.post("/console/agencies/H41/enrol", enrol).status_code == 200
    roll = roll_of(lan, "H41")
    served.axis.clock.pass_(minutes=1)
    assert lan.post("/console/agencies/H41/enrol", roll).status_code == 200
    before = tokens()
    for form in (enrol, roll):
        again = lan.post("/console/agencies/H41/enrol", form)
        assert (again.status_code, "Đã làm rồi" in again.text, 'class="secret"' in again.text) == (409, True, False)
        assert 'href="/console/agencies/H41"' in again.text
        assert tokens() == before
    assert "Done already" in lan.post("/console/agencies/H41/enrol", roll, lang="en").text
    assert [entry[1] for entry in audited(served)] == ["system-enrol", "system-enrol", "sign-in-link"]
    for wrong in ("", "x", "9" * 40):
        assert lan.post("/console/agencies/H41/enrol", roll | {"made_at": wrong}).status_code == 422


def test_a_locked_system_stays_locked_when_its_secrets_are_renewed_and_the_page_says_so(
    served: Served, lan: Operating
) -> None:
    served.axis.enrol("H41")
    assert lan.post("/console/agencies/H41/lock", {"action": "lock", "reason": "Nghi bị lộ khóa"}).status_code == 303
    assert "Hệ thống này vẫn đang bị khóa" in rolls(lan, "H41").text
    assert "still locked" in rolls(lan, "H41", lang="en").text
    assert served.axis.desk.rosters.current(now=True).directory.nearest("H41").locked  # type: ignore[union-attr]
    assert "đang khóa" in lan.get("/console/agencies/H41").text
    assert lan.post("/console/agencies/H41/lock", {"action": "unlock", "reason": "Đã thay khóa"}).status_code == 303
    assert "vẫn đang bị khóa" not in rolls(lan, "H41").text


def test_an_operator_locks_with_a_reason_and_only_an_administrator_enrols(served: Served, lan: Operating) -> None:
    served.axis.enrol("H41")
    bac, viewer = operating(served, "bắc", Role.OPERATOR), operating(served, "xem", Role.VIEWER)
    lock = {"action": "lock", "reason": "Nghi bị lộ khóa"}
    assert viewer.post("/console/agencies/H41/lock", lock).status_code == 403
    assert rolls(bac, "H41").status_code == 403
    assert lan.post("/console/agencies/H41/lock", {"action": "lock", "reason": " "}).status_code == 422
    assert lan.post("/console/agencies/H41/lock", {"action": "retire", "reason": "Thử xem"}).status_code == 422
    assert lan.post("/console/agencies/H41/lock", lock | {"csrf": "x"}).status_code == 403
    assert bac.post("/console/agencies/H41/lock", lock).headers["location"] == "/console/agencies/H41"
    assert served.axis.desk.rosters.current(now=True).directory.nearest("H41").locked  # type: ignore[union-attr]
    assert "đang khóa" in lan.get("/console/agencies/H41").text
    assert lan.post("/console/agencies/H41/lock", lock | {"action": "unlock"}).status_code == 303
    assert lan.post("/console/agencies/H27/lock", lock).status_code == 404
    assert audited(served)[0] == ("lan", "system-unlock", "H41", "Nghi bị lộ khóa")


def test_a_certificate_without_an_end_is_shown_with_the_last_moment_there_is(served: Served, lan: Operating) -> None:
    _, endless = a_certificate("H41", not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    job = enrol.Enrolments((enrol.Enrolment("H41", certificate=endless),), served.axis.desk.vault)
    served.axis.desk.writer.run(enrol.enrol, job)
    shown = lan.get("/console/agencies/H41")
    assert shown.status_code == 200
    assert "31/12/9999" in shown.text
