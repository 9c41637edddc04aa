"""Random histories of a small hub that keeps the rules, as its agencies write them down; and one that breaks one once.

Every agency's act is a generator that stops where another may go on. Chance decides who goes on, which answers are
lost, who gives up, what expires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from random import Random

from builders.books import (
    ANGIANG,
    CAST,
    HAIPHONG,
    NORTH,
    OFFICE,
    PLATFORM,
    READER,
    SILENT,
    SOUTH,
    SYSTEM,
    Pages,
    a_post,
    digest,
    sha_of,
)  # fmt: skip

from clients.replay.planned import Post, Reply

RECIPIENTS = (HAIPHONG, ANGIANG, PLATFORM, NORTH, SOUTH, READER, OFFICE, SILENT)
_MOST = 1000  # steps after which nothing new begins: each look may lead to several, and some histories had no end
SENDERS = (OFFICE, HAIPHONG, READER)
SYSTEMS = sorted(set(SYSTEM.values()) - {SILENT})
READS_OUTBOX = {party.code for party in CAST if party.reads == "outbox"}
Act = Iterator[None]


@dataclass
class Delivery:
    """One packet towards one recipient, as the hub has it."""

    id: str
    about: Post | Reply
    to: str
    sender: str
    state: str = "waiting"
    listed: bool = False
    fetched: bool = False
    final: bool = False  # refused or cancelled
    highest: str = ""
    asked: bool = False  # a 13 is open


@dataclass
class Hub:
    """A hub that keeps the rules. With ``defect`` it breaks that one, once: then it is ``made``."""

    chance: Random
    defect: str = ""
    made: bool = False
    deliveries: list[Delivery] = field(default_factory=list)
    accepted: dict[str, tuple[str, list[Delivery]]] = field(default_factory=dict)  # by the packet's digest
    outbox: dict[str, list[tuple[Delivery, str, str]]] = field(default_factory=dict)
    _ids: int = 0

    def breaks(self, defect: str, *, when: bool = True) -> bool:
        if self.defect != defect or self.made or not when or self.chance.random() < 0.3:
            return False
        self.made = True
        return True

    def _id(self) -> str:
        self._ids += 1
        return f"{self._ids:04}"

    def accept(self, post: Post) -> tuple[str, str, list[tuple[str, str]]]:
        """``(outcome, hub id, deliveries)``."""
        key = sha_of(post)
        if key in self.accepted:
            known, own = self.accepted[key]
            for delivery in own:
                if delivery.state == "expired":
                    delivery.state = "waiting"
                    self._tell(delivery, "waiting")
            return "repeated", "other" if self.breaks("contradiction") else known, [(d.id, d.to) for d in own]
        own = [Delivery(self._id(), post, to, post.sender) for to in post.recipients]
        hub_id = self._id()
        self.accepted[key] = (hub_id, own)
        promised = [(d.id, d.to) for d in own]
        if self.breaks("lost"):
            own[0].state = "nowhere"
        self.deliveries += own
        if self.breaks("doubled", when=own[0].to != SILENT):
            self.deliveries.append(Delivery(self._id(), post, own[0].to, post.sender))
        return "accepted", hub_id, promised

    def document(self, reply: Reply) -> Delivery:
        return next(
            d for d in self.deliveries if isinstance(d.about, Post) and d.about.n == reply.n and d.to == reply.recipient
        )

    def report(self, reply: Reply, sender: str) -> tuple[str, str]:
        """``(outcome, hub id or code of the refusal)``."""
        key = sha_of(reply)
        if key in self.accepted:
            return "repeated", self.accepted[key][0]
        about = self.document(reply)
        hub_id, handed_on = self._id(), True
        if reply.by_sender:
            if about.final or about.state == "withdrawn":
                return "refused", "status-not-allowed"
            if not about.fetched:
                about.state, handed_on = "withdrawn", False
                self._tell(about, "withdrawn")
            else:
                about.asked = True
        elif reply.code in ("15", "16"):
            if not about.asked or about.final:
                return "refused", "status-not-allowed"
            about.asked, about.final = False, reply.code == "15"
        elif reply.code == "02":
            if about.highest > "03" or about.final:
                return "refused", "status-not-allowed"
            about.final, about.asked = True, False
            self._tell(about, "status", reply.code)
        elif about.final or reply.code < about.highest:
            handed_on = False
        else:
            about.highest = reply.code
            self._tell(about, "status", reply.code)
        if not reply.by_sender and about.state in ("waiting", "expired"):
            self.done(about)
        self.accepted[key] = (hub_id, [])
        if handed_on:
            self._hand_on(reply, sender, about)
        return "accepted", hub_id

    def _hand_on(self, reply: Reply, sender: str, about: Delivery) -> None:
        to = reply.recipient if reply.by_sender else about.sender
        new = Delivery(self._id(), reply, to, sender)
        if self.breaks("status-lost", when=SYSTEM[to] not in READS_OUTBOX):
            return
        self.deliveries.append(new)
        if self.breaks("status-doubled", when=SYSTEM[to] not in READS_OUTBOX):
            self.deliveries.append(Delivery(self._id(), reply, to, sender))

    def _tell(self, delivery: Delivery, what: str, status: str = "") -> None:
        self.outbox.setdefault(SYSTEM[delivery.sender], []).append((delivery, what, status))

    def waiting(self, system: str) -> list[Delivery]:
        found = [d for d in self.deliveries if d.state in ("waiting", "forgotten") and SYSTEM[d.to] == system]
        if system not in READS_OUTBOX:
            self._reorder(found)
        for delivery in found:
            delivery.listed = True
        strangers = [d for d in self.deliveries if isinstance(d.about, Post) and SYSTEM[d.to] != system]
        if strangers and self.breaks("misrouted"):
            found.append(strangers[0])
        return found

    def _reorder(self, found: list[Delivery]) -> None:
        """Exchange two statuses of one document and recipient that nobody has seen yet."""
        unseen = [(i, d) for i, d in enumerate(found) if isinstance(d.about, Reply) and not d.listed]
        for i, first in unseen:
            for j, second in unseen:
                alike = (first.about.n, first.sender, first.to) == (second.about.n, second.sender, second.to)
                if i < j and alike and self.breaks("disorder"):
                    found[i], found[j] = second, first

    def fetch(self, delivery: Delivery) -> str:
        delivery.fetched = True
        return digest("broken") if self.breaks("corrupt") else sha_of(delivery.about)

    def done(self, delivery: Delivery) -> None:
        if delivery.state != "delivered" and isinstance(delivery.about, Post):
            self._tell(delivery, "delivered")
        forgotten = delivery.state == "forgotten" or self.breaks("done-forgotten")
        delivery.state = "forgotten" if forgotten else "delivered"

    def expire(self) -> None:
        found = [d for d in self.deliveries if d.state == "waiting" and isinstance(d.about, Post)]
        if found:
            self._expire(self.chance.choice(found))

    def expire_unread(self) -> None:
        """What is due to the one who never looks."""
        for delivery in self.deliveries:
            if delivery.to == SILENT and delivery.state == "waiting" and not self.breaks("expired-untold"):
                self._expire(delivery)

    def _expire(self, delivery: Delivery) -> None:
        delivery.state = "expired"
        self._tell(delivery, "expired")

    def news(self, system: str, after: int) -> list[tuple[Delivery, str, str]]:
        """The outbox behind that many entries."""
        found = self.outbox.get(system, [])[after:]
        said = [(i, entry) for i, entry in enumerate(found) if entry[1] == "status" and system in READS_OUTBOX]
        for i, first in said:
            for j, second in said:
                alike = first[0] is second[0] and first[2] != second[2]
                if i < j and alike and self.breaks("outbox-disorder"):
                    found[i], found[j] = second, first
        return found


class History:
    """A run. ``calm``: nothing is lost on the way, so that a defect surely shows."""

    def __init__(self, seed: int, *, defect: str = "", calm: bool = False) -> None:
        self.chance, self.pages, self.calm = Random(seed), Pages(), calm
        self.pages.facts["deliver_within"] = 0.0  # they look when chance will have it
        self.hub = Hub(self.chance, defect)
        self._acts: list[Act] = []
        self._spontaneous = 0
        self._read: dict[str, int] = {}
        self._documents: dict[int, Post] = {}
        self._kept: set[str] = set()
        self._answered: set[tuple[int, str]] = set()

    def play(self) -> Pages:
        for n in range(1, self.chance.randint(2, 7)):
            recipients = self.chance.sample(RECIPIENTS, self.chance.randint(1, 3))
            sender = self.chance.choice(SENDERS)
            older = [post for post in self._documents.values() if post.sender == sender and post.day.year == 2019]
            # Software counts from 1 each year.
            again = {"document_id": older[-1].document_id, "day": date(2019 + n, 1, 2)} if older else {}
            if self.chance.random() < 0.7:
                again = {}
            self._documents[n] = a_post(n, *recipients, sender=sender, at=0.0, **again)
            self._acts.append(self._send(self._documents[n]))
        while self._acts:
            act = self.chance.choice(self._acts)
            self.pages.at += self.chance.random()
            if next(act, False) is False:
                self._acts.remove(act)
            self._now_and_then()
        for _ in range(4):  # whatever is left, until nothing is
            for system in SYSTEMS:
                self._finish(self._look(system, sure=True))
            while self._acts:
                self._finish(self._acts.pop(0))
        self.pages.facts["expired"] = True
        self.hub.expire_unread()
        for system in SYSTEMS:
            self._finish(self._outbox(system))
        return self.pages

    def _finish(self, act: Act) -> None:
        for _ in act:
            pass

    def _now_and_then(self) -> None:
        if self._spontaneous == _MOST:
            return
        self._spontaneous += 1
        happens = self.chance.random()
        if happens < 0.3:
            self._acts.append(self._look(self.chance.choice(SYSTEMS), sure=self.calm))
        elif happens < 0.35:
            self._acts.append(self._outbox(self.chance.choice(SYSTEMS)))
        elif happens < 0.38 and not self.calm:
            self.hub.expire()

    def _bad_luck(self, share: float = 0.2) -> bool:
        return not self.calm and self.chance.random() < share

    def _attempts(self, about: Post | Reply, take: Callable[[], tuple[str, str, list[tuple[str, str]]]]) -> Act:
        """Until it is answered, or given up."""
        refuses = self.hub.breaks("never-taken")
        for attempt in range(4):
            mark = self.pages.begin(about)
            yield
            if refuses:
                self.pages.answer(mark, "later")
                continue
            if self._bad_luck():  # the request was lost, or came too early
                self._answer_lost(mark, self.chance.choice(["none", "later"]), last=attempt == 3)
                continue
            outcome, said, deliveries = take()
            yield
            if self._bad_luck():  # the answer was lost
                self._answer_lost(mark, "none", last=attempt == 3)
                continue
            seconds = 11.0 if self.hub.breaks("late") else 0.1
            if outcome == "refused" or self.hub.breaks("wrongly-refused"):
                self.pages.answer(mark, "refused", status=422, code=said if outcome == "refused" else "name-long")
            else:
                self.pages.answer(mark, outcome, hub_id=said, deliveries=deliveries, seconds=seconds)
            return

    def _answer_lost(self, mark: str, outcome: str, *, last: bool) -> None:
        self.pages.answer(mark, outcome)
        if last or self.chance.random() < 0.5:  # whoever tries often enough fails only for what is done on purpose
            self.pages.write("injected", "cut-answer", mark, where="network", at=self.pages.at)

    def _send(self, post: Post) -> Act:
        yield from self._attempts(post, lambda: self.hub.accept(post))
        if sha_of(post) not in self.hub.accepted:
            return
        if self.chance.random() < 0.3 or self.hub.defect == "contradiction":
            twin = a_post(
                post.n + 100, *post.recipients, sender=post.sender, repeats=post.n,
                document_id=post.document_id, number=post.number, day=post.day,
            )  # fmt: skip
            yield from self._attempts(twin, lambda: self.hub.accept(twin))
        if self._bad_luck(0.3):
            ask = Reply(post.n, post.recipients[0], 9, 0.0, "13", by_sender=True)
            yield from self._attempts(ask, lambda: (*self.hub.report(ask, post.sender), []))
            if self.hub.document(ask).state == "withdrawn" and sha_of(ask) in self.hub.accepted:
                self.pages.write(
                    "told", system=SYSTEM[post.sender], what="withdrawn", delivery="", document_id=post.document_id,
                    to=ask.recipient, status="", at=self.pages.at, n=post.n,
                )  # fmt: skip

    def _look(self, system: str, *, sure: bool) -> Act:
        listed = self.pages.look()
        found = self.hub.waiting(system)
        yield
        for place, delivery in enumerate(found):
            if isinstance(delivery.about, Reply) and system in READS_OUTBOX:
                continue
            if not sure and self._bad_luck():  # the fetch got no answer: what is behind it must wait
                delivery.fetched = True
                return
            if delivery.state == "withdrawn":
                continue
            sha256 = self.hub.fetch(delivery)
            yield
            document = self._documents[delivery.about.n]
            sender = "G24" if self.hub.breaks("mislabelled") else delivery.sender
            self.pages.write(
                "kept", system=system, delivery=delivery.id, to=delivery.to, sender=sender, sha256=sha256,
                what="document" if isinstance(delivery.about, Post) else "status", at=self.pages.at,
                document_id=document.document_id, code=getattr(delivery.about, "code", ""), listed=listed(place),
            )  # fmt: skip
            yield
            self.hub.done(delivery)
            yield
            if sure or not self._bad_luck():
                self.pages.write("confirmed", system=system, delivery=delivery.id, at=self.pages.at)
            if delivery.id not in self._kept and SYSTEM[delivery.to] == system:
                self._kept.add(delivery.id)
                self._acts.append(self._answer(delivery))

    def _answer(self, delivery: Delivery) -> Act:
        """The recipient's statuses, one after the other; to a 13 its answer."""
        about = delivery.about
        if isinstance(about, Reply):
            if about.by_sender:
                code = self.chance.choice(["15", "16"])
                yield from self._state(Reply(about.n, about.recipient, 10, 0.0, code), about.recipient)
            return
        if (about.n, delivery.to) in self._answered:
            return
        self._answered.add((about.n, delivery.to))
        codes = self.chance.sample(["01", "03", "04", "05", "06"], self.chance.randint(1, 4))
        if self.calm or self.chance.random() < 0.8:
            codes.sort()
        if self._bad_luck(0.1):
            codes.append("02")
        for k, code in enumerate(codes):
            yield from self._state(Reply(about.n, delivery.to, k, 0.0, code), delivery.to)

    def _state(self, reply: Reply, sender: str) -> Act:
        return self._attempts(reply, lambda: (*self.hub.report(reply, sender), []))

    def _outbox(self, system: str) -> Act:
        yield
        entries = self.hub.news(system, self._read.get(system, 0))
        for delivery, what, status in entries:
            document = self._documents[delivery.about.n]
            reader = ANGIANG if self.hub.breaks("told-elsewhere") else system
            self.pages.write(
                "told", system=reader, what=what, delivery=delivery.id, document_id=document.document_id,
                to=delivery.to, status=status, at=self.pages.at,
            )  # fmt: skip
        self._read[system] = self._read.get(system, 0) + len(entries)
