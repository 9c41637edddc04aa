"""The answers of the gateway: each is read, and none that would break the vendor's Java client."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from builders.canned import PACKET, RECEIVED, SENT, a_client, ask, canned, says
from builders.served import Deed, answers, nobody_listens

from clients.gateway_client import Answer, NoDocument, UnreadableAnswer


def test_every_answer_is_read() -> None:
    def read(method: str) -> Any:
        return ask(method, canned(method))

    assert [item["code"] for item in read("getAgenciesList").items] == ["H05", "H05.01"]
    assert [item["name"] for item in read("getAgenciesListQD20").items] == [
        "Văn phòng Chính phủ",
        "Ủy ban nhân dân tỉnh Nghệ An",
    ]
    assert [(item["version"], item["deleted"]) for item in read("getSynchronizeUnit").items] == [(2, False)]
    assert [(item["docId"], item["from"]) for item in read("getReceivedEdocList").items] == [(RECEIVED, "G22")]
    assert [item["receiveStatusDesc"] for item in read("getSentEdocList").items] == ["Đã nhận", "Chờ nhận"]
    assert read("sendEdoc").doc_id == SENT
    assert read("getEdoc").packet == PACKET
    assert read("downloadEdoc") == PACKET
    assert (read("countReceiveEdoc").count, read("countReceiveStatus").count) == (3, 1)
    common = {"status": "OK", "ErrorCode": "0", "ErrorDesc": "Thành công"}
    for method in ("registerAgency", "deleteAgency", "updateStatus"):
        assert read(method) == Answer(True, "0", "Thành công", common, 200)


REFUSED = {"status": "FAIL", "ErrorCode": "5", "ErrorDesc": "Không có văn bản"}


@pytest.mark.parametrize(
    ("method", "more", "found"),
    [
        ("getReceivedEdocList", {}, lambda answer: answer.items == ()),
        ("getAgenciesList", {"data": "not looked at"}, lambda answer: answer.items == ()),
        ("getEdoc", {"data": ""}, lambda answer: answer.packet == b""),
        ("sendEdoc", {"DocId": ""}, lambda answer: answer.doc_id == ""),
        ("countReceiveEdoc", {}, lambda answer: answer.count == 0),
        ("updateStatus", {}, lambda answer: True),
    ],
)
@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_refusal_is_an_answer_whatever_its_http_status(
    method: str, more: dict[str, str], found: Callable[[Answer], bool], status: int
) -> None:
    answer = ask(method, says(status, **(REFUSED | more)))
    assert (answer.ok, answer.code, answer.description) == (False, "5", "Không có văn bản")
    assert (answer.http_status, answer.temporary) == (status, False)
    assert found(answer)


@pytest.mark.parametrize(("status", "code", "temporary"), [(503, "99", True), (503, "5", False), (200, "99", False)])
def test_only_503_with_code_99_is_temporary(status: int, code: str, temporary: bool) -> None:
    assert ask("updateStatus", says(status, **(REFUSED | {"ErrorCode": code}))).temporary is temporary


LISTED_ANSWER = b'{"status":"OK","ErrorCode":"0","ErrorDesc":"","data":[{"docId":"a","unknown":"b"}],"more":null}'


@pytest.mark.parametrize(
    "deed",
    [
        answers(200, b"\xef\xbb\xbf" + LISTED_ANSWER),
        answers(200, json.dumps(json.loads(LISTED_ANSWER), indent=2).encode(), Content_Type="text/html"),
        answers(200, gzip.compress(LISTED_ANSWER), Content_Encoding="gzip"),
    ],
    ids=["byte order mark", "indented, of another type", "packed"],
)
def test_what_java_overlooks_is_overlooked(deed: Deed) -> None:
    assert ask("getReceivedEdocList", deed).items == ({"docId": "a", "unknown": "b"},)


def test_a_packet_may_come_in_lines_and_in_the_alphabet_for_addresses() -> None:
    packet = "<a>\u00ff\u00fe\u07ff\U0010ffff?????>>>>>~~~~~</a>".encode() * 5
    lines = base64.encodebytes(packet).decode().replace("+", "-").replace("/", "_")
    assert {"-", "_", "\n"} <= set(lines), "the packet does not show the difference"
    assert ask("getEdoc", says(data=lines)).packet == packet


def unit(**members: Any) -> Deed:
    return says(data=[{"id": "H05", "version": 1, "deleted": False} | members])


SENT_WELL = b'{"status":"OK","ErrorCode":"0","ErrorDesc":"","DocId":"a"}'
UNREADABLE: dict[str, tuple[str, Deed, str]] = {
    "empty": ("updateStatus", answers(200), "empty"),
    "no content": ("getReceivedEdocList", answers(204), "empty"),
    "a page": ("getReceivedEdocList", answers(502, b"<h1>Bad Gateway</h1>"), "not JSON"),
    "no UTF-8": ("getAgenciesList", answers(200, '{"status":"Đã"}'.encode("utf-16")), "not JSON"),
    "an array": ("updateStatus", answers(200, b"[]"), "array, not object"),
    "status missing": ("updateStatus", says(status=None), "status: missing, not string"),
    "ErrorCode missing": ("updateStatus", says(ErrorCode=None), "ErrorCode: missing, not string"),
    "ErrorDesc missing": ("updateStatus", says(ErrorDesc=None), "ErrorDesc: missing, not string"),
    "ErrorDesc null": (
        "updateStatus",
        answers(200, b'{"status":"OK","ErrorCode":"0","ErrorDesc":null}'),
        "ErrorDesc: null, not string",
    ),
    "ErrorCode a number": ("updateStatus", says(ErrorCode=0), "ErrorCode: integer, not string"),
    "status a boolean": ("updateStatus", says(status=True), "status: boolean, not string"),
    "OK with an error": ("updateStatus", says(ErrorCode="5"), "status OK with ErrorCode 5"),
    "FAIL without one": ("updateStatus", says(status="FAIL"), "status FAIL with ErrorCode 0"),
    "another status": ("updateStatus", says(status="Ok"), "status Ok with ErrorCode 0"),
    "no list": ("getReceivedEdocList", says(), "data: missing, not array"),
    "an object for a list": ("getSentEdocList", says(data={}), "data: object, not array"),
    "null for a list": (
        "getAgenciesListQD20",
        answers(200, b'{"status":"OK","ErrorCode":"0","ErrorDesc":"","data":null}'),
        "data: null, not array",
    ),
    "null in an item": ("getAgenciesList", says(data=[{"id": "a"}, {"mail": None}]), "data[1].mail: null, not string"),
    "a number in an item": ("getAgenciesList", says(data=[{"id": 1}]), "data[0].id: integer, not string"),
    "a text in a list": ("getSentEdocList", says(data=["a"]), "data[0]: string, not object"),
    "an empty version": ("getSynchronizeUnit", unit(version=""), "data[0].version: string, not integer"),
    "a version of 1.5": ("getSynchronizeUnit", unit(version=1.5), "data[0].version: number, not integer"),
    "deleted by a text": ("getSynchronizeUnit", unit(deleted="false"), "data[0].deleted: string, not boolean"),
    "isAgency null": ("getSynchronizeUnit", unit(isAgency=None), "data[0].isAgency: null, not boolean"),
    "no packet": ("getEdoc", says(), "data: missing, not string"),
    "no data with a refusal": ("getEdoc", says(**REFUSED), "data: missing, not string"),
    "no base64": ("getEdoc", says(data="<edXML/>"), "base64"),
    "a packet in UTF-16": ("getEdoc", says(data=base64.b64encode("ộ".encode("utf-16")).decode()), "utf-8"),
    "no count": ("countReceiveEdoc", says(), "count: missing, not integer"),
    "a count in words": ("countReceiveStatus", says(count="bảy"), "count: string, not integer"),
    "no DocId": ("sendEdoc", says(), "DocId: missing, not string"),
    "no DocId with a refusal": ("sendEdoc", says(**REFUSED), "DocId: missing, not string"),
    "sent with letters": (
        "sendEdoc",
        answers(200, '{"status":"OK","ErrorCode":"0","ErrorDesc":"Thành công","DocId":"a"}'.encode()),
        "not ASCII",
    ),
    "sent, and 202": ("sendEdoc", answers(202, SENT_WELL), "HTTP 202"),
    "sent, and 302": ("sendEdoc", answers(302, SENT_WELL), "HTTP 302"),
    "sent, and packed": ("sendEdoc", answers(200, gzip.compress(SENT_WELL), Content_Encoding="gzip"), "not offered"),
    "packed otherwise": ("updateStatus", answers(200, SENT_WELL, Content_Encoding="zstd"), "zstd, which was not"),
    "packed wrongly": ("updateStatus", answers(200, SENT_WELL, Content_Encoding="gzip"), "packed wrongly"),
    "an error to keep": ("downloadEdoc", answers(404, b"<h1>Not Found</h1>"), "HTTP 404 with an error"),
    "JSON to keep": ("downloadEdoc", answers(200, b'{"status":"FAIL"}'), "HTTP 200 with an error"),
}


@pytest.mark.parametrize(("method", "deed", "why"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_would_break_java_is_refused_with_its_reason(method: str, deed: Deed, why: str) -> None:
    with pytest.raises(UnreadableAnswer) as caught:
        ask(method, deed)
    assert caught.value.method == method
    assert why in caught.value.why
    assert str(caught.value).startswith(f"Không đọc được câu trả lời của / unreadable answer to {method}: ")


@pytest.mark.parametrize("status", [200, 404, 503])
def test_an_empty_download_is_no_document(status: int) -> None:
    with pytest.raises(NoDocument, match=RECEIVED):
        ask("downloadEdoc", answers(status))


def test_a_hub_that_does_not_answer_is_httpx_exception() -> None:
    with nobody_listens() as port, a_client(f"http://127.0.0.1:{port}") as client, pytest.raises(httpx.ConnectError):
        client.get_agencies_list()
