"""The API against its own description: schemathesis asks rightly and wrongly, from examples and by chance, for a
bounded time, and finds no fault and no answer that is not described.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from builders.examples import enrolled
from builders.served import a_served_hub

from hub.api import site

pytestmark = pytest.mark.long

TESTS = Path(__file__).parent.parent
BUDGET = 40  # seconds


def test_no_question_finds_a_fault_or_an_answer_that_is_not_described(tmp_path: Path) -> None:
    with a_served_hub(tmp_path / "hub") as served, httpx.Client(base_url=served.base_url) as http:
        tokens = enrolled(served.axis.desk)
        for step in site.examples():
            if step["operation"].endswith("{code}/certificates") and step["status"] == 201:
                path, caller = f"/v1/agencies/{step['path']['code']}/certificates", tokens[step["caller"]]
                assert http.post(path, json=step["body"], headers={"Authorization": f"Bearer {caller}"}).is_success
        ministry = served.axis.enrol("G09")
        for _ in range(5):  # something to fetch, claim and report on
            ministry.send("G22")
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(TESTS / "builders" / "fuzzing.toml")),
            *("run", f"{served.base_url}/openapi.json", "--header", f"Authorization: Bearer {tokens['G22']}"),
            *("--max-time", str(BUDGET), "--continue-on-failure", "--warnings", "off", "--no-color"),
            *(["--generation-deterministic"] if "CI" in os.environ else ["--generation-database", "none"]),
        ]
        hooks = os.environ | {"PYTHONPATH": str(TESTS)}
        run = subprocess.run(
            command, cwd=tmp_path, env=hooks, capture_output=True, text=True, encoding="utf-8", timeout=BUDGET + 60
        )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    asked = re.search(r"(\d+) generated", run.stdout)
    assert asked is not None, run.stdout
    assert int(asked[1]) > 100, run.stdout  # some 800 on a quiet machine
