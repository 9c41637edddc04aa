"""Ids, and the chance in them.

The operating system is asked for much chance at once: each question lets go of the interpreter's lock, and on a busy
hub getting it back takes longer than all the rest.
"""

from __future__ import annotations

import os
import threading
from datetime import datetime

_STOCK = 4096  # bytes asked for at once


class _Chance(threading.local):
    """What is left of a thread's last stock."""

    left = b""


_chance = _Chance()


def _forget() -> None:
    global _chance
    _chance = _Chance()


os.register_at_fork(after_in_child=_forget)  # or parent and child would give out the same


def chance(size: int) -> str:
    """``size`` bytes that nobody can foretell, in hex."""
    if len(_chance.left) < size:
        _chance.left = os.urandom(_STOCK)
    taken, _chance.left = _chance.left[:size], _chance.left[size:]
    return taken.hex()


def new_id(now: datetime) -> str:
    """24 lower-case hex digits: 8 of the second, 16 of chance, so that neighbours in time lie together in the index."""
    return f"{int(now.timestamp()) & 0xFFFFFFFF:08x}{chance(8)}"
