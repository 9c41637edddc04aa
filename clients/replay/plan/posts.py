"""What is sent, in the order of its moments: one stream, made slot by slot, so that millions take no memory.

What was sent before is remembered as far as later documents need it: numbers in use, documents that will be acted on,
documents to send twice or to contradict. The same scenario, scale and seed give the same stream on any machine.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import astuple, replace
from datetime import date, timedelta

from clients.replay.plan.crowd import Crowd
from clients.replay.plan.curve import slots
from clients.replay.plan.defects import DEFECTS, Defect
from clients.replay.plan.numbers import Numbers
from clients.replay.plan.replies import will_be_acted_on
from clients.replay.plan.series import Spread, quotas
from clients.replay.planned import Party, Post, chance
from clients.replay.scenario.shapes import Scenario
from hub.domain.document import VIETNAM, Kind

_STANDING = 300  # documents remembered to contradict
_WAITING = 20_000  # documents remembered to act on
_LOOK = 40  # of them that are looked at, to find one with recipients enough


def posts(scenario: Scenario, scale: float, seed: int) -> Iterator[Post]:
    """The stream, ``scale`` times as many documents. Raises :class:`~clients.replay.plan.cast.CastError`."""
    return _Plan(scenario, scale, seed).posts()


def digest(stream: Iterable[Post]) -> str:
    """SHA-256 (hex) of a stream: two plans are the same when theirs is."""
    whole = hashlib.sha256()
    for post in stream:
        whole.update(repr(astuple(post)).encode())
    return whole.hexdigest()


class _Plan:
    def __init__(self, scenario: Scenario, scale: float, seed: int) -> None:
        documents = scenario.documents
        self._scenario, self._seed = scenario, seed
        self._random = random.Random(f"{seed}/posts")  # noqa: S311  (what is played is no secret)
        self._crowd = Crowd(scenario, self._random)
        self._numbers = Numbers()
        self._start = scenario.clock.start.astimezone(VIETNAM)
        self._count = max(1, round((documents.count or documents.rate * scenario.clock.duration) * scale))
        total = max(self._count, round(documents.deliveries * scale)) if documents.deliveries else 0
        offset = chance(seed, "fan-out", "")
        self._fan_out = Spread(documents.fan_out, self._count, self._crowd.most, total, offset)
        self._sizes = Spread(documents.sizes, self._count, 2**40, offset=chance(seed, "sizes", ""))
        self._n = 0
        self._later: list[tuple[float, int, Post | str]] = []  # at, order, what is sent again or the defect's name
        self._waiting: deque[Post] = deque(maxlen=_WAITING)
        self._standing: deque[Post] = deque(maxlen=_STANDING)
        self._gap = min(3600.0, scenario.clock.duration / 10)  # after it a document has surely been answered

    def posts(self) -> Iterator[Post]:
        found = list(slots(self._scenario))
        for slot, (low, high) in zip(found, quotas((slot.weight for slot in found), self._count), strict=True):
            due = [(slot.start + slot.seconds * (k + self._random.random()) / (high - low), low + k, "")
                   for k in range(high - low)]  # fmt: skip
            for name, share in self._scenario.defects.items():
                phase = chance(self._seed, "phase", name)
                for _ in range(int(high * share + phase) - int(low * share + phase)):
                    due.append((slot.start + slot.seconds * self._random.random(), 0, name))
            for at, place, name in sorted(due):
                yield from self._overdue(at)
                if not name:
                    yield self._right(at, place)
                elif (post := self._wrong(at, name)) is not None:
                    yield post
        yield from self._overdue(float("inf"))

    def _overdue(self, until: float) -> Iterator[Post]:
        while self._later and self._later[0][0] <= until:
            at, _, what = heapq.heappop(self._later)
            if isinstance(what, Post):
                yield replace(what, n=self._next(), at=at, repeats=what.n)
            elif (post := self._wrong(at, what)) is not None:
                yield post

    def _next(self) -> int:
        self._n += 1
        return self._n

    def _day(self, at: float) -> date:
        return (self._start + timedelta(seconds=at)).date()

    # Right ones

    def _right(self, at: float, place: int) -> Post:
        fan_out, size = self._fan_out[place], self._sizes[place]
        documents = self._scenario.documents
        urgent = self._random.random() < documents.urgent
        kind = self._kind()
        target = self._target(at, fan_out) if kind is not Kind.NEW else None
        if target is not None:
            sender, recipients, urgent = self._crowd[target.sender], target.recipients[:fan_out], False
        else:
            kind, sender = Kind.NEW, self._crowd.sender()
            recipients = self._crowd.recipients(fan_out, sender)
        unsigned = sender.profile == "legacy" and self._random.random() < documents.unsigned
        post = self._made(
            at, sender, recipients, kind=kind, target=target.n if target else 0,
            target_id=target.document_id if target else "", urgent=urgent, signed=not unsigned, size=size,
            issuer=self._issuer(sender) if kind is Kind.NEW else "",
        )  # fmt: skip
        if kind is Kind.NEW and not post.issuer:
            self._remember(post)
        if chance(self._seed, "twice", str(post.n)) < documents.twice:
            self._send_later(at + documents.twice_after * (0.5 + self._random.random()), post)
        return post

    def _made(
        self, at: float, sender: Party, recipients: tuple[str, ...], *, kind: Kind = Kind.NEW, target: int = 0,
        target_id: str = "", urgent: bool = False, signed: bool = True, size: int = 10_000, issuer: str = "",
        symbol: str = "", dateless: bool = False,
    ) -> Post:  # fmt: skip
        day = self._day(at)
        symbol = symbol or self._crowd.symbol(issuer or sender.code)
        number = self._numbers.next(day.year, sender.code, issuer, symbol)
        of = issuer or sender.code
        document_id = f"{of},{number}/{symbol}" if dateless else f"{of},{day:%Y/%m/%d},{number}/{symbol}"
        return Post(
            n=self._next(), at=at, sender=sender.code, recipients=recipients, document_id=document_id, number=number,
            symbol=symbol, day=day, kind=kind, target=target, target_id=target_id, urgent=urgent, signed=signed,
            size=size, issuer=issuer,
        )  # fmt: skip

    def _kind(self) -> Kind:
        kinds = self._scenario.documents.kinds
        drawn = self._random.random()
        for kind, share in (
            (Kind.UPDATE, kinds.update), (Kind.REVOCATION, kinds.revocation), (Kind.REPLACEMENT, kinds.replacement)
        ):  # fmt: skip
            if drawn < share:
                return kind
            drawn -= share
        return Kind.NEW

    def _target(self, at: float, fan_out: int) -> Post | None:
        """A document old enough, with recipients enough, that nothing acted on yet."""
        until = at - self._scenario.documents.kinds.after
        for place in range(min(_LOOK, len(self._waiting))):
            target = self._waiting[place]
            if target.at > until:
                return None
            if len(target.recipients) >= fan_out:
                del self._waiting[place]
                return target
        return None

    def _issuer(self, sender: Party) -> str:
        forwarded = self._random.random() < self._scenario.documents.forwarded
        return self._crowd.issuer(sender) if forwarded else ""

    def _remember(self, post: Post) -> None:
        if will_be_acted_on(self._scenario, self._seed, post):
            self._waiting.append(post)
        elif not self._standing or post.at - self._standing[-1].at >= self._gap / 50:
            self._standing.append(post)

    def _send_later(self, at: float, what: Post | str) -> None:
        heapq.heappush(self._later, (at, len(self._later) + self._n, what))

    # Wrong ones

    def _wrong(self, at: float, name: str) -> Post | None:
        """None: put off, because what it is against is not there yet."""
        defect = DEFECTS[name]
        against = None
        if defect.against:
            if not self._standing:
                return None
            if at - self._standing[0].at < self._gap:
                self._send_later(at + self._gap / 2, name)
                return None
            against = self._standing.popleft()
        sender = self._sender(defect, against)
        post = self._made(
            at, sender, self._addressed(at, defect, sender), symbol=defect.symbol, dateless=defect.dateless,
            target=against.n if against else 0, target_id=against.document_id if against else "",
            kind=Kind.UPDATE if defect.against == "another" else Kind.NEW,
        )  # fmt: skip
        if against is not None and defect.against == "own":
            post = replace(
                post, number=against.number, symbol=against.symbol, day=against.day, target_id="",
                document_id=against.document_id + ("" if name == "document-conflict" else "-2"),
            )  # fmt: skip
        return replace(post, defect=name, expect=defect.expect)

    def _sender(self, defect: Defect, against: Post | None) -> Party:
        if against is not None:
            earlier = self._crowd[against.sender]
            return earlier if defect.against == "own" else self._crowd.sender(apart_from=earlier.system)
        return self._crowd.sender_for(defect)

    def _addressed(self, at: float, defect: Defect, sender: Party) -> tuple[str, ...]:
        """One who would receive it, and the addressee more."""
        first = self._crowd.recipients(1, sender, apart=defect.as_recipient or defect.signer == "another")
        return (*first, *self._crowd.addressee(defect.recipient, sender))
