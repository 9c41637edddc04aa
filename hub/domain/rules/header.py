"""Rules about single fields: what must be there, which dates and numbers, and what the kind of packet needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from hub.domain import places
from hub.domain.document import Document, Kind, read_date
from hub.domain.numbering import canonical_document_id, split_code, year_in_id
from hub.domain.rules.notation import type_by_symbol
from hub.domain.rules.rule import SHOWN, Facts, error, warning
from hub.errors import Violation

FIELD_MISSING = error("field-missing", "Thiếu {vi}.", "There is no {en}.")
DATE_FORM = error(
    "date-form",
    "Ngày không theo dạng yyyy/MM/dd nên nơi nhận không đọc được.",
    "The date is not written yyyy/MM/dd, so recipients cannot read it.",
)
DATE_IMPOSSIBLE = error("date-impossible", "Ngày này không có trong lịch.", "There is no such day.")
STEERING_TYPE = error(
    "steering-type",
    "SteeringType phải là số nguyên; giá trị khác làm phần mềm nơi nhận dừng.",
    "SteeringType must be an integer; anything else stops the recipients' software.",
)
BUSINESS_TYPE = error(
    "business-type",
    "Loại nghiệp vụ phải là 0 (mới), 1 (thu hồi), 2 (cập nhật) hoặc 3 (thay thế).",
    "The business type must be 0 (new), 1 (revoke), 2 (update) or 3 (replace).",
)
REPLACEMENT_TARGET_MISSING = error(
    "replacement-target-missing",
    "Gói thay thế không nêu văn bản nào được thay thế.",
    "The replacement does not name the document it replaces.",
)
REASON_MISSING = warning(
    "reason-missing",
    "Gói thu hồi, cập nhật hoặc thay thế nên nêu lý do.",
    "A revocation, update or replacement should give its reason.",
)
DUE_DATE_PAST = warning(
    "due-date-past",
    "Hạn trả lời đã qua hoặc trước ngày ban hành.",
    "The due date is past or before the date of promulgation.",
)
ID_YEAR = warning(
    "id-year",
    "Năm trong DocumentId khác năm ban hành {year}.",
    "The year in DocumentId is not the year of promulgation, {year}.",
)

_MANDATORY = {
    "document_id": ("mã định danh văn bản", "document id"),
    "number": ("số văn bản", "document number"),
    "symbol": ("ký hiệu văn bản", "document symbol"),
    "promulgation_date": ("ngày ban hành", "date of promulgation"),
    "type_name": ("tên loại văn bản", "document type"),
    "subject": ("trích yếu nội dung", "subject"),
}


def mandatory(document: Document) -> Iterator[Violation]:
    if not document.sender.organ_id:
        place = places.sender("organ_id")
        yield FIELD_MISSING.at(place, "", "Mã định danh của đơn vị gửi / the sender's code", vi="nơi gửi", en="sender")
    to = [places.recipient(i, "organ_id") for i, one in enumerate(document.recipients) if not one.organ_id]
    for place in to if document.recipients else [places.RECIPIENT]:
        yield FIELD_MISSING.at(
            place, "", "Mã định danh của nơi nhận / the recipient's code", vi="nơi nhận", en="recipient"
        )
    for field, (vi, en) in _MANDATORY.items():
        if not getattr(document, field):
            yield FIELD_MISSING.at(places.HEADER[field], "", _found_elsewhere(document, field), vi=vi, en=en)


def _found_elsewhere(document: Document, field: str) -> str:
    """The missing value as the rest of the packet implies it: the id states date, number, symbol, and they the id."""
    parts = canonical_document_id(document.document_id).split(",")
    day, code = parts[1:] if len(parts) == 3 else ("", "")
    number, symbol = split_code(code)
    match field:
        case "document_id":
            day = repaired_date(document.promulgation_date) or "yyyy/MM/dd"
            sender, number = document.sender.organ_id or "<OrganId>", document.number or "<CodeNumber>"
            return canonical_document_id(f"{sender},{day},{number}/{document.symbol or '<CodeNotation>'}")
        case "number":
            return number or "01"
        case "symbol":
            return symbol or "VPCP-TTĐT"
        case "promulgation_date":
            return day if read_date(day) else "yyyy/MM/dd"
        case "type_name":
            return type_by_symbol(document.symbol)
    return document.content[:SHOWN] or "Trích yếu nội dung / what the document is about"


def dates(document: Document, facts: Facts) -> Iterator[Violation]:
    """Every date recipients read, in the forms the vendor's library reads (exchange rules 1)."""
    written = [(places.HEADER[field], getattr(document, field)) for field in ("promulgation_date", "due_date")]
    written += [
        (places.reference(i, "promulgation_date"), ref.promulgation_date) for i, ref in enumerate(document.response_for)
    ]
    for place, text in written:
        if text and read_date(text) is None:
            rule = DATE_IMPOSSIBLE if _YEAR_FIRST.fullmatch(text) else DATE_FORM
            yield rule.at(place, text, repaired_date(text) or "yyyy/MM/dd")
    due, issued = read_date(document.due_date), read_date(document.promulgation_date)
    earliest = max(facts.today, issued or facts.today)
    if due and due < earliest:
        yield DUE_DATE_PAST.at(places.HEADER["due_date"], document.due_date, f"≥ {earliest:%Y/%m/%d}")


_YEAR_FIRST = re.compile(r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}(?: [0-9:]+)?")
_BIG_FIRST = re.compile(r"\s*([0-9]{4})\D{0,8}([0-9]{1,2})\D{0,8}([0-9]{1,2})(?![0-9]).*", re.DOTALL)
_DAY_FIRST = re.compile(r"\D{0,8}([0-9]{1,2})\D{1,8}([0-9]{1,2})\D{1,8}([0-9]{4})(?![0-9]).*", re.DOTALL)


def repaired_date(text: str) -> str:
    """The date as ``yyyy/MM/dd``, or empty if no day can be made of it.

    Reads year first or day first, as Vietnam writes, with any separators. Where there is no such day, month and day
    may have changed places; else the last day of that month is meant.
    """
    if match := _BIG_FIRST.fullmatch(text):
        year, month, day = (int(part) for part in match.groups())
    elif match := _DAY_FIRST.fullmatch(text):
        day, month, year = (int(part) for part in match.groups())
    else:
        return ""
    for m, d in ((month, day), (day, month), *((month, last) for last in (31, 30, 29, 28) if day > last)):
        try:
            return date(year, m, d).isoformat().replace("-", "/")
        except ValueError:
            continue
    return ""


def id_year(document: Document) -> Iterator[Violation]:
    stated = year_in_id(document.document_id)
    if stated is None or document.year is None or stated == document.year:
        return
    text = canonical_document_id(document.document_id)
    repair = re.sub(rf"(?<=[,-]){stated:04}", f"{document.year:04}", text, count=1)
    yield ID_YEAR.at(places.HEADER["document_id"], document.document_id, repair, year=document.year)


def business(document: Document) -> Iterator[Violation]:
    """What each kind needs. An update without a target of its own falls back to the header's DocumentId."""
    asked = document.business
    if asked.type not in ("", "0", "1", "2", "3"):
        yield BUSINESS_TYPE.at(places.BUSINESS["type"], asked.type, "0")
    if document.kind is not Kind.NEW and not asked.reason:
        yield REASON_MISSING.at(places.BUSINESS["reason"], "", "Lý do / the reason")
    if document.kind is Kind.REPLACEMENT:
        missing = [i for i, one in enumerate(asked.replaced) if not one.document_id] if asked.replaced else [0]
        for i in missing:
            yield REPLACEMENT_TARGET_MISSING.at(
                places.replaced(i), "", "DocumentId của văn bản bị thay thế / the replaced document's id"
            )


def steering_type(document: Document) -> Iterator[Violation]:
    text = document.steering_type
    if text and not (re.fullmatch(r"[+-]?[0-9]{1,10}", text) and -(2**31) <= int(text) < 2**31):
        digits = re.search(r"(?<![0-9])[0-9]{1,9}(?![0-9])", text)
        yield STEERING_TYPE.at(places.HEADER["steering_type"], text, digits.group() if digits else "0")
