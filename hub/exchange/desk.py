"""The desk: where both dialects hand in packets. It runs the checks off the event loop, stores what is large, queues
the write and keeps what was refused; what is decided stands in the verbs.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from hub.domain.agency import System
from hub.domain.edxml import Limits
from hub.errors import Refusal
from hub.exchange import accept, checks, hand_over, refuse
from hub.exchange import report as statuses
from hub.exchange.accept import Accepted
from hub.exchange.report import Reported
from hub.exchange.writer import Writer
from hub.store import documents, payloads
from hub.store.engine import new_id, reading, temporary
from hub.store.payloads import Folder
from hub.store.roster import Roster, Rosters

log = structlog.get_logger()
Submitted = TypeVar("Submitted")
Prepared = TypeVar("Prepared")
_ORPHAN = timedelta(hours=24)
_LARGE = 64 * 1024  # bytes; small packets are quickest on one thread, large ones release it often


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings the exchange needs."""

    limits: Limits
    inline_limit: int
    refuse_taken: bool
    sweep_seconds: float


class Desk:
    """One process's access to the exchange; built by the composition root."""

    def __init__(
        self,
        engine: Engine,
        rosters: Rosters,
        folder: Folder,
        vault: Fernet,
        writer: Writer,
        clock: Callable[[], datetime],
        terms: Terms,
        at: Callable[[str], None] = lambda step: None,
    ) -> None:
        self.engine, self.rosters, self.folder, self.vault = engine, rosters, folder, vault
        self.writer, self.clock, self.terms, self._at = writer, clock, terms, at
        self._small = ThreadPoolExecutor(1, "check-small")
        self._large = ThreadPoolExecutor(2, "check-large")

    def close(self) -> None:
        self._small.shutdown()
        self._large.shutdown()

    async def write(self, verb: Any, job: Any) -> Any:
        """Run a verb in the writer; answered after its commit."""
        return await asyncio.wrap_future(self.writer.submit(verb, job))

    async def _check(self, size: int, work: Callable[[], Any]) -> Any:
        pool = self._small if size <= _LARGE else self._large
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    def _on_newest(self, prepare: Callable[[Submitted, Roster, datetime], Prepared], submission: Submitted) -> Prepared:
        """Check on the snapshot; a refusal counts only if the newest roster refuses too.

        Somebody enrolled or a certificate registered a moment ago may not be in the snapshot yet. What a stale one
        lets pass is checked again by the commit.
        """
        roster = self.rosters.current()
        try:
            return prepare(submission, roster, self.clock())
        except Refusal:
            newest = self.rosters.current(now=True)
            if newest.version == roster.version:
                raise
            return prepare(submission, newest, self.clock())

    async def accept(self, packet: bytes, system: System, trace_id: str) -> Accepted:
        """Accept a document packet, or raise the refusal that is now on record."""

        def prepare() -> checks.Prepared:
            found = self._on_newest(checks.prepare, self._submission(packet, system, trace_id))
            if found.submission.place is not None:
                self._at("before-payload")
                self.folder.put(found.submission.place, packet)
                self._at("after-payload")
            return found

        prepared = None
        try:
            prepared = await self._check(len(packet), prepare)
            accepted: Accepted = await self.write(accept.commit, prepared)
        except Refusal as refusal:
            if not refusal.problem.temporary:
                # After a temporary fault the commit may have happened all the same: there the sweep decides.
                self._drop(prepared)
                await self._record(packet, system, trace_id, refusal)
            raise
        if not accepted.kept:
            self._drop(prepared)
        what = "accepted" if accepted.new else "repeated"
        log.info(what, document=accepted.body["id"], deliveries=len(accepted.body["deliveries"]), system=system.id)
        return accepted

    def _submission(self, packet: bytes, system: System, trace_id: str) -> checks.Submission:
        now = self.clock()
        packet_id, sha256 = new_id(now), hashlib.sha256(packet).hexdigest()
        place = payloads.place_of(packet_id, sha256, now) if len(packet) > self.terms.inline_limit else None
        terms = self.terms
        return checks.Submission(
            packet, sha256, system.id, packet_id, trace_id, place, terms.limits, terms.refuse_taken
        )

    def _drop(self, prepared: checks.Prepared | None) -> None:
        if prepared is not None and prepared.submission.place is not None:
            self.folder.remove(prepared.submission.place)

    async def validate(self, packet: bytes, system: System) -> list[Any]:
        """Every check of :meth:`accept`, duplicates included, storing nothing: its warnings. Raises its refusal."""

        def check() -> list[Any]:
            prepared = self._on_newest(checks.prepare, self._submission(packet, system, ""))
            with reading(self.engine) as connection:
                return accept.foresee(prepared, self.rosters.current().directory, connection)

        warnings: list[Any] = await self._check(len(packet), check)
        return warnings

    async def report(self, packet: bytes, system: System, trace_id: str) -> Reported:
        """Take a status packet, or raise the refusal that is now on record."""
        submission = statuses.Submission(packet, system.id, new_id(self.clock()), trace_id, self.terms.limits)
        try:
            prepared = await self._check(len(packet), lambda: self._on_newest(statuses.prepare, submission))
            reported: Reported = await self.write(statuses.commit, prepared)
        except Refusal as refusal:
            if not refusal.problem.temporary:
                await self._record(packet, system, trace_id, refusal)
            raise
        log.info("reported", document=reported.body["document"], status=reported.body["status"], system=system.id)
        return reported

    async def _record(self, packet: bytes, system: System, trace_id: str, refusal: Refusal) -> None:
        refused = await self._check(
            len(packet), lambda: refuse.describe(packet, system.id, trace_id, refusal, self.terms.limits)
        )
        refusal_id = await self.write(refuse.record, refused)
        log.info("refused", refusal=refusal_id, code=refusal.code, system=system.id)

    @asynccontextmanager
    async def sweeping(self) -> AsyncIterator[None]:
        """Ends leases and deliveries whose time is over, and removes orphaned payloads, while the hub serves."""
        task = asyncio.create_task(self._sweep())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _sweep(self) -> None:
        swept_payloads = datetime.min.replace(tzinfo=UTC)
        while True:
            try:
                job = hand_over.Sweep()
                while await self.write(hand_over.sweep, job) == job.most:
                    pass
                if self.clock() - swept_payloads > timedelta(hours=1):
                    await asyncio.to_thread(self.sweep_payloads)
                    swept_payloads = self.clock()
            except Exception as fault:
                if temporary(fault) is None and not isinstance(fault, Refusal):
                    log.exception("sweep-fault")
            await asyncio.sleep(self.terms.sweep_seconds)

    def sweep_payloads(self) -> int:
        """Remove payloads older than a day that no row names; gives how many."""
        removed = 0
        places = list(self.folder.older_than(datetime.now(UTC) - _ORPHAN))  # files carry the machine's time
        for start in range(0, len(places), 500):
            chunk = places[start : start + 500]
            with reading(self.engine) as connection:
                used = documents.places_in_use(connection, chunk)
            for place in set(chunk) - used:
                self.folder.remove(place)
                removed += 1
        return removed
