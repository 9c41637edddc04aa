"""All rules together: the register, the packet order, everything told in one answer."""

from __future__ import annotations

from dataclasses import replace
from string import Formatter

import pytest
from builders.documents import a_file, acceptable, some_facts
from builders.packets import GOVERNMENT_OFFICE, NGHE_AN

from hub.domain.document import Business, ManifestEntry, Organization
from hub.domain.rules import RULES, Rule, check
from hub.domain.rules.rule import error


def test_a_good_document_breaks_no_rule() -> None:
    assert check(acceptable(), some_facts()) == []


@pytest.mark.parametrize(
    "business",
    [
        Business(),
        Business(type="1", reason="Thu hồi do gửi nhầm"),
        Business(type="2", reason="Sửa phụ lục", document_id="G22,2025/09/01,7000/VPCP-TTĐT"),
        Business(type="2", reason="Sửa phụ lục"),
    ],
)
def test_every_kind_of_packet_has_a_form_without_violations(business: Business) -> None:
    assert check(acceptable(business=business), some_facts()) == []


def test_nine_defects_are_told_at_once_and_in_packet_order() -> None:
    document = acceptable(
        a_file("Phụ lục 1/2.pdf"),
        a_file("Phụ lục 2.pdf", content_id="phu-luc", defect="attachment-zip"),
        recipients=(NGHE_AN, Organization(organ_id="H51"), Organization(organ_id="G99")),
        number="",
        promulgation_date="2025-09-30",
        subject="á" * 501,
        steering_type="x",
        business=Business(type="7"),
    )
    assert [(found.rule, found.pointer) for found in check(document, some_facts())] == [
        ("recipient-closed", "MessageHeader/To[2]/OrganId"),
        ("recipient-unknown", "MessageHeader/To[3]/OrganId"),
        ("field-missing", "MessageHeader/Code/CodeNumber"),
        ("date-form", "MessageHeader/PromulgationInfo/PromulgationDate"),
        ("field-too-long", "MessageHeader/Subject"),
        ("steering-type", "MessageHeader/SteeringType"),
        ("business-type", "TraceHeaderList/Bussiness/BussinessDocType"),
        ("name-separator", "AttachmentEncoded/Attachment[1]/AttachmentName"),
        ("attachment-zip", "AttachmentEncoded/Attachment[2]/ContentTransferEncoded"),
    ]


def test_the_tenth_recipient_is_told_after_the_second() -> None:
    unknown = Organization(organ_id="G99")
    document = acceptable(recipients=(NGHE_AN, unknown, *[NGHE_AN] * 7, unknown))
    pointers = [found.pointer for found in check(document, some_facts())]
    assert pointers == ["MessageHeader/To[2]/OrganId", "MessageHeader/To[10]/OrganId"]


def test_a_violation_carries_both_languages_a_repair_and_a_short_value() -> None:
    document = acceptable(
        sender=replace(GOVERNMENT_OFFICE, address="Số 01 Hoàng Hoa Thám " * 40), number="", recipients=()
    )
    found = check(document, some_facts())
    assert len(found) == 3
    for violation in found:
        assert all((violation.vi, violation.en, violation.repair))
        assert "{" not in violation.vi + violation.en
        assert len(violation.value) <= 200
    assert found[0].value == ("Số 01 Hoàng Hoa Thám " * 40)[:200]


def test_an_answer_stays_short_whatever_the_packet_holds() -> None:
    document = acceptable(a_file("x" * 5_000 + ".pdf"), symbol="QĐ-" * 2_000, document_id="G22,2024," + "1" * 5_000)
    found = check(replace(document, manifest=(ManifestEntry("van-ban", name="y" * 5_000),)), some_facts())
    assert {"id-year", "symbol-form", "type-symbol", "attachment-name-differs"} <= {one.rule for one in found}
    assert max(len(text) for one in found for text in (one.value, one.vi, one.en, one.repair)) < 300


def test_an_empty_document_is_answered_with_everything_it_lacks() -> None:
    document = acceptable(
        sender=Organization(), recipients=(), document_id="", number="", symbol="", promulgation_date="", type_name="",
        subject="", due_date="", attachments=(), manifest=(),
    )  # fmt: skip
    found = check(document, some_facts())
    assert [violation.rule for violation in found] == ["field-missing"] * 8 + ["attachment-missing"]


@pytest.mark.parametrize("code", ["field-missing", "packet-refused"])
def test_a_code_that_is_taken_cannot_be_registered_again(code: str) -> None:
    before = dict(RULES)
    with pytest.raises(ValueError, match=code):
        error(code, "", "")
    assert before == RULES


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_rule_says_in_both_languages_the_same_facts(rule: Rule) -> None:
    vi, en = ({name for _, name, _, _ in Formatter().parse(text) if name} for text in (rule.vi, rule.en))
    assert rule.vi != rule.en
    assert vi == en or rule.code == "field-missing"  # whose one fact is the field's name, in either language
