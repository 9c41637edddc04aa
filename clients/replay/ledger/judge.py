"""The judge: reads nothing but a run's book, and says what was wrong."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from clients.replay.ledger.checks import CHECKS, fits
from clients.replay.ledger.derived import DERIVED, INDEXES
from clients.replay.ledger.figures import figures
from clients.replay.ledger.findings import EXAMPLES, KINDS, Example, Finding, FindingKind, Verdict

_CACHE = 64 * 1024  # KiB, of the book and of the temporary tables each
_STEPS = len(INDEXES) + len(DERIVED) + len(CHECKS) + 1


def judge(path: Path, step: Callable[[int, int], None] = lambda done, of: None) -> Verdict:
    """The verdict on a book, also of a run that was stopped or killed. ``step`` is told how many of the steps are done.

    Raises ``sqlite3.Error`` for a file that is no book.
    """
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)) as book:
        book.execute("PRAGMA synchronous = OFF")  # nothing is written but indexes
        book.execute(f"PRAGMA cache_size = -{_CACHE}")
        book.execute(f"PRAGMA temp.cache_size = -{_CACHE}")
        book.create_function("fits", 2, fits, deterministic=True)
        facts = {key: json.loads(value) for key, value in book.execute("SELECT key, value FROM run ORDER BY key")}
        limits = {
            "stopped": bool(facts.get("stopped")) or "ended" not in facts,
            "expired": bool(facts.get("expired")),
            "answer_within": facts.get("answer_within") or 0,
            "deliver_within": facts.get("deliver_within") or 0,
            "slack": facts.get("slack") or 0,
        }
        done = 0
        for statement in (*INDEXES, *DERIVED):
            book.execute(statement)
            step(done := done + 1, _STEPS)
        for kind, query in CHECKS:
            named = {name: value for name, value in limits.items() if f":{name}" in query}
            book.execute(f"INSERT INTO finding SELECT '{kind}', * FROM ({query})", named)  # noqa: S608 (own queries)
            step(done := done + 1, _STEPS)
        verdict = Verdict(facts, tuple(_finding(book, kind) for kind in KINDS), figures(book))
        step(_STEPS, _STEPS)
        return verdict


def _finding(book: sqlite3.Connection, kind: FindingKind) -> Finding:
    (count,) = book.execute("SELECT COUNT(*) FROM finding WHERE kind = ?", (kind.code,)).fetchone()
    rows = book.execute(
        """SELECT COALESCE(f.n, 0), COALESCE(p.document_id, ''), COALESCE(f.recipient, ''), f.delivery, f.detail,
               (SELECT group_concat(mark, ' ') FROM (SELECT mark FROM sending s WHERE s.n = f.n
                AND (s.recipient = f.recipient OR s.what = 'document') ORDER BY s.seq LIMIT 6))
           FROM finding f LEFT JOIN post p ON p.n = f.n WHERE f.kind = ? ORDER BY 1, 3, 4 LIMIT ?""",
        (kind.code, EXAMPLES),
    )
    examples = (
        Example(n, document_id, recipient, delivery, detail, tuple((marks or "").split()))
        for n, document_id, recipient, delivery, detail, marks in rows
    )
    return Finding(kind, count, tuple(examples))
