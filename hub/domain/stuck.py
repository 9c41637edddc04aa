"""Why a delivery does not go on: one reason, for an operator who asks.

Decided by what is known of it and of the system that should fetch it; the first that fits is told, the nearest to what
somebody can do about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.domain.delivery import Transport

PATIENCE = timedelta(hours=1)  # that a packet may wait before anybody should ask why
PATIENCE_URGENT = timedelta(minutes=15)
SILENT = timedelta(minutes=15)  # since a system last asked: software in the field asks every minute to every ten


class Why(StrEnum):
    """The reason."""

    FAILED = "failed"  # the recipient could not take it
    EXPIRED = "expired"  # nobody took it in its time
    NO_SYSTEM = "no-system"  # nobody is connected who could
    LOCKED = "locked"  # its system is locked
    UNCONFIRMED = "unconfirmed"  # it was fetched, and nobody says that it is safe
    NEVER_ASKED = "never-asked"  # its system has not asked since this is written down
    SILENT = "silent"  # its system asked last some time ago
    TRIED = "tried"  # its system tried in vain, and may go on
    PASSED_BY = "passed-by"  # its system asks, and leaves it


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that is not over. ``since``: when it became available; ``polled``: when its system last asked."""

    delivery_id: str
    recipient: str
    state: Transport
    urgent: bool
    since: datetime
    expires_at: datetime
    fetched_at: datetime | None
    attempts: int
    reason: str
    system: str = ""  # the code it stands for; empty: there is none
    locked: bool = False
    polled: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stuck:
    """Why, and the moment that matters for it: when it failed or ended is not known, then it is that of ``waiting``."""

    why: Why
    waiting: Waiting
    since: datetime


def stuck(waiting: Waiting, now: datetime) -> Stuck | None:
    """Why it does not go on; None where it is in its time."""
    if waiting.state is Transport.FAILED:
        return Stuck(Why.FAILED, waiting, waiting.since)
    if waiting.state is Transport.EXPIRED:
        return Stuck(Why.EXPIRED, waiting, waiting.expires_at)
    patience = PATIENCE_URGENT if waiting.urgent else PATIENCE
    if waiting.state not in {Transport.WAITING, Transport.TAKEN} or now - waiting.since <= patience:
        return None
    return Stuck(_why(waiting, now), waiting, waiting.fetched_at or waiting.since)


def _why(waiting: Waiting, now: datetime) -> Why:
    if not waiting.system:
        return Why.NO_SYSTEM
    if waiting.locked:
        return Why.LOCKED
    if waiting.fetched_at is not None:
        return Why.UNCONFIRMED
    if waiting.polled is None:
        return Why.NEVER_ASKED
    if now - waiting.polled > SILENT:
        return Why.SILENT
    return Why.TRIED if waiting.attempts else Why.PASSED_BY


def worst(found: Iterable[Stuck]) -> Stuck | None:
    """The one to tell of a document: what still waits before what has ended, the longest of them first."""
    return min(found, key=lambda one: (one.why in {Why.FAILED, Why.EXPIRED}, one.since), default=None)
