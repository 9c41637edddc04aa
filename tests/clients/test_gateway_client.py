"""The requests of the gateway's client: byte for byte what Java sends.

Compared with what Java's own HTTP clients and hash map made of invented data (``tests/data/gateway``), with the facts
of the contract, and with the captures of the vendor's client where they lie beside the project.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders.canned import BORN, CALLS, OWN, PACKET, RECEIVED, SECRET, SENT, SYSTEM, a_client, ask, canned, gives, says
from builders.served import a_line, nobody_listens
from hypothesis import given
from hypothesis import strategies as st

from clients.gateway_client import GatewayClient, hash_file, hash_map_order, signed_headers, timestamp

CAPTURED = Path(__file__).parents[3] / "shared" / "fixtures" / "gateway"
ID, LISTED = "665f00000000000000000001", {"servicetype": "eDoc", "messagetype": "edoc"}
HASH_FILE = "09e2580af85d874bd6f2dd23bfabf1b3844f15d2c45b711bb7b3fcbad9ad38"
# gateway.md §8: method, arguments, order of the keys, signature; of test.system with test-secret.
FACTS: list[tuple[str, dict[str, str], str, str]] = [
    *(
        (method, {}, "systemid;timestamp;Content-Type",
         "1e1898f67974093cacd38d665a32dcbd1d55b22138ba48991bece298011b07de")
        for method in ("getAgenciesList", "getSynchronizeUnit", "registerAgency")
    ),
    ("getAgenciesListQD20", {"level": "1"}, "systemid;level;timestamp;Content-Type",
     "0b40016a2cbda6b3247669eacc331b635cba201ed836d50ed8f64c2357bc1499"),
    ("deleteAgency", {"AgencyCode": "000.00.01.X01"}, "systemid;AgencyCode;timestamp;Content-Type",
     "1b8a21ed87dcf465fa6a63c89979f2456dcacc43419d5582f66e28543c8a5c3e"),
    ("sendEdoc",
     LISTED | {"from": "test.system", "to": '["000.00.01.X01","000.00.02.X02"]', "hash-file": HASH_FILE},
     "systemid;servicetype;messagetype;hash-file;from;to;timestamp;Content-Type",
     "87bab420645e00266e0f816b1be9907bfd49ecd64cf8c9b4f71b50c43083b14b"),
    *(
        (method, LISTED, "systemid;servicetype;messagetype;timestamp;Content-Type",
         "7f0f5248533f2e413f3fdaa576f4de579356d9eaf797b39bf6561162ab27089d")
        for method in ("getReceivedEdocList", "countReceiveEdoc")
    ),
    *(
        (method, {"filePath": "inbox", "docId": ID}, "systemid;docId;filePath;timestamp;Content-Type",
         "81d273f47678a4fa7ab209355e1e36b6c39e347e28c96805a8c859fa9a471cd8")
        for method in ("getEdoc", "downloadEdoc")
    ),
    ("updateStatus", {"status": "done", "docId": ID}, "systemid;docId;timestamp;Content-Type;status",
     "7b0532c158b562b5041ce4300f3e2cc4a427c21d0d4077b530459e25b946a1f9"),
    ("getSentEdocList", LISTED | {"docId": "665f00000000000000000000"},
     "systemid;servicetype;messagetype;docId;timestamp;Content-Type",
     "552d82778e61646aa0d891fdecd293c215a1410bc4a0b0608ac78a447cd89710"),
]  # fmt: skip


def headers_of(request: bytes) -> list[tuple[str, str]]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]


def comparable(request: bytes) -> tuple[bytes, list[tuple[str, str]], bytes]:
    """First line, headers and body, without what depends on the machine and what httpx cannot do."""
    headers = [header for header in headers_of(request) if header[0] not in {"Host", "Expect"}]
    return request.partition(b"\r\n")[0], headers, request.partition(b"\r\n\r\n")[2]


def signed_values(request: bytes) -> dict[str, str]:
    signed = dict(headers_of(request))["XroadVnpt-sign-header"]
    return {key.removeprefix("XroadVnpt-"): value for key, value in json.loads(signed).items()}


@pytest.mark.parametrize(("method", "arguments", "keys", "signature"), FACTS, ids=[fact[0] for fact in FACTS])
def test_order_and_signature_are_those_of_the_contract(
    method: str, arguments: dict[str, str], keys: str, signature: str
) -> None:
    kind = "application/octet-stream" if method == "sendEdoc" else "application/json"
    born = {"timestamp": "02012025T030405+0678", "systemid": "test.system", "Content-Type": kind}
    lines = dict(signed_headers(born | arguments, "test-secret"))
    assert (lines["XroadVnpt-sign-header-key"], lines["XroadVnpt-hash-header"]) == (keys, signature)


@pytest.mark.parametrize("method", CALLS)
def test_every_call_goes_out_as_java_writes_it(method: str) -> None:
    with a_line(canned(method)) as line, a_client(f"{line.base_url}/axis") as client:
        CALLS[method](client)
    (request,) = line.requests
    assert comparable(request) == comparable((OWN / f"{method}.req").read_bytes())
    assert dict(headers_of(request))["Host"] == line.base_url.removeprefix("http://")


@pytest.mark.parametrize("method", CALLS)
def test_the_fixtures_are_signed_as_the_contract_says(method: str) -> None:
    request = (OWN / f"{method}.req").read_bytes()
    headers = dict(headers_of(request))
    signed = headers["XroadVnpt-sign-header"]
    assert headers["XroadVnpt-hash-header"] == hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()
    values = signed_values(request)
    assert headers["XroadVnpt-sign-header-key"] == ";".join(values)
    assert values == {key: headers[f"XroadVnpt-{key}"] for key in values}
    assert (values["systemid"], values["timestamp"]) == (SYSTEM, timestamp(BORN))
    if method == "sendEdoc":
        assert request.endswith(b"\r\n\r\n" + PACKET + b"\r\n")
        assert int(headers["Content-Length"]) == len(PACKET) + 2
        digest = hashlib.sha256(PACKET).hexdigest()
        assert values["hash-file"] == "".join(str(digest[at : at + 2]).removeprefix("0") for at in range(0, 64, 2))


@pytest.mark.skipif(not CAPTURED.is_dir(), reason="the captures of the vendor's client are not beside the project")
@pytest.mark.parametrize(("method", "arguments"), [fact[:2] for fact in FACTS], ids=[fact[0] for fact in FACTS])
def test_every_call_goes_out_as_the_vendors_client_was_heard(method: str, arguments: dict[str, str]) -> None:
    heard = (CAPTURED / f"{method}.req").read_bytes()
    born = datetime(2025, 1, 1, 20, 4, 5, 678_000, tzinfo=UTC)
    with (
        a_line(gives((CAPTURED / f"{method}.resp").read_bytes())) as line,
        a_client(line.base_url, "test.system", "test-secret", born) as client,
    ):
        client.ask(method, arguments, heard.partition(b"\r\n\r\n")[2])
    assert comparable(line.requests[0]) == comparable(heard)


@pytest.mark.skipif(not CAPTURED.is_dir(), reason="the captures of the vendor's client are not beside the project")
def test_every_capture_is_compared() -> None:
    assert {path.stem for path in CAPTURED.glob("*.req")} == {fact[0] for fact in FACTS}


OWN_KEYS = "timestamp systemid Content-Type"
LISTING = f"{OWN_KEYS} servicetype messagetype fromDate toDate docId filePath status description from"
# As java.util.HashMap of Java 17 gave them back: twelve fill a table of 16, thirteen double it, twenty-five again.
ORDERS = {
    LISTING: "fromDate systemid servicetype messagetype docId toDate filePath description from timestamp Content-Type "
    "status",
    f"{LISTING} to": "systemid messagetype docId toDate filePath description fromDate servicetype from to timestamp "
    "Content-Type status",
    f"{LISTING} to hash-file level AgencyCode docid k1 k2 k3 k4 k5 k6 k7 k8": "systemid messagetype docId description "
    "AgencyCode from timestamp Content-Type level docid k1 toDate filePath k2 k3 k4 k5 k6 k7 k8 fromDate servicetype "
    "hash-file to status",
    f"{OWN_KEYS} AaAa BBBB AaBB BBAa": "systemid timestamp Content-Type AaAa BBBB AaBB BBAa",  # one hash code
    f"{OWN_KEYS} BBAa AaBB BBBB AaAa": "systemid timestamp Content-Type BBAa AaBB BBBB AaAa",
    f"{OWN_KEYS} mã-văn-bản nơi-nhận": "systemid nơi-nhận mã-văn-bản timestamp Content-Type",
    f"{OWN_KEYS} 😀": "systemid 😀 timestamp Content-Type",  # two UTF-16 units
}


@pytest.mark.parametrize(("keys", "order"), ORDERS.items())
def test_keys_stand_in_the_order_of_javas_hash_map(keys: str, order: str) -> None:
    assert hash_map_order(keys.split()) == order.split()


def test_keys_of_earlier_calls_are_sent_again() -> None:
    deeds = [canned(method) for method in ("getEdoc", "updateStatus", "sendEdoc")]
    with a_line(*deeds, says(data=[])) as line, a_client(line.base_url) as client:
        client.get_edoc(RECEIVED)
        client.update_status(RECEIVED, "done")
        client.send_edoc(PACKET, sender="H05")
        client.get_received_edoc_list("status")
    assert [dict(headers_of(request))["XroadVnpt-sign-header-key"] for request in line.requests] == [
        "systemid;docId;timestamp;Content-Type",
        "systemid;docId;timestamp;Content-Type;status",
        "systemid;servicetype;messagetype;docId;hash-file;from;timestamp;Content-Type;status",
        "systemid;servicetype;messagetype;docId;hash-file;from;timestamp;Content-Type;status",
    ]
    last = signed_values(line.requests[-1])
    assert (last["docId"], last["status"], last["hash-file"]) == (RECEIVED, "done", hash_file(PACKET))
    assert (last["messagetype"], last["Content-Type"]) == ("status", "application/json")


def test_the_timestamp_is_the_moment_of_construction_in_vietnams_time() -> None:
    moments = iter(BORN + timedelta(hours=hours) for hours in range(3))
    with (
        a_line(says(data=[]), says(data=[])) as line,
        GatewayClient(line.base_url, SYSTEM, SECRET, clock=lambda: next(moments)) as client,
    ):
        client.get_agencies_list()
        client.get_synchronize_unit()
    assert [signed_values(request)["timestamp"] for request in line.requests] == ["01102025T090507+0042"] * 2
    assert next(moments) == BORN + timedelta(hours=1), "the clock was asked more than once"


def test_names_that_differ_in_case_are_two_lines_of_apache_and_one_of_the_jdk() -> None:
    both = {"docId": "cũ", "docid": "mới"}
    with a_line(says(data=""), says(DocId="")) as line, a_client(line.base_url) as client:
        client.call("getEdoc", both)
        client.call("sendEdoc", both, PACKET)
    apache, jdk = ([item for item in headers_of(request) if "doc" in item[0].lower()] for request in line.requests)
    assert apache == [("XroadVnpt-docId", "cũ"), ("XroadVnpt-docid", "mới")]
    assert jdk == [("XroadVnpt-docId", "mới")]
    assert [signed_values(request).items() >= both.items() for request in line.requests] == [True, True]


def test_a_text_with_line_breaks_is_one_line_and_signed_as_it_is() -> None:
    reason = " Không mở được tệp\r\nXroadVnpt-status: done\0"
    with a_line(says()) as line, a_client(line.base_url) as client:
        client.update_status(RECEIVED, "fail", reason)
    headers = headers_of(line.requests[0])
    assert [value for name, value in headers if name == "XroadVnpt-status"] == ["fail"]
    assert ("XroadVnpt-description", "Không mở được tệp  XroadVnpt-status: done") in headers
    assert signed_values(line.requests[0])["description"] == reason


def test_texts_are_escaped_as_gson_does() -> None:
    text = "\0\x01\x1f\b\t\n\f\r\"\\ /<>&='\x7f\u2027\u2028\u2029ộ😀"
    signed = dict(signed_headers({"description": text}, SECRET))["XroadVnpt-sign-header"]
    written = "\\u0000\\u0001\\u001f\\b\\t\\n\\f\\r\\\"\\\\ /<>&='\x7f\u2027\\u2028\\u2029ộ😀"
    assert signed == f'{{"XroadVnpt-description":"{written}"}}'


def test_one_recipient_and_one_text_to_register_go_out_as_they_are() -> None:
    with a_line(says(DocId=SENT), says()) as line, a_client(line.base_url) as client:
        client.send_edoc(PACKET, sender="H05", to="H41")
        client.register_agency('{"mail":cc"",')
    assert signed_values(line.requests[0])["to"] == '"H41"'
    assert line.requests[1].endswith(b'\r\n\r\n{"mail":cc"",')


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with nobody_listens() as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        assert ask("updateStatus", says()).ok


KEYS = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,15}", fullmatch=True)


@given(st.dictionaries(KEYS, st.text(max_size=40), max_size=30), st.text(min_size=1, max_size=40))
def test_whatever_the_arguments_the_signature_verifies_and_the_arguments_come_back(
    arguments: dict[str, str], secret: str
) -> None:
    values = {"timestamp": timestamp(BORN), "systemid": SYSTEM, "Content-Type": "application/json"} | arguments
    headers = signed_headers(values, secret)
    by_name = dict(headers)
    signed = by_name["XroadVnpt-sign-header"].encode()
    assert by_name["XroadVnpt-hash-header"] == hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    pairs = json.loads(signed, object_pairs_hook=list)
    assert {key.removeprefix("XroadVnpt-"): value for key, value in pairs} == values
    assert by_name["XroadVnpt-sign-header-key"] == ";".join(key.removeprefix("XroadVnpt-") for key, _ in pairs)
    assert all(not set("\0\r\n") & set(value) for _, value in headers)
