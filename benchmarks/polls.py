"""Whether a poll costs more when a million deliveries wait than when none does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import repeat

from sqlalchemy import Engine, func, select, update

from benchmarks import load
from benchmarks.packets import signed
from benchmarks.report import Measure, Run
from benchmarks.stage import Stage, government_office, stage, units
from hub.domain.delivery import Status, Transport
from hub.store import deliveries
from hub.store import tables as t
from hub.store.deliveries import Delivery
from hub.store.engine import open_engine, writing
from hub.store.ids import new_id

_CHUNK = 20_000  # rows written at once


def polls(run: Run, database: str, *, waiting: int, seconds: int, connections: int) -> None:
    """Polls per second: of an inbox where nothing waits, and of one with ``waiting``; each of one page of one item."""
    office = government_office()
    empty, full = units(2)
    with stage(database, [office], [empty, full]) as hub:
        # Both have a delivery, so that both answers have an item and are of one length.
        packet = next(signed(office, [empty, full], 10_000, range(1, 2)))
        sent = load.request("/v1/documents", hub.tokens[office.code], packet)
        load.fire(hub.hub.url, [sent], connections=1, seconds=5).all_are(201)
        engine = open_engine(hub.database_url or f"sqlite:///{hub.folder / 'hub' / 'hub.db'}")
        try:
            _fill(engine, full.organ_id, waiting)
        finally:
            engine.dispose()
        for name, code in (("empty", empty.organ_id), (f"{waiting:,} waiting", full.organ_id)) * 2:
            _polled(run, hub, f"polls, {name}, {database}", code, seconds, connections)


def _polled(run: Run, hub: Stage, name: str, code: str, seconds: int, connections: int) -> None:
    asked = repeat(load.question("/v1/inbox?limit=1", hub.tokens[code]))
    load.fire(hub.hub.url, asked, connections=connections, seconds=1)
    before = hub.hub.cpu()
    answers = load.fire(hub.hub.url, asked, connections=connections, seconds=seconds).all_are(200)
    run.add(Measure.of(name, answers, hub.hub.cpu() - before))


def _fill(engine: Engine, code: str, count: int) -> None:
    """Deliveries of one document to one system, as many as it takes."""
    now = datetime.now(UTC)
    with writing(engine) as connection:
        seq = connection.execute(select(func.max(t.counter.c.seq))).scalar_one()
        c = t.delivery.c
        first = connection.execute(select(c.document_id, c.packet_id, c.system_id).where(c.recipient == code)).one()
        for start in range(0, count, _CHUNK):
            rows = [
                Delivery(
                    id=new_id(now), seq=seq + n + 1, document_id=first.document_id, packet_id=first.packet_id,
                    report_id=None, recipient=f"{code}.{n}", addressed=code, system_id=first.system_id,
                    state=Transport.WAITING, status=Status.NONE, fetched_at=None, lease=None, lease_until=None,
                    attempts=0, reason="", urgent=False, created_at=now, expires_at=now + timedelta(days=30),
                )
                for n in range(start, min(start + _CHUNK, count))
            ]  # fmt: skip
            deliveries.add(connection, [deliveries.row_of(row) for row in rows])
        connection.execute(update(t.counter).values(seq=seq + count + 1))
