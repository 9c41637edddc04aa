"""Every `hub` command that changes something, or takes something away, leaves its entry in the audit."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders.axis import an_axis
from builders.commands import run, serving
from builders.console import PASSWORD
from builders.databases import opened
from builders.steered import an_order
from typer.main import get_command

from clients.hub_client import HubClient
from hub.__main__ import app
from hub.console.texts.audit import TEXTS
from hub.exchange import steering
from hub.store import audit, schema
from hub.store.engine import reading

WHY = ("--reason", "Máy chủ của tỉnh đã chạy lại")
DAYS = ("--from", "2026-01-01", "--to", "2026-01-31")

# As it is typed, what is given to it, and the action noted; {names} stand for what the story made. In this order.
NOTED: dict[str, list[tuple[str, str, str]]] = {
    "enrol": [("H27", "", "system-enrol")],
    "agencies": [("--code H27 --action lock", "", "system-lock")],
    "deliveries extend": [("{waiting} --until {soon} --yes", "", "delivery-extend")],
    "deliveries undeliverable": [("{waiting} --yes", "", "delivery-undeliverable")],
    "deliveries again": [("{waiting} --yes", "", "delivery-again")],
    "deliveries stop": [("{run}", "", "delivery-stop")],
    "operator add": [("lan --role viewer --password-stdin", PASSWORD, "operator-add")],
    "operator role": [("lan operator", "", "operator-role")],
    "operator password": [("lan --password-stdin", PASSWORD, "operator-password")],
    "operator link": [("lan", "", "operator-link")],
    "operator remove": [("lan", "", "operator-remove")],
    "trust add": [("{ca}/root.pem --role root", "", "trust-add")],
    "trust crl": [("{ca}/root.crl", "", "trust-crl")],
    "trust remove": [("{root}", "", "trust-remove")],
    "calendar add": [("2027-02-12 Tết", "", "calendar-add")],
    "calendar remove": [("2027-02-12", "", "calendar-remove")],
    "calendar import": [("{days}", "", "calendar-add")],
    "report": [
        ("--recount", "", "figures-recount"),
        (f"sent-received {' '.join(DAYS)} --csv {{away}}.csv", "", "report-download"),
        (f"tasks {' '.join(DAYS)} --xlsx {{away}}.xlsx", "", "report-download"),
    ],
    "log": [("to:H41 --csv", "", "log-export")],
    "keys": [("--renew", "", "keys-renew")],
    "backup": [("{backup}", "", "backup")],
    "deliveries release": [("{claimed} --yes", "", "delivery-release")],  # not within five seconds of the claim
}
# Those that need a hub of their own are below; `trust check` needs a server to ask: tests/test_trusting.py.
APART = {"migrate", "serve", "restore", "trust check"}
LOOKS = {"show", "deliveries runs", "operator list", "trust list", "calendar show"}
NO_HUB = {"demo", "trust demo-ca"}  # they make what they work on


def commands(command: Any, path: str = "") -> Iterator[str]:
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{path} {name}".strip())
    if not hasattr(command, "commands"):
        yield path


def entries(folder: Path) -> list[tuple[str, str, Any]]:
    """All that the audit of a hub has, newest first."""
    with opened(f"sqlite:///{folder / 'hub.db'}") as engine, reading(engine) as connection:
        rows = audit.entries(connection, limit=1000)
    assert {row["operator"] for row in rows} == {f"command:{getpass.getuser()}"}
    return [(row["action"], row["subject"], row["facts"]) for row in rows]


def test_every_command_is_known_for_what_it_changes() -> None:
    known = [*NOTED, *APART, *LOOKS, *NO_HUB]
    assert sorted(known) == sorted(commands(get_command(app)))
    actions = {action for cases in NOTED.values() for _, _, action in cases}
    actions |= {"restore", "schema-migrate", "keys-anew", "trust-check"}
    assert [action for action in actions if f"audit.action.{action}" not in TEXTS] == []


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A hub that was started on nothing, with a delivery that waits, one that is claimed, and a run of actions that
    nobody goes on with, because the hub was stopped.
    """
    folder = tmp_path_factory.mktemp("hub")
    with serving(folder) as hub:
        assert [entry[:2] for entry in entries(folder)] == [("schema-migrate", schema.head())]
        office, province = hub.peer("G22"), hub.peer("H41")
        with HubClient(hub.url, office.credentials["token"]) as sender:
            sent = [sender.send(office.packet(office.draft("H41"))).deliveries[0]["id"] for _ in range(2)]
        with HubClient(hub.url, province.credentials["token"]) as receiver:
            receiver.take(sent[1])
    with an_axis(folder) as axis:
        run_of_actions = an_order(axis, "release", sent[0])
        axis.desk.writer.run(steering.begin, replace(run_of_actions, by=f"command:{getpass.getuser()}"))
    ca, days = folder / "ca", folder / "days.csv"
    assert run("trust", "demo-ca", str(ca)).code == 0
    days.write_text("day,kind,name\n2027-02-13,holiday,Tết\n", "utf-8")
    soon = f"{(datetime.now(UTC) + timedelta(days=60)).date()}"
    root = run("trust", "add", str(ca / "root.pem"), "--role", "root", "--data-dir", str(folder)).out[:64]
    return {
        "folder": str(folder), "waiting": sent[0], "claimed": sent[1], "run": run_of_actions.run_id, "soon": soon,
        "ca": str(ca), "root": root, "days": str(days), "away": str(folder / "report"),
        "backup": str(folder / "backup"),
    }  # fmt: skip


@pytest.mark.long
def test_what_a_command_changes_or_takes_away_is_in_the_audit_once(story: dict[str, str]) -> None:
    folder = Path(story["folder"])
    for command, cases in NOTED.items():
        for words, given, action in cases:
            before = entries(folder)
            why = WHY if command.startswith("deliveries") else ()
            typed = [*command.split(), *(word.format(**story) for word in words.split()), *why]
            end = run(*typed, "--data-dir", str(folder), given=given)
            assert end.code == 0, (typed, end.err)
            assert [entry[0] for entry in entries(folder)[: -len(before)]] == [action], typed


def test_a_backup_names_where_it_went_and_a_restored_hub_what_it_was_made_of(tmp_path: Path) -> None:
    first, second, copy = tmp_path / "first", tmp_path / "second", tmp_path / "copy"
    assert run("enrol", "H41", "--data-dir", str(first)).code == 0
    assert run("backup", str(copy), "--data-dir", str(first)).code == 0
    assert entries(first)[0] == ("backup", str(copy), {"documents": 0, "payloads": 0, "missing": 0})
    assert run("restore", str(copy), "--check").code == 0
    assert run("restore", str(copy), "--data-dir", str(second)).code == 0
    (action, subject, facts), *rest = entries(second)
    assert (action, subject) == ("restore", str(copy))
    assert {"schema": schema.head(), "documents": 0, "missing": 0}.items() <= facts.items()
    assert rest == entries(first)[1:], "a backup is made before it is noted"
    assert run("backup", str(copy), "--data-dir", str(first)).code == 1
    assert len(entries(first)) == len(rest) + 1, "what was refused is no backup"


def test_migrating_is_noted_with_both_revisions_and_only_when_there_was_something_to_do(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    with opened(f"sqlite:///{tmp_path / 'hub' / 'hub.db'}") as engine:
        schema.upgrade(engine, "0012")
    for _ in range(2):
        assert run("migrate", "--data-dir", str(tmp_path / "hub")).code == 0
    assert entries(tmp_path / "hub") == [("schema-migrate", schema.head(), {"from": "0012"})]
    assert run("migrate", "--data-dir", str(tmp_path / "new")).code == 0
    assert entries(tmp_path / "new") == [("schema-migrate", schema.head(), {"from": None})]


def test_keys_made_anew_are_noted_each(tmp_path: Path) -> None:
    assert run("enrol", "H41", "--data-dir", str(tmp_path)).code == 0
    key = tmp_path / "secrets.key"
    other = tmp_path / "other"
    assert run("migrate", "--data-dir", str(other)).code == 0
    os.replace(other / "secrets.key", key)
    for _ in range(2):
        assert run("keys", "--anew", "--data-dir", str(tmp_path)).code == 0
    found = [entry[:2] for entry in entries(tmp_path)]
    assert found == [
        ("keys-anew", "log"), ("keys-anew", "receipt"), ("system-enrol", "H41"), ("schema-migrate", schema.head()),
    ]  # fmt: skip
