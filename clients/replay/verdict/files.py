"""The verdict as files: ``report.html`` for people, ``junit.xml`` for CI, ``verdict.json`` for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from clients.replay.ledger.findings import Example, Verdict
from clients.replay.verdict.page import page
from clients.replay.verdict.words import facts, plain


def write(verdict: Verdict, folder: Path) -> None:
    """All three into the folder; what is there already is replaced."""
    (folder / "report.html").write_text(page(verdict), "utf-8")
    (folder / "verdict.json").write_text(json.dumps(as_json(verdict), ensure_ascii=False, indent=1) + "\n", "utf-8")
    (folder / "junit.xml").write_bytes(junit(verdict))


def as_json(verdict: Verdict) -> dict[str, Any]:
    """``{passed, stopped, facts, findings: [{kind, vi, en, fails, count, examples[]}], figures}``."""
    findings = [
        {**asdict(finding.kind), "count": finding.count, "examples": [asdict(each) for each in finding.examples]}
        for finding in verdict.findings
    ]
    figures = asdict(verdict.figures)
    figures["injected"] = [
        {"place": place, "fault": fault, "count": count} for (place, fault), count in verdict.figures.injected.items()
    ]
    return {
        "passed": verdict.passed,
        "stopped": verdict.stopped,
        "facts": dict(verdict.facts),
        "findings": findings,
        "figures": figures,
    }


def junit(verdict: Verdict) -> bytes:
    """One test case for each kind of finding that fails a run."""
    name = str(verdict.facts.get("scenario") or "replay")
    judged = [finding for finding in verdict.findings if finding.kind.fails]
    failures = sum(bool(finding.count) for finding in judged)
    suite = ElementTree.Element("testsuite", name=name, tests=str(len(judged)), failures=str(failures), errors="0")
    properties = ElementTree.SubElement(suite, "properties")
    for _, english, value in facts(verdict):
        ElementTree.SubElement(properties, "property", name=english, value=plain(value))
    for finding in judged:
        case = ElementTree.SubElement(suite, "testcase", classname=f"replay.{name}", name=finding.kind.code)
        if finding.count:
            failure = ElementTree.SubElement(case, "failure", message=f"{finding.count}: {finding.kind.en}")
            failure.text = "\n".join(told(example) for example in finding.examples)
    ElementTree.indent(suite)
    return bytes(ElementTree.tostring(suite, "utf-8", xml_declaration=True)) + b"\n"


def told(example: Example) -> str:
    """An example in one line."""
    parts = (
        f"n={example.n}" if example.n else "",
        example.document_id,
        f"-> {example.recipient}" if example.recipient else "",
        f"[{example.delivery}]" if example.delivery else "",
        example.detail,
        f"({', '.join(example.marks)})" if example.marks else "",
    )
    return plain(" ".join(part for part in parts if part))
