"""The pages for whoever connects, as a stranger follows them: each way from nothing to a received document, every line
as it is written but for the port, against a hub that serves in a process of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from builders.commands import serving

from hub.domain.rules import RULES
from hub.errors import PROBLEMS
from hub.gateway.answers import code_of

pytestmark = pytest.mark.long

DOCS = Path(__file__).parent.parent / "docs"
GATEWAY = (DOCS / "connect.md").read_text("utf-8")
START, PYTHON, CURL, _REFUSED = re.split(r"^## ", (DOCS / "connect-rest.md").read_text("utf-8"), flags=re.MULTILINE)[1:]
WAYS = {"gateway": GATEWAY, "rest-python": START + PYTHON, "rest-curl": START + CURL}
SERVE = "hub serve\n"  # in a shell of its own
CHANCE = re.compile(r"\b[0-9a-f]{24}\b")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_a_stranger_types_leads_to_a_received_document(tmp_path: Path, way: str) -> None:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", way, re.MULTILINE | re.DOTALL)
    assert blocks.pop(0) == ("sh", SERVE)
    script, shown = ["set -euo pipefail"], ""
    for language, text in blocks:
        match language:
            case "sh":
                script.append(text)
            case "python":
                script.append(f"python3 - <<'PYTHON'\n{text}PYTHON")
            case "text":
                shown += text
            case _:
                assert (way, language) == (GATEWAY, "console"), "Java, which no test needs"
    (tmp_path / "var").mkdir(mode=0o700)
    with serving(tmp_path / "var") as hub:
        run = subprocess.run(
            ["bash", "-c", "\n".join(script).replace("http://127.0.0.1:8000", hub.url)],
            cwd=tmp_path, capture_output=True, text=True, timeout=90,
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUTF8": "1"},
        )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert CHANCE.sub("ID", run.stdout) == CHANCE.sub("ID", shown)
    assert (tmp_path / "received.edxml").read_bytes() == (tmp_path / "sent.edxml").read_bytes()


def test_every_error_code_that_the_hub_gives_is_explained() -> None:
    explained = re.findall(r"^\| (\d\d) \|", GATEWAY, re.MULTILINE)
    assert explained == sorted({code_of(rule) for rule in [*PROBLEMS, *RULES]})
