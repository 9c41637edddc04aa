"""How the interpreter runs in a process that serves."""

from __future__ import annotations

import gc
import sys

_OFTEN = 20_000  # objects more than before, until the next search: what some hundred requests under way hold
_TURN = 0.0005  # seconds


def spare_what_stays() -> None:
    """Take all that there is now out of every later search, and search less often.

    What a framework builds at the start stays until the end, and is most of what there is; to look at it again and
    again took an eighth of the processor time under load, and held up everybody meanwhile.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OFTEN)


def take_short_turns() -> None:
    """Let a thread that waits for the interpreter have it after half a millisecond instead of five.

    The writer lets go of it at every statement and every signature, and while the event loop is busy it got it
    back only after such a turn: under load it waited longer than it worked, and everybody behind it.
    """
    sys.setswitchinterval(_TURN)
