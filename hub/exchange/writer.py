"""One writer per process: it takes all waiting work, commits it in one transaction, then answers everybody.

* The first statement of every transaction locks the counter. That orders everything that becomes visible, here and
  in other processes, so a decision taken inside sees all that was accepted before (and ``seq`` is commit order).
* An answer is given only after the commit. A fault that passes by itself (database away, disk full) answers the whole
  batch with a temporary refusal; any other fault makes the batch run again one by one, so that a poisoned piece of
  work spoils only itself.
* A verb is ``verb(tx, jobs) -> [result, Refusal or Stale, …]``. What it does not take, it has not written.
* What verbs decide is written together, as late as somebody asks the database (``Transaction.decided``).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from itertools import groupby
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine

from hub import metrics
from hub.errors import Refusal
from hub.exchange.notary import NO_KEYS, Notary
from hub.store import counter, notices
from hub.store.decided import Decided
from hub.store.deliveries import Carried
from hub.store.engine import temporary, writing
from hub.store.ids import new_id
from hub.store.roster import Roster, Rosters

log = structlog.get_logger()


class Stale(Exception):  # noqa: N818  (no fault)
    """The directory has changed since the work was prepared: prepare it again."""


Verb = Callable[["Transaction", list[Any]], list[Any]]
_V = TypeVar("_V", bound=Verb)
_LINGER = 0.005  # seconds a batch stays open for more while several work at once
_BATCH = 256  # pieces of work in one commit


@dataclass(slots=True)
class Transaction:
    """What a verb works with: the connection that holds the lock, the moment, the roster as of now."""

    _connection: Connection
    now: datetime
    roster: Roster
    at: Callable[[str], None]  # named steps, for crash tests
    notary: Notary
    _seq: int
    entries: int  # of the evidence log, with what was written here
    rung: set[str] = field(default_factory=set)
    decided: Decided = field(default_factory=Decided)
    carried: dict[str, Carried] = field(default_factory=dict)  # by delivery, as far as somebody has looked
    receipts: dict[str, str] = field(default_factory=dict)  # by the document, delivery or report, made here
    counted: list[Callable[[], None]] = field(default_factory=list)  # what is counted once it is committed

    @property
    def connection(self) -> Connection:
        """The connection that holds the lock. Whoever asks for it finds written what was decided before.

        Raises what :meth:`write` does.
        """
        self.write()
        return self._connection

    @property
    def earlier(self) -> Connection:
        """The same connection for what does not depend on what was decided and not written yet, or is set right by it
        (``Decided.latest``).
        """
        return self._connection

    def write(self) -> None:
        """Write what was decided; what follows finds it in the database.

        Raises what ``Decided.write`` does. No verb catches that: all of the transaction is rolled back.
        """
        steps, self.decided.steps = self.decided.steps, []
        for row in self.decided.evidence:
            row["leaf_index"], self.entries = self.entries, self.entries + 1
        self.decided.write(self._connection)
        for step in steps:
            self.at(step)

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def new_id(self) -> str:
        return new_id(self.now)

    def ring(self, system_id: str | None) -> None:
        """Something became visible to this system: wake its polls after the commit."""
        if system_id is not None:
            self.rung.add(system_id)

    def directory_changed(self) -> None:
        counter.directory_changed(self.connection)

    def units_changed(self) -> None:
        counter.units_changed(self.connection)


@contextmanager
def transaction(
    engine: Engine, rosters: Rosters, now: datetime, at: Callable[[str], None], notary: Notary
) -> Iterator[Transaction]:
    """One write transaction under the counter's lock."""
    with writing(engine) as connection:
        seq, version, entries = counter.lock(connection)
        tx = Transaction(connection, now, rosters.within(connection, version), at, notary, seq, entries)
        yield tx
        tx.write()
        counter.settle(connection, tx._seq, tx.entries)
        notices.notify(connection, tx.rung)
        at("before-commit")
    at("after-commit")


def each(verb: Callable[[Transaction, Any], Any]) -> Verb:
    """A verb that handles one job at a time, each whole or not at all, whatever it wrote before it refused."""

    @wraps(verb)
    def handle(tx: Transaction, jobs: list[Any]) -> list[Any]:
        results: list[Any] = []
        for job in jobs:
            connection, entries, counted = tx.connection, tx.entries, len(tx.counted)
            try:
                with connection.begin_nested():
                    result = verb(tx, job)
                    tx.write()
                results.append(result)
            except (Refusal, Stale) as refused:
                tx.decided.forget()
                tx.entries = entries  # an entry that was rolled back leaves no gap
                del tx.counted[counted:]
                results.append(refused)
        return results

    return handle


_TOGETHER: set[Verb] = set()


def together(verb: _V) -> _V:
    """A verb whose jobs go together, past those of other such verbs in the same batch: nobody has an answer to any of
    them yet, so they have no order. Of other verbs the batch keeps the order.

    Such a verb refuses a job before it has decided anything of it: nothing is rolled back then. The function itself is
    known, so that a verb made around it is another one, and waits its turn.
    """
    _TOGETHER.add(verb)
    return verb


def _grouped(batch: Iterable[_Work]) -> Iterator[tuple[Verb, list[_Work]]]:
    """The works of a batch by verb."""
    for free, works in groupby(batch, key=lambda work: work.verb in _TOGETHER):
        if free:
            by_verb: dict[Verb, list[_Work]] = {}
            for work in works:
                by_verb.setdefault(work.verb, []).append(work)
            yield from by_verb.items()
        else:
            yield from ((verb, list(some)) for verb, some in groupby(works, key=lambda work: work.verb))


@dataclass(frozen=True, slots=True)
class _Work:
    verb: Verb
    job: Any
    answer: Future[Any]


class Writer:
    """The process's one writing thread."""

    def __init__(
        self,
        engine: Engine,
        rosters: Rosters,
        clock: Callable[[], datetime],
        *,
        at: Callable[[str], None] = lambda step: None,
        committed: Callable[[Iterable[str]], None] = lambda systems: None,
        notary: Notary = NO_KEYS,
    ) -> None:
        self._engine, self._rosters, self._clock, self._at, self._committed = engine, rosters, clock, at, committed
        self.notary = notary  # of hub.exchange.keys, as soon as there are keys
        self._waiting: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="writer", daemon=True)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._waiting.put(None)
        self._thread.join()

    def submit(self, verb: Verb, job: Any) -> Future[Any]:
        """Queue work; the future is done after the commit (or raises the refusal)."""
        answer: Future[Any] = Future()
        self._waiting.put(_Work(verb, job, answer))
        return answer

    def run(self, verb: Verb, job: Any) -> Any:
        """The same, waiting for the answer."""
        return self.submit(verb, job).result()

    def _loop(self) -> None:
        size = 1
        while (batch := self._gather(_LINGER if size > 1 else 0.0)) is not None:
            size = len(batch)
            if batch:
                self._handle(batch)

    def _gather(self, linger: float) -> list[_Work] | None:
        """The next batch: what waits, and what comes within ``linger`` seconds of its first. None: no more will come.

        Lingering where several work at once makes commits fewer and larger; one alone never waits.
        """
        batch: list[_Work] = []
        while len(batch) < _BATCH:
            try:
                work = self._waiting.get(block=not batch)
            except queue.Empty:
                if not linger:
                    break
                time.sleep(linger)  # once, and not for each that comes: every waking takes the interpreter's lock
                linger = 0.0
                continue
            if work is None:
                if not batch:
                    return None
                self._waiting.put(None)  # ends the next call; this batch is still to be done
                break
            # Who has gone away asks for nothing; once begun, work cannot be called off and is always answered.
            if work.answer.set_running_or_notify_cancel():
                batch.append(work)
        return batch

    def _handle(self, batch: Sequence[_Work]) -> None:
        try:
            results = self._commit(batch)
        except Exception as fault:
            refusal = fault if isinstance(fault, Refusal) else temporary(fault)
            if len(batch) > 1 and (refusal is None or not refusal.problem.temporary):
                for work in batch:
                    self._handle([work])
                return
            if refusal is None:
                log.exception("writer-fault", verb=getattr(batch[0].verb, "__qualname__", "?"))
            for work in batch:
                work.answer.set_exception(refusal or fault)
            return
        for work, result in results:
            if isinstance(result, (Refusal, Stale)):
                work.answer.set_exception(result)
            else:
                work.answer.set_result(result)

    def _commit(self, batch: Sequence[_Work]) -> list[tuple[_Work, Any]]:
        results: list[tuple[_Work, Any]] = []
        began = time.perf_counter()
        with transaction(self._engine, self._rosters, self._clock(), self._at, self.notary) as tx:
            for verb, works in _grouped(batch):
                results.extend(zip(works, verb(tx, [work.job for work in works]), strict=True))
        metrics.COMMITS.observe(time.perf_counter() - began)
        metrics.BATCHES.observe(len(batch))
        try:
            if tx.rung:
                self._committed(tx.rung)
            for count in tx.counted:
                count()
        except Exception:  # what is committed is answered, and never done again
            log.exception("after-commit-fault")
        return results
