"""`docs/operate.md` does what it says: its shell blocks run one after the other on a hub of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from builders.commands import run
from builders.ports import free_ports

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operate.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
CURL = f"""#!{sys.executable}
import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[-1], timeout=5).read().decode())
except OSError:
    sys.exit(22)
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The commands of this installation, and a `curl` for machines without one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "curl").write_text(CURL)
    (folder / "hub").write_text(f'#!/bin/sh\nexec {sys.executable} -m hub "$@"\n')
    (folder / "python3").symlink_to(sys.executable)
    for program in folder.iterdir():
        if not program.is_symlink():
            program.chmod(0o755)
    return folder


def test_the_guide_s_commands_run_as_written(tmp_path: Path, programs: Path) -> None:
    script = "\n".join(["set -e", "trap 'kill $HUB 2>/dev/null || true' EXIT", *BLOCKS])
    (port,) = free_ports(1)
    for written, here in (
        ("/var/lib/lienthong", str(tmp_path / "hub")), ("/backup", str(tmp_path / "backup")), (":8000", f":{port}"),
    ):  # fmt: skip
        assert written in script
        script = script.replace(written, here)
    environment = os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}", "HUB_PORT": str(port), "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    with open(tmp_path / "out", "wb") as out:
        ended = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=environment, stdout=out, stderr=subprocess.STDOUT, timeout=100
        )
    told = (tmp_path / "out").read_text("utf-8")
    assert ended.returncode == 0, told
    assert "it does not start" in told
    assert "key-file-lost" in told
    assert "Nghệ An" in told
    assert (tmp_path / "backup" / "2026-11-22" / "manifest.json").exists()
    assert '"level": "error"' not in (tmp_path / "hub.jsonl").read_text("utf-8")
    assert len(run("agencies", "--json", "H41", "--data-dir", str(tmp_path / "hub")).rows()) >= 1


def test_the_guide_names_every_event_of_the_log_that_is_an_error() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "hub").rglob("*.py"))
    events = set(re.findall(r"log\.(?:exception|error)\(\s*\"([a-z-]+)\"", source))
    assert "writer-fault" in events
    assert {event for event in events if f"`{event}`" not in GUIDE} == set()
