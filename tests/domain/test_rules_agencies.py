"""Rules about sender and recipients (exchange rules 1, 2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from builders.documents import a_directory, acceptable, some_facts
from builders.packets import GOVERNMENT_OFFICE, NGHE_AN

from hub.domain.agency import Agency, System
from hub.domain.document import Business, DocumentRef, Organization, Receiver, Replaced, Trace
from hub.domain.rules import check
from hub.errors import Severity

DIRECTORY = a_directory(systems=(System("trục-H15", "H15", locked=True),))
FACTS = some_facts(DIRECTORY)
LOOK_UP = "Tra mã tại GET /v1/agencies, getAgenciesList / look the code up there"


@pytest.mark.parametrize(
    ("code", "rule", "repair"),
    [
        ("00.22.W00", "recipient-is-node", LOOK_UP),
        ("G99", "recipient-unknown", LOOK_UP),
        ("h41", "recipient-unknown", "H41"),
        ("000.00.00.H51", "recipient-closed", "H13"),
        ("000.00.15.H51", "recipient-closed", "H13"),
        ("G34", "recipient-closed", LOOK_UP),
        (
            "G01",
            "recipient-not-connected",
            "Gửi bằng kênh khác cho đến khi nơi nhận kết nối / use another channel until it is connected",
        ),
        ("000.00.15.H15", "recipient-locked", "Liên hệ đơn vị vận hành trục / contact the hub's operator"),
    ],
)
def test_a_bad_recipient_refuses_the_packet_at_its_place(code: str, rule: str, repair: str) -> None:
    (found,) = check(acceptable(recipients=(NGHE_AN, Organization(organ_id=code))), FACTS)
    assert (found.rule, found.severity) == (rule, Severity.ERROR)
    assert (found.pointer, found.value, found.repair) == ("MessageHeader/To[2]/OrganId", code, repair)


def test_a_closed_recipient_is_told_which_agency_closed_and_when() -> None:
    (found,) = check(acceptable(recipients=(Organization(organ_id="000.00.15.H51"),)), FACTS)
    assert found.vi == "Cơ quan H51 đã ngừng hoạt động từ 01/07/2025."
    assert found.en == "The agency H51 is closed since 2025-07-01."


def test_unlisted_recipients_are_told_once_with_their_count() -> None:
    codes = ("000.00.15.H41", "H41", "000.00.18.G12", "000.00.16.H41")
    (found,) = check(acceptable(recipients=tuple(Organization(organ_id=code) for code in codes)), FACTS)
    assert (found.rule, found.severity) == ("recipient-unlisted", Severity.WARNING)
    assert (found.pointer, found.value) == ("MessageHeader/To[1]/OrganId", "000.00.15.H41")
    assert found.en.startswith("3 recipients")


def test_an_unlisted_old_code_is_answered_with_the_listed_code_of_the_same_unit() -> None:
    (found,) = check(acceptable(recipients=(Organization(organ_id="000.00.18.G12"),)), FACTS)
    assert (found.rule, found.repair) == ("recipient-unlisted", "G12.18")


def test_writing_to_oneself_is_a_warning() -> None:
    (found,) = check(acceptable(recipients=(Organization(organ_id="G22"),)), FACTS)
    assert (found.rule, found.severity) == ("recipient-is-sender", Severity.WARNING)
    assert found.pointer == "MessageHeader/To[1]/OrganId"


def test_the_same_agency_twice_is_no_violation() -> None:
    assert check(acceptable(recipients=(NGHE_AN, replace(NGHE_AN, organ_id="000.00.00.H41"))), FACTS) == []


def test_codes_outside_to_never_refuse_a_packet() -> None:
    business = Business(
        type="3",
        reason="Thay thế",
        receivers=(Receiver("G99", "1"),),
        replaced=(Replaced("G22,2025/09/01,7000/VPCP-TTĐT", ("H51", "W00")),),
    )
    references = (DocumentRef(organ_id="G99", code="1/X-Y", promulgation_date="2025/01/02"),)
    traces = (Trace("G99", "2025/09/30 08:30:00"),)
    assert check(acceptable(business=business, response_for=references, traces=traces), FACTS) == []


@pytest.mark.parametrize("kind", ["", "0", "2", "3"])
def test_a_closed_sender_sends_no_new_documents(kind: str) -> None:
    business = Business(type=kind, reason="Lý do", replaced=(Replaced("000.00.00.H51,2025/01/02,1/UBND-VP"),))
    soc_trang = Organization(organ_id="000.00.00.H51", name="Ủy ban nhân dân tỉnh Sóc Trăng")
    (found,) = check(acceptable(sender=soc_trang, business=business), FACTS)
    assert (found.rule, found.severity) == ("sender-closed", Severity.ERROR)
    assert (found.pointer, found.repair) == ("MessageHeader/From/OrganId", "H13")


def test_a_closed_sender_without_a_successor_is_shown_the_directory() -> None:
    (found,) = check(acceptable(sender=Organization(organ_id="G34")), FACTS)
    assert (found.rule, found.repair) == ("sender-closed", LOOK_UP)


def test_a_closed_sender_may_revoke_and_an_agency_may_send_until_its_last_day() -> None:
    soc_trang = Organization(organ_id="H51")
    revocation = Business(type="1", reason="Thu hồi do gửi nhầm")
    assert check(acceptable(sender=soc_trang, business=revocation), FACTS) == []
    last_day = some_facts(DIRECTORY, date(2025, 6, 30))
    assert check(acceptable(sender=soc_trang), last_day) == []


def test_a_name_that_is_not_the_directorys_is_told_with_the_listed_one() -> None:
    sender = replace(GOVERNMENT_OFFICE, name="Văn phòng Quốc hội")
    recipients = (NGHE_AN, Organization(organ_id="H36", name="UBND tỉnh Đắk Lắk"))
    found = check(acceptable(sender=sender, recipients=recipients), FACTS)
    assert [(one.rule, one.severity, one.pointer, one.repair) for one in found] == [
        ("name-directory", Severity.WARNING, "MessageHeader/From/OrganName", "Văn phòng Chính phủ"),
        ("name-directory", Severity.WARNING, "MessageHeader/To[2]/OrganName", "Ủy ban nhân dân tỉnh Lâm Đồng"),
    ]


def test_another_spelling_of_the_listed_name_is_no_violation() -> None:
    assert check(acceptable(recipients=(replace(NGHE_AN, name="UBND tỉnh  Nghệ An"),)), FACTS) == []


def test_a_name_the_directory_does_not_know_is_not_judged() -> None:
    unlisted = Organization(organ_id="000.00.15.H41", name="Sở Nội vụ")
    found = check(acceptable(recipients=(unlisted,)), FACTS)
    assert [one.rule for one in found] == ["recipient-unlisted"]


def test_a_mapping_row_makes_an_old_code_a_listed_recipient() -> None:
    directory = a_directory(Agency("H41.15", "Sở Nội vụ", 2, "H41"), aliases={"000.00.15.H41": "H41.15"})
    document = acceptable(recipients=(Organization(organ_id="000.00.15.H41", name="Sở Nội vụ"),))
    assert check(document, some_facts(directory)) == []
