"""What waits for systems: one document that was sent, and as many rows like its delivery as it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, text, update

from benchmarks import load
from benchmarks.packets import Office, signed
from benchmarks.stage import Stage
from hub.domain.delivery import Status, Transport
from hub.domain.document import Organization
from hub.store import deliveries
from hub.store import tables as t
from hub.store.deliveries import Delivery
from hub.store.engine import is_sqlite, open_engine, writing
from hub.store.ids import new_id

_CHUNK = 20_000  # rows written at once


def documents(hub: Stage, sender: Office, counts: Mapping[Organization, int]) -> None:
    """So many documents wait for each of these, one at least."""
    packet = next(signed(sender, list(counts), 10_000, range(1, 2)))
    sent = load.request("/v1/documents", hub.systems[sender.code].token, packet)
    load.fire(hub.hub.url, [sent], connections=1, seconds=5).all_are(201)
    with _connection(hub) as connection:
        for to, count in counts.items():
            _add(connection, to.organ_id, count - 1, statuses=False)


def statuses(hub: Stage, to: Organization, count: int) -> None:
    """So many status packets wait, beside the documents, of which there must be one."""
    with _connection(hub) as connection:
        _add(connection, to.organ_id, count, statuses=True)


@contextmanager
def _connection(hub: Stage) -> Iterator[Connection]:
    engine = open_engine(hub.database_url or f"sqlite:///{hub.folder / 'hub' / 'hub.db'}")
    try:
        with writing(engine) as connection:
            yield connection
            if not is_sqlite(connection):
                connection.execute(text("ANALYZE"))  # as autovacuum does within a minute: plans change by it
    finally:
        engine.dispose()


def _add(connection: Connection, code: str, count: int, *, statuses: bool) -> None:
    now = datetime.now(UTC)
    seq = connection.execute(select(func.max(t.counter.c.seq))).scalar_one()
    c = t.delivery.c
    query = select(c.document_id, c.packet_id, c.system_id).where(c.recipient == code)
    like = connection.execute(query).mappings().one()
    for start in range(0, count, _CHUNK):
        numbers = range(start, min(start + _CHUNK, count))
        reports = [_report(like, code, now) for _ in numbers] if statuses else []
        if reports:
            connection.execute(insert(t.report), reports)
        rows = [
            Delivery(
                id=new_id(now), seq=seq + n + 1, document_id=like["document_id"], packet_id=like["packet_id"],
                report_id=reports[n - start]["id"] if statuses else None, recipient=f"{code}.{n}", addressed=code,
                system_id=like["system_id"], state=Transport.WAITING, status=Status.NONE, fetched_at=None, lease=None,
                lease_until=None, attempts=0, reason="", urgent=False, created_at=now,
                expires_at=now + timedelta(days=30),
            )
            for n in numbers
        ]  # fmt: skip
        deliveries.add(connection, [deliveries.row_of(row) for row in rows])
    connection.execute(update(t.counter).values(seq=seq + count + 1))


def _report(like: RowMapping, code: str, now: datetime) -> dict[str, Any]:
    made = new_id(now)
    return {
        "id": made, "packet_id": like["packet_id"], "system_id": like["system_id"], "document_id": like["document_id"],
        "sender": code, "addressee": code, "code": "06", "description": "", "stated_at": now, "repeat_key": made,
        "answer": {}, "received_at": now, "trace_id": made,
    }  # fmt: skip
