"""How a verdict is told: one table on the terminal, and files for people and for CI."""

from clients.replay.verdict.files import write
from clients.replay.verdict.table import show

__all__ = ["show", "write"]
