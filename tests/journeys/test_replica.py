"""PostgreSQL with a streaming replica that each commit waits for: the primary dies under load, the replica is promoted,
and the hub finds it by itself.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from builders.crash import enrolled
from builders.load import FOLLOWED, SENDERS, WORKED_OFF, Load, listeners, workers
from builders.postgres import Server, folder_of, name_of
from builders.waiting import comes

pytestmark = pytest.mark.long


def test_nothing_acknowledged_is_lost_when_the_replica_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_CHECKERS", "0")  # checks in threads: on two cores more processes only take turns
    with Server(durable=True) as primary:
        one = primary.create()
        with Server(follows=primary) as replica:
            other = replica.url(name_of(one))
            hosts = ",".join(quote(folder_of(url), safe="") for url in (one, other))
            both = f"postgresql://hub@{hosts}/{name_of(one)}?target_session_attrs=read-write"
            peers = enrolled(tmp_path, both, *SENDERS, WORKED_OFF, FOLLOWED)
            with workers(tmp_path, both, 4) as hub:
                load = Load([hub.url], peers, each=12)

                def fail_over() -> None:
                    load.until(lambda: len(load.packets) > load.total // 2)
                    primary.kill()
                    load.until(lambda: load.repeats > len(peers))
                    assert httpx.get(f"{hub.url}/readyz").status_code == 503
                    replica.promote()

                load.run(fail_over)
                load.check(other)
                assert comes(lambda: httpx.get(f"{hub.url}/readyz").status_code == 200)
                assert comes(lambda: listeners(other) == 4)
