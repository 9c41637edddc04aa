"""How many signed packets a hub accepts per second, and how long a sender waits for the answer.

One hub process on a fresh database, on the same cores as the load. In the same run, because another hour is another
machine: an endpoint that does nothing, and commits of rows nobody checked (:mod:`benchmarks.bare`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from benchmarks import bare, load, machine, servers
from benchmarks.load import Answers
from benchmarks.packets import SIZES, Office, an_office, signed
from benchmarks.servers import Running
from hub.domain.document import Organization

_WARM_UP = {"10k": 400, "360k": 100}  # packets before the measurement; they also tell how many it will need
_SPARE = 1.5  # more packets than the warm-up's rate calls for: a short try is slower than a long one
_MOST = 1_500_000_000  # bytes of packets held in memory
_BARE_SECONDS = 3.0
_ACCEPTED = 201


@dataclass(frozen=True)
class Plan:
    """The settings of one measurement."""

    size: str
    seconds: int
    connections: int
    database: str
    recipients: int


def run(plan: Plan) -> None:
    """Measure and print. Raises RuntimeError when a packet is not accepted: then nothing was measured."""
    office = an_office("G22", "Văn phòng Chính phủ")
    recipients = [Organization(f"H41.{n:04}", name=f"Đơn vị thử nghiệm {n}") for n in range(1, plan.recipients + 1)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-bench-")))
        url, bare_url = stack.enter_context(servers.databases(plan.database, 2))
        print(f"machine   {machine.hardware()}; {machine.sync_time(folder)}")
        print(f"versions  {machine.versions(url)}")
        options = ["--data-dir", str(folder / "hub"), *(["--database-url", url] if url else [])]
        token = _enrol(office, recipients, options, folder)
        hub = stack.enter_context(servers.hub(options, folder / "hub.log"))

        def requests(first: int, count: int) -> list[bytes]:
            packets = signed(office, recipients, SIZES[plan.size], range(first, first + count))
            return [load.request("/v1/documents", token, packet) for packet in packets]

        count = _WARM_UP[plan.size]
        warm_up = _fired(hub, requests(1, count), plan, plan.seconds)
        packets = requests(1 + count, min(int(warm_up.rate * plan.seconds * _SPARE), _MOST // SIZES[plan.size]))
        print(
            f"settings  packets of {sum(map(len, packets)) / len(packets) / 1000:.1f} KB signed with P-256, "
            f"{plan.recipients} recipients, {plan.connections} connections, {plan.seconds} s, {plan.database}, 1 worker"
        )
        bare_seconds = min(plan.seconds, _BARE_SECONDS)
        with servers.bare_endpoint(folder / "bare.log") as endpoint:
            _measure("endpoint", endpoint, cycle(packets), plan, bare_seconds)
        stored = bare.commits(
            folder, bare_url, packets, group=plan.connections, to=plan.recipients, seconds=bare_seconds
        )
        print(f"commits   {stored:,.0f}/s, {min(plan.connections, bare.GROUP)} packets in each")
        _measure("accepted", hub, packets, plan, plan.seconds)


def _enrol(office: Office, recipients: list[Organization], options: list[str], folder: Path) -> str:
    """Enrol everybody before the hub serves; gives the sender's token."""
    (folder / "office.pem").write_bytes(office.certificate)
    systems = [{"code": office.code, "certificate": "office.pem"}]
    systems += [{"code": one.organ_id, "name": one.name} for one in recipients]
    return servers.enrol(options, systems, folder)[office.code]


def _measure(name: str, server: Running, packets: Iterable[bytes], plan: Plan, seconds: float) -> None:
    """Fire at a server and print what came of it, with what else the machine did meanwhile: the figure's noise."""
    before, all_before = server.cpu(), servers.machine_cpu()
    answers = _fired(server, packets, plan, seconds)
    process, everything = server.cpu() - before, servers.machine_cpu() - all_before
    shares = (process, answers.cpu, max(0.0, everything - process - answers.cpu))
    own, load_share, rest = (f"{share / answers.seconds:.0%}" for share in shares)
    print(
        f"{name}  {answers.rate:,.0f}/s, p50 {answers.percentile(0.5) * 1000:.0f} ms, "
        f"p99 {answers.percentile(0.99) * 1000:.0f} ms ({len(answers.latencies)} in {answers.seconds:.1f} s; "
        f"of one core: its process {own} or {process / len(answers.latencies) * 1000:.2f} ms each, "
        f"the load {load_share}, everything else {rest})"
    )


def _fired(server: Running, packets: Iterable[bytes], plan: Plan, seconds: float) -> Answers:
    answers = load.fire(server.url, packets, connections=plan.connections, seconds=seconds)
    if set(answers.statuses) != {_ACCEPTED}:
        raise RuntimeError(
            f"not accepted: {dict(answers.statuses)}, {answers.refusal.decode(errors='replace')[-2000:]}"
        )
    return answers
