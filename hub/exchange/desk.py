"""The desk: where both dialects hand in packets. It runs the checks off the event loop, stores what is large, queues
the write and keeps what was refused; what is decided stands in the verbs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from hub import metrics
from hub.domain.agency import System
from hub.domain.edxml import Limits
from hub.errors import Refusal, Severity
from hub.exchange import accept, checks, hand_over, refuse
from hub.exchange import report as statuses
from hub.exchange.accept import Accepted
from hub.exchange.checkers import Checkers, Threads
from hub.exchange.examine import Stated, Submission
from hub.exchange.report import Reported
from hub.exchange.writer import Stale, Writer
from hub.store import documents
from hub.store.engine import reading, temporary
from hub.store.ids import new_id
from hub.store.payloads import Payloads, place_of
from hub.store.roster import Rosters

log = structlog.get_logger()
note = structlog.contextvars.bind_contextvars  # stands in the request's line of the log
_T = TypeVar("_T")
_ORPHAN = timedelta(hours=24)
NOTHING = Stated()
_TURNS = 5  # checks of one packet while the directory changes under them


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
        payloads: Payloads,
        vault: Fernet,
        writer: Writer,
        clock: Callable[[], datetime],
        terms: Terms,
        at: Callable[[str], None] = lambda step: None,
    ) -> None:
        self.engine, self.rosters, self.payloads, self.vault = engine, rosters, payloads, vault
        self.writer, self.clock, self.terms, self._at = writer, clock, terms, at
        self._pool = ThreadPoolExecutor(4, "desk")
        self.checkers: Checkers = Threads(self._pool)

    def close(self) -> None:
        self._pool.shutdown()

    async def write(self, verb: Any, job: Any) -> Any:
        """Run a verb in the writer; answered after its commit."""
        return await asyncio.wrap_future(self.writer.submit(verb, job))

    async def aside(self, work: Callable[..., _T], *arguments: Any) -> _T:
        """Work in a thread that :meth:`close` waits for, so that none is left with a connection of what is closed."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    async def _check(self, prepare: Callable[..., Any], packet: bytes, submission: Submission, *, again: bool) -> Any:
        """Check on the snapshot; a refusal counts only if the newest roster refuses too.

        Somebody enrolled or a certificate registered a moment ago may not be in the snapshot yet. What a stale one
        lets pass is found by the commit, and checked ``again``.
        """
        roster = None if again else self.rosters.fresh()
        if roster is None:
            roster = await self.aside(partial(self.rosters.current, now=again))
        try:
            return await self.checkers.run(prepare, packet, submission, roster, self.clock())
        except Refusal:
            newest = await self.aside(partial(self.rosters.current, now=True))
            if newest.version == roster.version:
                raise
            return await self.checkers.run(prepare, packet, submission, newest, self.clock())

    async def accept(self, packet: bytes, system: System, trace_id: str, stated: Stated = NOTHING) -> Accepted:
        """Accept a document packet that agrees with what is ``stated``, or raise the refusal that is now on record."""
        submission = self._submission(packet, system, trace_id, stated)
        place: str | None = None
        try:
            for turn in range(_TURNS):
                prepared = await self._check(checks.prepare, packet, submission, again=turn > 0)
                if place is None and len(packet) > self.terms.inline_limit:
                    place = place_of(submission.packet_id, prepared.sha256, self.clock())
                    await self.aside(self._store, place, packet)
                job = checks.Checked(submission, prepared, place, packet if place is None else None)
                try:
                    accepted: Accepted = await self.write(accept.commit, job)
                    break
                except Stale:
                    continue
            else:
                raise Refusal("busy", retry_after=1)
        except Refusal as refusal:
            if not refusal.problem.temporary:
                # After a temporary fault the commit may have happened all the same: there the sweep decides.
                await self._drop(place)
                await self._record(packet, system, trace_id, refusal)
            raise
        if not accepted.kept:
            await self._drop(place)
        outcome = "accepted" if accepted.new else "repeated"
        metrics.PACKETS.add(outcome)
        note(
            outcome=outcome, document=accepted.body["id"],
            deliveries=len(accepted.body["deliveries"]), system=system.id,
        )  # fmt: skip
        return accepted

    def _submission(self, packet: bytes, system: System, trace_id: str, stated: Stated = NOTHING) -> Submission:
        terms, packet_id = self.terms, new_id(self.clock())
        return Submission(len(packet), system.id, packet_id, trace_id, terms.limits, terms.refuse_taken, stated)

    def _store(self, place: str, packet: bytes) -> None:
        self._at("before-payload")
        self.payloads.put(place, packet)
        self._at("after-payload")

    async def _drop(self, place: str | None) -> None:
        if place is not None:
            with suppress(Refusal, OSError):  # the answer stands, and the sweep comes by
                await self.aside(self.payloads.remove, place)

    async def validate(self, packet: bytes, system: System) -> list[Any]:
        """Every check of :meth:`accept`, duplicates included, storing nothing: its warnings. Raises its refusal."""
        submission = self._submission(packet, system, "")
        prepared = await self._check(checks.prepare, packet, submission, again=False)
        warnings: list[Any] = await self.aside(self._foresee, checks.Checked(submission, prepared, None, None))
        return warnings

    def _foresee(self, job: checks.Checked) -> list[Any]:
        with reading(self.engine) as connection:
            return accept.foresee(job, self.rosters.current().directory, connection)

    async def report(self, packet: bytes, system: System, trace_id: str, stated: Stated = NOTHING) -> Reported:
        """Take a status packet, or raise the refusal that is now on record."""
        submission = self._submission(packet, system, trace_id, stated)
        try:
            reported = await self._report(packet, submission)
        except Refusal as refusal:
            if not refusal.problem.temporary:
                await self._record(packet, system, trace_id, refusal)
            raise
        said = reported.body
        metrics.PACKETS.add("reported" if reported.new else "repeated")
        note(outcome="reported", document=said["document"], code=said["status"], system=system.id)
        return reported

    async def _report(self, packet: bytes, submission: Submission) -> Reported:
        for turn in range(_TURNS):
            prepared = await self._check(statuses.prepare, packet, submission, again=turn > 0)
            try:
                reported: Reported = await self.write(statuses.commit, replace(prepared, body=packet))
                return reported
            except Stale:
                continue
        raise Refusal("busy", retry_after=1)

    async def _record(self, packet: bytes, system: System, trace_id: str, refusal: Refusal) -> None:
        refused = await self.checkers.run(refuse.describe, packet, system.id, trace_id, refusal, self.terms.limits)
        refusal_id = await self.write(refuse.record, refused)
        metrics.PACKETS.add("refused")
        for rule in {v.rule for v in refusal.violations if v.severity is Severity.ERROR}:
            metrics.REFUSALS.add(rule)
        note(outcome="refused", refusal=refusal_id, code=refusal.code, system=system.id)

    async def sweep(self) -> None:
        """Ends leases and deliveries whose time is over, and removes orphaned payloads, again and again."""
        swept_payloads = datetime.min.replace(tzinfo=UTC)
        while True:
            try:
                job = hand_over.Sweep()
                while await self.write(hand_over.sweep, job) == job.most:
                    pass
                if self.clock() - swept_payloads > timedelta(hours=1):
                    swept_payloads = self.clock()  # before: a store that is away is asked again in an hour too
                    await self.aside(self.sweep_payloads)
            except Exception as fault:
                if temporary(fault) is None and not isinstance(fault, Refusal):
                    log.exception("sweep-fault")
            await asyncio.sleep(self.terms.sweep_seconds)

    def sweep_payloads(self) -> int:
        """Remove payloads older than a day that no row names; gives how many."""
        removed = 0
        places = list(self.payloads.older_than(datetime.now(UTC) - _ORPHAN))  # files carry the machine's time
        for start in range(0, len(places), 500):
            chunk = places[start : start + 500]
            with reading(self.engine) as connection:
                used = documents.places_in_use(connection, chunk)
            for place in set(chunk) - used:
                self.payloads.remove(place)
                removed += 1
        return removed
