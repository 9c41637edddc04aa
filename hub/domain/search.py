"""Searching: text without marks, and the one-line query of the delivery log.

``from:G22 to:H41,H42 number:15/VPCP year:2020 -state:delivered "tiền lương"``: words with a known name before the
colon are filters, everything else is looked for in the text. A filter that is unknown, empty or wrong is told, never
passed over: who meant ``from:`` would read what ``fron:`` finds as the truth. Marks count neither in the query nor in
the text (đ included).

Several values of one filter are joined by commas, or the filter is written again: any of them fits. ``-`` before a
filter takes its values away; only those whose values are a short list can be turned so, since what is left is a list
again, which an index reads. ``-from:G22`` would have to read everything else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from typing import Any, NamedTuple

from hub.domain.agency import Directory, canonical
from hub.domain.delivery import Status, Transport
from hub.domain.document import Kind
from hub.domain.signature.standing import Standing
from hub.errors import Refusal, Violation, violation

_WORD = re.compile(r"\w+")
_UNSEEN = re.compile("[\x00-\x1f\x7f]")  # PostgreSQL takes no NUL
_MARKS = re.compile("[\u0300-\u036f]+")
_FILTER = r"-?[A-Za-z]+:(?!//)"  # a URL is text
_TOKEN = re.compile(
    rf'(?P<filter>{_FILTER})(?:"(?P<value>[^"]*)"|(?P<bare>[^\s"]*))|"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+|")'
)
_QUERY = re.compile(rf'"|(?:^|\s){_FILTER}')
_CODE = re.compile(r"[A-Za-z0-9.-]*[0-9][A-Za-z0-9.-]*")
MOST_VALUES = 20  # of one filter: each is read by itself
KINDS = {kind.word: kind for kind in Kind}
SIGNED = {"agency": Standing.SIGNED, "platform": Standing.SIGNED_BY_PLATFORM, "no": Standing.UNSIGNED}


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
    """What to look for; empty means any, several values any of them. ``phrases`` all occur, each as words that follow
    each other. ``signed`` has the words of :data:`SIGNED`; ``overdue`` is judged on the day ``today``.
    """

    sender: tuple[str, ...] = ()
    recipient: tuple[str, ...] = ()
    issuer: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    year: tuple[int, ...] = ()
    state: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    signed: tuple[str, ...] = ()
    system: tuple[str, ...] = ()  # that brought the document
    id: str = ""
    trace: str = ""
    overdue: bool | None = None
    urgent: bool | None = None
    after: date | None = None
    before: date | None = None
    phrases: tuple[tuple[str, ...], ...] = ()
    today: date | None = None


def one_line(given: Iterable[str]) -> str:
    """The query that a shell gives in words: one with blanks is a phrase, unless it is (part of) a query itself."""
    return " ".join(f'"{word}"' if " " in word and not _QUERY.search(word) else word for word in given)


def parse(text: str, today: date | None = None) -> Query:
    """Read a query. ``today`` is needed for what is overdue.

    Raises ``request-invalid`` with a violation for each word that cannot be understood.
    """
    found: dict[str, Any] = {}
    phrases: list[tuple[str, ...]] = []
    wrong: list[Violation] = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFC", _UNSEEN.sub(" ", text))):
        if match["filter"] is None:
            if spoken := words(match["word"] or match["phrase"] or ""):
                phrases.append(spoken)
            continue
        name = match["filter"].removesuffix(":").lower()
        value = match["bare"] if match["value"] is None else match["value"]
        try:
            known = _FILTERS[name.removeprefix("-")]
            before = found.get(known.field)
            found[known.field] = known.less(before, value) if name[0] == "-" else known.more(before, value)
        except (ValueError, KeyError):
            wrong.append(_not_understood(name, value))
    if wrong:
        raise Refusal("request-invalid", violations=wrong)
    if found.get("overdue") is not None:
        if today is None:
            raise ValueError("what is overdue needs a day")
        found["today"] = today
    return Query(**found, phrases=tuple(phrases))


def line(query: Query) -> str:
    """The query in one line; read again it is the same query."""
    told = [
        f"{name}:{_quoted(_told(value))}"
        for name, known in _FILTERS.items()
        if (value := getattr(query, known.field)) not in ((), "", None)
    ]
    return " ".join([*told, *(f'"{" ".join(phrase)}"' if len(phrase) > 1 else phrase[0] for phrase in query.phrases)])


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _quoted(value: str) -> str:
    return f'"{value}"' if any(letter.isspace() for letter in value) else value


_AGENCIES = {"from": "sender", "to": "recipient", "issuer": "issuer"}


def resolved(query: Query, directory: Directory) -> Query:
    """The query with each agency by the code under which it is known here; a code that is not listed stays.

    Raises ``request-invalid`` for what is no code; its repair names agencies that are called so.
    """
    wrong: list[Violation] = []
    known: dict[str, Any] = {}
    for name, column in _AGENCIES.items():
        codes = []
        for value in getattr(query, column):
            code = next((directory.resolve(one) for one in (value, value.upper()) if directory.listed(one)), None)
            if code is None and not _CODE.fullmatch(value) and not (name == "issuer" and value in _HOLDERS):
                wrong.append(
                    violation(
                        "query-word", name, value, word=f"{name}:{value[:60]}", hint=_near(name, value, directory)
                    )
                )
            codes.append(code or canonical(value))
        known[column] = tuple(dict.fromkeys(codes))
    if wrong:
        raise Refusal("request-invalid", violations=wrong)
    return replace(query, **known)


_HOLDERS = frozenset({"TTg", "CP"})  # the Prime Minister and the Government, who have no code


def _near(name: str, value: str, directory: Directory) -> str:
    asked = fold(value)
    called = [agency for agency in directory.agencies if asked in fold(agency.name)][:5]
    if not called:
        return _FILTERS[name].hint
    return "; ".join(f"{name}:{agency.code} ({agency.name})" for agency in called)


def _not_understood(name: str, value: str) -> Violation:
    plain = name.removeprefix("-")
    known = _FILTERS.get(plain)
    if known is None:
        hint = _meant(plain)
    elif name != plain and not known.values:
        hint = " ".join(f"-{one}:" for one, each in _FILTERS.items() if each.values)
    else:
        hint = known.hint
    return violation("query-word", plain, value, word=f"{name}:{value[:60]}", hint=hint)


def _meant(name: str) -> str:
    near = get_close_matches(name, FILTERS, 1) or FILTERS
    return f"{' '.join(f'{one}:' for one in near)} (là chữ thì để trong ngoặc kép / in quotes if it is text)"


class _Filter(NamedTuple):
    """``one`` reads one value and raises ValueError. ``values`` are all there are, where they can be taken away."""

    field: str
    hint: str
    one: Callable[[str], Any]
    several: bool = True
    values: tuple[str, ...] = ()

    def more(self, before: Any, text: str) -> Any:
        if not self.several:
            return self.one(text.strip())
        return _some((*(before or ()), *self._each(text)))

    def less(self, before: Any, text: str) -> Any:
        if not self.values:
            raise ValueError(text)
        gone = set(self._each(text))
        return _some(value for value in (self.values if before is None else before) if value not in gone)

    def _each(self, text: str) -> list[Any]:
        found = [self.one(part.strip()) for part in text.split(",")]
        return [value for one in found for value in (one if isinstance(one, tuple) else (one,))]


def _some(values: Iterable[Any]) -> tuple[Any, ...]:
    found = tuple(dict.fromkeys(values))
    if not 1 <= len(found) <= MOST_VALUES:
        raise ValueError(found)
    return found


def _text(value: str) -> str:
    if not value:
        raise ValueError(value)
    return value


def _year(value: str) -> int:
    """Four digits: what a DocumentId and a date of promulgation can state."""
    if not 1000 <= int(value) <= 9999:
        raise ValueError(value)
    return int(value)


def _day(value: str) -> date:
    """No year that a store's margin of hours could lead out of the calendar."""
    day = date.fromisoformat(value)
    if not 1000 <= day.year <= 9000:
        raise ValueError(value)
    return day


def _yes_no(value: str) -> bool:
    return {"yes": True, "no": False}[value]


_WORD_OF = {standing.value: word for word, standing in SIGNED.items()}


def _signed(value: str) -> str | tuple[str, ...]:
    if value == "yes":
        return ("agency", "platform")
    return value if value in SIGNED else _WORD_OF[value]


def _one_of(field: str, allowed: Iterable[str]) -> _Filter:
    values = tuple(allowed)

    def read(value: str) -> str:
        if value not in values:
            raise ValueError(value)
        return value

    return _Filter(field, " ".join(f"{field}:{value}" for value in values), read, values=values)


_FILTERS = {
    "from": _Filter("sender", "from:G22", _text),
    "to": _Filter("recipient", "to:H41", _text),
    "issuer": _Filter("issuer", "issuer:TTg", _text),
    "number": _Filter("number", "number:15/VPCP", _text),
    "year": _Filter("year", "year:2020", _year),
    "state": _one_of("state", Transport),
    "status": _one_of("status", Status),
    "kind": _one_of("kind", (*KINDS, "status")),
    "signed": _Filter("signed", "signed:yes signed:agency signed:platform signed:no", _signed, values=tuple(SIGNED)),
    "system": _Filter("system", "system:QLVB.G22", _text),
    "id": _Filter("id", "id:G22,2020/03/01,15/VPCP", _text, several=False),
    "trace": _Filter("trace", "trace:5f1d0c7e", _text, several=False),
    "overdue": _Filter("overdue", "overdue:yes overdue:no", _yes_no, several=False),
    "urgent": _Filter("urgent", "urgent:yes urgent:no", _yes_no, several=False),
    "after": _Filter("after", "after:2020-03-01", _day, several=False),
    "before": _Filter("before", "before:2020-03-31", _day, several=False),
}
FILTERS = tuple(_FILTERS)


def value_of(query: Query, name: str) -> str:
    """What stands behind ``name:`` in the query's line; empty if nothing does."""
    value = getattr(query, _FILTERS[name].field)
    return "" if value in ((), "", None) else _told(value)


def without(query: Query, names: Iterable[str]) -> Query:
    """The query without these filters."""
    nothing = Query()
    gone: dict[str, Any] = {known: getattr(nothing, known) for name in names for known in [_FILTERS[name].field]}
    return replace(query, **gone)
