"""The servers of others: started here with a folder of their own under a user of their own, and ended here."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_READY = 60.0  # seconds in which a server must take connections
_END = 20.0  # seconds in which it must end


@contextmanager
def folder(user: str = "") -> Iterator[Path]:
    """A folder that goes at the end, on the disk where the hub's lies too; given to ``user`` if this is root's run."""
    with tempfile.TemporaryDirectory(prefix="hub-peer-") as name:
        os.chmod(name, 0o755)  # users of a server's own must find their way in
        if user and os.geteuid() == 0:
            shutil.chown(name, user, user)
        yield Path(name)


@contextmanager
def started(
    command: Sequence[str | Path], log: Path, *, user: str = "", environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, ended with those it started; what it says is kept in ``log``. ``user`` is
    whose it is when root runs this.
    """
    who: dict[str, Any] = {"cwd": log.parent, "start_new_session": True, "env": environment}
    if user and os.geteuid() == 0:
        who |= {"user": user, "group": user, "extra_groups": []}
    with open(log, "wb") as said:
        process = subprocess.Popen(list(command), stdin=subprocess.DEVNULL, stdout=said, stderr=said, **who)
    try:
        yield process
    finally:
        _signal(process, signal.SIGTERM)
        try:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END)
        finally:
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To it and those it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def free_port() -> int:
    """A port of this machine's loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when somebody takes connections there. Raises RuntimeError when the process ends or takes too long."""
    deadline = time.monotonic() + _READY
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no server: {log.read_text(errors='replace')[-2000:]}") from None
            time.sleep(0.05)
