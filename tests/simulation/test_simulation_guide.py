"""`docs/simulation.md` does what it says: every `curl` line of it is taken by a hub, and nothing that can be ordered is
missing.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import httpx
import pytest
from builders.simulated import a_simulated_process

from hub.simulation.orders import OLD, FaultShares, MutantShares

GUIDE = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text("utf-8")
LINES = re.findall(r"^curl .*$", GUIDE, re.MULTILINE)


def test_every_line_of_the_guide_is_taken_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SWEEP_SECONDS", "3600")  # or the hub would die at the step it is told to
    assert len(LINES) > 20
    with a_simulated_process(tmp_path) as (_, control, _):
        for line in LINES:
            method, body, url = "GET", None, ""
            words = iter(shlex.split(line)[1:])
            for word in words:
                if word == "-X":
                    method = next(words)
                elif word == "-d":
                    body = next(words)
                else:
                    url = word
            answer = httpx.request(method, url.replace("http://127.0.0.1:8001", control.url), content=body)
            assert answer.status_code == 200, (line, answer.text)


def test_the_guide_has_a_line_for_each_order() -> None:
    shares = [*FaultShares().as_json(), *MutantShares().as_json(), *OLD]
    assert [name for name in shares if f'"{name}"' not in "\n".join(LINES)] == []
    assert [name for name in shares if "seconds" not in name and name != "seed" and f"| `{name}` |" not in GUIDE] == []
