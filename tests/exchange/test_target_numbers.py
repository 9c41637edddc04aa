"""Packets of kinds 1, 2 and 3 that act on many deliveries at once."""

from __future__ import annotations

from typing import Any

import pytest
from builders.axis import Axis, Peer
from sqlalchemy import event

from hub.domain.document import Business, DocumentRef, Replaced
from hub.errors import Refusal
from hub.exchange import asking

PROVINCES = ["H01", "H05", "H12", "H17", "H27", "H41", "H20"]


def connected(axis: Axis) -> tuple[Peer, list[Peer]]:
    return axis.enrol("G22"), [axis.enrol(code) for code in PROVINCES]


def statements(axis: Axis, work: Any) -> int:
    """How many statements a piece of work sends to the database."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(axis.desk.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(axis.desk.engine, "before_cursor_execute", note)
    return len(seen)


def test_a_broadcast_nobody_fetched_is_revoked_unseen_by_everybody(axis: Axis) -> None:
    office, provinces = connected(axis)
    document, answer = office.issue(*PROVINCES)
    packet = office.revoke(document, *PROVINCES)
    assert set(axis.states(answer).values()) == set(axis.states(packet).values()) == {"withdrawn/none"}
    assert [province.inbox() for province in provinces] == [[]] * 7
    assert [what for what, _ in office.outbox()] == ["withdrawn"] * 14


@pytest.mark.parametrize("kind", ["1", "2", "3"])
def test_the_statements_of_one_packet_do_not_grow_with_the_recipients_it_asks(axis: Axis, kind: str) -> None:
    office, _ = connected(axis)
    act = {"1": office.revoke, "2": office.update, "3": office.replace}[kind]
    few, many = office.issue(*PROVINCES[:1])[0], office.issue(*PROVINCES)[0]
    assert statements(axis, lambda: act(few, *PROVINCES[:1])) == statements(axis, lambda: act(many, *PROVINCES))


def test_the_statements_of_a_resend_do_not_grow_with_what_it_opens_again(axis: Axis) -> None:
    office, _ = connected(axis)
    few, many = office.packet(office.draft(*PROVINCES[:1])), office.packet(office.draft(*PROVINCES))
    first = [office.post(packet).body for packet in (few, many)]
    axis.clock.pass_(days=31)
    axis.sweep()
    assert statements(axis, lambda: office.post(few)) == statements(axis, lambda: office.post(many))
    assert [set(axis.states(answer).values()) for answer in first] == [{"waiting/none"}] * 2


def test_the_statements_of_a_replacement_do_not_grow_with_the_documents_it_names(axis: Axis) -> None:
    office, _ = connected(axis)
    documents = [office.issue("H41")[0] for _ in range(6)]

    def replace(count: int) -> None:
        named = tuple(Replaced(document.document_id) for document in documents[:count])
        office.send("H41", business=Business(type="3", reason="Thay thế", replaced=named))

    assert statements(axis, lambda: replace(1)) == statements(axis, lambda: replace(5))


def test_a_packet_that_acts_on_too_many_deliveries_is_refused_whole(
    axis: Axis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_CONCERNED", 6)
    office, provinces = connected(axis)
    document, answer = office.issue(*PROVINCES)
    with pytest.raises(Refusal, match=r"^too-many-concerned") as refused:
        office.revoke(document, *PROVINCES)
    assert refused.value.violations[0].pointer == "MessageHeader/ResponseFor[1]/DocumentId"
    assert set(axis.states(answer).values()) == {"waiting/none"}
    office.revoke(document, *PROVINCES[1:])
    assert [len(province.inbox()) for province in provinces] == [1, 0, 0, 0, 0, 0, 0]


def test_a_revocation_is_delivered_where_something_of_what_it_names_was_seen(axis: Axis) -> None:
    """Of two documents one was fetched and refused, so nothing is left to ask about it; the other goes unseen."""
    office = axis.enrol("G22")
    nghe_an = axis.enrol("H41")
    seen, first = office.issue("H41")
    nghe_an.receive(first["deliveries"][0]["id"])
    nghe_an.report("02", seen)
    unseen, second = office.issue("H41")
    named = tuple(DocumentRef(document_id=one.document_id) for one in (seen, unseen))
    packet = office.send("H41", business=Business(type="1", reason="Thu hồi"), response_for=named)
    assert [axis.states(answer) for answer in (first, second, packet)] == [
        {"H41": "delivered/02"},
        {"H41": "withdrawn/none"},
        {"H41": "waiting/none"},
    ]
