"""The page of metrics, for Prometheus: on an address and port of its own (decision 41).

It answers in threads of the process that was started as `hub serve`. Of several workers each writes what it has counted
into a file, and the page adds them up, with those that have ended since the start: a sum may not fall. What stands in
the database is looked at when the page is asked for, at most every few seconds, and never for more than a small part of
the time.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import structlog
from cryptography import x509
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from hub import metrics
from hub.exchange import endings
from hub.settings import Settings
from hub.store.engine import open_engine, reading, temporary
from hub.store.state import state

log = structlog.get_logger()
_STATE = 5.0  # seconds between two looks at what waits
_ENDS = 300.0  # and at certificates, of which there may be thousands
_SHARE = 20  # a look that took a second serves for twenty, however often somebody asks
_WRITE = 1.0  # seconds between two files of a worker
_FOLDER = "metrics"  # of the data folder

Gauges = dict[metrics.Metric, dict[str, float]]  # by the label's value
Processes = tuple[int, list[metrics.Counts]]  # how many are there, and what was counted by these and by earlier ones


def alone() -> Processes:
    """This process is the hub."""
    return 1, [metrics.counted()]


class Kept:
    """What a look found, for as long as that serves. A look that fails raises, and the next call looks again."""

    def __init__(self, look: Callable[[], Gauges], every: float, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._look, self._every, self._elapsed = look, every, elapsed
        self._found: Gauges = {}
        self._until = float("-inf")
        self._looking = threading.Lock()  # who asks meanwhile waits for the same look

    def __call__(self) -> Gauges:
        with self._looking:
            began = self._elapsed()
            if began >= self._until:
                self._found = self._look()
                ended = self._elapsed()
                self._until = ended + max(self._every, _SHARE * (ended - began))
            return self._found


class Page(Collector):
    """Everything there is to tell, as it is when it is asked for."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime], processes: Callable[[], Processes]) -> None:
        self._settings, self._clock, self._processes = settings, clock, processes
        self._engine = open_engine(settings.database)
        self._state, self._ends = Kept(self._look_at_state, _STATE), Kept(self._look_at_certificates, _ENDS)

    def close(self) -> None:
        self._engine.dispose()

    def collect(self) -> Iterable[Family]:
        there, counts = self._processes()
        gauges = self._machine() | self._database() | {metrics.PROCESSES: {"": there}}
        counted = metrics.together(counts)
        for metric in metrics.METRICS:
            yield _family(metric, counted.get(metric.name, {}) if metric.kind != "gauge" else gauges.get(metric, {}))

    def _machine(self) -> Gauges:
        free: dict[str, float] = {}
        for folder in self._settings.folders:
            with suppress(OSError):
                free[str(folder)] = shutil.disk_usage(folder).free
        return {metrics.DISK_FREE: free, metrics.DISK_RESERVE: {"": self._settings.disk_reserve}}

    def _database(self) -> Gauges:
        try:
            return self._state() | self._ends() | {metrics.DATABASE_UP: {"": 1}}
        except Exception as fault:  # the page tells the rest
            if temporary(fault) is None:
                log.exception("metrics-fault")
            return {metrics.DATABASE_UP: {"": 0}}

    def _look_at_state(self) -> Gauges:
        with reading(self._engine) as connection:
            found = state(connection)
        now = self._clock()
        gauges: Gauges = {
            metrics.DELIVERIES: {"waiting": found.waiting, "taken": found.taken, "undelivered": found.undelivered},
            metrics.OLDEST_WAITING: {"": _age(found.since, now)},
            metrics.LOG_ENTRIES: {"": found.covered},
            metrics.LOG_BEHIND: {"": found.behind},
            metrics.LOG_LAG: {"": _age(found.oldest, now)},
        }
        if found.newest is not None:
            gauges[metrics.LOG_NEWEST] = {"": found.newest.timestamp()}
        return gauges

    def _look_at_certificates(self) -> Gauges:
        now = self._clock()
        with reading(self._engine) as connection:
            terms = endings.terms(connection, now, now + endings.FIRST)
        first: dict[str, float] = {}
        for term in terms:
            if term.until >= now:  # who has ended stays in the trust store, for what was signed before
                first[term.role] = min(term.until.timestamp(), first.get(term.role, float("inf")))
        with suppress(OSError, ValueError):  # what is wrong with it was told when the hub started, or by SIGHUP
            served = x509.load_pem_x509_certificate(Path(self._settings.tls_cert).read_bytes())
            first["server"] = served.not_valid_after_utc.timestamp()
        return {metrics.CERTIFICATES: first}


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0


def _family(metric: metrics.Metric, values: dict[str, Any]) -> Family:
    labels = [metric.label] if metric.label else []
    if isinstance(metric, metrics.Histogram):
        spread = HistogramMetricFamily(metric.name, metric.told, labels=labels)
        for value, (*counts, total) in values.items():
            spread.add_metric([value] if labels else [], list(_cumulated(metric.bounds, counts)), total)
        return spread
    kind = CounterMetricFamily if isinstance(metric, metrics.Counter) else GaugeMetricFamily
    family = kind(metric.name, metric.told, labels=labels)
    for value, number in values.items():
        family.add_metric([value] if labels else [], number)
    return family


def _cumulated(bounds: tuple[float, ...], counts: list[float]) -> Iterator[tuple[str, float]]:
    below = 0.0
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        below += count
        yield bound, below


@contextmanager
def served(settings: Settings, clock: Callable[[], datetime], *, several: bool) -> Iterator[str]:
    """The page answers while the block runs; gives its address. ``several``: workers hand their counts over.

    Raises OSError where it cannot listen.
    """
    page = Page(settings, clock, Workers(settings.data_dir / _FOLDER) if several else alone)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(page)
    host, _, port = settings.metrics.rpartition(":")
    server, thread = start_http_server(int(port), host.strip("[]"), registry)
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        page.close()


class Workers:
    """What the workers have written. Those that have ended are added up in one file: a hub whose workers die every
    second must not fill its disk with what they counted.
    """

    def __init__(self, folder: Path) -> None:
        """Empties the folder, or makes it. Raises OSError."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._folder, self._ended = folder, folder / "ended"
        self._reading = threading.Lock()

    def __call__(self) -> Processes:
        with self._reading:
            there: list[metrics.Counts] = []
            over: dict[Path, metrics.Counts] = {}
            for file in self._folder.glob("*.json"):
                is_there = _is_there(int(file.name.partition("-")[0]))  # before its last words are read
                counts = json.loads(file.read_text("utf-8"))
                if is_there:
                    there.append(counts)
                else:
                    over[file] = counts
            ended = json.loads(self._ended.read_text("utf-8")) if self._ended.exists() else {}
            if over:
                ended = metrics.together([ended, *over.values()])
                _write(self._ended, ended)
                for file in over:
                    file.unlink()
            return len(there), [*there, ended]


def _is_there(pid: int) -> bool:
    if sys.platform == "win32":  # where asking would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def hand_over(settings: Settings) -> NoReturn:
    """Write what this worker has counted, again and again."""
    file = settings.data_dir / _FOLDER / f"{os.getpid()}-{time.time_ns()}.json"  # a number may come again
    while True:
        time.sleep(_WRITE)
        with suppress(OSError):  # a full disk: the page tells the last
            _write(file, metrics.counted())


def _write(file: Path, counts: metrics.Counts) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(counts), "utf-8")
    part.replace(file)
