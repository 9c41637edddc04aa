"""`docs/trust.md` does what it says: its shell blocks run one after the other in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / "trust.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_the_trust_guide_s_commands_run_as_written(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "hub"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m hub "$@"\n')
    program.chmod(0o755)
    (tmp_path / "empty").mkdir()
    environment = os.environ | {
        "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    ended = subprocess.run(
        ["bash", "-c", "\n".join(["set -e", *BLOCKS])],
        cwd=tmp_path / "empty", env=environment, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    verdicts = re.findall(r"^([A-Z]+_[A-Z_]+) ", ended.stdout, re.MULTILINE)
    assert verdicts == ["VALID_NO_TIMESTAMP", "REVOKED_AT_SIGNING", "NAME_MISMATCH"]
    assert "not valid" in ended.stdout
    assert "not that agency's" in ended.stdout
