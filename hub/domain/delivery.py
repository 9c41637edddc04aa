"""The life of one packet towards one recipient: two tables and what follows from them (exchange rules 6).

Two rules:

* Everything that decides a state lives here; ``hub.exchange`` asks, ``hub.store`` writes what was decided.
* Transport (did the packet arrive) and processing status (what the recipient did with the document) never mix.

A move that is not in a table does not exist: asking for it raises ``Refusal`` and nothing happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.domain import places
from hub.errors import Refusal


class Transport(StrEnum):
    """Where a packet stands on its way to one recipient."""

    WAITING = "waiting"
    TAKEN = "taken"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Move(StrEnum):
    """What can happen to a packet on its way."""

    TAKE = "take"
    LEASE_OVER = "lease-over"
    DONE = "done"
    FAIL = "fail"
    EXPIRE = "expire"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"


TRANSPORT: Mapping[Transport, Mapping[Move, Transport]] = {
    Transport.WAITING: {
        Move.TAKE: Transport.TAKEN,
        Move.DONE: Transport.DELIVERED,
        Move.FAIL: Transport.FAILED,
        Move.EXPIRE: Transport.EXPIRED,
        Move.WITHDRAW: Transport.WITHDRAWN,
    },
    Transport.TAKEN: {
        Move.LEASE_OVER: Transport.WAITING,
        Move.DONE: Transport.DELIVERED,
        Move.FAIL: Transport.FAILED,
        Move.EXPIRE: Transport.EXPIRED,
    },
    Transport.FAILED: {
        Move.REOPEN: Transport.WAITING,
        Move.DONE: Transport.DELIVERED,
        Move.WITHDRAW: Transport.WITHDRAWN,
    },
    Transport.EXPIRED: {
        Move.REOPEN: Transport.WAITING,
        Move.DONE: Transport.DELIVERED,
        Move.WITHDRAW: Transport.WITHDRAWN,
    },
    Transport.DELIVERED: {},
    Transport.WITHDRAWN: {},
}

ATTEMPTS = 5  # the fifth `failed` before the first fetch fails the delivery


def moved(state: Transport, move: Move) -> Transport:
    """The state after a move; raises ``delivery-final`` for a move the table does not have."""
    after = TRANSPORT[state].get(move)
    if after is None:
        raise Refusal("delivery-final", facts={"state": state.value})
    return after


def can_withdraw(state: Transport, *, fetched: bool) -> bool:
    """Whether the sender can still take the packet back unseen."""
    return not fetched and Move.WITHDRAW in TRANSPORT[state]


class Status(StrEnum):
    """What a recipient did with a document. 01–06 are StatusCodes; the two words end a document by request."""

    NONE = "none"
    ARRIVED = "01"
    ACCEPTED = "03"
    ASSIGNED = "04"
    PROCESSING = "05"
    FINISHED = "06"
    REFUSED = "02"
    CANCELLED = "cancelled"
    REPLACED = "replaced"


FINAL = frozenset({Status.REFUSED, Status.CANCELLED, Status.REPLACED})


class Effect(StrEnum):
    """What a report does to a document at a recipient."""

    MOVES = "moves"  # the status becomes the code; the report goes to the other party
    HANDED_ON = "handed-on"  # the status stays; the report goes to the other party
    RECORDED = "recorded"  # kept, and told to nobody
    ASKS = "asks"  # opens a request (or withdraws at once what was never fetched)
    ANSWERS = "answers"  # closes a request
    REFUSED = "refused"


_M, _H, _R, _X, _Q, _A = (
    Effect.MOVES, Effect.HANDED_ON, Effect.RECORDED, Effect.REFUSED, Effect.ASKS, Effect.ANSWERS,
)  # fmt: skip
_COLUMNS = (
    Status.NONE, Status.ARRIVED, Status.ACCEPTED, Status.ASSIGNED, Status.PROCESSING, Status.FINISHED,
    Status.REFUSED, Status.CANCELLED, Status.REPLACED,
)  # fmt: skip
# A report of what did happen is no error after the end, so 01-06 on a final status are recorded.
# 15 and 16 need an open request besides: see `effect`.
PROCESSING: Mapping[str, Mapping[Status, Effect]] = {
    code: dict(zip(_COLUMNS, row, strict=True))
    for code, row in {
        #     none 01  03  04  05  06  02  canc repl
        "01": (_M, _H, _R, _R, _R, _R, _R, _R, _R),
        "03": (_M, _M, _H, _R, _R, _R, _R, _R, _R),
        "04": (_M, _M, _M, _H, _R, _R, _R, _R, _R),
        "05": (_M, _M, _M, _M, _H, _R, _R, _R, _R),
        "06": (_M, _M, _M, _M, _M, _H, _R, _R, _R),
        "02": (_M, _M, _M, _X, _X, _X, _H, _X, _X),
        "13": (_Q, _Q, _Q, _Q, _Q, _Q, _X, _X, _X),
        "15": (_A, _A, _A, _A, _A, _A, _X, _X, _X),
        "16": (_A, _A, _A, _A, _A, _A, _X, _X, _X),
    }.items()
}
FROM_RECIPIENT = ("01", "02", "03", "04", "05", "06", "15", "16")
FROM_SENDER = ("13",)


class Ask(StrEnum):
    """What a sender asks of a recipient who has the document already."""

    TAKE_BACK = "take-back"  # status 13
    REVOCATION = "revocation"  # kind 1
    UPDATE = "update"  # kind 2
    REPLACEMENT = "replacement"  # kind 3


ANSWER: Mapping[str, Mapping[Ask, Status | None]] = {
    "15": {
        Ask.TAKE_BACK: Status.CANCELLED,
        Ask.REVOCATION: Status.CANCELLED,
        Ask.REPLACEMENT: Status.REPLACED,
        Ask.UPDATE: None,
    },
    "16": {Ask.TAKE_BACK: None, Ask.REVOCATION: None, Ask.REPLACEMENT: None, Ask.UPDATE: None},
}


def effect(code: str, status: Status, *, fetched: bool, open_requests: int) -> Effect:
    """What report ``code`` does at ``status``.

    Raises ``status-code-unknown`` (07–12, 14 and the like), ``status-not-allowed`` naming what is allowed.
    A 13 may come before the first fetch; every other report needs the packet to have been fetched.
    """
    row = PROCESSING.get(code)
    if row is None:
        raise Refusal(
            "status-code-unknown", places.REPORT["status"], code,
            {"status": code or "–", "allowed": ", ".join(PROCESSING)},
        )  # fmt: skip
    found = row[status]
    if found is Effect.ANSWERS and not open_requests:
        found = Effect.REFUSED
    if found is Effect.REFUSED or (code not in FROM_SENDER and not fetched):
        raise Refusal(
            "status-not-allowed", places.REPORT["status"], code,
            {"status": code, "state": _say(status, fetched), "allowed": _allowed(status, fetched, open_requests)},
        )  # fmt: skip
    return found


def _say(status: Status, fetched: bool) -> str:
    if not fetched:
        return "chưa lấy văn bản / not fetched"
    return "chưa có trạng thái / no status" if status is Status.NONE else status.value


def _allowed(status: Status, fetched: bool, open_requests: int) -> str:
    """The codes that would have been taken, for the message."""
    codes = [
        code
        for code, row in PROCESSING.items()
        if row[status] not in {Effect.REFUSED, Effect.RECORDED}
        and (fetched or code in FROM_SENDER)
        and (row[status] is not Effect.ANSWERS or open_requests)
    ]
    return ", ".join(codes) or "–"


class Overall(StrEnum):
    """One word for a document towards all its recipients."""

    BAD = "bad"
    OPEN = "open"
    WITHDRAWN = "withdrawn"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Standing:
    """Transport and status of one recipient."""

    transport: Transport
    status: Status


def overall(recipients: Iterable[Standing]) -> Overall:
    """Bad somewhere, else open somewhere, else withdrawn everywhere, else completed."""
    rows = list(recipients)
    gone = [row.transport is Transport.WITHDRAWN or row.status in {Status.CANCELLED, Status.REPLACED} for row in rows]
    if any(r.transport in {Transport.FAILED, Transport.EXPIRED} or r.status is Status.REFUSED for r in rows):
        return Overall.BAD
    if any(not away and row.status is not Status.FINISHED for away, row in zip(gone, rows, strict=True)):
        return Overall.OPEN
    return Overall.WITHDRAWN if all(gone) else Overall.COMPLETED
