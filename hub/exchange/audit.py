"""What operators did, noted in the same transaction: there is no action without its entry, and no entry without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.errors import Refusal
from hub.exchange.writer import Stale, Transaction, Verb, each
from hub.store import audit


def note(
    tx: Transaction,
    by: str,
    action: str,
    subject: str,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Append an entry. ``by``: the operator's name, or ``command:USER`` for one of the ``hub`` commands.

    ``facts`` say what it came to, as JSON; they name no secret, and no password.
    """
    audit.append(tx.connection, {
        "seq": tx.next_seq(), "at": tx.now, "operator": by, "action": action, "subject": subject, "reason": reason,
        "facts": dict(facts or {}),
    })  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done already, and changed no row: an entry by itself. The fields are those of :func:`note`."""

    by: str
    action: str
    subject: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@each
def put(tx: Transaction, job: Deed) -> None:
    note(tx, job.by, job.action, job.subject, facts=job.facts)


def noted(verb: Verb, by: str, action: str, told: Callable[[Any], Iterable[tuple[str, Mapping[str, Any]]]]) -> Verb:
    """A verb that notes what it did; ``told`` gives subject and facts of each entry from its result."""

    def handle(tx: Transaction, jobs: list[Any]) -> list[Any]:
        results = verb(tx, jobs)
        for result in results:
            if not isinstance(result, (Refusal, Stale)):
                for subject, facts in told(result):
                    note(tx, by, action, subject, facts=facts)
        return results

    return handle
