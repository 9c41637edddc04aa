"""The page of metrics: what a story of documents leaves there, what is read how often, and to whom it is open."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from builders.axis import Axis
from builders.commands import run, serving
from builders.databases import statements
from builders.gateway import a_client, call
from builders.load import workers, workers_of
from builders.monitored import Monitored, monitored, read
from builders.served import Served, a_served_hub
from builders.waiting import comes
from builders.wire import Wire

from clients.hub_client import HubClient, Refused
from hub import metrics, monitoring
from hub.errors import Refusal
from hub.exchange.writer import Transaction, each
from hub.settings import SettingsError, read_settings
from hub.store import state
from hub.store.engine import reading


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Served]:
    with a_served_hub(tmp_path) as served:
        yield served


@pytest.fixture
def page(axis: Axis, tmp_path: Path, database_url: str) -> Iterator[Monitored]:
    with monitored(axis, database_url, data_dir=tmp_path) as found:
        yield found


@pytest.fixture(autouse=True)
def looks_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "_STATE", 0.0)
    monkeypatch.setattr(monitoring, "_ENDS", 0.0)
    monkeypatch.setattr(monitoring, "_SHARE", 0)


# What happens to documents.


def test_a_document_is_seen_on_its_way(axis: Axis, page: Monitored) -> None:
    office, province = axis.enrol("G22"), axis.enrol("H41")
    axis.enrol("H27")
    document, answer = office.issue("H41", "H27")
    delivery = answer["deliveries"][0]["id"]
    assert (page.value("deliveries", state="waiting"), page.rise("delivery_events_total", event="created")) == (2, 2)
    axis.clock.pass_(hours=2)
    assert page.value("oldest_waiting_seconds") == 7200
    province.fetch(delivery)
    axis.clock.pass_(minutes=1)
    province.fetch(delivery)
    province.done(delivery)
    axis.clock.pass_(hours=1)
    province.report("01", document)
    for until, waited in {"fetched": 7200, "done": 60, "received": 10860}.items():
        assert page.rise("delivery_wait_seconds_count", until=until) == 1
        assert page.rise("delivery_wait_seconds_sum", until=until) == waited
        assert page.rise("delivery_wait_seconds_bucket", until=until, le="+Inf") == 1
    assert page.rise("delivery_events_total", event="fetch") == 2
    assert page.rise("delivery_events_total", event="done") == 1
    assert page.rise("delivery_events_total", event="created") == 3  # the status has its own
    assert page.value("deliveries", state="waiting") == 2


def test_what_is_taken_failed_and_expired_is_told_apart_from_what_waits(axis: Axis, page: Monitored) -> None:
    office, province = axis.enrol("G22"), axis.enrol("H41")
    ids = [office.send("H41")["deliveries"][0]["id"] for _ in range(4)]
    province.claim(ids[0])
    province.fetch(ids[1])
    province.failed(ids[1])
    told = {name: page.value("deliveries", state=name) for name in ("waiting", "taken", "undelivered")}
    assert told == {"waiting": 2, "taken": 1, "undelivered": 1}
    axis.clock.pass_(days=31)
    axis.sweep()
    axis.sweep()
    assert page.value("deliveries", state="undelivered") == 4
    assert page.rise("delivery_events_total", event="expire") == 3
    assert page.value("oldest_waiting_seconds") == 0


def test_packets_are_counted_by_their_outcome_and_refusals_by_every_rule_they_broke(
    axis: Axis, page: Monitored
) -> None:
    office = axis.enrol("G22")
    axis.enrol("H41")
    packet = office.packet(office.draft("H41"))
    office.hand_in(packet)
    office.hand_in(packet)
    with pytest.raises(Refusal) as refused:
        office.hand_in(office.packet(office.draft("Z99", subject="", type="99")))
    rules = {violation.rule for violation in refused.value.violations}
    assert len(rules) > 1
    assert page.labels("refusals_total") == rules
    assert [page.rise("packets_total", outcome=o) for o in ("accepted", "repeated", "refused")] == [1, 1, 1]


def test_what_was_rolled_back_is_not_counted(axis: Axis, page: Monitored) -> None:
    @each
    def regretted(tx: Transaction, job: str) -> None:
        tx.counted.append(lambda: metrics.EVENTS.add("take"))
        raise Refusal("not-found") if job == "refused" else RuntimeError("a defect")

    for job, fault in (("refused", Refusal), ("broken", RuntimeError)):
        with pytest.raises(fault):
            axis.desk.writer.run(regretted, job)
    assert page.rise("delivery_events_total", event="take") == 0


def test_work_of_one_commit_is_one_batch(axis: Axis, page: Monitored) -> None:
    office = axis.enrol("G22")
    axis.enrol("H41")
    packets = [office.packet(office.draft("H41")) for _ in range(5)]
    before = page.rise("writer_batch_jobs_count")
    with axis.together():
        answers = [office.submit(packet) for packet in packets]
    assert all(answer.result().new for answer in answers)
    assert page.rise("writer_batch_jobs_count") - before == 2  # what held them up, and they
    assert page.rise("writer_commit_duration_seconds_count") == page.rise("writer_batch_jobs_count")


def test_the_evidence_log_is_behind_until_its_sequencer_has_been_there(axis: Axis, page: Monitored) -> None:
    axis.enrol("H41")
    axis.enrol("G22").send("H41")
    axis.clock.pass_(seconds=90)
    assert (page.value("evidence_log_behind_entries"), page.value("evidence_log_lag_seconds")) == (1, 90)
    sent = axis.clock().timestamp() - 90
    axis.integrate()
    assert (page.value("evidence_log_behind_entries"), page.value("evidence_log_lag_seconds")) == (0, 0)
    assert (page.value("evidence_log_entries"), page.value("evidence_log_newest_timestamp_seconds")) == (1, sent)


def test_a_certificate_is_told_of_while_it_ends_and_not_once_it_has(axis: Axis, page: Monitored) -> None:
    peer = axis.enrol("H41")
    until = peer.certificate.not_valid_after_utc
    axis.clock.now = until.replace(microsecond=0)
    axis.clock.pass_(days=-61)
    key = ("lienthong_certificate_expiry_timestamp_seconds", frozenset({("role", "agency")}))
    assert key not in read(page.text())
    axis.clock.pass_(days=2)
    assert read(page.text())[key] == until.timestamp()
    axis.clock.pass_(days=60)
    assert key not in read(page.text())


# Requests.


def test_both_dialects_are_told_by_operation_and_what_strangers_invent_makes_no_label(hub: Served) -> None:
    with monitored(hub.axis) as page:
        office, province = hub.axis.enrol("G22"), hub.axis.enrol("H41")
        hub.axis.desk.rosters.current(now=True)
        with HubClient(hub.base_url, office.credentials["token"]) as client:
            sent = client.send(office.packet(office.draft("H41")))
            client.document(sent.id)
            with pytest.raises(Refused):
                client.document("0" * 24)
        a_client(hub, province).get_received_edoc_list("edoc")
        for number in range(3):
            httpx.get(f"{hub.base_url}/nhập-bừa-{number}")
            call(hub, province, f"inventedMethod{number}")
            with Wire(hub.base_url) as wire:
                wire.say(f"PROPFIND /v1/inbox{'?' * number} HTTP/1.1\r\nHost: a\r\n\r\n").hear()
        assert page.labels("request_duration_seconds_count") == {
            "POST /v1/documents", "GET /v1/documents/{id}", "getReceivedEdocList", "other",
        }  # fmt: skip
        assert page.rise("request_duration_seconds_count", operation="GET /v1/documents/{id}") == 2
        assert page.labels("answers_total") >= {"200", "201", "404"}
        told = page.text()
        for secret in (office.code, province.code, office.system_id, sent.id, *office.credentials.values()):
            assert f'"{secret}"' not in told


def test_connections_that_are_refused_are_counted(tmp_path: Path) -> None:
    with a_served_hub(tmp_path, connections_per_address=1) as hub, monitored(hub.axis) as page:
        with Wire(hub.base_url, source="127.0.0.2") as first, Wire(hub.base_url, source="127.0.0.2") as second:
            assert first.say("GET /healthz HTTP/1.1", "Host: 127.0.0.1").hear().status == 200
            assert second.hung_up()
        assert page.rise("connections_refused_total") == 1


# What is read, and how often.


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_waits_is_counted_along_indexes_of_what_is_not_over(axis: Axis) -> None:
    partial = ("ix_delivery_inbox", "ix_delivery_lease_until", "ix_delivery_route")
    one_row = ("counter", "log_head")
    with reading(axis.desk.engine) as connection:
        with statements(axis.desk.engine) as seen:
            state.state(connection)
        steps = [
            row[3]
            for statement, values in seen
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    scans = [step for step in steps if step.startswith("SCAN ")]
    assert len(scans) == 5
    assert [step for step in scans if not step.endswith(partial) and step.split()[1] not in one_row] == []


def test_a_look_serves_for_its_time_and_a_long_one_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "_SHARE", 20)
    now, looks, takes = [100.0], [0], [0.0]

    def look() -> monitoring.Gauges:
        looks[0] += 1
        now[0] += takes[0]
        return {metrics.PROCESSES: {"": looks[0]}}

    kept = monitoring.Kept(look, 5.0, lambda: now[0])
    assert [kept()[metrics.PROCESSES][""] for _ in range(3)] == [1, 1, 1]
    now[0], takes[0] = 105.0, 2.0
    kept()  # until 107
    now[0] = 146.9
    assert kept()[metrics.PROCESSES][""] == 2
    now[0] = 147.0
    assert kept()[metrics.PROCESSES][""] == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_its_database_the_page_tells_the_rest(axis: Axis, page: Monitored, tmp_path: Path) -> None:
    assert page.value("database_up") == 1
    (tmp_path / "hub.db").rename(tmp_path / "away.db")
    (tmp_path / "hub.db").mkdir()
    with monitored(axis, data_dir=tmp_path) as blind:
        told = read(blind.text())
        assert blind.value("database_up") == 0
        assert ("lienthong_deliveries", frozenset({("state", "waiting")})) not in told
        assert blind.value("disk_reserve_bytes") > 0
    (tmp_path / "hub.db").rmdir()
    (tmp_path / "away.db").rename(tmp_path / "hub.db")


# Where it is.


@pytest.mark.parametrize(
    "address", ["0.0.0.0:9464", "[::]:9464", "8.8.8.8:9464", "9464", "localhost:9464", "127.0.0.1:x"]
)
def test_an_address_that_the_world_could_reach_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_METRICS", address)
    with pytest.raises(SettingsError, match="HUB_METRICS"):
        read_settings({})


@pytest.mark.parametrize("address", ["", "127.0.0.1:0", "[::1]:9464", "10.20.0.5:9464"])
def test_loopback_and_private_addresses_are_taken(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_METRICS", address)
    assert read_settings({}).metrics == address


def test_the_hub_s_own_port_has_no_page_and_a_taken_port_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_CHECKERS", "0")
    with serving(tmp_path) as hub:
        assert httpx.get(f"{hub.url}/metrics").status_code == 404
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("HUB_METRICS", f"127.0.0.1:{taken.getsockname()[1]}")
        run("serve", "--port", "0", "--data-dir", str(tmp_path)).tells("HUB_METRICS", "in use", code=2)


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_several_workers_are_one_page_and_a_killed_one_s_counts_stay(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("HUB_METRICS", f"127.0.0.1:{port}")
    monkeypatch.setenv("HUB_CHECKERS", "0")
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "1-1.json").write_text('{"lienthong_answers_total": {"200": 1000000}}')  # of a start before

    def answered() -> float:
        return page.value("answers_total", status="200") if "answers_total{" in page.text() else 0

    with workers(tmp_path, database_url, 2) as hub:
        assert comes(lambda: len(workers_of(hub)) == 2 and httpx.get(f"{hub.url}/healthz", timeout=60).is_success)
        page = Monitored(f"http://127.0.0.1:{port}/metrics")
        for _ in range(99):
            assert httpx.get(f"{hub.url}/healthz").status_code == 200
        assert comes(lambda: answered() == 100)
        assert comes(lambda: page.value("processes") == 2)
        for _ in range(2):
            before = set((tmp_path / "metrics").glob("*.json"))
            os.kill(workers_of(hub)[0], 9)
            assert comes(lambda: len(set((tmp_path / "metrics").glob("*.json")) - before) == 1)  # noqa: B023  (now)
            assert comes(lambda: page.value("processes") == 2)
            assert answered() == 100
        assert len(list((tmp_path / "metrics").glob("*.json"))) == 2  # those that have ended are added up in one
        assert page.value("database_up") == 1
