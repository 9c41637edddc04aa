"""The dialect's lists of agencies, and the units a system registers below its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from builders.axis import Peer
from builders.gateway import a_client, call, request, say, signed
from builders.served import Served
from sqlalchemy import insert

from clients.gateway_client import GatewayClient
from hub.store import tables as t
from hub.store.engine import writing

UNIT = {
    "id": "",
    "pcode": "H41",
    "code": "H41.15",
    "name": "Sở Thông tin và Truyền thông",
    "mail": "stttt@nghean.example.vn",
}


@pytest.fixture
def client(hub: Served, province: Peer) -> Iterator[GatewayClient]:
    with a_client(hub, province) as speaking:
        yield speaking


def by_code(items: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {item["code"]: item for item in items}


def test_the_list_has_whom_one_can_address_under_both_codes(client: GatewayClient) -> None:
    listed = by_code(client.get_agencies_list().items)
    assert listed["H41"] == {
        "id": "H41", "pid": "0", "code": "H41", "name": "Ủy ban nhân dân tỉnh Nghệ An", "mail": "",
        "oldCode": "000.00.00.H41",
    }  # fmt: skip
    assert "H07" not in listed, "Bến Tre is closed since 1 July 2025"
    assert not any("W00" in code for code in listed)


def test_an_agency_may_be_known_under_an_older_code_by_the_mapping_table_alone(
    hub: Served, client: GatewayClient
) -> None:
    with writing(hub.axis.desk.engine) as connection:
        connection.execute(insert(t.agency_alias), [{"code": "000.00.22.H41", "same_as": "H41.15"}])
    assert client.register_agency(UNIT).ok
    assert by_code(client.get_agencies_list().items)["H41.15"]["oldCode"] == "000.00.22.H41"
    assert by_code(client.get_agencies_list_qd20("2").items)["H41.15"]["code102"] == "000.00.22.H41"


def test_the_newer_list_has_one_level_or_all(hub: Served, province: Peer, client: GatewayClient) -> None:
    assert client.register_agency(UNIT).ok
    second = by_code(client.get_agencies_list_qd20("2").items)
    assert {"H41.15", "G12.04"} <= set(second)
    first = by_code(client.get_agencies_list_qd20("1").items)
    assert first["G22"] == {
        "id": "G22", "code": "G22", "name": "Văn phòng Chính phủ", "mail": "", "code102": "000.00.00.G22",
    }  # fmt: skip
    everything = call(hub, province, "getAgenciesListQD20").body["data"]
    assert len(everything) == len(first) + len(second)
    for level in ("0x", "11", "một"):
        assert call(hub, province, "getAgenciesListQD20", level=level).body["ErrorCode"] == "22"


def test_synchronizing_tells_of_closed_ones_and_who_stands_for_whom(
    hub: Served, province: Peer, client: GatewayClient
) -> None:
    before = by_code(client.get_synchronize_unit().items)
    assert before["H07"]["deleted"] is True
    assert before["H07"]["modifyDate"] == "2025-07-01 00:00:00"
    assert client.register_agency(UNIT).ok
    after = by_code(client.get_synchronize_unit().items)
    assert after["H41.15"] == {
        "id": "H41.15", "pid": "H41", "code": "H41.15", "name": UNIT["name"], "mail": UNIT["mail"],
        "version": after["H41"]["version"], "centerCode": "H41", "deleted": False,
        "modifyDate": "2025-10-01 09:00:00", "isAgency": True,
    }  # fmt: skip
    assert after["H41"]["version"] > before["H41"]["version"]
    assert after["H36"]["centerCode"] == ""


def test_a_unit_is_registered_changed_and_deleted(hub: Served, client: GatewayClient) -> None:
    for name in ("Sở Thông tin và Truyền thông", "Sở Khoa học và Công nghệ"):
        assert client.register_agency(UNIT | {"name": name}).ok
        entry = by_code(client.get_agencies_list().items)["H41.15"]
        assert (entry["name"], entry["mail"], entry["pid"]) == (name, UNIT["mail"], "H41")
    assert client.delete_agency("H41.15").ok
    assert "H41.15" not in by_code(client.get_agencies_list().items)
    assert client.delete_agency("H41.15").ok, "the client repeats a call whose answer was lost"


NO_UNITS = {
    "empty": b"", "not-json": b'{"id":"","mail":cc"",}', "a-list": b"[]", "a-text": b'"H41.15"', "not-utf-8": b"\xff",
    "deep": b"[" * 60_000, "a-number-as-name": json.dumps(UNIT | {"name": 5}).encode(),
    "a-list-as-code": json.dumps(UNIT | {"code": ["H41.15"]}).encode(), "no-name": b'{"code":"H41.15"}',
    "half-a-character": json.dumps(UNIT | {"name": "Sở \ud800"}).encode(),
    "nul": json.dumps(UNIT | {"name": "Sở \0"}).encode(),
}  # fmt: skip


@pytest.mark.parametrize("body", NO_UNITS.values(), ids=NO_UNITS)
def test_what_is_no_unit_is_refused(hub: Served, province: Peer, body: bytes) -> None:
    answer = call(hub, province, "registerAgency", body)
    assert (answer.status, answer.body["ErrorCode"]) == (200, "22")
    assert "[unit-data]" in answer.body["ErrorDesc"]


def test_members_that_are_null_are_not_there(hub: Served, province: Peer) -> None:
    body = json.dumps(UNIT | {"mail": None, "fax": None, "id": None}).encode()
    assert call(hub, province, "registerAgency", body).body["ErrorCode"] == "0"


def test_a_caught_list_call_cannot_be_turned_against_another_agency(hub: Served, province: Peer) -> None:
    """The three lists and ``registerAgency`` with its body have one and the same signature."""
    hub.axis.enrol("H41.05", "Sở Tài chính")
    caught = signed(province, {})
    for code in ("H17", "H17.15", "H41", "000.00.00.H41", "H41.05", "H41.05.01", "G22.01"):
        body = json.dumps(UNIT | {"code": code, "pcode": ""}).encode()
        answer = say(hub, request("registerAgency", caught, body))
        assert answer.body["status"] == "FAIL", code
        assert answer.body["ErrorCode"] == "22"


def test_agencycode_is_needed_to_delete(hub: Served, province: Peer) -> None:
    answer = call(hub, province, "deleteAgency", b"{}")
    assert (answer.body["ErrorCode"], "AgencyCode" in answer.body["ErrorDesc"]) == ("22", True)
