"""The command line: ``python -m benchmarks.console --deliveries 100000 --database sqlite --keep DIR``."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from benchmarks import machine
from benchmarks.console.fill import fill
from benchmarks.console.measure import measure, show
from benchmarks.console.places import FILLING, Place, opened
from benchmarks.report import Measure, Run

DATABASES = ("sqlite", "postgresql")
_DELIVERIES = 10_000_000
_SEED = 7
_EXAMPLES = """examples:
  python -m benchmarks.console --deliveries 100000 --database sqlite
  python -m benchmarks.console --keep /var/tmp/big fill          (only fill; again: nothing to do)
  python -m benchmarks.console --keep /var/tmp/big measure --only words
  python -m benchmarks.console --keep /var/tmp/big --database postgresql serve   (its server, until Ctrl-C)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    # A benchmark that is told to end takes down what it started, as on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))
    to = _parser().parse_args(arguments)
    out, over = Console(), list[Measure]()
    with ExitStack() as stack:
        folder = to.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-bench-console-")))
        run = Run(f"{machine.hardware()}; {machine.sync_time(_made(folder))}", _settings(to))
        print(f"machine   {run.machine}", flush=True)
        for database in to.database or DATABASES:
            if to.what in ("all", "fill"):
                _fill(run, folder, database, to.deliveries)
            if to.what in ("all", "measure"):
                with opened(folder, database) as place:
                    if not place.filled:
                        sys.exit(f"nothing was filled in {place.folder}: first `fill`, with the same --keep")
                    run.versions.append(machine.versions(place.url))
                    print(f"versions  {run.versions[-1]}", flush=True)
                    over += measure(run, place, times=to.times, rate=to.rate, minutes=to.minutes, only=to.only)
            if to.what == "serve":
                with opened(folder, database) as place:
                    print(place.engine_url, flush=True)
                    threading.Event().wait()
    if run.measures:
        show(run, out)
        print(f"kept in {run.save()}")
    return 1 if over else 0


def _fill(run: Run, folder: Path, database: str, deliveries: int) -> None:
    """Unless it was done before. Raises SystemExit where something else lies in the folder."""
    place = Place(folder / database, database, "")
    facts = place.filled
    if facts:
        if facts["deliveries"] != deliveries:
            sys.exit(f"{place.folder} has {facts['deliveries']:,} deliveries: another folder, or --deliveries so many")
    elif place.folder.exists() and any(place.folder.iterdir()):
        sys.exit(f"{place.folder} has something that was not filled to its end: remove it")
    else:
        with opened(folder, database, FILLING) as empty:
            facts = fill(empty, deliveries, _SEED)
    taken = ", ".join(f"{name} {seconds:,.0f} s" for name, seconds in facts["seconds"].items())
    rows = facts["rows"]
    note = f"{rows['document']:,} documents, {rows['event']:,} events, {facts['bytes'] / 1e9:.1f} GB; {taken}"
    run.add(Measure(f"fill, {database}", rows["delivery"], "deliveries", note=note))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.console",
        description="Each page and search of the console on a hub of sixteen months.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("what", nargs="?", choices=("all", "fill", "measure", "serve"), default="all", help="(all)")
    parser.add_argument("--database", choices=DATABASES, action="append", help="(both)")
    parser.add_argument("--deliveries", type=int, default=_DELIVERIES, help=f"({_DELIVERIES:,})")
    parser.add_argument("--keep", type=Path, help="a folder for the databases, used again if they are there")
    parser.add_argument("--times", type=int, default=200, help="how often each is asked (200)")
    parser.add_argument("--rate", type=float, default=100, help="packets a second meanwhile (100)")
    parser.add_argument("--minutes", type=float, default=20, help="for which packets are signed before (20)")
    parser.add_argument("--only", default="", help="only those with this in their name")
    return parser


def _settings(to: argparse.Namespace) -> dict[str, object]:
    return {name: getattr(to, name) for name in ("deliveries", "times", "rate")}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
