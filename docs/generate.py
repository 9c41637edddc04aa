"""Writes what the documentation takes from the code: ``python docs/generate.py [--check]``.

Each part stands in a page between ``<!-- generated: NAME -->`` and ``<!-- end -->`` and is made anew from the code's
own tables, so that page and program cannot disagree. ``--check`` writes nothing and fails if a page is behind.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from clients.replay.scenario.shapes import Scenario
from hub.domain.delivery import ANSWER, ATTEMPTS, FINAL, PROCESSING, TRANSPORT, Effect, Status
from hub.domain.rules import RULES
from hub.domain.signature.algorithms import METHODS
from hub.errors import PROBLEMS, Problem, Severity
from hub.metrics import METRICS
from hub.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = (
    "README.md",
    "docs/architecture.md",
    "docs/exchange.md",
    "docs/operate.md",
    "docs/refusals.md",
    "docs/settings.md",
    "docs/signature.md",
)
SCHEMA = "docs/replay-scenario.schema.json"  # editors check a scenario by it while it is written
MIB = 1024 * 1024

# The catalogue's sections, each by the first code in it.
SECTIONS = {
    "not-authenticated": "The request itself",
    "xml-empty": "The packet cannot be read",
    "signature-required": "The signature",
    "gateway-signature": "The gateway dialect",
    "unit-data": "Units that a system registers",
    "not-your-agency": "Who may do what",
    "document-conflict": "Identity and duplicates",
    "lease-held": "Deliveries",
    "status-code-unknown": "Status packets",
    "id-without-year": "Warnings from what the hub knows of earlier documents",
    "agency-unknown": "The hub's own commands",
    "sign-in-wrong": "The console",
    "folder-unusable": "Starting the hub",
}


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    cells = [[_cell(str(value)) for value in row] for row in (head, *rows)]
    cells.insert(1, ["---"] * len(cells[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;") or "–"


def settings() -> str:
    rows = [
        (f"`HUB_{name.upper()}`", _default(field.default), field.description)
        for name, field in Settings.model_fields.items()
    ]
    return table(("Setting", "Default", "Meaning"), rows)


def _default(value: object) -> str:
    if isinstance(value, int) and value and value % MIB == 0:
        return f"`{value}` ({value // MIB} MiB)"
    return f"`{value}`" if str(value) else ""


def refusals() -> str:
    sections: dict[str, list[Problem]] = {}
    title = ""
    for problem in PROBLEMS.values():
        title = SECTIONS.get(problem.code, title)
        sections.setdefault(title, []).append(problem)
    head = ("Code", "HTTP", "Vietnamese", "English", "Repair")
    parts = []
    for title, problems in sections.items():
        rows = [(f"`{p.code}`", f"{p.status}{' ↻' * p.temporary}", p.vi, p.en, p.repair) for p in problems]
        parts.append(f"## {title}\n\n{table(head, rows)}")
    return "\n\n".join(parts)


def rules() -> str:
    titles = {Severity.ERROR: "Errors: the packet is refused", Severity.WARNING: "Warnings: told beside the answer"}
    parts = []
    for severity, title in titles.items():
        rows = [(f"`{rule.code}`", rule.vi, rule.en) for rule in RULES.values() if rule.severity is severity]
        parts.append(f"### {title}\n\n{table(('Code', 'Vietnamese', 'English'), rows)}")
    return "\n\n".join(parts)


def transport() -> str:
    moves = list(dict.fromkeys(move for row in TRANSPORT.values() for move in row))
    rows = [(f"**{state}**", *(row.get(move, "") for move in moves)) for state, row in TRANSPORT.items()]
    return f"{table(('State', *moves), rows)}\n\nThe {_ordinal(ATTEMPTS)} `failed` before the first fetch fails it."


def _ordinal(number: int) -> str:
    return {3: "third", 4: "fourth", 5: "fifth"}.get(number, f"{number}th")


def transport_diagram() -> str:
    edges = [f"{state} --> {after}: {move}" for state, row in TRANSPORT.items() for move, after in row.items()]
    final = [f"{state} --> [*]" for state, row in TRANSPORT.items() if not row]
    return _diagram(["[*] --> waiting", *edges, *final])


def processing() -> str:
    states = list(next(iter(PROCESSING.values())))
    rows = [(f"**{code}**", *(row[state].value for state in states)) for code, row in PROCESSING.items()]
    return table(("Report", *(f"at {state}" for state in states)), rows)


def processing_diagram() -> str:
    """Moves by report; of a jump only its steps are drawn."""
    order = [status for status in Status if status not in FINAL]
    steps = [(a, b) for a, b in pairwise(order) if PROCESSING[b][a] is Effect.MOVES]
    steps += [(a, b) for b in Status if b in FINAL and b in PROCESSING for a in order if _moves(a, b)]
    names = [f'state "{status}" as {_id(status)}' for status in dict.fromkeys(s for step in steps for s in step)]
    return _diagram([*names, "[*] --> s_none", *(f"{_id(a)} --> {_id(b)}: {b}" for a, b in steps)])


def _moves(before: Status, after: Status) -> bool:
    return PROCESSING[after][before] is Effect.MOVES


def _id(status: Status) -> str:
    return f"s_{status}"


def answers() -> str:
    asks = list(next(iter(ANSWER.values())))
    rows = [(f"**{code}**", *(row[ask] or "status stays" for ask in asks)) for code, row in ANSWER.items()]
    return table(("Answer", *(f"to {ask}" for ask in asks)), rows)


def answers_diagram() -> str:
    lines = []
    for code, row in ANSWER.items():
        for ask, after in row.items():
            lines.append(f"{ask.replace('-', '_')} --> {after or 'status_stays'}: {code}")
    asks = dict.fromkeys(line.split(" ")[0] for line in lines)
    return _diagram([*(f"[*] --> {ask}" for ask in asks), *lines])


def _diagram(lines: Iterable[str]) -> str:
    return "\n".join(("```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```"))


def algorithms() -> str:
    note = {True: "only for a system enrolled with `--algorithms sha1`, with a warning", False: ""}
    rows = [(f"`{m.name}`", f"`{m.uri}`", note[m.digest == "sha1"]) for m in METHODS.values()]
    return table(("Name", "SignatureMethod", "Mind"), rows)


def metrics() -> str:
    rows = [(f"`{m.name}`", m.kind, f"`{m.label}`" if m.label else "", m.told) for m in METRICS]
    return table(("Metric", "Type", "Label", "Meaning"), rows)


def decisions() -> str:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    titles = [page.read_text("utf-8").partition("\n")[0].removeprefix("# ").partition(". ") for page in pages]
    return "\n".join(
        f"{n}. [{title}](decisions/{page.name})" for page, (n, _, title) in zip(pages, titles, strict=True)
    )


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "refusals": refusals,
    "rules": rules,
    "transport": transport,
    "transport diagram": transport_diagram,
    "processing": processing,
    "processing diagram": processing_diagram,
    "answers": answers,
    "answers diagram": answers_diagram,
    "algorithms": algorithms,
    "metrics": metrics,
    "decisions": decisions,
}
_REGION = re.compile(r"(<!-- generated: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def renewed(page: str) -> str:
    """The page with its generated parts made anew."""
    return _REGION.sub(lambda match: f"{match[1]}\n{PARTS[match[2]]()}\n\n{match[3]}", page)


def parts_of(page: str) -> list[str]:
    """The names of a page's generated parts."""
    return [match[2] for match in _REGION.finditer(page)]


def outdated(root: Path) -> Iterator[Path]:
    """The pages below ``root`` that are behind the code."""
    for page in (root / name for name in (*PAGES, SCHEMA)):
        if made(page) != page.read_text("utf-8"):
            yield page


def made(page: Path) -> str:
    """What the page, or the schema, must be."""
    if page.name != Path(SCHEMA).name:
        return renewed(page.read_text("utf-8"))
    return json.dumps(Scenario.model_json_schema(), ensure_ascii=False, indent=1) + "\n"


def main() -> int:
    """Write, or with ``--check`` only compare; the exit code is 1 for pages that are behind."""
    behind = list(outdated(ROOT))
    if "--check" in sys.argv[1:]:
        for page in behind:
            sys.stderr.write(f"{page.relative_to(ROOT)} is behind the code: python docs/generate.py\n")
        return 1 if behind else 0
    for page in behind:
        page.write_text(made(page), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
