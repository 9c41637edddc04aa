"""Many at once: pollers that share an inbox, senders beside them, and processes that share a database."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from builders.axis import Peer
from builders.crash import MortalHub, at_once, enrolled
from builders.served import a_served_hub
from sqlalchemy import select

from clients.hub_client import HubClient, Refused
from hub.store import tables
from hub.store.engine import open_engine, reading

SENDERS, POLLERS, EACH = ("G22", "G12", "H36", "H13"), 20, 10
ALL = len(SENDERS) * EACH
_PATIENCE = 60.0  # seconds


class Desk:
    """What the pollers of one agency share: who holds which delivery, and which are done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.holders: dict[str, int] = {}
        self.done = Counter[str]()
        self.doubled: list[str] = []
        self.refusals: set[str] = set()
        self.finished = threading.Event()

    def take(self, delivery: str, poller: int) -> None:
        with self._lock:
            if delivery in self.holders or delivery in self.done:
                self.doubled.append(delivery)
                self.finished.set()
            self.holders[delivery] = poller

    def give_back(self, delivery: str) -> None:
        """Just before the hub is told, since it may hand out nothing again after that."""
        with self._lock:
            self.holders.pop(delivery, None)
            self.done[delivery] += 1
            if len(self.done) == ALL:
                self.finished.set()


def send(url: str, peer: Peer, sent: list[tuple[str, str]]) -> None:
    """Send documents to H41; ``sent`` gets (delivery, SHA-256) of each."""
    with HubClient(url, peer.credentials["token"], attempts=1) as client:
        for _ in range(EACH):
            accepted = client.send(peer.packet(peer.draft("H41")))
            sent.append((accepted.deliveries[0]["id"], accepted.sha256))


def work_off(url: str, peer: Peer, poller: int, desk: Desk, seen: dict[str, str]) -> None:
    """Take, fetch and finish what others do not hold, until everything is done."""
    with HubClient(url, peer.credentials["token"], attempts=1) as client:
        while not desk.finished.wait(0.02):
            for item in client.inbox(limit=4).items:
                packet = client.packet(item["id"])  # whatever is listed can be fetched whole
                assert packet.sha256 == item["sha256"]
                seen[item["id"]] = packet.sha256
                try:
                    lease = client.take(item["id"])
                except Refused as refusal:
                    desk.refusals.add(refusal.code)
                    continue
                desk.take(item["id"], poller)
                desk.give_back(item["id"])
                assert client.done(item["id"], lease.lease)["state"] == "delivered"


def test_twenty_pollers_of_one_inbox_take_every_delivery_once(tmp_path: Path, database_url: str) -> None:
    with a_served_hub(tmp_path, database_url) as served:
        senders = [served.axis.enrol(code) for code in SENDERS]
        recipient = served.axis.enrol("H41")
        served.axis.desk.rosters.current(now=True)
        desk, sent, seen = Desk(), list[tuple[str, str]](), dict[str, str]()
        patience = threading.Timer(_PATIENCE, desk.finished.set)  # a delivery that is skipped fails the test
        patience.start()
        try:
            at_once(
                *(partial(send, served.base_url, peer, sent) for peer in senders),
                *(partial(work_off, served.base_url, recipient, n, desk, seen) for n in range(POLLERS)),
            )
        finally:
            patience.cancel()
        assert desk.doubled == []
        assert desk.refusals <= {"lease-held", "delivery-final"}
        assert desk.done == Counter(delivery for delivery, _ in sent)
        assert len(sent) == ALL
        assert seen == dict(sent)
        assert {row.state for row in deliveries_in_order(database_url)} == {"delivered"}


def deliveries_in_order(database_url: str) -> list[Any]:
    """All deliveries by the counter that says in which order they became visible."""
    engine = open_engine(database_url)
    try:
        with reading(engine) as connection:
            return list(connection.execute(select(tables.delivery).order_by(tables.delivery.c.seq)))
    finally:
        engine.dispose()


@contextmanager
def two_workers(folder: Path, database_url: str) -> Iterator[list[str]]:
    """``hub serve --workers 2``; gives its URL."""
    options = ["--port", "0", "--workers", "2", "--data-dir", str(folder), "--database-url", database_url]
    with open(folder / "hub.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "serve", *options], stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout is not None
        yield [process.stdout.readline().strip()]
    finally:
        process.terminate()
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def follow(url: str, peer: Peer, order: list[str]) -> None:
    """Read the inbox by its cursor until all is there; nothing is fetched, so nothing leaves it."""
    with HubClient(url, peer.credentials["token"], attempts=1) as client:
        after = None
        while len(order) < ALL:
            page = client.inbox(after, limit=7, wait=30)
            if not page.items:
                return  # nothing came in half a minute: something was skipped
            order += [item["id"] for item in page.items]
            after = page.next


@contextmanager
def two_servers(folder: Path, database_url: str) -> Iterator[list[str]]:
    """Two hubs that know of each other only by their database."""
    with MortalHub(folder, database_url) as one, MortalHub(folder, database_url) as other:
        one.start()
        other.start()
        yield [one.url, other.url]
        one.stop()
        other.stop()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("served", [two_workers, two_servers])
def test_cursors_miss_nothing_that_two_processes_write(
    tmp_path: Path, database_url: str, served: Callable[[Path, str], AbstractContextManager[list[str]]]
) -> None:
    *senders, recipient = enrolled(tmp_path, database_url, *SENDERS, "H41").values()
    sent: list[tuple[str, str]] = []
    orders: list[list[str]] = [[] for _ in range(4)]
    with served(tmp_path, database_url) as urls:
        at_once(
            *(partial(send, url, peer, sent) for url, peer in zip(cycle(urls), senders)),
            *(partial(follow, url, recipient, order) for url, order in zip(cycle(urls), orders)),
        )
    written = [row.id for row in deliveries_in_order(database_url)]
    assert len(written) == ALL
    assert orders == [written] * 4
    assert set(written) == {delivery for delivery, _ in sent}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_poll_is_woken_by_another_processs_commit(tmp_path: Path, database_url: str) -> None:
    sender, recipient = enrolled(tmp_path, database_url, "G22", "H41").values()
    with two_servers(tmp_path, database_url) as (one, other):
        delays: list[float] = []
        for _ in range(3):
            answered: list[float] = []
            committed: list[float] = []

            def poll(answered: list[float] = answered) -> None:
                with HubClient(other, recipient.credentials["token"]) as client:
                    [item] = client.inbox(wait=60).items
                    answered.append(time.monotonic())
                    client.packet(item["id"])
                    client.done(item["id"])

            def commit(committed: list[float] = committed) -> None:
                with HubClient(one, sender.credentials["token"]) as client:
                    client.send(sender.packet(sender.draft("H41")))
                committed.append(time.monotonic())

            at_once(poll, commit)
            delays.append(answered[0] - committed[0])
        # Without the notification a poll looks again after five seconds.
        assert sorted(delays)[1] < 1.0, delays
