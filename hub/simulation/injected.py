"""What was injected: kept for whoever judges a run, the newest only."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any

import structlog

from hub.domain.document import VIETNAM

log = structlog.get_logger()
_KEPT = 100_000  # items
_PAGE = 10_000


class Injected:
    """Used in the event loop alone."""

    def __init__(self, clock: Callable[[], datetime], machine: Callable[[], float] = time.time) -> None:
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._items: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        # From the machine's clock on: whoever reads on after a restart must not miss what comes under small numbers.
        self._seq = int(machine() * 1000)

    def fault(self, name: str, mark: str, path: str) -> None:
        """A fault struck the request ``mark``: excuses its outcome. "" for what befell the whole hub."""
        self._seq += 1
        self.counts[name] += 1
        at = self._clock().astimezone(VIETNAM).isoformat(timespec="milliseconds")
        self._items.append({"seq": self._seq, "at": at, "fault": name, "mark": mark, "path": path})
        log.info("injected", fault=name, mark=mark, path=path)

    def after(self, seq: int) -> dict[str, Any]:
        """``{items, next}``: the next items after a number."""
        skipped = max(0, seq - (self._seq - len(self._items)))
        items = list(islice(self._items, skipped, skipped + _PAGE))
        return {"items": items, "next": items[-1]["seq"] if items else seq}
