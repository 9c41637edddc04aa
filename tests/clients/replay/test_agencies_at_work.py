"""The agencies' systems at work, before hubs that answer strangely: a run always comes to its end."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders.books import HAIPHONG, OFFICE, a_post
from builders.theatre import Sheet, SmallHub, played

from clients.replay.planned import Party, Reply
from clients.replay.player.clock import Virtual
from clients.replay.wire.dialects import Listed

HANOI = "H26"
CAST = (
    Party(OFFICE, "Văn phòng Chính phủ", OFFICE),
    Party(HAIPHONG, "Ủy ban nhân dân thành phố Hải Phòng", HAIPHONG),
    Party(HANOI, "Ủy ban nhân dân thành phố Hà Nội", HANOI),
)
POST = a_post(1, HAIPHONG)


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "ledger.db")) as book:
        return book.execute(query).fetchall()


def cast(**behaviour: Any) -> tuple[Party, ...]:
    """As always, and Hải Phòng so."""
    return tuple(replace(party, **behaviour) if party.code == HAIPHONG else party for party in CAST)


def test_a_document_is_fetched_kept_and_answered(tmp_path: Path) -> None:
    hub = SmallHub()
    stage = played(tmp_path, Sheet(CAST, [POST], {(1, HAIPHONG): (Reply(1, HAIPHONG, 0, 30.0, "01"),)}), hub)
    assert (stage.counts.sent, stage.counts.received, len(stage.under_way)) == (1, 1, 0)
    assert hub.done == [f"1-{HAIPHONG}"]
    assert len(hub.reported) == 1


def test_an_answer_waits_for_a_request_and_not_for_one_that_nobody_will_make(tmp_path: Path) -> None:
    """A document whose own answer was never heard is not asked back (13); it came all the same."""
    asked, agreed = Reply(1, HAIPHONG, 0, 60.0, "13", by_sender=True), Reply(1, HAIPHONG, 1, 90.0, "15")
    sheet = Sheet(cast(poll=5.0), [POST, a_post(2, HAIPHONG)], {(1, HAIPHONG): (asked, agreed)})
    for mute, reported in ((), 2), ((1,), 1):
        hub = SmallHub(mute=mute)
        (tmp_path / str(reported)).mkdir()
        played(tmp_path / str(reported), sheet, hub, giving_up=0.5)
        assert len(hub.done) == 2
        assert len(hub.reported) == reported


def test_two_answers_of_one_recipient_are_both_given(tmp_path: Path) -> None:
    asked = Reply(1, HAIPHONG, 0, 60.0, "13", by_sender=True)
    answers = (asked, Reply(1, HAIPHONG, 1, 90.0, "16"), Reply(1, HAIPHONG, 2, 120.0, "15"))
    hub = SmallHub()
    played(tmp_path, Sheet(CAST, [POST], {(1, HAIPHONG): answers}), hub)
    assert len(hub.reported) == 3


@pytest.mark.parametrize("to", [HANOI, "Z99", "không phải mã"])
def test_a_delivery_for_somebody_else_is_kept_and_nothing_is_reported_on_it(tmp_path: Path, to: str) -> None:
    hub = SmallHub(listed=lambda post, _to, delivery: Listed(delivery, "document", to, post.sender, "", "", ""))
    replies = {(1, code): (Reply(1, code, 0, 30.0, "01"),) for code in (HAIPHONG, HANOI)}
    stage = played(tmp_path, Sheet(CAST, [POST], replies), hub)
    assert rows(tmp_path, "SELECT delivery FROM kept") == [(f"1-{HAIPHONG}",)]
    assert hub.reported == []
    assert len(stage.under_way) == 1


def test_a_list_that_does_not_say_for_whom_is_taken_for_ones_own(tmp_path: Path) -> None:
    hub = SmallHub(listed=lambda post, _to, delivery: Listed(delivery, "document", "", post.sender, "", "", ""))
    stage = played(tmp_path, Sheet(CAST, [POST], {(1, HAIPHONG): (Reply(1, HAIPHONG, 0, 30.0, "01"),)}), hub)
    assert len(hub.reported) == 1
    assert len(stage.under_way) == 0


def test_a_list_with_no_sha_256_where_one_should_be_is_written_down_as_it_is(tmp_path: Path) -> None:
    hub = SmallHub(listed=lambda post, to, delivery: Listed(delivery, "document", to, post.sender, "", "không có", ""))
    played(tmp_path, Sheet(CAST, [POST]), hub)
    assert rows(tmp_path, "SELECT listed_sha256 FROM kept") == [("không có".encode(),)]


def test_statuses_that_a_system_reads_of_elsewhere_are_left_and_looked_at_twice_at_most(tmp_path: Path) -> None:
    hub = SmallHub()
    hub.waiting[HAIPHONG] = [Listed(f"s{n}", "status", HAIPHONG, OFFICE, "", "", "01") for n in range(500)]
    stage = played(tmp_path, Sheet(cast(reads="outbox", dialect="gateway"), [POST]), hub)
    assert (stage.counts.received, stage.counts.statuses, hub.looks[HAIPHONG]) == (1, 0, 2)


def test_who_forgets_what_it_fetched_looks_once_more(tmp_path: Path) -> None:
    hub = SmallHub()
    stage = played(tmp_path, Sheet(cast(dies=1.0), [POST]), hub)
    assert stage.counts.received == 1
    assert hub.looks[HAIPHONG] == 2


def test_who_is_silent_never_looks(tmp_path: Path) -> None:
    hub = SmallHub()
    stage = played(tmp_path, Sheet(cast(silent=True), [POST]), hub)
    assert hub.looks[HAIPHONG] == 0
    assert len(stage.under_way) == 1


def test_an_outbox_is_read_once_in_an_interval_though_a_list_and_a_status_both_lead_to_it(tmp_path: Path) -> None:
    hub = SmallHub()
    office = tuple(replace(party, reads="outbox") if party.code == OFFICE else party for party in cast(poll=1.0))
    back = replace(a_post(2, OFFICE), sender=HAIPHONG, at=POST.at)
    answer = Reply(1, HAIPHONG, 0, 10.0, "01")
    sheet = Sheet(office, [POST, back], {(1, HAIPHONG): (answer,)})
    played(tmp_path, sheet, hub, clock=Virtual(0.0), told_every=1.0)
    assert (hub.looks[OFFICE], hub.hearings[OFFICE]) == (1, 1)
