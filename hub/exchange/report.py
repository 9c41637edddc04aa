"""Taking a status packet: find the document it is about, apply it, and hand it on to the other party.

01–06, 15 and 16 come from the recipient, 13 from the sender (exchange rules 6). ``prepare`` checks the packet on a
snapshot; ``commit`` finds, decides and writes under the counter's lock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from hub.domain import edxml, places
from hub.domain.delivery import (
    ANSWER,
    FROM_SENDER,
    PROCESSING,
    TRANSPORT,
    Ask,
    Effect,
    Move,
    Status,
    Transport,
    can_withdraw,
    effect,
)
from hub.domain.document import StatusReport, read_date, read_timestamp
from hub.domain.signature import Signed, verify
from hub.errors import Refusal
from hub.exchange import asking, change, meant
from hub.exchange.examine import Submission, acting_system, contradictions, judged, may_speak
from hub.exchange.meant import Found
from hub.exchange.reported import Part, Prepared, record
from hub.exchange.writer import Stale, Transaction, each, together
from hub.store import deliveries, documents
from hub.store.deliveries import Delivery
from hub.store.roster import Roster

PACKET_LIMIT = 256 * 1024  # bytes: a status has no attachments, and lies in its row
DESCRIPTION_LIMIT = 1000  # characters: what software in the field lets a clerk write


@dataclass(frozen=True, slots=True)
class Reported:
    """The answer; ``new`` is False for a repeat. ``receipt``: None only of one taken by a program before receipts."""

    new: bool
    body: dict[str, Any]
    receipt: str | None


def prepare(packet: bytes, submission: Submission, roster: Roster, now: datetime) -> Prepared:
    """Every check that needs no stored document. Raises one refusal naming all violations."""
    system = acting_system(roster, submission.system_id)
    if len(packet) > PACKET_LIMIT:
        raise Refusal("too-large", facts={"limit": PACKET_LIMIT})
    tree = edxml.parse(packet, submission.limits)
    found: list[Refusal] = []
    result = None
    try:
        result = verify(tree, sha1=system.sha1)
    except Refusal as refusal:
        found.append(refusal)
    report = edxml.read_status(result.tree if isinstance(result, Signed) else tree)
    sender = roster.directory.resolve(report.sender.organ_id)
    found.extend(_incomplete(report))
    stated_at = read_timestamp(report.timestamp)
    if report.timestamp and stated_at is None:
        found.append(_bad_timestamp(report.timestamp))
    if report.status and report.status not in PROCESSING:
        found.append(_unknown_code(report.status))
    verdict = None
    if sender:
        if foreign := _may_report(roster, submission.system_id, sender, now):
            found.append(foreign)
        found.extend(contradictions(roster, system, submission.stated, sender, ()))
        if result is not None:
            try:
                verdict = judged(roster, system, result, sender, now)
            except Refusal as refusal:
                found.append(refusal)
    if found or verdict is None or stated_at is None:
        raise Refusal(
            found[0].code, facts=found[0].facts, violations=[v for refusal in found for v in refusal.violations]
        )
    sha256 = hashlib.sha256(packet).hexdigest()
    return Prepared(submission, roster.version, sha256, report, verdict, sender, stated_at)


def _may_report(roster: Roster, system_id: str, sender: str, now: datetime) -> Refusal | None:
    """Besides the nearest system, the one that fetched a delivery may report on it: known only to ``commit``.

    So here a system passes when it stands anywhere above the agency; ``commit`` looks at the delivery itself.
    """
    system = roster.systems[system_id]
    if system.code in roster.directory.chain(sender):
        return None
    return may_speak(roster, system, sender, now)


def _incomplete(report: StatusReport) -> list[Refusal]:
    needed = {
        "sender": report.sender.organ_id,
        "status": report.status,
        "timestamp": report.timestamp,
        "document_id": report.response_for.document_id or report.response_for.code,
    }
    missing = [places.REPORT[field] for field, value in needed.items() if not value]
    found = [
        Refusal("status-field-missing", place, facts={"field": place.removeprefix("MessageHeader/")})
        for place in missing
    ]
    if len(report.description) > DESCRIPTION_LIMIT:
        facts = {"field": "Description", "length": len(report.description), "limit": DESCRIPTION_LIMIT}
        found.append(Refusal("status-field-long", places.REPORT["description"], report.description, facts))
    if report.status == Status.REFUSED and not report.description:
        found.append(Refusal("status-reason-missing", places.REPORT["description"]))
    return found


def _bad_timestamp(text: str) -> Refusal:
    day = read_date(text.split(" ")[0].replace("-", "/").split("T")[0])
    repaired = f"{day:%Y/%m/%d} 00:00:00" if day else "yyyy/MM/dd HH:mm:ss"
    return Refusal("status-timestamp", places.REPORT["timestamp"], text, {"found": text[:60], "repaired": repaired})


def _unknown_code(code: str) -> Refusal:
    facts = {"status": code[:20], "allowed": ", ".join(PROCESSING)}
    return Refusal("status-code-unknown", places.REPORT["status"], code, facts)


@together
def commit(tx: Transaction, jobs: list[Prepared]) -> list[Reported | Refusal | Stale]:
    """Apply reports, each whole or not at all."""
    tx.at("report-begin")
    results: list[Reported | Refusal | Stale] = []
    for plain, some in groupby(jobs, key=lambda job: job.report.status not in (*FROM_SENDER, *ANSWER)):
        results += (_progresses if plain else _on_requests)(tx, list(some))
    tx.decided.at("report-written")
    return results


def _progresses(tx: Transaction, jobs: list[Prepared]) -> list[Reported | Refusal | Stale]:
    """01–06. What they mean is found for all of them before the first is applied: none moves what another means."""
    if tx.decided.reports:
        tx.write()  # one of these may be a repeat of them
    known = meant.received(tx, ((job.sender, job.report) for job in jobs))
    found_or_not: list[list[Found] | Refusal | Stale] = []
    for job in jobs:
        try:
            found_or_not.append(_find(tx, job, known))
        except (Refusal, Stale) as refused:
            found_or_not.append(refused)
    pairs = [(job, found) for job, found in zip(jobs, found_or_not, strict=True) if isinstance(found, list)]
    answers = documents.answers_by_repeat_key(tx.earlier, [_repeat_key(job, found[0]) for job, found in pairs])
    latest = {pair.delivery.id: pair.delivery for _, found in pairs for pair in found}
    change.look_up(tx, latest.values())
    results: list[Reported | Refusal | Stale] = []
    for job, found in zip(jobs, found_or_not, strict=True):
        if not isinstance(found, list):
            results.append(found)
            continue
        now = [replace(pair, delivery=latest[pair.delivery.id]) for pair in found]
        try:
            reported, parts = _apply(tx, job, now, answers)
        except Refusal as refused:  # before anything was changed
            results.append(refused)
            continue
        latest |= {part.delivery.id: part.delivery for part in parts}
        results.append(reported)
    return results


@each
def _on_requests(tx: Transaction, job: Prepared) -> Reported:
    """13, 15 and 16."""
    found = _find(tx, job)
    answers = documents.answers_by_repeat_key(tx.connection, [_repeat_key(job, found[0])])
    return _apply(tx, job, found, answers)[0]


def _find(tx: Transaction, job: Prepared, known: meant.Received | None = None) -> list[Found]:
    if job.version != tx.roster.version:
        raise Stale
    return meant.find(tx, job.submission.system_id, job.sender, job.report, known)


def _apply(
    tx: Transaction, job: Prepared, found: list[Found], answers: dict[str, dict[str, Any]]
) -> tuple[Reported, list[Part]]:
    """One report; ``answers`` to those before it, by their repeat keys, get its own."""
    key = _repeat_key(job, found[0])
    if key in answers:
        first = answers[key]
        receipt = change.receipt_of(tx, first["id"])
        return Reported(False, first, receipt), []
    report_id = tx.new_id()
    code = job.report.status
    if code in FROM_SENDER:
        parts = _take_back(tx, job, found, report_id)
    elif code in ANSWER:
        parts = _answer(tx, job, found, report_id)
    else:
        parts = _progress(tx, job, found, report_id)
    answers[key] = record(tx, job, key, report_id, found, parts)
    return Reported(True, answers[key], tx.receipts[report_id]), parts


def _repeat_key(job: Prepared, found: Found) -> str:
    """Equal in From, document, code, Timestamp and Description: the same report again, however it names them."""
    document = found.document
    parts = [
        job.sender, found.delivery.recipient, document["sender"], document["document_id"], document["year"],
        job.report.status, job.report.timestamp, job.report.description,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def _progress(tx: Transaction, job: Prepared, found: list[Found], report_id: str) -> list[Part]:
    """01–06: each packet by its own row; 02 for the newest fetched only."""
    code = job.report.status
    if code == Status.REFUSED:
        fetched = [pair for pair in found if pair.delivery.fetched]
        found = fetched[:1] or found[:1]
    parts: list[Part] = []
    refused: list[Refusal] = []
    for pair in found:
        delivery = pair.delivery
        try:
            result = effect(code, delivery.status, fetched=delivery.fetched, open_requests=0)
        except Refusal as refusal:
            refused.append(refusal)
            continue
        by = job.submission.system_id
        if Move.DONE in TRANSPORT[delivery.state]:
            delivery = change.move(tx, delivery, Move.DONE, by=by, report_id=report_id)
        if result is Effect.MOVES:
            delivery = change.set_status(
                tx, delivery, Status(code), by=by, report_id=report_id, detail=job.report.description
            )
        parts.append(Part(delivery, result, result in {Effect.MOVES, Effect.HANDED_ON}))
    if not parts:
        raise refused[0]
    return parts


def _answer(tx: Transaction, job: Prepared, found: list[Found], report_id: str) -> list[Part]:
    """15 and 16: what the newest asking packet asks, of those that are named or ask about the document named."""
    code, by = job.report.status, job.submission.system_id
    by_delivery = {pair.delivery.id: pair.delivery for pair in found}
    asked = deliveries.open_requests_by(tx.connection, [pair.document["id"] for pair in found])
    recipient = found[0].delivery.recipient
    concerned = {d.id: d for d in _deliveries(tx, [row["delivery_id"] for row in asked]) if d.recipient == recipient}
    asked = [row for row in asked if row["delivery_id"] in concerned]
    asked += deliveries.open_requests(tx.connection, list(by_delivery))
    if not asked:
        last = found[0].delivery
        effect(code, last.status, fetched=last.fetched, open_requests=0)  # raises, naming what is allowed
    # What the recipient has not fetched it cannot mean, unless nothing else is open.
    askers = {own.id: own for own in _deliveries(tx, [row["asking_delivery_id"] for row in asked])}
    seen = [row for row in asked if askers[row["asking_delivery_id"]].fetched] or asked
    _, newest = max((row["seq"], row["asking_delivery_id"]) for row in seen)
    requests = {row["id"]: row for row in asked if row["asking_delivery_id"] == newest}.values()
    parts = []
    asked_about = [(row, concerned.get(row["delivery_id"]) or by_delivery[row["delivery_id"]]) for row in requests]
    fetched = [(row, delivery) for row, delivery in asked_about if delivery.fetched]
    for row, delivery in fetched or asked_about:  # what was never fetched is not answered for: its request stays open
        effect(code, delivery.status, fetched=delivery.fetched, open_requests=1)
        if Move.DONE in TRANSPORT[delivery.state]:
            delivery = change.move(tx, delivery, Move.DONE, by=by, report_id=report_id)
        outcome = "agreed" if code == "15" else "refused"
        deliveries.close_requests(tx.connection, [row["id"]], outcome, tx.now)
        after = ANSWER[code][Ask(row["ask"])]
        if after is not None:
            delivery = change.set_status(tx, delivery, after, by=by, report_id=report_id, detail=job.report.description)
        parts.append(Part(delivery, Effect.ANSWERS, True))
    own = askers[newest]
    if own.fetched and Move.DONE in TRANSPORT[own.state]:  # unfetched it stays: its files are still to be handed over
        change.move(tx, own, Move.DONE, by=by, detail=code, report_id=report_id)
    return parts


def _deliveries(tx: Transaction, ids: Iterable[str]) -> list[Delivery]:
    return list(deliveries.some(tx.connection, set(ids)).values())


def _take_back(tx: Transaction, job: Prepared, found: list[Found], report_id: str) -> list[Part]:
    """13: what was never fetched is withdrawn unseen; about the rest a request is opened by :func:`record`."""
    parts: list[Part] = []
    refused: list[Refusal] = []
    for pair in found:
        delivery = pair.delivery
        try:
            if delivery.state is Transport.WITHDRAWN:
                raise Refusal("delivery-final", facts={"state": delivery.state.value})
            effect("13", delivery.status, fetched=delivery.fetched, open_requests=0)
        except Refusal as refusal:
            refused.append(refusal)
            continue
        if can_withdraw(delivery.state, fetched=delivery.fetched):
            (delivery,) = asking.withdraw(tx, [delivery], detail=job.report.description, report_id=report_id)
            parts.append(Part(delivery, Effect.ASKS, False))
        else:
            parts.append(Part(delivery, Effect.ASKS, True))
    if not parts:
        raise refused[0]
    return parts
