"""The figures of a run: counts, how long requests took, and what the charts show."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from clients.replay.ledger.findings import Figures, Operation, Series
from clients.replay.ledger.tables import EDGES

_COLUMNS = 120  # points in a chart
OPERATIONS = ("send", "report", "list", "fetch", "done", "told")

_COUNTS = {
    # Documents, each once however often it was sent.
    "sent": "SELECT COUNT(*) FROM fate JOIN post p USING (n) WHERE p.repeats = 0",
    "accepted": "SELECT COUNT(DISTINCT d.root) FROM fate f JOIN doc d USING (n) WHERE f.acked",
    "refused": """SELECT COUNT(DISTINCT s.n) FROM answer a JOIN sending s ON s.seq = a.sending
                  WHERE a.outcome = 'refused' AND s.what = 'document'""",
    "unanswered": "SELECT COUNT(*) FROM (SELECT d.root FROM fate f JOIN doc d USING (n) GROUP BY d.root "
    "HAVING MAX(f.acked) IS NULL AND MAX(f.unsettled))",
    "deliveries": "SELECT COUNT(*) FROM (SELECT 1 FROM got WHERE fits GROUP BY root, code)",
    "ended": "SELECT COUNT(*) FROM (SELECT 1 FROM ended e WHERE NOT EXISTS (SELECT 1 FROM got g "
    "WHERE g.root = e.root AND g.code = e.code AND g.fits) GROUP BY e.root, e.code)",
    "statuses_sent": "SELECT COUNT(*) FROM stated",
    "statuses_accepted": "SELECT COUNT(*) FROM stated WHERE acked",
    "statuses_received": "SELECT COUNT(*) FROM (SELECT 1 FROM came WHERE fits GROUP BY n, recipient, k)",
    "attempts": "SELECT COUNT(*) FROM sending",
    "injected": "SELECT COUNT(*) FROM injected",
}

# Moments of scenario time, of which the chart of states counts how many have passed.
_STATES = {
    "sent": "SELECT sent_at AS at FROM fate JOIN post p USING (n) WHERE p.repeats = 0",
    "delivered": "SELECT MIN(at) AS at FROM got WHERE fits GROUP BY root, code",
    "done": "SELECT MIN(c.at) AS at FROM confirmed c JOIN got g ON g.delivery = c.delivery AND g.system = c.system "
    "GROUP BY c.delivery",
    "statuses": "SELECT MIN(at) AS at FROM kept WHERE what = 'status' GROUP BY delivery",
}


def figures(book: sqlite3.Connection) -> Figures:
    """The figures of a book in which ``derived`` has made its tables."""
    counts = {name: int(book.execute(query).fetchone()[0]) for name, query in _COUNTS.items()}
    refused = book.execute(
        """SELECT a.code, COUNT(DISTINCT s.what || s.n || s.recipient || s.k) FROM answer a
           JOIN sending s ON s.seq = a.sending WHERE a.outcome = 'refused' GROUP BY a.code ORDER BY 2 DESC, 1"""
    )
    injected = book.execute("SELECT place, fault, COUNT(*) FROM injected GROUP BY place, fault ORDER BY 3 DESC, 1, 2")
    operations, latency, throughput = _timings(book)
    return Figures(
        counts,
        dict(refused.fetchall()),
        {(place, fault): count for place, fault, count in injected},
        operations,
        latency,
        throughput,
        _states(book),
        _samples(book),
    )


@dataclass
class _Sum:
    ok: int = 0
    failed: int = 0
    most: float = 0.0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, ok: int, failed: int, most: float, buckets: str) -> None:
        self.ok += ok
        self.failed += failed
        self.most = max(self.most, most)
        self.buckets.update({int(bucket): count for bucket, count in json.loads(buckets).items()})

    def below(self, share: float) -> float:
        """The seconds that this share took no longer than; 0 for none."""
        left = share * self.ok
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return min(EDGES[bucket], self.most)
        return 0.0


def _timings(book: sqlite3.Connection) -> tuple[tuple[Operation, ...], Series, Series]:
    (last,) = book.execute("SELECT COALESCE(MAX(second), 0) + 1 FROM timing").fetchone()
    width = max(1, -(-last // _COLUMNS))
    whole: dict[str, _Sum] = {}
    columns: dict[int, dict[str, _Sum]] = {}
    for operation, second, *timing in book.execute(
        "SELECT operation, second, ok, failed, most, buckets FROM timing ORDER BY second"
    ):
        whole.setdefault(operation, _Sum()).add(*timing)
        columns.setdefault(second // width, {}).setdefault(operation, _Sum()).add(*timing)
    names = sorted(whole, key=lambda name: (OPERATIONS.index(name) if name in OPERATIONS else len(OPERATIONS), name))
    places = range(-(-last // width))
    times = tuple(float(place * width) for place in places)

    def over_time(value: Callable[[Mapping[str, _Sum]], float | None]) -> tuple[float | None, ...]:
        return tuple(value(columns.get(place, {})) for place in places)

    def percentile(share: float) -> tuple[float | None, ...]:
        def value(column: Mapping[str, _Sum]) -> float | None:
            together = _Sum()
            for each in column.values():
                together.ok += each.ok
                together.most = max(together.most, each.most)
                together.buckets.update(each.buckets)
            return together.below(share) if together.ok else None

        return over_time(value)

    latency = Series(times, {f"p{round(share * 100)}": percentile(share) for share in (0.5, 0.95, 0.99)})
    throughput = Series(times, {name: over_time(partial(_rate, name, width)) for name in names})
    operations = tuple(
        Operation(name, s.ok, s.failed, s.ok / last, s.below(0.5), s.below(0.95), s.below(0.99), s.most)
        for name, s in ((name, whole[name]) for name in names)
    )
    return operations, latency, throughput


def _rate(operation: str, width: int, column: Mapping[str, _Sum]) -> float:
    return column[operation].ok / width if operation in column else 0.0


def _states(book: sqlite3.Connection) -> Series:
    (last,) = book.execute(
        "SELECT MAX(at) FROM (SELECT MAX(at) AS at FROM kept UNION SELECT MAX(at) FROM sending "
        "UNION SELECT MAX(at) FROM confirmed)"
    ).fetchone()
    if not last:
        return Series((), {})
    width = last / _COLUMNS
    lines: dict[str, tuple[float | None, ...]] = {}
    for name, query in _STATES.items():
        rows = book.execute(
            f"SELECT MIN(CAST(at / ? AS INTEGER), ?), COUNT(*) FROM ({query}) WHERE at IS NOT NULL GROUP BY 1",  # noqa: S608 (own queries)
            (width, _COLUMNS - 1),
        )
        lines[name] = _running(dict(rows.fetchall()))
    return Series(tuple((place + 1) * width for place in range(_COLUMNS)), lines)


def _running(found: Mapping[int, int]) -> tuple[float | None, ...]:
    total, sums = 0, []
    for place in range(_COLUMNS):
        total += found.get(place, 0)
        sums.append(float(total))
    return tuple(sums)


def _samples(book: sqlite3.Connection) -> Series:
    (last,) = book.execute("SELECT COALESCE(MAX(second), 0) FROM sample").fetchone()
    width = max(1.0, last / _COLUMNS)
    found: dict[str, dict[int, float]] = {}
    for place, name, value in book.execute(
        "SELECT CAST(second / ? AS INTEGER), name, AVG(value) FROM sample GROUP BY 1, 2 ORDER BY 1", (width,)
    ):
        found.setdefault(name, {})[place] = value
    places: Sequence[int] = range(int(last / width) + 1)
    return Series(
        tuple(place * width for place in places),
        {name: tuple(values.get(place) for place in places) for name, values in sorted(found.items())},
    )
