"""Numbers and symbols, document ids, the identity keys, and who issued a document.

* A number is unique within its issuer's year only (NĐ 30/2020 Đ.15 k.1): every key carries the year.
* A document id is opaque apart from the spellings that mean the same; an impossible date inside one is no error.
* The issuer stands beside the sender and may differ from it (exchange rules 5).

Not here: what a duplicate leads to (``hub.domain.duplicates``), whether a form is right (``hub.domain.rules``).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from typing import NamedTuple

from hub.domain.agency import Agency, Directory, Generation, canonical, generation, name_key
from hub.domain.document import Document, Kind

_DATE_PART = re.compile(r"([0-9]{4})[/-]([0-9]{1,2})[/-]([0-9]{1,2})")
_YEAR_PART = re.compile(r"([0-9]{4})(?:[/-][0-9]{1,2}[/-][0-9]{1,2})?")
_JOINED = re.compile(r"([^,-]+)-([0-9]{4})-.+")
_PARTY_CODE = re.compile(r"([0-9]+[A-Za-z]?)-([^/]+/.+)")
_YEAR_BEFORE = re.compile(r"[0-9]{4}/(?=.)")


def canonical_document_id(text: str) -> str:
    """The spelling under which a DocumentId is compared (exchange rules 1).

    NFC, trimmed, no blanks round commas, a level-1 code short. The date of ``code,date,number/symbol`` gets ``/`` and
    two-digit months and days, since software writes ``2025-1-2`` and ``2025/01/02`` of one document. Idempotent.
    """
    parts = [part.strip() for part in unicodedata.normalize("NFC", text).split(",")]
    if len(parts) == 1:
        return parts[0]
    parts[0] = canonical(parts[0])
    if len(parts) == 3 and (day := _DATE_PART.fullmatch(parts[1])):
        year, month, of_month = day.groups()
        parts[1] = f"{year}/{month:0>2}/{of_month:0>2}"
    return ",".join(parts)


def year_in_id(document_id: str) -> int | None:
    """The year a DocumentId states, or None: ``code,date,…``, ``code,year,…`` and ``code-year-…`` (QĐ 28/2018 Đ.10)."""
    parts = canonical_document_id(document_id).split(",")
    if len(parts) > 1:
        match = _YEAR_PART.fullmatch(parts[1])
        return int(match.group(1)) if match else None
    joined = _JOINED.fullmatch(parts[0])
    if joined and generation(joined.group(1)) is not Generation.OTHER:  # or a UUID's digits would be a year
        return int(joined.group(2))
    return None


def plain_number(number: str) -> str:
    """The number without leading zeros; a letter after it stays (``074a`` → ``74a``)."""
    number = unicodedata.normalize("NFC", number).strip()
    short = number.lstrip("0")
    return short if short == number or short[:1].isdecimal() else f"0{short}"


def plain_symbol(symbol: str) -> str:
    """The symbol in NFC without the year that legal documents write before it (``2020/NĐ-CP``); case is kept."""
    return _YEAR_BEFORE.sub("", unicodedata.normalize("NFC", symbol).strip().lstrip("/"), count=1)


def split_code(code: str) -> tuple[str, str]:
    """Number and plain symbol of a code written as one text; the number is empty where there is none.

    ``7816/VPCP-TTĐT``, legal documents ``30/2020/NĐ-CP``, Party documents ``57-NQ/TW``.
    """
    code = unicodedata.normalize("NFC", code).strip()
    if party := _PARTY_CODE.fullmatch(code):
        return party.group(1), party.group(2)
    number, _, symbol = code.partition("/")
    if not number[:1].isdigit():
        return "", code
    return number.strip(), plain_symbol(symbol)


def packet_identity(sender: str, document_id: str, year: int | None, kind: Kind, digest: str) -> str:
    """The key under which a packet is known: 64 hex digits (exchange rules 4).

    ``sender`` is the resolved agency code, ``digest`` the content digest: it counts for kinds 1–3 only, since software
    repeats there the id of the document it acts on.
    """
    return _key(
        canonical(sender), canonical_document_id(document_id), year, int(kind), "" if kind is Kind.NEW else digest
    )


def business_identity(sender: str, issuer: str, year: int | None, number: str, symbol: str) -> str:
    """The key under which a number is taken: 64 hex digits (exchange rules 4). Codes are resolved ones.

    A year before the symbol is left out only if it is the document's own: it then says nothing new.
    """
    symbol = unicodedata.normalize("NFC", symbol).strip().lstrip("/").removeprefix(f"{year}/")
    return _key(canonical(sender), canonical(issuer), year, plain_number(number), symbol)


def _key(*parts: str | int | None) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


class Issuer(NamedTuple):
    """Who issued a document, and what says so: ``symbol-TTg``, ``symbol-CP``, ``in-charge`` or ``from``."""

    code: str
    basis: str


def issuer(document: Document, directory: Directory) -> Issuer:
    """The issuer of a document, by the first rule that matches (exchange rules 5).

    ``TTg`` is the Prime Minister, ``CP`` the Government; ``VPCP-…`` is neither, but the Government Office's own letter.
    """
    symbol = plain_symbol(document.symbol)
    for holder in ("TTg", "CP"):
        if symbol.endswith(f"-{holder}") or symbol.startswith(f"{holder}-"):
            return Issuer(holder, f"symbol-{holder}")
    in_charge = document.sender.in_charge
    agency = directory.listed(in_charge) or directory.named(in_charge) if in_charge else None
    if agency and not agency.registered_by and carries(symbol, agency):
        return Issuer(directory.resolve(agency.code), "in-charge")
    return Issuer(directory.resolve(document.sender.organ_id), "from")


def carries(symbol: str, agency: Agency) -> bool:
    """Whether one of the parts of a symbol is the agency's abbreviation; case counts."""
    return not abbreviations(agency.name).isdisjoint(re.split(r"[-/.&\s]+", symbol))


_COUNCILS = {"ủy ban nhân dân": "UBND", "hội đồng nhân dân": "HĐND"}
_COUNCIL_KEYS = {name_key(name): abbreviation for name, abbreviation in _COUNCILS.items()}


def abbreviations(name: str) -> frozenset[str]:
    """The abbreviations an agency of this name writes in its symbols.

    ``UBND`` and ``HĐND`` for the people's committees and councils, whatever their place. Else the initials without
    "và" (``BGDĐT``), with and without a final "Việt Nam" (``BHXH``): computed rather than listed, because this gives
    what every ministry uses and holds for departments too.
    """
    for council, abbreviation in _COUNCIL_KEYS.items():
        if name_key(name).startswith(council):
            return frozenset({abbreviation})
    words = [word for word in re.findall(r"\w+", unicodedata.normalize("NFC", name)) if word.casefold() != "và"]
    short = words[:-2] if [word.casefold() for word in words[-2:]] == ["việt", "nam"] else words
    return frozenset("".join(_initial(word) for word in some) for some in (words, short) if len(some) > 1)


def _initial(word: str) -> str:
    return unicodedata.normalize("NFD", word)[0].upper()  # Tòa án is TA; Đ has no decomposition and stays
