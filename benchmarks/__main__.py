"""The command line: ``python -m benchmarks accept --size 10k --seconds 8``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable

from benchmarks.accept import Plan, run
from benchmarks.packets import SIZES


def main() -> None:
    # A benchmark that is told to end takes down what it started, as on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the hub on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    accept = commands.add_parser("accept", help="signed packets accepted per second")
    accept.add_argument("--size", choices=SIZES, default="10k", help="bytes of a packet (10k)")
    accept.add_argument("--seconds", type=_between(1, 120), default=8, help="how long to measure (8)")
    accept.add_argument("--connections", type=_between(1, 512), default=32, help="requests under way at once (32)")
    accept.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite", help="(sqlite)")
    accept.add_argument("--recipients", type=_between(1, 1000), default=3, help="recipients of a packet (3)")
    run(Plan(**vars(parser.parse_args())))


def _between(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"from {least} to {most}")
        return int(text)

    return number


if __name__ == "__main__":
    main()
