"""Certificates that end: how long each still counts, and telling it 60, 30, 14 and 7 days before, once each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from cryptography import x509
from sqlalchemy import Connection

from hub.domain.trust.certificates import is_readable, shown
from hub.exchange.desk import Desk
from hub.exchange.writer import Transaction, each
from hub.store import trust
from hub.store.engine import reading

log = structlog.get_logger()
STEPS = (60, 30, 14, 7)  # days
FIRST = timedelta(days=STEPS[0])  # until then nobody needs to look
AGENCY = "agency"  # the role of what agencies register themselves


@dataclass(frozen=True, slots=True)
class Term:
    """A certificate and the ``days`` it has left (negative: it has ended); ``step`` is the least of :data:`STEPS` that
    it has come to, 0 once it has ended, None before the first."""

    role: str
    code: str
    subject: str
    fingerprint: str
    until: datetime
    days: int
    step: int | None


def terms(connection: Connection, now: datetime, before: datetime | None = None) -> list[Term]:
    """Every certificate of the trust store, then those that agencies registered and that have not ended; of these,
    which may be thousands, with ``before`` only those that end until then."""
    kept = [(row["role"], row["code"], row) for row in trust.standing(connection)]
    registered = [(AGENCY, row["code"], row) for row in trust.registered(connection, now, before)]
    return [_term(role, code, row["fingerprint"], row["der"], now) for role, code, row in (*kept, *registered)]


def _term(role: str, code: str, fingerprint: str, der: bytes, now: datetime) -> Term:
    certificate = x509.load_der_x509_certificate(der)
    until = certificate.not_valid_after_utc
    left = until - now
    step = 0 if left < timedelta(0) else min((step for step in STEPS if left <= timedelta(days=step)), default=None)
    subject = shown(certificate).strip("«»") if is_readable(certificate) else "?"
    return Term(role, code, subject, fingerprint, until, left // timedelta(days=1), step)


def untold(connection: Connection, now: datetime) -> list[Term]:
    """What is at a step at which it was not told yet, the soonest first; once for an agency and what is below it."""
    told = trust.steps_told(connection)
    due: dict[str, Term] = {}
    ending = terms(connection, now, now + FIRST)
    for term in sorted(ending, key=lambda term: (term.until, len(term.code))):
        if term.step and term.step != told.get(term.fingerprint):
            due.setdefault(term.fingerprint, term)
    return list(due.values())


@each
def note(tx: Transaction, now: datetime) -> list[Term]:
    """What is to be told now and, from now on, was."""
    found = untold(tx.connection, now)
    for term in found:
        trust.set_step_told(tx.connection, term.fingerprint, term.step or 0)
    return found


async def tell(desk: Desk) -> int:
    """Log what is to be told; gives how much that was. Of several processes one tells."""

    def due() -> bool:
        with reading(desk.engine) as connection:
            return bool(untold(connection, desk.clock()))

    if not await desk.aside(due):
        return 0
    found: list[Term] = await desk.write(note, desk.clock())
    for term in found:
        log.warning("certificate-ends", **{**asdict(term), "until": term.until.isoformat()})
    return len(found)
