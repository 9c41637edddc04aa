"""How the reader sees a tree: local names only, the last of a repeated element, texts whole.

Texts are trimmed; ``null``, empty and missing are all ``""`` (exchange rules 1).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

from lxml import etree

from hub.errors import Refusal


def local_name(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2]


def children(parent: etree._Element) -> Iterator[etree._Element]:
    """Child elements in order, without comments and processing instructions."""
    return parent.iterchildren("*")


def child(parent: etree._Element, name: str) -> etree._Element | None:
    """The last child with this local name."""
    return next(parent.iterchildren("{*}" + name, reversed=True), None)


def raw_text(element: etree._Element | None) -> str:
    """The element's own text, trimmed and otherwise as written; a comment inside does not cut it."""
    if element is None:
        return ""
    text = element.text or ""
    if len(element):
        text += "".join(node.tail or "" for node in element)
    text = text.strip()
    return "" if text == "null" else text


def safe_text(element: etree._Element | None) -> str:
    """As :func:`raw_text`; raises ``Refusal`` ``xml-not-well-formed`` for what cannot be normalised in fair time."""
    return _stream_safe(raw_text(element), element)


def text_of(element: etree._Element | None) -> str:
    """As :func:`safe_text`, in NFC."""
    text = raw_text(element)
    return text if text.isascii() else unicodedata.normalize("NFC", _stream_safe(text, element))


def whole_text(element: etree._Element) -> str:
    """As :func:`text_of`, with the texts of all elements inside."""
    text = str(element.xpath("string()")).strip()
    return unicodedata.normalize("NFC", _stream_safe(text, element))


def fields_of(parent: etree._Element | None, table: dict[str, str]) -> dict[str, str]:
    """The children's texts by field name, for the element names of ``table``; the last of a repeated child counts."""
    if parent is None:
        return {}
    found = ((table.get(local_name(each)), each) for each in children(parent))
    return {field: text_of(each) for field, each in found if field is not None}


_MAX_MARKS = 30  # UAX #15 §13, Stream-Safe Text Format
_SYMBOLS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MAX_MARKS + 1}}}")  # what marks are among, and nearly no text has


def _stream_safe(text: str, element: etree._Element | None) -> str:
    """``text``, unless it has a run of marks: to normalise one takes time quadratic in its length."""
    if element is None or len(text) <= _MAX_MARKS or not _SYMBOLS.search(text):
        return text
    runs = groupby(text, key=lambda character: unicodedata.category(character).startswith("M"))
    if any(marks and sum(1 for _ in run) > _MAX_MARKS for marks, run in runs):
        why = f"more than {_MAX_MARKS} combining marks in a row"
        facts = {"why": why, "line": element.sourceline}
        raise Refusal("xml-not-well-formed", pointer=local_name(element), value=text, facts=facts)
    return text
