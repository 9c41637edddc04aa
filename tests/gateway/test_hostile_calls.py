"""Calls that no client of the field makes: anything in the signed headers, in arguments and in ids, over a socket.

That every answer is one a client can read is checked by the builder, for every test that uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.api import STORED, UNKNOWN
from builders.axis import Peer
from builders.commands import run
from builders.dialect import ARGUMENTS_ONLY, METHODS, Headers, ask, pour, raw, said, sealed
from builders.served import Served, a_served_hub
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from clients.gateway_client import Answer, hash_file
from hub.store import tables as t
from hub.store.engine import reading, writing

quick = settings(max_examples=60)
TEXT, HASH = b"XroadVnpt-sign-header", b"XroadVnpt-hash-header"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_served_hub(tmp_path_factory.mktemp("served")) as hub:
        yield hub


@pytest.fixture(scope="module")
def office(served: Served) -> Peer:
    return served.axis.enrol("G22")


@pytest.fixture(scope="module")
def province(served: Served) -> Peer:
    return served.axis.enrol("H41")


@pytest.fixture(scope="module")
def ministry(served: Served) -> Peer:
    """Who has nothing to do with what the others send."""
    return served.axis.enrol("G09")


def stored(hub: Served) -> int:
    with reading(hub.axis.desk.engine) as connection:
        counts = [select(func.count()).select_from(table) for table in (*STORED, t.refusal)]
        return sum(connection.execute(count).scalar_one() for count in counts)


def not_let_in(answer: Answer, method: str) -> None:
    """Refused for the signature, in the way of the method."""
    if method == "downloadEdoc":
        assert answer.http_status == 404
    else:
        assert (answer.http_status, answer.code) == (200, "15")
        assert answer.description.startswith("[gateway-signature]")


# The signed headers.


def json_of(system_id: str, more: str = "") -> bytes:
    return f'{{"XroadVnpt-systemid":"{system_id}"{more}}}'.encode()


def wrong_headers(system_id: str, secret: str) -> dict[str, Headers]:
    """Headers that prove nothing; where it is possible, signed with the right secret."""
    text, digest = sealed(json_of(system_id), secret)
    member = ',"XroadVnpt-docId":'
    texts = {
        "empty text": b"",
        "no JSON": b"systemid=" + system_id.encode(),
        "an array": b"[" + json_of(system_id) + b"]",
        "a string": b'"x"',
        "a number": b"1",
        "null": b"null",
        "deep": b"[" * 200 * 1024,
        "deep objects": b'{"a":' * 40_000,
        "no UTF-8": json_of(system_id, member + '"é"').decode().encode("latin-1"),
        "a key twice": json_of(system_id, f',"XroadVnpt-systemid":"{system_id}"'),
        "no systemid": b'{"XroadVnpt-docId":"1"}',
        "empty systemid": json_of(""),
        "systemid in other letters": json_of(system_id).replace(b"systemid", b"SystemId"),
        "unknown system": json_of(system_id + "x"),
        "a number with 5,000 digits": json_of(system_id, member + "1" * 5_000),
        **{f"a value {v}": json_of(system_id, member + v) for v in ("1", "true", "null", "{}", '["x"]')},
        "half a character": json_of(system_id, member + '"\\ud800"'),
        "NUL": json_of(system_id, member + '"\\u0000"'),
        "unprefixed": b'{"systemid":"' + system_id.encode() + b'"}',
    }
    return {
        "nothing": [],
        "no text": [digest],
        "no hash": [text],
        "text twice": [text, text, digest],
        "hash twice": [text, digest, digest],
        "two texts": [text, (TEXT, b"{}"), digest],
        "empty hash": [text, (HASH, b"")],
        "hash in capitals": [text, (HASH, digest[1].upper())],
        "hash of no hex": [text, (HASH, "ế".encode() * 32)],
        "wrong secret": sealed(text[1], secret + "x"),
        "empty secret": sealed(text[1], ""),
        **{name: sealed(value, secret) for name, value in texts.items()},
    }


WRONG = list(wrong_headers("", ""))


@pytest.mark.parametrize("name", WRONG)
def test_headers_that_prove_nothing_are_refused_by_15(served: Served, office: Peer, name: str) -> None:
    headers = wrong_headers(office.system_id, office.credentials["secret"])[name]
    for method in ("getReceivedEdocList", "sendEdoc", "getEdoc", "downloadEdoc"):
        not_let_in(ask(served, method, headers, b"{}" if method == "getEdoc" else b""), method)
    assert ask(served, "countReceiveEdoc", said(office)).ok  # and the right one begins the count of guesses anew


@pytest.mark.parametrize("method", METHODS)
def test_no_method_answers_who_is_not_known(served: Served, office: Peer, method: str) -> None:
    before = stored(served)
    for headers in ([], said(office, secret="sai"), said(office, {"systemid": "ai đó"})):
        not_let_in(ask(served, method, headers), method)
    assert ask(served, "countReceiveEdoc", said(office)).ok
    assert stored(served) == before


def test_a_system_is_not_another_by_signing_its_id(served: Served, office: Peer, province: Peer) -> None:
    not_let_in(ask(served, "getReceivedEdocList", said(office, {"systemid": province.system_id})), "")
    own = ask(served, "getReceivedEdocList", said(office, {"systemid": office.system_id}))
    assert own.ok


def test_an_unknown_system_and_a_wrong_secret_are_told_alike(served: Served, office: Peer) -> None:
    wrong = ask(served, "getEdoc", said(office, secret="sai"))
    unknown = ask(served, "getEdoc", said(office, {"systemid": "ai đó"}))
    assert wrong == unknown


def test_a_retired_system_is_unknown_and_a_locked_one_is_told_23(served: Served) -> None:
    peer = served.axis.enrol("H27")
    for action, code in (("lock", "23"), ("unlock", "0"), ("retire", "15")):
        served.axis.steer("H27", action)
        served.axis.desk.rosters.current(now=True)
        assert ask(served, "countReceiveEdoc", said(peer)).code == code


def test_a_system_enrolled_a_moment_ago_is_known_at_once(served: Served, office: Peer) -> None:
    assert ask(served, "countReceiveEdoc", said(office)).ok
    assert ask(served, "countReceiveEdoc", said(served.axis.enrol("H05"))).ok


def test_the_single_headers_are_not_read(served: Served, office: Peer, province: Peer) -> None:
    delivery = office.send("H41")["deliveries"][0]["id"]
    stray = [
        (b"XroadVnpt-systemid", office.system_id.encode()),
        (b"XroadVnpt-docId", UNKNOWN.encode()),
        (b"XroadVnpt-docid", b"../x"),
        (b"XroadVnpt-sign-header-key", b"nothing;of;it"),
        (b"XroadVnpt-version", b"9"),
    ]
    asked = said(province, {"docId": delivery})
    assert ask(served, "getEdoc", stray + asked).packet == ask(served, "getEdoc", asked + stray).packet != b""


def test_what_earlier_calls_left_in_the_clients_map_is_no_argument_of_this_one(
    served: Served, office: Peer, province: Peer
) -> None:
    delivery = office.send("H41")["deliveries"][0]["id"]
    stale = {
        "docId": "không phải mã", "docid": "x", "status": "lạ", "filePath": "/tmp", "description": "cũ", "from": "G09",
        "to": "{", "hash-file": "0", "level": "x", "AgencyCode": "H41", "fromDate": "", "Content-Type": "text/html",
    }  # fmt: skip
    for method in ("getAgenciesList", "getSynchronizeUnit", "countReceiveEdoc", "countReceiveStatus"):
        assert ask(served, method, said(province, stale | {"messagetype": "lạ", "fromDate": "hôm qua"})).ok
    listed = ask(served, "getReceivedEdocList", said(province, stale)).items
    assert delivery in [entry["docId"] for entry in listed]
    assert ask(served, "getEdoc", said(province, stale | {"docId": delivery})).ok
    assert ask(served, "updateStatus", said(province, stale | {"docid": delivery, "status": "done"})).ok
    assert ask(served, "getSentEdocList", said(province, stale | {"docId": delivery})).ok


def test_of_docid_and_docid_a_fetch_takes_the_one_and_a_status_the_other(
    served: Served, office: Peer, province: Peer
) -> None:
    first, second = (office.send("H41")["deliveries"][0]["id"] for _ in range(2))
    both = {"docId": first, "docid": second}
    for method in ("getEdoc", "downloadEdoc"):
        assert pour(served, raw(method, said(province, both))).status == 200
    assert not ask(served, "updateStatus", said(province, both | {"status": "done"})).ok  # it was never fetched
    assert ask(served, "updateStatus", said(province, {"docId": first, "status": "done"})).ok
    assert ask(served, "getEdoc", said(province, {"docid": second})).ok
    assert ask(served, "updateStatus", said(province, both | {"status": "done"})).ok
    assert [served.axis.delivery(each).state.value for each in (first, second)] == ["delivered", "delivered"]


# Anything in the arguments.

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
names = st.sampled_from([
    "timestamp", "Content-Type", "servicetype", "messagetype", "docId", "docid", "filePath", "status", "description",
    "from", "to", "level", "AgencyCode", "fromDate", "toDate",
])  # fmt: skip
bodies = st.sampled_from([b"", b"{}", b"[]", b'{"code":"H41.1","name":"\\ud800"}', b"\xff", b"<edXML/>\r\n"])


@quick
@given(st.sampled_from(METHODS), st.dictionaries(names | texts, texts, max_size=8), bodies)
def test_any_arguments_that_are_signed_rightly_are_let_in_and_answered(
    served: Served, office: Peer, method: str, arguments: dict[str, str], body: bytes
) -> None:
    if method == "sendEdoc":
        arguments |= {"hash-file": hash_file(body.removesuffix(b"\r\n"))}
    answer = ask(served, method, said(office, arguments | {"systemid": office.system_id}), body)
    assert answer.http_status == (404 if method == "downloadEdoc" else 200)
    assert answer.code != "15"


@quick
@given(st.data())
def test_any_other_byte_in_text_or_hash_is_refused_by_15(served: Served, office: Peer, data: st.DataObject) -> None:
    headers = said(office, {"servicetype": "eDoc", "description": "Đã nhận"})
    at = data.draw(st.integers(0, 1))
    name, value = headers[at]
    place = data.draw(st.integers(0, len(value) - 1))
    # What HTTP lets stand in a header; the rest is no HTTP.
    other = data.draw(st.sampled_from([*range(0x21, 0x7F), *range(0x80, 0x100)]).filter(lambda b: b != value[place]))
    headers[at] = name, value[:place] + bytes([other]) + value[place + 1 :]
    not_let_in(ask(served, "getReceivedEdocList", headers), "")
    assert ask(served, "countReceiveEdoc", said(office)).ok


TO = ['["\\u0000"]', '["\\ud800"]', "[" * 30_000, "1" * 5_000, '{"a":"b"}', "[1]", "[null]", "null", "[[]]", '"', "\0"]


@pytest.mark.parametrize("to", TO, ids=range(len(TO)))
def test_anything_in_to_is_refused_for_good(tmp_path: Path, database_url: str, to: str) -> None:
    """Never as a fault that passes: the client would send it for ever."""
    with a_served_hub(tmp_path, database_url) as hub:
        hub.axis.enrol("H41")
        sender = hub.axis.enrol("G22")
        packet = sender.packet(sender.draft("H41"))
        arguments = {"to": to, "from": "G22", "hash-file": hash_file(packet)}
        answer = ask(hub, "sendEdoc", said(sender, arguments), packet + b"\r\n")
        assert answer.code in {"15", "18", "22"}
        assert len(answer.description) < 2_000


def test_what_is_kept_of_a_refused_call_can_be_shown_in_a_terminal(tmp_path: Path) -> None:
    """Half a character in ``to`` ended ``hub log --refused`` for a year, and ``from`` could steer the terminal."""
    with a_served_hub(tmp_path) as hub:
        hub.axis.enrol("H41")
        sender = hub.axis.enrol("G22")
        packet = sender.packet(sender.draft("H41"))
        odd = [
            {"to": '["\\ud800"]'},
            {"to": '["\\u0000"]'},
            {"to": '["\\u009b2J"]'},
            {"from": "G22\x1b[2J"},
            {"from": "H05"},
        ]
        for arguments in odd:
            assert not ask(hub, "sendEdoc", said(sender, arguments | {"hash-file": hash_file(packet)}), packet).ok
    shown = run("log", "--refused", "--data-dir", str(tmp_path))
    assert shown.code == 0, shown.err
    assert "H05" in shown.out
    assert all(c.isprintable() or c == "\n" for c in shown.out)


WORDS = {
    "getReceivedEdocList": [{"messagetype": "x"}, {"fromDate": "x"}, {"toDate": "31/02/2025"}, {"toDate": "1/1/1"}],
    "getSentEdocList": [{"messagetype": "edoc,status"}],
    "getAgenciesListQD20": [{"level": "x"}, {"level": "²"}, {"level": "12"}],
    "updateStatus": [{"docId": UNKNOWN}, {"docId": UNKNOWN, "status": "xong"}, {"status": "done"}],
    "deleteAgency": [{}, {"AgencyCode": " "}, {"AgencyCode": "x" * 100_000}, {"AgencyCode": "H99.1"}],
    "getEdoc": [{}, {"docId": ""}],
}


@pytest.mark.parametrize("method", WORDS)
def test_an_argument_that_cannot_be_meant_is_refused_by_22(served: Served, office: Peer, method: str) -> None:
    for arguments in WORDS[method]:
        answer = ask(served, method, said(office, arguments), b"{}")
        assert answer.code == "22"
        assert len(answer.description) < 1_000


def test_a_description_of_any_length_is_kept_as_far_as_it_may_be_long(
    served: Served, office: Peer, province: Peer
) -> None:
    delivery = office.send("H41")["deliveries"][0]["id"]
    province.fetch(delivery)
    told = {"docId": delivery, "status": "fail", "description": "Lỗi " * 20_000}
    assert ask(served, "updateStatus", said(province, told)).ok
    details = [event["detail"] for event in served.axis.events(delivery)]
    assert max(map(len, details)) == 1_000


# Ids.

NO_IDS = [
    *(
        "../../../../etc/passwd",
        "..",
        "/",
        "\\",
        ".",
        "%2e%2e%2f",
        "a/b",
        "C:\\x",
        "~",
        "file:///x",
        "*",
        "'",
        '" OR 1',
    ),
    *("0" * 23, "0" * 25, "0" * 100_000, "0" * 24 + "\n", " " + "0" * 24, "A" * 24, UNKNOWN.upper(), "g" * 24),
    *(
        "０" * 24,
        "０" + "0" * 23,
        "٠" * 24,
        "é" * 24,
        "0x" + "0" * 22,
        "-" + "0" * 23,
        "null",
        "{}",
        '["' + UNKNOWN + '"]',
    ),
]
BY_ID = ("getEdoc", "downloadEdoc", "updateStatus", "getSentEdocList")


def refused_by_22(hub: Served, method: str, caller: Peer, doc_id: str) -> Answer:
    answer = ask(hub, method, said(caller, {"docId": doc_id, "status": "done"}))
    if method == "downloadEdoc":
        assert answer.http_status == 404
    else:
        assert (answer.http_status, answer.code) == (200, "22"), doc_id
    return answer


@pytest.mark.parametrize("method", BY_ID)
def test_what_is_no_id_is_refused(served: Served, office: Peer, method: str) -> None:
    for doc_id in NO_IDS:
        answer = refused_by_22(served, method, office, doc_id)
        assert method == "downloadEdoc" or answer.description.startswith("[gateway-argument]")  # unknown to no database
        assert len(answer.description) < 1_000
    not_let_in(ask(served, method, said(office, {"docId": UNKNOWN[:-1] + "\0", "status": "done"})), method)


@pytest.mark.parametrize("method", BY_ID)
def test_nobody_learns_whether_there_is_something_of_others(
    served: Served, office: Peer, province: Peer, ministry: Peer, method: str
) -> None:
    sent = office.send("H41")
    delivery, document = sent["deliveries"][0]["id"], sent["id"]
    with reading(served.axis.desk.engine) as connection:
        packet = connection.execute(select(t.packet.c.id).where(t.packet.c.document_id == document)).scalar_one()
    never = refused_by_22(served, method, ministry, UNKNOWN)
    for caller in (ministry, office):  # the sender has the document, and neither its deliveries nor a way to fetch it
        for doc_id in (delivery, packet):
            assert refused_by_22(served, method, caller, doc_id) == never
    assert refused_by_22(served, method, ministry, document) == never
    assert refused_by_22(served, method, province, document) == never  # received, under the delivery's id
    assert served.axis.events(delivery) == []  # neither fetched nor acted upon
    assert served.axis.delivery(delivery).state.value == "waiting"


def test_nobody_learns_the_digest_of_what_was_removed_for_others(
    served: Served, office: Peer, province: Peer, ministry: Peer
) -> None:
    sent = office.send("H41")
    delivery = sent["deliveries"][0]["id"]
    with writing(served.axis.desk.engine) as connection:  # as when its time to be kept is over
        removed = update(t.packet).where(t.packet.c.document_id == sent["id"])
        connection.execute(removed.values(place="", body=None))
    told = ask(served, "getEdoc", said(province, {"docId": delivery}))
    assert (told.code, told.description[:16]) == ("10", "[packet-removed]")
    never = refused_by_22(served, "getEdoc", ministry, UNKNOWN)
    assert refused_by_22(served, "getEdoc", ministry, delivery) == never


@pytest.mark.parametrize("method", ARGUMENTS_ONLY)
def test_a_body_is_not_asked_for_before_it_is_known_who_calls(served: Served, method: str) -> None:
    head = raw(method, []).replace(b"Content-Length: 0", b"Content-Length: 50000000\r\nExpect: 100-continue")
    not_let_in(pour(served, head).read(method), method)
