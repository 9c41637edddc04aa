"""Ports for servers that must be told theirs before they start."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack, suppress

_OURS = range(20_000, 32_768)  # below those that systems hand to connections: none of these is taken meanwhile


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
