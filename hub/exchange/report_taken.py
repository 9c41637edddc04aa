"""Who took which report away: the figures name no person, and still it is known where they went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.exchange import audit
from hub.exchange.writer import Transaction, each


@dataclass(frozen=True, slots=True)
class Taken:
    """``facts``: period, rows and form of it."""

    by: str
    report: str
    facts: Mapping[str, str]


@each
def take(tx: Transaction, job: Taken) -> None:
    audit.note(tx, job.by, "report-download", job.report, facts=job.facts)
