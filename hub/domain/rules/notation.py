"""Rules about number, symbol and type: NĐ 30/2020 Đ.7 and Phụ lục I, III, and the Party's form. Warnings throughout.

Abbreviations are compared with their case: ``QĐ`` is a decision, ``QyĐ`` a regulation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.domain import places
from hub.domain.agency import name_key
from hub.domain.document import Document
from hub.domain.numbering import abbreviations, plain_symbol, split_code
from hub.domain.rules.rule import SHOWN, warning
from hub.errors import Violation

NUMBER_FORM = warning(
    "number-form",
    "Số văn bản không theo thể thức: chữ số Ả Rập, có thể thêm một chữ cái.",
    "The number is not of the prescribed form: digits, possibly with one letter.",
)
SYMBOL_FORM = warning(
    "symbol-form",
    "Ký hiệu không theo thể thức của Nghị định 30/2020 hoặc của Đảng.",
    "The symbol is of neither the form of Decree 30/2020 nor the Party's.",
)
TYPE_UNKNOWN = warning(
    "type-unknown",
    "Tên loại không thuộc các loại văn bản hành chính hoặc quy phạm pháp luật.",
    "The type is none of the administrative or legal document types.",
)
TYPE_SYMBOL = warning(
    "type-symbol",
    "Tên loại không khớp với ký hiệu “{symbol}”.",
    "The type does not agree with the symbol “{symbol}”.",
)

# NĐ 30/2020 Đ.7 with the abbreviations of Phụ lục III; công văn and thư công have none.
ADMINISTRATIVE = {
    "Nghị quyết": "NQ",
    "Quyết định": "QĐ",
    "Chỉ thị": "CT",
    "Quy chế": "QC",
    "Quy định": "QyĐ",
    "Thông cáo": "TC",
    "Thông báo": "TB",
    "Hướng dẫn": "HD",
    "Chương trình": "CTr",
    "Kế hoạch": "KH",
    "Phương án": "PA",
    "Đề án": "ĐA",
    "Dự án": "DA",
    "Báo cáo": "BC",
    "Biên bản": "BB",
    "Tờ trình": "TTr",
    "Hợp đồng": "HĐ",
    "Công văn": "",
    "Công điện": "CĐ",
    "Bản ghi nhớ": "BGN",
    "Bản thỏa thuận": "BTT",
    "Giấy ủy quyền": "GUQ",
    "Giấy mời": "GM",
    "Giấy giới thiệu": "GGT",
    "Giấy nghỉ phép": "GNP",
    "Phiếu gửi": "PG",
    "Phiếu chuyển": "PC",
    "Phiếu báo": "PB",
    "Thư công": "",
}
COPIES = {"Bản sao y": "SY", "Bản trích sao": "TrS", "Bản sao lục": "SL"}  # NĐ 30/2020 Đ.25
# Legal documents travel too; those of the National Assembly carry no abbreviation of their type.
LEGAL = {
    "Hiến pháp": "",
    "Bộ luật": "",
    "Luật": "",
    "Pháp lệnh": "",
    "Lệnh": "L",
    "Nghị định": "NĐ",
    "Nghị quyết liên tịch": "NQLT",
    "Thông tư": "TT",
    "Thông tư liên tịch": "TTLT",
}
_TYPES = ADMINISTRATIVE | COPIES | LEGAL
_ABBREVIATION_OF = {name_key(name): abbreviation for name, abbreviation in _TYPES.items()}
_TYPE_OF = {abbreviation: name for name, abbreviation in _TYPES.items() if abbreviation} | {"CV": "Công văn"}
_LETTER = "Công văn"  # a symbol without the abbreviation of a type is a letter's: agency and unit

_NUMBER = re.compile(r"[0-9]{1,6}[A-Za-zĐđ]?")
_PART = r"[A-ZĐƯa-zđư0-9&.]+"
_SYMBOL = re.compile(rf"(?:[0-9]{{4}}/)?{_PART}(?:-{_PART})*")
_PARTY_SYMBOL = re.compile(rf"{_PART}/{_PART}(?:-{_PART})*")


def number_and_symbol(document: Document) -> Iterator[Violation]:
    if document.number and not _NUMBER.fullmatch(document.number):
        digits = _NUMBER.search(document.number)
        repair = digits.group() if digits else "01"
        yield NUMBER_FORM.at(places.HEADER["number"], document.number, repair)
    symbol = document.symbol
    if symbol and not (_SYMBOL.fullmatch(symbol) or _PARTY_SYMBOL.fullmatch(symbol)):
        parts = re.split(r"[-–—\s]+", split_code(symbol[:SHOWN])[1])
        yield SYMBOL_FORM.at(places.HEADER["symbol"], symbol, "-".join(part for part in parts if part))


def type_name(document: Document) -> Iterator[Violation]:
    name, place = document.type_name, places.HEADER["type_name"]
    if not name:
        return
    if name_key(name) not in _ABBREVIATION_OF:
        yield TYPE_UNKNOWN.at(place, name, _TYPE_OF.get(name) or type_by_symbol(document.symbol))
    elif document.symbol and _at_odds(document):
        yield TYPE_SYMBOL.at(place, name, type_by_symbol(document.symbol), symbol=document.symbol)


def type_by_symbol(symbol: str) -> str:
    """The type a symbol names, in the spelling of NĐ 30/2020: a letter where it names none."""
    return _TYPE_OF.get(_first_part(symbol), _LETTER)


def _first_part(symbol: str) -> str:
    return re.split(r"[-/]", plain_symbol(symbol))[0]


def _at_odds(document: Document) -> bool:
    expected = _ABBREVIATION_OF[name_key(document.type_name)]
    first = _first_part(document.symbol)
    if first not in _TYPE_OF:
        legal = plain_symbol(document.symbol) != document.symbol  # 116/2020/QH14 names no type
        return bool(expected) and not legal
    if name_key(_TYPE_OF[first]) == name_key(document.type_name):
        return False
    # A letter's symbol starts with the agency, whose letters may be a type's too (Cục Thuế: CT).
    names = (document.sender.name, document.sender.in_charge)
    return bool(expected) or not any(a.startswith(first) for name in names for a in abbreviations(name))
