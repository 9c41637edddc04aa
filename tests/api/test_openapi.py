"""The description at ``/docs``: every refusal an operation can answer with stands in it, and in the catalogue."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from builders.api import UNKNOWN, Agency, a_hub, operations, raw, silence
from builders.described import undescribed

from hub.errors import PROBLEMS

CODE = re.compile(r"`([a-z-]+)`")


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Agency, dict[str, Any]]]:
    """A system of a hub, and what the hub says of itself."""
    with a_hub(tmp_path_factory.mktemp("described"), body_timeout=0.02) as hub:
        yield hub.enrol("H41"), hub.ask("GET", "/openapi.json").json()


def told(description: dict[str, Any], method: str, path: str) -> dict[int, set[str]]:
    """The codes an operation says it refuses with, by status."""
    found = description["paths"][path][method.lower()]["responses"]
    return {int(status): set(CODE.findall(said["description"])) for status, said in found.items() if int(status) >= 400}


def test_every_code_an_operation_names_is_in_the_catalogue_under_that_status(
    described: tuple[Agency, dict[str, Any]],
) -> None:
    agency, description = described
    for method, path in operations(agency.hub.app):
        for status, codes in told(description, method, path).items():
            assert codes, (method, path, status)
            assert {PROBLEMS[code].status for code in codes} == {status}


def test_every_refusal_is_described_as_a_problem_and_in_no_other_form(described: tuple[Agency, dict[str, Any]]) -> None:
    agency, description = described
    for method, path in operations(agency.hub.app):
        responses = description["paths"][path][method.lower()]["responses"]
        for status, said in responses.items():
            if int(status) >= 400:
                assert list(said["content"]) == ["application/problem+json"], (method, path, status)
    assert "HTTPValidationError" not in json.dumps(description)


@pytest.mark.parametrize(
    ("status", "kind", "body", "told"),
    [
        (200, "application/json", {"items": [], "next": None}, ""),
        (200, "application/json", {"items": [], "next": None, "total": 0}, "Additional properties"),
        (200, "application/json", {"items": []}, "required property"),
        (200, "application/json", {"items": [], "next": 7}, "not valid under any"),
        (200, "application/xml", {}, "application/xml is not described"),
        (418, "application/problem+json", {}, "418 is not described"),
    ],
)
def test_an_answer_that_is_not_described_is_found(
    described: tuple[Agency, dict[str, Any]], status: int, kind: str, body: Any, told: str
) -> None:
    agency, _ = described
    request = httpx.Request("GET", "http://hub.example.vn/v1/outbox")
    answer = httpx.Response(status, headers={"content-type": kind}, text=json.dumps(body), request=request)
    found = undescribed(agency.hub.app, answer)
    assert len(found) == bool(told)
    assert told in "".join(found)


def provoked(agency: Agency, method: str, path: str) -> Iterator[dict[str, Any]]:
    """The problems an operation answers with when it is asked wrongly in every way that fits it."""
    at = path.format(id=UNKNOWN, n=1, code="H99", sha256="0" * 64)
    odd = path.format(id="x", n="x", code="x" * 65, sha256="x")
    yield raw(agency.hub, method, at).answer.json()
    sized = [(b"content-length", b"2")]
    if odd != path:
        yield raw(agency.hub, method, odd, agency.token, b"{}", headers=sized).answer.json()
        if not path.endswith("certificates"):
            yield raw(agency.hub, method, at, agency.token, b"{}", headers=sized).answer.json()
    if method == "POST":
        chunked, huge = [(b"transfer-encoding", b"chunked")], [(b"content-length", b"9" * 9)]
        yield raw(agency.hub, method, at, agency.token, b"{}", headers=chunked).answer.json()
        yield raw(agency.hub, method, at, agency.token, headers=[*sized, (b"content-encoding", b"br")]).answer.json()
        yield raw(agency.hub, method, at, agency.token, headers=huge).answer.json()
        yield raw(agency.hub, method, at, agency.token, b"{", headers=sized).answer.json()
        yield raw(agency.hub, method, at, agency.token, b"{", then=silence, headers=sized).answer.json()
        if path != "/v1/documents/validate":  # where a bad packet is an answer
            yield raw(agency.hub, method, at, agency.token, b"[]", headers=sized).answer.json()
    else:
        junk = b"limit=x&after=x&wait=x&q=" + b"x" * 300
        answer = raw(agency.hub, method, at, agency.token, query_string=junk).answer
        if answer.status_code >= 400:
            yield answer.json()


def test_what_an_operation_refuses_with_it_describes(described: tuple[Agency, dict[str, Any]]) -> None:
    agency, description = described
    missing = []
    for method, path in operations(agency.hub.app):
        said = told(description, method, path)
        assert {"not-authenticated", "system-locked", "busy", "database-away"} <= set().union(*said.values())
        for body in provoked(agency, method, path):
            # A packet can break any rule of its own; those stand in the answer, not in the description.
            own = body["status"] == 422 and body["code"].startswith(("xml-", "signature-", "packet-"))
            code = "packet-refused" if own else body["code"]
            if code not in said.get(body["status"], set()):
                missing.append((method, path, code))
    assert missing == []


def test_what_can_become_of_a_delivery_or_document_is_described(described: tuple[Agency, dict[str, Any]]) -> None:
    _, description = described
    delivery = "/v1/deliveries/{id}"
    expected = {
        "/v1/documents": {
            *("document-conflict", "number-taken", "already-revoked", "not-your-agency", "storage-full"),
            *("too-many-concerned", "content-encoding", "too-large", "xml-not-xml"),
        },
        "/v1/statuses": {"status-document-unknown", "status-not-allowed", "delivery-final", "not-your-agency"},
        f"{delivery}/taken": {"lease-held", "delivery-final", "not-found"},
        f"{delivery}/done": {"lease-lost", "delivery-not-fetched", "not-found"},
        f"{delivery}/failed": {"lease-lost", "delivery-final", "not-found"},
        "/v1/agencies/{code}/certificates": {
            *("possession-not-proved", "one-time-code-wrong", "certificate-invalid", "certificate-ended", "not-found"),
            *("too-many-certificates", "content-encoding", "json-too-large"),
        },
    }
    for path, codes in expected.items():
        assert codes <= set().union(*told(description, "POST", path).values()), path


def test_every_operation_is_described_with_its_token_summary_and_body(described: tuple[Agency, dict[str, Any]]) -> None:
    agency, description = described
    for method, path in operations(agency.hub.app):
        operation = description["paths"][path][method.lower()]
        assert operation["security"] == [{"HTTPBearer": []}], (method, path)
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert ("requestBody" in operation) == (method == "POST"), (method, path)
    assert description["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"


def test_the_description_is_there_for_everybody(described: tuple[Agency, dict[str, Any]]) -> None:
    agency, _ = described
    for path, kind in (("/docs", "text/html"), ("/openapi.json", "application/json")):
        answer = agency.hub.ask("GET", path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
