"""Who reads what became of a document when its sender's system is locked, retired or replaced (exchange rules 2, 8)."""

from __future__ import annotations

from builders.axis import Axis


def test_a_locked_sender_reads_what_happened_meanwhile_once_it_is_unlocked(axis: Axis) -> None:
    office, province = axis.enrol("G22"), axis.enrol("H41")
    delivery = office.send("H41")["deliveries"][0]["id"]
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


def test_a_system_enrolled_anew_reads_what_its_forerunner_had_not_read(axis: Axis) -> None:
    office, province = axis.enrol("G22"), axis.enrol("H41")
    delivery = office.send("H41")["deliveries"][0]["id"]
    province.receive(delivery)
    axis.steer("G22", "retire")
    assert axis.enrol("G22").outbox() == [("delivered", "none")]
