"""How a verdict is told: every file says the same, whatever a hub has answered, and needs nobody else."""

from __future__ import annotations

import html.parser
import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from builders.books import HAIPHONG, POST, WIDE, Pages, a_post, arrived, digest, sent
from rich.console import Console

from clients.replay.ledger.findings import KINDS, Series, Verdict
from clients.replay.verdict import show, write
from clients.replay.verdict.charts import bars, lines
from clients.replay.verdict.words import number, span

HOSTILE = '<script src="http://elsewhere.example/x.js">"&\x00\x1b[31m[bold]'


class Read(html.parser.HTMLParser):
    """What a page has and loads; fails on tags that do not pair."""

    VOID = frozenset({"meta", "br", "path", "rect"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def a_verdict(folder: Path, *, wrong: bool = False, **facts: object) -> Verdict:
    pages = Pages()
    pages.facts |= {"title": "Buổi sáng cao điểm", "scenario": "peak", "seed": 7, "begun": 1.0e9, "ended": 1.0e9 + 90}
    pages.facts |= facts
    if wrong:
        other = a_post(2, HAIPHONG, document_id=HOSTILE)
        sent(pages, other, a_post(3, HAIPHONG))
        pages.keep(other, HAIPHONG, sha256=digest("broken"))
        pages.send(a_post(4, expect="number-taken"), "refused", status=422, code=HOSTILE)
    arrived(pages)
    for second in range(30):
        pages.write("timed", "send", float(second), 0.02 + second / 1000, True)
        pages.write("sampled", float(second), memory=95.4)
    pages.write("injected", "cut-answer", "d9.1", where="network", at=1.0)
    verdict = pages.judged(folder / "ledger.db")
    write(verdict, folder)
    return verdict


def shown(verdict: Verdict) -> str:
    console = Console(file=io.StringIO(), width=150, force_terminal=False)
    show(console, verdict)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_verdict_that_passed_says_so_everywhere(tmp_path: Path) -> None:
    verdict = a_verdict(tmp_path)
    assert verdict.passed
    assert "Đạt · Passed" in shown(verdict)
    page = Read((tmp_path / "report.html").read_text("utf-8"))
    assert "Buổi sáng cao điểm" in page.text
    assert "Đạt" in page.text
    assert "Không đạt" not in page.text
    said = json.loads((tmp_path / "verdict.json").read_text("utf-8"))
    assert (said["passed"], said["stopped"], said["facts"]["seed"]) == (True, False, 7)
    assert said["figures"]["counts"]["deliveries"] == 1
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert suite.get("failures") == "0"
    assert [case.get("name") for case in suite.iter("testcase")] == [kind.code for kind in KINDS if kind.fails]


def test_a_verdict_that_failed_names_its_cases_everywhere(tmp_path: Path) -> None:
    verdict = a_verdict(tmp_path, wrong=True)
    found = {finding.kind.code for finding in verdict.findings if finding.count}
    assert found == {"lost", "corrupt", "wrong-code"}
    page = Read((tmp_path / "report.html").read_text("utf-8"))
    terminal = shown(verdict)
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    failures = {case.get("name"): case.find("failure") for case in suite.iter("testcase")}
    assert suite.get("failures") == "3"
    assert {name for name, failure in failures.items() if failure is not None} == found
    lost = failures["lost"]
    assert lost is not None
    for text in (page.text, terminal, lost.text or ""):
        assert "G22,2019/03/12,3/VPCP-TH" in text
        assert "d3.1" in text
    assert "Không đạt" in page.text
    assert "Không đạt · Failed" in terminal


def test_what_a_hub_says_is_shown_and_does_nothing(tmp_path: Path) -> None:
    """Codes and ids may be anything: no tag, no escape sequence, no markup, no character that XML has not."""
    terminal = shown(a_verdict(tmp_path, wrong=True))
    page = Read((tmp_path / "report.html").read_text("utf-8"))
    assert "script" not in page.tags
    assert "http://elsewhere.example/x.js" in page.text
    assert "[bold]" in terminal
    assert "\x1b" not in terminal


def test_the_report_asks_no_other_host_and_runs_nothing(tmp_path: Path) -> None:
    a_verdict(tmp_path)
    text = (tmp_path / "report.html").read_text("utf-8")
    page = Read(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "href", "onload"} & set(page.attributes)
    assert "url(" not in text
    assert "@import" not in text


def test_the_report_has_a_chart_of_everything_that_was_measured(tmp_path: Path) -> None:
    a_verdict(tmp_path)
    page = Read((tmp_path / "report.html").read_text("utf-8"))
    assert page.tags.count("svg") == 4  # nothing moved in scenario time: no chart of states
    assert "cut-answer (network)" in page.text


def test_a_run_without_anything_has_a_report(tmp_path: Path) -> None:
    verdict = Pages(facts={}).judged(tmp_path / "ledger.db")
    write(verdict, tmp_path)
    assert "svg" not in Read((tmp_path / "report.html").read_text("utf-8")).tags
    assert "dừng giữa chừng" in shown(verdict)


def test_a_stopped_run_says_so(tmp_path: Path) -> None:
    assert "Passed, stopped early" in shown(a_verdict(tmp_path, stopped=True))


def test_an_unknown_fact_is_shown_by_its_name(tmp_path: Path) -> None:
    a_verdict(tmp_path, database="postgresql")
    assert "postgresql" in Read((tmp_path / "report.html").read_text("utf-8")).text


def test_a_line_breaks_where_nothing_was_measured() -> None:
    drawn = lines(Series((0.0, 1.0, 2.0, 3.0), {"p50": (1.0, None, 2.0, 3.0)}), {"p50": "p50"}, number)
    path = next(part for part in drawn.split("<path") if "line" in part)
    assert path.count("M") == 2
    assert path.count("L") == 1


def test_nothing_to_show_is_no_chart() -> None:
    assert lines(Series((), {}), {"p50": "p50"}, number) == ""
    assert lines(Series((0.0, 1.0), {"p50": (0.0, 0.0)}), {"p50": "p50"}, number) == ""
    assert bars({}) == ""


@pytest.mark.parametrize(
    ("most", "top"),
    [
        (0.0123, "0.01"),
        (1.0, "1"),
        (7.0, "8"),
        (99.0, "100"),
        (101.0, "125"),
        (68_257.0, "80,000"),
        (2.2e9, "2,500,000,000"),
    ],
)
def test_the_scale_ends_in_a_round_number(most: float, top: str) -> None:
    labels = Read(lines(Series((0.0, 1.0), {"x": (0.0, most)}), {"x": "x"}, number)).text
    assert top in labels


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0 s"),
        (0.0042, "4.2 ms"),
        (0.042, "42 ms"),
        (1.5, "1.5 s"),
        (90.0, "90 s"),
        (600.0, "10 min"),
        (864_000.0, "10 d"),
    ],
)
def test_a_span_has_the_unit_that_suits_it(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_the_figures_of_a_run_are_its_books(tmp_path: Path) -> None:
    pages = Pages()
    sent(pages, WIDE)
    pages.at = 100.0
    for to in WIDE.recipients:
        pages.keep(WIDE, to)
    pages.send(replace(WIDE, n=2, repeats=1), "repeated", hub_id="doc-1")
    figures = pages.judged(tmp_path / "ledger.db").figures
    assert (figures.counts["sent"], figures.counts["accepted"], figures.counts["deliveries"]) == (1, 1, 3)
    assert figures.counts["attempts"] == 2
    assert figures.states.lines["sent"][0] == 1.0
    assert figures.states.lines["delivered"][0] == 0.0
    assert figures.states.lines["delivered"][-1] == 3.0
    assert POST.document_id == WIDE.document_id
