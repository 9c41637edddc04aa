"""Taking back, and answers to what was asked: 13, 15 and 16 (exchange rules 6)."""

from __future__ import annotations

from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.reports import bring_to, delivered, office_and_province, office_and_provinces, only

from hub.domain.document import Business, Document, DocumentRef, Replaced
from hub.errors import Refusal

# 13 on what was never fetched.


@pytest.mark.parametrize("state", ["waiting", "failed", "expired"])
def test_what_was_never_fetched_is_withdrawn_unseen_and_the_sender_is_told(axis: Axis, state: str) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    bring_to(axis, province, only(answer), state)
    told = office.report("13", document, description="Gửi nhầm")
    assert axis.states(answer) == {"H41": "withdrawn/none"}
    assert (told["delivery"], told["deliveries"][0]["state"]) == (None, "withdrawn")
    assert province.inbox() == []
    assert office.outbox()[-1] == ("withdrawn", "none")


def test_a_withdrawal_is_told_again_to_who_asks_again(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    document, _ = office.issue("H41")
    first = office.report("13", document)
    assert office.report("13", document) == first
    with pytest.raises(Refusal, match=r"^delivery-final"):
        office.report("13", document, description="Lần nữa")


def test_what_was_asked_before_a_withdrawal_is_moot(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    document, answer = office.issue("H41")
    office.update(document, "H41")
    office.report("13", document)
    assert axis.requests(only(answer)) == [("update", "moot")]


# 13 on what may have been seen.


@pytest.mark.parametrize("how", ["leased", "fetched", "done", "finished"])
def test_what_may_have_been_seen_is_asked_for(axis: Axis, how: str) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    if how == "leased":
        province.claim(only(answer))
    else:
        province.fetch(only(answer))
    if how in {"done", "finished"}:
        province.done(only(answer))
    if how == "finished":
        province.report("06", document)
    before = axis.states(answer)
    told = office.report("13", document, description="Gửi nhầm")
    assert axis.states(answer) == before
    assert axis.requests(only(answer)) == [("take-back", "open")]
    newest = province.inbox()[-1]
    assert (newest["id"], newest["status_code"]) == (told["delivery"], "13")


def test_a_take_back_concerns_the_recipient_named_only(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = office.issue("H41", "H27")
    for peer, delivery in zip((nghe_an, ha_tinh), answer["deliveries"], strict=True):
        peer.receive(delivery["id"])
    first = office.report("13", document, other="H41")
    second = office.report("13", document, other="H27")
    assert first["id"] != second["id"]
    assert [row["status_code"] for row in nghe_an.inbox()] == ["13"]
    nghe_an.report("15", document)
    assert axis.states(answer) == {"H41": "delivered/cancelled", "H27": "delivered/none"}


# Answers.

ASKS = ["take-back", "revocation", "update", "replacement"]


def ask(office: Peer, ask: str, document: Document, *to: str, **changes: Any) -> tuple[str, str]:
    """Ask; gives the asking packet's own delivery and its DocumentId (none for a 13)."""
    if ask == "take-back":
        return office.report("13", document, other=to[0])["delivery"], ""
    verb = {"revocation": office.revoke, "update": office.update, "replacement": office.replace}[ask]
    answer = verb(document, *to, **changes)
    return answer["deliveries"][0]["id"], answer["document_id"]


AFTER_15 = {"take-back": "cancelled", "revocation": "cancelled", "update": "03", "replacement": "replaced"}


@pytest.mark.parametrize("asked", ASKS)
@pytest.mark.parametrize("code", ["15", "16"])
@pytest.mark.parametrize("names", ["the original", "the asking packet"])
def test_an_answer_does_what_the_request_wants(axis: Axis, asked: str, code: str, names: str) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    province.report("03", document)
    asking_delivery, asking_id = ask(office, asked, document, "H41")
    province.fetch(asking_delivery)
    named = document.document_id if names == "the original" or not asking_id else asking_id
    told = province.report(code, document_id=named, other="G22", description="Ý kiến")
    assert told["deliveries"][0]["effect"] == "answers"
    assert axis.states(answer) == {"H41": f"delivered/{AFTER_15[asked] if code == '15' else '03'}"}
    assert axis.requests(only(answer)) == [(asked, "agreed" if code == "15" else "refused")]
    assert axis.delivery(asking_delivery).state.value == "delivered"
    assert [row["status_code"] for row in office.inbox()] == ["03", code]


def test_the_end_of_the_asking_packets_own_delivery_counts_as_its_hand_over(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    asking = office.update(document, "H41")
    province.fetch(only(asking))
    province.report("15", document)
    assert axis.states(asking) == {"H41": "delivered/none"}
    assert [leaf["kind"] for leaf in axis.evidence(asking)] == ["accept", "handover"]
    assert province.inbox() == []


def test_an_asking_packet_handed_over_before_is_not_handed_over_again(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    asking = office.update(document, "H41")
    province.receive(only(asking))
    province.report("16", document)
    assert [leaf["kind"] for leaf in axis.evidence(asking)] == ["accept", "handover"]


@pytest.mark.parametrize("code", ["15", "16"])
def test_an_answer_to_nothing_open_is_refused(axis: Axis, code: str) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    with pytest.raises(Refusal, match=r"^status-not-allowed") as refused:
        province.report(code, document)
    assert refused.value.repair == "01, 03, 04, 05, 06, 02, 13"
    office.update(document, "H41")
    province.report("16", document)
    with pytest.raises(Refusal, match=r"^status-not-allowed"):
        province.report(code, document, description="Lần nữa")
    assert axis.states(answer) == {"H41": "delivered/none"}


def test_an_answer_naming_the_original_answers_the_newest_request(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    ask(office, "update", document, "H41")
    ask(office, "replacement", document, "H41")
    province.report("16", document)
    assert axis.requests(only(answer)) == [("update", "open"), ("replacement", "refused")]
    province.report("15", document)
    assert axis.requests(only(answer)) == [("update", "agreed"), ("replacement", "refused")]
    assert axis.states(answer) == {"H41": "delivered/none"}


def test_an_answer_naming_an_asking_packet_answers_that_one_though_it_is_older(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    _, update = ask(office, "update", document, "H41")
    ask(office, "replacement", document, "H41")
    province.report("15", document_id=update)
    assert axis.requests(only(answer)) == [("update", "agreed"), ("replacement", "open")]


def test_agreeing_to_the_end_leaves_nothing_else_open(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    ask(office, "update", document, "H41")
    ask(office, "take-back", document, "H41")
    province.report("15", document)
    assert axis.states(answer) == {"H41": "delivered/cancelled"}
    assert axis.requests(only(answer)) == [("update", "moot"), ("take-back", "agreed")]


def test_one_answer_to_a_revocation_of_two_documents_answers_for_both(axis: Axis) -> None:
    office, province = office_and_province(axis)
    (one, first), (two, second) = delivered(office, province), delivered(office, province)
    office.revoke(one, "H41", response_for=tuple(DocumentRef(document_id=d.document_id) for d in (one, two)))
    asking = [row for row in province.inbox() if row["kind"] == 1]
    province.report("15", document_id=asking[0]["business_id"])
    assert (axis.states(first), axis.states(second)) == (
        {"H41": "delivered/cancelled"},
        {"H41": "delivered/cancelled"},
    )


def test_an_answer_naming_one_of_two_originals_answers_for_that_one(axis: Axis) -> None:
    office, province = office_and_province(axis)
    (one, first), (two, second) = delivered(office, province), delivered(office, province)
    office.revoke(one, "H41", response_for=tuple(DocumentRef(document_id=d.document_id) for d in (one, two)))
    province.report("15", two)
    assert (axis.states(first), axis.states(second)) == ({"H41": "delivered/none"}, {"H41": "delivered/cancelled"})


def test_each_recipient_answers_for_itself(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = office.issue("H41", "H27")
    for peer, delivery in zip((nghe_an, ha_tinh), answer["deliveries"], strict=True):
        peer.receive(delivery["id"])
    asking = office.replace(document, "H41", "H27")
    nghe_an.report("15", document)
    ha_tinh.report("16", document_id=asking["document_id"])
    assert axis.states(answer) == {"H41": "delivered/replaced", "H27": "delivered/none"}
    assert axis.states(asking) == {"H41": "waiting/none", "H27": "waiting/none"}  # its files are still to be fetched


def test_an_answer_means_the_request_that_was_fetched_and_ends_no_packet_that_was_not(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    taking_back = office.report("13", document, other="H41")["delivery"]
    province.fetch(taking_back)
    replacement = office.replace(document, "H41")
    province.report("15", document)
    assert axis.states(answer) == {"H41": "delivered/cancelled"}
    assert axis.states(replacement) == {"H41": "waiting/none"}
    assert province.waiting() == [only(replacement)]


def test_a_request_whose_packet_was_withdrawn_unseen_is_moot(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    replacement = office.draft("H41", business=Business(type="3", replaced=(Replaced(document.document_id),)))
    asking = office.post(office.packet(replacement)).body
    office.report("13", replacement, other="H41")
    assert axis.states(asking) == {"H41": "withdrawn/none"}
    assert axis.requests(only(answer)) == [("replacement", "moot")]


def test_a_document_cancelled_before_it_was_confirmed_leaves_the_inbox(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    province.fetch(only(answer))
    province.fetch(office.report("13", document, other="H41")["delivery"])
    province.report("15", document)
    assert axis.states(answer) == {"H41": "delivered/cancelled"}
    assert province.inbox() == []


def test_an_answer_about_what_was_never_fetched_is_refused(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    office.update(document, "H41")
    with pytest.raises(Refusal, match=r"^status-not-allowed"):
        province.report("15", document)
    assert axis.requests(only(answer)) == [("update", "open")]


# Kind 1.


@pytest.mark.parametrize("state", ["waiting", "failed", "expired"])
def test_a_revocation_of_what_was_never_fetched_ends_both_unseen(axis: Axis, state: str) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    bring_to(axis, province, only(answer), state)
    revocation = office.revoke(document, "H41")
    assert [d["state"] for d in revocation["deliveries"]] == ["withdrawn"]
    assert (axis.states(answer), axis.states(revocation)) == ({"H41": "withdrawn/none"}, {"H41": "withdrawn/none"})
    assert province.inbox() == []
    assert [what for what, _ in office.outbox()][-2:] == ["withdrawn", "withdrawn"]


def test_a_revocation_is_decided_for_each_recipient_by_itself(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = office.issue("H41", "H27")
    nghe_an.fetch(answer["deliveries"][0]["id"])
    revocation = office.revoke(document, "H41", "H27")
    assert axis.states(answer) == {"H41": "waiting/none", "H27": "withdrawn/none"}
    assert axis.states(revocation) == {"H41": "waiting/none", "H27": "withdrawn/none"}
    assert axis.requests(answer["deliveries"][0]["id"]) == [("revocation", "open")]
    assert ha_tinh.inbox() == []


def test_a_revocation_of_something_seen_and_something_unseen_is_delivered_for_what_was_seen(axis: Axis) -> None:
    office, province = office_and_province(axis)
    (seen, first), (unseen, second) = delivered(office, province), office.issue("H41")
    named = tuple(DocumentRef(document_id=d.document_id) for d in (seen, unseen))
    revocation = office.revoke(seen, "H41", response_for=named)
    assert (axis.states(first), axis.states(second)) == ({"H41": "delivered/none"}, {"H41": "withdrawn/none"})
    assert axis.states(revocation) == {"H41": "waiting/none"}


def test_a_revocation_is_delivered_although_of_what_was_seen_nothing_is_left_to_ask(axis: Axis) -> None:
    """Of two documents one was fetched and refused; the other goes unseen."""
    office, province = office_and_province(axis)
    seen, first = delivered(office, province)
    province.report("02", seen)
    unseen, second = office.issue("H41")
    named = tuple(DocumentRef(document_id=one.document_id) for one in (seen, unseen))
    revocation = office.revoke(seen, "H41", response_for=named)
    assert [axis.states(answer) for answer in (first, second, revocation)] == [
        {"H41": "delivered/02"},
        {"H41": "withdrawn/none"},
        {"H41": "waiting/none"},
    ]


@pytest.mark.parametrize("asked", ["update", "replacement"])
def test_updates_and_replacements_never_withdraw(axis: Axis, asked: str) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    ask(office, asked, document, "H41")
    assert axis.states(answer) == {"H41": "waiting/none"}
    assert axis.requests(only(answer)) == [(asked, "open")]
    assert len(province.inbox()) == 2
