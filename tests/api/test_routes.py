"""Operations that are called past the framework: found, described and refused like all others."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders.api import Hub
from fastapi.routing import APIRoute

from hub.app import create_app
from hub.settings import Settings


def test_what_is_called_directly_is_described_and_has_no_parameter_of_its_own(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path))
    described = app.openapi()["paths"]
    routes = {route.path: route for route in app.routes if isinstance(route, APIRoute)}
    assert {path for _, path in app.direct} == {"/v1/documents", "/v1/documents/validate", "/v1/statuses"}
    for method, path in app.direct:
        assert method.lower() in described[path]
        takes = routes[path].dependant
        assert (takes.path_params, takes.query_params, takes.header_params, takes.body_params) == ([], [], [], [])


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
