"""Putting on record who looked at a document: once a day for each operator, with what was downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, RowMapping

from hub.domain.document import local_day
from hub.exchange.writer import Transaction, each
from hub.store import documents, views

PACKET, EVIDENCE = "packet", "evidence"


@dataclass(frozen=True, slots=True)
class View:
    """An operator opened a document's page, or ``took`` its packet (:data:`PACKET`), its :data:`EVIDENCE` or
    its n-th attachment (n)."""

    document_id: str
    operator: str
    took: str = ""


def is_recorded(connection: Connection, job: View, day: date) -> bool | None:
    """Whether the record would say nothing new, so that looking again writes nothing; None: there is no document."""
    if documents.get(connection, job.document_id) is None:
        return None
    return _taken(views.of_day(connection, job.document_id, job.operator, day), job) is None


@each
def viewed(tx: Transaction, job: View) -> None:
    """Before the page or the bytes go out."""
    day = local_day(tx.now)
    taken = _taken(views.of_day(tx.connection, job.document_id, job.operator, day), job)
    if taken is not None:
        views.put(tx.connection, job.document_id, job.operator, day, tx.now, taken)
        documents.freshen(tx.connection, job.document_id)


def _taken(known: RowMapping | None, job: View) -> str | None:
    """What was taken that day with what is now; None where that is on record."""
    before = known["took"].split() if known is not None else []
    if known is not None and (not job.took or job.took in before):
        return None
    return " ".join([*before, job.took]).strip()
