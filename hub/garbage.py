"""The search for cyclic garbage, made cheap for a process that serves."""

from __future__ import annotations

import gc

_OFTEN = 20_000  # objects more than before, until the next search: what some hundred requests under way hold


def spare_what_stays() -> None:
    """Take all that there is now out of every later search, and search less often.

    What a framework builds at the start stays until the end, and is most of what there is; to look at it again and
    again took an eighth of the processor time under load, and held up everybody meanwhile.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OFTEN)
