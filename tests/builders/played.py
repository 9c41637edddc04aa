"""A scenario's plan carried out against a hub without any interface: what the hub makes of each packet and status.

Time goes from event to event. Recipients look once, within their interval, and keep what is theirs.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from builders.axis import Axis, Clock, Peer
from cryptography import x509
from sqlalchemy import event

from clients.replay.planned import Party, Post, Reply, chance
from clients.replay.player.working_hours import next_working
from clients.replay.stock import press
from clients.replay.stock.stock import Stock
from hub.app import open_hub
from hub.errors import Refusal, Severity
from hub.exchange import enrol
from hub.settings import Settings


def enrolled(axis: Axis, stock: Stock) -> dict[str, Peer]:
    """Every system of the cast with its certificate, by the code of each agency it speaks for."""
    jobs = tuple(
        enrol.Enrolment(
            party.code, party.name, profile=party.profile,
            certificate=x509.load_pem_x509_certificate(stock.certificate(party.code)),
        )
        for party in stock.cast
        if party.system == party.code
    )  # fmt: skip
    made = axis.desk.writer.run(enrol.enrol, enrol.Enrolments(jobs, axis.desk.vault))
    systems = {
        given["agency"]: Peer(axis, given["agency"], given["agency"], given, None, None)
        for given in made
    }  # fmt: skip
    return {party.code: systems[party.system] for party in stock.cast}


@contextmanager
def a_played_hub(folder: Path, stock: Stock) -> Iterator[Play]:
    """Nothing is waited for on the disk: what is asked here has no crash in it."""
    clock = Clock(stock.scene.start.astimezone(UTC))
    with open_hub(Settings(data_dir=folder, checkers=0), clock=clock) as desk:
        event.listen(desk.engine, "connect", lambda connection, record: connection.execute("PRAGMA synchronous=OFF"))
        desk.engine.dispose()
        axis = Axis(desk, clock)
        yield Play(axis, stock, enrolled(axis, stock))


def told(refusal: Refusal) -> str:
    """A refusal as a plan expects it: its code, for ``packet-refused`` with the first rule."""
    rules = [v.rule for v in refusal.violations if v.severity is Severity.ERROR]
    return f"{refusal.code}/{rules[0]}" if refusal.code == "packet-refused" else refusal.code


@dataclass
class Play:
    """``wrong`` is what came otherwise than planned; ``documents`` and ``statuses`` count answers by their code."""

    axis: Axis
    stock: Stock
    systems: dict[str, Peer]
    wrong: list[str] = field(default_factory=list)
    documents: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    _events: list[tuple[float, int, Any]] = field(default_factory=list)
    _count: Iterator[int] = field(default_factory=itertools.count)

    def run(self) -> Play:
        self._start: datetime = self.axis.clock.now
        self._parties: dict[str, Party] = {party.code: party for party in self.stock.cast}
        for post in self.stock.posts():
            self._until(post.at)
            self._go_to(post.at)
            self._send(post)
        self._until(float("inf"))
        return self

    def _until(self, moment: float) -> None:
        while self._events and self._events[0][0] <= moment:
            at, _, (act, *arguments) = heapq.heappop(self._events)
            self._go_to(at)
            act(at, *arguments)

    def _go_to(self, at: float) -> None:
        self.axis.clock.now = self._start + timedelta(seconds=at)

    def _later(self, code: str, at: float, *what: Any) -> None:
        if self._parties[code].hours:
            at = (next_working(self._start + timedelta(seconds=at)) - self._start).total_seconds()
        heapq.heappush(self._events, (at, next(self._count), what))

    def _send(self, post: Post) -> None:
        code = ""
        try:
            answer = self.systems[post.sender].post(press.packet(self.stock.scene, post))
        except Refusal as refusal:
            code = told(refusal)
        else:
            self._sent(post, answer)
        self.documents[code] += 1
        if code != post.expect:
            self.wrong.append(
                f"{post.defect or 'right'} {post.n}: {code or 'accepted'}, not {post.expect or 'accepted'}"
            )

    def _sent(self, post: Post, answer: Any) -> None:
        deliveries = answer.body["deliveries"]
        if answer.new == bool(post.repeats) or len(deliveries) != len(post.recipients):
            self.wrong.append(f"{post.n}: new {answer.new}, {len(deliveries)} deliveries")
        if not post.repeats:
            self.deliveries += len(deliveries)
            for delivery in deliveries:
                to = delivery["to"]
                looks = post.at + self._parties[to].poll * chance(1, "look", delivery["id"])
                self._later(to, looks, self._keep, post, delivery["id"], to)
                own = [reply for reply in self.stock.replies(post, to) if reply.by_sender]
                if own:
                    self._later(post.sender, post.at + own[0].after, self._say, post, own)

    def _keep(self, at: float, post: Post, delivery: str, to: str) -> None:
        if self._parties[to].silent or self.axis.delivery(delivery).state == "withdrawn":
            return
        self.systems[to].receive(delivery)
        replies = [reply for reply in self.stock.replies(post, to) if not reply.by_sender]
        if replies:
            self._later(to, at + replies[0].after, self._say, post, replies)

    def _say(self, at: float, post: Post, replies: list[Reply]) -> None:
        reply, *later = replies
        speaker = post.sender if reply.by_sender else reply.recipient
        code = ""
        try:
            answer = self.systems[speaker].tell(press.status(self.stock.scene, post, reply))
        except Refusal as refusal:
            code = told(refusal)
        else:
            if answer.body["delivery"] is None and not reply.by_sender:
                self.wrong.append(f"{reply}: recorded only, its addressee hears nothing")
        self.statuses[code or reply.code] += 1
        if code != reply.expect:
            self.wrong.append(f"{reply}: {code or 'accepted'}")
        if later:
            self._later(speaker, at + later[0].after - reply.after, self._say, post, later)
