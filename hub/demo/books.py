"""The agencies' own books: what was acknowledged to senders, what recipients received, what senders were told.

Written by the agencies' side only, so that the hub does not judge itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Books:
    """Counts over the whole play. Deliveries are named by the hub's ids, from the answers and from the inboxes."""

    acknowledged: dict[str, str] = field(default_factory=dict)  # delivery id → document id
    received: Counter[str] = field(default_factory=Counter)  # delivery id → times kept
    told: dict[str, str] = field(default_factory=dict)  # delivery id → withdrawn, expired, failed
    handed_on: set[str] = field(default_factory=set)  # status deliveries that were acknowledged to their reporters
    statuses: Counter[str] = field(default_factory=Counter)  # status delivery id → times kept
    faults: list[str] = field(default_factory=list)  # what went otherwise than the story

    @property
    def documents(self) -> int:
        return len(set(self.acknowledged.values()))

    @property
    def deliveries(self) -> int:
        return len(self.received)

    @property
    def lost(self) -> int:
        ended = set(self.received) | set(self.told)
        return len(set(self.acknowledged) - ended) + len(self.handed_on - set(self.statuses))

    @property
    def doubled(self) -> int:
        return sum(times - 1 for book in (self.received, self.statuses) for times in book.values())

    def expect(self, right: bool, what: str) -> None:
        """Note what went otherwise than it should."""
        if not right:
            self.faults.append(what)

    def line(self) -> str:
        return (
            f"demo: {self.documents} documents, {self.deliveries} deliveries, {self.lost} lost, {self.doubled} doubled"
        )
