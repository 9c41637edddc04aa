"""What holds of the repository's files as such: nothing of the machine that wrote them, everything to install from.

Each rule is a function from a file's text to what breaks it, so that the tests can show it a text where it is broken.
"""

from __future__ import annotations

import os
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
MADE = {"__pycache__", "var", "build", "dist"}  # folders a working copy gets, and those whose names begin with a dot

# Whom the files may name in a URL. Where packages come from is whoever installs them's own matter.
HOSTS = {
    "127.0.0.1": "this machine",
    "localhost": "this machine",
    "www.w3.org": "namespaces and algorithms of XML",
    "www.mic.gov.vn": "the packet's namespace",
    "www.e-doc.vn": "the namespace of older packets",
}


def foreign_hosts(text: str) -> list[str]:
    hosts = re.findall(r"\b\w+://(?:[^\s/@]*@)?([\w-]+(?:\.[\w-]+)+|localhost)", text)
    return [host for host in hosts if host not in HOSTS and not re.fullmatch(r"(.+\.)?example(\.\w+)?", host)]


def machine_paths(text: str) -> list[str]:
    return re.findall(r"(?<![\w.}])/(?:root|work|home|Users)/[\w.-]+|\.\./shared", text)


def unfinished_work(text: str) -> list[str]:
    return re.findall(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b", text)


def decomposed_letters(text: str) -> list[str]:
    """Vietnamese letters that are not in NFC, the form the rules prescribe."""
    return [line for line in text.splitlines() if not unicodedata.is_normalized("NFC", line)]


def lock_faults(text: str) -> list[str]:
    """Whatever is no pinned requirement with its hashes: options (an index, links), URLs, loose versions."""
    entries = re.sub(r"\\\n\s*", "", text).splitlines()
    pinned = re.compile(r"[A-Za-z0-9._\[\],-]+==\S+( ; [^;]+?)?( --hash=sha256:[0-9a-f]{64})+\s*")
    return [entry for entry in entries if entry.split("#")[0].strip() and not pinned.fullmatch(entry)]


def files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        ours = [n for n in folders if n == ".ci" or not (n.startswith(".") or n in MADE or n.endswith(".egg-info"))]
        folders[:] = sorted(ours)
        yield from (Path(folder, name) for name in sorted(names))


def texts(suffix: str = "") -> Iterator[tuple[str, str]]:
    """Path and content of every text file of the repository (whose names end so)."""
    for path in files():
        data = path.read_bytes()
        if path.name.endswith(suffix) and b"\0" not in data:
            yield path.relative_to(ROOT).as_posix(), data.decode("utf-8", "replace")


Rule = Callable[[str], list[str]]
RULES: list[tuple[Rule, str]] = [
    (foreign_hosts, ""),
    (machine_paths, ""),
    (unfinished_work, ".py"),
    (decomposed_letters, ".py"),
    (decomposed_letters, ".md"),
    (decomposed_letters, ".csv"),
    (decomposed_letters, "examples.json"),
    (lock_faults, "requirements.lock"),
]


@pytest.mark.parametrize(("rule", "suffix"), RULES)
def test_the_files_keep_the_rule(rule: Rule, suffix: str) -> None:
    assert {path: found for path, text in texts(suffix) if (found := rule(text))} == {}


BROKEN: list[tuple[Rule, str]] = [
    (foreign_hosts, "see https" + "://packages.invalid/simple"),
    (foreign_hosts, "git+ssh" + "://me@packages.invalid/x"),
    (machine_paths, f'open("/{"root"}/notes.txt")'),
    (machine_paths, f"cd /{'home'}/an/lienthong"),
    (machine_paths, f"../{'shared'}/spec"),
    (unfinished_work, f"# {'TO'}{'DO'}: later"),
    (decomposed_letters, unicodedata.normalize("NFD", "Văn bản")),
    (lock_faults, "--index-url x"),
    (lock_faults, "lxml==6.1"),
    (lock_faults, f"lxml>=6 \\\n    --hash=sha256:{'0' * 64}"),
]


@pytest.mark.parametrize(("rule", "text"), BROKEN)
def test_a_broken_rule_is_found(rule: Rule, text: str) -> None:
    assert len(rule(text)) == 1


def test_every_file_was_read() -> None:
    read = {path for path, _text in texts()}
    assert {"Makefile", ".ci/run", "pyproject.toml", "requirements.lock", "hub/app.py", "tests/conftest.py"} <= read
    assert {"deploy/requirements.lock", "hub/data/agencies.csv", "hub/api/examples.json"} <= read


def test_no_two_files_of_tests_have_one_name() -> None:
    """Pytest takes the second for the first, but only where both are collected: the whole fails, and no part of it."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_the_lock_covers_every_requirement() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["build-system"]["requires"],  # built without isolation
    ]
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    locked = {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)\S*?==(\S+)", lock, re.M)}
    missing = []
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version):
            missing.append(f"{requirement} (locked: {version})")
    assert missing == []


def test_the_check_of_everything_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
