"""Searching: text without marks, and the one-line query of the delivery log.

``from:G22 to:H41 number:15/VPCP year:2020 state:waiting "tiền lương"``: words with a known name before the colon are
filters, everything else is looked for in the text. A filter that is unknown, empty or wrong is told, never passed over:
who meant ``from:`` would read what ``fron:`` finds as the truth. Marks count neither in the query nor in the text (đ
included).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from hub.domain.delivery import Status, Transport
from hub.domain.document import Kind
from hub.errors import Refusal, Violation, violation

_WORD = re.compile(r"\w+")
_MARKS = re.compile("[\u0300-\u036f]+")
_FILTER = r"[A-Za-z]+:(?!//)"  # a URL is text
_TOKEN = re.compile(rf'(?P<filter>{_FILTER})(?:"(?P<value>[^"]*)"|(?P<bare>\S*))|"(?P<phrase>[^"]*)"|(?P<word>\S+)')
_QUERY = re.compile(rf'"|(?:^|\s){_FILTER}')
KINDS = {kind.word: kind for kind in Kind}


def fold(text: str) -> str:
    """Lower case without marks: ``Đề nghị`` and ``DE NGHI`` are both ``de nghi``."""
    if text.isascii():
        return text.casefold()
    plain = _MARKS.sub("", unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D")))
    if not plain.isascii():
        plain = "".join(letter for letter in plain if not unicodedata.combining(letter))  # marks of other scripts
    return plain.casefold()


def words(text: str) -> tuple[str, ...]:
    """The folded words of a text."""
    return tuple(_WORD.findall(fold(text)))


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; empty means any. ``phrases`` all occur, each as words that follow each other."""

    sender: str = ""
    recipient: str = ""
    issuer: str = ""
    number: str = ""
    year: int | None = None
    state: str = ""
    status: str = ""
    kind: str = ""
    after: date | None = None
    before: date | None = None
    phrases: tuple[tuple[str, ...], ...] = ()


def one_line(given: Iterable[str]) -> str:
    """The query that a shell gives in words: one with blanks is a phrase, unless it is (part of) a query itself."""
    return " ".join(f'"{word}"' if " " in word and not _QUERY.search(word) else word for word in given)


def parse(text: str) -> Query:
    """Read a query. Raises ``request-invalid`` with a violation for each word that cannot be understood."""
    found: dict[str, object] = {}
    phrases: list[tuple[str, ...]] = []
    wrong: list[Violation] = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFC", text)):
        if match["filter"] is None:
            if spoken := words(match["word"] or match["phrase"]):
                phrases.append(spoken)
            continue
        name = match["filter"].removesuffix(":").lower()
        value = match["bare"] if match["value"] is None else match["value"]
        try:
            found[_FIELD.get(name, name)] = _READ[name](value)
        except (ValueError, KeyError):
            hint = _HINT.get(name) or _meant(name)
            wrong.append(violation("query-word", name, value, word=f"{name}:{value[:60]}", hint=hint))
    if wrong:
        raise Refusal("request-invalid", violations=wrong)
    return Query(**found, phrases=tuple(phrases))  # type: ignore[arg-type]  # names and types are those of the table below


def _meant(name: str) -> str:
    near = get_close_matches(name, FILTERS, 1) or FILTERS
    return f"{' '.join(f'{one}:' for one in near)} (là chữ thì để trong ngoặc kép / in quotes if it is text)"


def _some(value: str) -> str:
    if not value:
        raise ValueError(value)
    return value


def _year(value: str) -> int:
    """Four digits: what a DocumentId and a date of promulgation can state."""
    if not 1000 <= int(value) <= 9999:
        raise ValueError(value)
    return int(value)


def _day(value: str) -> date:
    day = date.fromisoformat(value)
    _year(str(day.year))
    return day


def _one_of(allowed: frozenset[str]) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in allowed:
            raise ValueError(value)
        return value

    return read


_STATES = frozenset(state.value for state in Transport)
_STATUSES = frozenset(status.value for status in Status)
_KINDS = frozenset({*KINDS, "status"})
_FIELD = {"from": "sender", "to": "recipient"}
_READ: dict[str, Callable[[str], object]] = {
    "from": _some,
    "to": _some,
    "issuer": _some,
    "number": _some,
    "year": _year,
    "state": _one_of(_STATES),
    "status": _one_of(_STATUSES),
    "kind": _one_of(_KINDS),
    "after": _day,
    "before": _day,
}
_HINT = {
    "from": "from:G22",
    "to": "to:H41",
    "issuer": "issuer:TTg",
    "number": "number:15/VPCP",
    "year": "year:2020",
    "state": " ".join(f"state:{value}" for value in Transport),
    "status": " ".join(f"status:{value}" for value in Status),
    "kind": " ".join(f"kind:{value}" for value in sorted(_KINDS)),
    "after": "after:2020-03-01",
    "before": "before:2020-03-31",
}
FILTERS = tuple(_HINT)
