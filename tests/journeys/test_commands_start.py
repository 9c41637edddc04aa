"""How ``hub serve`` and its like start: where they are, what they make, and what keeps them from it, in words."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path

import httpx
import pytest
from builders.commands import ended, run, run_all, serving, started
from builders.served import nobody_listens


def test_serve_on_port_0_prints_where_it_is_and_answers_there(tmp_path: Path) -> None:
    with serving(tmp_path) as hub:
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+", hub.url)
        assert httpx.get(f"{hub.url}/readyz").json()["status"] == "ok"


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_serve_prints_an_address_of_ipv6_as_urls_have_it(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "::1") as hub:
        assert httpx.get(f"{hub.url}/healthz").status_code == 200


def test_serve_refuses_what_would_be_unsafe_and_says_what_is_needed(tmp_path: Path) -> None:
    data = ("--port", "0", "--data-dir", str(tmp_path))
    workers, reached = run_all(("serve", "--workers", "2", *data), ("serve", "--host", "0.0.0.0", *data))
    workers.tells("--workers above 1 needs PostgreSQL", "one writing process", code=2)
    reached.tells("--behind-proxy", code=2)


def test_wrong_settings_are_refused_at_start_by_their_names(tmp_path: Path) -> None:
    end = run("serve", "--data-dir", str(tmp_path), HUB_PORT="tám nghìn", HUB_BODY_TIMEOUT="-1", HUB_PROT="1")
    end.tells(code=2)
    assert [line.split(":")[0] for line in end.err.splitlines()] == ["HUB_PROT", "HUB_PORT", "HUB_BODY_TIMEOUT"]


# What a start makes.


def test_what_a_hub_makes_is_for_its_own_user_alone(tmp_path: Path) -> None:
    """The database, with every document in it, used to be readable for everybody on the machine."""
    before = os.umask(0o022)
    try:
        folder = tmp_path / "a" / "hub"
        folder.parent.mkdir()
        with serving(folder.parent, "--data-dir", str(folder)) as hub:
            assert httpx.get(f"{hub.url}/readyz").status_code == 200
            modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}
    finally:
        os.umask(before)
    assert modes == {
        "hub": 0o700, "payloads": 0o700, "hub.db": 0o600, "hub.db-wal": 0o600, "hub.db-shm": 0o600,
        "secrets.key": 0o600,
    }  # fmt: skip


def test_a_mistyped_folder_is_told_and_no_new_hub_is_made_there(tmp_path: Path) -> None:
    """`hub log --data-dir` with a letter wrong used to make a hub, and to say that nothing was found in it."""
    data = ("--data-dir", str(tmp_path / "nhầm"))
    for end in run_all(("log", *data), ("show", "x", *data), ("agencies", *data)):
        end.tells("hub-missing", f"No hub here: {tmp_path / 'nhầm' / 'hub.db'}", "`hub serve`", "`hub migrate`")
    assert list(tmp_path.iterdir()) == []


# What keeps a hub from starting.


def test_a_port_in_use_is_told_with_the_option_for_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        end = run("serve", "--port", str(port), "--data-dir", str(tmp_path))
    end.tells(f"cannot listen on 127.0.0.1, port {port}: another program listens there", "--port", code=2)
    assert end.out == ""


def test_a_host_that_does_not_exist_is_told(tmp_path: Path) -> None:
    for host in ("127.0.0.300", "."):
        end = run("serve", "--data-dir", str(tmp_path / "hub"), HUB_HOST=host)
        end.tells(f"there is no address {host} (--host, HUB_HOST)", code=2)
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_away_is_told_by_its_address_without_its_password(tmp_path: Path) -> None:
    with nobody_listens() as port:
        url = f"postgresql://hub:geheim@127.0.0.1:{port}/hub"
        data = ("--data-dir", str(tmp_path), "--database-url", url)
        ends = run_all(("serve", "--port", "0", *data), ("log", *data))
    for end in ends:
        end.tells("database-unusable", f"127.0.0.1:{port}/hub", "Connection refused", "HUB_DATABASE_URL")
        assert "geheim" not in end.err
        assert end.out == ""


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    folder.mkdir(mode=0o500)
    (folder / "payloads").mkdir()
    bound = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    end = ended(started("serve", "--port", "0", "--data-dir", str(folder), through=bound))
    end.tells("folder-unusable", str(folder), "Permission denied")
    assert [path.name for path in folder.iterdir()] == ["payloads"]
