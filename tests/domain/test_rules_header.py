"""Rules about fields: presence, lengths, dates, numbers, number and symbol, type, and the kind of packet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from builders.documents import ERROR, WARNING, Found, a_file, acceptable, found, some_facts
from builders.packets import GOVERNMENT_OFFICE, NGHE_AN, frame

from hub.domain.document import Business, Document, DocumentRef, Organization, Replaced, StaffInfo
from hub.domain.edxml import parse, read_document
from hub.domain.rules import check
from hub.domain.rules.header import repaired_date
from hub.domain.rules.notation import ADMINISTRATIVE

ID = "G22,2025/09/30,7816/VPCP-TTĐT"


@pytest.mark.parametrize(
    ("changes", "pointer", "repair"),
    [
        (
            {"sender": replace(GOVERNMENT_OFFICE, organ_id="")},
            "From/OrganId",
            "Mã định danh của đơn vị gửi / the sender's code",
        ),
        ({"recipients": ()}, "To", "Mã định danh của nơi nhận / the recipient's code"),
        (
            {"recipients": (NGHE_AN, Organization())},
            "To[2]/OrganId",
            "Mã định danh của nơi nhận / the recipient's code",
        ),
        ({"document_id": ""}, "DocumentId", ID),
        ({"number": ""}, "Code/CodeNumber", "7816"),
        ({"symbol": "", "type_name": "Quyết định", "document_id": f"{ID}1"}, "Code/CodeNotation", "VPCP-TTĐT1"),
        ({"promulgation_date": ""}, "PromulgationInfo/PromulgationDate", "2025/09/30"),
        ({"type_name": "", "symbol": "QĐ-VPCP"}, "DocumentType/TypeName", "Quyết định"),
        ({"type_name": ""}, "DocumentType/TypeName", "Công văn"),
        ({"subject": "", "content": "Về việc gửi văn bản"}, "Subject", "Về việc gửi văn bản"),
    ],
)
def test_a_missing_field_is_answered_with_what_the_packet_implies(
    changes: dict[str, Any], pointer: str, repair: str
) -> None:
    assert found(acceptable(**changes)) == [("field-missing", ERROR, f"MessageHeader/{pointer}", repair)]


@pytest.mark.parametrize("document_id", ["6f1c9a4e-2018-4d2b-9c31-0a5b7e8d1f20", "bất kỳ"])
def test_an_opaque_document_id_is_accepted(document_id: str) -> None:
    assert found(acceptable(document_id=document_id)) == []


@pytest.mark.parametrize(
    ("changes", "pointer", "repair"),
    [
        ({"number": "", "document_id": "bất kỳ"}, "Code/CodeNumber", "01"),
        ({"symbol": "", "document_id": "bất kỳ"}, "Code/CodeNotation", "VPCP-TTĐT"),
        (
            {"promulgation_date": "", "document_id": "G22,2025/02/31,7816/VPCP-TTĐT"},
            "PromulgationInfo/PromulgationDate",
            "yyyy/MM/dd",
        ),
        ({"subject": "", "content": ""}, "Subject", "Trích yếu nội dung / what the document is about"),
        (
            {"document_id": "", "sender": Organization(), "number": "", "symbol": "", "promulgation_date": ""},
            "DocumentId",
            "<OrganId>,yyyy/MM/dd,<CodeNumber>/<CodeNotation>",
        ),
    ],
)
def test_a_missing_field_that_nothing_implies_is_answered_with_its_form(
    changes: dict[str, Any], pointer: str, repair: str
) -> None:
    assert ("field-missing", ERROR, f"MessageHeader/{pointer}", repair) in found(acceptable(**changes))


@pytest.mark.parametrize(
    ("field", "pointer", "quiet", "most"),
    [
        ("number", "Code/CodeNumber", 11, 50),
        ("symbol", "Code/CodeNotation", 30, 50),
        ("place", "PromulgationInfo/Place", 50, 50),
        ("type_name", "DocumentType/TypeName", 100, 100),
        ("subject", "Subject", 500, 500),
        ("content", "Content", 500, 500),
        ("competence", "SignerInfo/Competence", 100, 100),
        ("position", "SignerInfo/Position", 100, 100),
        ("signer", "SignerInfo/FullName", 50, 50),
        ("sphere", "OtherInfo/SphereOfPromulgation", 100, 100),
        ("typer", "OtherInfo/TyperNotation", 10, 10),
        ("priority", "OtherInfo/Priority", 1, 1),
        ("pages", "OtherInfo/PageAmount", 3, 4),
        ("document_id", "DocumentId", 200, 200),
    ],
)
def test_a_field_is_refused_above_the_larger_limit_and_told_above_the_smaller(
    field: str, pointer: str, quiet: int, most: int
) -> None:
    def lengths(n: int) -> list[Found]:
        return [one for one in found(acceptable(**{field: "ế" * n})) if one[0].startswith("field-")]

    place = f"MessageHeader/{pointer}"
    assert lengths(quiet) == []
    assert lengths(most + 1) == [("field-too-long", ERROR, place, f"≤ {most} ký tự / characters")]
    between = [("field-long", WARNING, place, f"≤ {quiet} ký tự / characters")] if quiet < most else []
    assert lengths(most) == between


@pytest.mark.parametrize(
    ("field", "pointer", "most"),
    [
        ("organ_id", "OrganId", 50),
        ("in_charge", "OrganizationInCharge", 200),
        ("name", "OrganName", 200),
        ("address", "OrganAdd", 250),
        ("email", "Email", 100),
        ("telephone", "Telephone", 50),
        ("fax", "Fax", 50),
        ("website", "Website", 100),
    ],
)
def test_the_fields_of_every_agency_named_have_limits(field: str, pointer: str, most: int) -> None:
    unlisted = Organization(organ_id="000.00.15.H41")

    def too_long(n: int) -> list[str]:
        changed = replace(unlisted, **{field: "ế" * n})
        result = found(acceptable(sender=changed, recipients=(changed,)))
        return [place for rule, _, place, _ in result if rule == "field-too-long"]

    assert too_long(most) == []
    assert too_long(most + 1) == [f"MessageHeader/From/{pointer}", f"MessageHeader/To[1]/{pointer}"]


def test_a_code_longer_than_the_standards_is_told() -> None:
    organization = Organization(organ_id="H41." + "1" * 32)
    place = "MessageHeader/To[1]/OrganId"
    assert ("field-long", WARNING, place, "≤ 35 ký tự / characters") in found(acceptable(recipients=(organization,)))
    organization = Organization(organ_id="H41." + "1" * 31)
    assert [one for one in found(acceptable(recipients=(organization,))) if one[0] == "field-long"] == []


@pytest.mark.parametrize(
    ("field", "pointer", "most"),
    [("department", "Department", 250), ("staff", "Staff", 100), ("email", "Email", 100), ("mobile", "Mobile", 100)],
)
def test_the_clerks_data_are_measured_but_not_repeated_in_the_answer(field: str, pointer: str, most: int) -> None:
    def clerk(n: int) -> Document:
        return acceptable(business=Business(type="0", staff=(StaffInfo(), StaffInfo(**{field: "ế" * n}))))

    assert found(clerk(most)) == []
    (violation,) = check(clerk(most + 1), some_facts())
    assert (violation.rule, violation.value) == ("field-too-long", "")
    assert violation.pointer == f"TraceHeaderList/Bussiness/StaffInfo[2]/{pointer}"


def test_descriptions_and_the_updated_documents_id_have_limits() -> None:
    def described(description: int, document_id: int) -> Document:
        business = Business(type="2", reason="Sửa", document_id="x" * document_id)
        return acceptable(a_file(description="ế" * description), business=business)

    assert found(described(255, 200)) == []
    assert [(rule, pointer) for rule, _, pointer, _ in found(described(256, 201))] == [
        ("field-too-long", "TraceHeaderList/Bussiness/DocumentId"),
        ("field-too-long", "edXMLManifest/Reference[1]/Description"),
        ("field-too-long", "AttachmentEncoded/Attachment[1]/Description"),
    ]


@pytest.mark.parametrize(
    ("text", "rule", "repair"),
    [
        ("2025-09-30", "date-form", "2025/09/30"),
        ("2025-09-30T00:00:00+07:00", "date-form", "2025/09/30"),
        ("30/09/2025", "date-form", "2025/09/30"),
        ("3/9/2025", "date-form", "2025/09/03"),
        ("20250930", "date-form", "2025/09/30"),
        ("ngày 30 tháng 9 năm 2025", "date-form", "2025/09/30"),
        ("2025/09/30 lúc 8 giờ", "date-form", "2025/09/30"),
        ("hôm nay", "date-form", "yyyy/MM/dd"),
        ("2025/09/31", "date-impossible", "2025/09/30"),
        ("2025/02/30", "date-impossible", "2025/02/28"),
        ("2024/02/30", "date-impossible", "2024/02/29"),
        ("2025/01/45", "date-impossible", "2025/01/31"),
        ("2025/30/09", "date-impossible", "2025/09/30"),
        ("2025/09/30 25:00:00", "date-impossible", "2025/09/30"),
        ("2025/99/99", "date-impossible", "yyyy/MM/dd"),
    ],
)
def test_a_date_recipients_cannot_read_is_refused_with_the_repaired_date(text: str, rule: str, repair: str) -> None:
    dated = acceptable(
        promulgation_date=text, due_date=text, response_for=(DocumentRef(), DocumentRef("", "", "", text))
    )
    assert found(dated) == [
        (rule, ERROR, "MessageHeader/PromulgationInfo/PromulgationDate", repair),
        (rule, ERROR, "MessageHeader/DueDate", repair),
        (rule, ERROR, "MessageHeader/ResponseFor[2]/PromulgationDate", repair),
    ]


@pytest.mark.parametrize("text", ["2025/9/30", "2025/09/30 08:15:00"])
def test_the_forms_the_vendors_library_reads_are_accepted(text: str) -> None:
    assert found(acceptable(promulgation_date=text)) == []


def test_a_day_first_date_stays_day_first_unless_there_is_no_such_day() -> None:
    assert repaired_date("02/01/2025") == "2025/01/02"
    assert repaired_date("12/31/2025") == "2025/12/31"
    assert repaired_date("0000/01/01") == ""


@pytest.mark.parametrize(
    ("due", "promulgated", "repair"),
    [("2025/09/30", "2025/09/01", "≥ 2025/10/01"), ("2025/10/03", "2025/10/06", "≥ 2025/10/06")],
)
def test_a_due_date_already_past_or_before_promulgation_is_told(due: str, promulgated: str, repair: str) -> None:
    result = found(acceptable(due_date=due, promulgation_date=promulgated))
    assert result == [("due-date-past", WARNING, "MessageHeader/DueDate", repair)]


def test_today_is_not_yet_past() -> None:
    assert found(acceptable(due_date="2025/10/01")) == []


@pytest.mark.parametrize(
    ("document_id", "repair"),
    [
        ("000.00.00.G22,2024/09/30,2024/VPCP-TTĐT", "G22,2025/09/30,2024/VPCP-TTĐT"),
        ("000.00.01.H08,2018,10", "000.00.01.H08,2025,10"),
        ("000.00.00.H41-2019-12/QĐ-UBND", "000.00.00.H41-2025-12/QĐ-UBND"),
    ],
)
def test_an_id_of_another_year_than_the_promulgation_is_told(document_id: str, repair: str) -> None:
    assert found(acceptable(document_id=document_id)) == [("id-year", WARNING, "MessageHeader/DocumentId", repair)]


@pytest.mark.parametrize(
    ("text", "repair"),
    [("x", "0"), ("1.0", "1"), ("2147483648", "0"), ("-2147483649", "0"), ("١", "0")],
)
def test_a_steering_type_that_stops_the_recipients_software_is_refused(text: str, repair: str) -> None:
    result = found(acceptable(steering_type=text))
    assert result == [("steering-type", ERROR, "MessageHeader/SteeringType", repair)]


@pytest.mark.parametrize("text", ["", "0", "2", "-1", "007", "2147483647", "-2147483648"])
def test_a_steering_type_may_be_any_integer_or_missing(text: str) -> None:
    assert found(acceptable(steering_type=text)) == []


@pytest.mark.parametrize(
    ("number", "repair"), [("7816/VPCP-TTĐT", "7816"), ("74fass22", "74f"), ("số", "01"), ("1234567", "123456")]
)
def test_a_number_of_another_form_is_told(number: str, repair: str) -> None:
    result = [one for one in found(acceptable(number=number)) if one[0] != "field-long"]
    assert result == [("number-form", WARNING, "MessageHeader/Code/CodeNumber", repair)]


@pytest.mark.parametrize(
    ("symbol", "repair"),
    [
        ("VPCP - TTĐT", "VPCP-TTĐT"),
        ("VPCP–TTĐT", "VPCP-TTĐT"),
        ("7816/VPCP-TTĐT*", "VPCP-TTĐT*"),
        ("VPCP TTĐT", "VPCP-TTĐT"),
        ("VPCP-TTĐT-", "VPCP-TTĐT"),
    ],
)
def test_a_symbol_of_another_form_is_told(symbol: str, repair: str) -> None:
    result = found(acceptable(symbol=symbol))
    assert result == [("symbol-form", WARNING, "MessageHeader/Code/CodeNotation", repair)]


@pytest.mark.parametrize(
    ("number", "symbol", "type_name"),
    [
        ("01", "QĐ-UBND", "Quyết định"),
        ("30", "2020/NĐ-CP", "Nghị định"),
        ("74a", "QyĐ-UBND", "QUY ĐỊNH"),
        ("57", "NQ/TW", "Nghị quyết"),
        ("15", "CTr-UBND", "chương trình"),
        ("116", "2020/QH14", "Nghị quyết"),
        ("59", "2020/QH14", "Luật"),
        ("02", "CV-UBND", "Công văn"),
        ("9", "BTC-QLCS", "Công văn"),
    ],
)
def test_the_forms_of_the_state_and_the_party_are_accepted(number: str, symbol: str, type_name: str) -> None:
    assert found(acceptable(number=number, symbol=symbol, type_name=type_name)) == []


def test_the_decree_knows_twenty_nine_types_and_each_agrees_with_its_own_abbreviation() -> None:
    assert len(ADMINISTRATIVE) == 29
    for name, abbreviation in ADMINISTRATIVE.items():
        assert found(acceptable(symbol=f"{abbreviation or 'VPCP'}-TTĐT", type_name=name)) == []


@pytest.mark.parametrize(
    ("type_name", "symbol", "repair"),
    [("QĐ", "VPCP-TTĐT", "Quyết định"), ("Văn bản", "TTr-UBND", "Tờ trình"), ("Văn bản", "VPCP-TTĐT", "Công văn")],
)
def test_an_unknown_type_is_told_with_the_type_the_symbol_names(type_name: str, symbol: str, repair: str) -> None:
    result = found(acceptable(type_name=type_name, symbol=symbol))
    assert result == [("type-unknown", WARNING, "MessageHeader/DocumentType/TypeName", repair)]


@pytest.mark.parametrize(
    ("type_name", "symbol", "repair"),
    [
        ("Công văn", "QĐ-UBND", "Quyết định"),
        ("Quyết định", "QyĐ-UBND", "Quy định"),
        ("Quyết định", "VPCP-TTĐT", "Công văn"),
        ("Công văn", "2020/NĐ-CP", "Nghị định"),
    ],
)
def test_a_type_at_odds_with_the_symbol_is_told(type_name: str, symbol: str, repair: str) -> None:
    result = found(acceptable(type_name=type_name, symbol=symbol))
    assert result == [("type-symbol", WARNING, "MessageHeader/DocumentType/TypeName", repair)]


def test_a_letter_of_an_agency_whose_letters_are_also_a_types_is_not_at_odds() -> None:
    tax = Organization(organ_id="000.00.18.H41", name="Cục Thuế tỉnh Nghệ An")
    assert found(acceptable(sender=tax, symbol="CT-TTHT")) == []
    decision = found(acceptable(sender=tax, symbol="CT-TTHT", type_name="Quyết định"))
    assert decision == [("type-symbol", WARNING, "MessageHeader/DocumentType/TypeName", "Chỉ thị")]


@pytest.mark.parametrize("text", ["4", "-1", "x", "00"])
def test_a_business_type_outside_the_standard_is_refused(text: str) -> None:
    result = found(acceptable(business=Business(type=text, reason="Lý do")))
    assert result == [("business-type", ERROR, "TraceHeaderList/Bussiness/BussinessDocType", "0")]


@pytest.mark.parametrize("kind", ["1", "2", "3"])
def test_revoking_updating_or_replacing_without_a_reason_is_told(kind: str) -> None:
    document = acceptable(business=Business(type=kind, replaced=(Replaced(ID),)))
    place = "TraceHeaderList/Bussiness/BussinessDocReason"
    assert found(document) == [("reason-missing", WARNING, place, "Lý do / the reason")]


@pytest.mark.parametrize(("replaced", "n"), [((), 1), ((Replaced(ID), Replaced("")), 2)])
def test_a_replacement_must_name_what_it_replaces(replaced: tuple[Replaced, ...], n: int) -> None:
    ((rule, severity, pointer, repair),) = found(
        acceptable(business=Business(type="3", reason="Thay thế", replaced=replaced))
    )
    assert (rule, severity) == ("replacement-target-missing", ERROR)
    assert pointer == f"TraceHeaderList/Bussiness/ReplacementInfoList/ReplacementInfo[{n}]/DocumentId"
    assert repair == "DocumentId của văn bản bị thay thế / the replaced document's id"


@pytest.mark.parametrize("written", ["", " ", " 1 ", "x"])
def test_a_steering_type_that_stops_the_vendors_reader_is_refused_as_it_was_written(written: str) -> None:
    document = read_document(parse(frame(f"<SteeringType>{written}</SteeringType>")))
    (violation,) = (one for one in check(document, some_facts()) if one.rule == "steering-type")
    assert violation.value == (written or " ")
