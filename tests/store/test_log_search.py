"""What the delivery log finds is what reading every row would find, in the same order, page after page."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest
from builders.databases import opened
from builders.log_rows import STATUSES, Row, Rows, day_of, enrolled, put
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from hub.domain.numbering import plain_number, split_code
from hub.domain.search import KINDS, SIGNED, Query, line, parse, words
from hub.store import log, search
from hub.store.engine import reading, writing
from hub.store.search import AFTER_ALL, BEFORE_ALL
from hub.store.search_filters import Place

TODAY = date(2020, 3, 20)
START = datetime(2020, 1, 1, 3, tzinfo=UTC)


class Log:
    """A log by chance, and what a search of it should find."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.rows = Rows(random.Random(7), START)
        with writing(engine) as connection:
            enrolled(connection)
            self.documents = put(connection, self.rows.documents(700))

    def add(self, count: int) -> None:
        with writing(self.engine) as connection:
            self.documents += put(connection, self.rows.documents(count))

    def expected(self, query: Query) -> list[Place]:
        """By reading everything."""
        found = []
        for one in self.documents:
            (document,) = one["document"]
            packets = {packet["id"]: packet for packet in one["packet"]}
            found += [
                (-document["seq"], delivery["id"])
                for delivery in one["delivery"]
                if fits(query, document, packets[delivery["packet_id"]], delivery)
            ]
        return [Place(-seq, delivery) for seq, delivery in sorted(found)]

    def found(self, query: Query, *, limit: int = 50, newer: bool = False, seconds: float = 9.0) -> list[Place]:
        """All pages joined."""
        joined: list[Place] = []
        place: Place | None = Place(0, AFTER_ALL) if newer else None
        for _ in range(10_000):
            with reading(self.engine) as connection:
                page = search.find(connection, query, limit=limit, place=place, newer=newer, seconds=seconds)
            joined = [*page.keys, *joined] if newer else [*joined, *page.keys]
            place = page.onward(newer=newer)
            if place is None:
                return joined
        raise AssertionError("a search without an end")


def fits(query: Query, document: Row, packet: Row, delivery: Row) -> bool:
    """Whether a line is one of those asked for, filter by filter."""
    kind = "status" if delivery["report_id"] else next(w for w, k in KINDS.items() if k == document["kind"])
    signed = next(w for w, standing in SIGNED.items() if standing == packet["standing"])
    done = delivery["status"] in {"06", "02", "cancelled", "replaced"} or delivery["state"] == "withdrawn"
    late = document["due_on"] is not None and document["due_on"] < TODAY and not done
    spoken = " " + " ".join(words(document["search"])) + " "
    checks: list[tuple[Any, Callable[[Any], bool]]] = [
        (query.sender, lambda some: document["sender"] in some),
        (query.recipient, lambda some: delivery["recipient"] in some),
        (query.issuer, lambda some: document["issuer"] in some),
        (query.system, lambda some: document["system_id"] in some),
        (query.year, lambda some: document["year"] in some),
        (query.state, lambda some: delivery["state"] in some),
        (query.status, lambda some: delivery["status"] in some),
        (query.signed, lambda some: signed in some),
        (query.number, lambda some: any(numbered(code, document) for code in some)),
        (query.trace, lambda one: document["trace_id"] == one),
        (query.id, lambda one: one in {document["id"], document["document_id"], delivery["id"]}),
    ]
    return bool(
        (kind in query.kind if query.kind else kind != "status")
        and all(check(value) for value, check in checks if value)
        and query.overdue in {None, late}
        and query.urgent in {None, document["urgent"]}
        and (query.after is None or day_of(document) >= query.after)
        and (query.before is None or day_of(document) <= query.before)
        and all(f" {' '.join(phrase)} " in spoken for phrase in query.phrases)
    )


def numbered(code: str, document: Row) -> bool:
    number, symbol = split_code(code)
    return bool(not number or plain_number(number) == document["number"]) and str(document["symbol"]).startswith(symbol)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """A log on each engine, for tests that only read."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("log") / "hub.db"
        file.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        with opened(f"sqlite:///{file}") as engine:
            yield Log(engine)
        return
    server = request.getfixturevalue("postgres")
    url = server.create(request.getfixturevalue("postgres_template"))
    with opened(url) as engine:
        yield Log(engine)
    server.drop(url)


QUERIES = (
    "", "from:G22", "to:H41", "to:H41,H27", "from:G22 to:H41", "from:G22,G09 to:H41 state:waiting", "state:waiting",
    "-state:delivered", "state:failed,expired to:H27", "-state:delivered -state:waiting", "state:delivered status:06",
    "status:02", "status:cancelled,replaced from:H41", "-status:none", "issuer:TTg", "issuer:TTg from:G22",
    "number:15", "number:15/VPCP", "number:007/VPCP-TH", "number:VPCP", "number:15/VPCP,16/UBND year:2020", "year:2020",
    "year:2019", "kind:update", "-kind:new", "kind:status", "kind:status to:G22", "kind:status,new to:G22",
    "-kind:status from:H27", "signed:no", "signed:yes", "signed:agency", "signed:platform,no from:G24",
    "signed:no kind:status", "after:2020-01-15", "before:2020-01-10", "after:2020-01-05 before:2020-01-06",
    "after:2021-01-01", "after:2020-01-28 from:G22", "system:system-H27", "overdue:yes", "overdue:no to:H17",
    "urgent:yes", "urgent:no from:G22", "trace:trace-3", "trace:none", "tiền lương", '"tiền lương"',
    '"tien luong" to:H41', "lương from:G22 state:failed", '"lương tiền"', "bệnh kind:status",
    "tiền urgent:yes", "15/VPCP-TH",
)  # fmt: skip


@pytest.mark.parametrize("text", QUERIES)
def test_a_search_finds_what_reading_everything_would(filled: Log, text: str) -> None:
    query = parse(text, TODAY)
    expected = filled.expected(query)
    assert filled.found(query) == expected
    assert filled.found(query, newer=True) == expected
    assert bool(expected) is (text not in {"year:2019", "after:2021-01-01", "trace:none", '"lương tiền"'})


def some_of(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(",".join)


FILTERS = {
    "from": some_of(("G22", "G09", "H41")),
    "to": some_of(("H41", "H27", "H41.15")),
    "issuer": some_of(("TTg", "G22")),
    "state": some_of(("waiting", "delivered", "failed")),
    "status": some_of(tuple(dict.fromkeys(STATUSES))),
    "-signed": some_of(("no", "platform")),
    "kind": some_of(("new", "update", "revocation", "status")),
    "number": some_of(("7", "9/VPCP", "UBND")),
    "overdue": st.sampled_from(("yes", "no")),
    "urgent": st.sampled_from(("yes", "no")),
    "after": st.sampled_from(("2020-01-03", "2020-01-14")),
    "before": st.sampled_from(("2020-01-12", "2020-01-27")),
}


@st.composite
def some_lines(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(tuple(FILTERS)), max_size=4, unique=True))
    spoken = draw(st.lists(st.sampled_from(("lương", '"tiền lương"', "dich benh")), max_size=1))
    return " ".join([*(f"{name}:{draw(FILTERS[name])}" for name in names), *spoken])


@settings(max_examples=30)
@given(text=some_lines(), limit=st.sampled_from([30, 300]), newer=st.booleans(), hurried=st.booleans())
def test_any_search_in_any_pages_finds_the_same(filled: Log, text: str, limit: int, newer: bool, hurried: bool) -> None:
    """Also where the time of a page is over before it is full."""
    query = parse(text, TODAY)
    expected = filled.expected(query)
    assert filled.found(query, limit=limit, newer=newer, seconds=0.0 if hurried else 9.0) == expected
    assert parse(line(query), TODAY) == query


def test_what_comes_while_somebody_pages_is_shown_to_nobody_twice(filled: Log) -> None:
    query = parse("state:waiting,delivered")
    expected = filled.expected(query)
    joined: list[Place] = []
    place: Place | None = None
    for _ in range(1000):
        with reading(filled.engine) as connection:
            page = search.find(connection, query, limit=30, place=place)
        joined += page.keys
        place = page.onward(newer=False)
        if place is None:
            break
        if len(joined) < 200:
            filled.add(3)
    assert joined == expected
    came = [key for key in filled.expected(query) if key not in expected]
    assert came
    with reading(filled.engine) as connection:
        page = search.find(connection, query, limit=100, place=Place(expected[0].seq, BEFORE_ALL), newer=True)
    assert page.keys == came
    with reading(filled.engine) as connection:
        rows, _ = log.newer(connection, query, Place(expected[0].seq, BEFORE_ALL), 100)
    assert [Place(row["seq"], row["delivery"]) for row in rows] == came[::-1]


def test_a_search_whose_time_is_over_says_how_far_it_came(filled: Log) -> None:
    query = parse("from:G22 number:KHONG-CO")
    times = iter(range(1000))
    with reading(filled.engine) as connection:
        page = search.find(connection, query, limit=50, seconds=0.5, elapsed=lambda: next(times))
        assert (page.keys, page.more) == ([], True)
        assert page.reached is not None
        assert page.onward(newer=False) == Place(page.reached, AFTER_ALL)
        assert search.find(connection, query, limit=50).reached is None


def test_the_place_behind_a_document_is_behind_its_ids_in_any_collation() -> None:
    """PostgreSQL may have been made with a language's order, where a tilde stood before every digit."""
    assert AFTER_ALL.isalpha()
    assert all(letter in string.digits or letter < AFTER_ALL for letter in string.hexdigits.lower())


@pytest.mark.parametrize("text", ["", "number:15/VPCP", "state:failed to:H27", "lương from:G22 state:failed"])
def test_lines_are_all_that_fit_however_often_the_time_of_a_look_is_over(
    filled: Log, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "find", partial(search.find, seconds=0.0))
    query = parse(text, TODAY)
    expected = filled.expected(query)
    for limit in (3, len(expected), 10_000):
        with reading(filled.engine) as connection:
            rows = log.lines(connection, query, limit=limit)
        assert [Place(row["seq"], row["delivery"]) for row in rows] == expected[:limit]


@pytest.mark.parametrize("seconds", [0.0, 9.0])
@pytest.mark.parametrize("text", ["from:G22", "number:15/VPCP"])
def test_who_follows_the_log_is_told_every_line_once_though_a_document_has_more_than_one_look(
    filled: Log, text: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the time of a look is over before anything was found."""
    monkeypatch.setattr(search, "find", partial(search.find, seconds=seconds))
    query = parse(text, TODAY)
    followed: list[Place] = []
    place, before = Place(0, BEFORE_ALL), None
    while place != before:
        before = place
        with reading(filled.engine) as connection:
            rows, place = log.newer(connection, query, place, 2)
        followed += [Place(row["seq"], row["delivery"]) for row in rows]
    assert followed == filled.expected(query)[::-1]


def test_what_is_there_already_is_not_followed(filled: Log) -> None:
    with reading(filled.engine) as connection:
        assert log.newer(connection, Query(), log.end(connection), 10) == ([], log.end(connection))


@pytest.mark.parametrize("text", ["tiền lương", '"tien luong" to:H41', "lương from:G22 state:failed", "khong co"])
def test_words_are_looked_for_in_part_after_part_of_the_log(
    filled: Log, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_SPAN", 1)
    query = parse(text, TODAY)
    expected = filled.expected(query)
    for newer in (False, True):
        for seconds in (0.0, 9.0):
            assert filled.found(query, limit=20, newer=newer, seconds=seconds) == expected


def test_words_stand_apart_at_every_mark_on_both_engines(database_url: str) -> None:
    """PostgreSQL deleted ``*`` where SQLite splits at it."""
    rows = list(Rows(random.Random(3), START).documents(len(string.punctuation)))
    for one, mark in zip(rows, string.punctuation, strict=True):
        one["document"][0]["search"] = f"tien{mark}luong"
    with opened(database_url) as engine:
        with writing(engine) as connection:
            enrolled(connection)
            put(connection, iter(rows))
        with reading(engine) as connection:
            page = search.find(connection, parse('"tiền lương"', TODAY), limit=1000)
    found = {key.seq for key in page.keys}
    apart = [one["document"][0]["search"][4] for one in rows if one["document"][0]["seq"] in found]
    assert "".join(apart) == string.punctuation
