"""What a transaction has decided and not written yet: rows of many jobs, for few statements."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from hub.store import deliveries, documents, evidence
from hub.store.deliveries import Delivery
from hub.store.many import Rows


class Decided:
    """Rows to insert, in lists to be added to, and deliveries to change."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Nothing was decided."""
        self.steps: list[str] = []
        self.documents: Rows = []
        self.packets: Rows = []
        self.references: Rows = []
        self.reports: Rows = []
        self.deliveries: Rows = []
        self.events: Rows = []
        self.outbox: Rows = []
        self.evidence: Rows = []
        self._changed: dict[str, tuple[Delivery, Delivery, tuple[str, ...]]] = {}

    def change(self, before: Delivery, after: Delivery, names: Iterable[str]) -> None:
        """Change the named columns of a delivery; changed again before it is written, it is written once.

        Raises RuntimeError for a ``before`` that is not how it is now, in whatever column: the caller's memory is
        defective, and its ``after`` would undo what was decided before.
        """
        first, last, earlier = self._changed.get(before.id, (before, before, ()))
        if last != before:
            raise RuntimeError(f"delivery {before.id} was decided from what is no longer so")
        self._changed[before.id] = first, after, tuple(dict.fromkeys((*earlier, *names)))

    def at(self, step: str) -> None:
        """Name a step that is reached when all that was decided until now is written."""
        self.steps.append(step)

    def latest(self, delivery: Delivery) -> Delivery:
        """A delivery that was read past what is not written yet, as it is now."""
        found = self._changed.get(delivery.id)
        return delivery if found is None else found[1]

    def write(self, connection: Connection) -> None:
        """Write all of it; what is named by a foreign key first.

        Raises RuntimeError as ``deliveries.write`` does, and IntegrityError for a broken constraint.
        """
        documents.add(connection, self.documents, self.packets)
        documents.add_references(connection, self.references)
        evidence.add(connection, self.evidence)
        documents.add_reports(connection, self.reports)
        deliveries.add(connection, self.deliveries)
        alike: dict[tuple[str, ...], list[tuple[Delivery, Delivery]]] = {}
        for before, after, names in self._changed.values():
            alike.setdefault(names, []).append((before, after))
        for names, pairs in alike.items():
            deliveries.write(connection, [before for before, _ in pairs], [after for _, after in pairs], names)
        deliveries.add_events(connection, self.events)
        deliveries.add_outbox(connection, self.outbox)
        self.forget()
