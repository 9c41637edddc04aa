"""The examples in the description: played again by a real hub on each engine, they come out as they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from builders.api import Hub
from builders.examples import Names, a_stage

from hub.api import site

STORY = site.examples()
RENEW = "if this is meant: `python -m builders.examples` in tests/ tells the story anew"


def test_the_story_goes_as_it_is_told(tmp_path: Path, database_url: str) -> None:
    shown, here = Names(), Names()
    with a_stage(tmp_path / "hub", database_url) as stage:
        for step in STORY:
            given = {part: step[part] for part in ("path", "query", "body") if part in step}
            asked = step | {part: here.told(value, shown) for part, value in given.items()}
            answer = stage.ask(asked)
            expected, found = (
                names.plain({part: told[part] for part in ("status", "media", "answer")})
                for names, told in ((shown, step), (here, answer))
            )
            assert found == expected, f"{step['operation']}, {step['name']}; {RENEW}"


def described(hub: Hub) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation with its name."""
    for path, each in hub.app.openapi()["paths"].items():
        for method, operation in each.items():
            yield f"{method.upper()} {path}", operation


def test_every_operation_has_an_example_of_its_request_and_of_its_answer(shared_hub: Hub) -> None:
    for name, operation in described(shared_hub):
        good = [said for status, said in operation["responses"].items() if int(status) < 300]
        assert any("examples" in content for said in good for content in said["content"].values()), name
        if "requestBody" in operation:
            assert all("examples" in content for content in operation["requestBody"]["content"].values()), name
        for parameter in operation.get("parameters", []):
            assert "example" in parameter, (name, parameter["name"])


def test_every_step_of_the_story_stands_in_the_description(shared_hub: Hub) -> None:
    operations = dict(described(shared_hub))
    for step in STORY:
        content = operations[step["operation"]]["responses"][str(step["status"])]["content"][step["media"]]
        assert content["examples"][step["name"]] == {"summary": step["summary"], "value": step["answer"]}


def test_the_examples_show_refusals_too() -> None:
    refused = {step["answer"]["code"] for step in STORY if step["status"] >= 400}
    assert {"not-authenticated", "packet-refused", "document-conflict", "not-found", "lease-held"} <= refused


def test_an_answer_that_differs_is_told() -> None:
    names, other = Names(), Names()
    first = {"id": "0" * 24, "state": "waiting", "next": "czE"}
    same = {"id": "1" * 24, "state": "waiting", "next": "czI"}
    assert names.plain(first) == other.plain(same)
    assert names.plain(first) != other.plain(same | {"state": "taken"})
    assert names.plain(first) != other.plain(same | {"id": "2" * 24})
    assert other.told({"path": "0" * 24}, names) == {"path": "1" * 24}
