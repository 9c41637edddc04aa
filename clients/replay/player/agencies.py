"""An agency's system at work: it sends, looks into its inbox, keeps, confirms, reports; and repeats what got no answer.

It enters in the book what it is about to send, and what it has kept, before it goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil

from clients.replay.planned import Party, Post, Reply, chance
from clients.replay.player.asking import Asking
from clients.replay.player.stage import Open, Stage
from clients.replay.player.working_hours import next_working
from clients.replay.wire.dialects import Dialect, Listed
from hub.domain.agency import canonical

_ANSWERS = {"15", "16"}
_TOGETHER = 8  # items of a list that a system takes in at once
_FRUITLESS = 10  # looks in a row that did not get everything, after which it waits for news
_FORGOTTEN = 31 * 86_400.0  # seconds of scenario time, when all that waits has expired (exchange rules 6)
_PAGE = 500  # items of a full list: there may be more


class Agency:
    """One connected system. ``parties`` are the agencies it speaks for, by code; the first is its own."""

    def __init__(self, stage: Stage, parties: Sequence[Party], dialect: Dialect, start: datetime) -> None:
        self._stage, self._dialect, self._start = stage, dialect, start
        self._asking = Asking(stage)
        self.party = parties[0]
        self._parties = {party.code: party for party in parties}
        self._due: float | None = None  # the next look
        self._looking = self._again = False
        self._fruitless = 0  # looks in a row that did not get everything
        self._holding: set[str] = set()  # kept, and not confirmed yet
        self._looks, self._cursor, self._told = 0, "", ""
        self._phase = chance(stage.seed, "phase", self.party.code)
        self._telling = False  # the outbox will be read at the next interval
        self._tells = stage.told_every  # when it reads next what became of what it sent
        self._dead: set[str] = set()
        self._seen: dict[str, int] = {}  # deliveries not kept yet, with their place in the book's order of lists
        self.codes = tuple(self._parties)
        self.others: Mapping[str, Agency] = {}  # the system of each agency of the cast

    # Sending

    async def send(self, post: Post) -> None:
        """Post a document until it is answered, and let those it is for know that something may have come.

        One that names another, which it acts on or repeats, waits for that one's answer.
        """
        stage = self._stage
        answered = stage.sending[post.n] = asyncio.Event()
        try:
            for named in (post.target, post.repeats):
                if (other := stage.sending.get(named)) is not None:
                    await other.wait()
            await self._send(post)
        finally:
            answered.set()
            del stage.sending[post.n]

    async def _send(self, post: Post) -> None:
        stage = self._stage
        packet = await stage.source.packet(post)
        sha256 = hashlib.sha256(packet).hexdigest()
        if not post.repeats and not post.expect:
            stage.under_way.forget(post.at - _FORGOTTEN)
            stage.under_way.begin(post, sha256)
        await stage.book.planned(post, sha256, len(packet))
        taken = await self._asking.until_answered(
            f"d{post.n}", "send", post.n, lambda mark: self._dialect.send(packet, post, mark)
        )
        for recipient in post.recipients:
            if (other := self.others.get(recipient)) is not None:
                other.expect()
        if taken is None:
            stage.counts.refused += 1
            stage.under_way.drop(post.n)
            # It may be there all the same, and nobody will ask (13): what waits for that need not.
            stage.asked.update((post.n, to) for to in post.recipients)
            return
        stage.counts.sent += 1
        for code in taken.withdrawn:
            stage.under_way.over(post.target, code)
        if not post.repeats:
            stage.silent.update((taken.hub_id, to) for to in post.recipients if self._is_silent(to))
            self._recall(post)

    def _is_silent(self, code: str) -> bool:
        return code in self.others and self.others[code].party.silent

    def _recall(self, post: Post) -> None:
        for recipient in post.recipients:
            own = tuple(reply for reply in self._stage.source.replies(post, recipient) if reply.by_sender)
            if own:
                self._stage.clock.at(self._working(self._stage.clock.now + own[0].after), self._report, post, own)

    # Receiving

    def expect(self) -> None:
        """Something may have come: look when the next interval begins."""
        if not self.party.silent:
            self._look_at(self._next())

    def _next(self) -> float:
        """When its next interval begins; those of all agencies begin at different moments."""
        every = max(self.party.poll, 1e-3)
        return (ceil(self._stage.clock.now / every - self._phase) + self._phase) * every

    def expect_status(self) -> None:
        """A status may have come: look into inbox or outbox, whichever this system reads of them."""
        if self.party.reads == "packets":
            self.expect()
        elif not self._telling:
            self._telling = True
            self._stage.clock.at(self._working(self._next()), self._hear)

    async def _hear(self) -> None:
        if self._telling:  # not read since, with a list
            await self.read_told()

    def _look_at(self, moment: float) -> None:
        if self._due is None:
            self._due = self._working(moment)
            self._stage.clock.at(self._due, self.look)

    async def look(self) -> None:
        """List what waits, and take all of it in; one look at a time."""
        self._due = None
        if self._looking:
            self._again = True
            return
        self._looking, self._again = True, False
        try:
            whole = await self._look()
        finally:
            self._looking = False
        self._fruitless = 0 if whole else self._fruitless + 1
        goes_on = self._stage.every_look and not self._stage.settling
        # What a hub lists and never hands out, or a list it never gives, is its fault: the judge will find it.
        tries_again = not whole and self._fruitless < _FRUITLESS
        if tries_again or self._again or goes_on:
            self._look_at(self._stage.clock.now + self.party.poll)

    async def _look(self) -> bool:
        """Whether everything was listed."""
        stage = self._stage
        while True:
            self._looks += 1
            asked = stage.book.look()
            listing = await self._asking.until_heard(
                f"l{self.party.code}.{self._looks}", "list", lambda mark: self._dialect.look(self._cursor, mark)
            )
            if listing is None:
                return False
            new = [
                item for item in listing.items
                if not self._leaves(item) and item.id not in self._seen and item.id not in self._holding
            ]  # fmt: skip
            listed = [(item, self._seen.setdefault(item.id, asked + n)) for n, item in enumerate(listing.items)]
            whole = True
            for start in range(0, len(listed), _TOGETHER):
                some = listed[start : start + _TOGETHER]
                whole &= all(await asyncio.gather(*(self._take_in(*each) for each in some)))
            if self.party.reads == "outbox" and whole:
                self._cursor = listing.next  # behind what was given up nothing would ever show it again
            if stage.clock.now >= self._tells:
                await self.read_told()
            if len(listing.items) < _PAGE or not new or not whole:
                return whole

    async def read_told(self) -> None:
        """Read on in what became of the documents this system sent."""
        stage = self._stage
        self._telling, self._tells = False, stage.clock.now + stage.told_every
        while True:
            self._looks += 1
            found = await self._asking.until_heard(
                f"t{self.party.code}.{self._looks}", "told", lambda mark: self._dialect.told(self._told, mark)
            )
            if found is None or not found.entries:
                return
            for entry in found.entries:
                stage.silent.discard((entry.hub_id, entry.to))
                written = stage.book.told(
                    system=self.party.code, what=entry.what, delivery=entry.delivery,
                    document_id=entry.document_id or entry.hub_id, to=entry.to, status=entry.status, at=stage.clock.now,
                )  # fmt: skip
            await written  # and with the last all before it
            self._told = found.next
            if len(found.entries) < _PAGE:
                return

    def _leaves(self, item: Listed) -> bool:
        """Whether it reads of this elsewhere, and leaves it where it waits."""
        return item.what == "status" and self.party.reads == "outbox"

    async def _take_in(self, item: Listed, listed: int) -> bool:
        """Fetch, keep and confirm it; False where the next look has to try again."""
        if item.id in self._holding or self._leaves(item):
            self._seen.pop(item.id, None)
            return True
        stage = self._stage
        key = _key(item)
        packet = await self._asking.until_heard(f"f{key}", "fetch", lambda mark: self._dialect.fetch(item, mark))
        if packet is None:
            return False
        sha256 = hashlib.sha256(packet).hexdigest()
        under_way = stage.under_way.packet(sha256)
        if under_way is not None and self._dies(under_way.post, item):
            stage.book.injected("dies", f"f{key}", where="agency", at=stage.clock.now)
            self._again = True
            return False
        await stage.book.kept(
            system=self.party.code, delivery=item.id, what=item.what, to=item.to,
            document_id=item.document_id or _named(packet),
            sender=item.sender, sha256=sha256, code=item.code, at=stage.clock.now, listed_sha256=item.sha256,
            listed=listed,
        )  # fmt: skip
        self._seen.pop(item.id, None)
        self._holding.add(item.id)
        if item.what == "document":
            stage.counts.received += 1
        else:
            stage.counts.statuses += 1
        if self.party.slow:
            stage.clock.at(stage.clock.now + self.party.slow, self._confirm, item, under_way)
        else:
            await self._confirm(item, under_way)
        return True

    def _dies(self, post: Post, item: Listed) -> bool:
        if item.id in self._dead or chance(self._stage.seed, "dies", f"{post.n}.{item.to}") >= self.party.dies:
            return False
        self._dead.add(item.id)
        return True

    async def _confirm(self, item: Listed, under_way: Open | None) -> None:
        stage, to = self._stage, self._addressed(item, under_way) if under_way is not None else ""
        fails = under_way is not None and bool(to) and stage.source.failed(under_way.post, to)
        ended = await self._asking.until_heard(f"c{_key(item)}", "done", lambda mark: self._end(item, fails, mark))
        self._holding.discard(item.id)
        if ended is None:
            return
        if not fails:
            await stage.book.confirmed(system=self.party.code, delivery=item.id, at=stage.clock.now)
        if under_way is None or not to or not stage.under_way.over(under_way.post.n, to):
            return
        replies = tuple(r for r in stage.source.replies(under_way.post, to) if not r.by_sender)
        if replies:
            stage.clock.at(self._working(stage.clock.now + replies[0].after), self._report, under_way.post, replies)

    def _addressed(self, item: Listed, under_way: Open) -> str:
        """The recipient of the document whose delivery this is; "" for none, as of one that came to the wrong agency.

        Where the list does not tell, the first of this system's that has none yet.
        """
        if item.what != "document":
            return ""
        said = canonical(item.to)
        fitting = (
            code for code in under_way.post.recipients
            if canonical(code) == said or (not said and code in self._parties and code not in under_way.over)
        )  # fmt: skip
        return next(fitting, "")

    async def _end(self, item: Listed, fails: bool, mark: str) -> bool:
        await (self._dialect.failed(item, mark) if fails else self._dialect.done(item, mark))
        return True

    # Reporting

    async def _report(self, post: Post, replies: tuple[Reply, ...]) -> None:
        """Report the first of these statuses, and the others when their time comes."""
        reply, *later = replies
        stage = self._stage
        if reply.code in _ANSWERS and self._is_too_early(post, reply):
            stage.clock.at(self._working(stage.clock.now + max(self.party.poll, 0.1)), self._report, post, replies)
            return
        packet = await stage.source.status(post, reply)
        await stage.book.stated(reply, hashlib.sha256(packet).hexdigest())
        place = post.recipients.index(reply.recipient)
        sender = post.sender if reply.by_sender else reply.recipient
        taken = await self._asking.until_answered(
            f"s{post.n}.{place}.{reply.k}", "report", post.n,
            lambda mark: self._dialect.report(packet, sender, mark), reply.recipient, reply.k,
        )  # fmt: skip
        if reply.by_sender:
            stage.asked.add((post.n, reply.recipient))
        for code in taken.withdrawn if taken is not None else ():
            await stage.book.told(
                system=self.party.code, what="withdrawn", delivery="", document_id=post.document_id, to=code, status="",
                at=stage.clock.now, n=post.n,
            )  # fmt: skip
            stage.under_way.over(post.n, code)
        party = reply.recipient if reply.by_sender else post.sender
        if (other := self.others.get(party)) is not None:
            other.expect_status()
        if later:
            moment = self._working(stage.clock.now + later[0].after - reply.after)
            stage.clock.at(moment, self._report, post, tuple(later))

    def _is_too_early(self, post: Post, reply: Reply) -> bool:
        """Whether the sender is still to ask (13) for what this answers."""
        asks = any(each.by_sender for each in self._stage.source.replies(post, reply.recipient))
        return asks and not self._stage.quick and (post.n, reply.recipient) not in self._stage.asked

    def _working(self, moment: float) -> float:
        """This moment of scenario time, or when the office opens next."""
        if not self.party.hours:
            return moment
        found = next_working(self._start + timedelta(seconds=moment))
        return (found - self._start).total_seconds()


_DOCUMENT_ID = re.compile(rb"<(?:\w+:)?DocumentId>([^<]*)<")


def _named(packet: bytes) -> str:
    """The first DocumentId in a packet, which is its own, or that of the document a status is about."""
    found = _DOCUMENT_ID.search(packet)
    return found[1].decode("utf-8", "replace") if found else ""


def _key(item: Listed) -> str:
    """What marks requests about a delivery: the same in every run, as far as the dialect tells what it is about."""
    if not item.document_id:
        return item.id
    about = f"{item.what}/{item.document_id}/{item.sender}/{item.to}/{item.code}"
    return hashlib.blake2b(about.encode(), digest_size=12).hexdigest()
