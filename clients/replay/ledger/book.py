"""The book of a run: what the agencies' side planned, sent, was answered and kept. It asks no hub anything.

Rows go to a thread of the book's own, which commits what came together. What a call returns is done when its row is in
the file: it outlives a killed process (not a power cut: the log is not flushed at each commit).
"""

from __future__ import annotations

import asyncio
import json
import queue
import sqlite3
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from clients.replay.ledger.tables import EDGES, LAST_BUCKET, TABLES
from clients.replay.planned import Party, Post, Reply
from hub.domain.agency import canonical
from hub.domain.numbering import canonical_document_id

_TOGETHER = 0.004  # seconds that rows wait for others
_FLUSHED = 1.0  # seconds between two writings of the timings
_LOOK = 100_000  # numbers kept free for the items of one listing

Row = tuple[object, ...]


class _Batch:
    """Rows by table that are committed together, and who waits for them."""

    __slots__ = ("committed", "rows")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.rows: dict[str, list[Row]] = {}
        self.committed: asyncio.Future[None] = loop.create_future()

    def __await__(self) -> Generator[Any, None, None]:
        # One waiter that is cancelled must not cancel the others' future.
        return asyncio.shield(self.committed).__await__()


class _Timing:
    __slots__ = ("buckets", "failed", "most", "ok", "seconds")

    def __init__(self) -> None:
        self.ok = self.failed = 0
        self.seconds = self.most = 0.0
        self.buckets: Counter[int] = Counter()


class Book:
    """A new book at ``path``; ``async with``, and all calls from that event loop. Raises ``FileExistsError``.

    After a failure to write (``sqlite3.Error``) every later call raises it.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._seq = 0
        self._begun = clock()
        self._open: dict[str, tuple[int, int, str]] = {}  # attempts under way: mark -> seq, n, what
        self._timings: dict[tuple[str, int], _Timing] = {}
        self._handed: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._failure: Exception | None = None

    async def __aenter__(self) -> Self:
        with self._path.open("xb"):
            pass
        self._loop = asyncio.get_running_loop()
        self._batch: _Batch | None = None
        self._thread = threading.Thread(target=self._write, name="book", daemon=True)
        self._thread.start()
        self._flusher = self._loop.call_later(_FLUSHED, self._flush_often)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flusher.cancel()
        self._flush()
        if self._batch is not None:
            self._hand_over()
        self._handed.put(None)
        await asyncio.shield(self._loop.run_in_executor(None, self._thread.join))
        if self._failure is not None and error is None:
            raise self._failure

    # What is known of the whole.

    def facts(self, **values: object) -> None:
        """Facts of the run; a later one of the same name counts."""
        for key, value in values.items():
            self._put("run", (key, json.dumps(value, ensure_ascii=False)))

    def cast(self, parties: Iterable[Party]) -> None:
        for p in parties:
            named = (canonical(p.code), p.name, canonical(p.system), p.dialect, p.profile)
            self._put("party", (*named, p.poll, p.hours, p.slow, p.silent, p.dies, p.reads))

    # Before and after each sending.

    def planned(self, post: Post, sha256: str, size: int) -> Awaitable[None]:
        """Before the first sending of a document; ``size`` in bytes."""
        for place, code in enumerate(post.recipients):
            self._put("addressee", (post.n, place, canonical(code)))
        names = (canonical(post.sender), canonical_document_id(post.document_id), post.number.lstrip("0"), post.symbol)
        kinds = (post.day.isoformat(), int(post.kind), post.target, post.repeats, post.defect, post.expect)
        return self._put("post", (post.n, post.at, *names, *kinds, size, bytes.fromhex(sha256)))

    def stated(self, reply: Reply, sha256: str) -> Awaitable[None]:
        """Before the first sending of a status."""
        what = (reply.code, reply.by_sender, reply.expect, bytes.fromhex(sha256))
        return self._put("reply", (reply.n, canonical(reply.recipient), reply.k, *what))

    def sending(self, mark: str, *, n: int, what: str, at: float, recipient: str = "", k: int = 0) -> Awaitable[None]:
        """Before each attempt. ``what``: document or status; ``recipient`` and ``k`` as in the status's ``Reply``."""
        seq = self._next()
        self._open[mark] = (seq, n, what)
        return self._put("sending", (seq, mark, what, n, canonical(recipient), k, at))

    def answered(
        self,
        mark: str,
        *,
        outcome: str,
        status: int = 0,
        code: str = "",
        hub_id: str = "",
        deliveries: Sequence[tuple[str, str]] = (),
        seconds: float,
        at: float,
    ) -> Awaitable[None]:
        """After each attempt. ``outcome``: accepted, repeated, refused, later (a temporary refusal), none (no answer).

        ``code`` may name rules: ``packet-refused/name-characters``. ``deliveries``: (id, addressed code). ``KeyError``
        for a mark that was not sent.
        """
        sending, n, what = self._open.pop(mark)
        seq = self._next()
        for delivery, recipient in deliveries:
            self._put("promise", (seq, what, n, delivery, canonical(recipient)))
        return self._put("answer", (seq, sending, outcome, status, code, hub_id, seconds, at, self._moment()))

    # What comes in.

    def look(self) -> int:
        """Before each listing is asked for: the ``listed`` of its first item. Item i has this + i."""
        seq = self._next()
        self._seq += _LOOK
        return seq

    def kept(
        self,
        *,
        system: str,
        delivery: str,
        what: str,
        to: str,
        document_id: str,
        sender: str,
        sha256: str,
        at: float,
        code: str = "",
        listed_sha256: str = "",
        listed: int = 0,
    ) -> Awaitable[None]:
        """After each receipt, before it is confirmed; ``sha256`` of the bytes that came.

        ``listed``: of the first listing that named it (``look``); without it the order of keeping counts as the order
        in which the hub listed, and no item may come from a listing asked for before its confirmation.
        """
        seq = self._next()
        names = (canonical(system), delivery, what, canonical(to), canonical_document_id(document_id))
        digests = (bytes.fromhex(sha256), _said(listed_sha256) or None)
        return self._put("kept", (seq, listed or seq, *names, canonical(sender), *digests, code, at))

    def confirmed(self, *, system: str, delivery: str, at: float) -> Awaitable[None]:
        """The hub answered "done"."""
        return self._put("confirmed", (self._next(), canonical(system), delivery, at))

    def told(
        self, *, system: str, what: str, delivery: str, document_id: str, to: str, status: str, at: float, n: int = 0
    ) -> Awaitable[None]:
        """What the hub says became of something sent: outbox, getSentEdocList, or an answer that says so.

        ``n``: of the post, where what is told names no delivery: a DocumentId may be of two years.
        """
        named = (canonical_document_id(document_id), canonical(to), status)
        return self._put("told", (self._next(), canonical(system), what, delivery, *named, at, n))

    # What is done on purpose, and what is measured.

    def injected(self, fault: str, mark: str, *, where: str, at: float) -> None:
        """A fault made on purpose; ``where``: network, agency or hub; ``mark`` "" for what meets the whole hub.

        A mutant of the hub is none: it must not be written down, since a fault excuses.
        """
        self._put("injected", (self._next(), fault, mark, where, at, self._moment()))

    def timed(self, operation: str, second: float, seconds: float, ok: bool) -> None:
        """One request that took ``seconds``, in the ``second`` of real time since the run began."""
        key = (operation, int(second))
        timing = self._timings.get(key)
        if timing is None:
            timing = self._timings[key] = _Timing()
        if not ok:
            timing.failed += 1
            return
        timing.ok += 1
        timing.seconds += seconds
        timing.most = max(timing.most, seconds)
        timing.buckets[min(bisect_left(EDGES, seconds), LAST_BUCKET)] += 1

    def sampled(self, second: float, **values: float) -> None:
        """Values as they stand at a real second of the run; ``memory``, of the hub, in MiB."""
        for name, value in values.items():
            self._put("sample", (second, name, value))

    def _moment(self) -> float:
        return self._clock() - self._begun

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _put(self, table: str, row: Row) -> _Batch:
        batch = self._batch
        if batch is None:
            if self._failure is not None:
                raise self._failure
            batch = self._batch = _Batch(self._loop)
            self._loop.call_later(_TOGETHER, self._hand_over)
        rows = batch.rows.get(table)
        if rows is None:
            rows = batch.rows[table] = []
        rows.append(row)
        return batch

    def _hand_over(self) -> None:
        if self._batch is not None:
            self._handed.put(self._batch)
            self._batch = None

    def _flush_often(self) -> None:
        self._flush()
        self._flusher = self._loop.call_later(_FLUSHED, self._flush_often)

    def _flush(self) -> None:
        for (operation, second), t in self._timings.items():
            self._put("timing", (operation, second, t.ok, t.failed, t.seconds, t.most, json.dumps(t.buckets)))
        self._timings.clear()

    # The thread.

    def _write(self) -> None:
        batches: list[_Batch] = []
        try:
            with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                for name, columns in TABLES.items():
                    connection.execute(f"CREATE TABLE {name} ({columns})")
                while batches := self._waiting():
                    _commit(connection, batches)
                    self._loop.call_soon_threadsafe(_tell, batches, None)
        except Exception as failure:  # whatever it is, who waits must learn it
            self._failure = failure
            while batches or (batches := self._waiting()):
                self._loop.call_soon_threadsafe(_tell, batches, failure)
                batches = []

    def _waiting(self) -> list[_Batch]:
        """The batches that wait, once there is one; none at the end."""
        batches = []
        found = self._handed.get()
        while found is not None:
            batches.append(found)
            try:
                found = self._handed.get_nowait()
            except queue.Empty:
                return batches
        if batches:
            self._handed.put(None)  # the end is read again behind what came before it
        return batches


def _said(sha256: str) -> bytes:
    """What a list calls a SHA-256; what is none is kept as it was written, and equals no digest."""
    try:
        return bytes.fromhex(sha256)
    except ValueError:
        return sha256.encode("utf-8", "replace")


def _commit(connection: sqlite3.Connection, batches: Iterable[_Batch]) -> None:
    together: dict[str, list[Row]] = {}
    for batch in batches:
        for table, rows in batch.rows.items():
            together.setdefault(table, []).extend(rows)
    connection.execute("BEGIN")
    for table, rows in together.items():
        marks = ",".join("?" * len(rows[0]))
        verb = "REPLACE" if table == "run" else "INSERT"  # a later fact of the same name counts
        connection.executemany(f"{verb} INTO {table} VALUES ({marks})", rows)
    connection.execute("COMMIT")


def _tell(batches: Iterable[_Batch], failure: Exception | None) -> None:
    for batch in batches:
        if failure is None:
            batch.committed.set_result(None)
        else:
            batch.committed.set_exception(failure)
            batch.committed.exception()  # most rows have nobody who waits
