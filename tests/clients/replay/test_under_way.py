"""What a run remembers of documents on their way: no more than what somebody is still to fetch."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders.books import a_post

from clients.replay.player.stage import UnderWay

CITY, PROVINCE = "H26", "H41"
POST = a_post(1, CITY, PROVINCE)


@pytest.fixture
def under_way() -> UnderWay:
    made = UnderWay()
    made.begin(POST, "aa")
    return made


def test_a_document_is_under_way_until_it_is_over_at_every_recipient(under_way: UnderWay) -> None:
    assert under_way.over(1, CITY)
    assert under_way.packet("aa") is not None
    assert under_way.over(1, PROVINCE)
    assert (under_way.packet("aa"), len(under_way)) == (None, 0)


def test_what_is_over_at_a_recipient_is_over_once(under_way: UnderWay) -> None:
    assert under_way.over(1, CITY)
    assert not under_way.over(1, CITY)
    assert not under_way.over(2, CITY)
    assert len(under_way) == 1


def test_a_refused_document_is_not_under_way(under_way: UnderWay) -> None:
    under_way.drop(1)
    assert len(under_way) == 0
    under_way.drop(1)


def test_the_same_bytes_planned_twice_leave_no_memory(under_way: UnderWay) -> None:
    under_way.begin(replace(POST, n=2), "aa")
    under_way.drop(1)
    assert under_way.packet("aa") is not None
    under_way.drop(2)
    assert len(under_way) == 0


def test_what_nobody_ever_fetches_is_forgotten_when_its_time_is_over(under_way: UnderWay) -> None:
    under_way.begin(replace(POST, n=2, at=POST.at + 100.0), "bb")
    under_way.forget(POST.at + 50.0)
    assert (under_way.packet("aa"), len(under_way)) == (None, 1)
    under_way.forget(POST.at + 50.0)
    assert under_way.packet("bb") is not None
