"""Text without marks, and the one-line query of the delivery log."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.agency import Agency, Directory
from hub.domain.search import FILTERS, Query, fold, line, one_line, parse, resolved, value_of, without, words
from hub.errors import Refusal


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Đề nghị", "de nghi"),
        ("ĐỀ NGHỊ", "de nghi"),
        ("đường Trường Thi", "duong truong thi"),
        ("Uỷ ban", "uy ban"),
        ("Ủy ban", "uy ban"),
        (unicodedata.normalize("NFD", "quyết định"), "quyet dinh"),
        ("7816/VPCP-TTĐT", "7816/vpcp-ttdt"),
        ("", ""),
    ],
)
def test_marks_and_case_are_folded_away(text: str, folded: str) -> None:
    assert fold(text) == folded


TODAY = date(2025, 10, 1)
VIETNAMESE = st.text(
    alphabet="aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạằắẳẵặềếểễệờớởỡợừứửữựỳýỷỹỵ ĐẠỨ/-0123456789", max_size=40
)


@settings(max_examples=100)
@given(VIETNAMESE)
def test_a_text_is_found_by_any_spelling_of_it(text: str) -> None:
    folded = fold(text)
    assert folded.isascii()
    for spelling in (text.upper(), text.lower(), unicodedata.normalize("NFD", text), folded):
        assert fold(spelling) == folded


def test_the_words_of_a_text_are_letters_and_digits() -> None:
    assert words("V/v “tiền lương” năm 2025, số 15/VPCP-TTĐT") == (
        "v", "v", "tien", "luong", "nam", "2025", "so", "15", "vpcp", "ttdt",
    )  # fmt: skip


QUERIES = {
    "": Query(),
    "from:G22": Query(sender=("G22",)),
    "to:000.00.00.H41": Query(recipient=("000.00.00.H41",)),
    "to:H41,H42": Query(recipient=("H41", "H42")),
    "issuer:TTg": Query(issuer=("TTg",)),
    "number:15/VPCP": Query(number=("15/VPCP",)),
    "year:2020": Query(year=(2020,)),
    "year:1000": Query(year=(1000,)),
    "year:9999": Query(year=(9999,)),
    "state:waiting": Query(state=("waiting",)),
    "-state:delivered": Query(state=("waiting", "taken", "failed", "expired", "withdrawn")),
    "state:waiting,failed -state:waiting": Query(state=("failed",)),
    "status:02": Query(status=("02",)),
    "kind:update": Query(kind=("update",)),
    "kind:status": Query(kind=("status",)),
    "-kind:new": Query(kind=("revocation", "update", "replacement", "status")),
    "signed:no": Query(signed=("no",)),
    "signed:yes": Query(signed=("agency", "platform")),
    "-signed:agency": Query(signed=("platform", "no")),
    "signed:signed-by-platform": Query(signed=("platform",)),
    "system:QLVB.G22": Query(system=("QLVB.G22",)),
    "trace:5f1d": Query(trace="5f1d"),
    "id:G22,2020/03/01,15/VPCP": Query(id="G22,2020/03/01,15/VPCP"),
    "overdue:yes": Query(overdue=True, today=TODAY),
    "urgent:no": Query(urgent=False),
    "after:2020-03-01 before:2020-03-31": Query(after=date(2020, 3, 1), before=date(2020, 3, 31)),
    "tiền lương": Query(phrases=(("tien",), ("luong",))),
    '"Tiền lương" năm': Query(phrases=(("tien", "luong"), ("nam",))),
    'from:"G22"': Query(sender=("G22",)),
    "http://vpcp.example.vn": Query(phrases=(("http", "vpcp", "example", "vn"),)),
    "15/VPCP-TTĐT": Query(phrases=(("15", "vpcp", "ttdt"),)),
    "FROM:G22": Query(sender=("G22",)),
    "V/v: việc": Query(phrases=(("v", "v"), ("viec",))),
    "15:30": Query(phrases=(("15", "30"),)),
    '"chưa đóng': Query(phrases=(("chua",), ("dong",))),
    "- , !": Query(),
    'from:G22 to:H41 year:2020 state:waiting "tiền lương"': Query(
        sender=("G22",), recipient=("H41",), year=(2020,), state=("waiting",), phrases=(("tien", "luong"),)
    ),
    "number:15\x00 tiền\x00lương": Query(number=("15",), phrases=(("tien",), ("luong",))),
    "from:G22 from:H41 from:G22": Query(sender=("G22", "H41")),
}


@pytest.mark.parametrize("text", list(QUERIES))
def test_a_query_is_read(text: str) -> None:
    assert parse(text, TODAY) == QUERIES[text]
    assert parse(unicodedata.normalize("NFD", text), TODAY) == QUERIES[text]
    assert parse(line(QUERIES[text]), TODAY) == QUERIES[text]


DIRECTORY = Directory([Agency("H41", "Ủy ban nhân dân tỉnh Nghệ An", 1), Agency("G22", "Văn phòng Chính phủ", 1)])


def test_an_agency_is_known_by_any_of_its_codes_and_one_that_is_not_listed_stays() -> None:
    found = resolved(parse("from:000.00.00.G22 to:h41,X99 issuer:TTg"), DIRECTORY)
    assert found == Query(sender=("G22",), recipient=("H41", "X99"), issuer=("TTg",))


def test_who_writes_a_name_is_told_the_codes_of_those_called_so() -> None:
    with pytest.raises(Refusal, match=r"^request-invalid") as refused:
        resolved(parse('to:"nghe an" from:TTg'), DIRECTORY)
    assert [violation.repair for violation in refused.value.violations] == [
        "from:G22", "to:H41 (Ủy ban nhân dân tỉnh Nghệ An)",
    ]  # fmt: skip


def test_a_page_s_controls_take_their_filters_out_of_the_line() -> None:
    query = parse("from:G22,H27 tiền year:2020", TODAY)
    assert value_of(query, "from") == "G22,H27"
    assert value_of(query, "to") == ""
    assert line(without(query, ["from", "year", "to"])) == "tien"


@pytest.mark.parametrize(
    ("word", "repair"),
    [
        ("year:hai", "year:2020"),
        ("year:99999999999999", "year:2020"),
        ("year:999", "year:2020"),
        ("year:10000", "year:2020"),
        ("from:", "from:G22"),
        ('to:""', "to:H41"),
        ("number:", "number:15/VPCP"),
        ("after:0001-01-01", "after:2020-03-01"),
        ("before:9999-12-31", "before:2020-03-31"),
        ("after:9001-01-01", "after:2020-03-01"),
        ("fron:G22", "from: ("),
        ("stat:waiting", "state: ("),
        ("kg:", "from: to: issuer:"),
        ("state:lost", "state:waiting"),
        ("status:07", "status:01"),
        ("kind:4", "kind:new"),
        ("after:01/03/2020", "after:2020-03-01"),
        ("before:2020-02-30", "before:2020-03-31"),
        ("overdue:maybe", "overdue:yes"),
        ("signed:perhaps", "signed:agency"),
        ("-from:G22", "-state:"),
        ("-state:waiting,taken,delivered,failed,expired,withdrawn", "state:waiting"),
        ("to:H41,,H42", "to:H41"),
        ("year:" + ",".join(map(str, range(2000, 2021))), "year:2020"),
    ],
)
def test_a_word_that_cannot_be_understood_is_refused_with_an_example(word: str, repair: str) -> None:
    with pytest.raises(Refusal, match=r"^request-invalid") as refused:
        parse(f"tiền {word}")
    (violation,) = refused.value.violations
    assert violation.pointer == word.split(":")[0].removeprefix("-")
    assert word.replace('"', "")[:60] in violation.vi
    assert repair in violation.repair


def test_what_a_shell_gives_in_one_word_is_a_phrase_unless_it_is_a_query() -> None:
    for words_given, told in (
        (["from:G22", "tiền lương"], 'from:G22 "tiền lương"'),
        (["Về việc: tiền lương"], '"Về việc: tiền lương"'),
        (["from:G22 to:H41"], "from:G22 to:H41"),
        (['from:G22 "tiền lương"'], 'from:G22 "tiền lương"'),
        (["lương", "15/VPCP"], "lương 15/VPCP"),
    ):
        assert one_line(words_given) == told


def test_all_words_that_cannot_be_understood_are_told_at_once() -> None:
    with pytest.raises(Refusal) as refused:
        parse("year:x state:y from:G22 after:z")
    assert [violation.pointer for violation in refused.value.violations] == ["year", "state", "after"]


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from([*(f"{name}:" for name in FILTERS), '"', " ", "đ", "15/VP", "2020", ":", "-", ",", "yes", "06"])
    )
)
def test_any_text_is_either_a_query_or_refused(parts: list[str]) -> None:
    try:
        found = parse("".join(parts), TODAY)
    except Refusal as refusal:
        if refusal.code != "request-invalid":
            raise
    else:
        assert all(word.isalnum() for phrase in found.phrases for word in phrase)
        assert parse(line(found), TODAY) == found
