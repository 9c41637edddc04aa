"""What the gateway dialect costs beside REST, and whether its lists get slower when much waits.

What is compared is measured by turns on one hub, there and back and there and back: on a machine that others use too,
all are slowed down alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

import httpx

from benchmarks import backlog, load
from benchmarks.accept import by_rest, warmed_up
from benchmarks.load import Answers
from benchmarks.packets import SIZES, signed
from benchmarks.report import Measure, Run
from benchmarks.servers import Enrolled, Running
from benchmarks.stage import government_office, stage, units
from clients.gateway_client import Answer, GatewayClient

_ACCEPTED = b'"ErrorCode": "0"'  # refusals have HTTP 200 too
_PAGE = 500  # entries of one list: as many are answered wherever more wait
_FEW, _MANY = 100, 100_000
_ROUNDS = 4


@dataclass(frozen=True)
class _Case:
    """``requests`` of each round."""

    name: str
    requests: Sequence[Iterable[bytes]]
    status: int = 200
    accepted_by: bytes = _ACCEPTED


def sent(run: Run, size: str, database: str, *, seconds: int, connections: int) -> None:
    """Packets per second by ``POST /v1/documents`` and by ``sendEdoc``, and the share of the second in the first."""
    office, to = government_office(), units(3)
    codes = [one.organ_id for one in to]
    with stage(database, [office], to) as hub:
        system = hub.systems[office.code]

        def send_edoc(packet: bytes) -> bytes:
            return _request(system, lambda client: client.send_edoc(packet, sender=office.code, to=codes))

        rest = by_rest(hub, office)
        numbers = warmed_up(hub, rest, office, to, size, seconds=2 * seconds, connections=connections)
        ways = (rest, send_edoc) * _ROUNDS
        rounds: list[list[bytes]] = [[] for _ in ways]
        for n, packet in enumerate(signed(office, to, SIZES[size], numbers)):
            turn = n % len(ways)
            rounds[turn].append(ways[turn](packet))
        cases = (
            _Case(f"POST /v1/documents, {size}, {database}", rounds[0::2], 201, b""),
            _Case(f"sendEdoc, {size}, {database}", rounds[1::2]),
        )
        documents, edocs = _by_turns(run, hub.hub, cases, connections, seconds)
        share = 100 * edocs.rate / documents.rate
        run.add(Measure(f"sendEdoc of POST /v1/documents, {size}, {database}", share, "%"))


def listed(run: Run, database: str, *, seconds: int) -> None:
    """First pages of ``getReceivedEdocList`` per second, one after the other, of systems for which more and less waits.

    Whoever lists a page twenty times and does nothing has it sunk below what else waits, so that each twentieth answer
    here also writes: the median shows what listing costs.
    """
    office, systems = government_office(), units(4)
    few, page, many, beside = systems
    waiting = {few: _FEW, page: _PAGE, many: _MANY, beside: _FEW}
    with stage(database, [office], systems) as hub:
        backlog.documents(hub, office, waiting)
        backlog.statuses(hub, beside, _MANY)
        told = {one: f"{count:,} waiting" for one, count in waiting.items()}
        told[beside] += f" and {_MANY:,} statuses"
        cases = []
        for one in systems:
            asked = _request(hub.systems[one.organ_id], lambda client: client.get_received_edoc_list("edoc"))
            cases.append(_Case(f"list, {told[one]}, {database}", [repeat(asked)] * _ROUNDS))
        answers = dict(zip(systems, _by_turns(run, hub.hub, cases, 1, seconds), strict=True))
        for less, more in ((page, many), (few, beside)):
            times = answers[more].percentile(0.5) / answers[less].percentile(0.5)
            run.add(Measure(f"list, {told[more]}, against {told[less]}, {database}", times, "times the median"))


def _by_turns(run: Run, server: Running, cases: Sequence[_Case], connections: int, seconds: int) -> list[Answers]:
    """What each case was answered, in these seconds for each."""
    answers, cpu = [Answers() for _ in cases], [0.0] * len(cases)
    there = list(enumerate(cases))
    for turn in range(_ROUNDS):
        for number, case in there[::-1] if turn % 2 else there:
            before = server.cpu()
            found = load.fire(
                server.url, case.requests[turn], connections=connections, seconds=seconds / _ROUNDS,
                accepted_by=case.accepted_by,
            )  # fmt: skip
            cpu[number] += server.cpu() - before
            answers[number] += found.all_are(case.status)
    for case, found, spent in zip(cases, answers, cpu, strict=True):
        run.add(Measure.of(case.name, found, spent))
    return answers


def _request(system: Enrolled, call: Callable[[GatewayClient], Answer]) -> bytes:
    """What the field's client would send."""
    made = []

    def keep(request: httpx.Request) -> httpx.Response:
        lines = [b"%s: %s" % line for line in request.headers.raw]
        made.append(
            b"\r\n".join([f"{request.method} {request.url.path} HTTP/1.1".encode(), *lines, b"", request.read()])
        )
        return httpx.Response(200, json={"status": "OK", "ErrorCode": "0", "ErrorDesc": "", "DocId": "", "data": []})

    with GatewayClient(
        "http://127.0.0.1/axis", system.system_id, system.secret, transport=httpx.MockTransport(keep)
    ) as client:
        call(client)
    return made[0]
