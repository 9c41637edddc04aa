"""Which document a report is about, whom it reaches, and who may report when systems change (exchange rules 6)."""

from __future__ import annotations

from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.reports import delivered, office_and_province, only, packet_of, ref, statuses

from hub.domain.document import Document
from hub.errors import Refusal

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
    province.receive(only(second))
    return document, first, second


def test_progress_applies_to_every_packet_of_the_id_by_its_own_row(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, first = delivered(office, province)
    province.report("05", document)
    second = office.update(document, "H41", document_id=document.document_id, number=document.number)
    province.receive(only(second))
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
    province.fetch(office.report("13", document)["delivery"])
    asked = [axis.requests(only(answer)) for answer in (first, second)]
    assert asked == [[("update", "open"), ("take-back", "open")], [("take-back", "open")]]
    province.report("16", document)
    asked = [axis.requests(only(answer)) for answer in (first, second)]
    assert asked == [[("update", "open"), ("take-back", "refused")], [("take-back", "refused")]]
    province.report("15", document)
    assert axis.requests(only(first))[0] == ("update", "agreed")
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


# Who may report after the systems changed.


def test_the_system_that_fetched_reports_although_a_nearer_one_came_and_so_may_that(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41.05")
    province.receive(only(answer))
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    province.report("01", document, sender="H41.05")
    department.report("03", document)
    assert axis.states(answer) == {"H41.05": "delivered/03"}


def test_the_system_that_fetched_may_name_the_document_by_number_too(axis: Axis) -> None:
    office, province = office_and_province(axis)
    _, answer = office.issue("H41.05", number="15")
    province.receive(only(answer))
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
