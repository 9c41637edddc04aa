"""A scenario file, read and checked: all of its faults are told at once, each with its line."""

from __future__ import annotations

import random
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from clients.replay.plan.cast import CastError
from clients.replay.plan.crowd import Crowd
from clients.replay.scenario.lines import lines
from clients.replay.scenario.shapes import Scenario

_SHIPPED = files(__package__).joinpath("shipped")


class ScenarioError(ValueError):
    """A scenario that cannot be played; ``faults`` are its faults, each a line ``FILE:LINE: PATH: what is allowed``."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def shipped() -> dict[str, str]:
    """The scenarios that come with the program: name and title."""
    names = sorted(file.name.removesuffix(".toml") for file in _SHIPPED.iterdir() if file.name.endswith(".toml"))
    return {name: read(name).title for name in names}


def read(path_or_name: str | Path) -> Scenario:
    """A scenario from a file, or by name one that is shipped. Raises :class:`ScenarioError`."""
    path = Path(path_or_name)
    own = _SHIPPED.joinpath(f"{path_or_name}.toml")
    named = path.suffix != ".toml" and path.name == str(path_or_name)
    try:
        text = (own if named else path).read_text(encoding="utf-8")
    except FileNotFoundError:
        names = ", ".join(sorted(file.name.removesuffix(".toml") for file in _SHIPPED.iterdir()))
        raise ScenarioError(
            [f"{path_or_name}: no such file, and no scenario of that name; there are: {names}"]
        ) from None
    except (OSError, UnicodeDecodeError) as fault:
        raise ScenarioError([f"{path_or_name}: cannot be read: {fault}"]) from None
    return parse(text, f"{path_or_name}.toml" if named else path.name)


def parse(text: str, name: str) -> Scenario:
    """A scenario from the text of a file called ``name``. Raises :class:`ScenarioError`."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise ScenarioError([f"{name}: {fault}"]) from None
    where = lines(text)
    try:
        scenario = Scenario.model_validate(values)
    except ValidationError as broken:
        faults = sorted(broken.errors(), key=lambda fault: _at(fault["loc"], where))
        raise ScenarioError([_told(fault, name, where) for fault in faults]) from None
    try:
        Crowd(scenario, random.Random(scenario.seed))  # noqa: S311  (what is played is no secret)
    except CastError as broken:
        at = _at(broken.path, where)
        raise ScenarioError([f"{name}:{at}: {_dotted(broken.path)}: {broken}"]) from None
    return scenario


def _told(fault: ErrorDetails, name: str, where: dict[tuple[str | int, ...], int]) -> str:
    path = fault["loc"]
    if path and path[-1] == "[key]":
        path = path[:-1]
    reason = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        reason = f"there is no such key; allowed: {', '.join(_allowed(path[:-1]))}"
    elif fault["type"] == "missing":
        reason = "is missing"
    elif fault["type"] != "value_error" and not isinstance(fault["input"], (dict, list)):
        reason = f"{reason}, not {fault['input']!r}"
    return f"{name}:{_at(path, where)}: {_dotted(path) or 'the whole'}: {reason}"


def _at(path: tuple[str | int, ...], where: dict[tuple[str | int, ...], int]) -> int:
    """The line of the path, or of the nearest thing above it that stands in the file."""
    return next((where[path[:n]] for n in range(len(path), 0, -1) if path[:n] in where), 1)


def _dotted(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _allowed(path: tuple[str | int, ...]) -> list[str]:
    """The keys of the table at this path."""
    shape: Any = Scenario
    for part in path:
        if isinstance(part, str):
            fields = {field.alias or key: field.annotation for key, field in shape.model_fields.items()}
            shape = fields[part]
        while not isinstance(shape, type) or not issubclass(shape, BaseModel):
            shape = get_args(shape)[0]
    return [field.alias or key for key, field in shape.model_fields.items()]
