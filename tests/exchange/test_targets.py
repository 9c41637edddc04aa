"""What packets of kinds 1, 2 and 3 act on (exchange rules 4, second table)."""

from __future__ import annotations

from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.reports import office_and_provinces, only

from hub.domain.document import Business, Document, DocumentRef, Replaced
from hub.errors import Refusal
from hub.store import documents
from hub.store.engine import reading

KINDS = ["1", "2", "3"]
ASK = {"1": "revocation", "2": "update", "3": "replacement"}
POINTER = {
    "1": "MessageHeader/ResponseFor[1]/DocumentId",
    "2": "TraceHeaderList/Bussiness/DocumentId",
    "3": "TraceHeaderList/Bussiness/ReplacementInfoList/ReplacementInfo[1]/DocumentId",
}


def act(peer: Peer, kind: str, target: Document, *to: str, **changes: Any) -> dict[str, Any]:
    return {"1": peer.revoke, "2": peer.update, "3": peer.replace}[kind](target, *to, **changes)


def sent(office: Peer, *to: Peer, **changes: Any) -> tuple[Document, dict[str, Any]]:
    """A document every recipient keeps."""
    document, answer = office.issue(*(peer.code for peer in to), **changes)
    for peer, delivery in zip(to, answer["deliveries"], strict=True):
        peer.receive(delivery["id"])
    return document, answer


def asked(axis: Axis, answer: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """What is asked about a document, by recipient."""
    return {delivery["to"]: axis.requests(delivery["id"]) for delivery in answer["deliveries"]}


def links(axis: Axis, answer: dict[str, Any]) -> set[str]:
    """The documents a packet acts on."""
    with reading(axis.desk.engine) as connection:
        rows = documents.links_of(connection, answer["id"])
    return {row["target_id"] for row in rows if row["document_id"] == answer["id"]}


def unknown(answer: dict[str, Any]) -> list[str]:
    """The targets warned of as unknown."""
    return [warning["value"] for warning in answer["warnings"] if warning["rule"] == "target-unknown"]


def references(*targets: Document, **changes: str) -> tuple[DocumentRef, ...]:
    return tuple(DocumentRef(document_id=target.document_id, **changes) for target in targets)


@pytest.mark.parametrize("kind", KINDS)
def test_the_senders_own_document_is_linked_and_each_named_recipient_asked(axis: Axis, kind: str) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = sent(office, nghe_an, ha_tinh)
    packet = act(office, kind, document, "H41")
    assert links(axis, packet) == {answer["id"]}
    assert asked(axis, answer) == {"H41": [(ASK[kind], "open")], "H27": []}
    assert (len(nghe_an.inbox()), len(ha_tinh.inbox())) == (1, 0)
    assert unknown(packet) == []


@pytest.mark.parametrize("kind", KINDS)
def test_recipients_who_never_had_the_document_just_get_the_packet(axis: Axis, kind: str) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = sent(office, nghe_an)
    packet = act(office, kind, document, "H27")
    assert asked(axis, answer) == {"H41": []}
    assert len(ha_tinh.inbox()) == 1
    assert links(axis, packet) == {answer["id"]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_final_delivery_stays_as_it_is(axis: Axis, kind: str) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = sent(office, nghe_an, ha_tinh)
    nghe_an.report("02", document)
    packet = act(office, kind, document, "H41", "H27")
    assert asked(axis, answer) == {"H41": [], "H27": [(ASK[kind], "open")]}
    assert axis.states(packet) == {"H41": "waiting/none", "H27": "waiting/none"}
    assert axis.states(answer) == {"H41": "delivered/02", "H27": "delivered/none"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_hub_does_not_know_is_warned_of_and_the_packet_delivered(axis: Axis, kind: str) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    older = office.draft("H41", document_id="trước khi có trục")
    packet = act(office, kind, older, "H41")
    assert unknown(packet) == ["trước khi có trục"]
    assert (len(nghe_an.inbox()), links(axis, packet)) == (1, set())


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_of_another_sender_cannot_be_acted_on(axis: Axis, kind: str) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = sent(office, nghe_an)
    with pytest.raises(Refusal, match=r"^not-your-document") as refused:
        act(ha_tinh, kind, document, "H41")
    assert [(v.pointer, v.value) for v in refused.value.violations] == [(POINTER[kind], document.document_id)]
    assert asked(axis, answer) == {"H41": []}
    assert nghe_an.inbox() == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_own_document_counts_although_another_sender_used_the_same_id(axis: Axis, kind: str) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, ours = sent(office, nghe_an, document_id="chung")
    _, theirs = sent(ha_tinh, nghe_an, document_id="chung")
    packet = act(office, kind, document, "H41")
    assert links(axis, packet) == {ours["id"]}
    assert (asked(axis, ours), asked(axis, theirs)) == ({"H41": [(ASK[kind], "open")]}, {"H41": []})


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_blocks_what_a_sender_does_to_its_older_documents_by_using_their_ids_first(
    axis: Axis, kind: str
) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    older = office.draft("H41", number="9")  # sent before there was this hub
    ha_tinh.send("H41", document_id=older.document_id, number="9")
    packet = act(office, kind, older, "H41")
    assert unknown(packet) == [older.document_id]
    assert len(nghe_an.inbox()) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_is_found_however_its_id_is_spelled(axis: Axis, kind: str) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    _, answer = sent(office, nghe_an, number="9")
    packet = act(office, kind, office.draft("H41", document_id="000.00.00.G22, 2025-9-30, 9/VP"), "H41")
    assert links(axis, packet) == {answer["id"]}


# Update.


def test_an_update_without_a_target_of_its_own_updates_the_document_of_its_own_id(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    document, answer = sent(office, nghe_an)
    packet = office.send(
        "H41", document_id=document.document_id, number="1", business=Business(type="2", reason="Cập nhật")
    )
    assert links(axis, packet) == {answer["id"]}
    assert asked(axis, answer) == {"H41": [("update", "open")]}


def test_an_update_looks_at_its_own_target_only(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    document, first = sent(office, nghe_an)
    other, second = sent(office, nghe_an)
    packet = office.update(other, "H41", document_id=document.document_id, response_for=references(document))
    assert links(axis, packet) == {second["id"]}
    assert (asked(axis, first), asked(axis, second)) == ({"H41": []}, {"H41": [("update", "open")]})


# Replacement.


def test_a_replacement_concerns_the_agencies_listed_as_far_as_they_are_addressed(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    can_tho = axis.enrol("H13")
    document, answer = sent(office, nghe_an, ha_tinh, can_tho)
    office.replace(document, "H41", "H27", only=("000.00.00.H41", "H13"))
    assert asked(axis, answer) == {"H41": [("replacement", "open")], "H27": [], "H13": []}
    assert (len(nghe_an.inbox()), len(ha_tinh.inbox()), len(can_tho.inbox())) == (1, 1, 0)


def test_a_replacement_that_lists_only_agencies_it_does_not_address_asks_nobody(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = sent(office, nghe_an, ha_tinh)
    office.replace(document, "H41", only=("H27",))
    assert asked(axis, answer) == {"H41": [], "H27": []}


def replacing(*targets: Replaced) -> Business:
    return Business(type="3", reason="Thay thế", replaced=targets)


def test_a_replacement_of_several_documents_asks_about_each_for_its_own_agencies(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    one, first = sent(office, nghe_an, ha_tinh)
    two, second = sent(office, nghe_an, ha_tinh)
    business = replacing(Replaced(one.document_id, ("H41",)), Replaced(two.document_id))
    packet = office.send("H41", "H27", business=business)
    assert links(axis, packet) == {first["id"], second["id"]}
    assert asked(axis, first) == {"H41": [("replacement", "open")], "H27": []}
    assert asked(axis, second) == {"H41": [("replacement", "open")], "H27": [("replacement", "open")]}


def test_each_unknown_target_of_a_replacement_is_warned_of(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    document, _ = sent(office, nghe_an)
    lost = [Replaced("mất 1"), Replaced("mất 2")]
    for targets in ([*lost], [Replaced(document.document_id), *lost]):
        packet = office.send("H41", business=replacing(*targets))
        assert unknown(packet) == ["mất 1", "mất 2"]


# Revocation.


def test_a_revocation_acts_on_each_own_document_it_refers_to_once(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    one, first = sent(office, nghe_an)
    two, second = sent(office, nghe_an)
    packet = office.revoke(one, "H41", response_for=references(one, two, one))
    assert links(axis, packet) == {first["id"], second["id"]}
    assert (asked(axis, first), asked(axis, second)) == (
        {"H41": [("revocation", "open")]},
        {"H41": [("revocation", "open")]},
    )
    assert len(nghe_an.inbox()) == 1


def test_the_letter_a_revocation_answers_is_only_a_reference(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, own = sent(office, nghe_an)
    letter, theirs = sent(ha_tinh, nghe_an)
    packet = office.revoke(document, "H41", response_for=references(letter, document))
    assert links(axis, packet) == {own["id"]}
    assert (asked(axis, theirs), unknown(packet)) == ({"H41": []}, [])


@pytest.mark.parametrize("refers", [False, True])
def test_a_revocation_that_refers_to_nothing_own_acts_on_the_document_of_its_own_id(axis: Axis, refers: bool) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = sent(office, nghe_an)
    letter, _ = sent(ha_tinh, nghe_an)
    named = references(letter) if refers else ()
    packet = office.revoke(document, "H41", document_id=document.document_id, number="1", response_for=named)
    assert links(axis, packet) == {answer["id"]}
    assert asked(axis, answer) == {"H41": [("revocation", "open")]}


def test_a_revocation_that_refers_to_an_own_document_leaves_the_one_of_its_own_id_alone(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    one, first = sent(office, nghe_an)
    two, second = sent(office, nghe_an)
    packet = office.revoke(two, "H41", document_id=one.document_id)
    assert links(axis, packet) == {second["id"]}
    assert (asked(axis, first), asked(axis, second)) == ({"H41": []}, {"H41": [("revocation", "open")]})


def test_a_revocation_meant_for_one_year_leaves_the_same_id_of_another_year_alone(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    old, older = sent(office, nghe_an, document_id="G22-5", number="5", date="2024/12/31")
    _, newer = sent(office, nghe_an, document_id="G22-5", number="5", date="2025/01/02")
    packet = office.revoke(old, "H41")
    assert links(axis, packet) == {older["id"]}
    assert (asked(axis, older), asked(axis, newer)) == ({"H41": [("revocation", "open")]}, {"H41": []})


def test_a_second_revocation_under_the_id_of_a_first_is_no_revocation_of_anothers_document(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    older = office.draft("H41", document_id="trước khi có trục")
    first = office.revoke(older, "H41", document_id="thu hồi", number="1")
    second = office.revoke(older, "H41", document_id="thu hồi", number="1", content="Bổ sung lý do")
    assert first["id"] != second["id"]
    assert unknown(second) == ["trước khi có trục"]
    assert len(nghe_an.inbox()) == 2


def already(axis: Axis, office: Peer, province: Peer, how: str) -> tuple[Document, dict[str, Any]]:
    """A document that has ended at the province."""
    if how == "withdrawn":
        document, answer = office.issue(province.code)
        office.report("13", document)
        return document, answer
    document, answer = sent(office, province)
    if how == "cancelled":
        office.report("13", document)
    else:
        office.replace(document, province.code)
    province.report("15", document)
    return document, answer


@pytest.mark.parametrize("how", ["cancelled", "replaced", "withdrawn"])
def test_what_is_revoked_already_cannot_be_revoked_again(axis: Axis, how: str) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    document, answer = already(axis, office, nghe_an, how)
    left = len(nghe_an.inbox())
    with pytest.raises(Refusal, match=r"^already-revoked") as refused:
        office.revoke(document, "H41")
    assert [(v.pointer, v.value) for v in refused.value.violations] == [(POINTER["1"], document.document_id)]
    assert len(nghe_an.inbox()) == left
    assert "open" not in {outcome for _, outcome in asked(axis, answer)["H41"]}


def test_a_revocation_with_one_recipient_left_is_accepted(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = sent(office, nghe_an, ha_tinh)
    office.report("13", document, other="H41")
    nghe_an.report("15", document)
    with pytest.raises(Refusal, match=r"^already-revoked"):
        office.revoke(document, "H41")
    office.revoke(document, "H41", "H27")
    assert asked(axis, answer) == {"H41": [("take-back", "agreed")], "H27": [("revocation", "open")]}


def test_a_document_the_recipient_refused_may_be_revoked(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    document, answer = sent(office, nghe_an)
    nghe_an.report("02", document)
    office.revoke(document, "H41")
    assert asked(axis, answer) == {"H41": []}
    assert len(nghe_an.inbox()) == 1


@pytest.mark.parametrize("fetched", [False, True])
def test_the_same_revocation_again_gets_the_first_answer(axis: Axis, fetched: bool) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    document, answer = sent(office, nghe_an) if fetched else office.issue("H41")
    packet = office.packet(
        office.draft("H41", business=Business(type="1", reason="Thu hồi"), response_for=references(document))
    )
    first = office.post(packet)
    if fetched:
        nghe_an.report("15", document)
    again = office.post(packet)
    assert (first.new, again.new) == (True, False)
    assert again.body["id"] == first.body["id"]
    assert len(axis.requests(only(answer))) == int(fetched)


def test_a_repeated_revocation_with_a_new_recipient_asks_that_one_too(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    document, answer = sent(office, nghe_an, ha_tinh)
    same: dict[str, Any] = {"document_id": "thu hồi", "number": "50"}
    first = office.revoke(document, "H41", **same)
    again = office.revoke(document, "H41", "H27", **same)
    assert again["id"] == first["id"]
    assert asked(axis, answer) == {"H41": [("revocation", "open")], "H27": [("revocation", "open")]}
    assert links(axis, again) == {answer["id"]}


@pytest.mark.parametrize("kind", ["2", "3"])
@pytest.mark.parametrize("how", ["02", "cancelled", "replaced", "withdrawn"])
def test_updates_and_replacements_are_taken_whatever_became_of_their_target(axis: Axis, kind: str, how: str) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    if how == "02":
        document, answer = sent(office, nghe_an)
        nghe_an.report("02", document)
    else:
        document, answer = already(axis, office, nghe_an, how)
    before = axis.states(answer)
    packet = act(office, kind, document, "H41")
    assert links(axis, packet) == {answer["id"]}
    assert axis.states(answer) == before
    assert axis.states(packet) == {"H41": "waiting/none"}
