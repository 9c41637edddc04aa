"""Handing packets over: claim, fetch, done, failed, and what time does to them (exchange rules 6, transport)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from builders.axis import Axis
from builders.reports import bring_to, office_and_province, one_on_its_way, only

from hub.errors import Refusal
from hub.exchange import hand_over


def state(axis: Axis, delivery_id: str) -> str:
    return axis.delivery(delivery_id).state.value


# The claim.

LEASE = "5" * 24


def test_a_claim_takes_the_delivery_out_of_the_inbox_for_five_minutes(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    claimed = province.claim(delivery)
    assert claimed["until"] == axis.clock() + timedelta(minutes=5)
    assert (state(axis, delivery), province.waiting()) == ("taken", [])


def test_a_second_claim_is_told_until_when_the_first_holds(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    province.claim(delivery)
    axis.clock.pass_(minutes=4, seconds=59)
    with pytest.raises(Refusal, match=r"^lease-held") as refused:
        province.claim(delivery)
    assert "2025-10-01T09:05:00+07:00" in refused.value.en


def test_a_claim_that_is_over_can_be_taken_anew_before_anybody_sweeps(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    first = province.claim(delivery)
    axis.clock.pass_(minutes=5)
    second = province.claim(delivery)
    assert second["lease"] != first["lease"]
    with pytest.raises(Refusal, match=r"^lease-lost"):
        province.failed(delivery, lease=first["lease"])


def test_who_names_its_lease_may_ask_again_when_the_answer_was_lost(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    first = province.claim(delivery, LEASE)
    axis.clock.pass_(minutes=1)
    assert province.claim(delivery, LEASE) == first
    for other in (None, "6" * 24):
        with pytest.raises(Refusal, match=r"^lease-held"):
            province.claim(delivery, other)


@pytest.mark.parametrize("name", ["", "5" * 23, "5" * 25, "F" * 24, "của tôi"])
def test_a_lease_named_otherwise_than_an_id_gets_a_name_from_the_hub(axis: Axis, name: str) -> None:
    _, province, delivery = one_on_its_way(axis)
    lease = province.claim(delivery, name)["lease"]
    assert (len(lease), lease != name) == (24, True)
    assert int(lease, 16)


def test_a_claim_that_is_over_is_renewed_under_its_own_name(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    first = province.claim(delivery, LEASE)
    axis.clock.pass_(minutes=6)
    again = province.claim(delivery, LEASE)
    assert (first["lease"], again["lease"]) == (LEASE, LEASE)
    assert again["until"] - first["until"] == timedelta(minutes=6)


def test_a_claim_that_is_over_gives_the_delivery_back_with_a_fresh_place(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    before = axis.delivery(delivery).seq
    province.claim(delivery)
    axis.clock.pass_(minutes=4, seconds=59)
    assert (axis.sweep(), province.waiting()) == (0, [])
    axis.clock.pass_(seconds=1)
    assert axis.sweep() == 1
    assert province.waiting(before) == [delivery]
    assert axis.delivery(delivery).lease is None


@pytest.mark.parametrize("wanted", ["failed", "expired", "delivered"])
def test_what_is_no_longer_waiting_cannot_be_claimed(axis: Axis, wanted: str) -> None:
    _, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, wanted)
    with pytest.raises(Refusal, match=r"^delivery-final"):
        province.claim(delivery)
    assert state(axis, delivery) == wanted


# Done.


@pytest.mark.parametrize("wanted", ["waiting", "taken", "failed", "expired"])
def test_a_fetched_packet_can_be_confirmed_from_every_state_and_the_sender_is_told(axis: Axis, wanted: str) -> None:
    office, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, wanted)
    province.fetch(delivery)
    assert province.done(delivery)["state"] == "delivered"
    assert office.outbox()[-1] == ("delivered", "none")


@pytest.mark.parametrize("wanted", ["waiting", "taken", "failed", "expired"])
def test_what_was_never_fetched_cannot_be_confirmed(axis: Axis, wanted: str) -> None:
    _, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, wanted)
    with pytest.raises(Refusal, match=r"^delivery-not-fetched"):
        province.done(delivery)
    assert state(axis, delivery) == wanted


def test_done_again_gets_the_same_answer_and_is_told_once(axis: Axis) -> None:
    office, province, delivery = one_on_its_way(axis)
    claimed = province.claim(delivery)
    province.fetch(delivery)
    first = province.done(delivery, claimed["lease"])
    axis.clock.pass_(hours=1)
    assert province.done(delivery, claimed["lease"]) == province.done(delivery) == first
    assert office.outbox() == [("delivered", "none")]


@pytest.mark.parametrize("verb", ["done", "failed"])
def test_another_lease_than_the_standing_one_is_lost(axis: Axis, verb: str) -> None:
    _, province, delivery = one_on_its_way(axis)
    lost = province.claim(delivery)["lease"]
    axis.clock.pass_(minutes=5)
    axis.sweep()
    province.fetch(delivery)
    for lease in (lost, "0" * 24, "của người khác"):
        with pytest.raises(Refusal, match=r"^lease-lost"):
            getattr(province, verb)(delivery, lease=lease)
    assert state(axis, delivery) == "waiting"
    standing = province.claim(delivery)["lease"]
    with pytest.raises(Refusal, match=r"^lease-lost"):
        getattr(province, verb)(delivery, lease=lost)
    getattr(province, verb)(delivery, lease=standing)
    assert state(axis, delivery) == {"done": "delivered", "failed": "failed"}[verb]


def test_the_gateway_order_list_get_done_takes_no_lease(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    assert province.waiting() == [delivery]
    province.fetch(delivery)
    assert province.waiting() == [delivery]
    province.done(delivery)
    assert province.waiting() == []


# Failed.


@pytest.mark.parametrize("claims", [False, True])
def test_four_failures_before_the_first_fetch_leave_it_waiting_and_the_fifth_fails_it(axis: Axis, claims: bool) -> None:
    office, province, delivery = one_on_its_way(axis)
    for attempt in range(1, 6):
        lease = province.claim(delivery)["lease"] if claims else None
        told = province.failed(delivery, "Đĩa đầy", lease)
        assert (told["state"], told["attempts"]) == ("waiting" if attempt < 5 else "failed", attempt)
        assert office.outbox() == ([] if attempt < 5 else [("failed", "none")])
    assert axis.delivery(delivery).reason == "Đĩa đầy"
    assert province.failed(delivery) == told
    assert len(office.outbox()) == 1


def test_a_failure_after_the_fetch_fails_at_once(axis: Axis) -> None:
    office, province, delivery = one_on_its_way(axis)
    province.fetch(delivery)
    assert province.failed(delivery, "Tệp hỏng")["state"] == "failed"
    assert office.outbox() == [("failed", "none")]


@pytest.mark.parametrize("wanted", ["expired", "delivered"])
def test_what_has_ended_cannot_fail_any_more(axis: Axis, wanted: str) -> None:
    _, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, wanted)
    with pytest.raises(Refusal, match=r"^delivery-final"):
        province.failed(delivery)
    assert state(axis, delivery) == wanted


# Time.


@pytest.mark.parametrize(("priority", "days"), [("0", 30), ("1", 3), ("3", 3), ("", 30)])
@pytest.mark.parametrize("before", ["waiting", "taken"])
def test_what_is_not_taken_in_time_expires_and_the_sender_is_told(
    axis: Axis, priority: str, days: int, before: str
) -> None:
    office, province, delivery = one_on_its_way(axis, priority=priority)
    axis.clock.pass_(days=days, minutes=-1)
    axis.sweep()
    if before == "taken":
        province.claim(delivery)
    assert state(axis, delivery) == before
    axis.clock.pass_(minutes=1)
    assert axis.sweep() == 1
    assert state(axis, delivery) == "expired"
    assert (office.outbox(), province.waiting()) == ([("expired", "none")], [])
    assert axis.sweep() == 0


@pytest.mark.parametrize("wanted", ["failed", "delivered"])
def test_what_has_ended_does_not_expire(axis: Axis, wanted: str) -> None:
    _, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, wanted)
    axis.clock.pass_(days=31)
    assert axis.sweep() == 0
    assert state(axis, delivery) == wanted


def test_a_sweep_handles_a_bounded_number_and_says_whether_more_is_left(axis: Axis) -> None:
    """Four leases are over, and then all five deliveries."""
    office, province, first = one_on_its_way(axis)
    sent = [only(office.send("H41")) for _ in range(4)]
    for delivery in sent:
        province.claim(delivery)
    axis.clock.pass_(days=31)
    handled = [axis.desk.writer.run(hand_over.sweep, hand_over.Sweep(most=3)) for _ in range(4)]
    assert handled == [3, 1 + 2, 3, 0]
    assert {state(axis, delivery) for delivery in (first, *sent)} == {"expired"}


# Fetching.


@pytest.mark.parametrize("wanted", ["waiting", "taken", "failed", "expired", "delivered"])
def test_a_packet_stays_readable_in_every_state_and_reading_changes_none(axis: Axis, wanted: str) -> None:
    _, province, delivery = one_on_its_way(axis)
    bring_to(axis, province, delivery, wanted)
    province.fetch(delivery)
    province.fetch(delivery)
    assert state(axis, delivery) == wanted
    assert [event["what"] for event in axis.events(delivery)][-2:] == ["fetch", "fetch"]


def test_only_the_first_fetch_is_the_fetch(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    first = axis.clock()
    province.fetch(delivery)
    axis.clock.pass_(hours=1)
    province.fetch(delivery)
    assert axis.delivery(delivery).fetched_at == first


def test_nothing_of_a_withdrawn_packet_can_be_reached(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    delivery = only(answer)
    office.report("13", document)
    assert province.waiting() == []
    for verb in (province.claim, province.fetch, province.done, province.failed):
        with pytest.raises(Refusal, match=r"^not-found"):
            verb(delivery)


def test_a_delivery_of_another_system_is_not_found_like_one_that_does_not_exist(axis: Axis) -> None:
    office, _, delivery = one_on_its_way(axis)
    other = axis.enrol("H27")
    for peer, asked in ((other, delivery), (office, delivery), (other, "0" * 24)):
        for verb in (peer.claim, peer.fetch, peer.done, peer.failed):
            with pytest.raises(Refusal, match=r"^not-found"):
                verb(asked)
    assert state(axis, delivery) == "waiting"


def test_several_deliveries_of_one_packet_are_fetched_all_or_none(axis: Axis) -> None:
    office, province = office_and_province(axis)
    first, second = (d["id"] for d in office.send("H41", "H41.05")["deliveries"])
    with pytest.raises(Refusal, match=r"^not-found"):
        province.fetch(first, "0" * 24)
    assert not axis.delivery(first).fetched
    province.fetch(first, second)
    assert axis.delivery(first).fetched
    assert axis.delivery(second).fetched


# Whose it is, when systems come and go.


def test_what_nobody_fetched_moves_to_the_nearer_system_with_a_fresh_place(axis: Axis) -> None:
    office, province = office_and_province(axis)
    fetched, unfetched = (only(office.send("H41.05")) for _ in range(2))
    province.fetch(fetched)
    before = axis.delivery(unfetched).seq
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    assert province.waiting() == [fetched]
    assert department.waiting(before) == [unfetched]
    for verb in (province.claim, province.fetch):
        with pytest.raises(Refusal, match=r"^not-found"):
            verb(unfetched)


def test_what_was_fetched_stays_with_its_system_and_the_nearer_one_may_read_and_confirm_it_too(axis: Axis) -> None:
    office, province = office_and_province(axis)
    delivery = only(office.send("H41.05"))
    province.claim(delivery)
    province.fetch(delivery)
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    axis.clock.pass_(minutes=5)
    axis.sweep()
    assert (province.waiting(), department.waiting()) == ([delivery], [])
    department.fetch(delivery)
    assert axis.delivery(delivery).system_id == province.system_id
    assert department.done(delivery) == province.done(delivery)
    assert department.done(delivery)["state"] == "delivered"


@pytest.mark.parametrize("wanted", ["taken", "failed", "expired"])
def test_what_ended_unfetched_comes_to_the_nearer_system_when_it_opens_again(axis: Axis, wanted: str) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41.05")
    delivery = only(answer)
    bring_to(axis, province, delivery, wanted)
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    if wanted == "taken":
        axis.clock.pass_(minutes=5)
        axis.sweep()
    else:
        office.post(office.packet(document))
    assert (province.waiting(), department.waiting()) == ([], [delivery])


@pytest.mark.parametrize("claims", [False, True])
def test_what_a_retired_system_fetched_and_did_not_confirm_is_offered_to_the_one_after_it(
    axis: Axis, claims: bool
) -> None:
    _, province, delivery = one_on_its_way(axis)
    if claims:
        province.claim(delivery)
    province.fetch(delivery)
    heir = axis.enrol("H41")
    axis.clock.pass_(minutes=5)
    axis.sweep()
    assert heir.waiting() == [delivery]
