"""Receipts: signed, bound to their entry in the log, and nothing of them can be changed."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, KeySet

from hub.domain.receipt import TYPE, ReceiptError, canonical, entry_of, place_of, read, sign

KEY, OTHER = (ECKey.generate_key("P-256", {"kid": kid}) for kid in ("mot", "hai"))
KEYS = KeySet([KEY])
AT = datetime(2025, 10, 1, 2, tzinfo=UTC)
NONCE = bytes(range(16))
STATEMENT = {
    "entry": "68dc8b2033f5ada02b286e79", "kind": "accept", "document_id": "G22,2025/10/01,15/VPCP-TH",
    "sender": "G22", "issuer": None, "recipients": ["H41", "H27"], "at": AT.isoformat(),
}  # fmt: skip
PLACE = place_of(STATEMENT, NONCE, "truc.vidu.vn/bang-chung", AT)
RECEIPT = sign(STATEMENT, PLACE, KEY)


def test_a_receipt_tells_what_was_stated_and_where_it_will_be() -> None:
    receipt = read(RECEIPT, KEYS)
    assert (receipt.statement, receipt.place, receipt.kid) == (STATEMENT, PLACE, "mot")
    assert receipt.place.by.isoformat() == "2025-10-01T02:00:05+00:00"


def test_it_is_a_jws_that_other_tools_read() -> None:
    found = jws.deserialize_compact(RECEIPT, KEYS, algorithms=["ES256"])
    assert found.headers() == {"alg": "ES256", "kid": "mot", "typ": TYPE}
    payload = json.loads(found.payload)
    assert payload["log"]["leaf"] == hashlib.sha256(b"\0" + bytes.fromhex(payload["log"]["entry"])).hexdigest()


def test_the_log_has_a_hash_over_nonce_and_statement() -> None:
    """Known answer, written out: RFC 8785 sorts the names and keeps the marks."""
    text = '{"a":["Nghệ An",null],"b":"\\"\\n"}'
    assert canonical({"b": '"\n', "a": ["Nghệ An", None]}) == text.encode()  # type: ignore[list-item]  # null too
    assert entry_of({"b": '"\n', "a": ["Nghệ An", None]}, NONCE) == hashlib.sha256(NONCE + text.encode()).digest()  # type: ignore[list-item]


@pytest.mark.parametrize("value", [1, 1.5, True, {"a": "b"}, [1], [["a"]]])
def test_what_has_more_than_one_form_is_no_statement(value: object) -> None:
    with pytest.raises(TypeError, match="texts"):
        canonical({"a": value})  # type: ignore[dict-item]  # what is tested


@given(st.integers(0, len(RECEIPT) - 1), st.sampled_from("AZaz09-_.+/= é\0"))
def test_every_changed_character_is_found(at: int, character: str) -> None:
    if RECEIPT[at] != character:
        with pytest.raises(ReceiptError):
            read(RECEIPT[:at] + character + RECEIPT[at + 1 :], KEYS)


def test_the_last_character_has_one_form_though_four_of_its_bits_are_nothing() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    good = [each for each in alphabet if _is_good(RECEIPT[:-1] + each)]
    assert good == [RECEIPT[-1]]


def _is_good(receipt: str) -> bool:
    try:
        read(receipt, KEYS)
    except ReceiptError:
        return False
    return True


def test_what_another_key_signed_is_no_receipt() -> None:
    with pytest.raises(ReceiptError, match="not signed by a key that is known"):
        read(sign(STATEMENT, PLACE, OTHER), KEYS)


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256", "kid": "mot"}, {"alg": "ES256", "kid": "hai"}])
def test_another_algorithm_or_key_in_the_header_helps_nobody(header: dict[str, str]) -> None:
    parts = RECEIPT.split(".")
    forged = urlsafe_b64encode(json.dumps({**header, "typ": TYPE}).encode()).decode().rstrip("=")
    for signature in (parts[2], ""):
        with pytest.raises(ReceiptError):
            read(f"{forged}.{parts[1]}.{signature}", KEYS)


@pytest.mark.parametrize(
    "payload",
    ["[]", "{}", "null", "\xff", '{"log": 1}', '{"log": {"origin": "a", "nonce": "zz", "entry": "", "by": ""}}'],
)
def test_what_the_hub_signed_for_something_else_is_no_receipt(payload: str) -> None:
    signed = jws.serialize_compact({"alg": "ES256", "kid": "mot", "typ": TYPE}, payload, KEY)
    with pytest.raises(ReceiptError, match="no receipt"):
        read(signed, KEYS)
    other_type = jws.serialize_compact({"alg": "ES256", "kid": "mot"}, payload, KEY)
    with pytest.raises(ReceiptError, match="of the type"):
        read(other_type, KEYS)


@pytest.mark.parametrize("name", ["entry", "leaf", "nonce"])
def test_a_statement_bound_to_another_entry_is_no_receipt(name: str) -> None:
    payload = json.loads(urlsafe_b64decode(RECEIPT.split(".")[1] + "=="))
    payload["log"][name] = "00" * (len(payload["log"][name]) // 2)
    signed = jws.serialize_compact({"alg": "ES256", "kid": "mot", "typ": TYPE}, json.dumps(payload), KEY)
    with pytest.raises(ReceiptError, match="not of this statement"):
        read(signed, KEYS)


def test_a_receipt_with_a_short_nonce_or_nested_without_end_is_none() -> None:
    short = place_of(STATEMENT, NONCE[:8], "a/b", AT)
    with pytest.raises(ReceiptError, match="its nonce has 8 bytes"):
        read(sign(STATEMENT, short, KEY), KEYS)
    deep = jws.serialize_compact({"alg": "ES256", "kid": "mot", "typ": TYPE}, "[" * 5000 + "]" * 5000, KEY)
    with pytest.raises(ReceiptError):
        read(deep, KEYS)


def test_a_broadcast_to_all_communes_has_a_receipt_and_a_bomb_has_none() -> None:
    wide = {**STATEMENT, "recipients": [f"H41.{n}" for n in range(3355)]}
    assert read(sign(wide, place_of(wide, NONCE, "a/b", AT), KEY), KEYS).statement == wide
    with pytest.raises(ReceiptError, match="longer than"):
        read("a" * 2_000_000, KEYS)
