"""What `agency replay` refuses before it does anything: options that would change nothing, and what is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from builders.served import nobody_listens
from typer.testing import CliRunner

from clients.replay.command import add_to
from clients.replay.player.sources import of_scenario
from clients.replay.scenario.read import parse

SMALL = """
title = "Hai nơi"
[clock]
mode = "real"
start = 2025-10-01T09:00:00+07:00
duration = "1 s"
[documents]
count = 1
[[agencies]]
codes = ["G22", "H41"]
"""


app = typer.Typer()
add_to(app)


def refused(*words: str) -> str:
    ended = CliRunner().invoke(app, ["replay", *words])
    assert ended.exit_code == 2, ended.output
    assert "Traceback" not in ended.output
    return " ".join(ended.output.replace("│", " ").split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("smoke", "--control", "http://127.0.0.1:9"), "a hub that is started here has its own"),
        (("smoke", "--anonymise"), "--anonymise is for records"),
        (("first-four-months", "--speed", "2"), "--speed is for real clocks"),
        (("smoke", "--hub", "http://127.0.0.1:9", "--credentials", "c", "--database-url", "x"), "without --hub"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(words: tuple[str, ...], told: str) -> None:
    assert told in refused(*words)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    assert str(tmp_path / "file") in refused("smoke", "--out", str(tmp_path / "file" / "run"))


@pytest.mark.parametrize("control", [False, True])
def test_a_hub_or_a_control_port_that_is_not_there_is_told_before_anything_is_sent(
    tmp_path: Path, control: bool
) -> None:
    """It is no hub that takes nothing."""
    file, credentials = tmp_path / "small.toml", tmp_path / "credentials.json"
    file.write_text(SMALL, "utf-8")
    cast = of_scenario("small", parse(SMALL, "small.toml")).source().cast
    known = [{"agency": p.code, "system_id": p.code, "token": "t", "secret": "s", "code": ""} for p in cast]
    credentials.write_text(json.dumps(known), "utf-8")
    with nobody_listens() as port:
        url = f"http://127.0.0.1:{port}"
        words = [str(file), "--hub", url, "--credentials", str(credentials), "--out", str(tmp_path / "run")]
        said = refused(*words, *(("--control", url) if control else ()))
    assert f"--hub {url}: refused" in said
