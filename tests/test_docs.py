"""The documentation keeps up with the program: what is generated is current, what is named exists, examples run."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from builders.served import a_served_hub
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.__main__ import app as command
from hub.demo.peers import key_and_certificate
from hub.domain import edxml
from hub.domain.delivery import ANSWER, PROCESSING, TRANSPORT
from hub.domain.rules import RULES
from hub.domain.search import one_line, parse
from hub.errors import PROBLEMS
from hub.exchange import enrol
from hub.settings import Settings
from hub.store import log
from hub.store.engine import reading

ROOT = Path(__file__).parent.parent
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")), *DECISIONS]
README = (ROOT / "README.md").read_text("utf-8")
EVERYTHING = "\n".join(page.read_text("utf-8") for page in PAGES)


def load_generator() -> ModuleType:
    spec = spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_generator()


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def rows(page: str, part: str) -> list[list[str]]:
    """The cells of a generated table or of several, heads included."""
    text = (ROOT / page).read_text("utf-8")
    match = re.search(rf"<!-- generated: {part} -->(.*?)<!-- end -->", text, re.DOTALL)
    assert match is not None, f"{page} has no {part}"
    lines = [line for line in match[1].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if "---" not in line]


def table(part: str) -> dict[str, dict[str, str]]:
    """A generated table of the exchange by the names of its rows and columns."""
    head, *body = rows("docs/exchange.md", part)
    return {cells[0].strip("*"): dict(zip(head[1:], cells[1:], strict=True)) for cells in body}


# What is generated.


def test_generated_parts_are_current() -> None:
    assert [name(page) for page in GENERATOR.outdated(ROOT)] == []


def test_every_generated_part_stands_in_one_page() -> None:
    parts = [part for page in GENERATOR.PAGES for part in GENERATOR.parts_of((ROOT / page).read_text("utf-8"))]
    assert sorted(parts) == sorted(GENERATOR.PARTS)


def test_a_page_that_fell_behind_is_found_and_renewed(tmp_path: Path) -> None:
    for page in (*GENERATOR.PAGES, GENERATOR.SCHEMA):
        (tmp_path / page).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / page, tmp_path / page)
    changed = tmp_path / "docs" / "refusals.md"
    current = changed.read_text("utf-8")
    changed.write_text(current.replace("| `number-taken` | 409", "| `number-taken` | 408"), "utf-8")
    assert list(GENERATOR.outdated(tmp_path)) == [changed]
    assert GENERATOR.renewed(changed.read_text("utf-8")) == current


def test_every_code_of_the_catalogue_and_every_rule_is_listed() -> None:
    page = "docs/refusals.md"
    listed = [cells[0].strip("`") for part in ("refusals", "rules") for cells in rows(page, part) if "`" in cells[0]]
    assert sorted(listed) == sorted([*PROBLEMS, *RULES])


def test_every_section_of_the_catalogue_begins_with_a_code_it_has() -> None:
    assert set(GENERATOR.SECTIONS) <= set(PROBLEMS)
    assert next(iter(GENERATOR.SECTIONS)) == next(iter(PROBLEMS))


def test_the_transport_table_is_the_program_s() -> None:
    written = {
        state: {m: after for m, after in row.items() if after != "–"} for state, row in table("transport").items()
    }
    assert written == {state.value: {m.value: s.value for m, s in row.items()} for state, row in TRANSPORT.items()}


def test_the_processing_table_is_the_program_s() -> None:
    assert table("processing") == {
        code: {f"at {status}": effect.value for status, effect in row.items()} for code, row in PROCESSING.items()
    }


def test_the_answer_table_is_the_program_s() -> None:
    assert table("answers") == {
        code: {f"to {ask}": after.value if after else "status stays" for ask, after in row.items()}
        for code, row in ANSWER.items()
    }


def test_the_transport_diagram_has_each_move_once() -> None:
    diagram = next(block for block in blocks(ROOT / "docs" / "exchange.md", "mermaid") if "lease-over" in block)
    drawn = re.findall(r"^    (\w+) --> (\w+): ([\w-]+)$", diagram, re.MULTILINE)
    assert sorted(drawn) == sorted((a, b, move) for a, row in TRANSPORT.items() for move, b in row.items())


# What is named.


def test_the_settings_page_has_every_setting_with_its_default() -> None:
    written = {cells[0].strip("`"): cells[1] for cells in rows("docs/settings.md", "settings")[1:]}
    assert set(written) == {f"HUB_{field.upper()}" for field in Settings.model_fields}
    for field, info in Settings.model_fields.items():
        told = written[f"HUB_{field.upper()}"]
        assert told.startswith(f"`{info.default}`" if str(info.default) else "–")


def test_settings_named_anywhere_exist() -> None:
    named = set(re.findall(r"\bHUB_[A-Z0-9_]*[A-Z0-9]\b", EVERYTHING))
    assert named <= {f"HUB_{field.upper()}" for field in Settings.model_fields}


def test_every_command_is_named_and_every_command_named_exists() -> None:
    commands = {each.name or each.callback.__name__ for each in command.registered_commands if each.callback}
    commands |= {str(each.name) for each in command.registered_groups}
    named = set(re.findall(r"(?:^|`|bin/)hub ([a-z]+)\b", EVERYTHING, re.MULTILINE))
    assert named == commands


def test_every_named_step_of_the_program_has_its_line_in_the_power_cut_table() -> None:
    called = {
        node.args[0].value
        for path in (ROOT / "hub" / "exchange").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in {"at", "_at"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = [line.split("|")[1] for line in text.split("# What a power cut leaves")[1].splitlines() if "|" in line]
    assert called == set(re.findall(r"`([a-z-]+)`", "\n".join(table)))


def test_codes_named_in_the_rules_of_exchange_exist() -> None:
    text = (ROOT / "docs" / "exchange.md").read_text("utf-8")
    named = set(re.findall(r"`((?:recipient|sender|document|number|status|certificate|signature)-[a-z-]+)`", text))
    assert len(named) > 10
    assert named <= {*PROBLEMS, *RULES}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    missing = [t for t in targets if ":" not in t and not (page.parent / t.partition("#")[0]).exists()]
    assert missing == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        text = page.read_text("utf-8")
        waiting += [page.parent / t.partition("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text) if ":" not in t]
    assert {page.resolve() for page in PAGES} - reached == set()


# What is written by hand.


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_examples_compile(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block, name(page), "exec")


def test_the_readme_is_short_and_its_examples_are_found() -> None:
    assert len(README.splitlines()) <= 180
    assert len(blocks(ROOT / "README.md", "python")) == 2


def test_decisions_are_numbered_without_holes_and_short() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for page in DECISIONS:
        text = page.read_text("utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. "), page.name
        assert len(text.splitlines()) <= 50, page.name
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Options", "Decision", "Consequences"]
        assert len(re.findall(r"Good, because", text)) == len(re.findall(r"Bad, because", text)) >= 2


def test_the_changelog_tells_of_this_version() -> None:
    assert re.search(r"^## \[(Unreleased|0\.1\.0)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)


def test_the_readme_s_examples_send_and_receive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key, certificate = key_and_certificate("G22")
    (tmp_path / "g22.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "g22.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    monkeypatch.chdir(tmp_path)
    with a_served_hub(tmp_path / "hub") as served:
        desk = served.axis.desk
        served.axis.clock.now = certificate.not_valid_before_utc.replace(hour=23, minute=59)
        for code in ("G22", "H41"):
            job = enrol.Enrolments((enrol.Enrolment(code),), desk.vault)
            (tmp_path / f"{code.lower()}.json").write_text(json.dumps(desk.writer.run(enrol.enrol, job)[0]))
        for example in blocks(ROOT / "README.md", "python"):
            exec(compile(example.replace("http://127.0.0.1:8000", served.base_url), "README.md", "exec"), {})
        [query] = re.findall(r"`hub log (from:[^`]+)`", README)
        with reading(desk.engine) as connection:
            [line] = log.lines(connection, parse(one_line(shlex.split(query))), limit=9)
        assert (line["number"], line["symbol"], line["state"]) == ("15", "VPCP-TH", "delivered")
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "G22 Về việc cải cách tiền lương"
    sent = (tmp_path / "packet.edxml").read_bytes()
    [kept] = [path for path in tmp_path.glob("*.edxml") if path.name != "packet.edxml"]
    assert kept.read_bytes() == sent
    assert edxml.read_document(edxml.parse(sent)).document_id == "G22,2025/10/01,15/VPCP-TH"


def test_the_check_from_the_shell_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert GENERATOR.main() == 0
