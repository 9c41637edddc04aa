"""Reading the systems to enrol from what the operator gives: a file of many, or the options for one.

Whatever cannot be read is told with its row, as a fault of how the command was called.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import typer
from cryptography.x509 import Certificate, load_pem_x509_certificate

from hub.exchange.enrol import Enrolment

_COLUMNS = ("code", "name", "profile", "algorithms", "system_id", "secret", "certificate", "addresses", "pdf_policy")


def read(path: Path, choices: Mapping[str, Collection[str]]) -> tuple[Enrolment, ...]:
    """The rows of a CSV file with a heading, or of a JSON list of objects (``.json``).

    ``choices`` are the values that some columns may have.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = json.loads(text) if path.suffix.lower() == ".json" else list(csv.DictReader(io.StringIO(text)))
    except (OSError, ValueError, csv.Error) as fault:
        raise typer.BadParameter(f"{path.name} cannot be read: {fault}") from None
    if not isinstance(rows, list) or not rows:
        raise typer.BadParameter(f"{path.name} has no rows: a heading and a line for each system, or a JSON list")
    return tuple(_enrolment(row, path, f"{path.name}, row {number}", choices) for number, row in enumerate(rows, 1))


def _enrolment(row: Any, path: Path, where: str, choices: Mapping[str, Collection[str]]) -> Enrolment:
    given = {key: value for key, value in row.items() if value} if isinstance(row, dict) else {}
    texts = all(isinstance(value, str) for value in given.values())
    if not given.get("code") or not texts or set(given) - set(_COLUMNS):
        raise typer.BadParameter(f"{where}: columns are {', '.join(_COLUMNS)}, all of them texts; code is needed")
    for column, allowed in choices.items():
        if column in given and given[column] not in allowed:
            raise typer.BadParameter(f"{where}: {column} is {' or '.join(allowed)}")
    if "certificate" in given:
        given["certificate"] = certificate(path.parent / given["certificate"], where)
    if "addresses" in given:
        given["addresses"] = tuple(re.split(r"[\s,;]+", given["addresses"].strip()))
    return Enrolment(**given)


def certificate(path: Path, where: str = "--certificate") -> Certificate:
    """A certificate from a PEM file."""
    try:
        return load_pem_x509_certificate(path.read_bytes())
    except OSError as fault:
        raise typer.BadParameter(f"{where}: {path} cannot be read: {fault.strerror}") from None
    except ValueError:
        raise typer.BadParameter(f"{where}: {path} is no certificate in PEM") from None


def secret() -> str:
    """The secret on the first line of standard input."""
    given = sys.stdin.readline().strip()
    if not given:
        raise typer.BadParameter("--secret-stdin: nothing came on standard input")
    return given
