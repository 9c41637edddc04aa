"""The architecture, read from the source: who may import whom, where SQL may stand, how long a file may get.

Every import counts, inside functions and under TYPE_CHECKING too. Each rule is a function that lists what breaks it
below a root, so that the tests can show it a tree where it is broken.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ("hub", "clients", "migrations")

# Imports point down: a part of the program, and the parts it may import besides itself.
_INTERFACE = {"hub.exchange", "hub.store", "hub.domain", "hub.errors", "hub.settings"}
MAY_IMPORT: dict[str, set[str]] = {
    "hub.errors": set(),
    "hub.domain": {"hub.errors"},
    "hub.data": {"hub.domain"},
    "hub.settings": {"hub.domain"},
    # The `agency` command has those of the harness and of evidence too.
    "clients": {"hub.domain", "hub.errors", "clients.replay", "clients.evidence"},
    "clients.evidence": {"hub.domain", "hub.errors", "clients"},
    "clients.replay": {"hub.domain", "hub.errors", "hub.data", "clients"},
    "migrations": {"hub.store"},  # the tables they must lead to
    "hub.background": set(),
    "hub.tracing": set(),
    "hub.metrics": {"hub.domain", "hub.errors"},
    "hub.monitoring": {"hub.metrics", "hub.exchange", "hub.settings", "hub.store"},
    "hub.runtime": set(),
    "hub.store": {"hub.domain", "hub.errors", "hub.background", "migrations"},  # the folder they lie in
    "hub.exchange": {"hub.store", "hub.domain", "hub.errors", "hub.metrics", "hub.runtime", "hub.pdf"},
    "hub.http": {*_INTERFACE, "hub.metrics"},
    "hub.api": {*_INTERFACE, "hub.http"},
    "hub.gateway": {*_INTERFACE, "hub.http", "hub.metrics"},
    "hub.logs": {"hub.metrics"},
    "hub.app": {
        *_INTERFACE,
        *("hub.background", "hub.pdf", "hub.http", "hub.api", "hub.gateway", "hub.console", "hub.data", "hub.logs"),
        *("hub.revocation", "hub.tracing"),
    },
    "hub.show": {"hub.store", "hub.domain", "hub.errors"},
    "hub.enrolments": {"hub.exchange"},
    "hub.backups": {"hub.app", "hub.settings", "hub.store"},
    "hub.authority": {"hub.domain"},
    "hub.operating": {"hub.exchange", "hub.store", "hub.domain", "hub.terminal", "hub.show"},
    "hub.reports": {"hub.store", "hub.domain", "hub.data"},
    "hub.reporting": {
        "hub.exchange",
        "hub.store",
        "hub.domain",
        "hub.data",
        "hub.reports",
        "hub.app",
        "hub.terminal",
        "hub.show",
    },
    "hub.console": {*_INTERFACE, "hub.http", "hub.reports"},
    "hub.terminal": {"hub.app", "hub.logs", "hub.exchange", "hub.settings"},
    "hub.pdf": {"hub.domain", "hub.metrics", "hub.runtime"},
    "hub.revocation": {"hub.exchange", "hub.domain", "hub.errors"},
    "hub.trusting": {
        *_INTERFACE,
        *("hub.app", "hub.authority", "hub.terminal", "hub.data", "hub.revocation", "hub.show"),
    },
    "hub.searching": {"hub.app", "hub.console", "hub.domain", "hub.show", "hub.store", "hub.terminal"},
    "hub.steering": {*_INTERFACE, "hub.terminal", "hub.show"},
    "hub.simulation": {*_INTERFACE, "hub.http", "hub.api", "hub.gateway"},
    "hub.serve": {"hub.app", "hub.runtime", "hub.http", "hub.logs", "hub.monitoring", "hub.settings", "hub.simulation"},
    "hub.demo": {"hub.domain", "hub.data", "clients"},
    "hub.__main__": {
        *_INTERFACE,
        *("hub.app", "hub.terminal", "hub.enrolments", "hub.backups", "hub.show", "hub.serve", "hub.demo"),
        *("hub.logs", "hub.operating", "hub.reporting", "hub.searching", "hub.steering", "hub.trusting"),
    },
    "hub": set(),
}

# Parts that import little of the world; the standard library is always there.
PURE: dict[str, set[str]] = {
    "hub.errors": set(),
    "hub.domain": {"lxml", "cryptography", "joserfc", "asn1crypto", "rfc3161_client"},
}
WEB = {"fastapi", "starlette", "uvicorn", "httpx"}
WITHOUT_WEB = {"hub.exchange", "hub.store", "hub.data", "hub.settings", "hub.show", "hub.reports", "migrations"}

# SQL stands in hub.store and migrations. Elsewhere a connection is only handed on.
SQL = {"sqlalchemy", "psycopg", "sqlite3"}
SQL_PARTS = {"hub.store", "migrations"}
BOOKS = ("clients.replay.ledger.", "clients.replay.traffic.")  # files of the test harness, which are SQLite's
HANDLES = {"sqlalchemy.Engine", "sqlalchemy.Connection", "sqlalchemy.RowMapping"}

VAGUE = {"utils", "util", "helpers", "common", "base", "misc", "models", "schemas", "crud"}
LONGEST = 420  # lines


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    imports: tuple[str, ...]  # dotted, as far as they can be read: ``a.b.name`` for ``from a.b import name``


def modules(root: Path) -> dict[str, Module]:
    found = {}
    for path in sorted(p for folder in SOURCE for p in (root / folder).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        package = list(parts[:-1])
        found[name] = Module(name, path, tuple(_imports(ast.parse(path.read_text("utf-8")), package)))
    return found


def _imports(tree: ast.AST, package: list[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def part_of(name: str) -> str | None:
    """The longest entry of MAY_IMPORT that a dotted name lies in."""
    fitting = [part for part in MAY_IMPORT if name == part or name.startswith(part + ".")]
    return max(fitting, key=len, default=None)


def upward_imports(root: Path) -> list[str]:
    bad = []
    for module in modules(root).values():
        own = part_of(module.name)
        if own is None or (own == "hub" and module.name != "hub"):
            bad.append(f"{module.name} has no place in MAY_IMPORT")
            continue
        for target in module.imports:
            part = part_of(target)
            if part is not None and part != own and part not in MAY_IMPORT[own]:
                bad.append(f"{module.name} imports {target}")
    return bad


def impure_imports(root: Path) -> list[str]:
    bad = []
    for module in modules(root).values():
        part = part_of(module.name) or ""
        for target in module.imports:
            top = target.split(".")[0]
            foreign = top not in sys.stdlib_module_names and top not in SOURCE
            if (foreign and part in PURE and top not in PURE[part]) or (part in WITHOUT_WEB and top in WEB):
                bad.append(f"{module.name} imports {target}")
    return bad


def stray_sql(root: Path) -> list[str]:
    return [
        f"{module.name} imports {target}"
        for module in modules(root).values()
        if part_of(module.name) not in SQL_PARTS and not module.name.startswith(BOOKS)
        for target in module.imports
        if target.split(".")[0] in SQL and target not in HANDLES and not target.startswith("sqlalchemy.exc.")
    ]


def cycles(root: Path) -> list[str]:
    found = modules(root)
    graph = {
        module.name: {
            target if target in found else target.rpartition(".")[0]
            for target in module.imports
            if target in found or target.rpartition(".")[0] in found
        }
        for module in found.values()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as fault:
        return [" > ".join(fault.args[1])]
    return []


def vague_names(root: Path) -> list[str]:
    return [m.name for m in modules(root).values() if VAGUE & set(m.name.split("."))]


def long_files(root: Path) -> list[str]:
    bad = []
    for folder in (*SOURCE, "tests", "benchmarks"):
        for path in sorted((root / folder).rglob("*.py")):
            lines = len(path.read_text("utf-8").splitlines())
            most = 120 if path.name == "conftest.py" else LONGEST
            if lines > most:
                bad.append(f"{path.relative_to(root).as_posix()} has {lines} lines, above {most}")
    return bad


Rule = Callable[[Path], list[str]]
RULES: list[Rule] = [upward_imports, impure_imports, stray_sql, cycles, vague_names, long_files]


@pytest.mark.parametrize("rule", RULES)
def test_the_program_keeps_the_rule(rule: Rule) -> None:
    assert rule(ROOT) == []


def test_the_whole_program_was_read() -> None:
    names = modules(ROOT)
    assert {part_of(name) for name in names} == set(MAY_IMPORT)
    assert {"hub.app", "hub.errors", "hub.domain.delivery", "hub.exchange.writer", "hub.store.tables"} <= set(names)
    assert "hub.store.schema" in names["hub.app"].imports
    assert "sqlalchemy.Engine" in names["hub.app"].imports


BROKEN: list[tuple[Rule, dict[str, str], str]] = [
    (upward_imports, {"hub/domain/a.py": "from hub.store import tables"}, "hub.domain.a imports hub.store.tables"),
    (upward_imports, {"hub/exchange/a.py": "def f():\n    import hub.api.shapes"}, "hub.exchange.a imports hub.api"),
    (
        upward_imports,
        {"hub/store/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from hub.exchange import accept"},
        "hub.store.a imports hub.exchange.accept",
    ),
    (upward_imports, {"hub/domain/rules/a.py": "from ...store import tables"}, "imports hub.store.tables"),
    (upward_imports, {"hub/domain/__init__.py": "from ..store import tables"}, "imports hub.store.tables"),
    (upward_imports, {"hub/api/a.py": "from hub import app"}, "hub.api.a imports hub.app"),
    (upward_imports, {"clients/a.py": "import hub.store.engine"}, "clients.a imports hub.store.engine"),
    (upward_imports, {"hub/settings.py": "from hub.errors import Refusal"}, "hub.settings imports hub.errors.Refusal"),
    (upward_imports, {"hub/services.py": ""}, "hub.services has no place"),
    (impure_imports, {"hub/domain/a.py": "import sqlalchemy"}, "hub.domain.a imports sqlalchemy"),
    (impure_imports, {"hub/domain/a.py": "from pydantic import BaseModel"}, "hub.domain.a imports pydantic.BaseModel"),
    (impure_imports, {"hub/errors.py": "from lxml import etree"}, "hub.errors imports lxml.etree"),
    (impure_imports, {"hub/exchange/a.py": "from fastapi import Request"}, "hub.exchange.a imports fastapi.Request"),
    (stray_sql, {"hub/api/a.py": "from sqlalchemy import select"}, "hub.api.a imports sqlalchemy.select"),
    (stray_sql, {"hub/exchange/a.py": "import sqlalchemy as sa"}, "hub.exchange.a imports sqlalchemy"),
    (stray_sql, {"hub/show.py": "from sqlalchemy.sql import text"}, "hub.show imports sqlalchemy.sql.text"),
    (
        cycles,
        {"hub/a.py": "from hub import b", "hub/b.py": "from hub.c import f", "hub/c.py": "def f():\n    import hub.a"},
        "hub.a",
    ),
    (vague_names, {"hub/store/utils.py": ""}, "hub.store.utils"),
    (vague_names, {"hub/common/a.py": ""}, "hub.common.a"),
    (long_files, {"hub/a.py": "\n" * (LONGEST + 1)}, "hub/a.py has 421 lines"),
    (long_files, {"tests/conftest.py": "\n" * 121}, "tests/conftest.py has 121 lines, above 120"),
]


@pytest.mark.parametrize(("rule", "files", "told"), BROKEN)
def test_a_broken_rule_is_found(tmp_path: Path, rule: Rule, files: dict[str, str], told: str) -> None:
    for name, source in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")
    found = rule(tmp_path)
    assert len(found) == 1
    assert told in found[0]
