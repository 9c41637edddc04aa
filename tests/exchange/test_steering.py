"""What operators do to deliveries: every action in every state, what the parties and the audit are told of it."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from builders.axis import Axis, Peer
from builders.reports import bring_to, delivered, office_and_province, one_on_its_way, only, packet_of, ref
from builders.steered import BY, DONE, REASON, a_wish, an_order, audited, expiry_of, look, order, outcomes, run_of

from hub.domain.delivery import Transport
from hub.domain.steering import Action
from hub.errors import Refusal
from hub.exchange import steering
from hub.store.engine import reading
from hub.store.steering import acted

STATES = tuple(state.value for state in Transport)
# Action and state before: the state after, or why it is left as it is.
CELLS = {
    "release": ("not-held", ">waiting", "delivered", "not-held", "not-held", "withdrawn"),
    "again": ("waits", "held", "delivered", ">waiting", ">waiting", "withdrawn"),
    "extend": (">waiting", ">taken", "delivered", "failed", ">waiting", "withdrawn"),
    "undeliverable": (">failed", ">failed", "delivered", "failed", "expired", "withdrawn"),
}
TABLE = [
    (action, state, fetched, cell)
    for action, row in CELLS.items()
    for (state, cell), fetched in product(zip(STATES, row, strict=True), (False, True))
    if not (state == "withdrawn" and fetched) and not (state == "delivered" and not fetched)
]


def bring(axis: Axis, office: Peer, province: Peer, state: str, *, fetched: bool) -> str:
    """A delivery in a state, a while ago."""
    document, answer = office.issue("H41")
    delivery = only(answer)
    if state == "withdrawn":
        office.report("13", document, other="H41")
    else:
        if fetched and state != "delivered":
            province.fetch(delivery)
        if state == "failed" and fetched:
            province.failed(delivery)
        else:
            bring_to(axis, province, delivery, state)
    axis.clock.pass_(seconds=10)
    assert (axis.delivery(delivery).state.value, axis.delivery(delivery).fetched) == (state, fetched)
    return delivery


@pytest.mark.parametrize(("action", "state", "fetched", "cell"), TABLE)
def test_every_action_in_every_state(axis: Axis, action: str, state: str, fetched: bool, cell: str) -> None:
    office, province = office_and_province(axis)
    delivery = bring(axis, office, province, state, fetched=fetched)
    before, told, events = axis.delivery(delivery), office.entries(), axis.events(delivery)
    foreseen, (outcome,) = look(axis, action, [delivery]), order(axis, action, delivery)
    after, added = axis.delivery(delivery), office.entries()[len(told) :]
    if not cell.startswith(">"):
        assert (foreseen, outcome) == ({"fit": 0, cell: 1}, cell)
        assert (after, added, axis.events(delivery), audited(axis)) == (before, [], events, [])
        return
    assert (foreseen, outcome, after.state.value) == ({"fit": 1}, DONE, cell[1:])
    assert (after.fetched_at, after.status, after.system_id) == (before.fetched_at, before.status, province.system_id)
    assert [(event["state_before"], event["state_after"]) for event in axis.events(delivery)[len(events) :]] == [
        (state, cell[1:])
    ]
    told_of = {"failed": ["failed"], "waiting": ["waiting"] if state in ("failed", "expired") else []}
    assert [entry["what"] for entry in added] == told_of.get(cell[1:], [])
    [entry] = audited(axis)
    assert (entry["operator"], entry["subject"], entry["reason"]) == (BY, delivery, REASON)
    assert (delivery in province.waiting()) == (cell == ">waiting")


def test_every_cell_was_tried() -> None:
    assert {action for action, *_ in TABLE} == set(Action)
    assert len(TABLE) == 4 * (2 * len(STATES) - 2)


# What each one comes to.


def test_a_released_delivery_is_listed_at_once_and_the_old_lease_is_lost(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    lease, seq = province.claim(delivery)["lease"], axis.delivery(delivery).seq
    axis.clock.pass_(seconds=10)
    assert province.waiting() == []
    order(axis, "release", delivery)
    assert province.waiting(seq) == [delivery]
    with pytest.raises(Refusal, match=r"^lease-lost"):
        province.failed(delivery, lease=lease)


def test_what_is_delivered_again_goes_the_first_way_and_has_all_its_time_and_tries(axis: Axis) -> None:
    office, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, "failed")
    axis.clock.pass_(days=40)
    seq = axis.delivery(delivery).seq
    order(axis, "again", delivery)
    again = axis.delivery(delivery)
    assert (again.attempts, again.reason, again.expires_at) == (0, "", axis.clock() + timedelta(days=30))
    assert province.waiting(seq) == [delivery]
    province.fetch(delivery)
    assert province.done(delivery)["receipt"]
    assert [what for what, _ in office.outbox()] == ["failed", "waiting", "delivered"]
    handed_over = [leaf for leaf in axis.evidence({"id": again.document_id}) if leaf["kind"] == "handover"]
    assert len(handed_over) == 1


def test_an_urgent_one_has_three_days_again(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis, priority="1")
    axis.clock.pass_(days=3)
    axis.sweep()
    assert axis.delivery(delivery).state == "expired"
    order(axis, "again", delivery)
    assert expiry_of(axis, delivery) == axis.clock() + timedelta(days=3)
    assert province.waiting() == [delivery]


def test_it_goes_to_the_system_that_is_nearest_now(axis: Axis) -> None:
    office, province = office_and_province(axis)
    delivery = only(office.send("H41.05"))
    bring_to(axis, province, delivery, "expired")
    unit = axis.enrol("H41.05", "Sở Tài chính")
    order(axis, "again", delivery)
    assert (unit.waiting(), province.waiting()) == ([delivery], [])


@pytest.mark.parametrize("action", ["again", "extend"])
@pytest.mark.parametrize("steer", ["lock", "retire"])
def test_nothing_is_opened_for_a_recipient_whose_system_is_locked_or_gone(axis: Axis, steer: str, action: str) -> None:
    _, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, "expired")
    axis.steer("H41", steer)
    assert look(axis, action, [delivery]) == {"fit": 0, "unconnected": 1}
    assert order(axis, action, delivery) == ["unconnected"]
    if steer == "lock":
        axis.steer("H41", "unlock")
        assert order(axis, action, delivery) == [DONE]


def test_a_status_waits_for_whoever_may_receive_it_as_it_always_does(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    told = province.report("03", document)["delivery"]
    bring_to(axis, office, told, "expired")
    axis.steer("G22", "lock")
    assert order(axis, "again", told) == [DONE]
    axis.steer("G22", "unlock")
    assert office.waiting() == [told]


def test_more_time_is_kept_to_and_nobody_is_told_while_it_waits(axis: Axis) -> None:
    office, province, delivery = one_on_its_way(axis)
    order(axis, "extend", delivery)
    axis.clock.pass_(days=59, hours=23)
    assert (axis.sweep(), office.outbox()) == (0, [])
    axis.clock.pass_(hours=1)
    assert (axis.sweep(), office.outbox()) == (1, [("expired", "none")])
    assert province.waiting() == []


def test_more_time_takes_no_lease_away(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    lease = province.claim(delivery)["lease"]
    order(axis, "extend", delivery)
    assert axis.delivery(delivery).lease == lease
    province.fetch(delivery)
    assert province.done(delivery, lease)["state"] == "delivered"


def test_the_sender_reads_why_it_was_marked_undeliverable_and_who_said_so(axis: Axis) -> None:
    office, _, delivery = one_on_its_way(axis)
    order(axis, "undeliverable", delivery, reason="Sở đã giải thể, không còn hệ thống")
    [entry] = office.entries()
    said = "đơn vị vận hành / operator: Sở đã giải thể, không còn hệ thống"
    assert (entry["what"], entry["detail"], axis.delivery(delivery).reason) == ("failed", said, said)


@pytest.mark.parametrize("action", ["release", "again", "extend"])
def test_of_other_actions_the_parties_read_neither_the_reason_nor_the_operator_s_name(axis: Axis, action: str) -> None:
    office, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, {"release": "taken", "again": "failed", "extend": "expired"}[action])
    axis.clock.pass_(seconds=10)
    secret = "Chị Thử quên mật khẩu"
    assert order(axis, action, delivery, reason=secret) == [DONE]
    said = [*(e["detail"] for e in office.entries()), *(e["detail"] for e in axis.events(delivery))]
    assert said[-1] == "đơn vị vận hành / operator"
    assert not any(secret in text or BY in text for text in said)
    assert audited(axis)[-1]["reason"] == secret


def test_a_delivery_that_was_marked_undeliverable_can_still_be_confirmed_by_whoever_has_it(axis: Axis) -> None:
    office, province, delivery = one_on_its_way(axis)
    province.fetch(delivery)
    axis.clock.pass_(seconds=10)
    order(axis, "undeliverable", delivery)
    province.done(delivery)
    assert [what for what, _ in office.outbox()] == ["failed", "delivered"]


# Between the look and the act.


@pytest.mark.parametrize("action", ["release", "undeliverable"])
@pytest.mark.parametrize("act", ["claim", "fetch"])
def test_what_the_recipient_took_in_hand_since_the_look_is_not_spoiled(axis: Axis, action: str, act: str) -> None:
    _, province, delivery = one_on_its_way(axis)
    province.claim(delivery)
    axis.clock.pass_(minutes=5)
    axis.sweep()
    wish = a_wish(axis, action)
    axis.clock.pass_(minutes=1)
    lease = province.claim(delivery)["lease"] if action == "release" or act == "claim" else None
    if act == "fetch":
        province.fetch(delivery)
    assert order(axis, action, delivery, wish=wish) == ["meanwhile"]
    province.fetch(delivery)
    assert province.done(delivery, lease)["state"] == "delivered"


def test_what_was_done_since_the_look_is_left_and_the_rest_is_done(axis: Axis) -> None:
    office, province = office_and_province(axis)
    first, second = (only(office.send("H41")) for _ in range(2))
    for one in (first, second):
        bring_to(axis, province, one, "failed")
    wanted = an_order(axis, "again", first, second)
    province.fetch(first)
    province.done(first)
    axis.desk.writer.run(steering.begin, wanted)
    axis.desk.writer.run(steering.go_on, wanted.run_id)
    assert outcomes(axis, wanted.run_id) == ["delivered", DONE]
    assert audited(axis)[-1]["facts"]["deliveries"] == [second]


def test_two_operators_at_once_do_it_once(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, "failed")
    orders = [an_order(axis, "again", delivery, by=by) for by in ("lan.thu", "minh.thu")]
    with axis.together():
        for wanted in orders:
            axis.desk.writer.submit(steering.begin, wanted)
        ends = [axis.desk.writer.submit(steering.go_on, wanted.run_id) for wanted in orders]
    assert sorted(end.result()["done"] for end in ends) == [0, 1]
    assert sorted(outcomes(axis, wanted.run_id)[0] for wanted in orders) == [DONE, "waits"]
    assert len(audited(axis)) == 1


def test_the_same_form_sent_twice_is_one_run(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, "failed")
    wanted = an_order(axis, "again", delivery)
    first, second = (axis.desk.writer.run(steering.begin, wanted) for _ in range(2))
    assert first == second
    for _ in range(3):
        axis.desk.writer.run(steering.go_on, wanted.run_id)
    assert run_of(axis, wanted.run_id)["done"] == 1
    assert len(audited(axis)) == 1


def test_a_run_s_id_is_its_operator_s_own(axis: Axis) -> None:
    _, _, delivery = one_on_its_way(axis)
    wanted = an_order(axis, "undeliverable", delivery)
    axis.desk.writer.run(steering.begin, wanted)
    with pytest.raises(Refusal, match=r"^not-found"):
        axis.desk.writer.run(steering.begin, an_order(axis, "undeliverable", delivery, run_id=wanted.run_id, by="khác"))


# What is no order.


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": "x"}, "reason-form"),
        ({"delivery_ids": ()}, "request-field"),
        ({"delivery_ids": ("0" * 24,)}, "not-found"),
        ({"delivery_ids": tuple(f"{n:024x}" for n in range(steering.MOST + 1))}, "request-field"),
        ({"run_id": "../x"}, "not-found"),
    ],
)
def test_what_is_no_order_changes_nothing(axis: Axis, changes: dict[str, object], code: str) -> None:
    _, _, delivery = one_on_its_way(axis)
    wanted = an_order(axis, "undeliverable", **({"delivery_ids": (delivery,)} | changes))
    with pytest.raises(Refusal, match=f"^{code}"):
        axis.desk.writer.run(steering.begin, wanted)
    with pytest.raises(Refusal, match=r"^not-found"):
        axis.desk.writer.run(steering.go_on, wanted.run_id)


def test_a_look_names_what_does_not_exist_and_counts_twice_nothing(axis: Axis) -> None:
    _, _, delivery = one_on_its_way(axis)
    assert look(axis, "undeliverable", [delivery, delivery, "0" * 24]) == {"fit": 1, "unknown": 1}


def test_a_look_at_too_many_says_to_narrow_the_search(axis: Axis) -> None:
    with pytest.raises(Refusal, match=r"10,000") as refused:
        look(axis, "again", [f"{n:024x}" for n in range(steering.MOST + 1)])
    assert "10.000" in refused.value.vi


def test_a_delivery_s_story_has_who_acted_on_it_and_why(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, "failed")
    order(axis, "again", delivery)
    order(axis, "release", delivery)
    with reading(axis.desk.engine) as connection:
        found = [(row["action"], row["by"], row["outcome"]) for row in acted(connection, [delivery])]
    assert found == [("again", BY, DONE), ("release", BY, "not-held")]


def test_a_status_about_a_document_can_be_steered_like_a_document(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    told = province.tell(packet_of(province, response_for=ref(document), status="03")).body["delivery"]
    assert order(axis, "undeliverable", told) == [DONE]
    assert province.outbox()[-1] == ("failed", "none")
