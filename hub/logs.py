"""The log: JSON lines on standard error, one id from request to status in them; the libraries' warnings too.

Lines are written a tenth of a second later by a thread of their own: each write lets go of the interpreter's lock, and
on a busy hub getting it back takes longer than the line. A hub that is killed loses its last lines; one that ends has
written them.
"""

from __future__ import annotations

import atexit
import json
import logging
import sys
import threading
from collections import deque
from typing import TextIO, cast

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from hub import metrics

_DELAY = 0.1  # seconds
_JSON = json.JSONEncoder(ensure_ascii=False, default=repr)  # one: to make it takes longer than a line


class Lines:
    """A text stream to log into; ``to`` is where it ends up."""

    def __init__(self, to: TextIO) -> None:
        self._to = to
        self._waiting: deque[str] = deque()
        self._writing = threading.Lock()
        self._at_once = threading.Event()
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def write(self, text: str) -> int:
        self._waiting.append(text)
        if self._at_once.is_set():
            self._write()
        return len(text)

    def flush(self) -> None:
        """Nothing: that is the point."""

    def at_once(self) -> None:
        """Write what waits, and from now on each line as it comes: the process is about to end."""
        self._at_once.set()
        self._write()

    def _run(self) -> None:
        while not self._at_once.wait(_DELAY):
            self._write()

    def _write(self) -> None:
        with self._writing:
            found = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if found:
                self._to.write("".join(found))
                self._to.flush()


_standard_error: list[Lines] = []  # one, in a process that logs


def _render(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
    return _JSON.encode(event)


def _counted(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if event["level"] in ("error", "critical"):
        metrics.ERRORS.add()
    return event


def log_as_json() -> None:
    """Log like this from now on, in this process."""
    lines = Lines(sys.stderr)
    _standard_error[:] = [lines]
    steps: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _counted,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Without the values of variables: among them are tokens and packets.
        structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False, max_frames=10)),
    ]
    structlog.configure(
        processors=[*steps, _render],
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, lines)),
        cache_logger_on_first_use=True,
    )
    theirs = logging.StreamHandler(lines)
    theirs.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *steps],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
        )
    )
    logging.basicConfig(handlers=[theirs])


@atexit.register
def log_at_once() -> None:
    """Write what waits, and from now on each line as it comes: the process is about to end."""
    for lines in _standard_error:
        lines.at_once()
