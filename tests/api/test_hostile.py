"""Anything in body, headers, query or path: a problem of the catalogue, nothing stored, never a 500 or a trace.

That every answer of 400 and above is such a problem is checked by the builder, for every test of this folder.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from builders.api import STORED, UNKNOWN, Agency, Hub, a_hub, operations, raw, refused, silence
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.document import content_digest
from hub.store import tables as t

MIB = 1024 * 1024
PACKETS = ("/v1/documents", "/v1/documents/validate", "/v1/statuses")
SMALL = [f"/v1/deliveries/{UNKNOWN}/{what}" for what in ("taken", "done", "failed")] + ["/v1/agencies/H41/certificates"]

quick = settings(max_examples=60)


@pytest.fixture(scope="module")
def quiet(shared_hub: Hub) -> Agency:
    """The only agency of a hub that many requests are made of."""
    return shared_hub.enrol("H41")


def filled(path: str) -> str:
    return path.format(id=UNKNOWN, n=1, code="H41", sha256="0" * 64)


def length(size: object) -> list[tuple[bytes, bytes]]:
    return [(b"content-length", str(size).encode("latin-1"))]


# Who calls.


def authorizations(token: str) -> list[list[tuple[bytes, bytes]]]:
    values = ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {token}", token, f"Bearer {token}x", f"Bearer\t{token}"]
    values += [f"Bearer {token} {token}", f"Bearer {token[:-1]}", f"Bearer {token.upper()}", "Bearer ñ\xff\x80"]
    return [[], *([(b"authorization", value.encode("latin-1"))] for value in values)]


def test_every_operation_asks_who_calls_before_it_reads_the_body(hub: Hub) -> None:
    token = hub.enrol("H41").token
    found = operations(hub.app)
    assert len(found) >= 17
    for method, path in found:
        for headers in authorizations(token):
            seen = raw(hub, method, filled(path), headers=[*headers, *length(50 * MIB)])
            refused(seen.answer, "not-authenticated")
            assert seen.answer.headers["www-authenticate"] == "Bearer"
            assert seen.asked == 0


def test_the_scheme_is_bearer_in_any_case(hub: Hub) -> None:
    token = hub.enrol("H41").token
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert hub.ask("GET", "/v1/inbox", headers={"Authorization": f"{scheme} {token}"}).status_code == 200


@pytest.mark.parametrize(("action", "code"), [("lock", "system-locked"), ("retire", "not-authenticated")])
def test_every_operation_is_closed_to_a_system_that_is_locked_or_retired(hub: Hub, action: str, code: str) -> None:
    province = hub.enrol("H41")
    hub.axis.steer("H41", action)
    hub.axis.desk.rosters.current(now=True)  # reads may use a snapshot of the last second
    for method, path in operations(hub.app):
        seen = raw(hub, method, filled(path), province.token, headers=length(50 * MIB))
        refused(seen.answer, code)
        assert seen.asked == 0


def test_a_token_of_a_system_enrolled_a_moment_ago_is_known_at_once(hub: Hub) -> None:
    first = hub.enrol("G22")
    assert first.get("/v1/inbox").status_code == 200
    assert hub.enrol("H41").get("/v1/inbox").status_code == 200


# How much comes in.


@pytest.mark.parametrize("path", [*PACKETS, *SMALL])
def test_a_body_declared_too_large_is_refused_unread(tmp_path: Path, path: str) -> None:
    with a_hub(tmp_path) as hub:
        token = hub.enrol("H41").token
        limit, code = (50 * MIB, "too-large") if path in PACKETS else (64 * 1024, "json-too-large")
        for size in (limit + 1, 10**11, 10**40):
            seen = raw(hub, "POST", path, token, headers=length(size))
            assert str(limit) in refused(seen.answer, code)["detail"]
            assert seen.asked == 0


@pytest.mark.parametrize("path", [*PACKETS, *SMALL])
def test_a_body_without_a_length_is_refused_unread(tmp_path: Path, path: str) -> None:
    with a_hub(tmp_path) as hub:
        token = hub.enrol("H41").token
        seen = raw(hub, "POST", path, token, b"{}", headers=[(b"transfer-encoding", b"chunked")])
        refused(seen.answer, "length-required")
        assert seen.asked == 0


@pytest.mark.parametrize(
    "declared", ["", "-1", "+1", "1.0", "0x10", "1,1", "²", " 5", "1e3", "một".encode().decode("latin-1")]
)
def test_a_length_that_is_no_number_is_no_length(tmp_path: Path, declared: str) -> None:
    with a_hub(tmp_path) as hub:
        token = hub.enrol("H41").token
        for path in (*PACKETS, *SMALL):
            refused(raw(hub, "POST", path, token, headers=length(declared)).answer, "length-required")


@pytest.mark.parametrize("path", [*PACKETS, *SMALL])
def test_a_body_of_another_length_than_declared_is_refused(tmp_path: Path, path: str) -> None:
    with a_hub(tmp_path) as hub:
        token = hub.enrol("H41").token
        for parts in ((), (b"12345",), (b"123456789", b"01"), (b"12345678901", b"x" * 1000)):
            refused(raw(hub, "POST", path, token, *parts, headers=length(10)).answer, "body-incomplete")
        assert hub.face.in_flight == 0
        assert hub.count(*STORED, t.refusal) == 0


@pytest.mark.parametrize("path", [*PACKETS, *SMALL])
def test_a_body_that_stops_coming_is_given_up(tmp_path: Path, path: str) -> None:
    with a_hub(tmp_path, body_timeout=0.05) as hub:
        token = hub.enrol("H41").token
        refused(raw(hub, "POST", path, token, b"1234", then=silence, headers=length(10)).answer, "body-late")
        assert hub.face.in_flight == 0
        assert hub.count(*STORED, t.refusal) == 0


def test_packets_in_flight_are_bounded_in_all_and_the_next_is_asked_to_come_again(tmp_path: Path) -> None:
    with a_hub(tmp_path, in_flight_limit=20_000, body_timeout=30) as hub:
        office, province = hub.enrol("G22"), hub.enrol("H41")
        packet = office.packet("H41").ljust(12_000)
        assert hub.face.in_flight == 0
        goes_on = hub.portal.call(asyncio.Event)

        async def gone() -> Any:
            await goes_on.wait()
            return {"type": "http.disconnect"}

        def slow() -> Any:
            return raw(hub, "POST", "/v1/documents", province.token, b"1", then=gone, headers=length(12_000))

        held = hub.portal.start_task_soon(asyncio.to_thread, slow)
        while hub.face.in_flight != 12_000:
            hub.turn()
        answer = office.post("/v1/documents", packet)
        assert refused(answer, "busy")["status"] == 503
        assert int(answer.headers["retry-after"]) > 0
        assert office.post("/v1/documents", office.packet("H41").ljust(8_000)).status_code == 201
        assert province.get("/v1/inbox").status_code == 200
        hub.portal.call(goes_on.set)
        refused(held.result(30).answer, "body-incomplete")
        assert hub.face.in_flight == 0
        assert office.post("/v1/documents", packet).status_code == 201


# What comes in.


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


WRONG_JSON = [
    *(b"null", b"[]", b'"x"', b"1", b"{", b"{}x", b"nothing", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"\0", b" "),
    *(nested(30_000), b'{"a": ' * 9_000),
    *(b'{"lease": 1}', b'{"lease": ["x"]}', b'{"lease": {"a": 1}}', b'{"more": 1}', b"{'lease': 1}"),
    *(b'{"reason": null}', b'{"lease": "\\ud800"}', b'{"reason": "\xc3"}', b'{"lease": NaN}', b'{"lease": 1e999999}'),
    json.dumps({"lease": "x" * 65}).encode(),
    json.dumps({"reason": "x" * 1001}).encode(),
    json.dumps({"reason": "không in được: \0"}).encode(),
    json.dumps({"\udfff": 1}).encode(),
]  # fmt: skip


def test_json_of_another_shape_is_refused_with_the_place(hub: Hub) -> None:
    office, province = hub.enrol("G22"), hub.enrol("H41")
    delivery = office.send("H41")["deliveries"][0]["id"]
    for what in ("done", "failed", "taken"):
        for content in WRONG_JSON:
            refused(province.post(f"/v1/deliveries/{delivery}/{what}", content), "request-invalid")
    for content in (*WRONG_JSON, b"{}", json.dumps({"certificate": "x" * 20_001, "proof": ""}).encode()):
        refused(province.post("/v1/agencies/H41/certificates", content), "request-invalid")
    assert [item["state"] for item in province.inbox()] == ["waiting"]


ODD_IDS = [
    "\0",
    UNKNOWN[:-1] + "\0",
    "x" * 60_000,
    "\ufffd",
    "Ω" * 24,
    " ",
    "'",
    '"',
    "%",
    "..",
    "null",
    UNKNOWN.upper(),
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("id", {"request-invalid"}),
        ("n", {"request-invalid"}),
        ("sha256", {"request-invalid"}),
        ("code", {"request-invalid", "certificate-invalid", ""}),  # no certificates of an unknown agency are listed
    ],
)
def test_an_id_the_hub_never_made_leads_nowhere(hub: Hub, name: str, expected: set[str]) -> None:
    token = hub.enrol("H41").token
    values = {"id": UNKNOWN, "code": "H41", "n": "1", "sha256": "0" * 64}
    body = json.dumps({"certificate": "-", "proof": ""}).encode()
    told = set()
    for method, path in operations(hub.app):
        if f"{{{name}}}" not in path:
            continue
        for odd in ODD_IDS:
            at = path.format_map(values | {name: odd})
            content = body if path.endswith("certificates") else b"{}"
            seen = raw(hub, method, at, token, *([content] if method == "POST" else []), headers=length(len(content)))
            if seen.answer.status_code == 200:
                assert seen.answer.json() == {"items": [], "next": None}
            told.add(seen.answer.json().get("code", ""))
    assert told == expected
    assert hub.count(*STORED) == 0


@quick
@given(path=st.text(max_size=60), method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]))
def test_no_path_breaks_the_hub(quiet: Agency, path: str, method: str) -> None:
    at = "/v1/" + path.encode("utf-8", "replace").decode()
    seen = raw(quiet.hub, method, at, quiet.token, headers=length(0))
    assert seen.answer.status_code < 500


PARAMETERS = ["after", "limit", "q", "x"]


@quick
@given(query=st.lists(st.tuples(st.sampled_from(PARAMETERS), st.binary(max_size=40)), max_size=4))
def test_no_query_breaks_the_hub(quiet: Agency, query: list[tuple[str, bytes]]) -> None:
    asked = "&".join(f"{name}={quote(value)}" for name, value in query)
    for path in ("/v1/inbox", "/v1/outbox", "/v1/agencies", "/v1/agencies/H41/certificates", "/v1/documents/x"):
        assert raw(quiet.hub, "GET", path, quiet.token, query_string=asked.encode()).answer.status_code < 500


@quick
@given(query=st.binary(max_size=300))
def test_no_bytes_in_place_of_a_query_break_the_hub(quiet: Agency, query: bytes) -> None:
    for path in ("/v1/inbox", "/v1/outbox", "/v1/agencies"):
        assert raw(quiet.hub, "GET", path, quiet.token, query_string=query).answer.status_code < 500


HEADERS = ["x-request-id", "content-length", "content-type", "accept", "host", "cookie", "range", "transfer-encoding"]


@quick
@given(headers=st.lists(st.tuples(st.sampled_from(HEADERS), st.binary(max_size=80)), max_size=5))
def test_no_header_breaks_the_hub(quiet: Agency, headers: list[tuple[str, bytes]]) -> None:
    given_ = [(name.encode(), value) for name, value in headers]
    for method, path in (("GET", "/v1/inbox"), ("POST", f"/v1/deliveries/{UNKNOWN}/done"), ("POST", "/v1/statuses")):
        assert raw(quiet.hub, method, path, quiet.token, headers=given_).answer.status_code < 500


@quick
@given(
    junk=st.one_of(st.binary(max_size=2_000), st.text(max_size=500).map(lambda text: text.encode("utf-8", "replace")))
)
def test_no_body_breaks_the_hub(quiet: Agency, junk: bytes) -> None:
    before = quiet.hub.count(*STORED)
    for path in (*PACKETS, *SMALL):
        answer = raw(quiet.hub, "POST", path, quiet.token, junk, headers=length(len(junk))).answer
        assert answer.status_code < 500
        if path != "/v1/documents/validate":
            assert answer.status_code >= 400
    assert quiet.hub.count(*STORED) == before


CUTS = st.tuples(
    st.floats(0, 1),
    st.floats(0, 0.2),
    st.one_of(st.binary(max_size=20), st.sampled_from([b"<", b">", b"&", b"]]>", b"\0"])),
)


@quick
@given(cut=CUTS, kind=st.sampled_from(["document", "status"]))
def test_no_packet_with_a_piece_changed_breaks_the_hub_or_says_something_else(
    quiet: Agency, cut: tuple[float, float, bytes], kind: str
) -> None:
    document = quiet.peer.draft("H41", number="1")
    packet = quiet.peer.packet(document) if kind == "document" else quiet.status("03", document)
    at, span, put = int(cut[0] * len(packet)), int(cut[1] * 200), cut[2]
    changed = packet[:at] + put + packet[at + span :]
    for path in PACKETS:
        answer = raw(quiet.hub, "POST", path, quiet.token, changed, headers=length(len(changed))).answer
        assert answer.status_code < 500
    # A blank more outside the envelope or in Base64 changes nothing that is signed; then the packet may be accepted.
    assert {row.content_digest for row in quiet.hub.rows(t.document)} <= {content_digest(document)}
    assert {row.addressed for row in quiet.hub.rows(t.delivery)} <= {"H41"}


# Where it goes.


def test_a_method_an_address_does_not_have_is_refused_with_those_it_has(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        token = hub.enrol("H41").token
        for path in sorted({path for _, path in operations(hub.app)}):
            has = {method for method, at in operations(hub.app) if at == path}
            has |= {"GET"} if path == "/v1/documents/validate" else set()  # reads as the id of a document
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "CHẶN", "*"} - has:
                seen = raw(hub, method, filled(path), token, headers=length(50 * MIB))
                body = refused(seen.answer, "method-not-allowed")
                assert set(seen.answer.headers["allow"].split(", ")) == has
                assert body["violations"][0]["repair"] == seen.answer.headers["allow"]
                assert seen.asked == 0


def test_an_unknown_address_is_not_found_and_leads_nowhere_else(tmp_path: Path) -> None:
    paths = ["/", "/v1", "/v1/", "/v2/inbox", "/v1/inbox/", "/v1/documents/", "//v1/inbox", "/v1//inbox", "/V1/INBOX"]
    paths += ["/v1/../v1/inbox", "/v1/./inbox", "/v1/inbox;x=1", "/v1/inbox\0", "/v1/inbox%00", "/v1/nothing", "*", ""]
    paths += ["/.env", "/admin", "/v1/documents/a/b/c", "/v1/" + "a/" * 5_000, "/v1/" + "x" * 200_000]
    with a_hub(tmp_path) as hub:
        token = hub.enrol("H41").token
        for path in paths:
            for method in ("GET", "POST"):
                refused(raw(hub, method, path, token, headers=length(50 * MIB)).answer, "not-found")


def test_a_well_formed_request_id_is_given_back_and_any_other_replaced(tmp_path: Path) -> None:
    good = [b"a", b"vet-1._X", b"0" * 64]
    bad = [b"", b"0" * 65, b"a b", b"a\r\nx: y", b"\xc3\xa9", b"<script>", b"a,b", b"\0", b"{}"]
    with a_hub(tmp_path) as hub:
        token = hub.enrol("H41").token
        for method, path in (("GET", "/v1/inbox"), ("GET", "/v1/nothing"), ("PUT", "/v1/inbox"), ("GET", "/healthz")):
            for value in [*good, *bad]:
                answer = raw(hub, method, path, token, headers=[(b"x-request-id", value)]).answer
                (echoed,) = answer.headers.get_list("x-request-id")
                if value in good:
                    assert echoed == value.decode()
                else:
                    assert len(echoed) == 16
                    assert set(echoed) <= set("0123456789abcdef")


def test_two_requests_without_an_id_get_different_ones(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        ids = {hub.ask("GET", "/healthz").headers["x-request-id"] for _ in range(20)}
        assert len(ids) == 20
