"""`hub operator` as somebody types it, what commands leave in the audit, and a hub that ends while a page watches."""

from __future__ import annotations

import getpass
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from builders.commands import Hub, run, serving
from builders.console import PASSWORD
from builders.databases import opened

from hub.console.access import COOKIE
from hub.store import audit
from hub.store.engine import reading


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with serving(tmp_path_factory.mktemp("hub")) as hub:
        added = run("operator", "add", "Lan", "--role", "administrator", "--password-stdin", *hub.data, given=PASSWORD)
        assert (added.code, added.out) == (0, "lan  administrator\n"), added.err
        yield hub


def sign_in(hub: Hub, password: str = PASSWORD) -> dict[str, str]:
    """The session's cookie, as a header."""
    answer = httpx.post(f"{hub.url}/console/login", data={"name": "lan", "password": password}, timeout=30)
    assert answer.status_code == 303, answer.text
    found = re.search(rf"{COOKIE}=([^;]+)", answer.headers["set-cookie"])
    assert found is not None
    return {"Cookie": f"{COOKIE}={found[1]}"}


def test_an_account_added_while_the_hub_serves_lets_in_and_another_password_ends_it(hub: Hub) -> None:
    cookie = sign_in(hub)
    [row] = run("operator", "list", "--json", *hub.data).rows()
    assert (row["name"], row["role"], row["sessions"]) == ("lan", "administrator", 1)
    other = "con mèo trèo cây cau"
    assert run("operator", "password", "LAN", "--password-stdin", *hub.data, given=other).code == 0
    assert httpx.get(f"{hub.url}/console", headers=cookie).status_code == 303
    sign_in(hub, other)
    assert run("operator", "password", "lan", "--password-stdin", *hub.data, given=PASSWORD).code == 0


def test_what_cannot_be_is_told_with_the_way_out(hub: Hub) -> None:
    for words, given, told in (
        (("add", "lan", "--role", "viewer", "--password-stdin"), PASSWORD, "operator-known"),
        (("add", "a b", "--role", "viewer", "--password-stdin"), PASSWORD, "operator-name"),
        (("add", "minh", "--role", "viewer", "--password-stdin"), "ngắn", "password-weak"),
        (("role", "minh", "viewer"), "", "operator-unknown"),
    ):
        run("operator", *words, *hub.data, given=given).tells(told)


def test_a_link_needs_no_password_and_works_once(hub: Hub) -> None:
    made = run("operator", "add", "minh", "--role", "viewer", "--link", *hub.data)
    path, _, link = made.out.strip().partition("?link=")
    answers = [httpx.post(hub.url + path, data={"link": link}).status_code for _ in range(2)]
    assert answers == [303, 410]
    assert run("operator", "remove", "minh", *hub.data).code == 0


def test_what_commands_change_is_in_the_audit_with_who_ran_them(hub: Hub) -> None:
    hub.enrol("H41")
    assert run("agencies", "--code", "H41", "--action", "lock", *hub.data).code == 0
    ca = hub.folder / "ca"
    assert run("trust", "demo-ca", str(ca)).code == 0
    root = run("trust", "add", str(ca / "root.pem"), "--role", "root", *hub.data)
    assert root.code == 0, root.err
    assert run("trust", "remove", root.out[:64], *hub.data).code == 0
    assert run("keys", "--renew", *hub.data).code == 0
    with opened(f"sqlite:///{hub.folder / 'hub.db'}") as engine, reading(engine) as connection:
        rows = audit.entries(connection, operator=f"command:{getpass.getuser()}", limit=5)
    assert [(row["action"], row["subject"]) for row in rows] == [
        ("keys-renew", "receipt"),
        ("trust-remove", root.out[:64]),
        ("trust-add", root.out[:64]),
        ("system-lock", "H41"),
        ("system-enrol", "H41"),
    ]
    assert not any("token" in json.dumps(row["facts"]) for row in rows)


def test_a_hub_that_ends_does_not_wait_for_who_watches(tmp_path: Path) -> None:
    with serving(tmp_path) as hub:
        added = run("operator", "add", "lan", "--role", "viewer", "--password-stdin", *hub.data, given=PASSWORD)
        assert added.code == 0, added.err
        cookie = sign_in(hub)
        with httpx.stream("GET", f"{hub.url}/console/live", headers=cookie, timeout=30) as stream:
            lines = stream.iter_lines()
            assert next(line for line in lines if line.startswith("event:")) == "event: parts"
            os.kill(hub.pid, signal.SIGTERM)
            began = time.monotonic()
            assert "event: over" in list(lines)
            assert time.monotonic() - began < 8  # uvicorn would wait ten seconds, and cut it off
