"""The hub is killed at every named step, at random moments, and its database under it: nothing acknowledged is lost,
nothing is doubled, and what was not acknowledged is whole or absent.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import httpx
import pytest
from builders.axis import Peer
from builders.crash import Agency, Books, MortalHub, at_once, enrolled
from builders.databases import opened
from builders.packets import an_attachment
from builders.postgres import Server
from builders.retention import DEATHS as RETENTION_DEATHS
from builders.served import a_served_hub
from sqlalchemy import func, select

import hub
from clients.hub_client import HubClient, Refused, Unavailable
from hub.store import tables
from hub.store.engine import reading

OFFICE, PROVINCE, MINISTRY = "G22", "H41", "G12"
LARGE = b"%PDF-1.7\n" + bytes(range(256)) * 1024  # above what lies in a row

# Each path of steps ends in the death of the process during the request beside it. The first document of the story
# has been accepted by then.
DEATHS = {
    "accept-written > accept-begin": "send small",
    "accept-written > accept-written": "send small",
    "accept-written > accept-written > before-commit": "send small",
    "accept-written > accept-written > after-commit": "send small",
    "before-payload": "send large",
    "after-payload": "send large",
    "after-payload > accept-written > before-commit": "send large",
    "after-payload > accept-written > after-commit": "send large",
    "fetch-written": "fetch",
    "fetch-written > before-commit": "fetch",
    "fetch-written > after-commit": "fetch",
    "done-written": "done",
    "done-written > before-commit": "done",
    "done-written > after-commit": "done",
    "report-begin": "report",
    "report-written": "report",
    "report-written > before-commit": "report",
    "report-written > after-commit": "report",
}
ON_POSTGRESQL = (
    "accept-written > accept-written > after-commit",
    "after-payload",
    "report-written > before-commit",
    "done-written > after-commit",
)
CASES = [("sqlite", path) for path in DEATHS] + [("postgresql", path) for path in ON_POSTGRESQL]


def counted(database_url: str, *names: str) -> list[int]:
    """Rows of tables."""
    with opened(database_url) as engine, reading(engine) as connection:
        tables_ = [getattr(tables, name) for name in names]
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables_]


def test_the_paths_end_at_every_step_that_the_hub_names() -> None:
    source = "".join(path.read_text("utf-8") for path in Path(next(iter(hub.__path__))).rglob("*.py"))
    named = set(re.findall(r"\b_?at\(\"([a-z-]+)\"\)", source))
    assert len(named) > 5
    steering = {
        "steering-begun",
        "steering-written",
        "steering-stopped",
    }  # operators' steps: tests/exchange/test_steering_many.py
    assert named - steering == {path.split(" > ")[-1] for path in (*DEATHS, *RETENTION_DEATHS)}


@pytest.mark.parametrize(("database_url", "path"), CASES, indirect=["database_url"])
def test_a_killed_hub_loses_and_doubles_nothing(tmp_path: Path, database_url: str, path: str) -> None:
    peers = enrolled(tmp_path, database_url, OFFICE, PROVINCE, MINISTRY)
    books = Books()
    with MortalHub(tmp_path, database_url) as mortal:
        after_the_death: dict[str, bool] = {}

        def look(what: str) -> None:
            """What the hub has of the request that was not answered, before it is repeated."""
            after_the_death[what] = as_stored(mortal, peers, books, packets, what)

        office = Agency(mortal, peers[OFFICE], books, look)
        province = Agency(mortal, peers[PROVINCE], books, look)
        ministry = Agency(mortal, peers[MINISTRY], books)
        office_peer = peers[OFFICE]
        packets = {
            "first": office_peer.packet(office_peer.draft(PROVINCE, MINISTRY)),
            "small": office_peer.packet(office_peer.draft(PROVINCE, MINISTRY)),
            "large": office_peer.packet(
                office_peer.draft(PROVINCE, MINISTRY, attachments=(an_attachment("Phụ lục.pdf", LARGE),))
            ),
        }
        mortal.start(*path.split(" > "))
        for name, packet in packets.items():
            office.send(f"send {name}", packet)
        province.receive(report="03")
        ministry.receive(report="01")
        office.receive()

        assert books.repeated == [DEATHS[path]]
        assert mortal.deaths == 1
        expected = path.endswith("after-commit")
        assert after_the_death == {DEATHS[path]: expected}
        books.check()
        assert len(books.received) == 6
        assert office.receive() + province.receive() + ministry.receive() == 0
        mortal.stop()
    assert counted(database_url, "document", "packet", "delivery", "report") == [3, 9, 12, 6]


def as_stored(mortal: MortalHub, peers: dict[str, Peer], books: Books, packets: dict[str, bytes], what: str) -> bool:
    """Whether the request that was cut off took effect, as the agencies see it; never in part."""

    def of(code: str) -> HubClient:
        return HubClient(mortal.url, peers[code].credentials["token"])

    with of(OFFICE) as office, of(PROVINCE) as province, of(MINISTRY) as ministry:
        if what.startswith("send"):
            packet = packets[what.removeprefix("send ")]
            digest = hashlib.sha256(packet).hexdigest()
            found = [[i for i in c.inbox().items if i["sha256"] == digest] for c in (province, ministry)]
            if not any(found):
                return False
            for [item], recipient in zip(found, (province, ministry), strict=True):
                assert recipient.document(item["document"]["id"])["sha256"] == digest
            assert [d["state"] for d in office.document(found[0][0]["document"]["id"])["deliveries"]] == ["waiting"] * 2
            return True
        first = office.document(books.documents[hashlib.sha256(packets["first"]).hexdigest()])
        [delivery] = [d for d in first["deliveries"] if d["to"] == PROVINCE]
        if what == "fetch":
            assert delivery["state"] == "waiting"
            return delivery["fetched_at"] is not None
        if what == "done":
            assert delivery["state"] in {"waiting", "delivered"}
            return bool(delivery["state"] == "delivered")
        assert delivery["status"] in {"none", "03"}
        handed_on = [item["status"]["code"] for item in office.inbox().items]
        assert handed_on == ([] if delivery["status"] == "none" else ["03"])
        return bool(handed_on)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_five_deaths_at_random_moments_under_load_lose_and_double_nothing(tmp_path: Path, database_url: str) -> None:
    peers = enrolled(tmp_path, database_url, OFFICE, MINISTRY, PROVINCE)
    each = 30  # documents of each sender
    chance = Random(20251001)
    deadly = {nth * 12 + chance.randrange(2, 9) for nth in range(5)}  # far enough apart to die each time
    with MortalHub(tmp_path, database_url) as mortal:
        books = {code: Books() for code in peers}
        acknowledged = Counter[str]()
        counting = threading.Lock()
        sending = {OFFICE, MINISTRY}

        def send(code: str) -> None:
            agency = Agency(mortal, peers[code], books[code])
            try:
                for _ in range(each):
                    agency.send("send", peers[code].packet(peers[code].draft(PROVINCE)))
                    with counting:
                        acknowledged[code] += 1
                        if acknowledged.total() in deadly:
                            mortal.kill()  # whatever the other sender's and the recipient's requests are at
            finally:
                sending.discard(code)

        def receive() -> None:
            agency = Agency(mortal, peers[PROVINCE], books[PROVINCE])
            while sending or agency.receive(report="03"):
                agency.receive(report="03")

        mortal.start()
        at_once(lambda: send(OFFICE), lambda: send(MINISTRY), receive)
        for code in (OFFICE, MINISTRY):
            Agency(mortal, peers[code], books[code]).receive()
        assert mortal.deaths == len(deadly)
        merged(books).check()
        assert len(books[PROVINCE].received) == 2 * each
        mortal.stop()
    assert counted(database_url, "document", "packet", "delivery", "report") == [60, 120, 120, 60]


def merged(books: dict[str, Books]) -> Books:
    """Each agency's book read as one."""
    whole = Books()
    for book in books.values():
        whole.acknowledged |= book.acknowledged
        whole.kept |= book.kept
        whole.received.update(book.received)
        whole.reported.update(book.reported)
        whole.told.update(book.told)
    return whole


def test_the_hub_outlives_the_death_of_postgresql_and_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    each = 40  # documents of each sender
    with Server(durable=True) as server, a_served_hub(tmp_path, server.create()) as served:
        senders = [served.axis.enrol(OFFICE), served.axis.enrol(MINISTRY)]
        province = served.axis.enrol(PROVINCE)
        served.axis.desk.rosters.current(now=True)
        acknowledged: dict[str, bytes] = {}
        failures: list[Unavailable] = []
        changed = threading.Condition()
        server_is_back = threading.Event()

        def send(peer: Peer) -> None:
            with HubClient(served.base_url, peer.credentials["token"], attempts=1) as client:
                for _ in range(each):
                    acknowledge(client, peer.packet(peer.draft(PROVINCE)))

        def acknowledge(client: HubClient, packet: bytes) -> None:
            for _ in range(40):
                try:
                    [delivery] = client.send(packet).deliveries
                except Unavailable as failure:
                    with changed:
                        failures.append(failure)
                        changed.notify_all()
                    server_is_back.wait(30)
                    continue
                with changed:
                    acknowledged[delivery["id"]] = packet
                    changed.notify_all()
                return
            raise AssertionError(f"the hub does not come back by itself: {failures}")

        def kill_and_restart() -> None:
            with changed:
                assert changed.wait_for(lambda: len(acknowledged) > each // 2, 60)
                server.kill()
                assert changed.wait_for(lambda: len(failures) >= len(senders), 60), "the senders notice"
            assert httpx.get(f"{served.base_url}/readyz").status_code == 503
            assert httpx.get(f"{served.base_url}/healthz").status_code == 200
            server.start()
            server_is_back.set()

        at_once(*(partial(send, peer) for peer in senders), kill_and_restart)

        assert [told_503(failure) for failure in failures] == [True] * len(failures)
        with HubClient(served.base_url, province.credentials["token"]) as client:
            items = client.inbox(limit=500).items
            assert len(items) == len(acknowledged) == 2 * each
            assert {item["id"]: client.packet(item["id"]).packet for item in items} == acknowledged
        served.axis.clock.pass_(seconds=1)
        assert httpx.get(f"{served.base_url}/readyz").status_code == 200


def told_503(failure: Unavailable) -> bool:
    """The database's absence was told as what passes by itself, and when to come back."""
    refusal = failure.__cause__
    return isinstance(refusal, Refused) and (refusal.status, refusal.code) == (503, "database-away")
