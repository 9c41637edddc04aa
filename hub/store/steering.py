"""Rows of operators' actions: what a search finds to act on, runs, and what became of each delivery of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, text, update

from hub.domain.search import Query
from hub.store import search
from hub.store import tables as t
from hub.store.listing import Listing
from hub.store.many import Changes, Inserts
from hub.store.steering_tables import steering_delivery, steering_run

_r, _s = steering_run.c, steering_delivery.c
DONE = "done"
_ADD = Inserts(steering_delivery)
_SETTLE = Changes(steering_delivery, ("run", "place"), ("outcome",))


def found(connection: Connection, query: Query, most: int, seconds: float) -> tuple[list[str], bool]:
    """The deliveries that a search finds, newest first, at most ``most``; and whether these are all there are, as far
    as could be looked in that time.
    """
    page = search.find(connection, query, limit=most, seconds=seconds)
    return [key.delivery for key in page.keys], page.reached is None and not page.more


_DESCRIBED = Listing(
    select(
        t.delivery.c.id.label("delivery"),
        t.delivery.c.document_id.label("document"),
        t.delivery.c.recipient,
        t.delivery.c.addressed,
        t.delivery.c.state,
        t.document.c.number,
        t.document.c.symbol,
        t.document.c.subject,
    ).join_from(t.delivery, t.document, t.delivery.c.document_id == t.document.c.id),
    t.delivery.c.id,
)


def described(connection: Connection, delivery_ids: Collection[str]) -> dict[str, RowMapping]:
    """What people know deliveries by, by id."""
    return {row["delivery"]: row for row in _DESCRIBED.of(connection, delivery_ids).mappings()}


def add(connection: Connection, run: Mapping[str, Any], delivery_ids: Sequence[str]) -> None:
    """A new run with its deliveries, at least one. Raises IntegrityError for one that does not exist."""
    connection.execute(insert(steering_run).values(**run, total=len(delivery_ids), place=0, done=0))
    rows = [
        {"run": run["seq"], "place": place, "delivery_id": delivery_id, "outcome": ""}
        for place, delivery_id in enumerate(delivery_ids, 1)
    ]
    _ADD.execute(connection, rows)


def run(connection: Connection, run_id: str) -> RowMapping | None:
    return connection.execute(select(steering_run).where(_r.id == run_id)).mappings().one_or_none()


def runs(connection: Connection, before: int | None, limit: int) -> list[RowMapping]:
    """Runs, newest first; ``before``: the last ``seq`` seen."""
    query = select(steering_run).order_by(_r.seq.desc()).limit(limit)
    return list(connection.execute(query if before is None else query.where(_r.seq < before)).mappings())


def going(connection: Connection) -> list[str]:
    """The ids of the runs that have not ended, oldest first."""
    # Written out, not bound: a partial index serves only a condition the planner can compare with its own.
    query = select(_r.id).where(text("steering_run.ended_at IS NULL")).order_by(_r.seq)
    return list(connection.execute(query).scalars())


def chunk(connection: Connection, run: int, after: int, limit: int) -> list[str]:
    """The ids of a run's next deliveries, in their order."""
    query = select(_s.delivery_id).where(_s.run == run, _s.place > after).order_by(_s.place).limit(limit)
    return list(connection.execute(query).scalars())


def settle(connection: Connection, run: RowMapping, outcomes: Iterable[str], ended_at: datetime) -> None:
    """What became of a run's next deliveries, in their order; with the last the run has ended."""
    rows = [
        {"_run": run["seq"], "_place": place, "_to_outcome": outcome}
        for place, outcome in enumerate(outcomes, run["place"] + 1)
    ]
    if rows:
        _SETTLE.execute(connection, rows)
    place = run["place"] + len(rows)
    done = run["done"] + sum(row["_to_outcome"] == DONE for row in rows)
    values = {"place": place, "done": done, "ended_at": ended_at if place == run["total"] else None}
    connection.execute(update(steering_run).where(_r.seq == run["seq"]).values(**values))


def stop(connection: Connection, run: int, outcome: str, ended_at: datetime) -> None:
    """End a run: what it has not done yet came to this outcome."""
    connection.execute(update(steering_delivery).where(_s.run == run, _s.outcome == "").values(outcome=outcome))
    connection.execute(update(steering_run).where(_r.seq == run).values(place=_r.total, ended_at=ended_at))


def deliveries_of(
    connection: Connection, run: int, after: int, limit: int, *, left: bool = False
) -> list[tuple[int, str, str]]:
    """Deliveries of a run from a place on: (place, delivery, outcome); ``left``: only those it left as they are."""
    query = select(_s.place, _s.delivery_id, _s.outcome).where(_s.run == run, _s.place > after)
    if left:
        query = query.where(_s.outcome.not_in(("", DONE)))
    return [tuple(row) for row in connection.execute(query.order_by(_s.place).limit(limit))]


def outcomes(connection: Connection, run: int) -> dict[str, int]:
    """How many deliveries of a run came to what."""
    query = select(_s.outcome, func.count()).where(_s.run == run).group_by(_s.outcome).order_by(_s.outcome)
    return {str(outcome): int(count) for outcome, count in connection.execute(query)}


def old(connection: Connection, before: datetime, after: int, limit: int) -> tuple[list[int], int | None]:
    """Runs from ``seq`` ``after`` on that ended before, and where to go on; None when what follows is newer."""
    rows = connection.execute(
        select(_r.seq, _r.made_at, _r.ended_at).where(_r.seq > after).order_by(_r.seq).limit(limit)
    )
    made = [row for row in rows if row.made_at < before]
    going_on = made[-1].seq if made and len(made) == limit else None
    return [row.seq for row in made if row.ended_at is not None and row.ended_at < before], going_on


def remove(connection: Connection, run: int, most: int) -> int:
    """Remove at most ``most`` deliveries of a run, and with the last of them the run; gives how many."""
    some = select(_s.place).where(_s.run == run).order_by(_s.place).limit(most)
    removed = connection.execute(delete(steering_delivery).where(_s.run == run, _s.place.in_(some))).rowcount
    if removed < most:
        connection.execute(delete(steering_run).where(_r.seq == run))
    return removed


_ACTED = Listing(
    select(_s.delivery_id, _s.outcome, steering_run).join_from(steering_delivery, steering_run, _s.run == _r.seq),
    _s.delivery_id,
)


def acted(connection: Connection, delivery_ids: Collection[str]) -> list[RowMapping]:
    """What operators did, or wanted to do, to deliveries: the runs with each one's outcome, oldest first."""
    return sorted(_ACTED.of(connection, delivery_ids).mappings(), key=lambda row: row["seq"])
