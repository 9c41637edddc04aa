"""Accepting a packet: who may send, whom it reaches, and whose signature it bears (exchange rules 2, 3)."""

from __future__ import annotations

from datetime import date

import pytest
from builders.axis import Axis
from builders.reports import delivered, office_and_province, only
from builders.told import rules_of, warned
from sqlalchemy import insert

from hub.domain.agency import Agency
from hub.domain.document import Business, DocumentRef, Organization, Receiver, Replaced, Trace
from hub.errors import Refusal
from hub.exchange import accept
from hub.exchange.writer import Stale, Transaction, each
from hub.store import roster
from hub.store import tables as t


@each
def list_agency(tx: Transaction, agency: Agency) -> None:
    roster.add_agencies(tx.connection, [agency])
    tx.directory_changed()


@each
def same_agency(tx: Transaction, codes: tuple[str, str]) -> None:
    """A row of the mapping table: both codes mean the second."""
    tx.connection.execute(insert(t.agency_alias), [{"code": codes[0], "same_as": codes[1]}])
    tx.directory_changed()


# Recipients: routing.


def test_the_answer_tells_what_was_accepted_and_for_whom(axis: Axis) -> None:
    office, province = axis.enrol("G22", "Văn phòng Chính phủ"), axis.enrol("H41")
    document, answer = office.issue("000.00.00.H41")
    assert answer | {"id": "", "sha256": "", "warnings": [], "deliveries": []} == {
        "id": "",
        "document_id": document.document_id,
        "sha256": "",
        "accepted_at": axis.clock(),
        "issuer": "G22",
        "issuer_basis": "from",
        "signature": {"standing": "signed", "signer": "G22"},
        "warnings": [],
        "deliveries": [],
    }
    (row,) = province.inbox()
    assert answer["deliveries"] == [{"id": row["id"], "to": "000.00.00.H41", "state": "waiting"}]
    assert (row["sha256"], row["document_id"]) == (answer["sha256"], answer["id"])


ROUTES = {
    "the agency itself": ("H41", "H41", []),
    "its long code": ("000.00.00.H41", "H41", []),
    "a unit below": ("H41.05", "H41", ["recipient-unlisted"]),
    "two levels below": ("H41.05.01", "H41", ["recipient-unlisted"]),
    "an old code below": ("000.00.17.H41", "H41", ["recipient-unlisted"]),
    "a unit with its own system": ("H41.09", "H41.09", []),
    "below that unit": ("H41.09.02", "H41.09", ["recipient-unlisted"]),
    "a listed unit without a system": ("H41.11", "H41", []),
}


@pytest.mark.parametrize("name", list(ROUTES))
def test_the_nearest_system_receives_under_the_code_addressed(axis: Axis, name: str) -> None:
    to, receives, warnings = ROUTES[name]
    axis.desk.writer.run(list_agency, Agency("H41.11", "Sở Y tế", 2, "H41"))
    office = axis.enrol("G22")
    peers = {"H41": axis.enrol("H41"), "H41.09": axis.enrol("H41.09", "Sở Nội vụ")}
    answer = office.send(to)
    assert {code: [row["addressed"] for row in peer.inbox()] for code, peer in peers.items()} == {
        code: [to] if code == receives else [] for code in peers
    }
    assert warned(answer) == warnings


def test_unlisted_recipients_are_warned_of_once_with_their_number(axis: Axis) -> None:
    office = axis.enrol("G22")
    axis.enrol("H41")
    answer = office.send("H41.05", "H41.06", "H41.07", "H41")
    assert warned(answer) == ["recipient-unlisted"]
    assert "3 " in next(w["en"] for w in answer["warnings"] if w["rule"] == "recipient-unlisted")


def test_one_agency_named_twice_gets_one_delivery_under_the_code_named_first(axis: Axis) -> None:
    office, province = office_and_province(axis)
    axis.desk.writer.run(same_agency, ("000.00.17.H41", "H41.05"))
    answer = office.send("000.00.00.H41", "H41", "H41.05", "000.00.17.H41")
    assert [delivery["to"] for delivery in answer["deliveries"]] == ["000.00.00.H41", "H41.05"]
    assert len(province.inbox()) == 2


def test_a_platform_gets_a_delivery_for_each_of_its_agencies(axis: Axis) -> None:
    office, province = office_and_province(axis)
    answer = office.send("H41", "H41.05", "000.00.17.H41")
    assert [row["addressed"] for row in province.inbox()] == ["H41", "H41.05", "000.00.17.H41"]
    assert len({delivery["id"] for delivery in answer["deliveries"]}) == 3


def test_a_packet_to_its_own_sender_is_delivered_with_a_warning(axis: Axis) -> None:
    office = axis.enrol("G22")
    answer = office.send("000.00.00.G22")
    assert warned(answer) == ["recipient-is-sender"]
    assert [row["document_id"] for row in office.inbox()] == [answer["id"]]


def test_codes_named_elsewhere_in_the_packet_are_never_recipients_and_never_refuse_it(axis: Axis) -> None:
    office, province, other = axis.enrol("G22"), axis.enrol("H41"), axis.enrol("H27")
    named = ("H27", "W00", "G99.không-có", "G14")
    office.send(
        "H41",
        business=Business(type="0", receivers=tuple(Receiver(code, "1") for code in named)),
        response_for=tuple(DocumentRef(code, "1/VP", f"{code},2025/01/02,1/VP", "2025/01/02") for code in named),
        traces=tuple(Trace(code, "2025/09/30 08:00:00") for code in named),
    )
    target = office.draft("H41")
    office.send("H41", business=Business(type="3", reason="Thay thế", replaced=(Replaced(target.document_id, named),)))
    assert (len(province.inbox()), other.inbox()) == (2, [])


BAD = {
    "unknown": ("X77", "recipient-unknown"),
    "of no form": ("UBND tỉnh", "recipient-unknown"),
    "closed": ("G14", "recipient-closed"),
    "below a closed one": ("G14.05", "recipient-closed"),
    "not connected": ("H13", "recipient-not-connected"),
    "below one not connected": ("H13.02", "recipient-not-connected"),
    "locked": ("H27", "recipient-locked"),
    "a node of the axis": ("W00", "recipient-is-node"),
    "below a node": ("000.00.05.W00", "recipient-is-node"),
}


def test_every_bad_recipient_is_told_and_refuses_the_whole_packet(axis: Axis) -> None:
    office, province = office_and_province(axis)
    axis.enrol("H27")
    axis.enrol("G14")
    axis.steer("H27", "lock")
    with pytest.raises(Refusal, match=r"^packet-refused") as refused:
        office.send("H41", *(code for code, _ in BAD.values()))
    assert rules_of(refused.value) == [(rule, code) for code, rule in BAD.values()]
    assert province.inbox() == []


def test_a_closed_recipient_is_refused_with_its_successor(axis: Axis) -> None:
    office = axis.enrol("G22")
    with pytest.raises(Refusal, match=r"^packet-refused") as refused:
        office.send("G14")
    assert [(v.rule, v.repair) for v in refused.value.violations] == [("recipient-closed", "G06")]


def test_an_agency_receives_until_the_day_it_closes(axis: Axis) -> None:
    office = axis.enrol("G22")
    closing = Agency("H27.02", "Sở Thông tin và Truyền thông", 2, "H27", closed_on=date(2025, 10, 2))
    axis.desk.writer.run(list_agency, closing)
    province = axis.enrol("H27")
    axis.clock.pass_(hours=14, minutes=59)  # a minute before midnight in Hà Nội
    assert office.send("H27.02")
    assert len(province.waiting()) == 1
    axis.clock.pass_(minutes=1)
    with pytest.raises(Refusal, match=r"^packet-refused") as refused:
        office.send("H27.02")
    assert rules_of(refused.value) == [("recipient-closed", "H27.02")]


# The sender.

SPEAKS = {
    "for itself": ("H41", "H41", True),
    "for itself by the long code": ("H41", "000.00.00.H41", True),
    "for a unit below": ("H41", "H41.05", True),
    "for a unit with a system of its own": ("H41", "H41.09", False),
    "for what is below that": ("H41", "H41.09.02", False),
    "for the agency above": ("H41.09", "H41", False),
    "for a unit beside it": ("H41.09", "H41.05", False),
    "for a stranger": ("H41", "H27", False),
}


@pytest.mark.parametrize("name", list(SPEAKS))
def test_a_system_sends_for_its_own_subtree_up_to_nearer_systems(axis: Axis, name: str) -> None:
    system, sender, allowed = SPEAKS[name]
    axis.enrol("G22")
    peers = {"H41": axis.enrol("H41"), "H41.09": axis.enrol("H41.09", "Sở Nội vụ")}
    packet = peers[system].packet(peers[system].draft("G22", sender=Organization(sender)))
    if allowed:
        assert peers[system].post(packet).new
    else:
        with pytest.raises(Refusal, match=r"^not-your-agency") as refused:
            peers[system].post(packet)
        assert refused.value.violations[0].pointer == "MessageHeader/From/OrganId"


@pytest.mark.parametrize("speaker", ["G14", "G06"])
def test_for_a_closed_agency_it_or_its_successor_sends_nothing_new_but_revokes_fetches_reports_and_answers(
    axis: Axis, speaker: str
) -> None:
    axis.clock.pass_(days=-240)
    ministry, province = axis.enrol("G14"), axis.enrol("H41")
    document, answer = delivered(ministry, province, date="2025/01/15")
    letter, received = province.issue("G14", date="2025/01/15")
    axis.clock.pass_(days=240)
    heir = ministry if speaker == "G14" else axis.enrol(speaker)
    with pytest.raises(Refusal, match=r"^packet-refused") as refused:
        heir.send("H41", sender=Organization("G14"))
    assert [(v.rule, v.repair) for v in refused.value.violations] == [("sender-closed", "G06")]
    heir.revoke(document, "H41", sender=Organization("G14"))
    assert axis.requests(only(answer)) == [("revocation", "open")]
    heir.receive(only(received))
    heir.report("03", letter, sender="G14")
    assert axis.states(received) == {"G14": "delivered/03"}
    province.report("13", letter)
    heir.report("15", letter, sender="G14")
    assert axis.states(received) == {"G14": "delivered/cancelled"}


@pytest.mark.parametrize(("action", "code"), [("lock", "system-locked"), ("retire", "not-authenticated")])
def test_a_system_that_is_locked_or_retired_sends_nothing(axis: Axis, action: str, code: str) -> None:
    office = axis.enrol("G22")
    axis.enrol("H41")
    axis.steer("G22", action)
    with pytest.raises(Refusal, match=rf"^{code}"):
        office.send("H41")


def test_what_was_checked_before_the_systems_changed_is_not_written_but_checked_again(axis: Axis) -> None:
    office, province = office_and_province(axis)
    packet = office.packet(office.draft("H41.05"))
    job = office.checked(packet)
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    with pytest.raises(Stale):
        axis.desk.writer.run(accept.commit, job)
    assert (department.inbox(), province.inbox()) == ([], [])
    axis.desk.writer.run(accept.commit, office.checked(packet))
    assert (len(department.inbox()), province.inbox()) == (1, [])
