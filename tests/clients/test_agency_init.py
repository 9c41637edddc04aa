"""`agency init`: a folder becomes an agency, wherever that is interrupted; and what ends it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.agency import a_hub_of_today, agency, credentials, drop, fresh_codes, issued, joined
from builders.calling import OFFICE
from builders.packets import PDF
from builders.served import Served, a_line, answers, loses_the_answer, passes
from cryptography.x509 import load_pem_x509_certificate

from clients.agency.home import Home
from hub.data import read_agencies

_codes = fresh_codes()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_hub_of_today(tmp_path_factory.mktemp("hub")) as served:
        yield served


@pytest.fixture
def code() -> str:
    """An agency that nobody has enrolled: its first certificate is registered with the one-time code."""
    return next(_codes)


def test_init_makes_key_certificate_and_settings_for_their_owner_alone(hub: Served, code: str, tmp_path: Path) -> None:
    home = joined(hub, code, tmp_path)
    assert {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()} == dict.fromkeys(
        ["agency.toml", "key.pem", "certificate.pem", "directory.json"], 0o600
    )
    settings = tomllib.loads((home / "agency.toml").read_text("utf-8"))
    assert settings["name"] == {each.code: each.name for each in read_agencies()}[code]
    assert "one_time_code" not in settings


def test_init_may_be_repeated_and_keeps_the_key(hub: Served, code: str, tmp_path: Path) -> None:
    home = joined(hub, code, tmp_path)
    key = (home / "key.pem").read_bytes()
    ended = agency("init", "--home", home)
    assert (ended.code, ended.out.split()[:3]) == (0, ["The", "certificate", "of"])
    assert (home / "key.pem").read_bytes() == key


def test_init_whose_registration_got_no_answer_goes_on_when_repeated(hub: Served, code: str, tmp_path: Path) -> None:
    given = credentials(hub, code, tmp_path)
    words = ("init", "--code", code, "--credentials", given, "--home", tmp_path / code)
    # The directory, the certificates, the registration, its repeat, and the look whether it stands already.
    lost = [passes, passes, loses_the_answer, passes, answers(404)]
    with a_line(*lost, to=hub.base_url) as line:
        ended = agency(*words, "--hub", line.base_url)
        assert ended.code == 1, ended.out
        hub.axis.desk.rosters.current(now=True)
        ended = agency("init", "--home", tmp_path / code, "--json")
    assert [row["event"] for row in ended.rows] == ["init-done"]


def test_a_code_that_has_a_certificate_already_needs_its_operator(hub: Served, code: str, tmp_path: Path) -> None:
    (joined(hub, code, tmp_path) / "key.pem").unlink()
    (tmp_path / code / "certificate.pem").unlink()
    given = credentials(hub, code, tmp_path)
    ended = agency("init", "--credentials", given, "--home", tmp_path / code)
    assert (ended.code, f"hub enrol {code} --replace --certificate" in ended.err) == (1, True)
    new = load_pem_x509_certificate((tmp_path / code / "certificate.pem").read_bytes())
    again = credentials(hub, code, tmp_path, certificate=new)
    ended = agency("init", "--credentials", again, "--home", tmp_path / code, "--json")
    assert [row["event"] for row in ended.rows] == ["init-done"]


def test_init_reads_token_and_code_from_standard_input(hub: Served, code: str, tmp_path: Path) -> None:
    given = json.loads(credentials(hub, code, tmp_path).read_text())
    ended = agency(
        "init", "--hub", hub.base_url, "--code", code, "--system-id", given["system_id"], "--token-stdin",
        "--home", tmp_path / code, "--json", given=f"{given['token']}\n{given['code']}\n",
    )  # fmt: skip
    assert [row["event"] for row in ended.rows] == ["key-made", "registered"]
    assert given["token"] not in ended.out + ended.err


def test_a_certificate_that_an_authority_issued_is_registered(hub: Served, code: str, tmp_path: Path) -> None:
    home, other = tmp_path / code, joined(hub, next(_codes), tmp_path)
    ended = agency(
        "init", "--hub", hub.base_url, "--code", code, "--credentials", "-", "--home", home, "--csr",
        given=credentials(hub, code, tmp_path).read_text(),
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert not (home / "certificate.pem").exists()
    made = issued(home / "request.pem", hub.axis.clock(), days=1)
    assert "belongs to another key" in agency("init", "--certificate", other / "certificate.pem", "--home", home).err
    ended = agency("init", "--certificate", made, "--home", home, "--json")
    assert [row["event"] for row in ended.rows] == ["registered"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--hub, --code, --credentials"),
        (("--hub", "http://127.0.0.1:1", "--code", "H41", "--credentials", "none.json"), "none.json"),
    ],
)
def test_init_tells_what_it_lacks(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    ended = agency("init", *words, "--home", tmp_path / "x")
    assert ended.code == 1
    assert told in ended.err
    assert not (tmp_path / "x").exists()


def test_a_folder_is_one_agency(hub: Served, code: str, tmp_path: Path) -> None:
    ended = agency("init", "--code", OFFICE, "--home", joined(hub, code, tmp_path))
    assert (ended.code, f"is the agency {code}'s already" in ended.err) == (1, True), ended.err


def test_a_system_that_was_retired_is_told_and_ends(hub: Served, code: str, tmp_path: Path) -> None:
    home = joined(hub, code, tmp_path)
    hub.axis.steer(code, "retire")
    hub.axis.desk.rosters.current(now=True)
    drop(Home(home), "cv", 'to = ["H41"]\nnumber = 1\nnotation = "VP"\nsubject = "Thử"\n', ("cv.pdf", PDF))
    for words in (("listen", "--once"), ("folders", "--once")):
        ended = agency(*words, "--home", home)
        assert (ended.code, "not-authenticated" in ended.err) == (1, True), ended.err
    assert not (home / "refused").exists()
    assert (home / "sending" / "cv" / "packet.edxml").exists()
