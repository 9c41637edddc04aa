"""What a refusal says to people: the reason in both languages and the repair, nothing of the program's insides."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from builders.api import UNKNOWN, Agency, Hub, problem, raw, refused


@pytest.fixture(scope="module")
def agency(shared_hub: Hub) -> Agency:
    return shared_hub.enrol("H41")


DONE = f"/v1/deliveries/{UNKNOWN}/done"
CERTIFICATES = "/v1/agencies/H41/certificates"
BODIES: dict[str, tuple[str, bytes, tuple[str, str, str, str]]] = {
    "missing": (  # what else stands in the body is not told
        *(CERTIFICATES, '{"certificate": "x", "one_time_code": "bí mật"}'.encode()),
        ("proof", "", "thiếu trường này", "Thêm trường này / add the field"),
    ),
    "unknown": (
        *(DONE, b'{"leese": {"a": null}}'),
        ("leese", '{"a": null}', "không có trường tên này", "Bỏ trường này / remove the field"),
    ),
    "no JSON": (
        *(DONE, b"lease"),
        ("", "lease", "JSON sai cú pháp: expected value at line 1 column 1", "RFC 8259"),
    ),
    "no object": (DONE, b"null", ("", "null", "phải là một đối tượng JSON", "{…}")),
    "no string": (DONE, b'{"lease": [true]}', ("lease", "[true]", "phải là chuỗi ký tự", '"…"')),
    "too long": (DONE, json.dumps({"lease": "x" * 65}).encode(), ("lease", "x" * 65, "dài quá 64 ký tự", "≤ 64")),
    "a NUL": (
        *(DONE, b'{"reason": "a\\u0000b"}'),
        ("reason", "a\0b", "sai dạng", "Bỏ ký tự NUL / remove the NUL character"),
    ),
}


@pytest.mark.parametrize("name", list(BODIES))
def test_a_member_that_cannot_be_used_is_told_with_reason_and_repair(agency: Agency, name: str) -> None:
    """The Vietnamese text had no reason, the repair was the validator's own: ``pattern ^[^\\x00]*$``."""
    path, content, (pointer, value, why, repair) = BODIES[name]
    (found,) = refused(agency.post(path, content), "request-invalid")["violations"]
    assert (found["rule"], found["pointer"], found["value"]) == ("request-field", pointer, value)
    assert found["message"]["vi"] == f"Giá trị không hợp lệ: {why}."
    assert re.fullmatch(r"The value is not valid: (it|the|there) .*\w.*\.", found["message"]["en"])
    assert found["repair"] == repair


PARAMETERS = {
    "/v1/documents/15": ("path.id", "15", "sai dạng", "24 chữ số hex viết thường / 24 lower-case hex digits"),
    f"/v1/documents/{UNKNOWN}/attachments/một": ("path.n", "một", "phải là số nguyên", "0, 1, 2, …"),
    "/v1/inbox?limit=1.5": ("query.limit", "1.5", "phải là số nguyên", "0, 1, 2, …"),
    f"/v1/inbox?limit={'9' * 5000}": ("query.limit", "9" * 200, "phải là số nguyên", "0, 1, 2, …"),
    "/v1/inbox?limit=0": ("query.limit", "0", "nhỏ hơn 1", "≥ 1"),
    "/v1/inbox?limit=501": ("query.limit", "501", "lớn hơn 500", "≤ 500"),
    "/v1/inbox?wait=lâu": ("query.wait", "lâu", "phải là số", "0, 0.5, 1, …"),
    "/v1/inbox?wait=-0.5": ("query.wait", "-0.5", "nhỏ hơn 0", "≥ 0"),
    "/v1/inbox?wait=61": ("query.wait", "61", "lớn hơn 60", "≤ 60"),
    f"/v1/agencies/{'H' * 65}/certificates": ("path.code", "H" * 65, "dài quá 64 ký tự", "≤ 64"),
}


@pytest.mark.parametrize("path", list(PARAMETERS))
def test_a_parameter_that_cannot_be_used_is_told_with_reason_and_repair(agency: Agency, path: str) -> None:
    pointer, value, why, repair = PARAMETERS[path]
    (found,) = refused(agency.hub.ask("GET", path, agency.token), "request-invalid")["violations"]
    assert (found["pointer"], found["value"], found["repair"]) == (pointer, value, repair)
    assert found["message"]["vi"] == f"Giá trị không hợp lệ: {why}."
    assert re.fullmatch(r"The value is not valid: it .*\w\.", found["message"]["en"])


@pytest.mark.parametrize("path", [DONE, CERTIFICATES])
def test_json_that_is_too_large_is_not_told_to_split_attachments(agency: Agency, path: str) -> None:
    body = refused(agency.post(path, b" " * 65_537), "json-too-large")
    assert body["detail"] == "Nội dung JSON vượt quá 65536 byte."
    assert body["violations"][0]["repair"] == "≤ 65536"


def test_a_packet_sent_by_curl_d_is_told_what_curl_did_to_it(agency: Agency) -> None:
    """``curl -d`` leaves out line breaks, and the signature no longer fits."""
    stripped = agency.packet("G22").translate(None, b"\r\n\0")
    found = problem(agency.post("/v1/documents", stripped))["violations"]
    (digest,) = [each for each in found if each["rule"] == "signature-digest"]
    assert "--data-binary" in digest["repair"]


ENCODED = ["gzip", "br", "GZIP, identity", "identity, gzip", "khác"]


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/documents/validate", "/v1/statuses", DONE, CERTIFICATES])
@pytest.mark.parametrize("encoding", ENCODED)
def test_an_encoded_body_is_refused_unread_by_the_name_of_its_encoding(
    agency: Agency, path: str, encoding: str
) -> None:
    """It was read, and its first bytes were taken for an encoding of letters."""
    headers = [(b"content-length", b"10"), (b"content-encoding", encoding.encode())]
    seen = raw(agency.hub, "POST", path, agency.token, b"0123456789", headers=headers)
    body = refused(seen.answer, "content-encoding")
    assert seen.asked == 0
    assert body["violations"][0]["value"] == encoding.encode().decode("latin-1")
    assert "uncompressed" in body["violations"][0]["repair"]
    assert seen.answer.headers["accept-encoding"] == "identity"


def test_an_encoding_in_a_second_header_is_seen(agency: Agency) -> None:
    headers = [(b"content-length", b"2"), (b"content-encoding", b"identity"), (b"content-encoding", b"gzip")]
    seen = raw(agency.hub, "POST", DONE, agency.token, b"{}", headers=headers)
    assert "identity, gzip" in refused(seen.answer, "content-encoding")["detail"]


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_a_body_that_says_it_is_not_encoded_is_read(agency: Agency, encoding: str) -> None:
    refused(agency.post(DONE, b"{}", headers={"Content-Encoding": encoding}), "not-found")


def test_a_compressed_packet_without_a_header_is_told_to_be_gzip(agency: Agency) -> None:
    body = refused(agency.post("/v1/documents", gzip.compress(agency.packet("G22"))), "xml-not-xml")
    assert body["status"] == 415
    assert "gzip" in body["detail"]
    assert "uncompressed" in body["violations"][0]["repair"]
