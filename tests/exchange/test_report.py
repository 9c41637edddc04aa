"""Reports on documents: which code does what, who may say it, and what a packet must have (exchange rules 6)."""

from __future__ import annotations

from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.packets import a_status
from builders.reports import bring_to, delivered, effect_of, office_and_province, only, packet_of, ref, statuses

from hub.domain import edxml
from hub.domain.document import Document, DocumentRef, Organization
from hub.domain.signature import sign
from hub.errors import Refusal


def brought_to(status: str, office: Peer, province: Peer) -> tuple[Document, dict[str, Any]]:
    """A document that has come to a status at the province, with nothing left open."""
    document, answer = delivered(office, province)
    if status == "cancelled":
        office.report("13", document)
    elif status == "replaced":
        office.replace(document, province.code)
    if status in {"cancelled", "replaced"}:
        province.report("15", document)
    elif status != "none":
        province.report(status, document, description="Báo cáo")
    return document, answer


ORDER = ["none", "01", "03", "04", "05", "06"]
FINAL = ["02", "cancelled", "replaced"]


def expected(code: str, status: str) -> str:
    """Exchange rules 6, row by row; 15 and 16 where a request is open."""
    if code in {"13", "15", "16"}:
        return "refused" if status in FINAL else "asks" if code == "13" else "answers"
    if code == "02":
        return "moves" if status in {"none", "01", "03"} else "handed-on" if status == "02" else "refused"
    if status in FINAL:
        return "recorded"
    distance = ORDER.index(code) - ORDER.index(status)
    return "moves" if distance > 0 else "handed-on" if distance == 0 else "recorded"


@pytest.mark.parametrize("status", ORDER + FINAL)
def test_every_code_does_at_every_status_what_the_table_says(axis: Axis, status: str) -> None:
    office, province = office_and_province(axis)
    standing = brought_to(status, office, province)
    for code in ("01", "02", "03", "04", "05", "06", "13", "15", "16"):
        wanted = expected(code, status)
        if wanted in {"recorded", "handed-on", "refused"}:
            document, answer = standing
        else:
            document, answer = brought_to(status, office, province)
        if wanted == "answers":
            office.update(document, province.code)
        heard = len(statuses(office))
        reporter = office if code == "13" else province
        if wanted == "refused":
            with pytest.raises(Refusal, match=r"^status-not-allowed"):
                reporter.report(code, document, description="Lý do")
        else:
            assert effect_of(reporter.report(code, document, description="Lý do")) == wanted, code
        after = code if wanted == "moves" else status
        assert axis.states(answer) == {"H41": f"delivered/{after}"}, code
        assert len(statuses(office)) - heard == (wanted in {"moves", "handed-on", "answers"}), code


def test_a_refused_report_names_what_would_be_allowed(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = brought_to("04", office, province)
    with pytest.raises(Refusal, match=r"^status-not-allowed") as refused:
        province.report("02", document)
    assert refused.value.repair == "04, 05, 06, 13"


@pytest.mark.parametrize("code", ["07", "08", "09", "10", "11", "12", "14", "99"])
def test_codes_that_are_not_used_are_refused_with_those_that_are(axis: Axis, code: str) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    with pytest.raises(Refusal, match=r"^status-code-unknown") as refused:
        province.report(code, document)
    assert refused.value.repair == "01, 03, 04, 05, 06, 02, 13, 15, 16"


@pytest.mark.parametrize("code", ["01", "02", "03", "04", "05", "06", "15", "16"])
def test_no_report_is_taken_about_what_was_never_fetched(axis: Axis, code: str) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    with pytest.raises(Refusal, match=r"^status-not-allowed"):
        province.report(code, document)
    assert axis.states(answer) == {"H41": "waiting/none"}
    assert statuses(office) == []


@pytest.mark.parametrize(
    ("state", "code"),
    [("waiting", "01"), ("waiting", "02"), ("waiting", "03"), ("taken", "04"), ("failed", "05"), ("expired", "06")],
)
def test_a_report_on_a_fetched_document_is_a_receipt(axis: Axis, state: str, code: str) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    bring_to(axis, province, only(answer), state)
    province.fetch(only(answer))
    province.report(code, document)
    assert axis.states(answer) == {"H41": f"delivered/{code}"}
    assert [what for what, _ in office.outbox()][-2:] == ["delivered", "status"]


def test_a_refusal_needs_its_reason(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    with pytest.raises(Refusal, match=r"^status-reason-missing"):
        province.tell(packet_of(province, status="02", response_for=ref(document), description=""))


def test_a_refusal_by_the_recipient_closes_every_request(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    office.report("13", document)
    office.update(document, "H41")
    province.report("02", document)
    assert axis.states(answer) == {"H41": "delivered/02"}
    assert axis.requests(only(answer)) == [("take-back", "moot"), ("update", "moot")]


def test_progress_goes_on_while_a_request_is_open(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    office.report("13", document)
    province.report("05", document)
    assert axis.states(answer) == {"H41": "delivered/05"}
    assert axis.requests(only(answer)) == [("take-back", "open")]


def test_the_same_report_again_gets_the_first_answer_and_no_second_delivery(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    first = province.tell(packet_of(province, status="03", response_for=ref(document)))
    province.report("05", document)
    axis.clock.pass_(hours=1)
    again = province.tell(packet_of(province, status="03", response_for=ref(document)))
    assert (first.new, again.new) == (True, False)
    assert again.body == first.body
    assert statuses(office) == ["03", "05"]


SAME_DOCUMENT = {
    "the sender's code in its long form": {"organ_id": "000.00.00.G22"},
    "the id in another spelling": {"document_id": "000.00.00.G22, 2025-9-30, 1/VP"},
    "no party named": {"organ_id": ""},
    "the number beside the id": {"code": "1/VP", "promulgation_date": "2025/09/30"},
}


@pytest.mark.parametrize("name", list(SAME_DOCUMENT))
def test_the_same_report_is_a_repeat_however_it_names_the_document(axis: Axis, name: str) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    first = province.tell(packet_of(province, status="03", response_for=ref(document)))
    again = province.tell(packet_of(province, status="03", response_for=ref(document, **SAME_DOCUMENT[name])))
    assert (again.new, again.body) == (False, first.body)
    assert statuses(office) == ["03"]


OTHER_REPORT: dict[str, dict[str, Any]] = {
    "another time": {"timestamp": "2025/10/01 09:00:01"},
    "another text": {"description": "Đã tiếp nhận tại bộ phận một cửa"},
}


@pytest.mark.parametrize("name", list(OTHER_REPORT))
def test_the_same_code_said_otherwise_is_handed_on_and_moves_nothing(axis: Axis, name: str) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    province.tell(packet_of(province, status="03", response_for=ref(document)))
    again = province.tell(packet_of(province, status="03", response_for=ref(document), **OTHER_REPORT[name]))
    assert again.new
    assert effect_of(again.body) == "handed-on"
    assert axis.states(answer) == {"H41": "delivered/03"}
    assert statuses(office) == ["03", "03"]


def test_a_late_lower_report_is_kept_and_told_to_nobody(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = brought_to("05", office, province)
    told = len(office.outbox())
    late = province.report("01", document)
    assert (effect_of(late), late["delivery"]) == ("recorded", None)
    assert axis.states(answer) == {"H41": "delivered/05"}
    assert (statuses(office), len(office.outbox())) == (["05"], told)
    assert [leaf["kind"] for leaf in axis.evidence(answer)].count("status") == 2


def test_a_refused_report_leaves_nothing_and_may_come_again(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    packet = packet_of(province, status="01", response_for=ref(document))
    with pytest.raises(Refusal, match=r"^status-not-allowed"):
        province.tell(packet)
    province.receive(only(answer))
    assert province.tell(packet).new


# Parties.


def test_only_the_addressed_agency_reports_on_its_delivery(axis: Axis) -> None:
    office, province = office_and_province(axis)
    other = axis.enrol("H27")
    document, answer = delivered(office, province)
    with pytest.raises(Refusal, match=r"^status-document-unknown"):
        other.report("01", document)
    with pytest.raises(Refusal, match=r"^not-your-agency"):
        other.report("01", document, sender="H41")
    with pytest.raises(Refusal, match=r"^status-document-unknown"):
        office.report("01", document)
    assert axis.states(answer) == {"H41": "delivered/none"}


def test_only_the_sender_takes_back(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    with pytest.raises(Refusal, match=r"^status-document-unknown"):
        province.report("13", document)
    assert axis.requests(only(answer)) == []


def test_a_platform_reports_for_each_of_its_agencies_by_the_code_addressed(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41", "H41.05", "000.00.17.H41")
    for delivery in answer["deliveries"]:
        province.receive(delivery["id"])
    province.report("03", document, sender="H41.05")
    province.report("02", document, sender="000.00.17.H41")
    assert axis.states(answer) == {
        "H41": "delivered/none",
        "H41.05": "delivered/03",
        "000.00.17.H41": "delivered/02",
    }


@pytest.mark.parametrize("named", ["G22", "000.00.00.G22", "", "H27"])
def test_the_only_sender_that_fits_is_meant_whoever_is_named(axis: Axis, named: str) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    province.report("03", document, other=named)
    assert axis.states(answer) == {"H41": "delivered/03"}
    assert statuses(office) == ["03"]


def test_an_id_of_two_senders_is_told_apart_by_the_party_named(axis: Axis) -> None:
    office, province = office_and_province(axis)
    other = axis.enrol("H27")
    document, ours = delivered(office, province, document_id="chung")
    _, theirs = delivered(other, province, document_id="chung")
    for unclear in ("", "H13"):
        with pytest.raises(Refusal, match=r"^status-ambiguous") as refused:
            province.report("03", document, other=unclear)
        assert refused.value.violations[0].pointer == "MessageHeader/ResponseFor/OrganId"
    province.report("03", document, other="000.00.00.H27")
    assert (axis.states(ours), axis.states(theirs)) == ({"H41": "delivered/none"}, {"H41": "delivered/03"})
    assert (statuses(office), statuses(other)) == ([], ["03"])


def test_a_take_back_towards_several_recipients_must_name_one(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    axis.enrol("H27")
    document, answer = office.issue("H41", "H27")
    with pytest.raises(Refusal, match=r"^status-ambiguous"):
        office.report("13", document)
    office.report("13", document, other="H27")
    assert axis.states(answer) == {"H41": "waiting/none", "H27": "withdrawn/none"}


# The packet itself.

INCOMPLETE: dict[str, tuple[dict[str, Any], str]] = {
    "no sender": ({"sender": Organization()}, "From/OrganId"),
    "no time": ({"timestamp": ""}, "Timestamp"),
    "no document": ({"response_for": DocumentRef("G22")}, "ResponseFor/DocumentId"),
}


@pytest.mark.parametrize("name", list(INCOMPLETE))
def test_an_incomplete_report_is_refused_with_the_field_it_lacks(axis: Axis, name: str) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    changes, field = INCOMPLETE[name]
    with pytest.raises(Refusal, match=r"^status-field-missing") as refused:
        province.tell(packet_of(province, **({"status": "03", "response_for": ref(document)} | changes)))
    assert [violation.pointer for violation in refused.value.violations] == [f"MessageHeader/{field}"]


def test_a_code_left_empty_is_told_as_a_field_that_is_missing(axis: Axis) -> None:
    """Where there is no StatusCode at all the packet is no status."""
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    written = edxml.write_status(
        a_status(sender=Organization("H41"), response_for=ref(document), timestamp="2025/10/01 09:00:00")
    )
    assert written.count(b">03<") == 1
    with pytest.raises(Refusal, match=r"^status-field-missing") as refused:
        province.tell(sign(written.replace(b">03<", b"><"), province.key, province.certificate))
    assert [violation.pointer for violation in refused.value.violations] == ["MessageHeader/StatusCode"]


def test_everything_wrong_with_a_report_is_told_at_once(axis: Axis) -> None:
    _, province = office_and_province(axis)
    with pytest.raises(Refusal) as refused:
        province.tell(packet_of(province, status="07", timestamp="01/10/2025", response_for=DocumentRef()))
    assert {violation.rule for violation in refused.value.violations} == {
        "status-code-unknown",
        "status-timestamp",
        "status-field-missing",
    }


def test_a_time_that_cannot_be_read_is_refused_with_the_form_to_write(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    with pytest.raises(Refusal, match=r"^status-timestamp") as refused:
        province.report("03", document, timestamp="2025-10-01T09:00:00")
    assert refused.value.repair == "2025/10/01 00:00:00"


def test_a_status_packet_may_have_256_kib_and_no_byte_more(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    packet = packet_of(province, status="03", response_for=ref(document)).ljust(256 * 1024)  # blanks behind the root
    with pytest.raises(Refusal, match=r"^too-large") as refused:
        province.tell(packet + b" ")
    assert "262144" in refused.value.repair
    assert province.tell(packet).new


def test_a_description_may_have_1000_characters_and_none_more(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    with pytest.raises(Refusal, match=r"^status-field-long") as refused:
        province.report("03", document, description="ế" * 1_001)
    (found,) = refused.value.violations
    assert (found.pointer, found.value, found.repair) == ("MessageHeader/Description", "ế" * 200, "≤ 1000")
    assert effect_of(province.report("03", document, description="ế" * 1_000)) == "moves"
    assert [row["status_description"] for row in office.inbox()] == ["ế" * 1_000]


def test_an_unsigned_report_is_taken_only_from_a_legacy_system(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    with pytest.raises(Refusal, match=r"^signature-required"):
        province.report("03", document, signed=False)
    province = axis.enrol("H41", profile="legacy")
    province.report("03", document, signed=False)
    assert [row["standing"] for row in office.inbox()] == ["unsigned"]


def test_a_report_signed_by_another_agency_or_changed_after_signing_is_refused_in_every_profile(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    said = {"status": "03", "response_for": ref(document), "sender": Organization(province.code)}
    for profile in ("required", "legacy"):
        province = axis.enrol("H41", profile=profile)
        with pytest.raises(Refusal, match=r"^certificate-other-agency"):
            province.tell(packet_of(office, **said))
        with pytest.raises(Refusal, match=r"^signature-digest"):
            province.tell(packet_of(province, **said).replace(b">03<", b">06<"))
    assert statuses(office) == []
