"""`agency evidence` against a served hub, and `agency verify` without any."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.agency import a_hub_of_today, agency, joined, moved
from builders.calling import OFFICE, PROVINCE
from builders.evidence import pem, some_evidence
from builders.packets import PDF
from builders.revoking import RevocationServer, revocation_server
from builders.served import Served, a_line, answers, passes
from builders.stamping import PATH, a_tsa
from builders.waiting import comes

from clients.agency.home import Home
from clients.evidence import packed
from clients.hub_client import AsyncHubClient, Evidence, calls
from hub.exchange import trust
from hub.store import log_timestamps as timestamps
from hub.store.engine import reading

ROOT = Path(__file__).parents[2]
LETTER = ("--number", "15", "--notation", "VPCP-TH", "--subject", "Về việc cải cách tiền lương")

# Any socket, name looked up or process begun ends it.
WITHOUT_NETWORK = """
import sys
from clients.agency.command import main
def refuse(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.posix_spawn")):
        raise SystemExit(f"asked for {event}")
sys.addaudithook(refuse)
main()
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_hub_of_today(tmp_path_factory.mktemp("hub")) as served:
        yield served


@pytest.fixture(scope="module")
def office(hub: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Has sent a document that the province keeps and has reported on."""
    folder = tmp_path_factory.mktemp("agencies")
    (folder / "15.pdf").write_bytes(PDF)
    homes = {code: joined(hub, code, folder) for code in (OFFICE, PROVINCE)}
    [sent] = agency("send", folder / "15.pdf", "--to", PROVINCE, *LETTER, "--home", homes[OFFICE], "--json").rows
    assert agency("listen", "--once", "--home", homes[PROVINCE]).code == 0
    assert agency("report", sent["id"], "03", "--home", homes[PROVINCE]).code == 0
    return homes[OFFICE]


@pytest.fixture
def sent(hub: Served, office: Path) -> str:
    """The document's id, when all about it is in the log."""
    [row] = agency("sent", "--offline", "--home", office, "--json").rows
    hub.axis.integrate()
    return str(row["id"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "15.zip"
    path.write_bytes(packed(some_evidence()))
    return path


@pytest.fixture
def keys(tmp_path: Path, hub: Served) -> list[object]:
    """The hub's keys, fetched once."""
    words: list[object] = []
    for name, path in (("jwks.json", "/.well-known/jwks.json"), ("log-keys.txt", "/log/keys")):
        (tmp_path / name).write_bytes(httpx.get(hub.base_url + path).raise_for_status().content)
        words += ["--keys", tmp_path / name]
    return words


def test_evidence_of_a_served_hub_holds_with_its_keys_pinned(
    hub: Served, office: Path, sent: str, tmp_path: Path, keys: list[object]
) -> None:
    path = tmp_path / "15.zip"
    [written] = agency("evidence", sent, "--to", path, "--home", office, "--json").rows
    assert written == {
        "event": "evidence-written", "id": sent, "path": str(path), "size": path.stat().st_size, "valid": True,
    }  # fmt: skip
    ended = agency("verify", path, *keys, "--json")
    [told] = ended.rows
    assert (ended.code, told["event"], told["valid"], told["document"]) == (0, "verified", True, sent)
    results = {step["number"]: step["result"] for step in told["steps"]}
    assert results == dict.fromkeys(range(1, 12), "passed") | {12: "untold"}  # the hub trusts no authority
    with zipfile.ZipFile(path) as archive:
        assert archive.read("packet.xml") == (next(office.glob("sent/*/*/*/packet.edxml"))).read_bytes()
        kinds = [entry["kind"] for entry in json.loads(archive.read("receipts.json"))]
        assert sorted(kinds) == ["accept", "handover", "status", "status"]  # 01 by itself, and 03
        assert sum(name.startswith("acknowledgements/") for name in archive.namelist()) == 2


def test_a_document_is_found_by_its_document_id_and_the_file_named_after_the_hub_s(
    office: Path, sent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [row] = agency("sent", "--offline", "--home", office, "--json").rows
    assert agency("evidence", row["document_id"], "--home", office).code == 0
    assert [path.name for path in tmp_path.iterdir()] == [f"evidence-{sent}.zip"]


def test_what_nobody_knows_is_told(office: Path) -> None:
    ended = agency("evidence", "G22,2025/01/01,999/VPCP", "--home", office)
    assert (ended.code, "is not found in sent, inbox" in ended.err) == (1, True)
    assert "not-found" in agency("evidence", "0" * 24, "--home", office).err


def test_what_is_not_in_the_log_yet_can_be_asked_for_again(
    hub: Served, office: Path, sent: str, tmp_path: Path
) -> None:
    item = {"id": "1" * 24, "kind": "accept", "entry": {}, "receipt": "a.b.c", "index": 7, "proof": None}
    early = json.dumps({"items": [item], "checkpoint": "x", "next": None}).encode()
    with a_line(answers(200, early), passes, to=hub.base_url) as line:
        home = moved(Home(office), line.base_url)
        ended = agency("evidence", sent, "--to", tmp_path / "15.zip", "--home", office, "--json")
        moved(home, hub.base_url)
    assert (ended.code, ended.rows[0]["event"]) == (75, "evidence-early")
    assert not (tmp_path / "15.zip").exists()


def test_an_answer_that_is_no_hub_s_is_told(hub: Served, office: Path, sent: str, tmp_path: Path) -> None:
    item = {"id": "1" * 24, "kind": "accept", "entry": {}, "receipt": "a.b.c", "index": 7, "proof": ["x"]}
    with a_line(
        answers(200, json.dumps({"items": [item], "checkpoint": "x", "next": None}).encode()), passes, to=hub.base_url
    ) as line:
        home = moved(Home(office), line.base_url)
        ended = agency("evidence", sent, "--to", tmp_path / "15.zip", "--home", office, "--json")
        moved(home, hub.base_url)
    assert (ended.code, ended.rows[0]["event"]) == (1, "evidence-not-had")


def test_the_asynchronous_client_gives_the_same(hub: Served, office: Path, sent: str) -> None:
    folder = Home(office)
    config = folder.config()
    with folder.client(config) as client:
        first = client.evidence(sent)

    async def again() -> Evidence:
        async with AsyncHubClient(config.hub, config.token) as client:
            return await client.evidence(sent)

    second = asyncio.run(again())
    assert second.items[0]["receipt"] == first.items[0]["receipt"]
    assert (second.packet, second.reports, second.jwks) == (first.packet, first.reports, first.jwks)


def test_what_comes_in_several_pages_is_put_together(office: Path, sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Home(office)
    with folder.client(folder.config()) as client:
        whole = client.evidence(sent)
        monkeypatch.setattr(calls, "_PAGE", 1)
        assert client.evidence(sent) == whole
    assert len(whole.items) == 4


def test_packets_beyond_what_a_file_has_room_for_are_left_out_and_told_by_the_verification(
    office: Path, sent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "_MOST_PACKETS", 1)
    path = tmp_path / "15.zip"
    assert agency("evidence", sent, "--to", path, "--home", office).code == 0
    [told] = agency("verify", path, "--json").rows
    assert told["valid"]
    assert "2 status packets are not in the file" in told["steps"][10]["en"]


def test_a_timestamp_over_the_receipts_comes_with_the_evidence_and_is_verified_with_its_root(
    tmp_path: Path,
) -> None:
    """By the hub itself, which asks an authority on a socket; the root comes from elsewhere."""
    with revocation_server() as server, a_hub_of_today(tmp_path / "hub", **_stamped_by(server)) as hub:
        clock = hub.axis.clock
        tsa = a_tsa(clock())
        tsa.serve(server, clock)
        hub.axis.desk.writer.run(trust.add, trust.Additions((tsa.root.certificate,), "tsa"))
        home = joined(hub, OFFICE, tmp_path)
        joined(hub, PROVINCE, tmp_path)
        (tmp_path / "15.pdf").write_bytes(PDF)
        [sent] = agency("send", tmp_path / "15.pdf", "--to", PROVINCE, *LETTER, "--home", home, "--json").rows
        assert comes(lambda: _stamps(hub) == 1)
        path = tmp_path / "15.zip"
        [written] = agency("evidence", sent["id"], "--to", path, "--home", home, "--json").rows
        assert written["valid"]
    (tmp_path / "tsa.pem").write_bytes(pem(tsa.root.certificate))
    ended = agency("verify", path, "--tsa", tmp_path / "tsa.pem", "--json")
    step = ended.rows[0]["steps"][-1]
    assert (ended.code, step["number"], step["result"]) == (0, 13, "untold")  # nothing is known of revocation
    assert "1 receipts by" in step["en"]
    assert "own word" not in step["en"]
    assert "by the file's own word" in agency("verify", path, "--json").rows[0]["steps"][-1]["en"]
    (tmp_path / "other.pem").write_bytes(pem(a_tsa(clock()).root.certificate))
    assert agency("verify", path, "--tsa", tmp_path / "other.pem").code == 1
    assert "--tsa" in agency("verify", path, "--tsa", tmp_path / "15.pdf").err


def _stamps(hub: Served) -> int:
    with reading(hub.axis.desk.engine) as connection:
        return len(timestamps.page(connection, None, 9))


def _stamped_by(server: RevocationServer) -> dict[str, Any]:
    return {"log_tsa_url": server.url(PATH), "log_tsa_seconds": 1}


# Without a hub.


def test_verifying_touches_no_network(file: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK, "verify", str(file), "--json"], capture_output=True, text=True,
        timeout=60, env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1"}, cwd=ROOT,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["valid"]


def test_every_step_is_told_in_either_language_with_its_source(file: Path) -> None:
    ended = agency("verify", file)
    lines = ended.out.splitlines()
    assert [line.split(".")[0].split()[-1] for line in lines[:12]] == [str(number) for number in range(1, 13)]
    assert [line[0] for line in lines[:12]] == list("✓✓!✓✓✓✓✓✓✓✓!")
    assert "[RFC 9162 §2.1.3.2]" in lines[5]
    assert (ended.code, "HOLDS" in lines[12]) == (0, True)
    assert "ĐÚNG" in agency("verify", file, "--lang", "vi").out.splitlines()[12]


def test_a_damaged_file_is_told_in_words(file: Path, tmp_path: Path) -> None:
    octets = bytearray(file.read_bytes())
    octets[5000] ^= 1
    file.write_bytes(octets)
    ended = agency("verify", file)
    assert (ended.code, "✗ 1." in ended.out, "DOES NOT HOLD" in ended.out) == (1, True, True)
    assert agency("verify", file, "--json").rows[0]["valid"] is False
    missing = agency("verify", tmp_path / "none.zip")
    assert (missing.code, "none.zip" in missing.err) == (1, True)
    (tmp_path / "keys.json").write_text("{}}")
    assert "--keys cannot be read" in agency("verify", file, "--keys", tmp_path / "keys.json").err


def test_a_file_larger_than_any_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with path.open("wb") as large:
        large.truncate(4 * 1024**4)
    ended = agency("verify", path)
    assert (ended.code, "above 256 MiB" in ended.out) == (1, True)


def test_keys_of_another_hub_fail_the_third_step(file: Path, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(some_evidence().keys.octets)
    ended = agency("verify", file, "--keys", tmp_path / "keys.json")
    assert (ended.code, "✗ 3." in ended.out) == (1, True)
