"""Ports for servers that must be told theirs before they start."""

from __future__ import annotations

import os
import random
import socket
from contextlib import ExitStack, suppress

# Below those that systems hand to connections, and for each process that tests a part of its own: what is free now is
# still free when the server starts.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_OURS = range(20_000 + _WORKER % 12 * 1000, 21_000 + _WORKER % 12 * 1000)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now."""
    with ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            with suppress(OSError):
                port = random.choice(_OURS)
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                ports.append(port)
        return ports
