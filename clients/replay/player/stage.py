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

    def failed(self, post: Post, recipient: str) -> bool:
        """Whether the recipient tells in the end that it cannot take its delivery."""

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
    over: set[str] = field(default_factory=set)  # recipients at which it has come to its end


class UnderWay:
    """The documents that somebody is still to fetch, in the order in which they were sent."""

    def __init__(self) -> None:
        self._packets: dict[str, Open] = {}
        self._posts: dict[int, Open] = {}

    def __len__(self) -> int:
        return len(self._packets)

    def begin(self, post: Post, sha256: str) -> None:
        self._packets[sha256] = self._posts[post.n] = Open(post, sha256, len(post.recipients))

    def packet(self, sha256: str) -> Open | None:
        return self._packets.get(sha256)

    def over(self, n: int, to: str) -> bool:
        """It is confirmed, or was withdrawn, at one recipient; False where that was known."""
        found = self._posts.get(n)
        if found is None or to in found.over:
            return False
        found.over.add(to)
        found.left -= 1
        if not found.left:
            self.drop(n)
        return True

    def drop(self, n: int) -> None:
        """It was refused."""
        found = self._posts.pop(n, None)
        if found is not None and self._packets.get(found.sha256) is found:
            del self._packets[found.sha256]

    def forget(self, before: float) -> None:
        """What was planned for a moment before this one has ended by itself, where nobody fetched it."""
        while (oldest := next(iter(self._posts.values()), None)) is not None and oldest.post.at < before:
            self.drop(oldest.post.n)


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
    under_way: UnderWay = field(default_factory=UnderWay)
    sending: dict[int, asyncio.Event] = field(default_factory=dict)  # posts without an answer so far, by their n
    asked: set[tuple[int, str]] = field(default_factory=set)  # (n, recipient) whose 13 has its answer
    silent: set[tuple[str, str]] = field(default_factory=set)  # (hub's id of the document, recipient) nobody fetches
    begun: float = 0.0  # real moment (monotonic) the play began
    settling: bool = False  # nobody sends any more; looks are asked for and not made by themselves
    quick: bool = False  # stopped: nothing is repeated
