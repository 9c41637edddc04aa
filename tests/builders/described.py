"""Answers held against the hub's own description of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import jsonschema_rs
from fastapi import FastAPI

_description: dict[str, Any] = {}  # one for all: making it takes longer than most tests


def undescribed(app: FastAPI, answer: httpx.Response) -> list[str]:
    """What an answer has that the description does not. Nothing is expected of paths and methods without operation."""
    if not _description:
        _description.update(app.openapi())
    method, path = answer.request.method.lower(), answer.request.url.path
    template = next((each for each in _description["paths"] if _pattern(each).fullmatch(path)), "")
    if method not in _description["paths"].get(template, {}):
        return []
    media = answer.headers.get("content-type", "").partition(";")[0]
    place = ("paths", template, method, "responses", str(answer.status_code), "content", media)
    return [f"{method} {path} answers {answer.status_code} {media}: {why}" for why in _faults(place, answer)]


def _faults(place: tuple[str, ...], answer: httpx.Response) -> Iterator[str]:
    said: Any = _description
    media = place[-1]
    for name in place:
        if name not in said:
            yield f"{name} is not described"
            return
        said = said[name]
    operation = _description["paths"][place[1]][place[2]]
    of_a_packet = place[4] == "422" and "application/xml" in operation.get("requestBody", {}).get("content", {})
    if media == "application/problem+json" and not of_a_packet:  # a packet can break any rule of its own
        code = answer.json()["code"]
        if f"`{code}`" not in operation["responses"][place[4]]["description"]:
            yield f"{code} is not described"
    if media.endswith("json"):
        for error in _validator(place).iter_errors(answer.json()):
            yield f"{error.message} at {error.instance_path}"


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)))


@cache
def _validator(place: tuple[str, ...]) -> Any:
    said: Any = _description
    for name in place:
        said = said[name]
    whole = {"components": _description["components"], **said["schema"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
