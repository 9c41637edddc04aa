"""Accepting a packet: who may send, whom it reaches, and whose signature it bears (exchange rules 2, 3)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from builders.axis import Axis, Peer
from sqlalchemy import insert

from hub.domain.agency import Agency
from hub.domain.document import Business, DocumentRef, Organization, Receiver, Replaced, Trace
from hub.errors import Refusal
from hub.exchange import accept, change
from hub.exchange.writer import Stale, Transaction, each
from hub.store import roster
from hub.store import tables as t


def rules_of(refusal: Refusal) -> list[tuple[str, str]]:
    """Rule and value of every violation."""
    return [(violation.rule, violation.value) for violation in refusal.violations]


def warned(answer: dict[str, Any]) -> list[str]:
    return [warning["rule"] for warning in answer["warnings"] if warning["rule"] != "name-directory"]


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
    office, province = axis.enrol("G22"), axis.enrol("H41")
    axis.desk.writer.run(same_agency, ("000.00.17.H41", "H41.05"))
    answer = office.send("000.00.00.H41", "H41", "H41.05", "000.00.17.H41")
    assert [delivery["to"] for delivery in answer["deliveries"]] == ["000.00.00.H41", "H41.05"]
    assert len(province.inbox()) == 2


def test_a_platform_gets_a_delivery_for_each_of_its_agencies(axis: Axis) -> None:
    office, province = axis.enrol("G22"), axis.enrol("H41")
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
    office, province = axis.enrol("G22"), axis.enrol("H41")
    axis.enrol("H27")
    axis.enrol("G14")
    axis.steer("H27", "lock")
    with pytest.raises(Refusal, match=r"^packet-refused") as refused:
        office.send("H41", *(code for code, _ in BAD.values()))
    assert rules_of(refused.value) == [(rule, code) for code, rule in BAD.values()]
    assert province.inbox() == []


def test_a_closed_recipient_is_refused_with_its_successor(axis: Axis) -> None:
    office = axis.enrol("G22")
    with pytest.raises(Refusal) as refused:
        office.send("G14")
    assert [violation.repair for violation in refused.value.violations] == ["G06"]


def test_an_agency_receives_until_the_day_it_closes(axis: Axis) -> None:
    office = axis.enrol("G22")
    axis.enrol("H27.01", "Sở Sắp đóng")
    closing = Agency("H27.02", "Sở Đóng", 2, "H27", closed_on=date(2025, 10, 2))
    axis.desk.writer.run(list_agency, closing)
    axis.enrol("H27")
    axis.clock.pass_(hours=14, minutes=59)  # a minute before midnight in Hà Nội
    assert office.send("H27.02")["deliveries"]
    axis.clock.pass_(minutes=1)
    with pytest.raises(Refusal) as refused:
        office.send("H27.02")
    assert rules_of(refused.value) == [("recipient-closed", "H27.02")]


def test_urgent_documents_are_given_three_days_and_others_thirty(axis: Axis) -> None:
    office = axis.enrol("G22")
    axis.enrol("H41")
    for priority, span in (("0", change.EXPIRY), ("1", change.EXPIRY_URGENT)):
        delivery = axis.delivery(office.send("H41", priority=priority)["deliveries"][0]["id"])
        assert (delivery.expires_at - axis.clock(), delivery.urgent) == (span, priority == "1")


# The sender.

SPEAKS = {
    "for itself": ("H41", True),
    "for itself by the long code": ("000.00.00.H41", True),
    "for a unit below": ("H41.05", True),
    "for a unit with a system of its own": ("H41.09", False),
    "for the agency above": ("G22", False),
    "for a stranger": ("H27", False),
}


@pytest.mark.parametrize("name", list(SPEAKS))
def test_a_system_sends_for_its_own_subtree_up_to_nearer_systems(axis: Axis, name: str) -> None:
    sender, allowed = SPEAKS[name]
    axis.enrol("G22")
    province = axis.enrol("H41")
    axis.enrol("H41.09", "Sở Nội vụ")
    packet = province.packet(province.draft("G22", sender=Organization(sender)))
    if allowed:
        assert province.post(packet).new
    else:
        with pytest.raises(Refusal, match=r"^not-your-agency") as refused:
            province.post(packet)
        assert refused.value.violations[0].pointer == "MessageHeader/From/OrganId"


def closed_sender(axis: Axis) -> tuple[Peer, Peer]:
    """G14, which sent while it was open and is closed now, and a recipient."""
    axis.clock.pass_(days=-240)
    ministry, province = axis.enrol("G14"), axis.enrol("H41")
    return ministry, province


def test_a_closed_agency_sends_nothing_new_but_revokes_fetches_and_reports(axis: Axis) -> None:
    ministry, province = closed_sender(axis)
    document, answer = ministry.issue("H41", date="2025/01/15")
    letter, received = province.issue("G14", date="2025/01/15")
    province.receive(answer["deliveries"][0]["id"])
    axis.clock.pass_(days=240)
    with pytest.raises(Refusal) as refused:
        ministry.send("H41")
    assert [(v.rule, v.repair) for v in refused.value.violations] == [("sender-closed", "G06")]
    ministry.revoke(document, "H41")
    ministry.receive(received["deliveries"][0]["id"])
    ministry.report("03", letter)
    assert axis.requests(answer["deliveries"][0]["id"]) == [("revocation", "open")]
    assert axis.states(received) == {"G14": "delivered/03"}


def test_the_successor_revokes_and_reports_for_a_closed_agency(axis: Axis) -> None:
    ministry, province = closed_sender(axis)
    document, answer = ministry.issue("H41", date="2025/01/15")
    letter, received = province.issue("G14", date="2025/01/15")
    province.receive(answer["deliveries"][0]["id"])
    axis.clock.pass_(days=240)
    heir = axis.enrol("G06")
    heir.revoke(document, "H41", sender=Organization("G14"))
    heir.receive(received["deliveries"][0]["id"])
    heir.report("03", letter, sender="G14")
    assert axis.requests(answer["deliveries"][0]["id"]) == [("revocation", "open")]
    assert axis.states(received) == {"G14": "delivered/03"}
    with pytest.raises(Refusal) as refused:
        heir.send("H41", sender=Organization("G14"))
    assert [v.rule for v in refused.value.violations] == ["sender-closed"]


@pytest.mark.parametrize(("action", "code"), [("lock", "system-locked"), ("retire", "not-authenticated")])
def test_a_system_that_is_locked_or_retired_sends_nothing(axis: Axis, action: str, code: str) -> None:
    office = axis.enrol("G22")
    axis.enrol("H41")
    axis.steer("G22", action)
    with pytest.raises(Refusal, match=rf"^{code}"):
        office.send("H41")


def test_what_was_checked_before_the_systems_changed_is_not_written_but_checked_again(axis: Axis) -> None:
    office, province = axis.enrol("G22"), axis.enrol("H41")
    packet = office.packet(office.draft("H41.05"))
    job = office.checked(packet)
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    with pytest.raises(Stale):
        axis.desk.writer.run(accept.commit, job)
    assert (department.inbox(), province.inbox()) == ([], [])
    axis.desk.writer.run(accept.commit, office.checked(packet))
    assert (len(department.inbox()), province.inbox()) == (1, [])
