"""How long a body may take. What a declared length and a silent client lead to is told beside the hostile requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from builders.api import UNKNOWN, Hub, Raw, a_hub, raw, refused

DONE = f"/v1/deliveries/{UNKNOWN}/done"
KIB = 1024


def at_a_pace(hub: Hub, parts: int, size: int, seconds: float) -> Callable[[], Awaitable[dict[str, Any]]]:
    """So many parts of a body, before each of which so many seconds pass."""
    left = parts

    async def part() -> dict[str, Any]:
        nonlocal left
        left -= 1
        hub.axis.clock.pass_(seconds=seconds)
        return {"type": "http.request", "body": b" " * size, "more_body": left > 0}

    return part


def slowly(hub: Hub, token: str, path: str, parts: int, size: int, seconds: float) -> Raw:
    hub.face.elapsed = lambda: hub.axis.clock().timestamp()
    headers = [(b"content-length", str(1 + parts * size).encode())]
    return raw(hub, "POST", path, token, b" ", then=at_a_pace(hub, parts, size, seconds), headers=headers)


@pytest.mark.parametrize("path", ["/v1/documents", DONE])
def test_a_trickle_of_a_body_is_given_up_though_each_part_comes_in_time(tmp_path: Path, path: str) -> None:
    """A byte every minute held its room in memory for as long as its sender liked."""
    with a_hub(tmp_path, body_timeout=60) as hub:
        seen = slowly(hub, hub.enrol("H41").token, path, parts=1000, size=1, seconds=30)
        refused(seen.answer, "body-late")
        assert seen.asked == 1 + 3  # the first byte, then 30, 60 and 90 seconds
        assert hub.face.in_flight == 0


@pytest.mark.parametrize(("seconds", "code"), [(1.0, "xml-empty"), (1.5, "xml-empty"), (1.7, "body-late")])
def test_a_body_gets_a_second_for_every_32_kib_beside_its_timeout(tmp_path: Path, seconds: float, code: str) -> None:
    with a_hub(tmp_path, body_timeout=60) as hub:
        seen = slowly(hub, hub.enrol("H41").token, "/v1/documents", parts=100, size=32 * KIB, seconds=seconds)
        refused(seen.answer, code)


def test_a_hub_whose_clock_is_put_forward_refuses_no_body_under_way(tmp_path: Path) -> None:
    """An hour's correction of the clock once made every upload late."""
    with a_hub(tmp_path, body_timeout=60) as hub:
        then = at_a_pace(hub, parts=2, size=1, seconds=3600)
        headers = [(b"content-length", b"3")]
        seen = raw(hub, "POST", "/v1/documents", hub.enrol("H41").token, b" ", then=then, headers=headers)
        refused(seen.answer, "xml-empty")
