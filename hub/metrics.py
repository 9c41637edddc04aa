"""What a hub counts while it works: numbers in memory, and the catalogue of all that its page of metrics tells.

An event costs an addition here, and nothing else: whoever reads the numbers (``hub.monitoring``) reads them from
beside. Under the interpreter's lock nothing comes between reading and writing one number, so any thread may count.
Labels are bounded: codes of the program's own catalogues, never a name or a text that somebody sent.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any

from hub.domain.rules import RULES
from hub.errors import Severity

_MOST = 400  # values of a label; one more is counted as OTHER
OTHER = "other"
_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # seconds
_LONG = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 28800.0, 86400.0, 259200.0, 604800.0)  # seconds, a week
_JOBS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


class Metric:
    """A line of the catalogue; ``label`` is empty for one number. By itself a gauge, which is read when it is told."""

    kind = "gauge"

    def __init__(self, name: str, told: str, label: str = "") -> None:
        self.name, self.told, self.label = f"lienthong_{name}", told, label


class Counter(Metric):
    """Only grows. ``known`` values of the label are there from the start, at 0, so that the first event is a rise."""

    kind = "counter"

    def __init__(self, name: str, told: str, label: str = "", known: Iterable[str] = ("",)) -> None:
        super().__init__(name, told, label)
        self.counts: dict[str, float] = dict.fromkeys(known, 0)

    def add(self, value: str = "", by: int = 1) -> None:
        if value not in self.counts:
            value = value if len(self.counts) < _MOST else OTHER
            self.counts.setdefault(value, 0)
        self.counts[value] += by


class Histogram(Metric):
    """Spread over ``bounds``, the upper ends of its buckets; of each value of the label the counts, then the sum."""

    kind = "histogram"

    def __init__(self, name: str, told: str, label: str, bounds: tuple[float, ...], known: Iterable[str]) -> None:
        super().__init__(name, told, label)
        self.bounds = bounds
        self.counts: dict[str, list[float]] = {value: self._empty() for value in known}

    def _empty(self) -> list[float]:
        return [0.0] * (len(self.bounds) + 2)

    def observe(self, found: float, value: str = "") -> None:
        counts = self.counts.get(value)
        if counts is None:
            counts = self.counts.setdefault(value if len(self.counts) < _MOST else OTHER, self._empty())
        counts[bisect_left(self.bounds, found)] += 1
        counts[-1] += found


PACKETS = Counter(
    "packets_total", "Packets of documents and statuses by what became of them.", "outcome",
    ("accepted", "repeated", "reported", "refused"),
)  # fmt: skip
REFUSALS = Counter(
    "refusals_total", "Rules that refused packets broke, each once a packet; codes of the catalogue.", "rule",
    [rule.code for rule in RULES.values() if rule.severity is Severity.ERROR],
)  # fmt: skip
EVENTS = Counter(
    "delivery_events_total", "Committed changes and attempts of deliveries; `created` is where one begins.", "event",
    ("created", "take", "fetch", "done", "status", "expire", "fail", "withdraw", "reopen", "lease-over",
     "extend"),
)  # fmt: skip
WAITS = Histogram(
    "delivery_wait_seconds",
    "Of deliveries of documents: accepted until first `fetched`, fetched until `done`, accepted until `received` (01).",
    "until", _LONG, ("fetched", "done", "received"),
)  # fmt: skip
REQUESTS = Histogram(
    "request_duration_seconds",
    "From a request's head to its answer's end, by operation of either dialect; a waiting inbox waits here.",
    "operation", _SHORT, (),
)  # fmt: skip
ANSWERS = Counter("answers_total", "Answers by HTTP status; 0: the caller was gone.", "status", ())
BATCHES = Histogram("writer_batch_jobs", "Pieces of work in one commit.", "", _JOBS, ("",))
COMMITS = Histogram(
    "writer_commit_duration_seconds", "From the counter's lock until the commit is durable.", "", _SHORT, ("",)
)
CONNECTIONS_REFUSED = Counter(
    "connections_refused_total", "Closed at once: HUB_CONNECTIONS_LIMIT or HUB_CONNECTIONS_PER_ADDRESS was reached."
)
RESTARTS = Counter(
    "process_restarts_total",
    "Processes beside the hub that died or hung, and were replaced.",
    "process",
    ("checker", "examiner"),
)
ERRORS = Counter("logged_errors_total", "Lines of the log at level error.")

PROCESSES = Metric("processes", "Serving processes that are there.")
DATABASE_UP = Metric(
    "database_up", "1: the last look at the database succeeded; 0: what is read from it is missing here."
)
DELIVERIES = Metric("deliveries", "Deliveries that are not over; the others are counted as events.", "state")
OLDEST_WAITING = Metric("oldest_waiting_seconds", "Since when the delivery waits that waits longest; 0: none waits.")
LOG_ENTRIES = Metric("evidence_log_entries", "Entries of the evidence log that its checkpoint covers.")
LOG_BEHIND = Metric("evidence_log_behind_entries", "Entries that are committed and not covered yet.")
LOG_LAG = Metric("evidence_log_lag_seconds", "Age of the oldest of those; 0: there is none.")
LOG_NEWEST = Metric(
    "evidence_log_newest_timestamp_seconds", "When the newest entry that the checkpoint covers was made."
)
CERTIFICATES = Metric(
    "certificate_expiry_timestamp_seconds",
    "When the first certificate of a role ends: `server` of TLS, of the trust store, and `agency` if within 60 days.",
    "role",
)
DISK_FREE = Metric("disk_free_bytes", "Room on the disks of the hub's folders.", "folder")
DISK_RESERVE = Metric("disk_reserve_bytes", "HUB_DISK_RESERVE: with less the hub takes no packets.")

METRICS: tuple[Metric, ...] = (
    PACKETS, REFUSALS, EVENTS, WAITS, REQUESTS, ANSWERS, BATCHES, COMMITS, CONNECTIONS_REFUSED, RESTARTS, ERRORS,
    PROCESSES, DATABASE_UP, DELIVERIES, OLDEST_WAITING, LOG_ENTRIES, LOG_BEHIND, LOG_LAG, LOG_NEWEST, CERTIFICATES,
    DISK_FREE, DISK_RESERVE,
)  # fmt: skip

Counts = Mapping[str, Mapping[str, Any]]  # by metric and value of its label: a number, or a histogram's


def counted() -> dict[str, dict[str, Any]]:
    """What this process has counted until now."""
    return {m.name: dict(m.counts) for m in METRICS if isinstance(m, Counter | Histogram)}


def together(processes: Iterable[Counts]) -> dict[str, dict[str, Any]]:
    """What several processes have counted."""
    found: dict[str, dict[str, Any]] = {}
    for counts in processes:
        for name, values in counts.items():
            sums = found.setdefault(name, {})
            for value, count in values.items():
                before = sums.get(value)
                if before is None:
                    sums[value] = count
                elif isinstance(count, list):
                    sums[value] = [a + b for a, b in zip(before, count, strict=True)]
                else:
                    sums[value] = before + count
    return found
