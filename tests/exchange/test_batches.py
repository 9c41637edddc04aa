"""Many deliveries in one commit: each is decided as the ones before it left things, and what is refused spoils nothing
but itself (exchange/writer, hand_over, report).
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.databases import statements, whole
from builders.reports import delivered, office_and_province, only, packet_of, ref, statuses
from sqlalchemy import event, func, select

from hub.domain.delivery import Move
from hub.domain.document import DocumentRef, Organization
from hub.errors import Refusal
from hub.exchange import change, hand_over, report
from hub.exchange.hand_over import Fetch, HandOver
from hub.exchange.reported import Prepared
from hub.exchange.writer import Stale, Transaction, each
from hub.store import deliveries
from hub.store import tables as t
from hub.store.engine import reading

UNKNOWN = "0123456789abcdef01234567"


def together(axis: Axis, *works: tuple[Any, Any]) -> list[Any]:
    """What came of works that were written in one batch; a refusal by its code."""
    with axis.together():
        answers = [axis.desk.writer.submit(verb, job) for verb, job in works]
    return [came_of(answer) for answer in answers]


def came_of(answer: Future[Any]) -> Any:
    try:
        return answer.result()
    except Refusal as refused:
        return refused.code
    except Stale:
        return Stale


def reported(peer: Peer, packet: bytes) -> tuple[Any, Prepared]:
    """A report that is checked now, and may be written later."""
    axis = peer.axis
    prepared = report.prepare(packet, peer.submission(packet), axis.desk.rosters.current(now=True), axis.clock())
    return report.commit, replace(prepared, body=packet)


def rows(axis: Axis) -> dict[str, int]:
    with reading(axis.desk.engine) as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in t.metadata.sorted_tables
        }


def what(axis: Axis, delivery_id: str) -> list[str]:
    """What happened to a delivery, in order."""
    return [row["what"] for row in axis.events(delivery_id)]


def test_what_is_refused_in_a_batch_spoils_only_itself(axis: Axis) -> None:
    office, province = office_and_province(axis)
    ministry = axis.enrol("G12")
    kept, unfetched, claimed, other = (only(office.send(to)) for to in ("H41", "H41", "H41", "G12"))
    province.fetch(kept)
    province.fetch(claimed)
    lease = province.claim(claimed)["lease"]
    ministry.fetch(other)
    ids = [kept, unfetched, UNKNOWN, other, claimed]
    done = [(hand_over.done, HandOver(province.system_id, one, "0" * 24 if one == claimed else None)) for one in ids]
    answers = together(axis, *done, (hand_over.done, HandOver(UNKNOWN, kept)))
    document = axis.delivery(kept).document_id
    (receipt,) = (row["receipt"] for row in axis.evidence({"id": document}) if row["kind"] == "handover")
    assert answers == [
        {"id": kept, "document": document, "state": "delivered", "receipt": receipt},
        "delivery-not-fetched",
        "not-found",
        "not-found",
        "lease-lost",
        "not-authenticated",
    ]
    assert [axis.delivery(one).state for one in (kept, unfetched, claimed, other)] == [
        "delivered", "waiting", "taken", "waiting",
    ]  # fmt: skip
    assert [what(axis, one) for one in (unfetched, other)] == [[], ["fetch"]]
    assert province.done(claimed, lease)["state"] == "delivered"


def test_a_batch_of_nothing_but_refusals_writes_nothing(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    before = rows(axis)
    on_nothing = reported(province, packet_of(province, status="01", response_for=ref(document)))
    works = [
        (hand_over.fetch, Fetch(province.system_id, (only(answer), UNKNOWN))),
        (hand_over.done, HandOver(province.system_id, only(answer))),
        (hand_over.failed, HandOver(province.system_id, only(answer), lease="1" * 24)),
        (hand_over.claim, HandOver(province.system_id, UNKNOWN)),
        on_nothing,
    ]
    refused = ["not-found", "delivery-not-fetched", "lease-lost", "not-found", "status-not-allowed"]
    assert together(axis, *works) == refused
    assert rows(axis) == before


def test_two_who_confirm_one_delivery_at_once_get_one_answer_and_it_is_told_once(axis: Axis) -> None:
    office, province = office_and_province(axis)
    delivery = only(office.send("H41"))
    province.fetch(delivery)
    first, second = together(axis, *[(hand_over.done, HandOver(province.system_id, delivery))] * 2)
    assert first == second
    assert what(axis, delivery) == ["fetch", "done"]
    assert office.outbox() == [("delivered", "none")]
    assert rows(axis)["evidence"] == 2  # of the acceptance and of the hand-over


def test_of_two_who_claim_one_delivery_at_once_one_gets_it(axis: Axis) -> None:
    office, province = office_and_province(axis)
    delivery = only(office.send("H41"))
    first, second = together(axis, *[(hand_over.claim, HandOver(province.system_id, delivery))] * 2)
    assert (first["lease"], second) == (axis.delivery(delivery).lease, "lease-held")


def test_five_failures_at_once_are_five_attempts(axis: Axis) -> None:
    office, province = office_and_province(axis)
    delivery = only(office.send("H41"))
    job = HandOver(province.system_id, delivery, reason="Hết chỗ")
    answers = together(axis, *[(hand_over.failed, job)] * 6)
    assert [(answer["state"], answer["attempts"]) for answer in answers] == [
        ("waiting", 1), ("waiting", 2), ("waiting", 3), ("waiting", 4), ("failed", 5), ("failed", 5),
    ]  # fmt: skip
    assert what(axis, delivery) == ["attempt"] * 4 + ["fail"]
    assert office.outbox() == [("failed", "none")]


def test_of_two_fetches_at_once_both_are_noted_and_the_first_counts(axis: Axis) -> None:
    office, province = office_and_province(axis)
    delivery = only(office.send("H41"))
    together(axis, *[(hand_over.fetch, Fetch(province.system_id, (delivery,)))] * 2)
    assert what(axis, delivery) == ["fetch", "fetch"]
    assert axis.delivery(delivery).fetched_at == axis.clock()


def test_a_delivery_that_is_over_in_one_batch_leaves_no_trace_of_its_lease(axis: Axis) -> None:
    office, province = office_and_province(axis)
    delivery = only(office.send("H41"))
    province.fetch(delivery)
    works = [(verb, HandOver(province.system_id, delivery)) for verb in (hand_over.claim, hand_over.done)]
    claimed, done = together(axis, *works)
    assert (len(claimed["lease"]), done["state"]) == (24, "delivered")
    assert (axis.delivery(delivery).lease, what(axis, delivery)) == (None, ["fetch", "take", "done"])


def test_the_same_report_twice_at_once_is_a_report_and_a_repeat(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    said = {"status": "01", "response_for": ref(document)}
    commits: list[Any] = []
    event.listen(axis.desk.engine, "commit", commits.append)
    first, second = together(axis, *(reported(province, packet_of(province, **said)) for _ in range(2)))
    assert (first.new, second.new, second.body) == (True, False, first.body)
    assert statuses(office) == ["01"]
    assert len(commits) == 2  # the one that held the writer, and the batch: it was not done again one by one


def test_reports_on_one_document_at_once_are_applied_one_after_the_other(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    codes = ("03", "01", "13", "05", "15", "04")
    peers = [office if code == "13" else province for code in codes]
    named = ref(document, organ_id="")
    works = [
        reported(peer, packet_of(peer, status=code, description="Sai", response_for=named))
        for peer, code in zip(peers, codes, strict=True)
    ]
    came = together(axis, *works)
    effects = [part["effect"] for one in came for part in one.body["deliveries"]]
    assert effects == ["moves", "recorded", "asks", "moves", "answers", "recorded"]
    assert axis.states(answer) == {"H41": "delivered/cancelled"}
    assert statuses(office) == ["03", "05", "15"]
    assert axis.requests(only(answer)) == [("take-back", "agreed")]


def test_a_report_is_the_receipt_of_what_was_fetched_in_the_same_batch(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    said = reported(province, packet_of(province, status="01", response_for=ref(document)))
    _, came = together(axis, (hand_over.fetch, Fetch(province.system_id, (only(answer),))), said)
    assert (came.new, axis.states(answer)) == (True, {"H41": "delivered/01"})
    assert office.outbox() == [("delivered", "none"), ("status", "01")]


def test_reports_written_at_once_each_mean_what_they_would_mean_alone(axis: Axis) -> None:
    office, province, platform = axis.enrol("G22"), axis.enrol("H41"), axis.enrol("H27")
    board = axis.enrol("G12")
    by_id, told_apart = delivered(office, province)
    _, numbered = delivered(office, province, number="15")
    same, ours = delivered(office, province, document_id="chung")
    _, theirs = delivered(board, province, document_id="chung")
    broadcast, to_all = office.issue("H41", "H27", "H27.01")
    for peer, delivery in zip((province, platform, platform), to_all["deliveries"], strict=True):
        peer.receive(delivery["id"])
    never, unfetched = office.issue("H27")
    said: list[tuple[Peer, dict[str, Any]]] = [
        (province, {"response_for": ref(by_id)}),
        (province, {"response_for": DocumentRef("G22", code="15/VP", promulgation_date="2025/09/30")}),
        (province, {"response_for": DocumentRef("", document_id="chung")}),
        (province, {"response_for": ref(same, organ_id="G12")}),
        (province, {"response_for": ref(broadcast)}),
        (platform, {"response_for": ref(broadcast)}),
        (platform, {"response_for": ref(broadcast), "sender": Organization(organ_id="H27.01")}),
        (platform, {"response_for": ref(by_id)}),
        (platform, {"response_for": ref(never)}),
        (province, {"response_for": DocumentRef("", document_id="số lạ")}),
    ]
    came = together(axis, *(reported(peer, packet_of(peer, **({"status": "03"} | one))) for peer, one in said))
    assert [one if isinstance(one, str) else one.body["document"] for one in came] == [
        told_apart["id"], numbered["id"], "status-ambiguous", theirs["id"], *[to_all["id"]] * 3,
        "status-document-unknown", "status-not-allowed", "status-document-unknown",
    ]  # fmt: skip
    assert axis.states(to_all) == dict.fromkeys(("H41", "H27", "H27.01"), "delivered/03")
    assert (axis.states(ours), axis.states(unfetched)) == ({"H41": "delivered/none"}, {"H27": "waiting/none"})
    assert (statuses(office), statuses(board)) == (["03"] * 5, ["03"])


def test_who_fetches_confirms_and_reports_at_once_has_done_all_of_it(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    delivery = only(answer)
    job = HandOver(province.system_id, delivery)
    said = reported(province, packet_of(province, status="02", description="Sai", response_for=ref(document)))
    with statements(axis.desk.engine) as seen:
        _, done, came = together(
            axis, (hand_over.fetch, Fetch(province.system_id, (delivery,))), (hand_over.done, job), said
        )
    assert (done["state"], came.body["deliveries"][0]["state"]) == ("delivered", "delivered")
    assert axis.states(answer) == {"H41": "delivered/02"}
    assert what(axis, delivery) == ["fetch", "done", "status"]
    assert axis.delivery(delivery).fetched_at == axis.clock()
    assert office.outbox() == [("delivered", "none"), ("status", "02")]
    assert sum(statement.startswith("INSERT INTO event") for statement, _ in seen) <= 2


def test_reports_checked_before_the_directory_changed_are_checked_again_and_the_others_taken(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    old = reported(province, packet_of(province, status="01", response_for=ref(document)))
    axis.enrol("G12")
    new = reported(province, packet_of(province, status="03", response_for=ref(document)))
    stale, taken = together(axis, old, new)
    assert (stale, taken.new, statuses(office)) == (Stale, True, ["03"])


def test_a_batch_of_thirty_takes_no_more_statements_than_one_of_ten(axis: Axis) -> None:
    office, province = office_and_province(axis)
    counts: dict[str, list[int]] = {"fetch": [], "done": []}
    executed: list[str] = []
    event.listen(axis.desk.engine, "before_cursor_execute", lambda _c, _x, text, *_rest: executed.append(text))
    for size in (10, 30):
        ids = [only(office.send("H41")) for _ in range(size)]
        for name, works in (
            ("fetch", [(hand_over.fetch, Fetch(province.system_id, (one,))) for one in ids]),
            ("done", [(hand_over.done, HandOver(province.system_id, one)) for one in ids]),
        ):
            executed.clear()
            together(axis, *works)
            counts[name].append(len(whole(executed)))
    assert all(ten == thirty for ten, thirty in counts.values()), counts


def test_verbs_that_alternate_in_a_batch_are_done_and_written_at_once(axis: Axis) -> None:
    office, province = office_and_province(axis)
    kept = [only(office.send("H41")) for _ in range(5)]
    new = [only(office.send("H41")) for _ in range(5)]
    province.fetch(*kept)
    seen: list[str] = []
    event.listen(axis.desk.engine, "before_cursor_execute", lambda _c, _x, text, *_rest: seen.append(text))
    works = [
        work
        for done, fetched in zip(kept, new, strict=True)
        for work in (
            (hand_over.done, HandOver(province.system_id, done)),
            (hand_over.fetch, Fetch(province.system_id, (fetched,))),
        )
    ]
    answers = together(axis, *works)
    assert [answer if isinstance(answer, str) else answer["id"] for answer in answers] == [
        value for done, fetched in zip(kept, new, strict=True) for value in (done, axis.delivery(fetched).document_id)
    ]
    assert len([text for text in whole(seen) if text.startswith("INSERT INTO event")]) == 1


@each
def noted_and_refused(tx: Transaction, job: tuple[str, bool]) -> str:
    """Notes something of a delivery, and may think better of it."""
    delivery_id, refuses = job
    delivery = deliveries.get(tx.connection, delivery_id)
    assert delivery is not None
    change.note(tx, delivery, "fetch", by=None, attempts=delivery.attempts + 1)
    if refuses:
        raise Refusal("busy")
    return delivery_id


def test_what_a_refused_job_had_decided_is_forgotten(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    delivery = only(office.send("H41"))
    jobs = [(delivery, refuses) for refuses in (False, True, False, True)]
    assert together(axis, *((noted_and_refused, job) for job in jobs)) == [delivery, "busy", delivery, "busy"]
    assert (axis.delivery(delivery).attempts, what(axis, delivery)) == (2, ["fetch", "fetch"])


def noted_from_memory(tx: Transaction, jobs: list[str]) -> list[Any]:
    """Notes two things of a delivery, the second as if the first had not been."""
    for delivery_id in jobs:
        delivery = deliveries.get(tx.connection, delivery_id)
        assert delivery is not None
        change.note(tx, delivery, "attempt", by=None, attempts=delivery.attempts + 1)
        change.note(tx, delivery, "fetch", by=None, fetched_at=tx.now)
    return jobs


def test_a_change_decided_from_an_old_row_is_caught_though_its_state_is_the_same(axis: Axis) -> None:
    """Only states were compared: the second change wrote the first one's column back to what it had been."""
    office, _ = office_and_province(axis)
    delivery = only(office.send("H41"))
    before = rows(axis), axis.delivery(delivery)
    with pytest.raises(RuntimeError, match="decided from what is no longer so"):
        axis.desk.writer.run(noted_from_memory, delivery)
    assert (rows(axis), axis.delivery(delivery)) == before


def copied_and_failed(tx: Transaction, jobs: list[str]) -> list[str]:
    """A delivery that is made and ends in one transaction."""
    made = []
    for delivery_id in jobs:
        delivery = deliveries.get(tx.connection, delivery_id)
        assert delivery is not None
        new = replace(delivery, id=tx.new_id(), seq=tx.next_seq(), recipient="G12")
        tx.decided.deliveries.append(deliveries.row_of(new))
        made.append(change.move(tx, new, Move.FAIL).id)
    return made


def test_the_end_of_a_delivery_that_is_not_written_yet_is_told_to_its_sender(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    made = axis.desk.writer.run(copied_and_failed, only(office.send("H41")))
    assert (axis.delivery(made).state, office.outbox()) == ("failed", [("failed", "none")])


@pytest.mark.parametrize("status", ["01", "16"])
def test_a_pared_document_that_is_reported_on_is_again_in_its_time(axis: Axis, status: str) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    if status == "16":
        office.report("13", document, other="H41")
    pare(axis, answer["id"])
    province.report(status, document)
    assert axis.document(answer["id"])["pared"] == 0


def pare(axis: Axis, document_id: str) -> None:
    """As when its packets were removed."""

    def verb(tx: Transaction, _jobs: list[None]) -> list[None]:
        tx.connection.execute(t.document.update().where(t.document.c.id == document_id).values(pared=1))
        return [None]

    axis.desk.writer.run(verb, None)
