"""The overview's figures are what a count of all rows gives, at any moment, and what is kept of them stays right."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from builders.axis import Axis
from builders.databases import statements
from sqlalchemy import select

from hub.console import figures
from hub.console.chart import drawn, steps
from hub.console.figures import LATE, QUARTER, Bar, Counts, spans
from hub.console.frame import local
from hub.errors import Refusal
from hub.exchange.polled import polled
from hub.http.bell import Bell
from hub.http.interface import Interface
from hub.settings import Settings
from hub.store import overview
from hub.store import tables as t
from hub.store.engine import reading

READY = {"writer": "ok", "database": "ok", "disk": "ok"}


def brute(axis: Axis, since: datetime, until: datetime) -> tuple[int, int, int]:
    """Counted from all rows, by their own moments."""
    with reading(axis.desk.engine) as connection:
        documents = connection.execute(select(t.document.c.accepted_at)).scalars().all()
        deliveries = connection.execute(
            select(t.delivery.c.created_at).where(t.delivery.c.report_id.is_(None))
        ).scalars().all()  # fmt: skip
        refusals = connection.execute(select(t.refusal.c.at)).scalars().all()
    return tuple(  # type: ignore[return-value]
        sum(since <= at < until for at in moments) for moments in (documents, deliveries, refusals)
    )


def face_of(axis: Axis, tmp_path: Path) -> Interface:
    return Interface(axis.desk, Bell(), Settings(data_dir=tmp_path))


def test_what_came_is_what_a_count_of_all_rows_gives(axis: Axis, tmp_path: Path) -> None:
    chance, counts, n = random.Random(7), Counts(), 0
    axis.clock.pass_(days=-7)
    office = axis.enrol("G22")
    peers = [axis.enrol(code) for code in ("H41", "H17", "G12")]
    face = face_of(axis, tmp_path)
    for step in range(24):
        for _ in range(chance.choice([0, 1, 2])):
            n += 1
            sent = office.send(
                *(peer.code for peer in chance.sample(peers, chance.randint(1, 3))),
                number=str(n), document_id=f"G22,2025/10/01,{n}/VPCP-TH",
            )  # fmt: skip
            assert sent
        axis.clock.now += timedelta(seconds=chance.choice([1, 59, 600, 7000])) if step != 12 else timedelta(days=6)
        found = figures.look(face, counts, READY)
        midnight = local(axis.clock.now).replace(hour=0, minute=0, second=0, microsecond=0)
        minute = found.at.replace(second=0)
        week = timedelta(days=7)
        today, before = found.today, found.before
        assert (today.documents, today.deliveries, today.refused) == brute(axis, midnight, found.at)
        assert (before.documents, before.deliveries, before.refused) == brute(axis, midnight - week, minute - week)
        for bar in found.bars:
            assert (bar.documents, bar.deliveries) == brute(axis, bar.at, min(bar.at + QUARTER, found.at))[:2]
    assert n > 10


def test_what_waits_too_long_is_told_by_system_with_the_oldest_first(axis: Axis, tmp_path: Path) -> None:
    office, province, ministry = axis.enrol("G22"), axis.enrol("H41"), axis.enrol("G12")
    face = face_of(axis, tmp_path)
    first = office.send("H41")
    axis.clock.now += LATE / 2
    office.send("G12", number="16", document_id="G22,2025/10/01,16/VPCP-TH")
    found = figures.look(face, Counts(), READY)
    assert (found.waiting, found.late, found.silent) == (2, 0, ())
    assert (found.oldest["document"], found.oldest["recipient"]) == (first["id"], "H41")
    axis.clock.now += LATE / 2 + timedelta(seconds=1)
    found = figures.look(face, Counts(), READY)
    assert (found.waiting, found.late) == (2, 1)
    [silent] = found.silent
    assert (silent.system, silent.code, silent.waiting) == (province.system_id, "H41", 1)
    assert silent.since == axis.clock.now - LATE - timedelta(seconds=1)
    assert ministry.system_id not in {one.system for one in found.silent}


def test_who_has_not_asked_for_a_day_is_counted_though_nothing_waits_for_it(axis: Axis, tmp_path: Path) -> None:
    office, province, _ = axis.enrol("G22"), axis.enrol("H41"), axis.enrol("G12")
    face = face_of(axis, tmp_path)

    def unheard() -> int:
        axis.desk.rosters.current(now=True)
        return figures.look(face, Counts(), READY).unheard

    assert unheard() == 3
    asked = {office.system_id: axis.clock.now, province.system_id: axis.clock.now - LATE - timedelta(seconds=2)}
    axis.desk.writer.run(polled, asked)
    assert unheard() == 2
    axis.steer("G12", "lock")
    assert unheard() == 1


def test_refusals_are_counted_by_rule_once_a_packet(axis: Axis, tmp_path: Path) -> None:
    office = axis.enrol("G22")
    axis.enrol("H41")
    for number in ("15", "16"):
        packet = office.packet(office.draft("H99", "H41", number=number, document_id=f"G22,2025/10/01,{number}/VPCP"))
        with pytest.raises(Refusal):
            asyncio.run(axis.desk.accept(packet, axis.desk.rosters.current(now=True).systems[office.system_id], "t"))
    found = figures.look(face_of(axis, tmp_path), Counts(), READY)
    assert found.today.refused == 2
    assert dict(found.rules) == {"recipient-unknown": 2}


def test_a_span_is_split_into_what_is_over_and_the_rest() -> None:
    now = datetime.fromisoformat("2025-10-01T10:07:31+07:00")
    midnight = now.replace(hour=0, minute=0, second=0)
    found = spans(midnight, now, now - timedelta(minutes=2))
    assert [a for a, _ in found] == [midnight, *(b for _, b in found[:-1])]
    assert found[-1] == (now.replace(minute=5, second=0), now)
    assert sum(b - a == QUARTER for a, b in found) == 40
    assert len(found) == 40 + 5 + 1


def test_nothing_is_asked_that_grows_with_what_ever_was(axis: Axis) -> None:
    """The plans on SQLite name an index for each table."""
    if axis.desk.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL scans tables this small in any case; tests/store/test_plans.py asks it otherwise")
    asked: list[str] = []
    with reading(axis.desk.engine) as connection:
        now = axis.clock.now
        with statements(axis.desk.engine) as seen:
            overview.came(connection, now - QUARTER, now)
            overview.waiting(connection, now)
            overview.unswept(connection)
        for statement, values in seen:
            if statement.startswith("SELECT"):
                asked += [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert len(asked) >= 6
    assert [line for line in asked if line.startswith("SCAN") and "INDEX" not in line] == []


@pytest.mark.parametrize(("most", "top"), [(1, 4), (4, 4), (5, 8), (17, 20), (999, 2000), (40_001, 80_000)])
def test_the_axis_of_a_chart_ends_at_a_round_number_above_all(most: int, top: int) -> None:
    assert steps(most)[-1] == top


def test_a_chart_says_what_it_shows_and_escapes_it() -> None:
    bars = [Bar(datetime.fromisoformat("2025-10-01T10:00:00+07:00"), 1, 3)]
    svg = drawn(bars, "<b>", "“a” & b", "vi")
    assert "<title>&lt;b&gt;</title><desc>“a” &amp; b</desc>" in svg
    assert svg.count("<rect") == 2
