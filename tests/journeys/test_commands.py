"""The ``hub`` command as an operator types it, beside a hub that serves: what it prints, and how it ends."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.axis import Peer
from builders.keys import a_certificate
from builders.packets import a_status
from cryptography.hazmat.primitives.serialization import Encoding

from clients.hub_client import HubClient, Refused
from hub.domain import edxml
from hub.domain.document import Document, DocumentRef, Organization
from hub.domain.signature import sign

_PATIENCE = 90  # seconds in which a command must end
_WIDE = {"COLUMNS": "200", "PYTHONUTF8": "1"}


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def rows(self) -> list[dict[str, Any]]:
        """JSON lines on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]


def started(*words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hub", *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | _WIDE | environment,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], patience: float = _PATIENCE) -> Ended:
    try:
        out, err = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Ended(process.returncode, out, err)


def run(*words: str, **environment: str) -> Ended:
    """`hub` with these words."""
    return ended(started(*words, **environment))


def run_all(*commands: tuple[str, ...]) -> list[Ended]:
    """Several at the same time; they all may, while the hub serves."""
    return [ended(process) for process in [started(*words) for words in commands]]


def refused_start(*words: str, **environment: str) -> Ended:
    """A command that must fail because of how it was called."""
    end = run(*words, **environment)
    assert end.code == 2
    assert "Traceback" not in end.err
    return end


@dataclass
class Hub:
    """`hub serve` on a free port."""

    url: str
    folder: Path

    def enrol(self, *words: str) -> dict[str, str]:
        end = run("enrol", *words, "--json", *self.data)
        assert end.code == 0, end.err
        made: dict[str, str] = json.loads(end.out)
        return made

    @property
    def data(self) -> tuple[str, str]:
        return "--data-dir", str(self.folder)

    def inbox(self, token: str, wait: float = 0) -> httpx.Response:
        return httpx.get(f"{self.url}/v1/inbox", params={"wait": wait}, headers={"Authorization": f"Bearer {token}"})


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[Hub]:
    with open(folder / "hub.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "serve", "--port", "0", "--data-dir", str(folder), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | _WIDE,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        yield Hub(process.stdout.readline().rstrip("\n"), folder)
    finally:
        process.terminate()
        ended(process)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with serving(tmp_path_factory.mktemp("hub")) as running:
        yield running


@dataclass
class Story:
    """One document that was delivered and reported on, and one packet that was refused."""

    document: Document
    accepted: dict[str, str]  # id, delivery, sha256
    report: str


@pytest.fixture(scope="module")
def story(hub: Hub) -> Story:
    office, province = an_agency(hub, "G22"), an_agency(hub, "H41")
    document = office.draft("H41", number="15", symbol="VPCP-KTTH", subject="V/v cải cách tiền lương")
    with HubClient(hub.url, office.credentials["token"]) as sender:
        accepted = sender.send(office.packet(document))
        with pytest.raises(Refused, match="packet-refused"):
            sender.send(office.packet(office.draft("H41", number="16", subject="")))
    delivery = accepted.deliveries[0]["id"]
    with HubClient(hub.url, province.credentials["token"]) as receiver:
        receiver.packet(delivery)
        receiver.done(delivery)
        said = a_status(
            sender=Organization(organ_id="H41"),
            response_for=DocumentRef("G22", document_id=document.document_id),
            status="03",
        )
        reported = receiver.report(sign(edxml.write_status(said), province.key, province.certificate))
    return Story(document, {"id": accepted.id, "delivery": delivery, "sha256": accepted.sha256}, reported.id)


def an_agency(hub: Hub, code: str) -> Peer:
    """Enrolled by the command, with its certificate."""
    key, certificate = a_certificate(code)
    path = hub.folder / f"{code}.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    made = hub.enrol(code, "--certificate", str(path))
    return Peer(None, code, code, made, key, certificate)  # type: ignore[arg-type]  # it calls the hub by its client


# Serving.


def test_serve_on_port_0_prints_where_it_is_and_answers_there(hub: Hub) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+", hub.url)
    assert httpx.get(f"{hub.url}/readyz").json()["status"] == "ok"


def test_serve_with_several_workers_needs_postgresql_and_says_so(tmp_path: Path) -> None:
    end = refused_start("serve", "--port", "0", "--workers", "2", "--data-dir", str(tmp_path))
    assert "--workers" in end.err
    assert "PostgreSQL" in end.err
    assert "one writing process" in end.err


def test_serve_refuses_an_address_that_others_reach_without_a_proxy(tmp_path: Path) -> None:
    end = refused_start("serve", "--host", "0.0.0.0", "--port", "0", "--data-dir", str(tmp_path))
    assert "--behind-proxy" in end.err


def test_wrong_settings_are_refused_at_start_by_their_names(tmp_path: Path) -> None:
    end = refused_start("serve", "--data-dir", str(tmp_path), HUB_PORT="tám nghìn", HUB_BODY_TIMEOUT="-1")
    assert {line.split(":")[0] for line in end.err.splitlines()} == {"HUB_PORT", "HUB_BODY_TIMEOUT"}


def test_help_shows_how_each_command_is_typed() -> None:
    commands = ("serve", "agencies", "enrol", "log", "show")
    for command, end in zip(commands, run_all(*((command, "--help") for command in commands)), strict=True):
        assert end.code == 0
        assert re.search(rf"^\W*hub {command} \S", end.out, re.MULTILINE), end.out


# Enrolling.


def test_enrol_prints_one_json_object_and_its_token_works_at_once(hub: Hub) -> None:
    made = hub.enrol("H36")
    assert made.keys() == {"system_id", "secret", "token", "code"}
    assert re.fullmatch("[0-9a-f]{24}", made["system_id"])
    assert all(made.values())
    assert hub.inbox(made["token"]).status_code == 200


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_enrol_from_a_file_enrols_all_of_them_at_once(hub: Hub, tmp_path: Path, suffix: str) -> None:
    level = {"csv": "05", "json": "06"}[suffix]
    rows = [{"code": f"H41.{level}.{n:02}", "name": f"Xã Thử nghiệm {n}", "profile": "legacy"} for n in range(1, 6)]
    source = tmp_path / f"danh sách.{suffix}"
    if suffix == "json":
        source.write_text(json.dumps(rows), "utf-8")
    else:
        with open(source, "w", encoding="utf-8-sig", newline="") as file:  # as Excel saves it
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    made = hub.enrol("--from", str(source))
    assert [row["agency"] for row in made] == [row["code"] for row in rows]  # type: ignore[index]
    assert {hub.inbox(row["token"]).status_code for row in made} == {200}  # type: ignore[index]


def test_enrol_from_a_file_with_one_wrong_row_enrols_none(hub: Hub, tmp_path: Path) -> None:
    source = tmp_path / "systems.csv"
    source.write_text("code,name\nH41.09.01,Xã Thử\nH41.09.02,\n", "utf-8")
    end = run("enrol", "--from", str(source), "--json", *hub.data)
    assert (end.code, end.out) == (1, "")
    assert "agency-unknown" in end.err
    assert "H41.09.02" in end.err
    assert run("agencies", "H41.09", "--json", *hub.data).out == ""


# Looking things up.


def test_log_finds_a_document_by_its_words_and_by_nothing_else(hub: Hub, story: Story) -> None:
    searches = {
        ("from:G22", "to:H41", "number:15/VPCP-KTTH", "year:2025", "state:delivered", "status:03"): 1,
        ("cai cach tien luong",): 1,
        ("lương tiền",): 0,
        ("from:G22", "state:waiting"): 0,
        ("kind:status", "to:G22"): 1,
    }
    ends = run_all(*(("log", *words, "--json", *hub.data) for words in searches))
    assert [end.code for end in ends] == [0] * len(searches)
    assert [len(end.rows()) for end in ends] == list(searches.values())
    [line] = ends[0].rows()
    assert (line["document"], line["delivery"]) == (story.accepted["id"], story.accepted["delivery"])
    assert (line["kind"], line["issuer"], line["subject"]) == ("new", "G22", "V/v cải cách tiền lương")


def test_log_and_agencies_print_tables_for_people(hub: Hub, story: Story) -> None:
    log, agencies, wrong = run_all(
        ("log", "from:G22", *hub.data), ("agencies", "nghe an", *hub.data), ("log", "state:lost", *hub.data)
    )
    assert "15/VPCP-KTTH" in log.out
    assert story.accepted["id"] in log.out
    assert re.search(r"H41 .*Nghệ An", agencies.out)
    assert wrong.code == 1
    assert "state:lost" in wrong.err
    assert "state:waiting" in wrong.err


def test_show_tells_the_story_by_every_id_that_names_it(hub: Hub, story: Story) -> None:
    [refused] = run("log", "--refused", "from:G22", "--json", *hub.data).rows()
    assert refused["code"] == "packet-refused"
    assert refused["violations"]
    keys = [story.accepted["id"], story.accepted["delivery"], story.report, story.document.document_id]
    *shown, refusal, missing = run_all(
        *(("show", key, "--json", *hub.data) for key in keys),
        ("show", refused["id"], "--json", *hub.data),
        ("show", "0123456789abcdef01234567", *hub.data),
    )
    for end in shown:
        assert end.code == 0, end.err
        [told] = end.rows()
        assert told["document"]["id"] == story.accepted["id"]
        assert [(d["addressed"], d["state"], d["status"]) for d in told["deliveries"]] == [("H41", "delivered", "03")]
        assert [report["code"] for report in told["statuses"]] == ["03"]
    assert refusal.rows()[0]["id"] == refused["id"]
    assert (missing.code, missing.out) == (1, "")
    assert "not-found" in missing.err


# Locking.


def test_a_system_that_is_locked_is_refused_until_it_is_unlocked(hub: Hub) -> None:
    token = hub.enrol("H13")["token"]
    assert hub.inbox(token).status_code == 200
    for action, state, status in (("lock", "locked", 403), ("unlock", "active", 200)):
        end = run("agencies", "--code", "H13", "--action", action, *hub.data)
        assert json.loads(end.out)["state"] == state
        # The hub looks at its directory once a second.
        answers = (hub.inbox(token, wait=0.1) for _ in range(50))
        assert next((answer for answer in answers if answer.status_code == status), None), f"{action} has no effect"


# The demo.


@pytest.mark.timeout(400)
def test_the_demo_ends_with_its_line_and_without_a_loss() -> None:
    end = ended(started("demo"), patience=300)
    assert end.code == 0, end.out + end.err
    counted = re.fullmatch(r"demo: (\d+) documents, (\d+) deliveries, 0 lost, 0 doubled", end.out.splitlines()[-1])
    assert counted
    documents, deliveries = map(int, counted.groups())
    assert 30 < documents < deliveries
