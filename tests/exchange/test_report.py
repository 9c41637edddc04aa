"""Reports on documents: which code does what, who may say it, and which document it is about (exchange rules 6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.packets import a_status

from hub.domain import edxml
from hub.domain.document import Document, DocumentRef, Organization
from hub.domain.signature import sign
from hub.errors import Refusal


def office_and_province(axis: Axis) -> tuple[Peer, Peer]:
    """The Government Office and Nghệ An."""
    return axis.enrol("G22"), axis.enrol("H41")


def delivered(office: Peer, province: Peer, **changes: Any) -> tuple[Document, dict[str, Any]]:
    """A document that the province fetched and keeps."""
    document, answer = office.issue(province.code, **changes)
    province.receive(answer["deliveries"][0]["id"])
    return document, answer


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


def effect_of(answer: dict[str, Any]) -> str:
    """What the report did at its only delivery."""
    (part,) = answer["deliveries"]
    return str(part["effect"])


def statuses(peer: Peer) -> list[str]:
    """The codes of the status packets that wait for a system, oldest first."""
    return [row["status_code"] for row in peer.inbox() if row["status_code"]]


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


@pytest.mark.parametrize("state", ["waiting", "taken", "failed", "expired"])
def test_a_report_on_a_fetched_document_is_a_receipt(axis: Axis, state: str) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    delivery = answer["deliveries"][0]["id"]
    if state == "taken":
        province.claim(delivery)
    province.fetch(delivery)
    if state == "failed":
        province.failed(delivery)
    elif state == "expired":
        axis.clock.pass_(days=31)
        axis.sweep()
    assert axis.states(answer) == {"H41": f"{state}/none"}
    province.report("01", document)
    assert axis.states(answer) == {"H41": "delivered/01"}
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
    assert axis.requests(answer["deliveries"][0]["id"]) == [("take-back", "moot"), ("update", "moot")]


def test_progress_goes_on_while_a_request_is_open(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    office.report("13", document)
    province.report("05", document)
    assert axis.states(answer) == {"H41": "delivered/05"}
    assert axis.requests(answer["deliveries"][0]["id"]) == [("take-back", "open")]


def ref(document: Document, **changes: str) -> DocumentRef:
    return replace(DocumentRef(document.sender.organ_id, document_id=document.document_id), **changes)


def packet_of(peer: Peer, **changes: Any) -> bytes:
    """A status packet with exactly these fields, signed anew every time."""
    said = {"sender": Organization(organ_id=peer.code), "timestamp": "2025/10/01 09:00:00"} | changes
    return sign(edxml.write_status(a_status(**said)), peer.key, peer.certificate)


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
    province.receive(answer["deliveries"][0]["id"])
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
    assert axis.requests(answer["deliveries"][0]["id"]) == []


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


# Which document.


def test_a_document_is_found_by_number_and_year_when_no_id_is_named(axis: Axis) -> None:
    office, province = office_and_province(axis)
    _, older = delivered(office, province, number="015", date="2024/12/31")
    _, newer = delivered(office, province, number="15", date="2025/01/02")
    province.report("03", code="15/VP", promulgation_date="2024/06/01")
    assert (axis.states(older), axis.states(newer)) == ({"H41": "delivered/03"}, {"H41": "delivered/none"})


def test_number_and_year_help_where_the_id_named_resolves_to_nothing(axis: Axis) -> None:
    office, province = office_and_province(axis)
    _, answer = delivered(office, province, number="15")
    province.report("03", document_id="số lạ", code="15/VP", promulgation_date="2025/09/30")
    assert axis.states(answer) == {"H41": "delivered/03"}


def test_an_id_that_resolves_counts_whatever_number_is_named_beside_it(axis: Axis) -> None:
    office, province = office_and_province(axis)
    meant, first = delivered(office, province, number="15")
    _, second = delivered(office, province, number="16")
    province.report("03", meant, code="16/VP", promulgation_date="2025/09/30")
    assert (axis.states(first), axis.states(second)) == ({"H41": "delivered/03"}, {"H41": "delivered/none"})


@pytest.mark.parametrize("date", ["", "1999/01/01"])
def test_the_date_named_is_not_looked_at_where_the_id_is_unique(axis: Axis, date: str) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    province.report("03", document, promulgation_date=date)
    assert axis.states(answer) == {"H41": "delivered/03"}


def test_a_number_without_a_year_finds_nothing(axis: Axis) -> None:
    office, province = office_and_province(axis)
    delivered(office, province, number="15")
    with pytest.raises(Refusal, match=r"^status-document-unknown"):
        province.report("03", code="15/VP")


def test_an_id_of_two_years_is_told_apart_by_the_date_of_promulgation(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, older = delivered(office, province, document_id="G22-5", number="5", date="2024/12/31")
    _, newer = delivered(office, province, document_id="G22-5", number="5", date="2025/01/02")
    for unclear in ("", "2023/05/05"):
        with pytest.raises(Refusal, match=r"^status-ambiguous") as refused:
            province.report("03", document, promulgation_date=unclear)
        assert "2024, 2025" in refused.value.repair
    province.report("03", document, promulgation_date="2024/12/31")
    assert (axis.states(older), axis.states(newer)) == ({"H41": "delivered/03"}, {"H41": "delivered/none"})


def two_packets_of_one_id(office: Peer, province: Peer) -> tuple[Document, dict[str, Any], dict[str, Any]]:
    """A document and its update under the same DocumentId, both fetched."""
    document, first = delivered(office, province)
    second = office.update(document, "H41", document_id=document.document_id, number=document.number)
    province.receive(second["deliveries"][0]["id"])
    return document, first, second


def test_progress_applies_to_every_packet_of_the_id_by_its_own_row(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, first = delivered(office, province)
    province.report("05", document)
    second = office.update(document, "H41", document_id=document.document_id, number=document.number)
    province.receive(second["deliveries"][0]["id"])
    answer = province.report("03", document)
    assert [part["effect"] for part in answer["deliveries"]] == ["moves", "recorded"]
    assert (axis.states(first), axis.states(second)) == ({"H41": "delivered/05"}, {"H41": "delivered/03"})
    assert statuses(office) == ["05", "03"]


def test_a_refusal_applies_to_the_newest_fetched_packet_of_the_id(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, first, second = two_packets_of_one_id(office, province)
    unfetched = office.update(document, "H41", document_id=document.document_id, number="1", content="Lần hai")
    province.report("02", document)
    assert axis.states(first) == {"H41": "delivered/none"}
    assert axis.states(second) == {"H41": "delivered/02"}
    assert axis.states(unfetched) == {"H41": "waiting/none"}


def test_an_answer_applies_to_the_newest_open_request_of_the_id(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, first, second = two_packets_of_one_id(office, province)
    office.report("13", document)
    asked = [axis.requests(answer["deliveries"][0]["id"]) for answer in (first, second)]
    assert asked == [[("update", "open"), ("take-back", "open")], [("take-back", "open")]]
    province.report("16", document)
    asked = [axis.requests(answer["deliveries"][0]["id"]) for answer in (first, second)]
    assert asked == [[("update", "open"), ("take-back", "refused")], [("take-back", "refused")]]
    province.report("15", document)
    assert axis.requests(first["deliveries"][0]["id"])[0] == ("update", "agreed")
    assert axis.states(first) == {"H41": "delivered/none"}


# Handing on.


def test_a_report_reaches_the_sender_as_its_own_packet_byte_for_byte(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    packet = packet_of(province, status="03", response_for=ref(document, organ_id="000.00.00.G22"))
    answer = province.tell(packet).body
    (row,) = office.inbox()
    assert (row["id"], row["report_id"], row["size"]) == (answer["delivery"], answer["id"], len(packet))
    assert (row["status_code"], row["status_from"], row["addressed"]) == ("03", "H41", "000.00.00.G22")
    office.receive(row["id"])
    assert office.inbox() == []


def test_reports_reach_the_sender_oldest_first(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    for code in ("01", "03", "04", "05", "06"):
        province.report(code, document)
    assert statuses(office) == ["01", "03", "04", "05", "06"]
    assert [entry for entry in office.outbox() if entry[0] == "status"] == [
        ("status", code) for code in ("01", "03", "04", "05", "06")
    ]


@pytest.mark.parametrize("why", ["locked", "retired"])
def test_a_report_to_a_system_that_cannot_receive_waits_and_comes_when_it_can(axis: Axis, why: str) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    axis.steer("G22", "lock" if why == "locked" else "retire")
    told = province.report("03", document)
    assert axis.states(answer) == {"H41": "delivered/03"}
    waits = axis.delivery(told["delivery"])
    assert (waits.system_id, str(waits.state)) == (None, "waiting")
    if why == "locked":
        axis.steer("G22", "unlock")
    else:
        office = axis.enrol("G22")
    (row,) = office.inbox()
    assert row["id"] == told["delivery"]
    assert row["seq"] > waits.seq
    office.receive(row["id"])


def a_closed_agency_that_sent(axis: Axis) -> tuple[Peer, Peer, Document]:
    """The Ministry of Information and Communications (closed 14 April 2025, successor G06) and whom it wrote to."""
    axis.clock.pass_(days=-240)
    ministry, province = axis.enrol("G14"), axis.enrol("H41")
    document, _ = delivered(ministry, province, date="2025/01/15")
    axis.clock.pass_(days=240)
    return ministry, province, document


def test_a_report_to_a_closed_agency_goes_to_its_successor(axis: Axis) -> None:
    _, province, document = a_closed_agency_that_sent(axis)
    axis.steer("G14", "retire")
    heir = axis.enrol("G06")
    province.report("03", document)
    assert statuses(heir) == ["03"]


def test_a_report_to_a_closed_agency_that_is_still_connected_goes_to_it(axis: Axis) -> None:
    ministry, province, document = a_closed_agency_that_sent(axis)
    heir = axis.enrol("G06")
    province.report("03", document)
    assert (statuses(ministry), statuses(heir)) == (["03"], [])


def test_a_report_that_waited_goes_to_the_successor_once_that_is_connected(axis: Axis) -> None:
    _, province, document = a_closed_agency_that_sent(axis)
    axis.steer("G14", "lock")
    told = province.report("03", document)
    assert axis.delivery(told["delivery"]).system_id is None
    assert statuses(axis.enrol("G06")) == ["03"]


def test_what_becomes_of_a_report_is_never_told_to_the_other_party(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    told = province.report("03", document)
    axis.steer("H41", "lock")
    before = office.outbox()
    office.receive(told["delivery"])
    assert office.outbox() == before


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


@pytest.mark.parametrize(("profile", "code"), [("required", "signature-required"), ("legacy", "")])
def test_an_unsigned_report_is_taken_only_from_a_legacy_system(axis: Axis, profile: str, code: str) -> None:
    office = axis.enrol("G22")
    province = axis.enrol("H41", profile=profile)
    document, _ = delivered(office, province)
    if code:
        with pytest.raises(Refusal, match=rf"^{code}"):
            province.report("03", document, signed=False)
    else:
        province.report("03", document, signed=False)
        assert [row["standing"] for row in office.inbox()] == ["unsigned"]


# Who may report after the systems changed.


def test_the_system_that_fetched_reports_although_a_nearer_one_came_and_so_may_that(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41.05")
    province.receive(answer["deliveries"][0]["id"])
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    province.report("01", document, sender="H41.05")
    department.report("03", document)
    assert axis.states(answer) == {"H41.05": "delivered/03"}


def test_the_system_that_fetched_may_name_the_document_by_number_too(axis: Axis) -> None:
    office, province = office_and_province(axis)
    _, answer = office.issue("H41.05", number="15")
    province.receive(answer["deliveries"][0]["id"])
    axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    province.report("01", sender="H41.05", code="15/VP", promulgation_date="2025/09/30")
    assert axis.states(answer) == {"H41.05": "delivered/01"}


def test_the_platform_reports_on_nothing_that_a_nearer_system_fetched(axis: Axis) -> None:
    office, province = office_and_province(axis)
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    document, answer = delivered(office, department)
    with pytest.raises(Refusal, match=r"^not-your-agency"):
        province.report("01", document, sender="H41.05")
    assert axis.states(answer) == {"H41.05": "delivered/none"}
