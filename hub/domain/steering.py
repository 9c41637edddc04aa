"""What an operator may do to a delivery: one table, and what follows from it (exchange rules 6).

A delivery that an action does not fit is left as it is, for a reason that has words; the others are done all the same.
No action goes past the table of transport (``hub.domain.delivery``): delivered and withdrawn stay what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from hub.domain.delivery import Move, Transport
from hub.domain.document import VIETNAM
from hub.errors import Refusal


class Action(StrEnum):
    """What an operator may do."""

    RELEASE = "release"  # end a lease at once
    AGAIN = "again"  # deliver again, by the same path as the first time
    EXTEND = "extend"  # give it until a later day
    UNDELIVERABLE = "undeliverable"  # fail it; its sender is told


class Left(StrEnum):
    """Why a delivery was left as it is."""

    DELIVERED = "delivered"
    WITHDRAWN = "withdrawn"
    WAITS = "waits"
    HELD = "held"
    NOT_HELD = "not-held"
    FAILED = "failed"
    EXPIRED = "expired"
    UNCONNECTED = "unconnected"
    MEANWHILE = "meanwhile"
    NOT_LATER = "not-later"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


# Vietnamese and English; what to do about it where something can be done.
LEFT: Mapping[Left, tuple[str, str]] = {
    Left.DELIVERED: (
        "đã giao xong; nơi nhận vẫn tự lấy lại được gói tin",
        "delivered already; its recipient can still fetch the packet by itself",
    ),
    Left.WITHDRAWN: ("nơi gửi đã rút", "withdrawn by its sender"),
    Left.WAITS: ("đang chờ nơi nhận lấy", "waiting for its recipient already"),
    Left.HELD: ("nơi nhận đang giữ; muốn thôi giữ thì nhả ra trước", "held by its recipient; release it first"),
    Left.NOT_HELD: ("không ai đang giữ", "held by nobody"),
    Left.FAILED: ("không giao được từ trước; có thể giao lại", "failed already; it can be delivered again"),
    Left.EXPIRED: ("đã hết hạn, nơi gửi đã được báo", "expired, and its sender was told"),
    Left.UNCONNECTED: (
        "nơi nhận hiện không có hệ thống, hoặc hệ thống bị khóa: ghi danh hoặc mở khóa trước",
        "no system receives for it now, or it is locked: enrol or unlock one first",
    ),
    Left.MEANWHILE: (
        "nơi nhận vừa lấy hoặc nhận giữ; xem lại rồi quyết định",
        "its recipient has just fetched or claimed it; look again",
    ),
    Left.NOT_LATER: ("hạn hiện nay không sớm hơn ngày mới", "its expiry is not before the new day"),
    Left.STOPPED: ("đã dừng lại trước khi đến lượt", "stopped before its turn came"),
    Left.UNKNOWN: ("không có bản chuyển này", "there is no such delivery"),
}

# What an action does in each state: a move, nothing to the state (extend), or the reason to leave it.
EXTENDED = None
_Cell = Move | Left | None
_ROWS: Mapping[Action, tuple[_Cell, ...]] = {
    # waiting, taken, delivered, failed, expired, withdrawn
    Action.RELEASE: (Left.NOT_HELD, Move.LEASE_OVER, Left.DELIVERED, Left.NOT_HELD, Left.NOT_HELD, Left.WITHDRAWN),
    Action.AGAIN: (Left.WAITS, Left.HELD, Left.DELIVERED, Move.REOPEN, Move.REOPEN, Left.WITHDRAWN),
    Action.EXTEND: (EXTENDED, EXTENDED, Left.DELIVERED, Left.FAILED, Move.REOPEN, Left.WITHDRAWN),
    Action.UNDELIVERABLE: (Move.FAIL, Move.FAIL, Left.DELIVERED, Left.FAILED, Left.EXPIRED, Left.WITHDRAWN),
}
ACTIONS = {action: dict(zip(Transport, row, strict=True)) for action, row in _ROWS.items()}
_TAKES_AWAY = frozenset({Action.RELEASE, Action.UNDELIVERABLE})  # from whoever is at it

LONGEST = timedelta(days=90)
JUST_NOW = timedelta(seconds=5)  # longer than a commit takes: what was begun before the look may be seen after it


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of deliveries; ``seen_at``: when the operator looked at them; ``until`` for extending."""

    action: Action
    seen_at: datetime
    until: datetime | None = None


def fitting(
    wish: Wish, state: Transport, *, expires_at: datetime, touched_at: datetime | None, connected: bool
) -> Move | Left | None:
    """What is done to one delivery, or why it is left; ``EXTENDED``: it stays where it is.

    ``touched_at``: when its recipient last claimed or first fetched it. Whoever had it in hand after the operator
    looked keeps it: the look is no longer true. ``connected``: a system that is not locked would get it now.
    """
    found = ACTIONS[wish.action][state]
    if isinstance(found, Left):
        return found
    if wish.action in _TAKES_AWAY and touched_at is not None and touched_at > wish.seen_at - JUST_NOW:
        return Left.MEANWHILE
    if wish.until is not None and wish.until <= expires_at:
        return Left.NOT_LATER
    if found is Move.REOPEN and not connected:
        return Left.UNCONNECTED
    return found


def end_of(day: str, now: datetime) -> datetime:
    """The end of a day in Hà Nội, as a new expiry. Raises ``request-field`` unless it is to come within 90 days."""
    try:
        found = datetime.combine(date.fromisoformat(day), time(23, 59, 59), VIETNAM)
    except ValueError:
        found = now
    if not now < found <= now + LONGEST:
        today = now.astimezone(VIETNAM).date()
        raise Refusal(
            "request-field", "until", day,
            {
                "vi": "hạn mới phải là một ngày từ hôm nay, trong vòng 90 ngày",
                "en": "the new expiry is a day from today on, within 90 days",
                "repair": f"{today:%Y-%m-%d} – {today + LONGEST - timedelta(days=1):%Y-%m-%d}",
            },
        )  # fmt: skip
    return found
