"""What operators may do to a delivery, in every state; days as people write them (exchange rules 6)."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.delivery import TRANSPORT, Move, Transport
from hub.domain.steering import ACTIONS, JUST_NOW, LEFT, LONGEST, Action, Left, Wish, end_of, fitting
from hub.errors import Refusal

NOW = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)  # 9 o'clock in Hà Nội


def fits(action: Action, state: Transport, *, until: datetime | None = None, **facts: object) -> Move | Left | None:
    given = {"expires_at": NOW + timedelta(days=30), "touched_at": None, "connected": True} | facts
    return fitting(Wish(action, NOW, until), state, **given)  # type: ignore[arg-type]  # names and types are the function's


def test_every_action_says_something_of_every_state_and_goes_past_no_rule_of_transport() -> None:
    assert set(ACTIONS) == set(Action)
    for row in ACTIONS.values():
        assert set(row) == set(Transport)
        for state, found in row.items():
            assert not isinstance(found, Move) or found in TRANSPORT[state]


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", [Transport.DELIVERED, Transport.WITHDRAWN])
def test_what_is_final_stays(action: Action, state: Transport) -> None:
    assert ACTIONS[action][state] == Left(state.value)


def test_an_operator_opens_what_failed_or_expired_and_nothing_else() -> None:
    opened = {state for state, found in ACTIONS[Action.AGAIN].items() if found is Move.REOPEN}
    assert opened == {Transport.FAILED, Transport.EXPIRED}


def test_every_reason_to_leave_a_delivery_has_words_in_both_languages() -> None:
    assert set(LEFT) == set(Left)
    for vi, en in LEFT.values():
        assert vi
        assert en
        assert unicodedata.is_normalized("NFC", vi)


@pytest.mark.parametrize("action", [Action.RELEASE, Action.UNDELIVERABLE])
def test_what_its_recipient_took_in_hand_after_the_look_is_left_to_it(action: Action) -> None:
    long_ago, about_then = NOW - JUST_NOW, NOW - JUST_NOW + timedelta(microseconds=1)
    assert isinstance(fits(action, Transport.TAKEN, touched_at=long_ago), Move)
    assert fits(action, Transport.TAKEN, touched_at=about_then) is Left.MEANWHILE


def test_giving_more_time_takes_nothing_from_whoever_has_it_in_hand() -> None:
    later = NOW + timedelta(days=60)
    assert fits(Action.EXTEND, Transport.TAKEN, touched_at=NOW, until=later) is None


@pytest.mark.parametrize("days", [29, 30])
def test_an_expiry_is_never_brought_forward(days: int) -> None:
    assert fits(Action.EXTEND, Transport.WAITING, until=NOW + timedelta(days=days)) is Left.NOT_LATER


@pytest.mark.parametrize(("action", "state"), [(Action.AGAIN, "failed"), (Action.EXTEND, "expired")])
def test_nothing_is_opened_again_for_nobody(action: Action, state: str) -> None:
    until = NOW + timedelta(days=60) if action is Action.EXTEND else None
    assert fits(action, Transport(state), until=until, connected=False) is Left.UNCONNECTED
    assert fits(action, Transport(state), until=until) is Move.REOPEN


def test_a_lease_can_be_ended_though_nobody_would_get_the_delivery() -> None:
    assert fits(Action.RELEASE, Transport.TAKEN, connected=False) is Move.LEASE_OVER


def test_a_day_lasts_until_its_end_in_ha_noi() -> None:
    assert end_of("2025-10-01", NOW) == datetime(2025, 10, 1, 16, 59, 59, tzinfo=UTC)
    late = datetime(2025, 10, 1, 17, 0, tzinfo=UTC)  # the 2nd there
    with pytest.raises(Refusal, match=r"^request-field"):
        end_of("2025-10-01", late)


@pytest.mark.parametrize("day", ["2025-09-30", "2026-01-01", "9999-12-31", "mai", "", "2025-13-01", "+1"])
def test_a_day_that_is_over_or_too_far_or_none_is_refused_with_the_days_that_are_good(day: str) -> None:
    with pytest.raises(Refusal) as refused:
        end_of(day, NOW)
    first, last = refused.value.repair.split(" – ")
    for good in (first, last):
        assert NOW < end_of(good, NOW) <= NOW + LONGEST
