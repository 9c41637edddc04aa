"""The verdict on a terminal: one table."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clients.replay.ledger.findings import Verdict
from clients.replay.verdict.files import told
from clients.replay.verdict.words import COUNTS, OPERATIONS, number, outcome, plain, span

_LINES = 3  # examples of each kind; the report has more


def show(console: Console, verdict: Verdict) -> None:
    """Findings, figures, and how long requests took."""
    colour = "red" if not verdict.passed else "yellow" if verdict.stopped else "green"
    name = str(verdict.facts.get("title") or verdict.facts.get("scenario") or "replay")
    head = Text.assemble((" · ".join(outcome(verdict)), f"bold {colour}"), "  ", name, "  ", _seed(verdict))
    table = Table(title=head, title_justify="left", box=SIMPLE, show_header=False, expand=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for finding in verdict.findings:
        if not finding.count:
            table.add_row(finding.kind.code, Text("✓", "green"), Text(finding.kind.vi, "dim"))
            continue
        style = "bold red" if finding.kind.fails else "yellow"
        said = Text.assemble(f"{finding.kind.vi} · {finding.kind.en}", style=style)
        for example in finding.examples[:_LINES]:
            said.append(f"\n{told(example)}", "default")
        table.add_row(Text(finding.kind.code, style), Text(f"{finding.count:,}", style), said)
    table.add_section()
    for key, (vi, en) in COUNTS.items():
        if count := verdict.figures.counts.get(key, 0):
            table.add_row(en, f"{count:,}", Text(vi, "dim"))
    for code, count in verdict.figures.refused.items():
        table.add_row(Text(f"  {plain(code)}"), f"{count:,}", Text("từ chối · refused", "dim"))
    table.add_section()
    for o in verdict.figures.operations:
        vi, _ = OPERATIONS.get(o.name, (o.name, o.name))
        times = f"{number(o.rate)}/s   p50 {span(o.p50)}   p95 {span(o.p95)}   p99 {span(o.p99)}   max {span(o.most)}"
        failed = f"   {o.failed:,} hỏng · failed" if o.failed else ""
        table.add_row(Text(o.name), f"{o.ok:,}", Text.assemble(times, failed, (f"   {vi}", "dim")))
    console.print(table)


def _seed(verdict: Verdict) -> str:
    return f"seed {verdict.facts['seed']}" if "seed" in verdict.facts else ""
