"""Reading the systems to enrol: what a file may hold, and how its faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from builders.keys import a_certificate
from cryptography.hazmat.primitives.serialization import Encoding

from hub.enrolments import certificate, read
from hub.exchange.enrol import Enrolment

CHOICES = {"profile": ("required", "legacy"), "algorithms": ("2025", "sha1")}


def a_file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_every_column_is_read_and_a_certificate_lies_beside_the_file(tmp_path: Path) -> None:
    key = a_certificate("H41")[1]
    a_file(tmp_path, "h41.pem", key.public_bytes(Encoding.PEM))
    source = a_file(
        tmp_path,
        "systems.csv",
        "code,name,profile,algorithms,system_id,secret,certificate\n"
        'H41,"Ủy ban nhân dân\ntỉnh Nghệ An",legacy,sha1,qlvb-01,khóa dài mười sáu ký tự,h41.pem\nG22,,,,,,\n',
    )
    assert read(source, CHOICES) == (
        Enrolment("H41", "Ủy ban nhân dân\ntỉnh Nghệ An", "qlvb-01", "khóa dài mười sáu ký tự", "legacy", "sha1", key),
        Enrolment("G22"),
    )


FAULTS: dict[str, tuple[str, str | bytes, str]] = {
    "nothing": ("a.csv", "", "has no rows"),
    "a heading alone": ("a.csv", "code,name\n", "has no rows"),
    "an empty list": ("a.json", "[]", "has no rows"),
    "no list": ("a.json", '{"code": "H41"}', "has no rows"),
    "a list of texts": ("a.json", '["H41"]', "row 1: columns are"),
    "a number for a text": ("a.json", '[{"code": 41}]', "row 1: columns are"),
    "no JSON": ("a.json", "[", "a.json cannot be read"),
    "no UTF-8": ("a.csv", "code,name\nH41,Nghệ An".encode("utf-16"), "a.csv cannot be read"),
    "an unknown column": ("a.csv", "code,tên\nH41,Nghệ An\n", "row 1: columns are"),
    "more cells than columns": ("a.csv", "code\nH41,Nghệ An\n", "row 1: columns are"),
    "another separator": ("a.csv", "code;name\nH41;Nghệ An\n", "row 1: columns are"),
    "no code": ("a.csv", "code,name\nH41,\n,Nghệ An\n", "row 2: columns are"),
    "another profile": ("a.csv", "code,profile\nH41,Legacy\n", "row 1: profile is required or legacy"),
    "other algorithms": ("a.csv", "code,algorithms\nH41,md5\n", "row 1: algorithms is 2025 or sha1"),
    "no certificate there": ("a.csv", "code,certificate\nH41,thiếu.pem\n", "thiếu.pem cannot be read"),
}


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_file_that_cannot_be_read_is_refused_with_its_row(tmp_path: Path, name: str) -> None:
    file, content, told = FAULTS[name]
    with pytest.raises(typer.BadParameter) as refused:
        read(a_file(tmp_path, file, content), CHOICES)
    assert told in refused.value.message


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match=r"thiếu\.csv cannot be read"):
        read(tmp_path / "thiếu.csv", CHOICES)


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match=r"--certificate: .*a\.pem is no certificate in PEM"):
        certificate(a_file(tmp_path, "a.pem", "-----BEGIN CERTIFICATE-----"))
