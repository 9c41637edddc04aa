"""The dialect on the wire: its answers, bodies, paths and verbs.

Whatever fails below ``/axis`` is told in JSON with its three members (the builder checks it), since SDK 2.0.1 shows
anything else as an empty inbox.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.axis import Peer
from builders.dialect import ARGUMENTS_ONLY, METHODS, WITH_BODY, Headers, ask, hear, pour, problem, raw, said
from builders.served import Served, a_served_hub
from builders.wire import Wire

from clients.gateway_client import hash_file

KIB = 1024


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_served_hub(tmp_path_factory.mktemp("served")) as hub:
        yield hub


@pytest.fixture(scope="module")
def office(served: Served) -> Peer:
    served.axis.enrol("H41")
    return served.axis.enrol("G22")


# What comes back.


@pytest.mark.parametrize("method", METHODS)
def test_no_answer_is_packed_though_packing_is_offered(served: Served, office: Peer, method: str) -> None:
    offered: Headers = [(b"Accept-Encoding", b"gzip,deflate"), (b"Accept", b"text/html, */*; q=0.2")]
    for headers in (said(office), []):
        pour(served, raw(method, offered + headers)).read(method)  # where that is checked


def test_names_with_marks_arrive_in_ascii(served: Served, office: Peer) -> None:
    heard = pour(served, raw("getAgenciesList", said(office)))
    names = {entry["code"]: entry["name"] for entry in heard.read("getAgenciesList").items}
    assert names["H41"] == "Ủy ban nhân dân tỉnh Nghệ An"
    assert heard.headers["content-type"] == "application/json;charset=UTF-8"


def test_a_refused_download_is_an_empty_body_with_its_length(served: Served, office: Peer) -> None:
    """downloadEdoc2 says neither who asks nor for what; a JSON would be kept as the document."""
    for data in (
        b"GET /axis/downloadEdoc HTTP/1.1\r\nHost: x\r\nUser-Agent: Apache-HttpClient/4.5.6 (Java/17)\r\n\r\n",
        raw("downloadEdoc", said(office)),
        raw("downloadEdoc", said(office), verb="POST"),
        raw("downloadEdoc2", said(office)),
        raw("downloadEdoc", [], prefix="/tinh/axis"),
        raw("downloadEdoc2", [], prefix=""),
    ):
        heard = pour(served, data)
        assert (heard.status, heard.content, heard.headers["content-length"]) == (404, b"", "0")


# Bodies.

KINDS = ["application/json", "application/octet-stream", "text/html", "multipart/form-data; boundary=x", "", "rác"]
BODIES = [b"", b"{}", b"[]", b'{"docId":"x"}', b"\xff\0r\xc3\xa1c", b"<edXML/>", b"x" * 64 * KIB]


@pytest.mark.parametrize("method", ARGUMENTS_ONLY)
def test_where_arguments_stand_in_headers_any_body_of_any_kind_is_taken(
    served: Served, office: Peer, method: str
) -> None:
    plain = ask(served, method, said(office))
    for kind in KINDS:
        for body in BODIES:
            headers = [(b"Content-Type", kind.encode()), *said(office)]
            assert ask(served, method, headers, body) == plain


@pytest.mark.parametrize("method", [*ARGUMENTS_ONLY, "registerAgency"])
def test_a_body_above_64_kib_is_refused_where_there_is_none_of_use(served: Served, office: Peer, method: str) -> None:
    head = raw(method, said(office)).replace(b"Content-Length: 0", b"Content-Length: %d" % (64 * KIB + 1))
    answer = pour(served, head).read(method)
    assert (answer.code, answer.description[:16]) == ("10", "[json-too-large]")


def test_a_packet_above_the_limit_is_refused_before_a_byte_of_it(served: Served, office: Peer) -> None:
    head = raw("sendEdoc", said(office, {"hash-file": "0"}))
    for size, code in ((50 * KIB * KIB + 2, None), (50 * KIB * KIB + 3, "10"), (10**11, "10"), (10**40, "10")):
        with Wire(served.base_url) as wire:
            wire.pour(head.replace(b"Content-Length: 0", b"Expect: 100-continue\r\nContent-Length: %d" % size))
            heard = hear(wire)
            assert heard.status == 100 if code is None else heard.read("sendEdoc").code == code


@pytest.mark.parametrize("method", WITH_BODY)
@pytest.mark.parametrize("beside", [b"Transfer-Encoding: chunked", b"Content-Length: 2\r\nContent-Encoding: gzip"])
def test_a_body_in_chunks_or_packed_is_refused(served: Served, office: Peer, method: str, beside: bytes) -> None:
    data = raw(method, said(office, {"hash-file": "0"})).replace(b"Content-Length: 0", beside)
    answer = pour(served, data).read(method)
    assert (answer.code, answer.description[:9]) in {("10", "[length-r"), ("10", "[content-")}


def test_a_body_that_stops_coming_passes_and_leaves_nothing(tmp_path: Path) -> None:
    with a_served_hub(tmp_path, body_timeout=0.3) as hub:
        hub.axis.enrol("H41")
        office = hub.axis.enrol("G22")
        packet = office.packet(office.draft("H41"))
        whole = raw("sendEdoc", said(office, {"hash-file": hash_file(packet)}), packet + b"\r\n")
        answer = pour(hub, whole[:-1]).read("sendEdoc")
        assert (answer.http_status, answer.code, answer.doc_id) == (503, "99", "")
        assert pour(hub, raw("getEdoc", said(office), b"{}")[:-1]).read("getEdoc").code == "99"
        assert pour(hub, whole).read("sendEdoc").ok


# Asking first.


@pytest.mark.parametrize("method", WITH_BODY)
def test_who_asks_first_is_told_to_go_on(served: Served, office: Peer, method: str) -> None:
    """The client waits three seconds for it, with each call."""
    asked = said(office, {"hash-file": hash_file(b"{}")})
    data = raw(method, [(b"Expect", b"100-continue"), *asked], b"{}")
    with Wire(served.base_url) as wire:
        wire.pour(data[:-2])
        began = wire.socket.recv(65536)
        assert began == b"HTTP/1.1 100 Continue\r\n\r\n"
        answer = hear(wire.pour(data[-2:])).read(method)
    assert answer.code != "15"


@pytest.mark.parametrize("method", WITH_BODY)
def test_who_is_not_known_is_told_so_at_once_and_not_to_go_on(served: Served, office: Peer, method: str) -> None:
    for headers in ([], said(office, secret="sai")):
        with Wire(served.base_url) as wire:
            wire.pour(raw(method, [(b"Expect", b"100-continue"), *headers], b"{}")[:-2])
            assert hear(wire).read(method).code == "15"
    assert ask(served, "countReceiveEdoc", said(office)).ok


def test_an_answered_connection_serves_the_next_call(served: Served, office: Peer) -> None:
    with Wire(served.base_url) as wire:
        for method in ("getAgenciesList", "nothing", "downloadEdoc", "getReceivedEdocList", "getEdoc"):
            hear(wire.pour(raw(method, said(office)))).read(method)
        assert wire.pour(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").hear().status == 200


# Paths and verbs.

FOUND = [
    *("/axis/{}", "/axis//{}", "//axis/{}", "//axis//{}", "///axis///{}/", "/axis/{}/", "/axis/{}?x=1", "/axis/{}#x"),
    *("/tinh/axis/{}", "/a/b/c/axis//{}", "/%61xis/{}", "http://hub.example.vn/axis/{}", "/{}", "/AXIS/{}", "/tinh/{}"),
]


@pytest.mark.parametrize("path", FOUND)
def test_a_method_is_found_wherever_the_configured_endpoint_leads(served: Served, office: Peer, path: str) -> None:
    for method in ("countReceiveEdoc", "getReceivedEdocList"):
        data = raw(method, said(office)).replace(f"/axis/{method}".encode(), path.format(method).encode(), 1)
        assert pour(served, data).read(method).ok


def test_a_method_may_be_written_in_percent_signs(served: Served, office: Peer) -> None:
    data = raw("countReceiveEdoc", said(office)).replace(b"/countReceiveEdoc ", b"/c%6funtReceive%45doc ")
    assert pour(served, data).read("countReceiveEdoc").ok


UNKNOWN = [
    *("/axis", "/axis/", "//axis//", "/axis/x", "/axis/getedoc", "/axis/GETEDOC", "/axis/getEdoc/x"),
    *("/axis/getEdoc%00", "/axis/v1/documents", "/axis/../v1/documents", "/axis/%2e%2e/healthz"),
    *(
        "/axis/" + "x" * 9_000,
        "/axis?x",
        "/axis/%ff%fe",
        "/axis/index.html",
        "/axis/getListUnit",
        "/axis/{}",
        "/axis/getEdoc%2fx",
    ),
]


@pytest.mark.parametrize("path", UNKNOWN, ids=range(len(UNKNOWN)))
@pytest.mark.parametrize("verb", ["GET", "POST", "PUT"])
def test_below_axis_what_is_no_method_is_refused_in_the_dialect(
    served: Served, office: Peer, path: str, verb: str
) -> None:
    for headers in (said(office), []):
        data = raw("?", headers, verb=verb).replace(b"/axis/?", path.encode(), 1)
        answer = pour(served, data).read("?")
        assert (answer.code, answer.description[:17]) == ("22", "[gateway-method] ")
        assert len(answer.description) < 1_000


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "POST"])
def test_a_method_has_one_verb(served: Served, office: Peer, verb: str) -> None:
    for method in METHODS:
        if verb != ("GET" if method == "downloadEdoc" else "POST"):
            answer = pour(served, raw(method, said(office), verb=verb)).read(method)
            assert answer.http_status == (404 if method == "downloadEdoc" else 200)
            assert method == "downloadEdoc" or answer.description.startswith("[gateway-method]")


@pytest.mark.parametrize("method", ["getEdoc", "downloadEdoc", "x"])
def test_head_is_answered_without_a_body(served: Served, office: Peer, method: str) -> None:
    data = raw(method, [*said(office), (b"Connection", b"close")], verb="HEAD")
    with Wire(served.base_url) as wire:
        head, _, body = wire.pour(data).rest().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404" if method == "downloadEdoc" else b"HTTP/1.1 200")
    assert body == b""


NOT_OF_IT = [
    *(
        "/AXIS/x",
        "/axisx",
        "/xaxis/x",
        "/getedoc",
        "/v1/axis",
        "/tinh/axis/x",
        "/tinh/axis/getEdoc/x",
        "/axi%73x/getEdoc2",
    ),
    *(
        "/v1/getEdoc",
        "/v1/axis/getEdoc",
        "/v1/documents/getEdoc",
        "/v1/documents/axis",
        "/v1/nothing",
        "/v1//getEdoc",
        "/",
    ),
]


@pytest.mark.parametrize("path", NOT_OF_IT)
def test_other_paths_keep_their_problems(served: Served, office: Peer, path: str) -> None:
    data = raw("?", said(office)).replace(b"/axis/?", path.encode(), 1)
    assert problem(served, data) in {(404, "not-found"), (405, "method-not-allowed")}
