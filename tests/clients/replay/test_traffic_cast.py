"""Who took part in a recording, and what the hub's answers in it mean."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from clients.replay.traffic.file import Exchange
from clients.replay.traffic.outcome import Outcome, outcome
from clients.replay.traffic.systems import Seen, cast_of

NAMES = {"G22": "Văn phòng Chính phủ", "H41": "Ủy ban nhân dân tỉnh Nghệ An"}


def seen(*codes: str, rest: int = 0, gateway: int = 0) -> Seen:
    system = Seen()
    for code in codes:
        system.spoke(code)
    for dialect, count in (("rest", rest), ("gateway", gateway)):
        for n in range(count):
            system.note(exchange(dialect=dialect, operation="list", at=10.0 * n))
    return system


def exchange(**changes: Any) -> Exchange:
    values: dict[str, Any] = {
        "at": 0.0, "took": 0.1, "dialect": "rest", "system": "a", "operation": "send", "method": "POST", "path": "",
        "said": {}, "status": 201, "lost": "", "packed": "", "request": (0, 0), "answer": (0, 0),
    }  # fmt: skip
    return Exchange(**(values | changes))


def systems(*found: Seen, addressed: tuple[str, ...] = ()) -> dict[str, str]:
    cast = cast_of({f"s{n}": each for n, each in enumerate(found)}, NAMES, addressed)
    return {party.code: party.system for party in cast.parties}


@pytest.mark.parametrize(
    ("codes", "home"),
    [
        (("H41", "H41.07"), "H41"),
        (("H41.07", "000.00.00.H41"), "H41"),
        (("H41.07", "H41.08"), "H41"),
        (("H41.07.01", "H41.07.02"), "H41.07"),
        (("G22",), "G22"),
    ],
)
def test_a_platform_stands_for_the_nearest_agency_above_all_it_speaks_for(codes: tuple[str, ...], home: str) -> None:
    assert set(systems(seen(*codes)).values()) == {home}
    assert systems(seen(*codes))[home] == home


def test_a_system_seen_in_both_dialects_is_one_and_speaks_what_it_spoke_most() -> None:
    cast = cast_of({"token": seen("G22", rest=2), "id": seen("000.00.00.G22", gateway=5)}, NAMES, ())
    (party,) = cast.parties
    assert (party.code, party.name, party.dialect) == ("G22", "Văn phòng Chính phủ", "gateway")
    assert cast.homes == {"token": "G22", "id": "G22"}


def test_whoever_is_addressed_belongs_to_the_nearest_system_above_or_never_looks() -> None:
    cast = cast_of({"s": seen("H41", rest=3), "t": seen("H41.07", rest=3)}, NAMES, ("H41.07.01", "H41.08", "H17"))
    assert {party.code: (party.system, party.silent) for party in cast.parties} == {
        "H41": ("H41", False),
        "H41.07": ("H41.07", False),
        "H41.07.01": ("H41.07", False),
        "H41.08": ("H41", False),
        "H17": ("H17", True),
    }


def test_systems_come_before_those_they_speak_for_and_one_that_spoke_for_nobody_not_at_all() -> None:
    assert list(systems(seen("H41.07", "H41"), seen(rest=1))) == ["H41", "H41.07"]


def test_how_often_a_system_looks_is_what_was_seen() -> None:
    cast = cast_of({"s": seen("H41", rest=4)}, NAMES, ())
    assert cast.parties[0].poll == 10.0


PROBLEM = {
    "code": "packet-refused",
    "violations": [{"rule": "field-long", "severity": "warning"}, {"rule": "name-control"}],
}
ANSWERS: list[tuple[dict[str, Any], Any, Outcome]] = [
    ({}, {"id": "1", "deliveries": [{"id": "d", "to": "H41"}]}, Outcome(True, "", (("d", "H41"),))),
    ({"status": 200}, {"id": "1"}, Outcome(True)),
    ({"status": 422}, PROBLEM, Outcome(True, "packet-refused/name-control")),
    ({"status": 409}, {"code": "number-taken"}, Outcome(True, "number-taken")),
    ({"status": 422}, "<html>", Outcome(True, "http-422")),
    ({"status": 429}, {"code": "busy"}, Outcome(False)),
    ({"status": 503}, {"code": "busy"}, Outcome(False)),
    ({"status": 201, "lost": "the answer broke off"}, {}, Outcome(False)),
    ({"status": 0, "lost": "the hub hung up without an answer"}, {}, Outcome(False)),
    ({"dialect": "gateway", "status": 200}, {"ErrorCode": "0", "status": "OK"}, Outcome(True)),
    (
        {"dialect": "gateway", "status": 200},
        {"ErrorCode": "21", "ErrorDesc": "[name-control] Tên tệp"},
        Outcome(True, "packet-refused/name-control"),
    ),
    (
        {"dialect": "gateway", "status": 200},
        {"ErrorCode": "22", "ErrorDesc": "[number-taken] Số đã dùng"},
        Outcome(True, "number-taken"),
    ),
    ({"dialect": "gateway", "status": 200}, {"ErrorCode": "19", "ErrorDesc": "Sai"}, Outcome(True, "gateway-19")),
    ({"dialect": "gateway", "status": 200}, {"ErrorCode": "99"}, Outcome(False)),
    ({"dialect": "gateway", "status": 404}, "<html>", Outcome(True, "http-404")),
    ({"dialect": "gateway", "status": 200}, "<html>", Outcome(False)),
]


@pytest.mark.parametrize(("facts", "said", "meant"), ANSWERS)
def test_an_answer_means_what_the_hub_decided_and_nothing_where_it_did_not(
    facts: dict[str, Any], said: Any, meant: Outcome
) -> None:
    body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
    assert outcome(exchange(**facts), body) == meant


@pytest.mark.parametrize(("packed", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_an_answer_that_was_packed_on_the_way_is_read(packed: str, pack: Any) -> None:
    body = pack(json.dumps({"code": "number-taken"}).encode())
    assert outcome(exchange(status=409, packed=packed), body).code == "number-taken"
    assert outcome(exchange(status=409, packed=packed), body[:-9]).code == "http-409"
