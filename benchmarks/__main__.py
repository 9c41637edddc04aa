"""The command line: ``python -m benchmarks accept --size 10k --seconds 8``."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import gateway, machine, report, servers
from benchmarks.accept import accepted, broadcast, memory
from benchmarks.cycles import cycles
from benchmarks.packets import SIZES
from benchmarks.pdf import beside, examinations
from benchmarks.polls import polls
from benchmarks.proofs import proofs
from benchmarks.receipts import receipts
from benchmarks.report import Run

DATABASES = ("sqlite", "postgresql")
_EXAMPLES = """examples:
  python -m benchmarks accept --size 360k --database postgresql
  python -m benchmarks all --seconds 5
  python -m benchmarks compare bench-results/A.json bench-results/B.json
"""


def _accept(run: Run, to: argparse.Namespace) -> None:
    for database in to.database:
        for size in to.size:
            accepted(run, size, database, seconds=to.seconds, connections=to.connections)


def _broadcast(run: Run, to: argparse.Namespace) -> None:
    for database in to.database:
        broadcast(run, database)


def _polls(run: Run, to: argparse.Namespace) -> None:
    for database in to.database:
        polls(run, database, waiting=to.waiting, seconds=to.seconds, connections=to.connections)


def _cycles(run: Run, to: argparse.Namespace) -> None:
    for database in to.database:
        cycles(run, database, seconds=to.seconds, pairs=to.connections // 2)


def _gateway(run: Run, to: argparse.Namespace) -> None:
    for database in to.database:
        for size in to.size:
            gateway.sent(run, size, database, seconds=to.seconds, connections=to.connections)
        gateway.listed(run, database, seconds=to.seconds)


def _pdf(run: Run, to: argparse.Namespace) -> None:
    examinations(run, seconds=to.seconds)
    for database in to.database:
        beside(run, database, seconds=to.seconds)


def _receipts(run: Run, to: argparse.Namespace) -> None:
    for database in to.database:
        receipts(run, database, seconds=to.seconds, connections=to.connections)


def _proofs(run: Run, to: argparse.Namespace) -> None:
    for database in to.database:
        proofs(run, database, seconds=to.seconds)


def _memory(run: Run, to: argparse.Namespace) -> None:
    for database in to.database:
        memory(run, database, to.connections)


def _all(run: Run, to: argparse.Namespace) -> None:
    for measured in (_accept, _broadcast, _polls, _cycles, _gateway, _receipts, _pdf, _proofs):
        measured(run, to)
    memory(run, "sqlite", to.connections)


COMMANDS: dict[str, tuple[Callable[[Run, argparse.Namespace], None], str]] = {
    "accept": (_accept, "signed packets accepted per second"),
    "broadcast": (_broadcast, "packets to 3,355 agencies per second"),
    "polls": (_polls, "polls per second, of an empty inbox and of a full one"),
    "cycles": (_cycles, "documents accepted, fetched, kept and reported on per second"),
    "gateway": (_gateway, "packets per second by sendEdoc beside REST, and pages of getReceivedEdocList"),
    "receipts": (_receipts, "packets accepted per second with receipts and evidence log, and without"),
    "pdf": (_pdf, "PDF files examined per second, and what that costs whoever sends meanwhile"),
    "proofs": (_proofs, "proofs per second that an entry is in a log of ten million"),
    "memory": (_memory, "what the hub holds after 2,000 and after 20,000 packets"),
    "all": (_all, "all of them, on both databases"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    # A benchmark that is told to end takes down what it started, as on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the hub on this machine.", epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name, (_, told) in COMMANDS.items():
        command = commands.add_parser(name, help=told, description=told)
        command.add_argument("--seconds", type=_between(1, 120), default=8, help="how long each is measured (8)")
        command.add_argument("--connections", type=_between(2, 512), default=32, help="requests at once (32)")
        command.add_argument("--database", choices=DATABASES, action="append", help="(both)")
        command.add_argument("--size", choices=SIZES, action="append", help="bytes of a packet (both)")
        command.add_argument("--waiting", type=_between(1, 5_000_000), default=1_000_000, help="in the full inbox")
    compare = commands.add_parser("compare", help="two runs side by side")
    compare.add_argument("before", type=Path)
    compare.add_argument("after", type=Path)
    to = parser.parse_args(arguments)
    if to.command == "compare":
        print("\n".join(report.compared(to.before, to.after)))
        return
    to.database, to.size = to.database or DATABASES, to.size or tuple(SIZES)
    run = Run(_machine(), {name: value for name, value in vars(to).items() if name != "command"} | {"workers": 1})
    for database in to.database:
        with servers.databases(database, 1) as (url,):
            run.versions.append(machine.versions(url))
    print(f"machine   {run.machine}", *(f"versions  {told}" for told in run.versions), sep="\n")
    print("settings  " + ", ".join(f"{name} {value}" for name, value in run.settings.items()), flush=True)
    try:
        COMMANDS[to.command][0](run, to)
    finally:
        if run.measures:
            print(f"kept in {run.save()}")


def _machine() -> str:
    with tempfile.TemporaryDirectory() as folder:
        return f"{machine.hardware()}; {machine.sync_time(Path(folder))}"


def _between(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"from {least} to {most}")
        return int(text)

    return number


if __name__ == "__main__":
    main()
