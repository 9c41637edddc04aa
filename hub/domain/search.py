"""Searching: text without marks, and the one-line query of the delivery log.

``from:G22 to:H41 number:15/VPCP year:2020 state:waiting "tiền lương"``: words with a known name before the colon are
filters, everything else is looked for in the text. Marks count neither in the query nor in the text (đ included).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from hub.domain.delivery import Status, Transport
from hub.domain.document import Kind
from hub.errors import Refusal, Violation, violation

_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r'(?:(?P<name>[a-z]+):)?(?:"(?P<quoted>[^"]*)"|(?P<bare>\S+))')
KINDS = {kind.name.lower(): kind for kind in Kind}
FILTERS = ("from", "to", "issuer", "number", "year", "state", "status", "kind", "after", "before")


def fold(text: str) -> str:
    """Lower case without marks: ``Đề nghị`` and ``DE NGHI`` are both ``de nghi``."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def words(text: str) -> tuple[str, ...]:
    """The folded words of a text."""
    return tuple(_WORD.findall(fold(text)))


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; empty means any. ``text``: words that all occur; ``phrases``: words that follow each other."""

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


def parse(text: str) -> Query:
    """Read a query. Raises ``request-invalid`` with a violation for each word that cannot be understood."""
    found: dict[str, object] = {}
    phrases: list[tuple[str, ...]] = []
    wrong: list[Violation] = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFC", text)):
        name, value = match["name"], match["quoted"] if match["quoted"] is not None else match["bare"]
        if name not in FILTERS:
            if spoken := words(f"{name} {value}" if name else value):
                phrases.append(spoken)
            continue
        try:
            found[_FIELD.get(name, name)] = _READ.get(name, str)(value)
        except (ValueError, KeyError):
            wrong.append(violation("query-word", name, value, word=f"{name}:{value[:60]}", hint=_HINT[name]))
    if wrong:
        raise Refusal("request-invalid", violations=wrong)
    return Query(**found, phrases=tuple(phrases))  # type: ignore[arg-type]  # names and types are those of the table below


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
    "year": int,
    "state": _one_of(_STATES),
    "status": _one_of(_STATUSES),
    "kind": _one_of(_KINDS),
    "after": date.fromisoformat,
    "before": date.fromisoformat,
}
_HINT = {
    "year": "year:2020",
    "state": " ".join(f"state:{value}" for value in Transport),
    "status": " ".join(f"status:{value}" for value in Status),
    "kind": " ".join(f"kind:{value}" for value in sorted(_KINDS)),
    "after": "after:2020-03-01",
    "before": "before:2020-03-31",
}
