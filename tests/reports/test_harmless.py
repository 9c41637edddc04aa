"""CSV that holds no formula for any reader, and ordinary texts as they are."""

from __future__ import annotations

import csv
import io
from typing import Literal

import pytest

from hub.reports.harmless import MARK, harmless, written

HOSTILE = [
    f"{before}{begins}cmd|'/c calc'!A1"
    for begins in "=+-@＝＋－＠"
    for before in (
        "", " ", "\t", "\r", "\n", "V/v;", "V/v; ", "V/v;;", "V/v\t", "V/v\n", "V/v\r\n  ", 'V/v;"', 'a,"b";\t"',
        "V/v\u2028", '"',
    )
]  # fmt: skip
_BEGINS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
ORDINARY = [
    "Quyết định 15/QĐ-TTg - sửa đổi, bổ sung; thay thế Nghị định 30/2020/NĐ-CP",
    "Nghệ An - Hà Tĩnh; Thanh Hóa (C = A + B); thu@hub.example.vn",
    'V/v "nâng lương"; mức 1.490.000đ +7%',
    "Kế hoạch\nphòng, chống bão số 10",
    "’-", "", " ",
]  # fmt: skip


def _cells(delimiter: str, text: str, quoting: Literal[0, 3] = csv.QUOTE_MINIMAL) -> list[str]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    return [cell for row in rows for cell in row]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_cell_is_a_formula_wherever_a_reader_splits(delimiter: str) -> None:
    text = written([["15/VPCP", hostile, "Chờ lấy"] for hostile in HOSTILE]).decode()
    cells = _cells(delimiter, text)
    if delimiter != ",":  # nor for one to which quotation marks mean nothing, so that each line feed ends a row
        cells += _cells(delimiter, "".join(f"{line}\n" for line in text.splitlines()), csv.QUOTE_NONE)
    assert [cell for cell in cells if cell.lstrip(' "\t\r\n').startswith(_BEGINS)] == []


def test_no_cell_begins_with_what_a_spreadsheet_passes_over() -> None:
    assert {harmless(text)[0] for text in HOSTILE if text[0] in "=+-@\t\r\n "} == {"'"}
    assert harmless("\tV/v") == "'\tV/v"


def test_ordinary_texts_with_hyphens_stay_as_they_are() -> None:
    assert [harmless(text) for text in ORDINARY] == ORDINARY
    [row] = csv.reader(io.StringIO(written([ORDINARY]).decode(), newline=""))
    assert row == ORDINARY


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    assert MARK + written([["H41", -5, 0.25, None]]) == b"\xef\xbb\xbfH41,-5,0.25,\r\n"
