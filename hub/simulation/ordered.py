"""What is ordered as it stands."""

from __future__ import annotations

from hub.simulation.clock import Clock
from hub.simulation.injected import Injected
from hub.simulation.orders import FaultShares, MutantShares
from hub.simulation.steps import Deaths


class Ordered:
    """Changed by the control port, read by everything that misbehaves."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.deaths = Deaths()
        self.faults = FaultShares()
        self.mutants = MutantShares()
        self.old_axis: frozenset[str] = frozenset()
        self.injected = Injected(self.clock)
