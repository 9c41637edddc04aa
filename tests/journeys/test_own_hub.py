"""A hub that the harness started: it comes back however often it dies, and where it cannot, that is said."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from clients.replay.player.hubs import HubProblemError, OwnHub

pytestmark = pytest.mark.long


def test_a_hub_that_dies_again_while_it_comes_back_is_started_once_more(tmp_path: Path) -> None:
    lost: list[BaseException] = []
    tries = 0

    async def story() -> None:
        async with OwnHub(tmp_path / "hub", {}, log=tmp_path / "hub.log") as hub:

            async def revived() -> None:
                nonlocal tries
                tries += 1
                if tries == 1:
                    hub.kill()
                    await hub.died()
                    async with httpx.AsyncClient(trust_env=False) as http:
                        await http.get(hub.control)

            await hub.start()
            url = hub.url
            hub.keep_alive(revived, lambda: None, lost.append)
            hub.kill()
            await asyncio.wait_for(hub.outlived(0), 60)
            assert (hub.url, hub.deaths, tries) == (url, 1, 2)
            assert httpx.get(f"{hub.url}/readyz", trust_env=False).status_code == 200

    asyncio.run(story())
    assert lost == []


def test_a_hub_that_never_comes_back_is_told_with_its_reason_and_leaves_no_process(tmp_path: Path) -> None:
    lost: list[BaseException] = []

    async def story() -> str:
        async with OwnHub(tmp_path / "hub", {}, log=tmp_path / "hub.log") as hub:

            async def revived() -> None:
                raise AssertionError("it cannot")

            def spoil() -> None:
                (tmp_path / "hub" / "hub.db").write_bytes(b"no database" * 1000)

            await hub.start()
            hub.keep_alive(revived, spoil, lost.append)
            hub.kill()
            with pytest.raises(HubProblemError):
                await asyncio.wait_for(hub.outlived(0), 60)
            return hub.url

    url = asyncio.run(story())
    assert [type(each) for each in lost] == [HubProblemError]
    assert "database" in str(lost[0])
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)
