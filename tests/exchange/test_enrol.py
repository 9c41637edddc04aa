"""Enrolling, locking and retiring systems (exchange rules 2)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from builders.axis import Axis
from builders.databases import statements
from builders.keys import a_certificate
from cryptography.hazmat.primitives import hashes
from sqlalchemy import select

from hub.errors import Refusal
from hub.exchange import enrol
from hub.store import roster
from hub.store import tables as t
from hub.store.engine import reading


def systems(axis: Axis) -> dict[str, Any]:
    with reading(axis.desk.engine) as connection:
        return {row["id"]: row for row in connection.execute(select(t.system)).mappings()}


def enrol_all(axis: Axis, *enrolments: enrol.Enrolment, replace: bool = False) -> list[dict[str, Any]]:
    job = enrol.Enrolments(enrolments, axis.desk.vault, replace)
    made: list[dict[str, Any]] = axis.desk.writer.run(enrol.enrol, job)
    return made


def doubts(axis: Axis, *enrolments: enrol.Enrolment) -> list[tuple[str, str, str]]:
    """What is told beside the credentials: rule, text and repair."""
    current = axis.desk.rosters.current(now=True)
    found = enrol.doubts(current, enrolments, axis.clock().date())
    return [(doubt.rule, doubt.en, doubt.repair) for doubt in found]


# Credentials.


def test_enrolling_gives_credentials_that_are_kept_only_as_hashes_and_under_the_vault(axis: Axis) -> None:
    (made,) = enrol_all(axis, enrol.Enrolment("000.00.00.H41"))
    assert made["agency"] == "H41"
    assert len(made["code"]) * 6 >= 128  # bits: the code is Base64 text
    row = systems(axis)[made["system_id"]]
    assert (row["code"], row["state"], row["profile"], row["algorithms"]) == ("H41", "active", "required", "2025")
    assert row["token_hash"] == hashlib.sha256(made["token"].encode()).hexdigest()
    assert axis.desk.vault.decrypt(row["secret"]) == made["secret"].encode()
    with reading(axis.desk.engine) as connection:
        stored = repr(connection.execute(select(t.system)).all()) + repr(
            connection.execute(select(t.one_time_code)).all()
        )
    for shown in (made["token"], made["secret"], made["code"]):
        assert shown not in stored


def test_the_operator_may_bring_id_secret_profile_and_certificate(axis: Axis) -> None:
    _, certificate = a_certificate("Nghệ An")
    wanted = enrol.Enrolment("H41", "", "qlvb-nghe.an_01", "khóa của phần mềm cũ", "legacy", "sha1", certificate)
    (made,) = enrol_all(axis, wanted)
    assert (made["system_id"], made["secret"], made["code"]) == ("qlvb-nghe.an_01", "khóa của phần mềm cũ", "")
    row = systems(axis)["qlvb-nghe.an_01"]
    assert (row["profile"], row["algorithms"]) == ("legacy", "sha1")
    with reading(axis.desk.engine) as connection:
        (registered,) = roster.certificates_of(connection, ["H41"])
    assert registered["fingerprint"] == certificate.fingerprint(hashes.SHA256()).hex()
    assert registered["basis"] == "operator"


def test_a_code_the_directory_does_not_have_needs_a_name_and_is_listed_under_it(axis: Axis) -> None:
    for code, rule in (("X77", "agency-unknown"), ("H41.05", "agency-unknown"), ("UBND-XA", "agency-code-form")):
        with pytest.raises(Refusal, match=rf"^{rule}"):
            axis.enrol(code)
        axis.enrol(code, "Cơ quan Thử")
        agency = axis.desk.rosters.current(now=True).directory.listed(code)
        assert agency is not None
        assert agency.name == "Cơ quan Thử"


@pytest.mark.parametrize(("code", "meant"), [("h41", "H41"), ("000.00.00.h41", "H41"), ("h41.dn.1", "H41.DN.1")])
def test_a_code_in_small_letters_is_refused_with_the_one_that_is_meant(axis: Axis, code: str, meant: str) -> None:
    for name in ("", "Cơ quan Thử"):
        with pytest.raises(Refusal, match=r"^agency-code-case") as refused:
            axis.enrol(code, name)
        assert refused.value.repair == meant


@pytest.mark.parametrize("code", ["W00", "000.00.00.W00", "W00.01"])
def test_the_axis_itself_is_told_to_be_a_node_and_not_enrolled(axis: Axis, code: str) -> None:
    for name in ("", "Trục liên thông văn bản"):
        with pytest.raises(Refusal, match=r"^agency-is-node"):
            axis.enrol(code, name)


def test_a_system_gets_new_credentials_under_the_id_that_its_software_has(axis: Axis) -> None:
    (first,) = enrol_all(axis, enrol.Enrolment("H41", system_id="qlvb-nghean"))
    axis.steer("H41", "retire")
    bound = enrol.Enrolment("H41", system_id="qlvb-nghean", profile="legacy", addresses=("10.20.0.0/16",))
    (again,) = enrol_all(axis, bound)
    job = enrol.Enrolments((enrol.Enrolment("H41", system_id="qlvb-nghean"),), axis.desk.vault, replace=True)
    (third,) = axis.desk.writer.run(enrol.enrol, job)
    assert len({made["secret"] for made in (first, again, third)}) == 3
    row = systems(axis)["qlvb-nghean"]
    assert (row["state"], row["ended_at"]) == ("active", None)
    assert (row["profile"], row["addresses"]) == ("legacy", "10.20.0.0/16"), "what was not named stays"
    assert axis.desk.vault.decrypt(row["secret"]) == third["secret"].encode()
    assert set(axis.desk.rosters.current(now=True).tokens) == {enrol.hashed(third["token"])}


def test_a_locked_system_that_gets_new_credentials_under_its_id_stays_locked(axis: Axis) -> None:
    enrol_all(axis, enrol.Enrolment("H41", system_id="qlvb-nghean"))
    axis.steer("H41", "lock")
    (again,) = enrol_all(axis, enrol.Enrolment("H41", system_id="qlvb-nghean"), replace=True)
    row = systems(axis)["qlvb-nghean"]
    assert (row["state"], row["ended_at"]) == ("locked", None)
    assert row["token_hash"] == enrol.hashed(again["token"])
    assert axis.desk.rosters.current(now=True).systems["qlvb-nghean"].locked
    enrol_all(axis, enrol.Enrolment("H41", system_id="qlvb-moi"), replace=True)
    assert systems(axis)["qlvb-moi"]["state"] == "active", "another system was never locked"


def test_a_system_id_that_is_another_agencys_is_refused(axis: Axis) -> None:
    enrol_all(axis, enrol.Enrolment("H41", system_id="qlvb"))
    axis.steer("H41", "retire")
    with pytest.raises(Refusal, match=r"^system-id-taken.*H41"):
        enrol_all(axis, enrol.Enrolment("H17", system_id="qlvb"))


def test_a_short_secret_is_taken_and_warned_of(axis: Axis) -> None:
    """Installed software has what it was given."""
    given = enrol.Enrolment("H41", secret="0123456789abcde")
    enrol_all(axis, given)
    (doubt,) = enrol.doubts(axis.desk.rosters.current(now=True), [given], axis.clock().date())
    assert (doubt.rule, doubt.severity) == ("secret-weak", "warning")


def test_addresses_are_networks(axis: Axis) -> None:
    enrol_all(axis, enrol.Enrolment("H41", addresses=("203.0.113.7", "10.20.0.0/16", "2001:db8::/32")))
    assert systems(axis)[next(iter(systems(axis)))]["addresses"] == "203.0.113.7/32,10.20.0.0/16,2001:db8::/32"
    for wrong in ("10.20.0.1/16", "nghean.gov.vn", ""):
        with pytest.raises(Refusal, match=r"^addresses-form"):
            enrol_all(axis, enrol.Enrolment("H17", addresses=(wrong,)))


@pytest.mark.parametrize("length", [1, 7])
def test_a_secret_that_can_be_guessed_is_refused(axis: Axis, length: int) -> None:
    with pytest.raises(Refusal, match=r"^secret-short") as refused:
        enrol_all(axis, enrol.Enrolment("H41", secret="đ" * length))
    assert refused.value.repair == "≥ 8"
    assert systems(axis) == {}
    assert enrol_all(axis, enrol.Enrolment("H41", secret="đ" * 8))[0]["secret"] == "đ" * 8


def test_systems_are_enrolled_all_or_none(axis: Axis) -> None:
    with pytest.raises(Refusal, match=r"^agency-unknown"):
        enrol_all(axis, enrol.Enrolment("H41"), enrol.Enrolment("X77"))
    assert systems(axis) == {}


def test_two_thousand_systems_are_enrolled_in_one_go_with_a_few_statements_each(axis: Axis) -> None:
    wanted = [enrol.Enrolment(f"H41.{n:04}", f"Đơn vị {n}") for n in range(2000)]
    with statements(axis.desk.engine) as sent:
        made = enrol_all(axis, *wanted)
    assert len(sent) < 5 * 2000
    assert len({row["token"] for row in made}) == 2000
    assert {row["agency"] for row in made} == {enrolment.code for enrolment in wanted}
    assert len(systems(axis)) == 2000


# One system per code.


@pytest.mark.parametrize("state", ["active", "locked"])
def test_a_code_that_has_a_system_is_not_enrolled_again_unless_it_is_said(axis: Axis, state: str) -> None:
    """A second `hub enrol` used to retire the system that was running, whoever typed it."""
    office, province = axis.enrol("G22"), axis.enrol("H41")
    if state == "locked":
        axis.steer("H41", "lock")
    with pytest.raises(Refusal, match=r"^system-connected") as refused:
        enrol_all(axis, enrol.Enrolment("H36"), enrol.Enrolment("000.00.00.H41"), enrol.Enrolment("G22"))
    told = [violation.en for violation in refused.value.violations]
    assert told == [
        f"System {peer.system_id} is connected for {peer.code} since 01/10/2025 09:00." for peer in (office, province)
    ]
    assert {row["id"]: row["state"] for row in systems(axis).values()} == {
        office.system_id: "active",
        province.system_id: state,
    }
    axis.steer("H41", "retire")
    enrol_all(axis, enrol.Enrolment("H41"))


def test_a_closed_agency_is_enrolled_with_its_successor_told(axis: Axis) -> None:
    open_, closed = enrol.Enrolment("G17"), enrol.Enrolment("G04")
    enrol_all(axis, open_, closed)
    assert doubts(axis, open_, closed) == [
        ("agency-closed", "The agency G04 is closed since 14/04/2025.", "hub enrol G17")
    ]


def test_a_certificate_that_another_agency_has_too_is_told(axis: Axis) -> None:
    _, certificate = a_certificate("chung")
    first, second, again = (enrol.Enrolment(code, certificate=certificate) for code in ("H17", "H41", "000.00.00.H17"))
    enrol_all(axis, first)
    assert doubts(axis, first) == []
    enrol_all(axis, second)
    told = ("certificate-elsewhere", "The certificate of H41 is registered for H17 as well.")
    assert [doubt[:2] for doubt in doubts(axis, second)] == [told]
    enrol_all(axis, again, replace=True)
    assert [doubt[1] for doubt in doubts(axis, again)] == ["The certificate of H17 is registered for H41 as well."]


def test_enrolling_again_retires_the_earlier_system_and_its_one_time_code(axis: Axis) -> None:
    first, second = (enrol_all(axis, enrol.Enrolment("H41"), replace=True)[0] for _ in range(2))
    rows = systems(axis)
    assert rows[first["system_id"]]["state"] == "retired"
    assert rows[first["system_id"]]["ended_at"] == axis.clock()
    assert rows[second["system_id"]]["state"] == "active"
    current = axis.desk.rosters.current(now=True)
    assert set(current.systems) == {second["system_id"]}
    with reading(axis.desk.engine) as connection:
        assert roster.one_time_code(connection, first["system_id"]) is None


def test_credentials_are_renewed_only_where_those_that_were_seen_still_stand(axis: Axis) -> None:
    (made,) = enrol_all(axis, enrol.Enrolment("H41"))
    seen = axis.clock()
    same = enrol.Enrolment("H41", system_id=made["system_id"])
    renewal = enrol.Enrolments((same,), axis.desk.vault, replace=True, renews=seen)
    axis.clock.pass_(minutes=1)
    first, second = [axis.desk.writer.submit(enrol.enrol, renewal) for _ in range(2)]
    (renewed,) = first.result()
    with pytest.raises(Refusal, match="credentials-renewed"):
        second.result()
    assert set(axis.desk.rosters.current(now=True).tokens) == {enrol.hashed(renewed["token"])}
    axis.steer("H41", "retire")
    with pytest.raises(Refusal, match="system-none"):
        axis.desk.writer.run(enrol.enrol, renewal)
    assert systems(axis)[made["system_id"]]["state"] == "retired"


def test_enrolling_again_gives_what_waits_to_the_new_system_with_a_fresh_place(axis: Axis) -> None:
    office, old = axis.enrol("G22"), axis.enrol("H41")
    delivery = office.send("H41")["deliveries"][0]["id"]
    before = axis.delivery(delivery).seq
    new = axis.enrol("H41")
    assert [row["id"] for row in new.inbox(before)] == [delivery]
    with pytest.raises(Refusal, match=r"^not-authenticated"):
        old.fetch(delivery)
    new.receive(delivery)


def test_what_a_retired_system_left_goes_to_the_platform_above(axis: Axis) -> None:
    office, province = axis.enrol("G22"), axis.enrol("H41")
    department = axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    delivery = office.send("H41.05")["deliveries"][0]["id"]
    axis.steer("H41.05", "retire")
    assert [row["id"] for row in province.inbox()] == [delivery]
    assert axis.events(delivery)[-1]["what"] == "moved"
    with pytest.raises(Refusal, match=r"^not-authenticated"):
        department.claim(delivery)


def test_what_nobody_can_receive_now_waits_for_the_next_system(axis: Axis) -> None:
    office = axis.enrol("G22")
    axis.enrol("H41")
    delivery = office.send("H41")["deliveries"][0]["id"]
    axis.steer("H41", "retire")
    assert axis.delivery(delivery).state.value == "waiting"
    assert [row["id"] for row in axis.enrol("H41").inbox()] == [delivery]


def test_what_is_fetched_or_over_does_not_move(axis: Axis) -> None:
    office, province = axis.enrol("G22"), axis.enrol("H41")
    deliveries = [office.send("H41.05")["deliveries"][0]["id"] for _ in range(2)]
    province.fetch(deliveries[0])
    province.receive(deliveries[1])
    before = [axis.delivery(delivery) for delivery in deliveries]
    axis.enrol("H41.05", "Sở Khoa học và Công nghệ")
    assert [axis.delivery(delivery) for delivery in deliveries] == before


def test_a_locked_system_keeps_what_waits_and_finds_it_when_it_is_unlocked(axis: Axis) -> None:
    office, province = axis.enrol("G22"), axis.enrol("H41")
    delivery = office.send("H41")["deliveries"][0]["id"]
    before = axis.delivery(delivery)
    axis.steer("H41", "lock")
    for verb in (province.claim, province.fetch, province.done, province.failed):
        with pytest.raises(Refusal, match=r"^system-locked"):
            verb(delivery)
    axis.steer("H41", "unlock")
    assert axis.delivery(delivery) == before
    province.receive(delivery)


@pytest.mark.parametrize("action", ["lock", "unlock", "retire"])
def test_only_a_code_with_a_system_of_its_own_can_be_steered(axis: Axis, action: str) -> None:
    axis.enrol("H41")
    for code, rule in (("H27", "system-none"), ("H41.05", "agency-unknown")):
        with pytest.raises(Refusal, match=rf"^{rule}"):
            axis.steer(code, action)
    assert [row["state"] for row in systems(axis).values()] == ["active"]


def test_a_code_or_a_system_id_named_twice_is_refused_and_nobody_is_enrolled(axis: Axis) -> None:
    first = enrol.Enrolment("H41", system_id="qlvb")
    for twice in (enrol.Enrolment("000.00.00.H41"), enrol.Enrolment("H36", system_id="qlvb")):
        with pytest.raises(Refusal, match=r"^enrolled-twice"):
            enrol_all(axis, first, twice)
    assert systems(axis) == {}


@pytest.mark.parametrize("system_id", ["a b", "qlvb/1", "hệ-thống", "a" * 65])
def test_a_system_id_of_other_characters_or_too_long_is_refused(axis: Axis, system_id: str) -> None:
    with pytest.raises(Refusal, match=r"^system-id-form"):
        enrol_all(axis, enrol.Enrolment("H41", system_id=system_id))
    assert systems(axis) == {}
