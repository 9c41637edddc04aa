"""What every dialect works with: the exchange's desk, the bell, the settings and the room for packets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.requests import Request

from hub.errors import Refusal
from hub.exchange.desk import Desk
from hub.http.bell import Bell
from hub.http.readiness import Readiness
from hub.settings import Settings
from hub.store.disk import Disk


@dataclass(slots=True)
class Interface:
    """``app.state.interface`` of the application."""

    desk: Desk
    bell: Bell
    settings: Settings
    in_flight: int = 0  # bytes being received or checked
    disk: Disk = field(init=False)
    readiness: Readiness = field(init=False)

    def __post_init__(self) -> None:
        self.disk = Disk(self.settings.folders, self.settings.disk_reserve)
        self.readiness = Readiness(self.desk, self.disk)

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


def interface(request: Request) -> Interface:
    """The interface of the application that a request came to."""
    found: Interface = request.app.state.interface
    return found
