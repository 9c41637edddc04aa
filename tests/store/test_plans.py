"""What runs at every request is answered by an index: its cost does not grow with what is stored."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders.axis import Axis, Peer, an_axis
from builders.databases import statements
from builders.postgres import Server
from sqlalchemy import Connection, select, text

from hub.domain.document import DocumentRef
from hub.domain.search import parse
from hub.domain.turns import Turn
from hub.store import (
    deliveries,
    documents,
    evidence,
    examinations,
    log,
    polls,
    queue,
    recount,
    refusals,
    retention,
    roster,
    state,
    steering,
    story,
    systems,
    views,
)
from hub.store.console_tables import reference
from hub.store.engine import reading, writing
from hub.store.refusals import Wanted
from hub.store.story import Scope

NOW = datetime(2025, 10, 1, tzinfo=UTC)
ANSWER = {"seq": 5, "sender": "G22", "issuer": "TTg", "document_id": "a", "kind": 0, "year": 2025, "business": "b"}
QUERIES: dict[str, Callable[[Connection], Any]] = {
    "inbox": lambda c: deliveries.inbox(c, "a" * 24, 0, 100),
    "the gateway's documents": lambda c: [
        queue.documents(c, "a" * 24, Turn.ORDINARY, 500, newest=newest, after=NOW) for newest in (False, True)
    ],
    "the gateway's statuses since a moment": lambda c: queue.statuses(c, "a" * 24, 500, NOW),
    "what the gateway lists of both": lambda c: [
        queue.rows(c, ["a", "b"], statuses=statuses) for statuses in (False, True)
    ],
    "how much waits": lambda c: [queue.count(c, "a" * 24, statuses=statuses) for statuses in (False, True)],
    "what an agency sent": lambda c: [queue.sent(c, "G22", statuses=statuses, limit=500) for statuses in (False, True)],
    "recipients of one document": lambda c: queue.sent_document(c, "a"),
    "status packets": lambda c: queue.sent_statuses(c, ["a", "b"]),
    "outbox": lambda c: deliveries.outbox(c, "G22", 0, 100),
    "leases that are over": lambda c: deliveries.overdue_leases(c, NOW, 100),
    "deliveries that are over": lambda c: deliveries.overdue(c, NOW, 100),
    "identities": lambda c: documents.by_identity(c, ["a", "b"]),
    "numbers taken": lambda c: documents.by_business(c, ["a", "b"]),
    "years of an id": lambda c: documents.years_of(c, [("G22", "a"), ("G12", "b")]),
    "a sender's documents by their ids": lambda c: documents.by_document_id(c, ["a", "b"], sender="G22"),
    "others' documents by their ids": lambda c: documents.used_by_others(c, ["a", "b"], "G22"),
    "what an agency received by its id": lambda c: deliveries.of_described(c, {"document_id": "a"}, recipient="H41"),
    "what agencies received by its ids": lambda c: deliveries.received(c, [("a", "H41"), ("b", "H27")]),
    "what an agency sent by its number": lambda c: deliveries.of_described(
        c, {"number": "15", "symbol": "VPCP-TH", "year": 2025}, sender="G22"
    ),
    "deliveries of documents": lambda c: deliveries.of_documents(c, ["a", "b"], {"H41"}, 10),
    "a document's own deliveries": lambda c: deliveries.of_document(c, "a"),
    "statuses about a document": lambda c: deliveries.statuses_about(c, "a"),
    "the history of deliveries": lambda c: deliveries.events_of(c, ["a", "b"]),
    "open requests": lambda c: deliveries.open_requests(c, ["a", "b"]),
    "open requests by documents": lambda c: deliveries.open_requests_by(c, ["a", "b"]),
    "open requests that deliveries carry": lambda c: deliveries.open_requests_made(c, ["a", "b"]),
    "links of a document": lambda c: documents.links_of(c, "a"),
    "reports on a document": lambda c: documents.reports_of(c, "a"),
    "the evidence of a document": lambda c: evidence.of_document(c, "a", None, 0, 9, 100),
    "a recipient's evidence of a document": lambda c: evidence.of_document(
        c, "a", evidence.Own(frozenset({"b"}), frozenset({"H41"})), 0, 9, 100
    ),
    "what a system fetched of a document": lambda c: evidence.fetched(c, "a", "b"),
    "refused tries of an id": lambda c: documents.refusals_between(c, "G22", "a", NOW),
    "an agency's certificates": lambda c: roster.certificates_of(c, ["G22", "H41"]),
    "a document by any id": lambda c: log.find_document(c, "a"),
    "a repeated report": lambda c: documents.answers_by_repeat_key(c, ["a"]),
    "a one-time code": lambda c: roster.one_time_code(c, "a"),
    "documents to pare": lambda c: retention.unpared(c, 1, 5, 100),
    "whether a document is over": lambda c: retention.is_over(c, "a", NOW),
    "whether somebody looked since": lambda c: views.is_any_since(c, "a", NOW),
    "runs to remove": lambda c: steering.old(c, NOW, 5, 100),
    "packets to remove": lambda c: retention.remove_packets(c, "a", 100),
    "outbox entries to remove": lambda c: retention.old_entries(c, NOW, 5, 100),
    "recipients of a document in pages": lambda c: [
        story.recipients(c, "a", after="H41", state=state, most=25) for state in ("", "waiting")
    ],
    "what of a document is not over": lambda c: [story.not_over(c, "a", 50), story.states(c, "a")],
    "packets of a document": lambda c: [story.packets(c, "a", 20), story.packet_of(c, "a", "b")],
    "links of a document both ways": lambda c: [
        story.acts_on(c, "a", 20),
        story.acted_on_by(c, "a", 20),
        story.answers(c, "a"),
    ],
    "what a document answers, and what answers it": lambda c: [
        story.references(c, ANSWER, 20),
        story.answered_by(c, ANSWER, 20),
    ],
    "the time line of a document": lambda c: [
        story.time_line(c, Scope("a", "G22", "b", ["c"], ["H41"], whole), place, 100)
        for whole in (False, True)
        for place in (None, *((NOW, rank, "5") for rank in range(10)))
    ],
    "who looked at a document": lambda c: [views.of_document(c, "a", 20), views.of_day(c, "a", "lan", NOW.date())],
    "refusals of a day": lambda c: refusals.grouped(c, Wanted(NOW, NOW + timedelta(days=1)), 50),
    "refusals by what is asked": lambda c: [
        refusals.page(c, Wanted(NOW, NOW + timedelta(days=1), sender, rule, phrases), before, 50)
        for sender in ("", "G22")
        for rule in ("", "field-missing")
        for phrases in ((), (("tien", "luong"),))
        for before in (None, (NOW, "a"))
    ],
    "what waits for a system, and since when": lambda c: systems.backlog(c, "a" * 24),
    "what of a system was taken and refused": lambda c: [
        systems.accepted_since(c, "a" * 24, systems.first_seq(c, NOW)),
        systems.refused_since(c, "G22", NOW),
    ],
    "when systems last asked": lambda c: polls.last(c, ["a", "b"]),
    "the next deliveries of a run": lambda c: [
        steering.chunk(c, 5, 100, 100),
        steering.deliveries_of(c, 5, 100, 50),
        steering.outcomes(c, 5),
    ],
    "what operators did to deliveries": lambda c: steering.acted(c, ["a", "b"]),
    "what people know deliveries by": lambda c: steering.described(c, ["a", "b"]),
    "a run and those before another": lambda c: [steering.run(c, "a"), steering.runs(c, 5, 50)],
    **{
        f"the log of {line}": lambda c, line=line: log.lines(c, parse(line, NOW.date()), limit=50)
        for line in (
            "",
            "from:G22 to:H41",
            "to:H41 state:failed",
            "state:waiting",
            "status:02",
            "issuer:TTg year:2025",
            "kind:update",
            "kind:status to:H41",
            "signed:no",
            "overdue:yes",
            "urgent:yes",
            "trace:a",
            "id:a",
            "system:a after:2025-01-01",
            "from:G22 tien",
        )
    },
    "the log of a recipient": lambda c: log.lines(c, parse("to:H41"), limit=50),
    "the log of a number": lambda c: log.lines(c, parse("number:15/VPCP-TH year:2025"), limit=50),
}


# What is asked for, and what is computed.
_OF_NO_TABLE = (
    *("SCAN CONSTANT ROW", "SCAN listed", "SCAN named ", "SCAN some", "SCAN way", "SCAN looked", "SCAN whole"),
    "SCAN document_fts VIRTUAL TABLE INDEX 0:",
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", QUERIES)
def test_a_query_of_every_request_reads_no_table_from_end_to_end(axis: Axis, name: str) -> None:
    with reading(axis.desk.engine) as connection:
        with statements(axis.desk.engine) as seen:
            QUERIES[name](connection)
        steps = [
            row[3]
            for statement, values in seen
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    assert steps
    scans = [step for step in steps if step.startswith("SCAN ") and not step.startswith(_OF_NO_TABLE)]
    assert scans == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_examination_does_not_read_all_packets_that_were_ever_removed(axis: Axis) -> None:
    """Each examination once read them: 0.7 s under the write lock, of four million."""
    with reading(axis.desk.engine) as connection:
        with statements(axis.desk.engine) as seen:
            examinations.removed(connection, ["a"])
        ((statement, values),) = [said for said in seen if said[0].startswith("SELECT")]
        steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert [step for step in steps if "packet" in step] == [
        "SEARCH packet USING INDEX sqlite_autoindex_packet_1 (id=?)"
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_recount_goes_through_no_table_once_for_each_row_of_another(axis: Axis) -> None:
    """With ten million deliveries it did not end: each task looked through all reports."""
    with reading(axis.desk.engine) as connection:
        with statements(axis.desk.engine) as seen:
            for _span, differing in recount.differences(connection, Counter(), Counter()):
                assert list(differing) == []
        steps = [
            row[3]
            for statement, values in seen
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    assert len(steps) > 100
    assert [step for step in steps if step.startswith("SCAN ") and step.endswith("LEFT-JOIN")] == []


ALONG_ALL = re.compile("uq_delivery_seq|pk_outbox|pk_document")

# By PostgreSQL too, which weighs what is stored: much that is done with, and then much that waits.
_DONE, _WAITING = 40_000, 10_000
LISTS: dict[str, Callable[[Connection, Peer], Any]] = {
    "inbox": lambda c, peer: deliveries.inbox(c, peer.system_id, 0, 100),
    "outbox": lambda c, peer: deliveries.outbox(c, peer.code, 0, 100),
    "the gateway's documents": lambda c, peer: [
        queue.documents(c, peer.system_id, Turn.ORDINARY, 500, newest=newest) for newest in (False, True)
    ],
    "the gateway's statuses": lambda c, peer: queue.statuses(c, peer.system_id, 500),
    "what the gateway's sender sees ended": lambda c, peer: queue.sent(c, peer.code, statuses=False, limit=500),
}


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> Iterator[tuple[Axis, Peer]]:
    """A hub on PostgreSQL in which much has happened, and the province for which much waits."""
    url = postgres.create()
    with an_axis(tmp_path_factory.mktemp("years"), url) as axis:
        office, province = axis.enrol("G22"), axis.enrol("H41")
        axis.enrol("H17")
        province.receive(office.issue("H41")[1]["deliveries"][0]["id"])
        office.issue("H17")
        letter = office.draft("H41")
        province.issue("H17", response_for=(DocumentRef("G22", "9/VP", letter.document_id, "2025/09/30"),))
        with writing(axis.desk.engine) as connection:
            for told in _MULTIPLIED:
                connection.execute(text(told), {"done": _DONE, "waiting": _WAITING})
        with axis.desk.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        yield axis, province
    postgres.drop(url)


def again(table: str, where: str, count: str, **changes: str) -> str:
    """SQL for ``:count`` more rows like the first; ``changes`` are expressions over ``n``."""
    changed = ", ".join(f"'{name}', {value}" for name, value in changes.items())
    like = f"jsonb_populate_record(CAST(NULL AS {table}), to_jsonb(first) || jsonb_build_object({changed})) made"
    first = f"(SELECT * FROM {table} WHERE {where} LIMIT 1) first"
    return f"INSERT INTO {table} SELECT made.* FROM {first}, generate_series(1, :{count}) n, {like}"


# What is done with came first.
_MULTIPLIED = (
    "UPDATE delivery SET state = 'delivered' WHERE recipient = 'H17'",
    again(
        "delivery", "recipient = 'H17'", "done", id="left(md5('a' || n), 24)", seq="1000000 + n", recipient="'x' || n"
    ),
    again(
        "delivery", "recipient = 'H41'", "waiting", id="left(md5('b' || n), 24)", seq="2000000 + n",
        recipient="'y' || n", state="'waiting'",
    ),
    again(
        "document", "sender = 'H41'", "done", seq="3000000 + n", id="left(md5('c' || n), 24)", business="md5('d' || n)",
        identity="md5('e' || n)", number_claim="md5('f' || n)", document_id="'x' || n",
    ),
    again("reference", "true", "done", document_seq="3000000 + n"),
    again("outbox", "true", "done", seq="1000000 + n", owner="'G22'"),
    again("outbox", "true", "waiting", seq="2000000 + n", owner="'H41'", what="'failed'"),
)  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_not_read_along_all_that_was_ever_stored(years: tuple[Axis, Peer], name: str) -> None:
    """On PostgreSQL a poll of an inbox once read every delivery that was made before the first that waited."""
    axis, province = years
    with reading(axis.desk.engine) as connection:
        with statements(axis.desk.engine) as seen:
            LISTS[name](connection, province)
        steps = [
            row[0]
            for statement, values in seen
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values)
        ]
    assert [step for step in steps if "Index Scan" in step and ALONG_ALL.search(step)] == []


def test_the_newest_answers_are_read_and_not_all_there_are(years: tuple[Axis, Peer]) -> None:
    axis, _ = years
    with reading(axis.desk.engine) as connection:
        business, named = connection.execute(select(reference.c.business, reference.c.named).limit(1)).one()
        with statements(axis.desk.engine) as seen:
            story.references(connection, ANSWER | {"seq": 3_000_001}, 20)
            told = story.answered_by(connection, ANSWER | {"document_id": named, "business": business}, 20)
        steps = [
            row[0] for statement, values in seen for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values)
        ]
    assert len(told) == 20
    assert [step for step in steps if "Seq Scan" in step] == []
    for index in ("named_organ_id_document_seq", "business_document_seq"):
        assert [step for step in steps if re.search(f"Index (Only )?Scan Backward using ix_reference_{index}", step)]


def test_what_is_not_over_is_counted_past_all_that_is(years: tuple[Axis, Peer]) -> None:
    axis, _ = years
    with reading(axis.desk.engine) as connection:
        with statements(axis.desk.engine) as seen:
            found = state.state(connection)
        steps = [
            row[0]
            for statement, values in seen
            if statement.startswith("SELECT") and "FROM delivery" in statement.replace("\n", "")
            for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values)
        ]
    assert found.waiting == _WAITING
    assert len(steps) > 4
    assert [step for step in steps if "Seq Scan" in step] == []
