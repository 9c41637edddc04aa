"""How many signed packets a hub accepts per second, and how long a sender waits for the answer.

One hub on a fresh database, on the same cores as the load. In the same run, because another hour is another machine: an
endpoint that does nothing, and commits of rows nobody checked (:mod:`benchmarks.bare`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
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
ACCEPTED = 201
_BROADCAST = 3355  # every commune and province (exchange rules 10)
_BROADCASTS = 40
_GROWTH = (2_000, 20_000)  # packets before the hub's memory is looked at

Way = Callable[[bytes], bytes]  # the request that sends a packet


def accepted(run: Run, size: str, database: str, *, seconds: int, connections: int, recipients: int = 3) -> None:
    """Packets per second. Raises RuntimeError when a packet is not accepted."""
    office, to = government_office(), units(recipients)
    with stage(database, [office], to) as hub:
        rest = by_rest(hub, office)
        numbers = warmed_up(hub, rest, office, to, size, seconds=seconds, connections=connections)
        packets = requests(rest, office, to, size, numbers)
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
        packets = requests(by_rest(hub, office), office, to, "broadcast", range(1, 1 + _BROADCASTS))
        _measure(run, f"broadcast to {_BROADCAST}, {database}", hub.hub, packets, 1, 60)


def memory(run: Run, database: str, connections: int) -> None:
    """What the hub's processes hold after few and after many packets."""
    office, to = government_office(), units(3)
    few, many = _GROWTH
    with stage(database, [office], to) as hub:
        rest = by_rest(hub, office)
        _fired(hub.hub, requests(rest, office, to, "10k", range(1, 1 + few)), connections, 600)
        first = hub.hub.memory()
        run.add(Measure(f"memory after {few:,} packets, {database}", first, "MiB"))
        for start in range(few + 1, many, 3_000):
            _fired(hub.hub, requests(rest, office, to, "10k", range(start, start + 3_000)), connections, 600)
        last = hub.hub.memory()
        run.add(
            Measure(f"memory after {many:,} packets, {database}", last, "MiB", note=f"grown {last - first:.1f} MiB")
        )


def by_rest(hub: Stage, office: Office) -> Way:
    return partial(load.request, "/v1/documents", hub.systems[office.code].token)


def requests(way: Way, office: Office, to: Sequence[Organization], size: str, numbers: range) -> list[bytes]:
    """One for each of these numbers."""
    return [way(packet) for packet in signed(office, to, SIZES.get(size, 0), numbers)]


def warmed_up(
    hub: Stage, way: Way, office: Office, to: Sequence[Organization], size: str, *, seconds: int, connections: int
) -> range:
    """Send the first packets; gives the numbers of those that a measurement of these seconds may need."""
    first = 1 + _WARM_UP[size]
    warm_up = _fired(hub.hub, requests(way, office, to, size, range(1, first)), connections, seconds)
    return range(first, first + min(int(warm_up.rate * seconds * _SPARE), _MOST // SIZES[size]))


def _measure(run: Run, name: str, server: Running, packets: Iterable[bytes], connections: int, seconds: float) -> None:
    before, all_before = server.cpu(), servers.machine_cpu()
    answers = _fired(server, packets, connections, seconds)
    process, everything = server.cpu() - before, servers.machine_cpu() - all_before
    shares = (process, answers.cpu, max(0.0, everything - process - answers.cpu))
    own, load_share, rest = (f"{share / answers.seconds:.0%}" for share in shares)
    note = f"of a core: server {own}, load {load_share}, all else {rest}"
    run.add(Measure.of(name, answers, process, note))


def _fired(server: Running, packets: Iterable[bytes], connections: int, seconds: float) -> Answers:
    return load.fire(server.url, packets, connections=connections, seconds=seconds).all_are(ACCEPTED)
