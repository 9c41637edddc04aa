"""Evidence: one leaf for each accept, hand-over and status, written with what it proves; and the sender's outbox."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from builders.axis import Axis
from builders.reports import delivered, office_and_province, office_and_provinces, only
from sqlalchemy import select

from hub.domain.document import Organization
from hub.errors import Refusal
from hub.store import tables as t
from hub.store.engine import reading


def leaves(axis: Axis, answer: dict[str, Any], kind: str) -> list[Any]:
    return [leaf for leaf in axis.evidence(answer) if leaf["kind"] == kind]


def test_an_accepted_document_leaves_one_leaf_that_says_what_came_from_whom_for_whom(axis: Axis) -> None:
    office, _, _ = office_and_provinces(axis)
    packet = office.packet(office.draft("H41", "H27"))
    answer = office.post(packet).body
    (leaf,) = axis.evidence(answer)
    assert leaf["kind"] == "accept"
    assert leaf["body"] | {"at": ""} == {
        "document": answer["id"],
        "document_id": answer["document_id"],
        "sha256": hashlib.sha256(packet).hexdigest(),
        "sender": "G22",
        "issuer": "G22",
        "recipients": ["H41", "H27"],
        "at": "",
    }
    assert leaf["at"] == axis.clock()


def test_a_repeat_leaves_a_leaf_only_where_it_adds_recipients(axis: Axis) -> None:
    office, _, _ = office_and_provinces(axis)
    document, answer = office.issue("H41")
    office.post(office.packet(document))
    assert len(axis.evidence(answer)) == 1
    packet = office.packet(replace(document, recipients=(Organization("H27"),)))
    office.post(packet)
    added = axis.evidence(answer)[1]
    assert added["body"]["recipients"] == ["H27"]
    assert added["body"]["sha256"] == hashlib.sha256(packet).hexdigest()


def test_a_refused_packet_leaves_no_leaf(axis: Axis) -> None:
    office, _, _ = office_and_provinces(axis)
    document, _ = office.issue("H41")
    with pytest.raises(Refusal, match=r"^document-conflict"):
        office.post(office.packet(replace(document, subject="V/v khác")))
    with reading(axis.desk.engine) as connection:
        assert len(connection.execute(select(t.evidence)).all()) == 1


def test_each_hand_over_leaves_one_leaf_when_the_recipient_has_the_packet_safe(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    _, answer = office.issue("H41", "H27")
    first, second = (delivery["id"] for delivery in answer["deliveries"])
    nghe_an.claim(first)
    nghe_an.fetch(first)
    assert leaves(axis, answer, "handover") == []
    nghe_an.done(first)
    nghe_an.done(first)
    ha_tinh.receive(second)
    found = leaves(axis, answer, "handover")
    assert [leaf["delivery_id"] for leaf in found] == [first, second]
    assert found[0]["body"] | {"at": ""} == {
        "delivery": first,
        "document": answer["id"],
        "recipient": "H41",
        "system": nghe_an.system_id,
        "sha256": answer["sha256"],
        "at": "",
    }


def test_a_report_that_is_a_receipt_leaves_the_hand_over_and_the_status(axis: Axis) -> None:
    office, nghe_an = office_and_province(axis)
    document, answer = office.issue("H41")
    nghe_an.fetch(only(answer))
    told = nghe_an.report("03", document)
    assert [leaf["kind"] for leaf in axis.evidence(answer)] == ["accept", "handover", "status"]
    (status,) = leaves(axis, answer, "status")
    assert status["report_id"] == told["id"]
    assert {key: status["body"][key] for key in ("report", "document", "status", "sender", "addressee")} == {
        "report": told["id"],
        "document": answer["id"],
        "status": "03",
        "sender": "H41",
        "addressee": "G22",
    }


@pytest.mark.parametrize("effect", ["moves", "handed on", "recorded", "asks", "answers", "withdraws"])
def test_every_report_that_is_taken_leaves_one_leaf_and_a_repeat_none(axis: Axis, effect: str) -> None:
    office, nghe_an = office_and_province(axis)
    document, answer = office.issue("H41")
    if effect != "withdraws":
        nghe_an.receive(only(answer))
    if effect in {"handed on", "recorded"}:
        nghe_an.report("03", document)
    if effect == "answers":
        office.update(document, "H41")
    before = len(leaves(axis, answer, "status"))
    reporter = office if effect in {"asks", "withdraws"} else nghe_an
    code = {"recorded": "01", "asks": "13", "withdraws": "13", "answers": "16"}.get(effect, "03")
    for _ in range(2):
        reporter.report(code, document, description="Lần này")
    assert len(leaves(axis, answer, "status")) == before + 1


def test_the_hand_over_of_a_status_packet_is_evidence_too(axis: Axis) -> None:
    office, nghe_an = office_and_province(axis)
    document, answer = delivered(office, nghe_an)
    told = nghe_an.report("03", document)
    office.receive(told["delivery"])
    assert [leaf["body"]["recipient"] for leaf in leaves(axis, answer, "handover")] == ["H41", "G22"]


def test_leaves_stand_in_the_order_of_their_commits_each_with_a_nonce_of_its_own(axis: Axis) -> None:
    office, nghe_an = office_and_province(axis)
    for _ in range(3):
        document, _ = delivered(office, nghe_an)
        nghe_an.report("06", document)
    with reading(axis.desk.engine) as connection:
        found = list(connection.execute(select(t.evidence).order_by(t.evidence.c.seq)).mappings())
    assert [leaf["kind"] for leaf in found] == ["accept", "handover", "status"] * 3
    assert len({leaf["nonce"] for leaf in found}) == len({leaf["seq"] for leaf in found}) == len(found)
    assert all(len(bytes.fromhex(leaf["nonce"])) == 16 for leaf in found)


def test_a_leaf_names_no_person_and_carries_no_text_of_the_document(axis: Axis) -> None:
    office, nghe_an = office_and_province(axis)
    document, answer = delivered(office, nghe_an)
    nghe_an.report("02", document, description="Sai thẩm quyền")
    said = json.dumps([leaf["body"] for leaf in axis.evidence(answer)], ensure_ascii=False)
    assert document.signer
    for text in (document.subject, document.signer, "Sai thẩm quyền"):
        assert text not in said


# The outbox.


def test_the_sender_reads_everything_about_its_documents_in_order(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = office.issue("H41", "H27", "H27.05")
    failing, taken, expiring = (delivery["id"] for delivery in answer["deliveries"])
    for _ in range(5):
        nghe_an.failed(failing)
    ha_tinh.receive(taken)
    office.receive(ha_tinh.report("03", document)["delivery"])
    axis.clock.pass_(days=31)
    axis.sweep()
    office.post(office.packet(replace(document, recipients=(Organization("H27.05"),))))
    office.report("13", document, other="H27.05")
    found = office.entries()
    assert [(row["what"], row["status"], row["addressed"]) for row in found] == [
        ("failed", "none", "H41"),
        ("delivered", "none", "H27"),
        ("status", "03", "H27"),
        ("expired", "none", "H27.05"),
        ("waiting", "none", "H27.05"),
        ("withdrawn", "none", "H27.05"),
    ]
    assert [row["seq"] for row in found] == sorted({row["seq"] for row in found})
    assert {row["business_id"] for row in found} == {document.document_id}
    assert len(office.outbox(found[2]["seq"])) == 3
    assert (nghe_an.outbox(), ha_tinh.outbox()) == ([], [("delivered", "none")])  # its status packet
    assert axis.delivery(expiring).state.value == "withdrawn"


def test_inbox_and_outbox_entries_share_one_order(axis: Axis) -> None:
    office, nghe_an = office_and_province(axis)
    document, _ = delivered(office, nghe_an)
    nghe_an.report("03", document)
    places = [row["seq"] for row in office.entries()] + [row["seq"] for row in office.inbox()]
    assert len(set(places)) == len(places) == 3


def test_the_reason_of_a_failure_reaches_the_sender(axis: Axis) -> None:
    office, nghe_an = office_and_province(axis)
    delivery = only(office.send("H41"))
    nghe_an.fetch(delivery)
    nghe_an.failed(delivery, "Tệp đính kèm hỏng")
    assert [(row["what"], row["detail"]) for row in office.entries()] == [("failed", "Tệp đính kèm hỏng")]


def test_every_change_has_its_history_row(axis: Axis) -> None:
    office, nghe_an = office_and_province(axis)
    document, answer = office.issue("H41")
    delivery = only(answer)
    nghe_an.claim(delivery)
    axis.clock.pass_(minutes=5)
    axis.sweep()
    nghe_an.fetch(delivery)
    nghe_an.done(delivery)
    nghe_an.report("03", document)
    found = axis.events(delivery)
    assert [(event["what"], event["state_before"], event["state_after"]) for event in found] == [
        ("take", "waiting", "taken"),
        ("lease-over", "taken", "waiting"),
        ("fetch", "waiting", "waiting"),
        ("done", "waiting", "delivered"),
        ("status", "delivered", "delivered"),
    ]
    assert (found[-1]["status_before"], found[-1]["status_after"]) == ("none", "03")
    assert [event["system_id"] for event in found] == [nghe_an.system_id, None] + [nghe_an.system_id] * 3
