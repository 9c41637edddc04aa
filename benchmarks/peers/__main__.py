"""The command line: ``python -m benchmarks.peers --seconds 4``."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import track

from benchmarks import machine
from benchmarks.packets import SIZES, signed
from benchmarks.peers import as2, postfix, rabbitmq, this_hub
from benchmarks.peers.load import Load
from benchmarks.report import Measure, Run
from benchmarks.stage import government_office, units

_SIZE, _RECIPIENTS = "10k", 3
_WARM_UP = 400  # packets
_PER_SECOND = 2_000  # packets made for each second: more than this hub takes


class Peer(Protocol):
    """A module: what is measured, what it does to a packet before it answers, why not if not, and the measuring."""

    NAME: str
    DOES: str

    def absent(self) -> str: ...

    def measure(self, run: Run, given: Load) -> None: ...


PEERS: dict[str, Peer] = {"postfix": postfix, "rabbitmq": rabbitmq, "pyas2lib": as2}


def main(arguments: Sequence[str] | None = None) -> None:
    # A benchmark that is told to end takes down what it started, as on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))
    told = "This hub beside what people use instead, on this machine."
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=told)
    parser.add_argument("--seconds", type=int, choices=range(1, 31), default=4, metavar="N", help="1 to 30 each (4)")
    parser.add_argument("--connections", type=int, choices=range(1, 91), default=32, metavar="N", help="1 to 90 (32)")
    parser.add_argument("--peer", choices=PEERS, action="append", help="(all) to measure beside the hub")
    to = parser.parse_args(arguments)
    chosen = [PEERS[name] for name in to.peer or PEERS]
    with tempfile.TemporaryDirectory() as folder:
        run = Run(f"{machine.hardware()}; {machine.sync_time(Path(folder))}", _settings(to))
    run.versions += this_hub.versions()
    print(f"machine   {run.machine}", *(f"versions  {told}" for told in run.versions), sep="\n")
    print("settings  " + ", ".join(f"{name} {value}" for name, value in run.settings.items()), flush=True)
    office, recipients = government_office(), units(_RECIPIENTS)
    numbers = range(1, 1 + _WARM_UP + _PER_SECOND * to.seconds)
    making = signed(office, recipients, SIZES[_SIZE], numbers)
    shown = Console(stderr=True)
    packets = list(track(making, "signing packets", total=len(numbers), console=shown, transient=True))
    try:
        measured(run, chosen, Load(office, recipients, packets, _WARM_UP, to.connections, to.seconds))
        print("", *ratios(run.measures), sep="\n")
    finally:
        if run.measures:
            print(f"kept in {run.save()}")


def measured(run: Run, peers: Sequence[Peer], given: Load) -> None:
    """The hub, each peer that is here, and the hub once more: whether the machine has changed meanwhile."""
    _introduced(run, this_hub, "")
    this_hub.measure(run, given)
    for peer in peers:
        why = peer.absent()
        _introduced(run, peer, why)
        if not why:
            known = len(run.versions)
            peer.measure(run, given)
            print(*(f"versions  {told}" for told in run.versions[known:]), sep="\n", flush=True)
    print(f"\n{this_hub.NAME}, again")
    this_hub.measure_on(run, given, "sqlite", f"{this_hub.NAME}, sqlite, again")


def ratios(measures: Sequence[Measure]) -> Iterator[str]:
    """For each measure of a peer, how many times as many packets the hub took, by each of the hub's measures."""
    own = [one for one in measures if one.name.startswith(this_hub.NAME)]
    for peer in measures:
        if peer not in own:
            yield f"{peer.name:38} " + "; ".join(f"{hub.name} × {hub.value / peer.value:.2f}" for hub in own)


def _introduced(run: Run, peer: Peer, why: str) -> None:
    told = f"not measured: {why}" if why else peer.DOES
    run.settings[peer.NAME] = told
    print(f"\n{peer.NAME}: {told}", flush=True)


def _settings(to: argparse.Namespace) -> dict[str, object]:
    return {
        "size": _SIZE,
        "recipients": _RECIPIENTS,
        "seconds": to.seconds,
        "connections": to.connections,
        "warm_up": _WARM_UP,
        "workers": 1,
    }


if __name__ == "__main__":
    main()
