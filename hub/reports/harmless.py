"""Rows as CSV in which no text becomes a formula, wherever the reader splits it: in Vietnam's setting a spreadsheet
takes `;` for the comma, by choice a tab, and some take every line feed for the end of a row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

MARK = b"\xef\xbb\xbf"  # by which spreadsheets know UTF-8
# What a formula begins with; the wide ones are what a keyboard for Chinese or Japanese writes.
_BEGINS = r"[=+\-@＝＋－＠]"
_FIRST = re.compile(rf'[\t\r\n]|[\s"]*{_BEGINS}')
# Behind where a text could be split, what a reader passes over before it: blanks and quotation marks.
_WITHIN = re.compile(rf'([;\t\r\n\v\f\x85\u2028\u2029][\s"]*)(?={_BEGINS})')


def written(rows: Iterable[Iterable[object]]) -> bytes:
    """RFC 4180; numbers stay numbers, and None is empty."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return out.getvalue().encode()


def harmless(text: str) -> str:
    """The text with an apostrophe before whatever would begin a formula; any other text stays what it is."""
    told = _WITHIN.sub(r"\1'", text)
    return f"'{told}" if _FIRST.match(text) else told
