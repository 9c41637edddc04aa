"""Why a delivery does not go on: one sentence's worth of reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.delivery import Transport
from hub.domain.stuck import PATIENCE, PATIENCE_URGENT, SILENT, Waiting, Why, stuck, worst

NOW = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)


def waiting(**changes: Any) -> Waiting:
    """Waits for two hours, at a system that asked a minute ago."""
    known: dict[str, Any] = {
        "delivery_id": "d", "recipient": "H41", "state": Transport.WAITING, "urgent": False,
        "since": NOW - timedelta(hours=2), "expires_at": NOW + timedelta(days=28), "fetched_at": None, "attempts": 0,
        "reason": "", "system": "H41", "locked": False, "polled": NOW - timedelta(minutes=1),
    }  # fmt: skip
    return Waiting(**(known | changes))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, Why.PASSED_BY),
        ({"attempts": 2}, Why.TRIED),
        ({"polled": NOW - SILENT - timedelta(seconds=1)}, Why.SILENT),
        ({"polled": NOW - SILENT}, Why.PASSED_BY),
        ({"polled": None}, Why.NEVER_ASKED),
        ({"fetched_at": NOW - timedelta(hours=1), "polled": None}, Why.UNCONFIRMED),
        ({"locked": True, "fetched_at": NOW}, Why.LOCKED),
        ({"system": "", "polled": None}, Why.NO_SYSTEM),
        ({"state": Transport.TAKEN}, Why.PASSED_BY),
        ({"state": Transport.FAILED, "since": NOW}, Why.FAILED),
        ({"state": Transport.EXPIRED, "since": NOW}, Why.EXPIRED),
    ],
)
def test_the_reason_nearest_to_a_remedy_is_told(changes: dict[str, Any], why: Why) -> None:
    found = stuck(waiting(**changes), NOW)
    assert found is not None
    assert found.why is why


@pytest.mark.parametrize(("urgent", "patience"), [(False, PATIENCE), (True, PATIENCE_URGENT)])
def test_nothing_is_told_of_what_is_in_its_time(urgent: bool, patience: timedelta) -> None:
    assert stuck(waiting(urgent=urgent, since=NOW - patience), NOW) is None
    assert stuck(waiting(urgent=urgent, since=NOW - patience - timedelta(seconds=1)), NOW) is not None


@pytest.mark.parametrize("state", [Transport.DELIVERED, Transport.WITHDRAWN])
def test_nothing_is_told_of_what_is_over(state: Transport) -> None:
    assert stuck(waiting(state=state), NOW) is None


def test_of_a_document_the_one_that_waits_longest_is_told_before_those_that_have_ended() -> None:
    hours = [(Transport.EXPIRED, 90), (Transport.WAITING, 3), (Transport.WAITING, 5)]
    cases = [waiting(state=state, since=NOW - timedelta(hours=h), delivery_id=str(h)) for state, h in hours]
    found = worst(one for case in cases if (one := stuck(case, NOW)))
    assert found is not None
    assert found.waiting.delivery_id == "5"
    assert worst([]) is None
