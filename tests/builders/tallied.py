"""Random histories of a hub as its figures see it: sent, handed over, reported, refused, taken back, removed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

from builders.axis import Axis, Peer
from builders.examined import with_files
from builders.pdfs import by_both, typeset
from sqlalchemy import select

from hub.domain.document import Document
from hub.domain.groups import groups_of
from hub.domain.tally import Cell
from hub.errors import Refusal
from hub.exchange.retention import Keep, Keeper
from hub.exchange.tallying import Recounted, Teller, mend, mend_groups
from hub.store import figures
from hub.store import tables as t
from hub.store.engine import reading
from hub.store.figure_tables import figure

CODES = ("G22", "H41", "H27", "H26")
_SYMBOLS = ("VP", "VP", "VP", "QĐ-TTg")


class History:
    """A hub and its agencies, who do what chance says."""

    def __init__(self, axis: Axis, seed: int) -> None:
        self.axis, self.chance = axis, Random(seed)
        self.peers = {code: axis.enrol(code, profile="legacy") for code in CODES}
        self.sent: list[tuple[Peer, Document, dict[str, Any]]] = []
        mend_groups(axis.desk.engine)

    def go_on(self, steps: int) -> None:
        acts: list[tuple[int, Callable[[], None]]] = [
            (12, self._send), (14, self._receive), (12, self._report), (2, self._act), (2, self._take_back),
            (1, self._answer), (2, self._refused), (2, self._fail), (1, self._repeat), (4, self._time),
            (1, self._sweep), (2, self._count), (1, self._inspect), (1, self._remove),
        ]  # fmt: skip
        weights = [weight for weight, _ in acts]
        for _ in range(steps):
            ((_, act),) = self.chance.choices(acts, weights)
            with suppress(Refusal):  # what is not allowed there is part of a history too
                act()

    def _peer(self) -> Peer:
        return self.peers[self.chance.choice(CODES)]

    def _send(self) -> None:
        peer, chance = self._peer(), self.chance
        day = self.axis.clock().date()
        more: dict[str, Any] = {
            "date": f"{day:%Y}/{day:%m}/{chance.randint(1, 28):02}",
            "symbol": chance.choice(_SYMBOLS),
        }
        if chance.random() < 0.5:
            more["due_date"] = f"{day:%Y/%m}/{chance.randint(1, 28):02}"
        if chance.random() < 0.2:
            more["priority"] = "3"
        if chance.random() < 0.2:
            more |= with_files(chance.choice((by_both, typeset))())
        document = peer.draft(*chance.sample(CODES, chance.randint(1, 3)), **more)
        answer = peer.post(peer.packet(document, signed=chance.random() < 0.7)).body
        self.sent.append((peer, document, answer))

    def _repeat(self) -> None:
        if self.sent:
            peer, document, _ = self.chance.choice(self.sent)
            more = peer.draft(*self.chance.sample(CODES, 3)).recipients
            peer.post(peer.packet(replace(document, recipients=more)))

    def _refused(self) -> None:
        peer = self._peer()
        wrong: dict[str, Any] = self.chance.choice(
            ({"subject": ""}, {"attachments": (), "manifest": ()}, {"number": "x" * 60})
        )
        peer.hand_in(peer.packet(peer.draft(*self.chance.choice((("H41",), ("Z99", "H27"))), **wrong)))

    def _receive(self) -> None:
        peer = self._peer()
        for delivery in peer.waiting()[: self.chance.randint(1, 6)]:
            peer.fetch(delivery)
            if self.chance.random() < 0.5:
                peer.done(delivery)

    def _fail(self) -> None:
        peer = self._peer()
        for delivery in peer.waiting()[:1]:
            for _ in range(5):
                peer.failed(delivery)

    def _report(self) -> None:
        if self.sent:
            sender, document, _ = self.chance.choice(self.sent)
            code = self.chance.choice(("01", "01", "03", "03", "04", "05", "06", "06", "02"))
            for named in document.recipients:
                with suppress(Refusal):
                    self.peers[named.organ_id].report(code, document, other=sender.code)

    def _act(self) -> None:
        if self.sent:
            sender, document, _ = self.chance.choice(self.sent)
            to = [self.chance.choice(CODES)]
            act = self.chance.choice((sender.update, sender.replace, sender.revoke))
            act(document, *to)

    def _take_back(self) -> None:
        if self.sent:
            sender, document, _ = self.chance.choice(self.sent)
            sender.report("13", document, other=self.chance.choice(CODES), description="Lấy lại")

    def _answer(self) -> None:
        for sender, document, _ in self.sent:
            with suppress(Refusal):
                self._peer().report(self.chance.choice(("15", "16")), document, other=sender.code)

    def _time(self) -> None:
        self.axis.clock.pass_(hours=self.chance.choice((0.2, 1, 5, 12, 24, 24 * 20)))

    def _sweep(self) -> None:
        self.axis.sweep()

    def _count(self) -> None:
        told(self.axis)

    def _inspect(self) -> None:
        self.axis.inspect()

    def _remove(self) -> None:
        days = {kind: self.chance.choice((0, 1, 10)) for kind in ("packets", "metadata", "history", "refusals")}
        asyncio.run(Keeper(self.axis.desk, Keep(**days)).once())


def told(axis: Axis) -> int:
    """Have all there is counted."""
    return Teller(axis.desk).once()


def recounted(axis: Axis, **how: bool) -> Recounted:
    return mend(axis.desk.engine, axis.clock, **how)


def groups_hold(axis: Axis) -> bool:
    """Whether reports read figures of groups."""
    directory = axis.desk.rosters.current(now=True).directory
    return figures.groups_hold(place(axis), groups_of(directory))


def kept(axis: Axis, span: str = "D") -> dict[Cell, int]:
    """All figures that are not nothing."""
    c = figure.c
    with reading(axis.desk.engine) as connection:
        rows = connection.execute(select(figure).where(c.span == span, c.value != 0))
        return {Cell(row.measure, row.day, row.agency, row.key): row.value for row in rows}


def by_measure(axis: Axis, span: str = "D") -> Counter[str]:
    """The figures of all days and agencies together."""
    found: Counter[str] = Counter()
    for cell, n in kept(axis, span).items():
        found[cell.measure] += n
    return found


def place(axis: Axis) -> Any:
    with reading(axis.desk.engine) as connection:
        return figures.place(connection)


def rows(axis: Axis, table: Any = t.document) -> int:
    with reading(axis.desk.engine) as connection:
        return len(connection.execute(select(table)).all())
