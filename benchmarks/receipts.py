"""What receipts and the evidence log cost: packets accepted per second with them and without, by turns in one run."""

from __future__ import annotations

from benchmarks import load
from benchmarks.accept import ACCEPTED, by_rest, requests, warmed_up
from benchmarks.load import Answers
from benchmarks.report import Measure, Run
from benchmarks.stage import government_office, stage, units

_ROUNDS = 6  # of each
_SIZE = "10k"


def receipts(run: Run, database: str, *, seconds: int, connections: int) -> None:
    """Raises RuntimeError when a packet is not accepted."""
    office, to = government_office(), units(3)
    with stage(database, [office], to) as proved, stage(database, [office], to, program="benchmarks.unproved") as bare:
        stages = {"with receipts and log": proved, "without": bare}
        answers, cpu, packets = dict[str, Answers](), dict.fromkeys(stages, 0.0), dict[str, list[bytes]]()
        for name, hub in stages.items():
            rest = by_rest(hub, office)
            numbers = warmed_up(hub, rest, office, to, _SIZE, seconds=seconds, connections=connections)
            packets[name], answers[name] = requests(rest, office, to, _SIZE, numbers), Answers()
        for turn in range(_ROUNDS):
            for name in sorted(stages, reverse=turn % 2 == 1):  # neither is always the first
                server, share = stages[name].hub, len(packets[name]) // _ROUNDS
                before = server.cpu()
                answers[name] += load.fire(
                    server.url, packets[name][turn * share : (turn + 1) * share], connections=connections,
                    seconds=seconds / _ROUNDS,
                ).all_are(ACCEPTED)  # fmt: skip
                cpu[name] += server.cpu() - before
    for name, found in answers.items():
        run.add(Measure.of(f"accepted {name}, {_SIZE}, {database}", found, cpu[name]))
    proved_rate, bare_rate = (answers[name].rate for name in stages)
    run.add(Measure(f"receipts and log cost, {_SIZE}, {database}", (1 - proved_rate / bare_rate) * 100, "%"))
