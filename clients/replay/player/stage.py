"""What the agencies of one run share: time, books, the source of what they send, and how patient they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from clients.replay.ledger.book import Book
from clients.replay.planned import Party, Post, Reply
from clients.replay.player.clock import Clock


class Source(Protocol):
    """What is played: a scenario, or recorded traffic."""

    @property
    def cast(self) -> tuple[Party, ...]: ...

    def posts(self) -> Iterator[Post]:
        """In the order of their moments."""

    def replies(self, post: Post, recipient: str) -> tuple[Reply, ...]:
        """In the order of their moments, those of the sender too."""

    async def packet(self, post: Post) -> bytes: ...

    async def status(self, post: Post, reply: Reply) -> bytes: ...

    async def beforehand(self, done: Callable[[int], None]) -> None:
        """Make packets before the play, if there is room for all of them; ``done`` hears how many are made."""


@dataclass(slots=True)
class Counts:
    """What the progress line shows."""

    sent: int = 0  # documents answered for good
    refused: int = 0
    received: int = 0  # deliveries of documents kept
    statuses: int = 0  # status packets kept by senders
    requests: int = 0
    unanswered: int = 0


@dataclass(slots=True)
class Open:
    """A document under way: ``left`` recipients have not done all they will do with it."""

    post: Post
    sha256: str  # of its packet
    left: int
    started: set[str] = field(default_factory=set)  # recipients whose replies have begun


@dataclass(slots=True)
class Stage:
    """One run's shared state."""

    clock: Clock
    book: Book
    source: Source
    seed: int
    giving_up: float  # real seconds after which a request that gets no answer is given up
    told_every: float  # seconds of scenario time between two looks at what became of what was sent
    every_look: bool  # agencies look at each interval, and not only when something may have come
    counts: Counts = field(default_factory=Counts)
    open: dict[str, Open] = field(default_factory=dict)  # by the SHA-256 of the packet
    sending: dict[int, asyncio.Event] = field(default_factory=dict)  # posts without an answer so far, by their n
    asked: set[tuple[int, str]] = field(default_factory=set)  # (n, recipient) whose 13 has its answer
    silent: set[tuple[str, str]] = field(default_factory=set)  # (hub's id of the document, recipient) nobody fetches
    begun: float = 0.0  # real moment (monotonic) the play began
    settling: bool = False  # nobody sends any more; looks are asked for and not made by themselves
    quick: bool = False  # stopped: nothing is repeated
