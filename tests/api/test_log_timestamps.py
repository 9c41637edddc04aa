"""Timestamps on the log's checkpoints as anybody reads them."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from builders.api import NINE, Hub, office_and_province, refused
from builders.stamping import Tsa, a_tsa

from hub.domain.checkpoint import verifier_key
from hub.domain.checkpoint import verify as verify_checkpoint
from hub.domain.timestamp import verify


def public(hub: Hub, path: str, **query: Any) -> Any:
    """Asked without a token."""
    return hub.ask("GET", path, "", params=query or None)


def stamp(hub: Hub, tsa: Tsa) -> int:
    """Have the newest checkpoint stamped; gives its size."""
    hub.axis.integrate()
    return tsa.stamp(hub.axis.desk)


@pytest.fixture
def tsa(hub: Hub) -> Tsa:
    return a_tsa(hub.axis.clock())


def test_a_hub_without_timestamps_says_so(hub: Hub) -> None:
    assert public(hub, "/log/timestamps").json() == {"items": [], "next": None}
    refused(public(hub, "/log/timestamp/0"), "not-found")


def test_anybody_verifies_a_timestamp_with_the_authority_s_root_and_the_log_s_key(hub: Hub, tsa: Tsa) -> None:
    office, _ = office_and_province(hub)
    office.send("H41")
    assert stamp(hub, tsa) == 1
    [item] = public(hub, "/log/timestamps").json()["items"]
    assert (item["size"], item["at"]) == (1, NINE)
    note = item["checkpoint"].encode()
    assert verify(b64decode(item["token"]), note, [tsa.root.certificate]).at == hub.axis.clock()
    keys = [verifier_key(line) for line in public(hub, "/log/keys").text.splitlines()]
    assert verify_checkpoint(note, keys, keys[0].name).size == 1


def test_timestamps_are_listed_the_newest_first_page_by_page(hub: Hub, tsa: Tsa) -> None:
    office, _ = office_and_province(hub)
    for _ in range(5):
        office.send("H41")
        stamp(hub, tsa)
    first = public(hub, "/log/timestamps", limit=2).json()
    second = public(hub, "/log/timestamps", limit=2, below=first["next"]).json()
    third = public(hub, "/log/timestamps", limit=2, below=second["next"]).json()
    assert [[item["size"] for item in page["items"]] for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert third["next"] is None
    for limit in (0, 101):
        refused(public(hub, "/log/timestamps", limit=limit), "request-invalid")
    refused(public(hub, "/log/timestamps", below=-1), "request-invalid")


def test_the_earliest_timestamp_over_an_entry_is_found(hub: Hub, tsa: Tsa) -> None:
    office, _ = office_and_province(hub)
    for count in (2, 1):
        for _ in range(count):
            office.send("H41")
        stamp(hub, tsa)
    sizes = [public(hub, f"/log/timestamp/{index + 1}").json()["size"] for index in range(3)]
    assert sizes == [2, 2, 3]
    refused(public(hub, "/log/timestamp/4"), "not-found")
    for strange in ("x", "-1", str(2**63)):
        refused(public(hub, f"/log/timestamp/{strange}"), "request-invalid")
