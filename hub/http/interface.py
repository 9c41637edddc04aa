"""What every dialect works with: the exchange's desk, the bell, the settings and the room for packets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import Request
from structlog.contextvars import bind_contextvars

from hub.domain.agency import System
from hub.errors import Refusal
from hub.exchange.desk import Desk
from hub.http.bell import Bell
from hub.http.polls import Polls
from hub.http.readiness import Readiness
from hub.http.reads import Reads
from hub.settings import Settings
from hub.store.disk import Disk


@dataclass(slots=True)
class Interface:
    """``app.state.interface`` of the application."""

    desk: Desk
    bell: Bell
    settings: Settings
    in_flight: int = 0  # bytes being received or checked
    elapsed: Callable[[], float] = time.monotonic  # seconds: what a clock that was put right must not make late
    disk: Disk = field(init=False)
    readiness: Readiness = field(init=False)
    reads: Reads = field(init=False)
    polls: Polls = field(init=False)

    def __post_init__(self) -> None:
        self.disk = Disk(self.settings.folders, self.settings.disk_reserve)
        self.readiness = Readiness(self.desk, self.disk)
        self.reads = Reads(self.desk.engine)
        self.polls = Polls(self.desk)

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Room for a packet in memory, or ``busy``."""
        if self.in_flight + size > self.settings.in_flight_limit:
            raise Refusal("busy", retry_after=2)
        self.in_flight += size
        try:
            yield
        finally:
            self.in_flight -= size


def admit(system: System, request: Request) -> None:
    """Let an authenticated system in. Raises ``system-locked``, and ``address-not-allowed`` for where it may not be."""
    bind_contextvars(system=system.id)
    if system.locked:
        raise Refusal("system-locked")
    if not system.networks:
        return
    address = request.client.host if request.client else ""
    if not _is_within(address, system.networks):
        raise Refusal("address-not-allowed", facts={"address": address, "code": system.code})


def _is_within(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in network for network in networks)


def interface(request: Request) -> Interface:
    """The interface of the application that a request came to."""
    found: Interface = request.app.state.interface
    return found
