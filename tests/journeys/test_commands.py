"""The ``hub`` command as an operator types it, beside a hub that serves: what it prints, and how it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from builders.commands import Hub, run, run_all, serving
from builders.packets import a_status
from builders.waiting import comes

from clients.hub_client import HubClient, Refused
from hub.domain import edxml
from hub.domain.document import Document, DocumentRef, Organization
from hub.domain.signature import sign


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
    office, province = hub.peer("G22"), hub.peer("H41")
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


# Help.


def test_help_shows_how_each_command_is_typed() -> None:
    commands = ("serve", "agencies", "enrol", "log", "show", "backup", "restore")
    for command, end in zip(commands, run_all(*((command, "--help") for command in commands)), strict=True):
        assert end.code == 0
        assert re.search(rf"^\W*hub {command} \S", end.out, re.MULTILINE), end.out


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
    wrong.tells("state:lost", "state:waiting")


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
    missing.tells("id-unknown", "0123456789abcdef01234567", "hub log")
    assert missing.out == ""


def test_log_tells_of_filters_that_it_does_not_know_or_does_not_use(hub: Hub) -> None:
    """`hub log fron:G22` used to look for the words, and `--refused to:H41` to show what was sent to anybody."""
    unknown, unused, nothing = run_all(
        ("log", "fron:G22", *hub.data),
        ("log", "--refused", "to:H41", *hub.data),
        ("log", "--refused", "năm 1999", *hub.data),
    )
    unknown.tells("fron:G22", "from:", "quotes")
    unused.tells("--refused takes from:, after:, before: and words", code=2)
    assert nothing.out.splitlines() == ["Không có gì khớp / nothing found"]


# Locking.


def test_a_system_that_is_locked_is_refused_until_it_is_unlocked(hub: Hub) -> None:
    token = hub.enrol("H13")["token"]
    assert hub.inbox(token).status_code == 200
    for action, state, status in (("lock", "locked", 403), ("unlock", "active", 200)):
        end = run("agencies", "--code", "H13", "--action", action, *hub.data)
        assert json.loads(end.out)["state"] == state
        # The hub looks at its directory once a second.
        assert comes(lambda expected=status: hub.inbox(token).status_code == expected), f"{action} has no effect"


def test_a_code_without_a_system_cannot_be_locked_and_a_code_alone_is_no_search(hub: Hub) -> None:
    """A listed agency without a system was said not to be listed; `--code` alone was passed over."""
    without, alone = run_all(
        ("agencies", "--code", "B01", "--action", "lock", *hub.data), ("agencies", "--code", "H41", *hub.data)
    )
    without.tells("system-none", "No system is connected for the agency B01")
    alone.tells("--code and --action need each other", code=2)
    assert alone.out == ""
