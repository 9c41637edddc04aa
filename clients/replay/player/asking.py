"""Requests that are made again until they have an answer, and what the book says of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from clients.replay.player.stage import Stage
from clients.replay.wire.dialects import Refused, Taken
from clients.replay.wire.lines import NoAnswer

T = TypeVar("T")
_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)  # real seconds before a request is made again
_LONGEST = 5.0  # real seconds of a pause that a hub asks for, and gets


class Asking:
    """For the systems of one run."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def until_answered(
        self,
        base: str,
        operation: str,
        n: int,
        ask: Callable[[str], Awaitable[Taken]],
        recipient: str = "",
        k: int = 0,
    ) -> Taken | None:
        """Make a request, the same again while it gets no answer; None when it was refused for good, or given up."""
        stage, what = self._stage, "document" if operation == "send" else "status"
        until = time.monotonic() + stage.giving_up
        attempt = 0
        while True:
            attempt += 1
            mark = f"{base}.{attempt}"
            await stage.book.sending(mark, n=n, what=what, at=stage.clock.now, recipient=recipient, k=k)
            began, taken, refused = time.perf_counter(), None, None
            try:
                taken = await ask(mark)
                seconds = taken.seconds
            except Refused as refusal:
                refused, seconds = refusal, refusal.seconds
            except NoAnswer as none:
                seconds = none.seconds
                stage.counts.unanswered += 1
            final = taken is not None or (refused is not None and not refused.temporary)
            self._timed(operation, time.perf_counter() - began, final)
            await self._answered(mark, taken, refused, seconds)
            if final:
                return taken
            if stage.quick or time.monotonic() > until:
                return None
            await _pause(attempt, refused)

    async def _answered(self, mark: str, taken: Taken | None, refused: Refused | None, seconds: float) -> None:
        """``seconds`` are the hub's: the wait for a free connection is not in them."""
        stage = self._stage
        if taken is not None:
            outcome, status, code = ("repeated" if taken.repeated else "accepted"), 200, ""
        elif refused is not None:
            outcome, status, code = ("later" if refused.temporary else "refused"), refused.status, refused.code
            if refused.code == "packet-refused" and refused.rules:
                code = f"{refused.code}/{','.join(refused.rules)}"
        else:
            outcome, status, code = "none", 0, ""
        await stage.book.answered(
            mark, outcome=outcome, status=status, code=code, hub_id=taken.hub_id if taken else "",
            deliveries=taken.deliveries if taken else (), seconds=seconds, at=stage.clock.now,
        )  # fmt: skip

    async def until_heard(self, base: str, operation: str, ask: Callable[[str], Awaitable[T]]) -> T | None:
        """Ask until there is an answer; None when it was refused, or given up: the next look asks again."""
        stage = self._stage
        until = time.monotonic() + stage.giving_up
        attempt = 0
        while True:
            attempt += 1
            began, refused = time.perf_counter(), None
            try:
                heard = await ask(f"{base}.{attempt}")
            except Refused as refusal:
                refused = refusal
                self._timed(operation, time.perf_counter() - began, False)
                if not refusal.temporary:
                    return None
            except NoAnswer:
                self._timed(operation, time.perf_counter() - began, False)
                stage.counts.unanswered += 1
            else:
                self._timed(operation, time.perf_counter() - began, True)
                return heard
            if stage.quick or time.monotonic() > until:
                return None
            await _pause(attempt, refused)

    def _timed(self, operation: str, seconds: float, ok: bool) -> None:
        self._stage.counts.requests += 1
        self._stage.book.timed(operation, time.monotonic() - self._stage.begun, seconds, ok)


async def _pause(attempt: int, refused: Refused | None) -> None:
    """Before the same request again; a hub may ask for a longer pause, within reason."""
    asked = min(refused.retry_after, _LONGEST) if refused is not None else 0.0
    await asyncio.sleep(max(asked, _PAUSES[min(attempt, len(_PAUSES)) - 1]))
