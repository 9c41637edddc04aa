"""Units that a system registers below its own agency: which codes, which names, and by whom (exchange/units)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from builders.axis import Axis
from builders.reports import office_and_province
from builders.units import (
    by_operator,
    closing,
    contact,
    current,
    listed,
    listing,
    mapping,
    refusal,
    refused,
    register,
    remove,
    submit,
)
from sqlalchemy import insert

from hub.domain.agency import Agency, Route
from hub.domain.document import Organization
from hub.exchange import enrol, units
from hub.exchange.writer import Writer
from hub.store import roster
from hub.store import tables as t
from hub.store.engine import reading

# What is registered.


@pytest.mark.parametrize(
    ("system", "code", "parent", "level"),
    [
        ("H41", "000.00.15.H41", "H41", 2),
        ("H41", "H41.15", "H41", 2),
        ("H41", "H41.15.02", "H41.15", 3),
        ("H17", "28.22.H17", "000.00.22.H17", 3),
        ("000.00.15.H41", "001.02.15.H41", "000.02.15.H41", 4),
    ],
)
def test_a_unit_is_listed_below_what_its_code_shows(
    axis: Axis, system: str, code: str, parent: str, level: int
) -> None:
    peer = axis.enrol(system, "Cơ quan chủ quản")
    axis.clock.pass_(minutes=5)
    said = {"parent": system, "mail": "vt@nghean.gov.vn", "fax": "0238"}
    assert register(peer, code, "Phòng Văn thư", **said) == {"agency": code, "new": True}
    wanted = Agency(
        code, "Phòng Văn thư", level, parent, registered_by=peer.system_id, mail="vt@nghean.gov.vn",
        changed_at=axis.clock(),
    )  # fmt: skip
    assert listed(axis, code) == wanted
    assert contact(axis, code) == {"mail": "vt@nghean.gov.vn", "fax": "0238"}


def test_a_unit_said_again_changes_nothing_however_it_is_spelled(axis: Axis) -> None:
    province = axis.enrol("H41")
    register(province, "H41.15.02", "Phòng Cải cách hành chính", parent="H41.15", mail="cchc@nghean.gov.vn")
    before, unit = current(axis).version, listed(axis, "H41.15.02")
    axis.clock.pass_(days=1)
    nfd = "  Pho\u0300ng Ca\u0309i ca\u0301ch\u00a0ha\u0300nh chi\u0301nh\n"
    for parent in ("000.00.00.H41", "H41", "H41.15", "", " "):
        said = {"parent": parent, "mail": " cchc@nghean.gov.vn "}
        assert register(province, " H41.15.02 ", nfd, **said) == {"agency": "H41.15.02", "new": False}
    assert (current(axis).version, listed(axis, "H41.15.02")) == (before, unit)


def test_a_unit_said_otherwise_has_the_new_name_and_contact(axis: Axis) -> None:
    province = axis.enrol("H41")
    register(province, "H41.15", "Sở Nội vụ", mail="snv@nghean.gov.vn", mobile="0912")
    axis.clock.pass_(days=1)
    assert register(province, "H41.15", "Sở Nội vụ tỉnh Nghệ An", mobile="0913")["new"] is False
    unit = listed(axis, "H41.15")
    assert unit
    assert (unit.name, unit.mail, unit.changed_at) == ("Sở Nội vụ tỉnh Nghệ An", "", axis.clock())
    assert contact(axis, "H41.15") == {"mobile": "0913"}


def test_who_writes_to_a_registered_unit_is_told_its_name_and_no_more_that_it_is_unlisted(axis: Axis) -> None:
    office, province = office_and_province(axis)
    written = (Organization(organ_id="H41.15", name="Sở Nội vụ"),)

    def warned() -> dict[str, str]:
        told = office.send(recipients=written)["warnings"]
        return {
            warning["rule"]: warning["repair"] for warning in told if warning["pointer"].startswith("MessageHeader/To")
        }

    assert set(warned()) == {"recipient-unlisted"}
    register(province, "H41.15", "Sở Nội vụ tỉnh Nghệ An")
    assert warned() == {"name-directory": "Sở Nội vụ tỉnh Nghệ An"}


# Which codes.


FORMLESS = (
    *("", " ", "H41.", ".H41", "h41.15", "H41.sn", "H41/15", "H41/../H17", "..", "H41.15\0", "\0", "\ud800"),
    *("H41.\udfff", "H41.15\u200b", "H41.１５", "H41.15\n.02", "H41." + "1" * 32, "H41." + "1." * 2500, "1" * 5000),
    *("15.H41.", "0000.00.15.H41", "test.system", "Sở Nội vụ", "H41'; DROP TABLE agency; --", "H4", "H411"),
)


def test_a_code_of_neither_form_is_refused(axis: Axis) -> None:
    province = axis.enrol("H41")
    before = current(axis).version
    for verb in (register, remove):
        found = {code: refusal(verb, province, code) for code in FORMLESS}
        assert found == dict.fromkeys(FORMLESS, ("unit-data", "code"))
    assert current(axis).version == before


@pytest.mark.parametrize(
    ("system", "codes"),
    [
        ("H41", ["H41", "000.00.00.H41", "00.00.00.H41", "00.00.H41", "00.H41"]),
        ("H41", ["H36", "H36.05", "000.00.05.H36", "W00.41", "000.00.41.W00"]),
        ("000.00.15.H41", ["000.00.15.H41", "15.H41", "000.00.16.H41", "H41", "H41.15.02"]),
        ("H41.15", ["H41.15", "H41.150", "H41.16.15", "02.15.H41", "H41"]),
        ("UBND-XA", ["H41.15", "H41"]),
    ],
)
def test_a_code_that_is_not_below_the_system_s_own_by_its_form_is_refused(
    axis: Axis, system: str, codes: list[str]
) -> None:
    peer = axis.enrol(system, "Cơ quan Thử")
    before = current(axis).version
    found = {code: refusal(register, peer, code, parent=system) for code in codes}
    assert found == dict.fromkeys(codes, ("unit-not-below", "code"))
    assert current(axis).version == before


def test_neither_a_listed_parent_nor_the_axis_itself_puts_a_code_below_a_system(axis: Axis) -> None:
    province = axis.enrol("H41")
    by_operator(axis, listing("H36.77", "Công ty Xổ số", parent="H41"), mapping("W00", "H41"))
    for code in ("H36.77", "H36.77.01", "W00.15"):
        with refused("unit-not-below"):
            register(province, code)


@pytest.mark.parametrize("state", ["active", "lock", "retire"])
def test_a_code_that_has_or_had_a_system_is_the_operator_s_and_below_it_the_nearest_registers(
    axis: Axis, state: str
) -> None:
    province = axis.enrol("H41")
    department = axis.enrol("H41.15", "Sở Nội vụ tỉnh Nghệ An", keyed=False)
    if state != "active":
        axis.steer("H41.15", state)
    by_operator(axis, mapping("H41.SNV", "H41.15"))
    with refused("unit-connected"):
        register(province, "H41.15", "Sở Nội vụ")
    if state == "retire":
        assert register(province, "H41.15.02", "Phòng Cải cách hành chính")["new"]
        return
    with refused("unit-connected") as told:
        register(province, "H41.15.02", "Phòng Cải cách hành chính")
    assert "H41.15 " in told.value.en
    if state == "active":
        assert register(department, "H41.15.02", "Phòng Cải cách hành chính")["new"]


def test_a_code_with_a_certificate_is_the_operator_s(axis: Axis) -> None:
    province = axis.enrol("H41")
    register(province, "H41.15")
    with reading(axis.desk.engine) as connection:
        (certificate,) = roster.certificates_of(connection, ["H41"])
    by_operator(axis, insert(t.certificate).values({**certificate, "code": "H41.15"}))
    for deed in (register, remove):
        with refused("unit-connected"):
            deed(province, "H41.15")


def test_what_another_code_of_the_agency_had_counts_for_all_its_codes(axis: Axis) -> None:
    province = axis.enrol("H41")
    axis.enrol("000.00.15.H41", "Sở Nội vụ", keyed=False)
    axis.steer("000.00.15.H41", "retire")
    by_operator(axis, mapping("000.00.15.H41", "H41.15"))
    for code, rule in {"H41.15": "unit-connected", "000.00.15.H41": "unit-not-yours"}.items():
        with refused(rule):
            register(province, code)


def test_an_agency_that_others_listed_is_not_the_system_s(axis: Axis) -> None:
    ministry, province = axis.enrol("G12"), axis.enrol("H41")
    axis.enrol("H41.15", "Sở Nội vụ", keyed=False)
    department = axis.enrol("H41.15", "Sở Nội vụ", keyed=False)
    register(department, "H41.15.02", "Phòng Cải cách hành chính")
    axis.steer("H41.15", "retire")
    by_operator(axis, listing("H41.16", "Sở Tư pháp"), mapping("000.00.16.H41", "H41.16"))
    for peer, codes in ((ministry, ["G12.18"]), (province, ["H41.15.02", "H41.16", "000.00.16.H41"])):
        for code in codes:
            before = listed(axis, code)
            for deed in (register, remove):
                with refused("unit-not-yours"):
                    deed(peer, code)
            assert before
            assert listed(axis, code) == before


def test_units_of_an_earlier_system_of_the_code_are_the_later_one_s(axis: Axis, monkeypatch: Any) -> None:
    monkeypatch.setattr(units, "UNITS", 2)
    first = axis.enrol("H41")
    for code in ("H41.15", "H41.16"):
        register(first, code, f"Đơn vị {code}")
    second = axis.enrol("000.00.00.H41")
    assert register(second, "H41.15", "Sở Nội vụ tỉnh Nghệ An")["new"] is False
    with refused("units-too-many") as told:
        register(second, "H41.17", "Sở Tài chính tỉnh Nghệ An")
    assert told.value.en == "This system has registered 2 units."
    remove(second, "H41.16")
    assert register(second, "H41.17", "Sở Tài chính tỉnh Nghệ An")["new"]


def test_a_system_of_another_code_of_the_agency_was_an_earlier_one_too(axis: Axis) -> None:
    register(axis.enrol("000.00.15.H41", "Sở Nội vụ"), "001.00.15.H41", "Phòng Một")
    axis.steer("000.00.15.H41", "retire")
    by_operator(axis, mapping("000.00.15.H41", "H41.15"))
    department = axis.enrol("H41.15", "Sở Nội vụ")
    assert register(department, "001.00.15.H41", "Phòng Hai")["new"] is False
    remove(department, "001.00.15.H41")


def test_a_retired_system_and_a_locked_one_register_nothing(axis: Axis) -> None:
    province = axis.enrol("H41")
    register(province, "H41.15")
    for action, rule in {"lock": "system-locked", "retire": "not-authenticated"}.items():
        axis.steer("H41", action)
        for deed in (register, remove):
            with refused(rule):
                deed(province, "H41.15")
    assert listed(axis, "H41.15")


# What is closed.


def test_below_what_is_closed_nothing_is_listed_that_would_be_open_again(axis: Axis) -> None:
    merged, province = axis.enrol("H51", keyed=False), axis.enrol("H41")
    register(province, "H41.15.02", "Phòng Cải cách hành chính")
    by_operator(axis, listing("H41.15", "Sở Nội vụ", closed_on=date(2025, 10, 1)))
    for peer, code in ((merged, "000.00.15.H51"), (province, "H41.15.01"), (province, "H41.15.02")):
        with refused("unit-closed"):
            register(peer, code)
    with refused("unit-not-yours"):
        register(province, "H41.15")
    remove(province, "H41.15.02")
    assert current(axis).directory.closed("H41.15.02", axis.clock().date())


def test_a_unit_closes_on_the_day_on_which_the_agency_above_it_does(axis: Axis) -> None:
    """Listed for itself it used to stay open when its province was merged into another."""
    axis.clock.now = datetime(2019, 3, 12, 2, 0, tzinfo=UTC)
    office, province = axis.enrol("G22", keyed=False), axis.enrol("H51", keyed=False)
    for code in ("000.00.15.H51", "001.00.15.H51"):
        register(province, code, f"Đơn vị {code}")
    directory = current(axis).directory
    for code in ("000.00.15.H51", "001.00.15.H51", "002.00.15.H51"):
        assert isinstance(directory.recipient(code, date(2025, 6, 30)), Route)
        assert directory.recipient(code, date(2025, 7, 1)) == "recipient-closed"
        assert directory.successor_of(code, date(2025, 7, 1)) == "H13"
    remove(province, "000.00.15.H51")
    with refused("unit-not-below"):
        register(office, "001.00.15.H51")


def test_a_unit_that_the_operator_closes_stays_closed_whatever_its_system_says(axis: Axis) -> None:
    province, new_year = axis.enrol("H41"), date(2026, 1, 1)
    for code, day in {"H41.15": date(2025, 10, 1), "H41.16": new_year}.items():
        register(province, code, f"Đơn vị {code}")
        by_operator(axis, closing(code, day))
        with refused("unit-closed"):
            remove(province, code)
    with refused("unit-closed") as told:
        register(province, "H41.15", "Tên khác")
    assert "01/10/2025" in told.value.vi
    register(province, "H41.16", "Tên khác")
    assert all(current(axis).directory.closed(code, new_year) for code in ("H41.15", "H41.16"))


# What is said of it.


def test_a_parent_that_the_code_does_not_show_is_refused(axis: Axis) -> None:
    province = axis.enrol("H41")
    axis.enrol("H36")
    beside = ("H36", "H41.16", "H41.15.02", "H41.15.02.01", "000.00.15.H41", "0", "\0", "\ud800", "H41.15" * 1000)
    found = {parent: refusal(register, province, "H41.15.02", parent=parent) for parent in beside}
    assert found == dict.fromkeys(beside, ("unit-data", "pcode"))


def test_a_parent_above_the_system_s_own_agency_is_refused(axis: Axis) -> None:
    axis.enrol("H41")
    department = axis.enrol("H41.15", "Sở Nội vụ", keyed=False)
    with refused("unit-data"):
        register(department, "H41.15.02", parent="H41")


def test_a_name_that_is_missing_or_cannot_be_shown_is_refused(axis: Axis) -> None:
    province = axis.enrol("H41")
    names = (
        *("", " ", "\n", "\u00a0", "Sở\0", "Sở\x1b[31m", "Sở\nNội vụ", "Sở\u2028Nội vụ", "ở" * 201, "Sở " * 5000),
        *("\u202eàihc", "Bộ\u200b Tài chính", "Bộ\ufeff", "Sở\u00ad", "\ud83d", "Sở\ue000"),
    )
    assert {name: refusal(register, province, "H41.15", name) for name in names} == dict.fromkeys(
        names, ("unit-data", "name")
    )
    assert listed(axis, "H41.15") is None


def test_the_name_of_an_agency_of_level_1_is_taken_however_it_is_spelled(axis: Axis) -> None:
    province = axis.enrol("H41")
    names = (
        *("Bộ Tài chính", " BỘ  TÀI CHÍNH ", "UBND tỉnh Nghệ An"),
        *("Uỷ ban nhân dân tỉnh\u00a0Lâm Đồng", "Bô\u0323 Ta\u0300i chi\u0301nh"),
    )
    assert {name: refusal(register, province, "H41.15", name) for name in names} == dict.fromkeys(
        names, ("unit-name-taken", "name")
    )
    register(province, "H41.15", "Sở Tài chính")  # as every province has one
    with refused("unit-name-taken") as told:
        register(province, "H41.15", "UBND tỉnh Nghệ An")
    assert told.value.en == "The name “UBND tỉnh Nghệ An” is that of the listed agency H41."
    assert current(axis).directory.name_of("H41.15") == "Sở Tài chính"


def test_a_name_may_be_as_long_as_is_said_and_that_of_another_unit(axis: Axis) -> None:
    province = axis.enrol("H41")
    for code in ("H41.15", "H41.16"):
        register(province, code, "o\u031b\u0309" * 200)
        assert current(axis).directory.name_of(code) == "ở" * 200


@pytest.mark.parametrize("field", ["mail", "mobile", "fax"])
def test_a_contact_that_is_too_long_or_cannot_be_shown_is_refused(axis: Axis, field: str) -> None:
    province = axis.enrol("H41")
    for value in ("0" * 201, "a@b\0", "a@b\r\nBcc: c@d", "\ud800", "a\u202e@b"):
        with refused("unit-data") as told:
            register(province, "H41.15", **{field: value})
        assert told.value.pointer == field
        assert told.value.vi.startswith(f"Thông tin đơn vị không hợp lệ: {field} ")
    register(province, "H41.15", **{field: "0" * 200})


# At one moment, and cut off.


def test_of_two_who_register_one_code_at_once_the_second_finds_the_first(axis: Axis, monkeypatch: Any) -> None:
    monkeypatch.setattr(units, "UNITS", 1)
    province = axis.enrol("H41")
    with axis.together():
        made = [submit(province, "H41.15", name) for name in ("Sở Nội vụ", "Sở Nội vụ", "Sở Nội vụ tỉnh Nghệ An")]
        beyond = submit(province, "H41.16")
        gone = [
            axis.desk.writer.submit(units.remove, units.Removal(province.system_id, "H41.15")),
            axis.desk.writer.submit(units.remove, units.Removal(province.system_id, "H41.15")),
        ]
        again = submit(province, "H41.16", "Sở Tư pháp")
    assert [answer.result()["new"] for answer in made] == [True, False, False]
    with refused("units-too-many"):
        beyond.result()
    assert gone[0].result() == {"agency": "H41.15"}
    assert gone[1].result() == {"agency": "H41.15"}, "whose answer was lost asks again"
    assert again.result()["new"]
    assert [listed(axis, code) is not None for code in ("H41.15", "H41.16")] == [False, True]


def test_an_operator_who_enrols_a_code_and_a_system_that_registers_it_at_once_do_not_cross(axis: Axis) -> None:
    province = axis.enrol("H41")
    wanted = enrol.Enrolments((enrol.Enrolment("H41.15", "Sở Nội vụ"),), axis.desk.vault)
    with axis.together():
        enrolled = axis.desk.writer.submit(enrol.enrol, wanted)
        late = submit(province, "H41.15")
    assert enrolled.result()
    with refused("unit-connected"):
        late.result()


def test_a_registration_cut_off_before_its_commit_never_was(axis: Axis) -> None:
    province = axis.enrol("H41")
    before = current(axis)

    def cut_off(step: str) -> None:
        if step == "before-commit":
            raise InterruptedError

    with Writer(axis.desk.engine, axis.desk.rosters, axis.clock, at=cut_off) as writer:
        job = units.Unit(province.system_id, "H41.15", "Sở Nội vụ")
        with suppress(InterruptedError):
            writer.run(units.register, job)
    assert current(axis).version == before.version
    assert listed(axis, "H41.15") is None
    assert register(province, "H41.15")["new"]
