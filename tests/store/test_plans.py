"""What runs at every request is answered by an index: its cost does not grow with what is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from builders.axis import Axis
from builders.databases import statements
from sqlalchemy import Connection

from hub.domain.search import parse
from hub.store import deliveries, documents, log, queue, retention, roster
from hub.store.engine import reading

NOW = datetime(2025, 10, 1, tzinfo=UTC)
QUERIES: dict[str, Callable[[Connection], Any]] = {
    "inbox": lambda c: deliveries.inbox(c, "a" * 24, 0, 100),
    "a page of the gateway's documents": lambda c: queue.page(
        c, "a" * 24, statuses=False, window=queue.Window(), limit=500
    ),
    "a page of the gateway's statuses since a moment": lambda c: queue.page(
        c, "a" * 24, statuses=True, window=queue.Window(NOW), limit=500
    ),
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
    "the evidence of a document": lambda c: documents.evidence_of(c, "a"),
    "refused tries of an id": lambda c: documents.refusals_between(c, "G22", "a", NOW),
    "an agency's certificates": lambda c: roster.certificates_of(c, ["G22", "H41"]),
    "a document by any id": lambda c: log.find_document(c, "a"),
    "a repeated report": lambda c: documents.report_by_repeat_key(c, "a"),
    "a one-time code": lambda c: roster.one_time_code(c, "a"),
    "documents to pare": lambda c: retention.unpared(c, 1, 5, 100),
    "whether a document is over": lambda c: retention.is_over(c, "a", NOW),
    "packets to remove": lambda c: retention.remove_packets(c, "a", 100),
    "outbox entries to remove": lambda c: retention.old_entries(c, NOW, 5, 100),
    "the log of a recipient": lambda c: log.lines(c, parse("to:H41"), limit=50),
    "the log of a number": lambda c: log.lines(c, parse("number:15/VPCP-TH year:2025"), limit=50),
}


# What is asked for, and what is computed.
_OF_NO_TABLE = ("SCAN CONSTANT ROW", "SCAN listed ")


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
