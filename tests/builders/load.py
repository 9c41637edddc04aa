"""Agencies at work on a hub all at once, whatever dies meanwhile: four send, twenty work one inbox off, two follow
another by its cursor. Each repeats a request, the same one, until it is answered, and writes down what it was told.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random

import psycopg
from builders.axis import Peer
from builders.commands import Hub, serving
from builders.crash import at_once
from builders.databases import opened
from builders.packets import an_attachment
from sqlalchemy import func, select

from clients.hub_client import HubClient, Refused
from hub.store import tables as t
from hub.store.engine import reading
from hub.store.notices import CHANNEL

SENDERS, WORKED_OFF, FOLLOWED = ("G22", "G12", "H36", "H27"), "H41", "H13"
_POLLERS, _FOLLOWERS = 20, 2
_PATIENCE = 80.0  # seconds until whoever still waits for a delivery gives up
_PAUSE = 0.1  # seconds between two tries, whatever a refusal asks for
_LARGE = b"%PDF-1.7\n" + bytes(range(256)) * 400  # above what lies in a row


@contextmanager
def workers(folder: Path, database_url: str, count: int, *words: str) -> Iterator[Hub]:
    """``hub serve --workers``, with as many processes that serve."""
    with serving(folder, "--database-url", database_url, "--workers", str(count), *words) as hub:
        yield hub


def workers_of(hub: Hub) -> list[int]:
    """The processes that serve; one that has ended is none."""
    children = Path(f"/proc/{hub.pid}/task/{hub.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in _command(pid)]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def listeners(database_url: str) -> int:
    """How many processes hear of the others' commits; each does once it serves."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = %s"
    with psycopg.connect(database_url) as connection:
        row = connection.execute(asked, (f"LISTEN {CHANNEL}",)).fetchone()
    assert row
    return int(row[0])


@dataclass
class Load:
    """What the agencies know. ``peers`` by code, all with registered certificates."""

    urls: list[str]  # of one hub's processes, to which the agencies spread
    peers: dict[str, Peer]
    each: int  # documents of one sender
    packets: dict[str, str] = field(default_factory=dict)  # SHA-256 of the packet by document, as acknowledged
    deliveries: dict[str, dict[str, str]] = field(default_factory=dict)  # by document: recipient → delivery
    done: Counter[str] = field(default_factory=Counter)  # deliveries that were worked off
    fetched: dict[str, str] = field(default_factory=dict)  # SHA-256 of the packet by delivery
    refused: set[str] = field(default_factory=set)
    orders: list[list[str]] = field(default_factory=list)  # deliveries as each follower saw them
    repeats: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def total(self) -> int:
        return len(SENDERS) * self.each

    def run(self, fault: Callable[[], None] = lambda: None) -> None:
        """All at once; ``fault`` runs in this thread."""
        self._given_up = threading.Event()
        self.orders = [[] for _ in range(_FOLLOWERS)]
        patience = threading.Timer(_PATIENCE, self._given_up.set)
        patience.start()
        turn = cycle(self.urls)
        try:
            at_once(
                *(partial(self._send, self.peers[code], self._client(code, next(turn))) for code in SENDERS),
                *(partial(self._work_off, self._client(WORKED_OFF, next(turn)), Random(n)) for n in range(_POLLERS)),
                *(partial(self._follow, self._client(FOLLOWED, next(turn)), order) for order in self.orders),
                fault,
            )
        finally:
            patience.cancel()

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait for what the agencies' books say."""
        with self.changed:
            assert self.changed.wait_for(reached, _PATIENCE), "the agencies do not get there"

    def _client(self, code: str, url: str) -> HubClient:
        return HubClient(url, self.peers[code].credentials["token"], attempts=200, sleep=self._pause)

    def _pause(self, _seconds: float) -> None:
        with self.changed:
            self.repeats += 1
            self.changed.notify_all()
        self._given_up.wait(_PAUSE)

    def _send(self, peer: Peer, client: HubClient) -> None:
        with client:
            for number in range(self.each):
                large = (an_attachment("Phụ lục.pdf", _LARGE + peer.code.encode()),)
                more = {"attachments": large} if number % 5 == 0 else {}
                packet = peer.packet(peer.draft(WORKED_OFF, FOLLOWED, **more))
                accepted = client.send(packet)
                with self.changed:
                    self.packets[accepted.id] = accepted.sha256
                    self.deliveries[accepted.id] = {each["to"]: each["id"] for each in accepted.deliveries}
                    self.changed.notify_all()

    def _work_off(self, client: HubClient, chance: Random) -> None:
        with client:
            while len(self.done) < self.total and not self._given_up.is_set():
                items = client.inbox(limit=40, wait=0.5).items
                for item in chance.sample(items, min(4, len(items))):  # now and then what another has just taken
                    try:
                        lease = client.take(item["id"]).lease
                    except Refused as refusal:
                        self.refused.add(refusal.code)
                        continue
                    packet = client.packet(item["id"])
                    with self.changed:
                        self.done[item["id"]] += 1  # before the hub is told: after that nobody may be handed it
                        self.fetched[item["id"]] = packet.sha256
                        self.changed.notify_all()
                    client.done(item["id"], lease)

    def _follow(self, client: HubClient, order: list[str]) -> None:
        after = None
        with client:
            while len(order) < self.total and not self._given_up.is_set():
                page = client.inbox(after, limit=7, wait=5)
                order += [item["id"] for item in page.items]
                after = page.next

    def check(self, database_url: str) -> None:
        """No acknowledged delivery lost, doubled, changed, or skipped by a cursor; and none that nobody was told of."""
        worked_off, followed = (
            {deliveries[code]: document for document, deliveries in self.deliveries.items()}
            for code in (WORKED_OFF, FOLLOWED)
        )
        assert len(worked_off) == len(followed) == self.total
        assert self.done == Counter(list(worked_off))
        assert self.fetched == {d: self.packets[document] for d, document in worked_off.items()}
        assert self.refused <= {"lease-held", "delivery-final"}
        with opened(database_url) as engine, reading(engine) as connection:
            in_order = select(t.delivery.c.id, t.delivery.c.state).order_by(t.delivery.c.seq)
            rows = connection.execute(in_order).all()
            documents = connection.execute(select(func.count()).select_from(t.document)).scalar_one()
        assert documents == self.total
        assert len(rows) == 2 * self.total
        assert {row.state for row in rows if row.id in worked_off} == {"delivered"}
        assert self.orders == [[row.id for row in rows if row.id in followed]] * _FOLLOWERS
