"""What takes the machine for itself, one after the other: `make test-alone`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.tears import FORMS

ROOT = Path(__file__).parent.parent.parent
pytestmark = [pytest.mark.alone, pytest.mark.timeout(900)]


def run(*command: str) -> str:
    ended = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=880)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
    return ended.stdout


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_hub_that_dies_at_every_step_and_at_random_loses_and_doubles_nothing(database: str, tmp_path: Path) -> None:
    run("tests.crash", "--database", database, "--kills", "30", "--keep", str(tmp_path / "crash"))
    befell = sum((Counter(json.loads(each.read_text("utf-8"))) for each in tmp_path.rglob("befell.json")), Counter())
    assert befell["at random"] == 30
    assert len([what for what in befell if what.startswith("at ")]) == 10 + 1  # each of ten steps
    assert befell["payload torn"] >= 5
    if database == "sqlite":
        assert {f"log torn, {form}" for form in FORMS} <= set(befell)
    else:
        assert befell["PostgreSQL's log torn"] == 3


def test_the_axis_of_2019_comes_out_with_the_figures_that_were_reported(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run("clients.agency", "replay", "first-four-months", "--scale", "0.05", "--out", str(out))
    counts = json.loads((out / "verdict.json").read_text("utf-8"))["figures"]["counts"]
    assert (counts["sent"], counts["accepted"], counts["deliveries"]) == (3_413, 3_413, 10_178)
    page = (out / "report.html").read_text("utf-8")
    assert "3,413" in page
    assert "10,178" in page
