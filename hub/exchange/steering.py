"""What operators do to deliveries, one or many: release, deliver again, extend, mark undeliverable (exchange rules 6).

An order is looked at first (:func:`foresee`, which changes nothing), then taken as a run (:func:`begin`), then done in
chunks (:func:`go_on`) until its end, or until somebody stops it (:func:`stop`). Each chunk is a transaction that
decides on what is true under the counter's lock, and notes in the audit what it did; so the hub goes on between two,
any process may do the next, and whatever stops in the middle stops between chunks. The reason stands in the audit. It
is told to the parties only where their rules have a reason: to the sender of what was marked undeliverable.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, RowMapping

from hub.domain.delivery import Move
from hub.domain.operator import reasoned
from hub.domain.search import Query
from hub.domain.steering import Action, Left, Wish, fitting
from hub.errors import Refusal
from hub.exchange import audit, change
from hub.exchange.desk import Desk
from hub.exchange.writer import Transaction, each
from hub.store import deliveries, steering
from hub.store.deliveries import Delivery
from hub.store.engine import reading, temporary
from hub.store.roster import Roster

log = structlog.get_logger()
_T = TypeVar("_T")
MOST = 10_000  # deliveries of one run
CHUNK = 100  # deliveries changed in one transaction
_PATIENCE = 5.0  # seconds a search may take to find all
_NARROW = "Thu hẹp tìm kiếm / narrow the search: to: state: after: before:"
_BY_OPERATOR = "đơn vị vận hành / operator"
_RUN_ID = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an order would do now: deliveries that fit, and the others by reason."""

    fit: list[str] = field(default_factory=list)
    left: dict[Left, list[str]] = field(default_factory=dict)

    @property
    def found(self) -> int:
        return len(self.fit) + self.unfit

    @property
    def unfit(self) -> int:
        return sum(map(len, self.left.values()))


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator wants done, with the run's id that was made with the form. ``by`` as in the audit; ``query``
    found the deliveries, unless they were chosen one by one.
    """

    run_id: str
    by: str
    wish: Wish
    delivery_ids: tuple[str, ...]
    reason: str
    query: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """No more of a run is to be done; ``by`` may be another than who ordered it."""

    run_id: str
    by: str
    reason: str


def searched(connection: Connection, query: Query) -> list[str]:
    """The deliveries that a search finds. Raises ``request-field`` where they are too many, or not all could be found
    in time: who says "all of these" would not know which.
    """
    found, all_of_them = steering.found(connection, query, MOST, _PATIENCE)
    if len(found) < MOST and not all_of_them:
        raise Refusal("request-field", "query", "", {
            "vi": "tìm quá lâu, chưa thấy hết các bản chuyển", "en": "the search takes too long to find all deliveries",
            "repair": _NARROW,
        })  # fmt: skip
    if not all_of_them:
        raise _too_many()
    return found


def within(delivery_ids: Sequence[str]) -> Sequence[str]:
    """These, or ``request-field`` when they are too many for one order."""
    if len(delivery_ids) > MOST:
        raise _too_many()
    return delivery_ids


def _too_many() -> Refusal:
    most = f"{MOST:,}"
    told = {
        "vi": f"hơn {most.replace(',', '.')} bản chuyển, quá nhiều cho một lần",
        "en": f"more than {most} deliveries, too many at once", "repair": _NARROW,
    }  # fmt: skip
    return Refusal("request-field", "query", "", told)


def foresee(
    connection: Connection, roster: Roster, now: datetime, delivery_ids: Sequence[str], *wishes: Wish
) -> list[Foreseen]:
    """Count for each wish, without changing anything. Raises ``request-field`` for too many."""
    ids = list(dict.fromkeys(within(delivery_ids)))
    found = deliveries.some(connection, ids)
    return [_foreseen(found, roster, now, ids, wish) for wish in wishes]


def _foreseen(found: Mapping[str, Delivery], roster: Roster, now: datetime, ids: Iterable[str], wish: Wish) -> Foreseen:
    foreseen = Foreseen()
    for one in ids:
        what = _fitting(found.get(one), roster, now, wish)
        if isinstance(what, Left):
            foreseen.left.setdefault(what, []).append(one)
        else:
            foreseen.fit.append(one)
    return foreseen


def _fitting(delivery: Delivery | None, roster: Roster, now: datetime, wish: Wish) -> Move | Left | None:
    if delivery is None:
        return Left.UNKNOWN
    claimed = delivery.lease_until - change.LEASE if delivery.lease_until is not None else None
    touched = max((at for at in (delivery.fetched_at, claimed) if at is not None), default=None)
    # A delivery stays with the system that fetched it. A status waits for whoever may receive it: it is never refused.
    holder = roster.systems.get(delivery.system_id or "") if delivery.fetched else None
    if holder is not None:
        connected = not holder.locked
    else:
        connected = delivery.report_id is not None or change.receiving(roster, delivery.recipient, now) is not None
    return fitting(wish, delivery.state, expires_at=delivery.expires_at, touched_at=touched, connected=connected)


@each
def begin(tx: Transaction, job: Order) -> RowMapping:
    """Take an order; gives its run, the same one for an order that was taken already.

    Raises ``reason-form``, ``request-field`` for too many deliveries, or none; ``not-found`` for one that does not
    exist, and for the run's id if it is none or another operator's.
    """
    if not _RUN_ID.fullmatch(job.run_id):
        raise Refusal("not-found")
    known = steering.run(tx.connection, job.run_id)
    if known is None:
        reason, ids = reasoned(job.reason), list(dict.fromkeys(within(job.delivery_ids)))
        if not ids:
            raise Refusal(
                "request-field", "delivery", "",
                {"vi": "không có bản chuyển nào để làm", "en": "there is no delivery to act on", "repair": ""},
            )  # fmt: skip
        if len(deliveries.some(tx.connection, ids)) < len(ids):
            raise Refusal("not-found")
        row = {
            "seq": tx.next_seq(), "id": job.run_id, "by": job.by, "action": job.wish.action.value, "reason": reason,
            "query": job.query, "until": job.wish.until, "seen_at": job.wish.seen_at, "made_at": tx.now,
        }  # fmt: skip
        steering.add(tx.connection, row, ids)
        tx.at("steering-begun")
        known = steering.run(tx.connection, job.run_id)
    if known is None or known["by"] != job.by:
        raise Refusal("not-found")
    return known


@each
def go_on(tx: Transaction, run_id: str) -> RowMapping:
    """Do a run's next deliveries; gives the run as it stands then. One that has ended stays as it is.

    Raises ``not-found``.
    """
    run = steering.run(tx.connection, run_id)
    if run is None:
        raise Refusal("not-found")
    if run["ended_at"] is not None:
        return run
    ids = steering.chunk(tx.connection, run["seq"], run["place"], CHUNK)
    outcomes = _act(tx, run, ids)
    done = [one for one, outcome in zip(ids, outcomes, strict=True) if outcome == steering.DONE]
    steering.settle(tx.connection, run, outcomes, tx.now)
    if done:
        # One delivery is found in the audit by its own id, those of a run of many by the run's.
        subject = done[0] if run["total"] == 1 else run["id"]
        facts = {"run": run["id"], "deliveries": done, "of": run["total"]}
        facts |= {"query": run["query"]} if run["query"] else {}
        facts |= {"until": run["until"].isoformat()} if run["until"] else {}
        audit.note(tx, run["by"], f"delivery-{run['action']}", subject, run["reason"], facts)
    tx.at("steering-written")
    found = steering.run(tx.connection, run_id)
    return run if found is None else found


@each
def stop(tx: Transaction, job: Stop) -> int:
    """End a run: what is done stays done, the rest is left. Gives how many are left by this; none of a run that has
    ended.

    Raises ``reason-form`` and ``not-found``.
    """
    reason = reasoned(job.reason)
    run = steering.run(tx.connection, job.run_id) if _RUN_ID.fullmatch(job.run_id) else None
    if run is None:
        raise Refusal("not-found")
    if run["ended_at"] is not None:
        return 0
    left: int = run["total"] - run["place"]
    steering.stop(tx.connection, run["seq"], Left.STOPPED.value, tx.now)
    facts = {"run": run["id"], "action": run["action"], "done": run["done"], "left": left}
    audit.note(tx, job.by, "delivery-stop", run["id"], reason, facts)
    tx.at("steering-stopped")
    return left


def _act(tx: Transaction, run: RowMapping, ids: Sequence[str]) -> list[str]:
    """Act on those that fit; gives the outcome of each."""
    wish = Wish(Action(run["action"]), run["seen_at"], run["until"])
    found = deliveries.some(tx.connection, ids)
    fits: dict[Move | None, list[Delivery]] = {}
    outcomes = []
    for one in ids:
        what = _fitting(found.get(one), tx.roster, tx.now, wish)
        outcomes.append(what.value if isinstance(what, Left) else steering.DONE)
        if not isinstance(what, Left):
            fits.setdefault(what, []).append(found[one])
    for move, batch in fits.items():
        _do(tx, wish, move, batch, run["reason"])
    return outcomes


def _do(tx: Transaction, wish: Wish, move: Move | None, batch: Iterable[Delivery], reason: str) -> None:
    some = list(batch)
    if move is None:
        for delivery in some:
            change.note(tx, delivery, "extend", by=None, detail=_BY_OPERATOR, expires_at=wish.until)
    elif move is Move.REOPEN:
        for urgent in (False, True):
            expires = wish.until or change.expiry(tx, urgent=urgent)
            alike = [delivery for delivery in some if delivery.urgent is urgent]
            change.move_all(tx, alike, move, detail=_BY_OPERATOR, expires_at=expires, attempts=0, reason="")
    elif move is Move.FAIL:
        told = f"{_BY_OPERATOR}: {reason}"
        change.move_all(tx, some, move, detail=told, reason=told)
    else:
        change.move_all(tx, some, move, detail=_BY_OPERATOR)


async def keep(desk: Desk) -> None:
    """Goes on with the runs that nobody finished: theirs who closed the page, and those a stopped hub left behind."""
    while True:
        for run_id in await _safely(desk.aside(_going, desk)) or []:
            await _safely(finish(desk, run_id))
        await asyncio.sleep(desk.terms.sweep_seconds)


def _going(desk: Desk) -> list[str]:
    with reading(desk.engine) as connection:
        return steering.going(connection)


async def finish(desk: Desk, run_id: str) -> None:
    """Do all that is left of a run. Raises ``not-found``."""
    while (await desk.write(go_on, run_id))["ended_at"] is None:
        pass


async def _safely(work: Coroutine[Any, Any, _T]) -> _T | None:
    """A fault is told and tried again with the next look; of one run it keeps no other from going on."""
    try:
        return await work
    except Exception as fault:
        if temporary(fault) is None and not isinstance(fault, Refusal):
            log.exception("steering-fault")
        return None
