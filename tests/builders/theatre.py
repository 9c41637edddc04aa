"""A small play: agencies on a clock of their own before a hub that does just what a test tells it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from clients.replay.ledger.book import Book
from clients.replay.planned import Party, Post, Reply
from clients.replay.player.agencies import Agency
from clients.replay.player.clock import Clock, Virtual
from clients.replay.player.stage import Stage
from clients.replay.wire.dialects import Listed, Listing, Taken, Told
from clients.replay.wire.lines import NoAnswer
from hub.domain.document import VIETNAM

START = datetime(2019, 3, 12, 8, tzinfo=VIETNAM)


@dataclass
class SmallHub:
    """Takes what is sent, and lists it by ``listed`` to the system it is for, until it is done."""

    mute: tuple[int, ...] = ()  # posts that it takes, and never answers
    listed: Callable[[Post, str, str], Listed] = lambda post, to, delivery: Listed(
        delivery, "document", to, post.sender, post.document_id, "", ""
    )
    waiting: dict[str, list[Listed]] = field(default_factory=dict)  # by the code of the system
    packets: dict[str, bytes] = field(default_factory=dict)  # by delivery
    looks: Counter[str] = field(default_factory=Counter)
    hearings: Counter[str] = field(default_factory=Counter)  # of the outbox
    done: list[str] = field(default_factory=list)
    reported: list[bytes] = field(default_factory=list)


class System:
    """One system's access to it."""

    def __init__(self, hub: SmallHub, code: str) -> None:
        self._hub, self._code = hub, code

    async def send(self, packet: bytes, post: Post, mark: str) -> Taken:
        for to in post.recipients:
            item = self._hub.listed(post, to, f"{post.n}-{to}")
            if item.id not in self._hub.packets:
                self._hub.packets[item.id] = packet
                self._hub.waiting.setdefault(to, []).append(item)
        if post.n in self._hub.mute:
            raise NoAnswer("late: it is mute", 1.0)
        return Taken(False, f"id-{post.n}", tuple((f"{post.n}-{to}", to) for to in post.recipients), (), 0.01)

    async def report(self, packet: bytes, sender: str, mark: str) -> Taken:
        self._hub.reported.append(packet)
        return Taken(False, f"report-{mark}", (), (), 0.01)

    async def look(self, after: str, mark: str) -> Listing:
        self._hub.looks[self._code] += 1
        return Listing(tuple(self._hub.waiting.get(self._code, ())), "")

    async def fetch(self, item: Listed, mark: str) -> bytes:
        return self._hub.packets[item.id]

    async def done(self, item: Listed, mark: str) -> None:
        self._hub.done.append(item.id)
        self._hub.waiting[self._code] = [each for each in self._hub.waiting[self._code] if each.id != item.id]

    async def failed(self, item: Listed, mark: str) -> None:
        await self.done(item, mark)

    async def told(self, after: str, mark: str) -> Told:
        self._hub.hearings[self._code] += 1
        return Told((), "")


@dataclass
class Sheet:
    """A source of what a test wrote down: the posts, and the replies by (n, recipient)."""

    cast: tuple[Party, ...]
    written: Sequence[Post]
    answers: Mapping[tuple[int, str], tuple[Reply, ...]] = field(default_factory=dict)

    def posts(self) -> Iterator[Post]:
        return iter(self.written)

    def replies(self, post: Post, recipient: str) -> tuple[Reply, ...]:
        return self.answers.get((post.n, recipient), ())

    def failed(self, post: Post, recipient: str) -> bool:
        return False

    async def packet(self, post: Post) -> bytes:
        return f"<DocumentId>{post.document_id}</DocumentId>{post.n}".encode()

    async def status(self, post: Post, reply: Reply) -> bytes:
        return f"<DocumentId>{post.document_id}</DocumentId>{reply}".encode()

    async def beforehand(self, done: Callable[[int], None]) -> None:
        pass


def played(folder: Path, sheet: Sheet, hub: SmallHub, *, clock: Clock | None = None, **stage: float) -> Stage:
    """The sheet played to its end, each agency on a system of its own; fails after ten seconds."""

    async def run() -> Stage:
        async with Book(folder / "ledger.db") as book:
            book.cast(sheet.cast)
            terms = {"giving_up": 0.0, "told_every": 1e9} | stage
            made = Stage(clock or Virtual(60.0), book, sheet, 7, every_look=False, **terms)
            agencies = {p.code: Agency(made, (p,), System(hub, p.code), START) for p in sheet.cast}
            for agency in agencies.values():
                agency.others = agencies
            for post in sheet.written:
                made.clock.at(post.at, agencies[post.sender].send, post)
            async with asyncio.timeout(10.0):
                await made.clock.run()
            return made

    return asyncio.run(run())
