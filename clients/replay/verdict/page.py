"""The report: one HTML file that needs no other, no script and no host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from clients.replay.ledger.findings import Example, Finding, Operation, Verdict
from clients.replay.verdict.charts import COLOURS, bars, lines
from clients.replay.verdict.words import COUNTS, OPERATIONS, STATES, facts, number, outcome, span

_LIGHT = ("#2f6fd6", "#d9730d", "#0b8a75", "#b3368f", "#7d7a0b", "#6657b8")
_DARK = ("#7aa8f5", "#f0a04b", "#4fc2ad", "#e481c6", "#c6c04f", "#a99cf0")
# Lines that lie on each other are still told apart, and so are those on grey paper.
_DASHES = ("none", "none", "9 5", "2 5", "9 4 2 4", "5 5")
_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--ink:#1b2430;--soft:#5b6675;--line:#dde3ea;--card:#f6f8fa;--good:#147a3d;
--bad:#b3261e;--warn:#8a5a00;@LIGHT@}
@media screen and (prefers-color-scheme:dark){:root{--bg:#12161c;--ink:#e6eaf0;--soft:#9aa6b5;--line:#2c3541;
--card:#1a2028;--good:#5cc98a;--bad:#ff8a80;--warn:#e8b659;@DARK@}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:2rem 1.25rem 4rem;background:var(--bg);color:var(--ink);
font:15px/1.5 "Be Vietnam Pro","Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif}
h1{font-size:1.6rem;margin:0 0 .25rem;line-height:1.25}h2{font-size:1.15rem;margin:2.5rem 0 .75rem}
.en{color:var(--soft);font-weight:400}h2 .en{font-size:.95rem}
header{display:flex;justify-content:space-between;gap:1.5rem;align-items:flex-start;flex-wrap:wrap;
border-bottom:1px solid var(--line);padding-bottom:1.25rem}
.verdict{border:2px solid;border-radius:.5rem;padding:.4rem .9rem;font-size:1.25rem;font-weight:700;text-align:center;
line-height:1.3}.verdict .en{display:block;font-size:.85rem;color:inherit}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.6rem 1.5rem;margin:1.25rem 0 0}
dt{color:var(--soft);font-size:.8rem}dd{margin:0;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(11.5rem,1fr));gap:.75rem}
.tile{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem}
.tile b{display:block;font-size:1.45rem;font-variant-numeric:tabular-nums;line-height:1.2}
.tile span{display:block;font-size:.85rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.45rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th{font-size:.8rem;color:var(--soft);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;
white-space:nowrap}
code{font:.85em ui-monospace,"Cascadia Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere}
details{margin-top:.4rem}summary{cursor:pointer;color:var(--soft);font-size:.85rem}
details ul{margin:.4rem 0 0;padding-left:1.1rem;font-size:.85rem}
figure{margin:1.25rem 0 0;break-inside:avoid}figcaption{font-weight:600;margin-bottom:.35rem}
svg{display:block;width:100%;height:auto}svg text{font-size:12px;fill:var(--soft)}
.grid{stroke:var(--line);stroke-width:1;fill:none}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.bar{fill:var(--c0)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;padding:0;margin:.25rem 0 0 4rem;font-size:.85rem}
.legend i{display:inline-block;width:.9rem;height:.25rem;border-radius:2px;margin-right:.4rem;vertical-align:middle}
@media print{body{padding:0;max-width:none;font-size:11px}h2{break-after:avoid}tr{break-inside:avoid}
.tile,.legend i,.bar{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""


def page(verdict: Verdict) -> str:
    """The whole file."""
    name = str(verdict.facts.get("title") or verdict.facts.get("scenario") or "agency replay")
    vi, en = outcome(verdict)
    look = "bad" if not verdict.passed else "warn" if verdict.stopped else "good"
    return f"""<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{escape(vi)} · {escape(name)}</title><style>{_style()}</style></head><body>
<header><div><h1>{escape(name)}</h1><div class="en">Kết quả kiểm thử trục liên thông · Verdict on a hub</div></div>
<div class="verdict {look}">{vi}<span class="en">{en}</span></div></header>
{_facts(verdict)}
{_heading("Kết luận", "Findings")}{_findings(verdict.findings)}
{_heading("Số liệu", "Figures")}{_tiles(verdict.figures.counts)}
{_refused(verdict.figures.refused)}
{_heading("Thời gian trả lời", "Response times")}{_operations(verdict.figures.operations)}
{_charts(verdict)}
</body></html>
"""


def _style() -> str:
    def colours(found: Iterable[str]) -> str:
        return "".join(f"--c{place}:{colour};" for place, colour in enumerate(found))

    classes = "".join(
        f".c{n}{{stroke:var(--c{n});stroke-dasharray:{_DASHES[n]}}}.k{n}{{background:var(--c{n})}}"
        for n in range(COLOURS)
    )
    return _STYLE.replace("@LIGHT@", colours(_LIGHT)).replace("@DARK@", colours(_DARK)) + classes


def _heading(vi: str, en: str) -> str:
    return f'<h2>{vi} <span class="en">· {en}</span></h2>'


def _both(vi: str, en: str) -> str:
    return f'{escape(vi)} <span class="en">· {escape(en)}</span>' if vi != en else escape(vi)


def _facts(verdict: Verdict) -> str:
    items = "".join(f"<div><dt>{_both(vi, en)}</dt><dd>{escape(value)}</dd></div>" for vi, en, value in facts(verdict))
    return f"<dl>{items}</dl>"


def _findings(findings: Iterable[Finding]) -> str:
    rows = []
    for finding in findings:
        look = "good" if not finding.count else "bad" if finding.kind.fails else "warn"
        sign = f"{finding.count:,}" if finding.count else "✓"
        rows.append(
            f"<tr><td><code>{finding.kind.code}</code></td><td>{escape(finding.kind.vi)}"
            f'<div class="en">{escape(finding.kind.en)}</div>{_examples(finding)}</td>'
            f'<td class="n {look}"><b>{sign}</b></td></tr>'
        )
    head = f'<tr><th>{_both("Loại", "Kind")}</th><th></th><th class="n">{_both("Số", "Count")}</th></tr>'
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _examples(finding: Finding) -> str:
    if not finding.examples:
        return ""
    items = "".join(f"<li>{_example(example)}</li>" for example in finding.examples)
    shown, more = len(finding.examples), finding.count > len(finding.examples)
    said = _both(f"{shown} ví dụ đầu", f"first {shown} examples") if more else _both("Chi tiết", "Details")
    return f"<details{' open' if finding.kind.fails else ''}><summary>{said}</summary><ul>{items}</ul></details>"


def _example(example: Example) -> str:
    parts = [
        f"n={example.n}" if example.n else "",
        f"<code>{escape(example.document_id)}</code>" if example.document_id else "",
        f"→ <code>{escape(example.recipient)}</code>" if example.recipient else "",
        f"[<code>{escape(example.delivery)}</code>]" if example.delivery else "",
        escape(example.detail),
        f'<span class="en">{escape(", ".join(example.marks))}</span>' if example.marks else "",
    ]
    return " ".join(part for part in parts if part)


def _tiles(counts: Mapping[str, int]) -> str:
    tiles = "".join(
        f'<div class="tile"><b>{counts.get(name, 0):,}</b><span>{vi}</span><span class="en">{en}</span></div>'
        for name, (vi, en) in COUNTS.items()
    )
    return f'<div class="tiles">{tiles}</div>'


def _refused(refused: Mapping[str, int]) -> str:
    if not refused:
        return ""
    rows = "".join(
        f'<tr><td><code>{escape(code)}</code></td><td class="n">{count:,}</td></tr>' for code, count in refused.items()
    )
    return f"{_heading('Từ chối theo mã', 'Refusals by code')}<table><tbody>{rows}</tbody></table>"


def _operations(operations: Iterable[Operation]) -> str:
    head = "".join(
        f'<th class="n">{cell}</th>'
        for cell in (_both("Số", "Count"), _both("Hỏng", "Failed"), "/s", "p50", "p95", "p99", _both("Lớn nhất", "Max"))
    )
    rows = "".join(
        f"<tr><td>{_both(*OPERATIONS.get(o.name, (o.name, o.name)))}</td>"
        + "".join(
            f'<td class="n">{cell}</td>'
            for cell in (
                f"{o.ok:,}", f"{o.failed:,}", number(o.rate), *(span(each) for each in (o.p50, o.p95, o.p99, o.most))
            )
        )
        + "</tr>"
        for o in operations
    )  # fmt: skip
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _charts(verdict: Verdict) -> str:
    figures = verdict.figures
    percentiles = {name: name for name in figures.latency.lines}
    requests = _legend(figures.throughput.lines, OPERATIONS)
    states = _legend(figures.states.lines, STATES)
    memory = {"memory": "bộ nhớ · memory"}
    injected = {f"{fault} ({place})": count for (place, fault), count in figures.injected.items()}
    found = (
        ("Thời gian trả lời theo lúc chạy", "Latency over the run", lines(figures.latency, percentiles, span)),
        ("Số yêu cầu mỗi giây theo lúc chạy", "Requests per second", lines(figures.throughput, requests, number)),
        ("Cộng dồn theo thời gian của kịch bản", "States over scenario time", lines(figures.states, states, number)),
        ("Bộ nhớ của trục theo lúc chạy", "Memory of the hub", lines(figures.samples, memory, _mebibytes)),
        ("Lỗi được tạo ra", "Faults made on purpose", bars(injected)),
    )
    drawn = "".join(
        f'<figure role="img" aria-label="{vi} · {en}"><figcaption>{_both(vi, en)}</figcaption>{chart}</figure>'
        for vi, en, chart in found
        if chart
    )
    return f"{_heading('Biểu đồ', 'Charts')}{drawn}" if drawn else ""


def _legend(names: Iterable[str], words: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    return {name: " · ".join(words[name]) if name in words else name for name in names}


def _mebibytes(value: float) -> str:
    return f"{value:,.0f} MiB"
