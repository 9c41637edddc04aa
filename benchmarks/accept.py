"""How many signed packets a hub accepts per second, and how long a sender waits for the answer.

One hub on a fresh database, on the same cores as the load. In the same run, because another hour is another machine: an
endpoint that does nothing, and commits of rows nobody checked (:mod:`benchmarks.bare`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle

from benchmarks import bare, load, servers
from benchmarks.load import Answers
from benchmarks.packets import SIZES, Office, signed
from benchmarks.report import Measure, Run
from benchmarks.servers import Running
from benchmarks.stage import Stage, government_office, stage, units
from hub.domain.document import Organization

_WARM_UP = {"10k": 400, "360k": 100}  # packets before the measurement; they also tell how many it will need
_SPARE = 1.5  # more packets than the warm-up's rate calls for: a short try is slower than a long one
_MOST = 1_500_000_000  # bytes of packets held in memory
_BARE_SECONDS = 3.0
_ACCEPTED = 201
_BROADCAST = 3355  # every commune and province (exchange rules 10)
_BROADCASTS = 40
_GROWTH = (2_000, 20_000)  # packets before the hub's memory is looked at


def accepted(run: Run, size: str, database: str, *, seconds: int, connections: int, recipients: int = 3) -> None:
    """Packets per second. Raises RuntimeError when a packet is not accepted."""
    office, to = government_office(), units(recipients)
    with stage(database, [office], to) as hub:
        warm_up = _fired(hub.hub, _requests(hub, office, to, size, 1, _WARM_UP[size]), connections, seconds)
        count = min(int(warm_up.rate * seconds * _SPARE), _MOST // SIZES[size])
        packets = _requests(hub, office, to, size, 1 + _WARM_UP[size], count)
        with servers.bare_endpoint(hub.folder / "bare.log") as endpoint:
            _measure(run, f"bare endpoint, {size}", endpoint, cycle(packets), connections, _BARE_SECONDS)
        stored = bare.commits(
            hub.folder, hub.bare_url, packets, group=connections, to=recipients, seconds=_BARE_SECONDS
        )
        run.add(Measure(f"bare commits, {size}, {database}", stored, "/s"))
        _measure(run, f"accepted, {size}, {database}", hub.hub, packets, connections, seconds)


def broadcast(run: Run, database: str) -> None:
    """Packets to 3,355 agencies below one platform, one after the other."""
    office, to = government_office(), [Organization(f"H41.{n:04}", name=f"Xã số {n}") for n in range(1, _BROADCAST + 1)]
    with stage(database, [office], [Organization("H41")]) as hub:
        packets = _requests(hub, office, to, "broadcast", 1, _BROADCASTS)
        _measure(run, f"broadcast to {_BROADCAST}, {database}", hub.hub, packets, 1, 60)


def memory(run: Run, database: str, connections: int) -> None:
    """What the hub's processes hold after few and after many packets."""
    office, to = government_office(), units(3)
    few, many = _GROWTH
    with stage(database, [office], to) as hub:
        _fired(hub.hub, _requests(hub, office, to, "10k", 1, few), connections, 600)
        first = hub.hub.memory()
        run.add(Measure(f"memory after {few:,} packets, {database}", first, "MiB"))
        for start in range(few + 1, many, 3_000):
            _fired(hub.hub, _requests(hub, office, to, "10k", start, 3_000), connections, 600)
        last = hub.hub.memory()
        run.add(
            Measure(f"memory after {many:,} packets, {database}", last, "MiB", note=f"grown {last - first:.1f} MiB")
        )


def _requests(hub: Stage, office: Office, to: Sequence[Organization], size: str, first: int, count: int) -> list[bytes]:
    packets = signed(office, to, SIZES.get(size, 0), range(first, first + count))
    return [load.request("/v1/documents", hub.tokens[office.code], packet) for packet in packets]


def _measure(run: Run, name: str, server: Running, packets: Iterable[bytes], connections: int, seconds: float) -> None:
    before, all_before = server.cpu(), servers.machine_cpu()
    answers = _fired(server, packets, connections, seconds)
    process, everything = server.cpu() - before, servers.machine_cpu() - all_before
    shares = (process, answers.cpu, max(0.0, everything - process - answers.cpu))
    own, load_share, rest = (f"{share / answers.seconds:.0%}" for share in shares)
    note = f"of a core: server {own}, load {load_share}, all else {rest}"
    run.add(Measure.of(name, answers, process, note))


def _fired(server: Running, packets: Iterable[bytes], connections: int, seconds: float) -> Answers:
    return load.fire(server.url, packets, connections=connections, seconds=seconds).all_are(_ACCEPTED)
