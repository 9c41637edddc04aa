"""What runs at every request is answered by an index: its cost does not grow with what is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from builders.axis import Axis
from sqlalchemy import Connection, event

from hub.domain.search import parse
from hub.store import deliveries, documents, log, retention, roster
from hub.store.engine import reading

NOW = datetime(2025, 10, 1, tzinfo=UTC)
QUERIES: dict[str, Callable[[Connection], Any]] = {
    "inbox": lambda c: deliveries.inbox(c, "a" * 24, 0, 100),
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
    "open requests": lambda c: deliveries.open_requests(c, ["a", "b"]),
    "a repeated report": lambda c: documents.report_by_repeat_key(c, "a"),
    "a one-time code": lambda c: roster.one_time_code(c, "a"),
    "documents to pare": lambda c: retention.unpared(c, 1, 5, 100),
    "whether a document is over": lambda c: retention.is_over(c, "a", NOW),
    "packets to remove": lambda c: retention.remove_packets(c, "a", 100),
    "outbox entries to remove": lambda c: retention.old_entries(c, NOW, 5, 100),
    "the log of a recipient": lambda c: log.lines(c, parse("to:H41"), limit=50),
    "the log of a number": lambda c: log.lines(c, parse("number:15/VPCP-TH year:2025"), limit=50),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", QUERIES)
def test_a_query_of_every_request_reads_no_table_from_end_to_end(axis: Axis, name: str) -> None:
    engine = axis.desk.engine
    seen: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_c: object, _cursor: object, statement: str, values: Any, _context: object, _many: bool) -> None:
        seen.append((statement, values))

    with reading(engine) as connection:
        QUERIES[name](connection)
        asked = [(statement, values) for statement, values in seen if statement.startswith("SELECT")]
        steps = [
            row[3]
            for statement, values in asked
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    event.remove(engine, "before_cursor_execute", _note)
    assert steps
    assert [step for step in steps if step.startswith("SCAN ") and step != "SCAN CONSTANT ROW"] == []
