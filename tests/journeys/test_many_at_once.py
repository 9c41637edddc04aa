"""Many at once: pollers that share an inbox, senders beside them, and processes that share a database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from builders.api import Agency, a_hub
from builders.crash import MortalHub, enrolled
from builders.load import FOLLOWED, SENDERS, WORKED_OFF, Load

from clients.hub_client import HubClient

CODES = (*SENDERS, WORKED_OFF, FOLLOWED)


@contextmanager
def processes(folder: Path, database_url: str, count: int) -> Iterator[list[str]]:
    """Hubs that know of each other only by their database."""
    with ExitStack() as stack:
        hubs = [stack.enter_context(MortalHub(folder, database_url)) for _ in range(count)]
        for hub in hubs:
            hub.start()
        yield [hub.url for hub in hubs]
        for hub in hubs:
            hub.stop()


@pytest.mark.parametrize(
    ("database_url", "count"), [("sqlite", 1), ("postgresql", 1), ("postgresql", 2)], indirect=["database_url"]
)
def test_twenty_pollers_of_one_inbox_take_every_delivery_once_and_cursors_miss_nothing(
    tmp_path: Path, database_url: str, count: int
) -> None:
    peers = enrolled(tmp_path, database_url, *CODES)
    with processes(tmp_path, database_url, count) as urls:
        load = Load(urls, peers, each=10)
        load.run()
        assert load.repeats == 0  # nothing had to be asked twice
    load.check(database_url)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_poll_that_waits_is_woken_by_another_process_s_commit(tmp_path: Path, database_url: str) -> None:
    sender, recipient = enrolled(tmp_path, database_url, "G22", "H41").values()
    delays: list[float] = []
    with (
        processes(tmp_path, database_url, 1) as [url],
        a_hub(tmp_path, database_url, sweep_seconds=3600) as here,
        HubClient(url, sender.credentials["token"]) as client,
    ):
        agency = Agency(here, recipient)
        for _ in range(3):
            poll = agency.later("/v1/inbox", wait=60)
            here.waits(agency, 1)
            accepted = client.send(sender.packet(sender.draft("H41")))
            committed = time.monotonic()
            answer = poll.result(30)
            delays.append(time.monotonic() - committed)
            [item] = answer.json()["items"]
            assert item["document"]["id"] == accepted.id
            agency.receive(item["id"])
    # Without the notification a poll looks again after five seconds.
    assert sorted(delays)[1] < 2.5, delays
