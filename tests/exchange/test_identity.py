"""New, repeat or conflict: the truth table of exchange rules 4 with real packets on both databases."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.packets import PDF, a_zip, an_attachment
from builders.reports import bring_to, delivered, office_and_provinces, only
from builders.told import warned

from hub.domain.document import Business, Document, Organization, StaffInfo, Trace
from hub.domain.signature import sign
from hub.errors import Refusal
from hub.exchange import accept
from hub.exchange.writer import Writer


def as_new(document: Document, **changes: Any) -> Document:
    """The same content sent under another DocumentId."""
    return replace(document, document_id=f"{document.document_id}-2", **changes)


def test_the_same_bytes_again_get_the_first_answer_and_no_second_delivery(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    packet = office.packet(office.draft("H41"))
    first = office.post(packet)
    axis.clock.pass_(hours=1)
    again = office.post(packet)
    assert (first.new, again.new, again.kept) == (True, False, False)
    assert again.body == first.body
    assert len(nghe_an.inbox()) == 1


def zipped_as(entry: str) -> Callable[[Peer, Document], bytes]:
    """The packet as software that wraps its files writes it; the entry's name is random in the field."""

    def build(peer: Peer, document: Document) -> bytes:
        plain, wrapped = (base64.b64encode(octets) for octets in (PDF, a_zip((entry, PDF))))
        packet = peer.packet(document, signed=False)
        assert packet.count(plain) == 1
        return sign(packet.replace(plain, wrapped), peer.key, peer.certificate)

    return build


def said_by(**changes: Any) -> Callable[[Peer, Document], bytes]:
    return lambda peer, document: peer.packet(replace(document, **changes))


def signed_with(**terms: Any) -> Callable[[Peer, Document], bytes]:
    return lambda peer, document: sign(peer.packet(document, signed=False), peer.key, peer.certificate, **terms)


REBUILT = {
    "a new ECDSA signature": ("P-256", signed_with()),
    "a new PSS salt": ("RSA-2048", signed_with(algorithm="rsa-pss-sha256")),
    "the whole form of the signature": ("P-256", signed_with(form="whole")),
    "another clerk": ("P-256", said_by(business=Business(type="0", staff=(StaffInfo(staff="Phạm Thị Mẫu"),)))),
    "other places copied to": ("P-256", said_by(to_places=("Như trên",))),
    "another way travelled": ("P-256", said_by(traces=(Trace("G22", "2025/10/01 09:01:00"),))),
    "files wrapped in a ZIP": ("P-256", zipped_as("5f1c.pdf")),
}


@pytest.mark.parametrize("name", list(REBUILT))
def test_a_retry_built_anew_is_the_same_document(axis: Axis, name: str) -> None:
    key, build = REBUILT[name]
    office, nghe_an, _ = office_and_provinces(axis, key=key)
    document = office.draft("H41")
    first = office.post(signed_with(algorithm="rsa-pss-sha256" if key.startswith("RSA") else None)(office, document))
    packet = build(office, document)
    assert hashlib.sha256(packet).hexdigest() != first.body["sha256"]
    again = office.post(packet)
    assert not again.new
    assert again.body == first.body
    assert [row["sha256"] for row in nghe_an.inbox()] == [first.body["sha256"]]


def test_a_repeat_with_new_recipients_adds_them_and_gives_them_its_own_packet(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document = office.draft("H41")
    first = office.post(office.packet(document)).body
    axis.clock.pass_(seconds=1)
    packet = office.packet(replace(document, recipients=(Organization("H41"), Organization("H27"))))
    again = office.post(packet)
    assert (again.new, again.kept) == (False, True)
    assert (again.body["id"], again.body["sha256"]) == (first["id"], first["sha256"])
    assert again.body["deliveries"][:1] == first["deliveries"]
    assert [(d["to"], d["state"]) for d in again.body["deliveries"]] == [("H41", "waiting"), ("H27", "waiting")]
    assert [row["sha256"] for row in nghe_an.inbox()] == [first["sha256"]]
    assert [row["sha256"] for row in ha_tinh.inbox()] == [hashlib.sha256(packet).hexdigest()]


def test_the_first_receipt_is_given_also_when_first_and_repeat_came_at_one_moment(axis: Axis) -> None:
    office, _, _ = office_and_provinces(axis)
    document = office.draft("H41")
    answers = []
    for packet_id, to in (("f" * 24, "H41"), ("0" * 24, "H27"), ("1" * 24, "H41")):
        packet = office.packet(replace(document, recipients=(Organization(to),)))
        job = office.checked(packet, packet_id=packet_id)
        answers.append(axis.desk.writer.run(accept.commit, job).body["sha256"])
    assert answers == [answers[0]] * 3


def test_a_repeat_that_leaves_recipients_out_takes_nothing_from_them(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, first = office.issue("H41", "H27")
    again = office.post(office.packet(replace(document, recipients=(Organization("H27"),))))
    assert again.body == first
    assert (len(nghe_an.inbox()), len(ha_tinh.inbox())) == (1, 1)


def test_recipients_of_an_unsigned_repeat_are_told_that_it_is_not_signed(axis: Axis) -> None:
    office, _, ha_tinh = office_and_provinces(axis, profile="legacy")
    document, _ = office.issue("H41")
    office.post(office.packet(replace(document, recipients=(Organization("H27"),)), signed=False))
    assert [row["standing"] for row in ha_tinh.inbox()] == ["unsigned"]


@pytest.mark.parametrize("ended", ["failed", "expired"])
def test_a_repeat_opens_what_failed_or_expired_again_with_a_fresh_place_in_the_inbox(axis: Axis, ended: str) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, first = office.issue("H41", "H27")
    lost, kept = (delivery["id"] for delivery in first["deliveries"])
    ha_tinh.receive(kept)
    bring_to(axis, nghe_an, lost, ended)
    axis.clock.pass_(days=31)
    before = axis.delivery(lost)
    assert axis.states(first) == {"H41": f"{ended}/none", "H27": "delivered/none"}
    again = office.post(office.packet(document))
    assert not again.new
    assert {d["to"]: d["state"] for d in again.body["deliveries"]} == {"H41": "waiting", "H27": "delivered"}
    after = axis.delivery(lost)
    assert after.seq > before.seq
    assert (after.attempts, after.reason, after.expires_at > axis.clock()) == (0, "", True)
    assert nghe_an.waiting(before.seq) == [lost]
    assert office.outbox()[-1] == ("waiting", "none")


def test_a_repeat_opens_only_the_deliveries_of_the_recipients_it_names(axis: Axis) -> None:
    office, _, _ = office_and_provinces(axis)
    document, first = office.issue("H41", "H27")
    axis.clock.pass_(days=31)
    axis.sweep()
    office.post(office.packet(replace(document, recipients=(Organization("H27"),))))
    assert axis.states(first) == {"H41": "expired/none", "H27": "waiting/none"}


def test_a_repeat_leaves_what_was_withdrawn_withdrawn(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    document, _ = office.issue("H41")
    office.report("13", document, other="H41")
    again = office.post(office.packet(document)).body
    assert [d["state"] for d in again["deliveries"]] == ["withdrawn"]
    assert nghe_an.inbox() == []


def test_other_content_under_a_known_id_is_a_conflict_that_names_the_first(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    document, first = office.issue("H41")
    with pytest.raises(Refusal, match=r"^document-conflict") as refused:
        office.post(office.packet(replace(document, subject="V/v khác")))
    assert refused.value.extra == {"first": first["id"]}
    assert first["id"] in refused.value.vi
    assert "(2)" in refused.value.repair
    assert "(3)" in refused.value.repair
    assert len(nghe_an.inbox()) == 1


OTHER_CONTENT: dict[str, dict[str, Any]] = {
    "subject": {"subject": "V/v khác"},
    "due date": {"due_date": "2025/12/01"},
    "file name": {"attachments": (an_attachment("khac.pdf"),)},
    "file content": {"attachments": (an_attachment(content=PDF + b"\n"),)},
    "one more file": {"attachments": (an_attachment(), an_attachment("phu-luc.pdf", content_id="phu-luc"))},
}


@pytest.mark.parametrize("name", list(OTHER_CONTENT))
def test_any_difference_in_content_conflicts(axis: Axis, name: str) -> None:
    office, _, _ = office_and_provinces(axis)
    number = "101"
    office.send("H41", number=number)
    with pytest.raises(Refusal, match=r"^document-conflict"):
        office.send("H41", number=number, **OTHER_CONTENT[name])


def test_an_id_of_another_year_makes_another_document_with_a_warning(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    first = office.send("H41", number="5", date="2024/12/31", document_id="G22-5-VP")
    second = office.send("H41", number="5", date="2025/01/02", document_id="G22-5-VP")
    assert first["id"] != second["id"]
    assert (warned(first), warned(second)) == ([], ["id-without-year"])
    assert len(nghe_an.inbox()) == 2


def test_ids_that_differ_only_in_spelling_are_one(axis: Axis) -> None:
    office, _, _ = office_and_provinces(axis)
    first = office.send("H41", number="5")
    with pytest.raises(Refusal, match=r"^document-conflict") as refused:
        office.send("H41", number="5", document_id="000.00.00.G22, 2025-9-30, 5/VP", subject="V/v khác")
    assert refused.value.extra == {"first": first["id"]}


NUMBERS: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "the same": ({}, {}, "number-taken"),
    "leading zeros": ({"number": "0007"}, {"number": "7"}, "number-taken"),
    "another year": ({"date": "2024/12/31"}, {"date": "2025/01/02"}, "accepted"),
    "another symbol": ({"symbol": "VP"}, {"symbol": "KSTT"}, "accepted"),
    "another case": ({"symbol": "VP"}, {"symbol": "Vp"}, "accepted"),
    "a decision of the Prime Minister": ({"symbol": "QĐ-TTg"}, {"symbol": "QĐ-TTg"}, "number-taken"),
    "a resolution of the Government": ({"symbol": "NQ-CP"}, {"symbol": "NQ-CP"}, "number-taken"),
    "a ministry's letter forwarded": ({"symbol": "BTC-VP"}, {"symbol": "BTC-VP"}, "duplicate-suspected"),
}


@pytest.mark.parametrize("name", list(NUMBERS))
def test_a_new_id_with_a_known_number(axis: Axis, name: str) -> None:
    first_is, second_is, outcome = NUMBERS[name]
    office, nghe_an, _ = office_and_provinces(axis)
    sender = Organization("G22", in_charge="Bộ Tài chính" if "ministry" in name else "Chính phủ")
    one: dict[str, Any] = {"number": "7", "document_id": "một", "sender": sender}
    first = office.send("H41", **(one | first_is))
    two = one | {"document_id": "hai"} | second_is
    if outcome == "number-taken":
        with pytest.raises(Refusal, match=r"^number-taken") as refused:
            office.send("H41", **two)
        assert refused.value.extra == {"first": first["id"]}
        assert len(nghe_an.inbox()) == 1
    else:
        second = office.send("H41", **two)
        flags = [] if outcome == "accepted" else [outcome]
        assert (warned(second), axis.document(second["id"])["flags"]) == (flags, flags)
        assert len(nghe_an.inbox()) == 2


def test_a_decision_of_the_prime_minister_forwarded_by_a_province_is_only_flagged(axis: Axis) -> None:
    _, nghe_an, _ = office_and_provinces(axis)
    for document_id in ("một", "hai"):
        answer = nghe_an.send("H27", number="7", symbol="QĐ-TTg", type_name="Quyết định", document_id=document_id)
    assert answer["issuer"] == "TTg"
    assert warned(answer) == ["duplicate-suspected"]


def test_a_taken_number_is_only_flagged_where_the_operator_wants_it_so(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    axis.desk.terms = replace(axis.desk.terms, refuse_taken=False)
    first = office.send("H41", number="7", document_id="một")
    for document_id in ("hai", "ba"):
        answer = office.send("H41", number="7", document_id=document_id)
        assert warned(answer) == ["duplicate-suspected"]
        assert first["id"] in next(w["en"] for w in answer["warnings"] if w["rule"] == "duplicate-suspected")
    assert len(nghe_an.inbox()) == 3


def test_ids_and_numbers_of_another_sender_are_never_in_the_way_and_never_named(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    office.send("H27", number="7", document_id="chung")
    answer = nghe_an.send("H27", number="7", document_id="chung", subject="V/v khác")
    assert warned(answer) == []
    assert len(ha_tinh.inbox()) == 2


def test_a_refused_try_leaves_no_memory(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    document = office.draft("H41", "W00")
    with pytest.raises(Refusal, match=r"^packet-refused"):
        office.post(office.packet(document))
    mended = office.post(office.packet(replace(document, recipients=(Organization("H41"),), subject="V/v khác")))
    assert mended.new
    assert len(nghe_an.inbox()) == 1


@pytest.mark.parametrize("kind", ["1", "2", "3"])
def test_packets_of_kinds_1_to_3_may_carry_the_id_they_act_on_and_differ_by_content(axis: Axis, kind: str) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    document, answer = delivered(office, nghe_an)
    verb = {"1": office.revoke, "2": office.update, "3": office.replace}[kind]
    same: dict[str, Any] = {"document_id": document.document_id, "number": document.number}
    first = verb(document, "H41", **same)
    again = verb(document, "H41", **same)
    second = verb(document, "H41", **same, content="Nội dung khác")
    assert again["id"] == first["id"]
    assert [row["document_id"] for row in nghe_an.inbox()] == [first["id"], second["id"]]
    assert len({answer["id"], first["id"], second["id"]}) == 3


@pytest.mark.parametrize("writers", [1, 2])
def test_one_packet_sent_by_eight_threads_at_one_moment_is_one_document_for_all(axis: Axis, writers: int) -> None:
    """With two writers as two processes have them."""
    office, nghe_an, _ = office_and_provinces(axis)
    packets = [office.packet(office.draft("H41", number="7")) for _ in range(8)]
    start = threading.Barrier(8)

    def send(writer: Writer, packet: bytes, n: int) -> accept.Accepted:
        job = office.checked(packet, packet_id=f"{n:024x}")
        start.wait()
        accepted: accept.Accepted = writer.run(accept.commit, job)
        return accepted

    with ExitStack() as stack:
        other = stack.enter_context(
            Writer(axis.desk.engine, axis.desk.rosters, axis.clock, notary=axis.desk.writer.notary)
        )
        pool = stack.enter_context(ThreadPoolExecutor(8))
        through = [axis.desk.writer, other if writers == 2 else axis.desk.writer] * 4
        answers = list(pool.map(send, through, packets, range(8)))
    assert sorted(answer.new for answer in answers) == [False] * 7 + [True]
    assert all(answer.body == answers[0].body for answer in answers)
    assert len(nghe_an.inbox()) == 1


def test_a_batch_that_holds_repeats_and_conflicts_loses_nothing_else(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    one, other = office.draft("H41"), office.draft("H41")
    with axis.together():
        first = office.submit(office.packet(one))
        repeat = office.submit(office.packet(one))
        conflict = office.submit(office.packet(replace(one, subject="V/v khác")))
        taken = office.submit(office.packet(as_new(one)))
        last = office.submit(office.packet(other))
    assert (first.result().new, repeat.result().new, last.result().new) == (True, False, True)
    assert repeat.result().body == first.result().body
    for future, code in ((conflict, "document-conflict"), (taken, "number-taken")):
        with pytest.raises(Refusal, match=rf"^{code}") as refused:
            future.result()
        assert refused.value.extra == {"first": first.result().body["id"]}
    assert [row["document_id"] for row in nghe_an.inbox()] == [a.result().body["id"] for a in (first, last)]


def test_a_batch_may_hold_a_document_and_the_packets_that_act_on_it(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    document = office.draft("H41")
    update = office.draft("H41", business=Business(type="2", reason="Cập nhật", document_id=document.document_id))
    with axis.together():
        first = office.submit(office.packet(document))
        second = office.submit(office.packet(update))
    assert axis.requests(only(first.result().body)) == [("update", "open")]
    assert warned(second.result().body) == []
    assert len(nghe_an.inbox()) == 2
