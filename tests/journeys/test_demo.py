"""``hub demo``: the whole story on a hub of its own, and nothing left of it when it is ended early."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest
from builders.commands import ended, run, started
from builders.keys import a_certificate
from builders.served import a_served_hub
from builders.waiting import comes

from clients.hub_client import AsyncHubClient
from hub.demo.books import Books
from hub.demo.peers import Peer
from hub.demo.story import ListenerEndedError, Story


def processes(named: Path) -> list[str]:
    """The command lines of this machine's processes that name a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_text() if entry.name.isdigit() else ""
        except OSError:  # it has ended
            continue
        if str(named) in line:
            found.append(line.replace("\0", " "))
    return found


def serves(named: Path) -> bool:
    return any(" serve " in line for line in processes(named))


@pytest.mark.timeout(400)
def test_the_demo_ends_with_its_line_and_without_a_loss() -> None:
    end = ended(started("demo"), patience=300)
    assert end.code == 0, end.out + end.err
    counted = re.fullmatch(r"demo: (\d+) documents, (\d+) deliveries, 0 lost, 0 doubled", end.out.splitlines()[-1])
    assert counted
    documents, deliveries = map(int, counted.groups())
    assert 30 < documents < deliveries


def interrupted(demo: subprocess.Popen[str], folder: Path) -> None:
    """SIGTERM: the demo ends as it was told, and its hub with it."""
    demo.terminate()
    assert ended(demo).code == 143
    assert processes(folder) == []


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="the processes are read from /proc")
def test_a_demo_that_is_ended_while_its_hub_starts_leaves_no_orphan(tmp_path: Path) -> None:
    demo = started("demo", "--keep", str(tmp_path / "hub"))
    assert comes(lambda: serves(tmp_path) or demo.poll() is not None)
    interrupted(demo, tmp_path)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="the processes are read from /proc")
def test_a_demo_that_is_ended_while_it_plays_leaves_no_orphan(tmp_path: Path) -> None:
    # Its hub is its own: the settings of another are not read.
    settings = {"HUB_DATABASE_URL": "postgresql://hub@127.0.0.1:1/hub", "HUB_DATA_DIR": str(tmp_path / "other")}
    demo = started("demo", "--keep", str(tmp_path / "hub"), **settings)
    assert demo.stdout is not None
    where = re.search(r"http://127\.0\.0\.1:\d+", demo.stdout.readline())
    assert where
    assert httpx.get(f"{where[0]}/readyz").json()["status"] == "ok"
    interrupted(demo, tmp_path)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{where[0]}/healthz")
    assert [path.name for path in tmp_path.iterdir()] == ["hub"]


def test_a_folder_with_something_in_it_is_not_played_over(tmp_path: Path) -> None:
    (tmp_path / "hub.db").touch()
    run("demo", "--keep", str(tmp_path)).tells("the folder must be new or empty", code=2)


def test_a_listener_that_died_is_told_at_once_and_not_waited_for(tmp_path: Path) -> None:
    """The story used to wait for a minute, and then to say only that not everything had arrived."""

    async def story(url: str) -> None:
        key, certificate = a_certificate("H41")
        async with AsyncHubClient(url, "a token nobody was given", key=key, certificate=certificate) as client:
            peer = Peer("H41", "Ủy ban nhân dân tỉnh Nghệ An", "", client, key, certificate, Books())
            played = Story({"H41": peer}, peer.books, lambda step: None)
            played.listen(peer)
            with pytest.raises(ListenerEndedError, match="H41 no longer receives") as told:
                await played.until_received({"a delivery"})
            assert "not-authenticated" in str(told.value.__cause__)

    with a_served_hub(tmp_path) as served:
        asyncio.run(story(served.base_url))
