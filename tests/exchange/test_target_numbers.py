"""Packets of kinds 1, 2 and 3 that act on many deliveries at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders.axis import Axis, Peer
from builders.databases import statements, whole

from hub.domain.document import Business, Replaced
from hub.errors import Refusal
from hub.exchange import asking

PROVINCES = ["H01", "H05", "H12", "H17", "H27", "H41", "H20"]


def connected(axis: Axis) -> tuple[Peer, list[Peer]]:
    return axis.enrol("G22"), [axis.enrol(code) for code in PROVINCES]


def statements_of(axis: Axis, work: Callable[[], object]) -> int:
    """How many statements a piece of work sends to the database."""
    with statements(axis.desk.engine) as seen:
        work()
    return len(whole(statement for statement, _ in seen))


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
    assert statements_of(axis, lambda: act(few, *PROVINCES[:1])) == statements_of(axis, lambda: act(many, *PROVINCES))


def test_the_statements_of_a_resend_do_not_grow_with_what_it_opens_again(axis: Axis) -> None:
    office, _ = connected(axis)
    few, many = office.packet(office.draft(*PROVINCES[:1])), office.packet(office.draft(*PROVINCES))
    first = [office.post(packet).body for packet in (few, many)]
    axis.clock.pass_(days=31)
    axis.sweep()
    assert statements_of(axis, lambda: office.post(few)) == statements_of(axis, lambda: office.post(many))
    assert [set(axis.states(answer).values()) for answer in first] == [{"waiting/none"}] * 2


def test_the_statements_of_a_replacement_do_not_grow_with_the_documents_it_names(axis: Axis) -> None:
    office, _ = connected(axis)
    documents = [office.issue("H41")[0] for _ in range(6)]

    def replace(count: int) -> None:
        named = tuple(Replaced(document.document_id) for document in documents[:count])
        office.send("H41", business=Business(type="3", reason="Thay thế", replaced=named))

    assert statements_of(axis, lambda: replace(1)) == statements_of(axis, lambda: replace(5))


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
