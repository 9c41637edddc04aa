"""Whole cycles per second: a document accepted, listed, fetched and kept, and its status 06 back at the sender."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks import load
from benchmarks.load import Answers, Line
from benchmarks.packets import Office, an_office, signed, signed_statuses
from benchmarks.report import Measure, Run
from benchmarks.servers import Enrolled
from benchmarks.stage import Stage, stage
from hub.domain.document import Organization

_SPARE = 400  # cycles per second of all pairs that no hub reaches: so many are prepared


def cycles(run: Run, database: str, *, seconds: int, pairs: int) -> None:
    """``pairs`` of agencies at once, each with one document under way."""
    offices = [an_office(f"H41.{n:04}", f"Đơn vị thử nghiệm {n}") for n in range(1, 2 * pairs + 1)]
    couples = list(zip(offices[:pairs], offices[pairs:], strict=True))
    each = max(10, _SPARE * seconds // pairs)
    with stage(database, offices) as hub:
        prepared = [_prepared(hub, sender, recipient, each) for sender, recipient in couples]
        before = hub.hub.cpu()
        answers = asyncio.run(_all(hub, couples, prepared, seconds))
        run.add(Measure.of(f"cycles, {pairs} pairs, {database}", answers, hub.hub.cpu() - before, "8 requests each"))


def _prepared(hub: Stage, sender: Office, recipient: Office, count: int) -> list[tuple[bytes, bytes]]:
    """Requests that send a document and report 06 on it."""
    to = [Organization(recipient.code, name=recipient.name)]
    numbers = range(1, 1 + count)
    documents = signed(sender, to, 10_000, numbers)
    statuses = signed_statuses(recipient, sender, numbers)
    return [
        (
            load.request("/v1/documents", hub.systems[sender.code].token, document),
            load.request("/v1/statuses", hub.systems[recipient.code].token, status),
        )
        for document, status in zip(documents, statuses, strict=True)
    ]


async def _all(
    hub: Stage, couples: Sequence[tuple[Office, Office]], prepared: Sequence[list[tuple[bytes, bytes]]], seconds: int
) -> Answers:
    answers = Answers()
    lines = [await load.connected(hub.hub.url) for _ in couples]
    began = time.perf_counter()
    try:
        await asyncio.gather(
            *(
                _cycle(
                    line, hub.systems[sender.code], hub.systems[recipient.code], iter(work), began + seconds, answers
                )
                for line, (sender, recipient), work in zip(lines, couples, prepared, strict=True)
            )
        )
    finally:
        for line in lines:
            line.close()
    answers.seconds = time.perf_counter() - began
    return answers


async def _cycle(
    line: Line,
    sender: Enrolled,
    recipient: Enrolled,
    work: Iterator[tuple[bytes, bytes]],
    until: float,
    answers: Answers,
) -> None:
    there, back = "", ""  # cursors
    for document, status in work:
        began = time.perf_counter()
        await _told(line, document)
        there = await _kept(line, recipient.token, there)
        await _told(line, status)
        back = await _kept(line, sender.token, back)
        answers.latencies.append(time.perf_counter() - began)
        if time.perf_counter() > until:
            return
    raise RuntimeError("more cycles than were prepared")


async def _kept(line: Line, token: str, after: str) -> str:
    """List what is new, fetch it and confirm it; gives the cursor behind it."""
    found = await _told(
        line, load.question(f"/v1/inbox?limit=5&after={after}" if after else "/v1/inbox?limit=5", token)
    )
    (item,) = found["items"]
    await line.ask(load.question(f"/v1/deliveries/{item['id']}/packet", token))
    await _told(line, load.request(f"/v1/deliveries/{item['id']}/done", token, b"{}", "application/json"))
    return str(found["next"])


async def _told(line: Line, request: bytes) -> Any:
    answer = await line.ask(request)
    if int(answer[9:12]) >= 300:
        raise RuntimeError(answer.decode(errors="replace")[-1000:])
    return json.loads(answer.partition(b"\r\n\r\n")[2])
