"""What was refused, grouped and one by one."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from builders.axis import START, Axis, Peer
from sqlalchemy import func, select, update

from hub.domain.search import parse, words
from hub.errors import Refusal
from hub.store import log, refusals, retention, tables
from hub.store.console_tables import refusal_rule
from hub.store.engine import reading, writing
from hub.store.refusals import Place, Wanted

DAY = timedelta(days=1)
NO_FILES: dict[str, Any] = {"attachments": (), "manifest": ()}


def refused(peer: Peer, **changes: Any) -> str:
    """A packet that is refused for what it says; gives the id of the refusal."""
    with pytest.raises(Refusal):
        peer.hand_in(peer.packet(peer.draft("H41", **changes)))
    with reading(peer.axis.desk.engine) as connection:
        r = tables.refusal.c
        return str(connection.execute(select(r.id).order_by(r.at.desc()).limit(1)).scalar_one())


@pytest.fixture
def a_day(axis: Axis) -> list[str]:
    """Six refusals in six minutes, of two senders."""
    office, province = axis.enrol("G22"), axis.enrol("H41")
    ids = []
    for peer, changes in (
        (office, {"subject": ""}),
        (office, {"subject": "", **NO_FILES}),
        (province, {"subject": "", "number": "7"}),
        (office, {**NO_FILES, "subject": "Về việc điều chỉnh tiền lương"}),
        (province, {**NO_FILES, "subject": "V/v điều chỉnh tiền lương tối thiểu"}),
        (office, {"subject": ""}),
    ):
        ids.append(refused(peer, **changes))
        axis.clock.pass_(minutes=1)
    return ids


def read_all(axis: Axis, wanted: Wanted, most: int) -> list[Any]:
    found: list[Any] = []
    before: Place | None = None
    with reading(axis.desk.engine) as connection:
        while True:
            page = refusals.page(connection, wanted, before, most)
            found += page.rows
            before = page.further
            if before is None:
                return found


def test_a_day_is_grouped_by_sender_and_rule_the_largest_first(axis: Axis, a_day: list[str]) -> None:
    with reading(axis.desk.engine) as connection:
        rows = refusals.grouped(connection, Wanted(START, START + DAY), 10)
        assert refusals.grouped(connection, Wanted(START + DAY, START + 2 * DAY), 10) == []
        some = refusals.grouped(connection, Wanted(START, START + DAY, rule="attachment-missing"), 10)
    assert [(row["sender"], row["rule"], row["packets"]) for row in rows] == [
        ("G22", "field-missing", 3), ("G22", "attachment-missing", 2),
        ("H41", "attachment-missing", 1), ("H41", "field-missing", 1),
    ]  # fmt: skip
    assert [row["sender"] for row in some] == ["G22", "H41"]
    assert rows[0]["last"] == START + timedelta(minutes=5)


def test_every_filter_finds_what_a_look_at_all_would(axis: Axis, a_day: list[str]) -> None:
    everything = read_all(axis, Wanted(START, START + DAY), 100)
    assert [row["id"] for row in everything] == list(reversed(a_day))
    senders, rules, texts = ("", "G22", "H41"), ("", "field-missing", "attachment-missing"), ("", "tien luong")
    for sender, rule, text, most in product(senders, rules, texts, (1, 2, 100)):
        phrases = (words(text),) if text else ()
        wanted = Wanted(START, START + timedelta(minutes=5), sender, rule, phrases)
        meant = [
            row["id"] for row in everything
            if row["at"] < wanted.until and sender in {"", row["sender"]} and text in row["search"]
            and (not rule or rule in {v["rule"] for v in row["violations"]})
        ]  # fmt: skip
        assert [row["id"] for row in read_all(axis, wanted, most)] == meant, (sender, rule, text, most)


def test_refusals_of_one_moment_are_told_once_each(axis: Axis, a_day: list[str]) -> None:
    with writing(axis.desk.engine) as connection:
        connection.execute(update(tables.refusal).values(at=START))
        connection.execute(update(refusal_rule).values(at=START))
    for rule in ("", "field-missing"):
        whole = [row["id"] for row in read_all(axis, Wanted(START, START + DAY, rule=rule), 100)]
        assert len(whole) == len(set(whole)) == (4 if rule else 6)
        assert [row["id"] for row in read_all(axis, Wanted(START, START + DAY, rule=rule), 1)] == whole


def test_words_that_are_rare_are_looked_for_in_steps(
    axis: Axis, a_day: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "_SEARCHED", 2)
    wanted = Wanted(START, START + DAY, phrases=(words("tiền lương"),))
    with reading(axis.desk.engine) as connection:
        first = refusals.page(connection, wanted, None, 10)
    assert [row["id"] for row in first.rows] == [a_day[4]]
    assert first.further is not None
    assert [row["id"] for row in read_all(axis, wanted, 10)] == [a_day[4], a_day[3]]


@pytest.mark.parametrize("text", ["15/VPCP", '"15/VPCP-TH"', "G22,2020/03/02", "15 VPCP", "lương 15/VPCP"])
def test_a_number_is_found_as_it_is_written(axis: Axis, text: str) -> None:
    office, said = axis.enrol("G22"), "Về việc điều chỉnh tiền lương"
    meant = refused(office, subject=said, number="15", symbol="VPCP-TH", date="2020/03/02", **NO_FILES)
    refused(office, subject=said, number="16", symbol="BTC", **NO_FILES)
    query = parse(text)
    page = read_all(axis, Wanted(START, START + DAY, phrases=query.phrases), 10)
    with reading(axis.desk.engine) as connection:
        rows = log.refusals(connection, query, 10)
    assert [row["id"] for row in page] == [row["id"] for row in rows] == [meant]


def test_rules_go_with_their_refusal(axis: Axis, a_day: list[str]) -> None:
    axis.clock.pass_(days=400)
    with writing(axis.desk.engine) as connection:
        retention.remove_refusals(connection, axis.clock(), 100)
    with reading(axis.desk.engine) as connection:
        assert connection.execute(select(func.count()).select_from(refusal_rule)).scalar_one() == 0
