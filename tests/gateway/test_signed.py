"""Who calls and with which arguments, as the signed header has it; who guesses secrets; what was listed how often."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from builders.axis import Clock
from hypothesis import example, given
from hypothesis import strategies as st

from clients.gateway_client import hash_file, signed_headers
from hub.domain.turns import LISTINGS
from hub.errors import Refusal
from hub.gateway import listings as listings_module
from hub.gateway import signed
from hub.gateway.listings import Listings
from hub.gateway.lockout import PAUSE, TRIES, Lockout
from hub.http import lockout

SECRET = "khóa bí mật để thử"
HASH = b"0" * 64


def read(text: str | bytes, digest: bytes = HASH) -> signed.Signed:
    text = text.encode() if isinstance(text, str) else text
    return signed.read([(b"host", b"x"), (b"xroadvnpt-sign-header", text), (b"xroadvnpt-hash-header", digest)])


def why_not(*headers: tuple[bytes, bytes]) -> str:
    """The reason for which these headers are not accepted."""
    with pytest.raises(Refusal) as refusal:
        signed.read(headers)
    assert refusal.value.code == "gateway-signature"
    return str(refusal.value.facts["why"])


# The signed header.


def test_the_arguments_are_those_of_the_signed_json_without_their_prefix() -> None:
    said = read('{"XroadVnpt-systemid":"a.b","XroadVnpt-docId":"1","XroadVnpt-docid":"2","docId":"3","XroadVnpt-":""}')
    assert said.system_id == "a.b"
    assert said.arguments == {"systemid": "a.b", "docId": "1", "docid": "2", "": ""}


def test_a_member_without_the_prefix_is_no_argument_whatever_its_value() -> None:
    assert read('{"XroadVnpt-systemid":"a","n":1,"list":[{"x":null}],"n":2}').arguments == {"systemid": "a"}


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.dictionaries(texts, texts))
def test_every_text_that_the_client_signs_arrives_as_it_was(arguments: dict[str, str]) -> None:
    values = {"systemid": "qlvb.nghean"} | arguments | {"systemid": "qlvb.nghean"}
    lines = dict(signed_headers(values, SECRET))
    said = read(lines["XroadVnpt-sign-header"], lines["XroadVnpt-hash-header"].encode())
    assert said.arguments == values
    assert said.is_by(SECRET.encode())


@given(st.binary())
@example(b"[" * 200 * 1024)
@example(b'{"a":' * 40_000)
@example(b'{"XroadVnpt-systemid":"a","XroadVnpt-b":' + b"1" * 5_000 + b"}")
def test_any_other_bytes_are_read_or_refused_and_nothing_else(text: bytes) -> None:
    refused = ""
    try:
        said = read(text)
    except Refusal as refusal:
        refused = refusal.code
    assert refused == "gateway-signature" or said.system_id


def odd(value: str) -> str:
    return f'{{"XroadVnpt-systemid":"a","XroadVnpt-docId":{value}}}'


VALUES = {
    *("1", "1.5", "-0", "1e999", "NaN", "-Infinity", "true", "false", "null", "{}", "[]", '["x"]', '{"x":"y"}'),
    *('"\\ud800"', '"\\udfff x"', '"a\\u0000b"', '"\\u0000"'),
}


@pytest.mark.parametrize("value", sorted(VALUES))
def test_an_argument_that_is_no_whole_text_is_refused(value: str) -> None:
    assert why_not((b"xroadvnpt-sign-header", odd(value).encode()), (b"xroadvnpt-hash-header", HASH)) == (
        "values must be texts"
    )


NO_OBJECT = {
    "[]": "object",
    '"x"': "object",
    "1": "object",
    "null": "object",
    "true": "object",
    '[["a","b"]]': "object",
}
NO_JSON = ["", "{", "{}x", "{'a':'b'}", '{"a":"b",}', "\ufeff{}", '{"a":"\n"}', "x", '{"a":"\\x"}']


@pytest.mark.parametrize("text", [*NO_OBJECT, *NO_JSON])
def test_a_text_that_is_no_json_object_is_refused(text: str) -> None:
    why = why_not((b"xroadvnpt-sign-header", text.encode()), (b"xroadvnpt-hash-header", HASH))
    assert why == ("it is no JSON object" if text in NO_OBJECT else "it is no JSON")


@pytest.mark.parametrize("text", [b'{"XroadVnpt-systemid":"\xff"}', "{}".encode("utf-16")])
def test_a_text_that_is_not_utf_8_is_refused(text: bytes) -> None:
    assert why_not((b"xroadvnpt-sign-header", text), (b"xroadvnpt-hash-header", HASH)) == "it is no JSON"


def test_an_argument_that_is_there_twice_is_refused() -> None:
    twice = b'{"XroadVnpt-systemid":"a","XroadVnpt-docId":"1","XroadVnpt-docId":"1"}'
    assert why_not((b"xroadvnpt-sign-header", twice), (b"xroadvnpt-hash-header", HASH)) == "a key is there twice"


@pytest.mark.parametrize("text", ["{}", '{"systemid":"a"}', '{"XroadVnpt-systemid":""}', '{"XroadVnpt-SystemId":"a"}'])
def test_who_does_not_say_who_he_is_is_refused(text: str) -> None:
    why = why_not((b"xroadvnpt-sign-header", text.encode()), (b"xroadvnpt-hash-header", HASH))
    assert why == "systemid is missing"


@pytest.mark.parametrize("name", [b"xroadvnpt-sign-header", b"xroadvnpt-hash-header"])
@pytest.mark.parametrize("times", [0, 2])
def test_both_headers_are_there_once(name: bytes, times: int) -> None:
    fine = {b"xroadvnpt-sign-header": b'{"XroadVnpt-systemid":"a"}', b"xroadvnpt-hash-header": HASH}
    headers = [(each, value) for each, value in fine.items() for _ in range(times if each == name else 1)]
    named = "XroadVnpt-" + name.decode().removeprefix("xroadvnpt-")
    assert why_not(*headers) == f"{named} must be there once"


# The signature.


def test_the_signature_is_the_hmac_of_the_very_bytes() -> None:
    text = '{ "XroadVnpt-systemid" :\t"hệ thống" }'.encode()
    digest = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
    assert read(text, digest.encode()).is_by(SECRET.encode())
    for other in (digest.upper(), digest[:-1], digest + "0", "", "é" * 32, digest.replace(digest[0], "ñ")):
        assert not read(text, other.encode()).is_by(SECRET.encode())
    assert not read(text, digest.encode()).is_by(b"another secret")
    again = json.dumps(json.loads(text)).encode()  # says the same in other bytes
    assert not read(again, digest.encode()).is_by(SECRET.encode())


@given(st.binary())
@example(b"\x00\x0f\x10")
def test_hash_file_is_taken_as_the_vendors_client_writes_it_and_as_usual(packet: bytes) -> None:
    assert signed.hash_file(packet) == (hash_file(packet), hashlib.sha256(packet).hexdigest())


def test_hash_file_of_the_contracts_packet() -> None:
    packet = (
        b'<?xml version="1.0" encoding="UTF-8"?>\r\n<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"><!-- 5 -->'
    )
    assert signed.hash_file(packet + b"</edXML>\r\n") == (
        "09e2580af85d874bd6f2dd23bfabf1b3844f15d2c45b711bb7b3fcbad9ad38",
        "009e2580af085d874bd6f2dd23bfabf1b3844f15d2c45b711bb7b3fcbad9ad38",
    )


# Who guesses.


def guess(locks: Lockout, times: int, address: str = "10.0.0.1", system: str = "a") -> None:
    for _ in range(times):
        locks.check(address, system)
        locks.wrong(address, system)


def is_locked(locks: Lockout, address: str = "10.0.0.1", system: str = "a") -> bool:
    refused = None
    try:
        locks.check(address, system)
    except Refusal as refusal:
        refused = refusal.code, refusal.retry_after
    assert refused in {None, ("signatures-wrong", PAUSE.seconds)}
    return refused is not None


def test_ten_wrong_signatures_lock_out_for_a_minute_after_the_last() -> None:
    clock = Clock()
    locks = Lockout(clock)
    guess(locks, TRIES - 1)
    clock.pass_(days=30)  # a stale secret in a slow loop is guessing too
    assert not is_locked(locks)
    guess(locks, 1)
    clock.now += PAUSE - timedelta(microseconds=1)
    assert is_locked(locks)
    clock.now += timedelta(microseconds=1)
    assert not is_locked(locks)


def test_after_the_pause_each_further_guess_costs_another() -> None:
    clock = Clock()
    locks = Lockout(clock)
    guess(locks, TRIES)
    for _ in range(3):
        clock.now += PAUSE
        guess(locks, 1)
        assert is_locked(locks)


def test_a_right_signature_begins_the_count_anew() -> None:
    locks = Lockout(Clock())
    guess(locks, TRIES - 1)
    locks.right("10.0.0.1", "a")
    guess(locks, TRIES - 1)
    assert not is_locked(locks)


def test_another_address_and_another_system_are_not_locked_out() -> None:
    locks = Lockout(Clock())
    guess(locks, TRIES)
    assert [is_locked(locks, *pair) for pair in (("10.0.0.1", "a"), ("10.0.0.2", "a"), ("10.0.0.1", "b"))] == [
        True, False, False,
    ]  # fmt: skip


def test_what_is_remembered_of_guesses_is_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockout, "_KEPT", 3)
    locks = Lockout(Clock())
    for n in range(4):
        guess(locks, TRIES, f"10.0.0.{n}")
    assert [is_locked(locks, f"10.0.0.{n}") for n in range(4)] == [False, True, True, True]
    guess(locks, 1, "10.0.0.9")
    assert [is_locked(locks, f"10.0.0.{n}") for n in range(4)] == [False, False, True, True]


# What was listed.


def test_what_is_listed_twenty_times_without_action_is_told_once() -> None:
    listings = Listings()
    told = [listings.shown("a", ["1", "2"]) for _ in range(LISTINGS + 1)]
    assert told == [()] * (LISTINGS - 1) + [("1", "2"), ()]


def test_whoever_does_something_with_it_begins_the_count_anew() -> None:
    listings = Listings()
    for _ in range(LISTINGS - 1):
        listings.shown("a", ["1", "2"])
    listings.acted("a", "1")
    assert listings.shown("a", ["1", "2"]) == ("2",)
    listings.acted("nobody", "1")  # and who was never listed anything is no fault


def test_each_system_has_counts_of_its_own() -> None:
    listings = Listings()
    for _ in range(LISTINGS - 1):
        listings.shown("a", ["1"])
    assert listings.shown("b", ["1"]) == ()
    listings.acted("b", "1")
    assert listings.shown("a", ["1"]) == ("1",)


def test_the_counts_are_bounded_to_what_was_listed_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings_module, "_KEPT", 3)
    listings = Listings()
    for _ in range(LISTINGS - 1):
        listings.shown("a", ["old"])
    assert listings.shown("b", ["1", "2", "3"]) == ()
    assert listings.shown("a", ["old"]) == ()  # forgotten: counted from the first again
