"""Codes of both generations, the hierarchy, and who is connected for whom (exchange rules 1, 2)."""

from __future__ import annotations

import pickle
from datetime import date

import pytest
from builders.documents import AGENCIES, TODAY, a_directory
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.agency import (
    Agency,
    Closed,
    Directory,
    Generation,
    Route,
    System,
    ancestors,
    canonical,
    generation,
    guessed_successor_code,
    is_node,
    level_of,
    name_key,
)

codes = st.one_of(
    st.text(max_size=20),
    st.from_regex(r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}", fullmatch=True),
    st.from_regex(r"[A-Z][0-9]{2}(\.[A-Z0-9]{1,3}){0,6}", fullmatch=True),
    st.from_regex(r"([0-9]{2,3}\.)?([0-9]{2}\.)?[0-9]{2}\.[A-Z][A-Z0-9][0-9]", fullmatch=True),
)


@pytest.mark.parametrize(
    ("written", "counts"),
    [
        ("000.00.00.G22", "G22"),
        (" 000.00.00.G22\n", "G22"),
        ("000.00.15.H51", "000.00.15.H51"),
        ("H51.15", "H51.15"),
        ("28.22.H17", "28.22.H17"),
        ("000.00.00.G221", "000.00.00.G221"),
        ("Tru\u0323c", "Tr\u1ee5c"),
        ("", ""),
    ],
)
def test_only_level_one_has_one_code_in_both_generations(written: str, counts: str) -> None:
    assert canonical(written) == counts


@pytest.mark.parametrize(
    ("code", "of", "level", "above"),
    [
        ("001.02.15.H51", Generation.QCVN_102, 4, ("000.02.15.H51", "000.00.15.H51", "H51")),
        ("000.02.15.H51", Generation.QCVN_102, 3, ("000.00.15.H51", "H51")),
        ("001.00.20.JB2", Generation.QCVN_102, 4, ("000.00.20.JB2", "JB2")),
        ("28.22.H17", Generation.QCVN_102, 3, ("000.00.22.H17", "H17")),
        ("00.22.W00", Generation.QCVN_102, 2, ("W00",)),
        ("00.00.01.H17", Generation.QCVN_102, 2, ("H17",)),
        ("00.00.H17", Generation.QCVN_102, 1, ("H17",)),
        ("000.00.00.H17", Generation.QD_20, 1, ()),
        ("H37.02.02", Generation.QD_20, 3, ("H37.02", "H37")),
        ("H37.DN.001", Generation.QD_20, 3, ("H37.DN", "H37")),
        ("G12", Generation.QD_20, 1, ()),
        ("h37.02", Generation.OTHER, None, ()),
        ("H37.dn", Generation.OTHER, None, ()),
        ("000.00.15.H51.1", Generation.OTHER, None, ()),
        ("test.system", Generation.OTHER, None, ()),
        ("H37." + "1" * 32, Generation.OTHER, None, ()),
        ("H٣٧", Generation.OTHER, None, ()),
    ],
)
def test_a_code_tells_its_generation_level_and_superiors(
    code: str, of: Generation, level: int | None, above: tuple[str, ...]
) -> None:
    assert (generation(code), level_of(code), ancestors(code)) == (of, level, above)


@pytest.mark.parametrize(
    ("code", "node"),
    [("W00", True), ("00.22.W00", True), ("000.00.22.W00", True), ("W00.22", True), ("000.00.00.H41", False)],
)
def test_a_code_below_w00_is_a_node_of_the_axis(code: str, node: bool) -> None:
    assert is_node(code) is node


@pytest.mark.parametrize(
    ("old", "guess"),
    [
        ("000.00.15.H51", "H51.15"),
        ("28.22.H17", "H17.22.28"),
        ("000.00.00.G22", "G22"),
        ("G12.18", "G12.18"),
        ("test.system", "test.system"),
    ],
)
def test_the_guess_reverses_the_groups_that_are_not_zero(old: str, guess: str) -> None:
    assert guessed_successor_code(old) == guess


@settings(max_examples=200)
@given(codes)
def test_canonical_changes_a_code_once(code: str) -> None:
    assert canonical(canonical(code)) == canonical(code)


@settings(max_examples=200)
@given(codes)
def test_superiors_end_at_level_one_and_never_repeat(code: str) -> None:
    above = ancestors(code)
    assert len({canonical(code), *above}) == len(above) + 1
    for n, superior in enumerate(above):
        assert ancestors(superior) == above[n + 1 :]
    if above:
        assert level_of(above[-1]) == 1


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ("UBND tỉnh Nghệ An", "Ủy ban nhân dân tỉnh Nghệ An", True),
        ("Uỷ ban nhân dân tỉnh  Lâm Đồng", "ỦY BAN NHÂN DÂN TỈNH LÂM ĐỒNG", True),
        ("HĐND TP. Huế", "Hội đồng nhân dân Thành phố Huế", True),
        ("UBND TP Huế", "Ủy ban nhân dân Thành phố Huế", True),
        ("UBND tỉnh Lâm Đồng", "UBND tỉnh Lâm Đông", False),
        ("UBND tỉnh Đắk Lắk", "UBND tỉnh Đắk Nông", False),
    ],
)
def test_spellings_of_one_name_share_a_key_and_other_names_do_not(a: str, b: str, equal: bool) -> None:
    assert (name_key(a) == name_key(b)) is equal


def test_the_packaged_directory_is_whole() -> None:
    by_code = {agency.code: agency for agency in AGENCIES}
    assert len(by_code) == len(AGENCIES) == 129
    assert by_code["G22"] == Agency("G22", "Văn phòng Chính phủ", 1)
    assert by_code["H51"].closed_on == date(2025, 7, 1)
    assert by_code["G05"].closed_on == date(2025, 4, 14)
    for agency in AGENCIES:
        assert level_of(agency.code) == agency.level
        assert ancestors(agency.code) == ((agency.parent,) if agency.parent else ())
        assert not agency.successor or by_code[agency.successor].closed_on is None
        assert agency.closed_on or not agency.successor


def test_a_system_stands_for_its_subtree_unless_a_nearer_one_is_enrolled() -> None:
    so_noi_vu = System("sở", "000.00.15.H41")
    directory = a_directory(systems=(so_noi_vu,))
    assert directory.nearest("001.02.15.H41") == so_noi_vu
    province = directory.nearest("000.00.00.H41")
    assert province
    assert province.id == "trục-H41"
    assert directory.nearest("000.00.16.H41") == province
    assert directory.nearest("G01") is None


def test_a_system_enrolled_under_another_code_of_the_agency_is_found() -> None:
    enrolled = (System("tỉnh", "000.00.00.H27"), System("thuế", "000.00.18.G12"))
    directory = a_directory(aliases={"000.00.18.G12": "G12.18"}, systems=enrolled)
    assert [directory.nearest(code) for code in ("H27", "G12.18")] == list(enrolled)


def test_codes_of_two_generations_are_one_agency_only_by_a_mapping_row() -> None:
    assert not a_directory().same("000.00.18.G12", "G12.18")
    mapped = a_directory(aliases={"000.00.18.G12": "G12.18"})
    assert mapped.same("000.00.18.G12", "G12.18")
    assert mapped.name_of("000.00.18.G12") == "Tổng cục Thuế"


def test_the_row_of_the_code_that_counts_wins_over_its_alias() -> None:
    old, new = Agency("000.00.15.H41", "Tên cũ", 2, "H41"), Agency("H41.15", "Sở Nội vụ", 2, "H41")
    aliases = {"000.00.15.H41": "H41.15"}
    for rows in ([old, new], [new, old]):
        assert Directory(rows, aliases).name_of("000.00.15.H41") == "Sở Nội vụ"
    assert Directory([old], aliases).name_of("H41.15") == "Tên cũ"


def test_the_chain_follows_the_code_the_mapping_table_and_the_listed_parent() -> None:
    company = Agency("XSKT-01", "Công ty Xổ số kiến thiết Nghệ An", 3, "000.00.15.H41")
    directory = a_directory(company, aliases={"000.00.15.H41": "H41.15"})
    assert directory.chain("XSKT-01") == ("XSKT-01", "H41.15", "H41")
    assert directory.chain("001.02.15.H41") == ("001.02.15.H41", "000.02.15.H41", "H41.15", "H41")


def test_agencies_that_name_each_other_as_parent_end_the_chain() -> None:
    directory = Directory([Agency("A-1", "Một", 2, "B-1"), Agency("B-1", "Hai", 2, "A-1")])
    assert directory.chain("A-1") == ("A-1", "B-1")
    assert directory.nearest("A-1") is None


def test_a_name_finds_its_agency_only_if_no_other_has_it() -> None:
    twins = [Agency(f"H41.{n}.01", "Phòng Nội vụ", 3, f"H41.{n}") for n in (10, 11)]
    directory = a_directory(*twins)
    assert directory.named("Phòng Nội vụ") is None
    found = directory.named("UBND tỉnh Lâm Đồng")
    assert found
    assert found.code == "H36"


def test_an_agency_is_closed_from_its_day_on_with_all_below_that_is_not_listed_itself() -> None:
    moved = Agency("000.00.20.H51", "Sở Y tế", 2, "H51")
    directory = a_directory(moved)
    assert directory.closed("H51", date(2025, 6, 30)) is None
    assert directory.closed("000.00.00.H51", date(2025, 7, 1)) == Closed("H51", date(2025, 7, 1), "H13")
    assert directory.closed("000.01.15.H51", TODAY) == Closed("H51", date(2025, 7, 1), "H13")
    assert directory.closed("001.00.20.H51", TODAY) is None


def test_the_successor_is_the_last_in_line_that_is_open() -> None:
    day = date(2025, 7, 1)
    rows = [Agency("A01", "Một", 1, "", day, "A02"), Agency("A02", "Hai", 1, "", day, "A03"), Agency("A03", "Ba", 1)]
    assert Directory(rows).successor_of("A01.05", TODAY) == "A03"
    assert Directory(rows).successor_of("A03", TODAY) == ""
    assert a_directory().successor_of("G34", TODAY) == ""  # closed without a successor
    circle = [Agency("A01", "Một", 1, "", day, "A02"), Agency("A02", "Hai", 1, "", day, "A01")]
    assert Directory(circle).successor_of("A01", TODAY) == ""


def test_a_system_acts_for_what_it_is_nearest_to_and_for_closed_agencies_it_succeeded() -> None:
    directory = a_directory(connected=("H13", "H51", "000.00.15.H13"))
    can_tho, soc_trang = directory.nearest("H13"), directory.nearest("H51")
    assert can_tho
    assert soc_trang
    assert directory.may_act_for(can_tho, "000.00.00.H13", TODAY)
    assert not directory.may_act_for(can_tho, "000.00.15.H13", TODAY)
    assert directory.may_act_for(can_tho, "000.00.15.H51", TODAY)
    assert directory.may_act_for(soc_trang, "000.00.15.H51", TODAY)
    assert not directory.may_act_for(can_tho, "000.00.15.H51", date(2025, 6, 30))
    assert not directory.may_act_for(soc_trang, "H13", TODAY)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("00.22.W00", "recipient-is-node"),
        ("000.00.00.G99", "recipient-unknown"),
        ("H51.15", "recipient-closed"),
        ("G01", "recipient-not-connected"),
        ("000.00.15.H15", "recipient-locked"),
    ],
)
def test_a_recipient_without_a_route_names_the_rule(code: str, answer: str) -> None:
    directory = a_directory(systems=(System("trục-H15", "H15", locked=True), System("trục-H51", "H51")))
    assert directory.recipient(code, TODAY) == answer


def test_a_closed_recipient_counts_as_closed_before_its_system_is_looked_for() -> None:
    assert a_directory(connected=()).recipient("H51", TODAY) == "recipient-closed"
    assert a_directory(connected=()).recipient("H51", date(2025, 6, 30)) == "recipient-not-connected"


def test_a_route_says_whether_the_recipient_itself_is_listed() -> None:
    directory = a_directory()
    province = System("trục-H41", "H41")
    assert directory.recipient("000.00.00.H41", TODAY) == Route(province, unlisted=False)
    assert directory.recipient("000.00.15.H41", TODAY) == Route(province, unlisted=True)


def test_a_directory_travels_without_what_it_has_remembered_which_another_thread_may_add_to() -> None:
    """Sent to a checker while another thread asked it, it failed: "dictionary changed size during iteration"."""
    directory = a_directory()
    before = pickle.dumps(directory)
    chains = {agency.code: directory.chain(agency.code) for agency in AGENCIES}
    for agency in directory.agencies:
        directory.recipient(agency.code, TODAY)
    assert len(pickle.dumps(directory)) == len(before)
    there = pickle.loads(pickle.dumps(directory))
    assert {agency.code: there.chain(agency.code) for agency in AGENCIES} == chains
