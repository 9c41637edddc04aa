"""Operations that are called past the framework: found, described and refused like all others."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from builders.api import Hub
from fastapi import FastAPI
from fastapi.routing import APIRoute

from hub.app import create_app
from hub.settings import Settings

PLAIN = {("POST", path) for path in ("/v1/documents", "/v1/documents/validate", "/v1/statuses")}
OF_ONE = {("POST", f"/v1/deliveries/{{id}}/{verb}") for verb in ("taken", "done", "failed")} | {
    ("GET", "/v1/deliveries/{id}"),
    ("GET", "/v1/deliveries/{id}/packet"),
}
PAGES = {("GET", "/v1/inbox"), ("GET", "/v1/outbox")}


def test_what_is_called_directly_is_described_and_takes_the_parameters_that_are_read_for_it(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path))
    described = app.openapi()["paths"]
    routes = {(method, r.path): r.dependant for r in app.routes if isinstance(r, APIRoute) for method in r.methods}
    assert set(app.direct) == PLAIN | OF_ONE | PAGES
    for method, path in app.direct:
        assert method.lower() in described[path]
        takes = routes[method, path]
        of_page = ["after", "limit"] + ["wait"] * (path == "/v1/inbox")
        assert [one.alias for one in takes.path_params] == (["id"] if (method, path) in OF_ONE else [])
        assert [one.name for one in takes.query_params] == (of_page if (method, path) in PAGES else [])
        assert (takes.header_params, takes.body_params) == ([], [])


class PastTheFrameworkError(Exception):
    """The framework was asked."""


@pytest.fixture
def alone(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub whose framework answers nothing."""

    async def asked(*_: object) -> None:
        raise PastTheFrameworkError

    monkeypatch.setattr(FastAPI, "__call__", asked)
    return hub


@pytest.mark.parametrize("query", ["", "limit=500&wait=0", "limit=1", "after=czA", "wait=60&after=czA&limit=20"])
def test_an_inbox_is_listed_past_the_framework(alone: Hub, query: str) -> None:
    office, province = alone.enrol("G22"), alone.enrol("H41")
    sent = office.send("H41")
    answer = alone.ask("GET", f"/v1/inbox?{query}".rstrip("?"), province.token)
    assert [item["id"] for item in answer.json()["items"]] == [sent["deliveries"][0]["id"]]


def test_of_two_limits_the_last_counts_past_the_framework_as_in_it(shared_hub: Hub) -> None:
    office, province = shared_hub.enrol("G22"), shared_hub.enrol("H01")
    for _ in range(3):
        office.send("H01")
    for plain, odd in (("2", "%32"), ("1", "%31")):
        for query in (f"limit=3&limit={plain}", f"limit=3&limit={odd}"):
            answer = shared_hub.ask("GET", f"/v1/inbox?{query}", province.token)
            assert len(answer.json()["items"]) == int(plain), query


def test_a_delivery_lives_past_the_framework(alone: Hub) -> None:
    office, province = alone.enrol("G22"), alone.enrol("H41")
    document, sent = office.issue("H41")
    at = f"/v1/deliveries/{sent['deliveries'][0]['id']}"
    lease = province.post(f"{at}/taken").json()["lease"]
    assert province.post(f"{at}/failed", b"{}").json()["attempts"] == 1
    assert hashlib.sha256(province.get(f"{at}/packet").content).hexdigest() == sent["sha256"]
    assert province.get(at).json()["id"] == sent["deliveries"][0]["id"]
    assert province.post(f"{at}/done", f'{{"lease": "{lease}"}}'.encode()).json()["code"] == "lease-lost"
    assert province.post(f"{at}/done").json()["state"] == "delivered"
    assert province.report("01", document).status_code == 201
    assert [item["what"] for item in office.outbox(limit=5)] == ["delivered", "status"]


# By the query, what the answer names as wrong.
ODD = {
    "limit=0": "query.limit",
    "limit=501": "query.limit",
    "limit=x": "query.limit",
    "limit=": "query.limit",
    "wait=61": "query.wait",
    "wait=-1": "query.wait",
    "after=" + "c" * 65: "query.after",
    "after=zzz": "query.after",
    "limit=0&limit=5": "",
    "limit=%35": "",
    "limit=05": "",
    "wait=0.0": "",
    "after=": "",
    "limit=5&limit=x": "query.limit",
    "page=2": "",
    "&": "",
}


@pytest.mark.parametrize("query", ODD)
def test_an_unusual_query_is_answered_as_the_framework_understands_it(shared_hub: Hub, query: str) -> None:
    province = shared_hub.enrol("H41")
    answer = shared_hub.ask("GET", f"/v1/inbox?{query}", province.token)
    if not ODD[query]:
        assert answer.json()["items"] == []
        return
    assert (answer.status_code, answer.json()["code"]) == (422, "request-invalid")
    assert [found["pointer"] for found in answer.json()["violations"]] == [ODD[query]]


def test_the_outbox_knows_no_waiting(shared_hub: Hub) -> None:
    province = shared_hub.enrol("H41")
    assert shared_hub.ask("GET", "/v1/outbox?wait=60", province.token).json()["items"] == []


@pytest.mark.parametrize("named", ["F" * 24, "0" * 23, "0" * 25, "0" * 24 + "/", "%7Bid%7D", "{id}"])
def test_what_is_no_id_is_left_to_the_framework(shared_hub: Hub, named: str) -> None:
    province = shared_hub.enrol("H41")
    answer = shared_hub.ask("POST", f"/v1/deliveries/{named}/done", province.token)
    assert answer.json()["code"] == ("not-found" if named.endswith("/") else "request-invalid")


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/documents/validate", "/v1/statuses"])
def test_another_method_there_is_told_which_one_is_allowed(shared_hub: Hub, path: str) -> None:
    answer = shared_hub.ask("PUT", path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert "POST" in answer.headers["allow"].split(", ")


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/documents/validate", "/v1/statuses"])
def test_what_is_called_directly_is_traced_and_asks_who_calls(shared_hub: Hub, path: str) -> None:
    answer = shared_hub.ask("POST", path, content=b"<a/>", headers={"X-Request-Id": "vết-1".encode().hex()})
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert answer.headers["x-request-id"] == "vết-1".encode().hex()
    assert answer.headers["www-authenticate"] == "Bearer"
