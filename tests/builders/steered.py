"""An operator at work: orders on deliveries, looked at and done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from builders.axis import Axis
from sqlalchemy import RowMapping

from hub.domain.steering import Action, Left, Wish
from hub.exchange import steering
from hub.store import audit
from hub.store import steering as rows
from hub.store.engine import reading
from hub.store.ids import new_id

REASON = "Máy chủ của Nghệ An đã chạy lại"
BY = "lan.thu"


def a_wish(axis: Axis, action: str, *, days: int = 60) -> Wish:
    until = axis.clock() + timedelta(days=days) if action == "extend" else None
    return Wish(Action(action), axis.clock(), until)


def an_order(axis: Axis, action: str, *delivery_ids: str, **changes: Any) -> steering.Order:
    """What the operator sends after having looked now."""
    given = {
        "run_id": new_id(axis.clock()), "by": BY, "wish": a_wish(axis, action), "delivery_ids": delivery_ids,
        "reason": REASON,
    } | changes  # fmt: skip
    return steering.Order(**given)


def look(axis: Axis, action: str, delivery_ids: Sequence[str], wish: Wish | None = None) -> dict[str, int]:
    """The dry count: how many fit, and how many are left for each reason."""
    with reading(axis.desk.engine) as connection:
        roster = axis.desk.rosters.current(now=True)
        [found] = steering.foresee(connection, roster, axis.clock(), delivery_ids, wish or a_wish(axis, action))
    return {"fit": len(found.fit)} | {why.value: len(ids) for why, ids in found.left.items()}


def order(axis: Axis, action: str, *delivery_ids: str, **changes: Any) -> list[str]:
    """Order it and do all of it; gives the outcome of each."""
    return carry_out(axis, an_order(axis, action, *delivery_ids, **changes))


def carry_out(axis: Axis, wanted: steering.Order) -> list[str]:
    axis.desk.writer.run(steering.begin, wanted)
    while axis.desk.writer.run(steering.go_on, wanted.run_id)["ended_at"] is None:
        pass
    return outcomes(axis, wanted.run_id)


def outcomes(axis: Axis, run_id: str) -> list[str]:
    with reading(axis.desk.engine) as connection:
        return [outcome for _, _, outcome in rows.deliveries_of(connection, run_of(axis, run_id)["seq"], 0, 100_000)]


def run_of(axis: Axis, run_id: str) -> RowMapping:
    with reading(axis.desk.engine) as connection:
        found = rows.run(connection, run_id)
    assert found is not None
    return found


def audited(axis: Axis) -> list[dict[str, Any]]:
    """What the audit has of actions on deliveries, oldest first."""
    with reading(axis.desk.engine) as connection:
        found = [dict(row) for row in audit.entries(connection, limit=10_000)]
    return [row for row in reversed(found) if row["action"].startswith("delivery-")]


def expiry_of(axis: Axis, delivery_id: str) -> datetime:
    return axis.delivery(delivery_id).expires_at


DONE = rows.DONE
LEFT = {why.value for why in Left}
