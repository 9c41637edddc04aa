"""``docs/connect-rest.md`` as a stranger follows it: each way from nothing to a received document, every line as it is
written but for the port, against a hub that serves in a process of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from builders.commands import serving

pytestmark = pytest.mark.long

PAGE = (Path(__file__).parent.parent / "docs" / "connect-rest.md").read_text("utf-8")
START, PYTHON, CURL, _REFUSED = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
SERVE = "hub serve\n"  # in a shell of its own
CHANCE = re.compile(r"\b[0-9a-f]{24}\b")


def blocks(section: str) -> list[tuple[str, str]]:
    return re.findall(r"^```(\w+)\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("way", [PYTHON, CURL], ids=["python", "curl"])
def test_what_a_stranger_types_leads_to_a_received_document(tmp_path: Path, way: str) -> None:
    prepared, typed = blocks(START), blocks(way)
    assert prepared.pop(0) == ("sh", SERVE)
    script = ["set -euo pipefail"]
    for language, text in prepared + typed:
        script += {"sh": [text], "python": [f"python3 - <<'PYTHON'\n{text}PYTHON"], "text": []}[language]
    (tmp_path / "var").mkdir(mode=0o700)
    with serving(tmp_path / "var") as hub:
        run = subprocess.run(
            ["bash", "-c", "\n".join(script).replace("http://127.0.0.1:8000", hub.url)],
            cwd=tmp_path, capture_output=True, text=True, timeout=90,
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUTF8": "1"},
        )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    shown = [text for language, text in typed if language == "text"]
    assert CHANCE.sub("ID", run.stdout) == CHANCE.sub("ID", "".join(shown))
    assert (tmp_path / "received.edxml").read_bytes() == (tmp_path / "sent.edxml").read_bytes()
