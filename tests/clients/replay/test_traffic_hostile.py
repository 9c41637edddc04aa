"""Recordings that somebody else made, perhaps to harm: they are told of in a sentence, and no more comes of them."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from builders.gateway import request as by_hand
from builders.packets import a_document
from builders.recorded import BEGUN, a_recorder, exchanges
from builders.served import a_line, answers
from builders.wire import Wire
from typer.testing import CliRunner

from clients.replay.command import add_to
from clients.replay.stock.keys import key_and_certificate
from clients.replay.traffic.file import Exchange, TrafficFile, TrafficProblem
from clients.replay.traffic.framing import BadFraming, Body, read_head, request_body
from clients.replay.traffic.heard import hear
from clients.replay.traffic.outcome import unpacked
from clients.replay.traffic.play import RecordedPlay
from hub.domain import edxml
from hub.domain.document import Organization

HEAD = {"agency-traffic": 1, "hub": "http://127.0.0.1:8000", "begun": BEGUN.isoformat()}
FACTS: dict[str, Any] = {
    "at": 1.0, "took": 0.1, "dialect": "rest", "system": "a", "operation": "send", "method": "POST",
    "path": "/v1/documents", "said": {}, "status": 201, "lost": "", "packed": "",
}  # fmt: skip


def line(request: bytes = b"", answer: bytes = b"", /, **changes: Any) -> bytes:
    facts = FACTS | {"request": len(request), "answer": len(answer)} | changes
    return json.dumps(facts).encode() + b"\n" + request + answer + b"\n"


def a_file(folder: Path, *lines: bytes, head: object = HEAD) -> Path:
    path = folder / "a.traffic"
    path.write_bytes((head if isinstance(head, bytes) else json.dumps(head).encode()) + b"\n" + b"".join(lines))
    return path


def played(path: Path, **terms: Any) -> RecordedPlay:
    return RecordedPlay(path, seed=7, today=BEGUN.date(), sign_as=lambda code: key_and_certificate(7, code), **terms)


def sending(*recipients: str, sender: str = "G22") -> tuple[bytes, bytes]:
    to = tuple(Organization(organ_id=code, name="Ủy ban nhân dân tỉnh Nghệ An") for code in recipients)
    document = a_document(sender=Organization(organ_id=sender, name="Văn phòng Chính phủ"), recipients=to)
    reached = [{"id": str(n), "to": code} for n, code in enumerate(recipients)]
    return edxml.write_document(document), json.dumps({"id": "1", "deliveries": reached}).encode()


HEADS: list[object] = [
    [], 7, "agency-traffic", {}, HEAD | {"begun": 7}, HEAD | {"begun": "hôm nay"},
    HEAD | {"begun": "2025-10-01T09:00:00"},
    HEAD | {"begun": "0001-01-01T00:00:00+07:00"}, HEAD | {"agency-traffic": 2}, HEAD | {"agency-traffic": [[]]}, b"",
    b"\xff\xfe", b"[" * 100_000, b'{"agency-traffic": ' + b"1" * 5_000 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_what_is_no_traffic_file_is_told(tmp_path: Path, head: object) -> None:
    with pytest.raises(TrafficProblem, match=r"a\.traffic: (not a traffic file|written by another version)"):
        TrafficFile(a_file(tmp_path, line(), head=head))


WRONG: list[dict[str, Any]] = [
    {"at": "1"}, {"at": float("nan")}, {"at": float("inf")}, {"at": -1}, {"at": 1e300}, {"took": None}, {"took": -1},
    {"system": []}, {"system": None}, {"dialect": {}}, {"path": "\ud800"}, {"said": 7}, {"said": {"id": 7}},
    {"said": ["ab", "c"]}, {"said": {"\udfff": ""}}, {"status": "200"}, {"status": -1}, {"request": -5},
    {"answer": -80}, {"request": "0"}, {"answer": 1.5}, {"operation": 1}, {"packed": ["gzip"]},
]  # fmt: skip


@pytest.mark.parametrize("facts", WRONG, ids=str)
def test_facts_that_no_recorder_writes_are_told_with_their_place(tmp_path: Path, facts: dict[str, Any]) -> None:
    """A number of bytes below zero once made the reading go round for ever."""
    first = line()
    path = a_file(tmp_path, first, line(**facts), line())
    place = len(path.read_bytes()) - len(line(**facts)) - len(line())
    with pytest.raises(TrafficProblem, match=f"damaged at byte {place}"), TrafficFile(path) as file:
        list(file)


def test_a_line_without_end_and_one_that_goes_too_deep_are_told(tmp_path: Path) -> None:
    for wrong in (b"[" * 100_000 + b"\n" + line(), b'{"at":' * 2_000_000 + b"\n" + line()):
        with pytest.raises(TrafficProblem, match="damaged"), TrafficFile(a_file(tmp_path, wrong)) as file:
            list(file)


@pytest.mark.parametrize("code", ["../../../etc/x", "H41/..", "x" * 65, ".", " ", "-rf"])
def test_a_code_that_names_a_file_elsewhere_is_no_agencys(tmp_path: Path, code: str) -> None:
    """A file with a certificate is named by the code: it was once written wherever that led."""
    right, listed = sending("H41"), json.dumps({"items": [{"id": "0", "to": code}]}).encode()
    looks = FACTS | {"operation": "list", "method": "GET", "status": 200}
    lines = [line(*right), line(*sending(code)), line(*sending("H41", sender=code)), line(b"", listed, **looks)]
    with played(a_file(tmp_path, *lines)) as play:
        assert {party.code for party in play.cast} == {"G22", "H41"}
        assert (play.total, play.left_out) == (1, {"documents of or for codes that no agency can have": 2})


def test_a_record_of_which_nothing_can_be_played_is_told_with_what_is_left_out(tmp_path: Path) -> None:
    with pytest.raises(TrafficProblem, match=r"no document in it that can be played$"):
        played(a_file(tmp_path))
    path = a_file(tmp_path, line(*sending("../x")), line(status=0, lost="the hub is away"))
    with pytest.raises(TrafficProblem, match=r"1 documents of or for codes .*1 documents without a final answer"):
        played(path)
    agency = typer.Typer()
    add_to(agency)
    told = CliRunner().invoke(agency, ["replay", str(path)])
    assert told.exit_code == 2
    assert "no document in it that can be played" in told.stderr
    assert "Traceback" not in told.output


def test_an_end_that_is_torn_is_told(tmp_path: Path) -> None:
    with played(a_file(tmp_path, line(*sending("H41")), line(*sending("H41"))[:-9])) as play:
        assert play.left_out == {"exchange at the end, which is torn": 1}


@pytest.mark.parametrize(
    "answer",
    [b"[]", b'"x"', b"7", b'{"id": [], "deliveries": 7}', b'{"deliveries": [7]}', b"[" * 100_000, b"\xff", b""],
)
@pytest.mark.parametrize("dialect", ["rest", "gateway"])
@pytest.mark.parametrize("status", [201, 409, 0, 999])
def test_no_answer_is_too_strange_to_be_read(tmp_path: Path, answer: bytes, dialect: str, status: int) -> None:
    packet, right = sending("H41")
    first = line(packet, right)
    lists = line(b"", answer, operation="list", status=status, dialect=dialect)
    fetches = line(
        b"", answer, operation="fetch", status=status, dialect=dialect, path="/axis/getEdoc", said={"id": "x"}
    )
    ends = line(b"", answer, operation="failed", status=status, dialect=dialect, said={"id": "0"})
    reports = line(packet, answer, operation="report", status=status, dialect=dialect)
    other = line(packet + b" ", answer, status=status, dialect=dialect)
    with played(a_file(tmp_path, first, lists, fetches, ends, reports, other)) as play:
        assert next(play.posts()).expect == ""


def test_an_answer_that_unpacks_to_more_than_any_is_none() -> None:
    bomb = gzip.compress(bytes(300 * 1024 * 1024), 1)
    exchange = Exchange(**(FACTS | {"packed": "gzip", "request": (0, 0), "answer": (0, len(bomb))}))
    assert unpacked(exchange, bomb) == b""
    assert unpacked(replace(exchange, packed=""), bomb) == bomb
    assert unpacked(exchange, gzip.compress(b"{}")) == b"{}"


# What clients and hubs send the recorder

LENGTHS = [b"9" * 5_000, b"+5", b"-5", "٣".encode(), b"5_0", b""]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_length_that_is_no_number_is_no_framing(length: bytes) -> None:
    """Of 5,000 digits Python makes no number, and the recorder said nothing to its client."""
    with pytest.raises(BadFraming):
        request_body(read_head(b"POST /v1/documents HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n"))


@pytest.mark.parametrize("size", [b"-5", b"+5", b"5_0", b"0x5", b" 5", b"f" * 16, b"g", b""])
def test_a_chunk_size_that_is_none_is_no_framing(size: bytes) -> None:
    with pytest.raises(BadFraming):
        Body(0, chunked=True).take(size + b"\r\nabcde\r\n0\r\n\r\n")


def test_a_chunk_size_may_have_an_extension_and_blanks_before_it() -> None:
    body = Body(0, chunked=True)
    assert body.take(b'5 ;a="b"\r\nabcde\r\n0\r\n\r\n')[1] == b"abcde"
    assert body.done


SURROGATE = r'{"XroadVnpt-systemid": "\ud800", "XroadVnpt-docId": "\udfff\ud800", "XroadVnpt-from": "\ud83d\ude00"}'


def test_half_a_surrogate_pair_in_a_signed_argument_is_heard_as_what_can_be_written() -> None:
    head = read_head(f"POST /axis/updateStatus HTTP/1.1\r\nXroadVnpt-sign-header: {SURROGATE}\r\n\r\n".encode())
    heard = hear(head, b"salt")
    assert (heard.system, dict(heard.said)) == ("?", {"docId": "??", "from": "\U0001f600", "id": "??"})


@pytest.mark.parametrize(
    "asked",
    [
        by_hand("getEdoc", [("XroadVnpt-sign-header", SURROGATE)]),
        b"GET /v1/documents/" + b"\xff" * 1_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        by_hand("getEdoc", [("XroadVnpt-sign-header", json.dumps({"docId": "é" * 500_000}, ensure_ascii=False))]),
        b"GET /v1/documents/%ED%A0%80?after=%ff HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["half a pair", "a path as long as any", "an argument as long as any", "percents"],
)
def test_whatever_a_client_says_the_record_behind_it_can_be_read(tmp_path: Path, asked: bytes) -> None:
    """A client could once make all of a record unreadable that came behind its request."""
    path, plain = tmp_path / "a.traffic", b"GET /v1/inbox HTTP/1.1\r\nHost: a\r\n\r\n"
    with a_line(*[answers(200, b"{}")] * 2) as line, a_recorder(line.base_url, path) as proxy:
        for request in (asked, plain):
            with Wire(proxy.base_url) as wire:
                assert wire.pour(request).hear().status == 200
    assert [exchange.path for exchange in exchanges(path)][1:] == ["/v1/inbox"]
