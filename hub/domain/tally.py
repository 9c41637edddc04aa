"""What figures are kept of, and what each document, change, refusal and examination adds to them.

A figure is a number by measure, day, agency and, for some measures, a key. What belongs to a document counts on the
day it was accepted, what belongs to a delivery on the day it was made, however late it changes: so all that is said
of one period is said of the same documents. Days are those of Hà Nội. Additions have no order: a change takes its
state before away and adds its state after, so whoever adds all of them has what the rows say.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from hub.domain.delivery import FINAL, Status, Transport
from hub.domain.document import VIETNAM, Kind, local_day
from hub.domain.trust import Verdict


class Measure(StrEnum):
    """What is counted. ``docs/reports.md`` has each figure's definition and source."""

    # Of documents, by sender
    DOCUMENTS = "documents"
    REVOCATIONS = "kind.1"
    UPDATES = "kind.2"
    REPLACEMENTS = "kind.3"
    URGENT = "urgent"
    OTHER_ISSUER = "issuer-other"
    DUPLICATE = "duplicate"
    SENT_SAME_DAY = "sent.same"
    SENT_LATER = "sent.later"  # key: see `late_key`; by days only
    TAKE_BACKS = "take-backs"
    # Of documents whose acceptance was examined, by sender
    SIGNED_BOTH = "signed.both"
    SIGNED_AGENCY = "signed.agency"
    SIGNED_LEADER = "signed.leader"
    SIGNED_NONE = "signed.none"
    AGENCY_ELSE_UNKNOWN = "signed.agency?"  # nobody can tell whether a leader signed
    UNKNOWN = "signed.?"  # neither the agency, as far as is known, nor is anything known of a leader
    INVALID = "signed.invalid"
    # Of deliveries, by sender
    OUT = "out"
    OUT_FAILED = "out.failed"
    OUT_EXPIRED = "out.expired"
    OUT_WITHDRAWN = "out.withdrawn"
    # Of deliveries, by recipient
    IN = "in"
    DELIVERED = "in.delivered"
    FAILED = "in.failed"
    EXPIRED = "in.expired"
    WITHDRAWN = "in.withdrawn"
    ANSWERED = "answered"
    REFUSED_BY_RECIPIENT = "status.02"
    CANCELLED = "status.cancelled"
    REPLACED = "status.replaced"
    REACHED_01 = "reached.01"
    TOLD_SAME_DAY = "reached.01.same"
    REACHED_03 = "reached.03"
    FINISHED = "finished"
    # Tasks, by recipient; key: the day they are due
    TASKS = "task"
    TASK_IN_TIME = "task.in-time"
    TASK_LATE = "task.late"
    TASK_ENDED = "task.ended"
    TASK_UNDELIVERED = "task.undelivered"
    # Refused packets, by the agency of the system that sent them; RULES by their rule
    REFUSED = "refused"
    RULES = "refused.rule"
    # Seconds from arrival, by recipient and month; key: the number of a bucket
    WAIT_01 = "wait.01"
    WAIT_03 = "wait.03"
    WAIT_06 = "wait.06"


class Cell(NamedTuple):
    """Where a figure stands."""

    measure: str
    day: date
    agency: str
    key: str = ""


Counts = Counter[Cell]  # zeros are nothing
WAITS = (Measure.WAIT_01, Measure.WAIT_03, Measure.WAIT_06)
_KINDS = {
    Kind.REVOCATION: Measure.REVOCATIONS, Kind.UPDATE: Measure.UPDATES, Kind.REPLACEMENT: Measure.REPLACEMENTS
}  # fmt: skip
# An update repeats the task it belongs to, a revocation sets none.
TASK_KINDS = (Kind.NEW, Kind.REPLACEMENT)
REACHING = {
    "01": frozenset(("01", "03", "04", "05", "06")),
    "03": frozenset(("03", "04", "05", "06")),
    "06": frozenset(("06",)),
}


def month(day: date) -> date:
    return day.replace(day=1)


# Bounds of the buckets in whole seconds, each a fifth above the last: a value told from the middle of its bucket is
# wrong by a tenth at most.
def _bounds() -> tuple[int, ...]:
    found = [1]
    while found[-1] < 400 * 86_400:
        found.append(max(found[-1] + 1, round(found[-1] * 1.2)))
    return tuple(found)


BOUNDS = _bounds()


def bucket(seconds: int) -> str:
    """The number of the bucket of a wait, as a key."""
    return str(bisect_right(BOUNDS, seconds))


def quantile(buckets: Mapping[int, int], share: float) -> float | None:
    """The wait in seconds below which this share of all waits lies, wrong by a tenth at most; None of no waits.

    What is longer than the last bound (400 days) is told as that.
    """
    total = sum(buckets.values())
    if total <= 0:
        return None
    left = share * total
    for number in sorted(buckets):
        left -= buckets[number]
        if left <= 0:
            break
    if number == 0:
        return 0.0
    if number == len(BOUNDS):
        return float(BOUNDS[-1])
    return (BOUNDS[number - 1] + BOUNDS[number] - 1) / 2


def late_key(promulgated_on: date, accepted_at: datetime, urgent: bool) -> str:
    """What decides whether a document that was not sent on its day was sent in time, but for the calendar."""
    half = "a" if accepted_at.astimezone(VIETNAM).hour < 12 else "p"
    return f"{promulgated_on.isoformat()}{half}{'u' if urgent else ''}"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A packet that was accepted: of a document, the first or one that added ``recipients``."""

    sender: str
    issuer: str
    kind: Kind
    urgent: bool
    promulgated_on: date
    due_on: date | None
    duplicate: bool
    accepted_at: datetime  # of the document
    at: datetime  # of this packet
    first: bool
    recipients: tuple[str, ...]


def of_acceptance(packet: Acceptance) -> Counts:
    found: Counts = Counter()
    if packet.first:
        day = local_day(packet.accepted_at)

        def add(measure: Measure, key: str = "") -> None:
            found[Cell(measure, day, packet.sender, key)] += 1

        add(Measure.DOCUMENTS)
        if packet.kind in _KINDS:
            add(_KINDS[packet.kind])
        if packet.urgent:
            add(Measure.URGENT)
        if packet.issuer != packet.sender:
            add(Measure.OTHER_ISSUER)
        if packet.duplicate:
            add(Measure.DUPLICATE)
        if packet.promulgated_on >= day:
            add(Measure.SENT_SAME_DAY)
        else:
            add(Measure.SENT_LATER, late_key(packet.promulgated_on, packet.accepted_at, packet.urgent))
    day = local_day(packet.at)
    for recipient in packet.recipients:
        found[Cell(Measure.OUT, day, packet.sender)] += 1
        found[Cell(Measure.IN, day, recipient)] += 1
        if packet.due_on is not None and packet.kind in TASK_KINDS:
            found[Cell(Measure.TASKS, day, recipient, packet.due_on.isoformat())] += 1
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """An event of a document's own delivery."""

    sender: str
    recipient: str
    created_at: datetime
    fetched_at: datetime | None
    task_due: date | None  # None: no task
    at: datetime
    state: tuple[str, str]  # before, after
    status: tuple[str, str]


_STATES = {
    Transport.DELIVERED: (Measure.DELIVERED, None),
    Transport.FAILED: (Measure.FAILED, Measure.OUT_FAILED),
    Transport.EXPIRED: (Measure.EXPIRED, Measure.OUT_EXPIRED),
    Transport.WITHDRAWN: (Measure.WITHDRAWN, Measure.OUT_WITHDRAWN),
}
_ENDS = {
    Status.REFUSED: Measure.REFUSED_BY_RECIPIENT,
    Status.CANCELLED: Measure.CANCELLED,
    Status.REPLACED: Measure.REPLACED,
}
_REACHED = {"01": Measure.REACHED_01, "03": Measure.REACHED_03, "06": Measure.FINISHED}
_WAIT = {"01": Measure.WAIT_01, "03": Measure.WAIT_03, "06": Measure.WAIT_06}


def of_change(change: Change) -> Counts:
    found: Counts = Counter()
    day = local_day(change.created_at)

    def add(measure: Measure | None, n: int, agency: str = change.recipient, key: str = "") -> None:
        if measure is not None:
            found[Cell(measure, day, agency, key)] += n

    for state, n in zip(change.state, (-1, 1), strict=True):
        received, sent = _STATES.get(Transport(state), (None, None))
        add(received, n)
        add(sent, n, change.sender)
    before, after = change.status
    if before == Status.NONE and after != Status.NONE:
        add(Measure.ANSWERED, 1)
    if before != after:
        add(_ENDS.get(Status(after)), 1)  # what is final stays so
    for step, codes in REACHING.items():
        if after in codes and before not in codes:
            add(_REACHED[step], 1)
            if change.fetched_at is not None:
                seconds = max(0, int(change.at.timestamp()) - int(change.fetched_at.timestamp()))
                found[Cell(_WAIT[step], month(day), change.recipient, bucket(seconds))] += 1
                if step == "01" and local_day(change.fetched_at) == local_day(change.at):
                    add(Measure.TOLD_SAME_DAY, 1)
    if change.task_due is not None and before != Status.FINISHED:  # what was done once stays done
        key = change.task_due.isoformat()
        done = local_day(change.at)
        add(_task(change.state[0], before, change.task_due, done), -1, key=key)
        add(_task(change.state[1], after, change.task_due, done), 1, key=key)
    return Counter({cell: n for cell, n in found.items() if n})


def _task(state: str, status: str, due: date, done: date) -> Measure | None:
    """How a task stands, beyond being open."""
    if status == Status.FINISHED:
        return Measure.TASK_IN_TIME if done <= due else Measure.TASK_LATE
    if state == Transport.WITHDRAWN or status in FINAL:
        return Measure.TASK_ENDED
    if state in (Transport.FAILED, Transport.EXPIRED):
        return Measure.TASK_UNDELIVERED
    return None


def of_take_back(sender: str, at: datetime) -> Counts:
    """A status 13."""
    return Counter({Cell(Measure.TAKE_BACKS, local_day(at), sender): 1})


def of_refusal(agency: str, at: datetime, code: str, violations: Iterable[Mapping[str, Any]]) -> Counts:
    """A packet that was refused: by each of its rules once, so that one with three counts in three."""
    rules = {v["rule"] for v in violations if v.get("severity", "error") == "error"} or {code}
    day = local_day(at)
    return Counter(
        {Cell(Measure.REFUSED, day, agency): 1} | {Cell(Measure.RULES, day, agency, rule): 1 for rule in rules}
    )


INVALID = frozenset(
    (
        Verdict.MODIFIED, Verdict.REVOKED_AT_SIGNING, Verdict.UNTRUSTED_CHAIN, Verdict.WEAK_ALGORITHM,
        Verdict.EXPIRED_AT_SIGNING, Verdict.NAME_MISMATCH,
    )
)  # fmt: skip


def of_signing(sender: str, accepted_at: datetime, standing: str, parts: Iterable[tuple[int, str, str]]) -> Counts:
    """Who signed a document, from its packet's standing and the examinations (part, verdict, detail) of its parts.

    A leader's signature stands in a PDF file. None found is "none" only where every PDF file of the packet could be
    examined and there is one; else nobody can tell. Whether signatures are good is counted apart.
    """
    agency = standing != "unsigned"
    leader, examined, doubtful, invalid = False, False, False, False
    for part, verdict, detail in parts:
        invalid |= verdict in INVALID
        told = json.loads(detail)
        if part == 0:
            continue
        if "missing" in told:
            examined = True
            leader |= "leader" not in told["missing"]
            agency |= "agency" not in told["missing"]
        elif told.get("reason") != "not a PDF":
            doubtful = True
    known = leader or (examined and not doubtful)
    measure = _SIGNED[agency, leader if known else None]
    day = local_day(accepted_at)
    found: Counts = Counter({Cell(measure, day, sender): 1})
    if invalid:
        found[Cell(Measure.INVALID, day, sender)] += 1
    return found


_SIGNED: dict[tuple[bool, bool | None], Measure] = {
    (True, True): Measure.SIGNED_BOTH,
    (True, False): Measure.SIGNED_AGENCY,
    (False, True): Measure.SIGNED_LEADER,
    (False, False): Measure.SIGNED_NONE,
    (True, None): Measure.AGENCY_ELSE_UNKNOWN,
    (False, None): Measure.UNKNOWN,
}
SIGNINGS = tuple(_SIGNED.values())
