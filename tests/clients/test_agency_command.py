"""The `agency` command as people type it, against a served hub."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from builders.agency import a_hub_of_today, agency, joined, moved
from builders.calling import OFFICE, PROVINCE
from builders.packets import PDF, a_document
from builders.served import Served, a_line, answers
from rich.console import Console

from clients.agency import durable
from clients.agency.command import app
from clients.agency.home import Home
from clients.agency.texts import TEXTS, language
from clients.agency.voice import Voice
from clients.hub_client.proofs import signed_packet
from hub.domain import edxml

_next = iter(range(1, 1000))
LETTER = ("--notation", "VPCP-TH", "--subject", "Về việc cải cách tiền lương")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_hub_of_today(tmp_path_factory.mktemp("hub")) as served:
        yield served


@pytest.fixture(scope="module")
def both(hub: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("agencies")
    (folder / "15.pdf").write_bytes(PDF)
    return {code: joined(hub, code, folder) for code in (OFFICE, PROVINCE)}


@pytest.fixture
def province(both: dict[str, Path]) -> Path:
    """A recipient that nothing waits for."""
    agency("listen", "--once", "--home", both[PROVINCE])
    return both[PROVINCE]


@pytest.fixture
def office(both: dict[str, Path]) -> Path:
    return both[OFFICE]


def a_sent(office: Path, *words: object, to: str = PROVINCE) -> dict[str, object]:
    """One more document, sent."""
    number = next(_next)
    ended = agency(
        "send", office.parent / "15.pdf", "--to", to, "--number", number, *LETTER, *words, "--home", office, "--json"
    )
    assert ended.code == 0, ended.err
    [row] = ended.rows
    return row


@contextmanager
def reached_at(url: str, home: Path) -> Iterator[None]:
    """The hub is at another address meanwhile."""
    folder = Home(home)
    before = folder.config().hub
    moved(folder, url)
    try:
        yield
    finally:
        moved(folder, before)


# Sending.


def test_a_document_goes_out_signed_with_what_was_typed(office: Path) -> None:
    row = a_sent(office, "--signer", "Nguyễn Thị Ví Dụ", "--due", "2099/01/01", "--type", "Báo cáo")
    document = edxml.read_document(edxml.parse((office / str(row["path"]) / "packet.edxml").read_bytes()))
    assert (document.signer, document.due_date, document.type_name) == ("Nguyễn Thị Ví Dụ", "2099/01/01", "Báo cáo")
    assert document.recipients[0].name == "Ủy ban nhân dân tỉnh Nghệ An"
    assert row["signature"] == {"standing": "signed", "signer": OFFICE}


def test_the_same_command_again_sends_nothing_twice(office: Path) -> None:
    words = ("send", office.parent / "15.pdf", "--to", PROVINCE, "--number", "500", *LETTER, "--home", office, "--json")
    first, second = agency(*words).rows[0], agency(*words).rows[0]
    assert [first["event"], second["event"]] == ["sent", "sent-before"]
    assert first["id"] == second["id"]
    listed = agency("sent", "--offline", "--home", office, "--json").rows
    assert [row["id"] for row in listed].count(first["id"]) == 1


def test_without_an_answer_the_packet_waits_and_the_same_command_sends_it(hub: Served, office: Path) -> None:
    words = ("send", office.parent / "15.pdf", "--to", PROVINCE, "--number", "501", *LETTER, "--home", office, "--json")
    # One who asks to be left alone for an hour is not asked again by the same command.
    with a_line(answers(503, Retry_After="3600"), to=hub.base_url) as line, reached_at(line.base_url, office):
        ended = agency(*words)
        assert ended.code == 75
        assert ended.rows[0]["event"] == "unanswered"
        waiting = (office / str(ended.rows[0]["path"]) / "packet.edxml").read_bytes()
        again = agency(*words)
    assert again.rows[0]["event"] == "sent"
    assert (office / str(again.rows[0]["path"]) / "packet.edxml").read_bytes() == waiting


def test_a_command_leaves_an_equal_packet_of_the_outbox_s_alone(office: Path) -> None:
    packet = (office / str(a_sent(office)["path"]) / "packet.edxml").read_bytes()
    dropped = office / "sending" / "cv"
    dropped.mkdir()
    (dropped / "originals.json").write_text("{}")
    (dropped / "packet.edxml").write_bytes(packet)
    (office.parent / "goi.edxml").write_bytes(packet)
    try:
        assert agency("send", office.parent / "goi.edxml", "--home", office, "--json").rows[0]["event"] == "sent-before"
        assert sorted(path.name for path in dropped.iterdir()) == ["originals.json", "packet.edxml"]
    finally:
        durable.discard(dropped)


def test_a_refusal_is_told_in_the_language_of_the_locale_and_leaves_nothing(office: Path) -> None:
    words = ("send", office.parent / "15.pdf", "--to", "W00", "--number", "1", *LETTER, "--home", office)
    for told, environment in (
        ("không phải nơi nhận", {"LC_ALL": "vi_VN.UTF-8"}),
        ("not an addressee", {"LC_ALL": "en_US.UTF-8"}),
        ("không phải nơi nhận", {"LC_ALL": "", "LANG": "vi_VN"}),
    ):
        ended = agency(*words, **environment)
        assert (ended.code, told in ended.err) == (1, True), ended.err
    assert "không phải nơi nhận" in agency(*words, "--lang", "vi").err
    assert not [path for path in (office / "sending").iterdir() if not path.name.startswith(".")]


def test_what_is_missing_is_named(office: Path) -> None:
    ended = agency("send", "--to", PROVINCE, "--home", office)
    assert (ended.code, "number, notation, subject, files" in ended.err) == (1, True)


def test_a_packet_in_a_file_is_sent_as_it_is(office: Path, tmp_path: Path) -> None:
    packet = tmp_path / "goi.edxml"
    packet.write_bytes(signed_packet(a_document(), *Home(office).identity()))
    [sent] = agency("send", packet, "--home", office, "--json").rows
    assert (sent["event"], sent["sha256"]) == ("sent", hashlib.sha256(packet.read_bytes()).hexdigest())
    assert "alone" in agency("send", packet, "--to", PROVINCE, "--home", office).err


@pytest.mark.parametrize(
    ("option", "kind"), [("update", "update"), ("replace", "replacement"), ("revoke", "revocation")]
)
def test_an_earlier_document_is_updated_replaced_or_revoked_by_the_id_that_send_told(
    office: Path, province: Path, option: str, kind: str
) -> None:
    first = a_sent(office)
    agency("listen", "--once", "--home", province)
    second = a_sent(office, f"--{option}", first["id"], "--reason", "Sửa sai sót")
    assert second["kind"] == kind
    story = agency("sent", "--home", office, "--json").rows
    [target] = [row for row in story if row["id"] == first["id"]]
    [delivery] = target["deliveries"]
    assert [each["ask"] for each in delivery["requests"]] == [kind]


# Receiving, reporting, looking.


def test_a_document_is_received_reported_on_and_found_by_every_name(office: Path, province: Path) -> None:
    row = a_sent(office)
    [said] = agency("listen", "--once", "--home", province, "--json").rows
    assert said["number"] == row["number"]
    [listed] = agency("inbox", "--limit", "1", "--home", province, "--json").rows
    assert (listed["sender"], listed["standing"]) == (OFFICE, "signed")
    for key in (said["delivery"], row["id"], row["document_id"]):
        [shown] = agency("show", key, "--home", province, "--json").rows
        assert shown["id"] == said["delivery"]
    ended = agency("report", row["document_id"], "03", "--home", province, "--json")
    assert (ended.rows[0]["event"], ended.rows[0]["to"]) == ("reported", OFFICE)
    ended = agency("report", said["delivery"], "02", "--home", province)
    assert (ended.code, "status-reason-missing" in ended.err) == (1, True)
    [told] = [each for each in agency("sent", "--home", office, "--json").rows if each["id"] == row["id"]]
    assert (told["where"], told["state"]) == ("H41 delivered 03", "open")
    assert "Về việc cải cách tiền lương" in agency("sent", "--home", office).out
    [mine] = agency("show", row["id"], "--home", office, "--json").rows
    assert mine["files"][0]["name"] == "15.pdf"


def test_a_document_is_taken_back_unseen_or_asked_for(office: Path, province: Path) -> None:
    unseen = a_sent(office)
    [told] = agency("take-back", unseen["id"], "--home", office, "--json").rows
    assert told["effect"] == "withdrawn"
    seen = a_sent(office)
    agency("listen", "--once", "--home", province)
    [told] = agency("take-back", seen["document_id"], "--reason", "Gửi nhầm", "--home", office, "--json").rows
    assert told["effect"] == "asks"
    agency("listen", "--once", "--home", province)
    assert agency("report", str(seen["id"]), "15", "--home", province).code == 0
    [row] = [each for each in agency("sent", "--home", office, "--json").rows if each["id"] == seen["id"]]
    assert row["where"] == "H41 delivered cancelled"
    ended = agency("take-back", seen["id"], "--home", office)
    assert (ended.code, "nothing can be taken back" in ended.err) == (1, True)


def test_what_is_not_there_is_said(province: Path, office: Path) -> None:
    for words in (("show", "68dc8b209ec5cae0da8101d6"), ("report", "nothing", "03"), ("take-back", "nothing")):
        ended = agency(*words, "--home", office)
        assert (ended.code, "is not found" in ended.err) == (1, True), ended.err
    for words, said in (
        (("report", "x", "09", "--home", office), "Status 09 is not used here"),
        (("sent", "--home", office / "nowhere"), "agency init makes it"),
    ):
        ended = agency(*words)
        assert (ended.code, said in ended.err) == (1, True), ended.err


def test_one_listener_works_on_a_folder(province: Path) -> None:
    with durable.held(province / "inbox") as mine:
        assert mine
        ended = agency("listen", "--once", "--home", province)
    assert (ended.code, "Another agency listen" in ended.err) == (1, True)


# check


def test_a_check_tells_offline_what_the_hub_would(office: Path, tmp_path: Path) -> None:
    order = tmp_path / "16.toml"
    (tmp_path / "16.pdf").write_bytes(PDF)
    order.write_text(
        'to = ["H41", "W00", "H99"]\nnumber = 16\nnotation = "VPCP-TH"\nsubject = "Thử"\ndue = "1/2/2099"\n'
    )
    agency("check", "--refresh", order, "--home", office)
    with a_line() as line, reached_at(line.base_url, office):
        ended = agency("check", order, "--home", office, "--json")
    assert (ended.code, line.requests) == (1, [])
    refused = agency(
        "send", tmp_path / "16.pdf", "--to", "H41,W00,H99", "--number", "16", "--notation", "VPCP-TH", "--subject",
        "Thử", "--due", "1/2/2099", "--home", office, "--json",
    ).rows[0]  # fmt: skip
    assert ended.rows[0]["violations"] == [each["rule"] for each in refused["violations"]]
    assert {"recipient-is-node", "recipient-unknown", "date-form"} <= set(ended.rows[0]["violations"])


def test_a_packet_is_checked_with_its_signature(office: Path, province: Path, tmp_path: Path) -> None:
    packet = (office / str(a_sent(office)["path"]) / "packet.edxml").read_bytes()
    path = tmp_path / "goi.edxml"
    path.write_bytes(packet)
    ended = agency("check", path, "--refresh", "--home", office)
    assert (ended.code, ended.out.startswith("Valid: ")) == (0, True), ended.err
    assert "not-your-agency" in agency("check", path, "--home", province).err
    path.write_bytes(packet.replace("cải cách".encode(), "cải tổ".encode()))
    assert "signature-digest" in agency("check", path, "--home", office).err
    path.write_bytes(b"{}")
    assert "xml-not-xml" in agency("check", path, "--home", office).err


# Words.


def test_a_bar_is_drawn_for_each_large_body_and_for_no_small_one() -> None:
    seen = io.StringIO()
    voice = Voice("en", False, Console(file=io.StringIO()), Console(file=seen, force_terminal=True))
    with voice.progress() as told:
        told(10, 10)
        assert seen.getvalue() == ""
        for _ in range(2):
            told(65_536, 5_000_000)
            told(5_000_000, 5_000_000)
    assert seen.getvalue().count("5.0/5.0 MB") == 2


def test_every_text_says_the_same_facts_in_both_languages() -> None:
    for key, (vi, en) in TEXTS.items():
        assert set(re.findall(r"\{(\w+)\}", vi)) == set(re.findall(r"\{(\w+)\}", en)), key


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LANG": "vi_VN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_MESSAGES": "vi", "LANG": "en_US"}, "vi"),
        ({"LC_ALL": "", "LANG": "vi_VN"}, "vi"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_locale_s(environment: dict[str, str], lang: str) -> None:
    assert language(environment) == lang


@pytest.mark.parametrize("command", typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # of a group
def test_every_command_s_help_has_an_example(command: str) -> None:
    ended = agency(command, "--help", COLUMNS="200")
    assert ended.code == 0
    assert re.search(rf"(?:^|   ) *agency {command}\b", ended.out, re.MULTILINE), ended.out
