"""Who reads what became of a document when its sender's system is locked, retired or replaced (exchange rules 2, 8)."""

from __future__ import annotations

import pytest
from builders.axis import Axis
from builders.reports import one_on_its_way


def test_a_locked_sender_reads_what_happened_meanwhile_once_it_is_unlocked(axis: Axis) -> None:
    office, province, delivery = one_on_its_way(axis)
    axis.steer("G22", "lock")
    province.receive(delivery)
    axis.steer("G22", "unlock")
    assert office.outbox() == [("delivered", "none")]


def test_a_locked_platform_reads_what_its_units_were_told_once_it_is_unlocked(axis: Axis) -> None:
    platform, office = axis.enrol("H41"), axis.enrol("G22")
    unit = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    delivery = unit.send("G22")["deliveries"][0]["id"]
    axis.steer("H41.05", "retire")
    axis.steer("H41", "lock")
    office.receive(delivery)
    axis.steer("H41", "unlock")
    assert platform.outbox() == [("delivered", "none")]


def test_what_is_told_while_nobody_stands_for_the_sender_goes_to_the_next_system(axis: Axis) -> None:
    office, unit = axis.enrol("G22"), axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    delivery = unit.send("G22")["deliveries"][0]["id"]
    axis.steer("H41.05", "retire")
    office.receive(delivery)
    platform = axis.enrol("H41")
    assert platform.outbox() == [("delivered", "none")]
    assert [row["delivery_id"] for row in platform.entries()] == [delivery]


@pytest.mark.parametrize("retired", [True, False])
def test_a_system_enrolled_anew_reads_what_its_forerunner_was_told(axis: Axis, retired: bool) -> None:
    _, province, delivery = one_on_its_way(axis)
    province.receive(delivery)
    if retired:
        axis.steer("G22", "retire")
    assert axis.enrol("G22").outbox() == [("delivered", "none")]
