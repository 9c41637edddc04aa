"""What takes the machine for itself, one after the other: `make test-alone`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
pytestmark = [pytest.mark.alone, pytest.mark.timeout(900)]


def run(*command: str) -> str:
    ended = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=880)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
    return ended.stdout


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_hub_that_dies_at_every_step_and_at_random_loses_and_doubles_nothing(database: str, tmp_path: Path) -> None:
    told = run("tests.crash", "--database", database, "--kills", "30", "--keep", str(tmp_path / "crash"))
    assert "every step" in told
    books = list((tmp_path / "crash" / database).glob("*/verdict.json"))
    deaths = [json.loads(book.read_text("utf-8"))["facts"]["deaths"] for book in books]
    assert sum(deaths) >= 30 + 10  # at random, and one at each of ten steps


def test_the_axis_of_2019_comes_out_with_the_figures_that_were_reported(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run("clients.agency", "replay", "first-four-months", "--scale", "0.05", "--out", str(out))
    counts = json.loads((out / "verdict.json").read_text("utf-8"))["figures"]["counts"]
    assert (counts["sent"], counts["accepted"], counts["deliveries"]) == (3_413, 3_413, 10_178)
    page = (out / "report.html").read_text("utf-8")
    assert "3,413" in page
    assert "10,178" in page
