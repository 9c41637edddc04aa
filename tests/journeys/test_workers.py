"""Four processes of one hub on PostgreSQL, under load, with what dies in production: a worker, all of PostgreSQL."""

from __future__ import annotations

import os
import signal
import ssl
import threading
from functools import partial
from pathlib import Path

import httpx
import pytest
from builders.commands import Hub, serving
from builders.crash import at_once, enrolled
from builders.load import FOLLOWED, SENDERS, WORKED_OFF, Load, listeners, workers, workers_of
from builders.ports import free_ports
from builders.postgres import Server
from builders.tls import a_server_certificate, shown
from builders.waiting import comes
from builders.wire import Wire

pytestmark = pytest.mark.long

CODES = (*SENDERS, WORKED_OFF, FOLLOWED)
Answers = list[tuple[bytes | None, int]]  # the certificate (DER) that was shown, and the status


@pytest.fixture(autouse=True)
def few_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks in threads: eight processes on two cores would only take turns."""
    monkeypatch.setenv("HUB_CHECKERS", "0")


def processor_time(pid: int) -> int:
    """Ticks of the clock that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_four_workers_and_twenty_pollers_lose_double_and_skip_nothing(tmp_path: Path, database_url: str) -> None:
    peers = enrolled(tmp_path, database_url, *CODES)
    with workers(tmp_path, database_url, 4) as hub:
        assert comes(lambda: listeners(database_url) == 4)
        idle = {pid: processor_time(pid) for pid in workers_of(hub)}
        load = Load([hub.url], peers, each=25)
        load.run()
        load.check(database_url)
        assert load.repeats == 0  # nothing had to be asked twice
        worked = [processor_time(pid) - idle[pid] for pid in workers_of(hub)]
        assert min(worked) > 0  # all four had their part


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_killed_worker_is_replaced_and_nothing_is_lost_with_it(tmp_path: Path, database_url: str) -> None:
    peers = enrolled(tmp_path, database_url, *CODES)
    with workers(tmp_path, database_url, 4) as hub:
        load = Load([hub.url], peers, each=15)

        def kill_one_after_the_other() -> None:
            for share in (4, 2):
                load.until(partial(sent_more_than, load, load.total // share))
                kill_and_see_another(hub)

        load.run(kill_one_after_the_other)
        load.check(database_url)
        assert load.repeats > 0


def sent_more_than(load: Load, count: int) -> bool:
    return len(load.packets) > count


def kill_and_see_another(hub: Hub) -> None:
    assert comes(lambda: len(workers_of(hub)) == 4)
    before = set(workers_of(hub))
    busiest = max(before, key=processor_time)
    os.kill(busiest, signal.SIGKILL)
    assert comes(lambda: len(set(workers_of(hub)) - {busiest}) == 4)


def test_four_workers_outlive_the_death_of_postgresql_and_keep_what_they_acknowledged(tmp_path: Path) -> None:
    with Server(durable=True) as server:
        database_url = server.create()
        peers = enrolled(tmp_path, database_url, *CODES)
        with workers(tmp_path, database_url, 4) as hub:
            load = Load([hub.url], peers, each=12)

            def kill_postgresql() -> None:
                load.until(lambda: len(load.packets) > load.total // 2)
                server.kill()
                load.until(lambda: load.repeats > len(peers))
                # A worker that dies now finds no database when it is replaced, and is replaced again.
                killed = workers_of(hub)[0]
                os.kill(killed, signal.SIGKILL)
                assert comes(lambda: "worker-start" in (tmp_path / "hub.log").read_text())
                server.start()

            load.run(kill_postgresql)
            load.check(database_url)
            assert comes(lambda: httpx.get(f"{hub.url}/readyz").status_code == 200)
            assert comes(lambda: listeners(database_url) == 4)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_workers_end_with_their_killed_parent_and_the_hub_can_be_started_again(
    tmp_path: Path, database_url: str
) -> None:
    (port,) = free_ports(1)
    options = ("--database-url", database_url, "--port", str(port))
    with serving(tmp_path, *options, "--workers", "2") as hub:
        assert comes(lambda: listeners(database_url) == 2)
        os.kill(hub.pid, signal.SIGKILL)
        assert comes(lambda: listeners(database_url) == 0)
        with serving(tmp_path, *options) as again:
            assert httpx.get(f"{again.url}/readyz", timeout=30).status_code == 200


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_sighup_to_the_parent_renews_the_certificate_of_all_workers_and_no_request_stays_unanswered(
    tmp_path: Path, database_url: str
) -> None:
    files, newer = a_server_certificate(tmp_path), a_server_certificate(tmp_path, "newer")
    trust = files.trust
    trust.load_verify_locations(newer.cert)
    before, after = Answers(), Answers()
    renewed, ended = threading.Event(), threading.Event()
    with workers(tmp_path, database_url, 2, *files.options) as hub:
        assert comes(lambda: listeners(database_url) == 2)

        def ask_and_ask_again() -> None:
            while not ended.is_set():
                answers = after if renewed.is_set() else before
                with Wire(hub.url, trust=trust) as wire:
                    answers.append(asked(wire))

        def renew() -> None:
            try:
                assert comes(lambda: len(before) > 50)
                with Wire(hub.url, trust=trust) as slow:
                    files.become(newer)
                    os.kill(hub.pid, signal.SIGHUP)
                    assert comes(lambda: (tmp_path / "hub.log").read_text().count("certificate-renewed") == 2)
                    before.append(asked(slow))  # the handshake was before, the request is after
                renewed.set()
                assert comes(lambda: len(after) > 50)
            finally:
                ended.set()

        at_once(*[ask_and_ask_again] * 4, renew)
        assert {status for _, status in before + after} == {200}
        assert {certificate for certificate, _ in after} == {newer.der}
        for held in workers_of(hub):  # the other one answers
            os.kill(held, signal.SIGSTOP)
            try:
                assert shown(hub.url, trust) == newer.der
            finally:
                os.kill(held, signal.SIGCONT)


def asked(wire: Wire) -> tuple[bytes | None, int]:
    assert isinstance(wire.socket, ssl.SSLSocket)
    certificate = wire.socket.getpeercert(binary_form=True)
    return certificate, wire.say("GET /readyz HTTP/1.1", "Host: hub.example.vn").hear().status
