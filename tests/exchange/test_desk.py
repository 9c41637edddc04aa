"""The desk: it checks on the newest directory, stores what is large, keeps what it refuses, and sweeps."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from builders.axis import START, Axis, an_axis
from builders.reports import delivered, office_and_province, one_on_its_way, packet_of, ref
from sqlalchemy import select

from hub.background import beside
from hub.errors import Refusal
from hub.exchange import enrol
from hub.store import tables as t
from hub.store.engine import reading
from hub.store.roster import Rosters


def refusals(axis: Axis) -> list[Any]:
    with reading(axis.desk.engine) as connection:
        return list(connection.execute(select(t.refusal).order_by(t.refusal.c.at)).mappings())


def stored(axis: Axis) -> list[str]:
    """The files in the payload store."""
    return list(axis.desk.payloads.older_than(axis.clock().replace(year=9999)))


def with_an_old_snapshot(axis: Axis) -> None:
    """The desk's snapshot of the directory stays as it is now for as long as nothing asks for the newest."""
    axis.desk.rosters = Rosters(axis.desk.engine, lambda: 0.0)
    axis.desk.rosters.current()


# The newest directory.


def test_what_only_the_newest_directory_allows_is_not_refused(axis: Axis) -> None:
    office = axis.enrol("G22")
    system = axis.desk.rosters.current(now=True).systems[office.system_id]
    with_an_old_snapshot(axis)
    province = axis.enrol("H41")
    answer = asyncio.run(axis.desk.accept(office.packet(office.draft("H41")), system, "")).body
    assert province.waiting() == [delivery["id"] for delivery in answer["deliveries"]]
    assert refusals(axis) == []


def test_what_the_newest_directory_sends_elsewhere_is_checked_again(axis: Axis) -> None:
    office, province = office_and_province(axis)
    system = axis.desk.rosters.current(now=True).systems[office.system_id]
    with_an_old_snapshot(axis)
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    asyncio.run(axis.desk.accept(office.packet(office.draft("H41.05")), system, ""))
    assert (len(department.waiting()), province.waiting()) == (1, [])


def test_a_report_too_is_checked_again_when_the_directory_has_changed(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    system = axis.desk.rosters.current(now=True).systems[province.system_id]
    with_an_old_snapshot(axis)
    axis.enrol("H27")
    packet = packet_of(province, status="03", response_for=ref(document))
    assert asyncio.run(axis.desk.report(packet, system, "")).new
    assert axis.states(answer) == {"H41": "delivered/03"}


def test_a_packet_whose_directory_never_stands_still_may_come_again(axis: Axis) -> None:
    office, province = office_and_province(axis)
    numbers = iter(range(100))

    def changing() -> datetime:
        """The time, which the desk asks for between the snapshot and the check."""
        number = next(numbers)
        job = enrol.Enrolments((enrol.Enrolment(f"H27.{number:02}", "Phòng Văn hóa - Xã hội"),), axis.desk.vault)
        axis.desk.writer.run(enrol.enrol, job)
        return axis.clock()

    usual, axis.desk.clock = axis.desk.clock, changing
    with pytest.raises(Refusal, match=r"^busy") as refused:
        office.hand_in(office.packet(office.draft("H41")))
    assert (refused.value.problem.temporary, refused.value.retry_after) == (True, 1)
    assert (province.waiting(), refusals(axis)) == ([], [])
    axis.desk.clock = usual
    assert office.hand_in(office.packet(office.draft("H41"))).new


# What is refused.


def test_a_refused_packet_is_no_document_but_its_refusal_is_kept(axis: Axis) -> None:
    office = axis.enrol("G22")
    packet = office.packet(office.draft("W00", subject="V/v thử nghiệm"))
    with pytest.raises(Refusal, match=r"^packet-refused"):
        office.hand_in(packet)
    (row,) = refusals(axis)
    assert (row["code"], row["system_id"], row["sender"]) == ("packet-refused", office.system_id, "G22")
    assert (row["size"], row["subject"], row["trace_id"]) == (len(packet), "V/v thử nghiệm", "vết-thử")
    assert (row["at"], row["sha256"]) == (axis.clock(), hashlib.sha256(packet).hexdigest())
    assert [violation["rule"] for violation in row["violations"]] == ["recipient-is-node"]
    with reading(axis.desk.engine) as connection:
        assert connection.execute(select(t.document)).all() == []
        assert connection.execute(select(t.packet)).all() == []


def test_a_packet_that_cannot_be_read_is_kept_as_a_digest_and_a_rule(axis: Axis) -> None:
    office = axis.enrol("G22")
    with pytest.raises(Refusal, match=r"^xml-not-well-formed"):
        office.hand_in(b"<edXML>")
    (row,) = refusals(axis)
    assert (row["code"], row["sender"], row["subject"]) == ("xml-not-well-formed", "", "")
    assert row["sha256"] == hashlib.sha256(b"<edXML>").hexdigest()


# What is large.


def test_a_large_packet_lies_in_the_payload_store_and_a_small_one_in_its_row(axis: Axis) -> None:
    office, province = office_and_province(axis)
    small, large = (office.packet(office.draft("H41")) for _ in range(2))
    assert len(small) <= axis.desk.terms.inline_limit
    office.hand_in(small)
    axis.desk.terms = replace(axis.desk.terms, inline_limit=100)
    answer = office.hand_in(large).body
    (place,) = stored(axis)
    assert axis.desk.payloads.get(place) == large
    with reading(axis.desk.engine) as connection:
        rows = connection.execute(select(t.packet.c.place, t.packet.c.body).order_by(t.packet.c.place.is_(None))).all()
    assert [(row.place, row.body) for row in rows] == [(place, None), (None, small)]
    assert province.inbox()[-1]["document_id"] == answer["id"]


def test_a_large_packet_that_is_refused_or_repeated_leaves_no_file(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    axis.desk.terms = replace(axis.desk.terms, inline_limit=100)
    document = office.draft("H41")
    packet = office.packet(document)
    office.hand_in(packet)
    kept = stored(axis)
    assert not office.hand_in(packet).kept
    with pytest.raises(Refusal, match=r"^document-conflict"):
        office.hand_in(office.packet(replace(document, subject="V/v khác")))
    assert stored(axis) == kept
    assert len(kept) == 1


# The sweep.


def swept_until(axis: Axis, done: Callable[[], bool]) -> None:
    """Sweep, as the hub does beside its serving, until something is done."""

    async def run() -> None:
        async with asyncio.timeout(60), beside(axis.desk.sweep()):
            while not done():
                await asyncio.sleep(0.01)

    asyncio.run(run())


def test_leases_and_deliveries_whose_time_is_over_end_by_themselves(axis: Axis) -> None:
    _, province, delivery = one_on_its_way(axis)
    province.claim(delivery)
    axis.clock.pass_(days=31)
    swept_until(axis, lambda: axis.delivery(delivery).state == "expired")


def test_a_payload_that_no_row_names_is_removed_after_a_day(tmp_path: Path, database_url: str) -> None:
    with an_axis(tmp_path, database_url, inline_limit=0) as axis:
        office, _ = office_and_province(axis)
        office.hand_in(office.packet(office.draft("H41")))
        (named,) = stored(axis)
        old, young = ("2025/09/30/cu.edxml", "2025/09/30/moi.edxml")
        for place in (old, young):
            axis.desk.payloads.put(place, b"x")
        for place in (named, old):
            os.utime(next(tmp_path.rglob(Path(place).name)), (0, START.timestamp()))
        swept_until(axis, lambda: old not in stored(axis))
        assert sorted(stored(axis)) == sorted([named, young])
