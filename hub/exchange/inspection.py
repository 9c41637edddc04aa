"""Inspection: what the signatures of accepted packets and of the PDF files in them are worth, found after acceptance.

Acceptances are taken up in the order of the evidence log, so accepting them costs nothing more. All of it happens in a
thread of its own, most of it in the examiner's process, and what was found is written by the writer with whatever else
it writes. It is kept with the certificates, CRLs and answers it was found from, so that it can be found again.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping

from hub.errors import Refusal
from hub.exchange.desk import Desk
from hub.exchange.grounds import Grounds, names_of
from hub.exchange.writer import Transaction, each
from hub.pdf import Examiner, Report, Signer, Unexamined, unexamined
from hub.store import examinations
from hub.store.engine import reading, temporary
from hub.store.ids import new_id
from hub.store.payloads import place_of
from hub.store.roster import Roster, certificates_of
from hub.store.trust import has_root

log = structlog.get_logger()
_EVERY = 1.0  # seconds between two looks
_AT_ONCE = 200  # acceptances in one look
_UNWRITTEN = 1.0  # seconds that what was found may wait to be written with what comes next
_AFTER_A_FAULT = 5.0  # seconds until the next look
_WITHOUT_TURN = 10.0  # seconds until the next try to get it
_ONE_ALONE = 600.0  # seconds in which a packet can be read no time, until it alone is given up
_MOST_KEPT = 16 << 20  # bytes of what the verdicts on one packet's files rest on; CRLs of several authorities
_MOST_TOLD = 1 << 20  # bytes of their details
_NO_PDF = unexamined("not a PDF").report


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part of a packet: 0, the packet itself, or its n-th attachment."""

    part: int
    name: str
    sha256: str
    verdict: str
    detail: str  # JSON
    material: dict[str, bytes]
    at: datetime


@dataclass(frozen=True, slots=True)
class Inspected:
    """An acceptance that was looked at; ``after`` is the place in the log to go on from."""

    after: int
    document_id: str
    packet_id: str = ""
    sha256: str = ""  # of the packet
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Settlement:
    """What was found of the acceptances from ``before`` on, in their order."""

    before: int
    inspected: Sequence[Inspected]


@each
def settle(tx: Transaction, job: Settlement) -> bool:
    """Keep what was found, and go on from behind it; False, and nothing is written, where another has gone on."""
    if not examinations.settle(tx.connection, job.before, job.inspected[-1].after):
        return False
    rows, material = list[dict[str, Any]](), {}
    for one in job.inspected:
        for found in one.findings:
            rows.append(
                {
                    "packet_id": one.packet_id, "part": found.part, "document_id": one.document_id, "name": found.name,
                    "sha256": found.sha256, "verdict": found.verdict, "detail": found.detail, "at": found.at,
                }
            )  # fmt: skip
            material[one.packet_id, found.part] = found.material
    if rows:
        examinations.add(tx.connection, rows, material)
    return True


class LostError(Exception):
    """Another process has gone on from the same place."""


class Inspector:
    """One process's part in it: a context manager that works in a thread meanwhile."""

    def __init__(self, desk: Desk, examiner: Examiner) -> None:
        self._desk, self._examiner, self._grounds = desk, examiner, Grounds(desk.engine, examiner)
        self._turn = examinations.Turn(desk.engine)
        self._place = 0
        self._passed = 0, ""  # up to where there was nothing to do, and the entry before that place
        self._unreadable = 0, 0.0  # the place that could not be read, and since when
        self._found: list[Inspected] = []
        self._since = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="inspector", daemon=True)

    def __enter__(self) -> Inspector:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._over.set()
        self._examiner.close()
        self._thread.join()

    def _keep(self) -> None:
        while not self._over.wait(_EVERY):
            try:
                if not self._turn.is_held():
                    self._over.wait(_WITHOUT_TURN)
                    continue
                while self.once() and not self._over.is_set() and self._turn.is_held():
                    pass
            except Exception as fault:
                if self._over.is_set():
                    break
                if temporary(fault) is None:  # it is tried again all the same: nothing is passed by
                    log.exception("inspection-fault")
                self._over.wait(_AFTER_A_FAULT)
        self._turn.give_up()

    def once(self) -> int:
        """Examine the next acceptances; gives how many.

        Raises OSError, MemoryError and what the database raises. From the first that could not be examined on, all is
        tried again at the next look; what was found before it is written.
        """
        with reading(self._desk.engine) as connection:
            self._place, end = examinations.places(connection)
            passed, last = self._passed
            if passed and examinations.entry(connection, passed - 1) != last:
                passed = 0  # another log: the database was restored, or a replica took over that had lost something
            start = max(self._place, passed)
            accepted = examinations.accepted(connection, start, end, _AT_ONCE) if start < end else []
            judging = bool(accepted) and has_root(connection)
            last = examinations.entry(connection, end - 1)
        if not accepted:
            self._passed = end, last  # in memory: hand-overs and statuses alone are no reason to write
            return 0
        self._found, self._since = [], time.monotonic()
        try:
            for one in accepted:
                if self._over.is_set():
                    break
                inspected = self._inspected(one, judging=judging)  # which may write what was found before
                self._found.append(inspected)
                if time.monotonic() - self._since > _UNWRITTEN:
                    self._write()
            self._write()
        except LostError:
            return 0
        except Exception:
            with suppress(LostError):
                self._write()  # of those before it: what holds this one up may do so for long
            raise
        return len(accepted)

    def _inspected(self, accepted: RowMapping, *, judging: bool) -> Inspected:
        """``judging``: the certificate of the packet too."""
        desk, after = self._desk, accepted["leaf_index"] + 1
        document_id = accepted["document_id"]
        roster = desk.rosters.current()
        with reading(desk.engine) as connection:
            packet = examinations.packet_of(connection, document_id, accepted["sha256"])
            if packet is None or packet["place"] == "":  # removed after its time, as its examination would be
                return Inspected(after, document_id)
            signer = _signer(connection, roster, packet, accepted["sender"]) if judging else None
        if signer is not None:
            self._grounds.tell(roster)
        try:
            findings = self._examined(packet, roster, accepted["sender"], signer)
        except Exception as fault:
            if _passes(fault):
                if not self._over.is_set():
                    log.warning("inspection-waits", document=document_id, why=str(fault))
                raise
            log.exception("inspection-fault", document=document_id)
            findings = [self._of_packet(packet["sha256"], unexamined("fault").report)]
        return Inspected(after, document_id, packet["id"], packet["sha256"], tuple(findings))

    def _examined(self, packet: RowMapping, roster: Roster, sender: str, signer: Signer | None) -> list[Finding]:
        desk, sha256 = self._desk, packet["sha256"]
        try:
            octets = packet["body"] if packet["place"] is None else desk.payloads.get(packet["place"])
        except FileNotFoundError:
            return [self._of_packet(sha256, unexamined("not kept").report)]
        except (OSError, Refusal):
            if not self._is_alone(packet["seq"]):
                raise
            return [self._of_packet(sha256, unexamined("not kept").report)]
        # Whatever its files take, what was found before does not wait for it.
        opened = self._examiner.open(octets, desk.terms.limits, signer, meanwhile=self._write)
        if isinstance(opened, Unexamined):
            return [self._of_packet(sha256, opened.report)]
        findings = [self._of_packet(sha256, opened.signer)] if opened.signer is not None else []
        kept, told = dict[str, bytes](), 0
        for file in opened.files:
            report = _NO_PDF
            if file.is_pdf:
                self._grounds.tell(roster)
                received, names = packet["received_at"], names_of(roster, sender)
                report = self._examiner.examine(file.part, received, sender, names)
            kept |= report.material
            found = self._finding(file.part, file.name, file.sha256, report)
            told += len(found.detail)
            if told > _MOST_TOLD or sum(map(len, kept.values())) > _MOST_KEPT:
                found = self._finding(file.part, file.name, file.sha256, unexamined("too much").report)
            findings.append(found)
        return findings

    def _is_alone(self, seq: int) -> bool:
        """Whether a packet could not be read for long although others can: then it holds up nobody any longer. Raises
        what writing raises while the store is away."""
        if self._unreadable[0] != seq:
            self._unreadable = seq, time.monotonic()
        if time.monotonic() - self._unreadable[1] < _ONE_ALONE:
            return False
        now = self._desk.clock()
        place = place_of(new_id(now), hashlib.sha256(b"").hexdigest(), now)
        self._desk.payloads.put(place, b"")
        self._desk.payloads.get(place)
        self._desk.payloads.remove(place)
        return True

    def _of_packet(self, sha256: str, report: Report) -> Finding:
        return self._finding(0, "", sha256, report)

    def _finding(self, part: int, name: str, sha256: str, report: Report) -> Finding:
        detail = json.dumps(report.detail, ensure_ascii=False)
        return Finding(part, name, sha256, report.verdict, detail, dict(report.material), self._desk.clock())

    def _write(self) -> None:
        """Write what was found. Raises LostError."""
        found, self._found, self._since = self._found, [], time.monotonic()
        if not found:
            return
        try:
            self._settle(found)
        except Exception as fault:
            if _passes(fault):
                raise
            for one in found:  # by itself, so that what one cannot be written by strikes no other
                try:
                    self._settle([one])
                except Exception as own:
                    if _passes(own) or not one.findings:
                        raise
                    log.exception("inspection-fault", document=one.document_id)
                    plain = self._of_packet(one.sha256, unexamined("fault").report)
                    self._settle([replace(one, findings=(plain,))])

    def _settle(self, found: list[Inspected]) -> None:
        if not self._desk.writer.run(settle, Settlement(self._place, found)):
            raise LostError
        self._place = found[-1].after


def _passes(fault: Exception) -> bool:
    if isinstance(fault, Refusal):
        return fault.problem.temporary
    return isinstance(fault, (LostError, OSError, MemoryError)) or temporary(fault) is not None


def _signer(connection: Connection, roster: Roster, packet: RowMapping, sender: str) -> Signer | None:
    """None where nobody signed."""
    registered = certificates_of(connection, [packet["signer"]]) if packet["fingerprint"] else []
    ders = [row["der"] for row in registered if row["fingerprint"] == packet["fingerprint"]]
    if not ders:
        return None
    names = tuple(dict.fromkeys((*names_of(roster, packet["signer"]), *names_of(roster, sender))))
    return Signer(ders[0], packet["received_at"], names)
