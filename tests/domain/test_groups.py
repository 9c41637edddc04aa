"""Levels and provinces, and the mark that says whether two directories have the same."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.domain.agency import Agency, Directory
from hub.domain.groups import Grouping, Groups

UNIVERSE = (
    "G22", "G22.7", "000.00.07.G22", "H41", "H41.15", "H41.15.3", "000.00.15.H41", "00.00.H41", "H27", "H27.DN",
    "H27.DN.001", "K27", "SOTC-41", "B",
)  # fmt: skip
BELOW = tuple(f"{code}.9" for code in UNIVERSE)  # nobody lists these
agencies = st.builds(
    Agency, st.sampled_from(UNIVERSE), st.just("Cơ quan"), st.integers(1, 3), st.sampled_from(("", *UNIVERSE))
)
aliases = st.dictionaries(st.sampled_from(UNIVERSE), st.sampled_from(UNIVERSE), max_size=3)


def groups(*listed: Agency, **same_as: str) -> Groups:
    return Groups(Directory(listed, {code.replace("_", "."): counts for code, counts in same_as.items()}))


def of_all(found: Groups) -> dict[tuple[Grouping, str], str]:
    return {(grouping, code): found.of(grouping, code) for grouping in Grouping for code in (*UNIVERSE, *BELOW)}


def test_a_level_is_the_listed_one_else_that_of_the_codes_form() -> None:
    found = groups(Agency("SOTC-41", "Sở Tài chính tỉnh Nghệ An", 2), Agency("H41.15", "Chi cục", 3))
    assert [found.level(code) for code in ("SOTC-41", "H41.15", "H41.16", "000.00.15.H41", "B")] == [
        "2", "3", "2", "2", "?"
    ]  # fmt: skip


def test_a_province_is_that_of_a_committee_or_a_council() -> None:
    found = groups(Agency("SOTC-41", "Sở Tài chính tỉnh Nghệ An", 2, "H41"), Agency("HUYEN-1", "Huyện", 2))
    assert [found.province(code) for code in ("H41", "H41.15.3", "000.00.15.K27", "SOTC-41", "G22.7", "HUYEN-1")] == [
        "H41", "H41", "K27", "H41", "–", "–"
    ]  # fmt: skip


def test_an_agency_below_a_parent_its_code_does_not_show_had_a_province_of_its_own() -> None:
    found = groups(Agency("H27.30", "Khối Đảng", 2), Agency("H27.DN.001", "Công ty", 3, "H27.30"))
    assert found.province("H27.DN.001") == "H27"
    assert found.province("00.00.H27") == "H27"


@pytest.mark.parametrize(
    "listed",
    [
        (),
        (Agency("H41.15", "Sở Tài chính", 2, "H41"),),
        (Agency("H27.DN.001", "Công ty", 3, "H27.30"), Agency("H41", "Ủy ban nhân dân tỉnh Nghệ An", 1)),
    ],
)
def test_what_is_listed_where_its_code_says_leaves_the_mark_as_it_is(listed: tuple[Agency, ...]) -> None:
    assert groups(*listed).mark == groups().mark
    assert groups(*listed, **{"000_00_15_H41": "H41.15"}).mark == groups().mark


@pytest.mark.parametrize(
    ("listed", "same_as"),
    [
        ((Agency("H41.15", "Chi cục", 3),), {}),
        ((Agency("SOTC-41", "Sở Tài chính", 2, "H41"),), {}),
        ((Agency("H41.15", "Chi cục", 2, "H27"),), {}),
        ((), {"H41": "H27"}),
        ((), {"H41": "H41.15"}),
    ],
)
def test_what_makes_another_group_makes_another_mark(listed: tuple[Agency, ...], same_as: dict[str, str]) -> None:
    assert of_all(groups(*listed, **same_as)) != of_all(groups())
    assert groups(*listed, **same_as).mark != groups().mark


@given(st.lists(agencies, max_size=4), aliases, st.one_of(agencies, aliases, st.integers(0, 3)))
@example([Agency("H41.15", "", 2, "SOTC-41"), Agency("SOTC-41", "", 2, "H27")], {}, 1)
@example([], {"G22": "H27.DN"}, Agency("G22", "", 2))
@example([Agency("H41.15", "", 2, "H27")], {}, {"H41.15.3": "SOTC-41"})
@example([Agency("H41.15", "", 2, "H27")], {}, {"H41.15": "000.00.15.H41", "000.00.15.H41": "H41.15.3"})
@example([Agency("G22", "", 1, "H41")], {"H41.15": "H27.DN", "G22": "H27.DN"}, Agency("G22", "", 1, "H41.15.3"))
def test_directories_with_one_mark_have_the_same_groups(
    listed: list[Agency], same_as: dict[str, str], change: Agency | dict[str, str] | int
) -> None:
    """``change`` is an agency that is listed too, the number of one that is not any more, or another mapping table."""
    changed, mapped = list(listed), same_as
    match change:
        case Agency():
            changed.append(change)
        case int():
            del changed[change : change + 1]
        case _:
            mapped = change
    one, other = Groups(Directory(listed, same_as)), Groups(Directory(changed, mapped))
    assert of_all(one) == of_all(other) or one.mark != other.mark
