"""Inspection: what the signatures of accepted packets and of the PDF files in them are worth, found after acceptance.

Acceptances are taken up in the order of the evidence log, so accepting them costs nothing more. One process at a time
has the turn, renewed before each file; who takes over repeats what was not written. What is found is kept with the
certificates, CRLs and answers it was found from, so that it can be found again.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection, RowMapping

from hub.domain import edxml
from hub.domain.document import Attachment
from hub.domain.signature import fingerprint
from hub.domain.trust import Validation
from hub.errors import Refusal
from hub.exchange import trust
from hub.exchange.desk import Desk
from hub.pdf import Asked, Examination, Examiner, as_plain
from hub.store import examinations
from hub.store.engine import reading, temporary, writing
from hub.store.ids import chance
from hub.store.roster import Roster, certificates_of

log = structlog.get_logger()
_EVERY = 1.0  # seconds between two looks
_AT_ONCE = 8  # acceptances in one turn
_LOOKED_AT = 200  # entries of the log
_TURN = timedelta(minutes=1)  # more than one file may take
UNEXAMINED = "UNEXAMINED"
_MARKS = (b".pdf", b".PDF", b"application/pdf", b"JVBERi0")  # names, types, and %PDF- in Base64: what may be a PDF
_HEADER_WITHIN = 1024  # bytes, as readers have it


@dataclass(frozen=True, slots=True)
class _Accepted:
    document_id: str
    sha256: str
    sender: str


class LostError(Exception):
    """Another process has the turn now."""


class Inspector:
    """One process's turns at it."""

    def __init__(self, desk: Desk, examiner: Examiner) -> None:
        self._desk, self._examiner = desk, examiner
        self._name = chance(16)

    async def keep(self) -> None:
        """Looks again and again."""
        while True:
            try:
                while await self.once():
                    pass
            except Exception as fault:
                if temporary(fault) is None and not isinstance(fault, Refusal):
                    log.exception("inspection-fault")
            await asyncio.sleep(_EVERY)

    async def once(self) -> int:
        """Examine the next acceptances; gives how many entries of the log are behind that."""
        place, after, accepted = await asyncio.to_thread(self._claimed)
        rows: list[dict[str, Any]] = []
        material: dict[str, bytes] = {}
        for each in accepted:
            try:
                rows += await self._inspect(each, place, material)
            except LostError:
                return 0
            except Exception as fault:
                if temporary(fault) is not None or (isinstance(fault, Refusal) and fault.problem.temporary):
                    raise
                log.exception("inspection-fault", document=each.document_id)  # and go on with the others
        if after > place:
            await asyncio.to_thread(self._write, place, after, rows, material)
        return after - place

    def _claimed(self) -> tuple[int, int, list[_Accepted]]:
        with reading(self._desk.engine) as connection:
            place, entries = examinations.next_accepted(connection, _LOOKED_AT)
        if not entries or not self._holds(place):
            return place, place, []
        after, accepted = place, list[_Accepted]()
        for entry in entries:
            if len(accepted) == _AT_ONCE:
                break
            after = entry["leaf_index"] + 1
            if entry["kind"] == "accept":
                body = entry["body"]
                accepted.append(_Accepted(entry["document_id"], body["sha256"], body["sender"]))
        return place, after, accepted

    def _holds(self, place: int) -> bool:
        """Take the turn, or keep it for as long again."""
        now = self._desk.clock()
        with writing(self._desk.engine) as connection:
            return examinations.claim(connection, place, self._name, now, now + _TURN)

    def _write(self, before: int, after: int, rows: list[dict[str, Any]], material: dict[str, bytes]) -> None:
        with writing(self._desk.engine) as connection:
            if examinations.settle(connection, before, after, self._name):
                examinations.add(connection, rows, material)

    async def _inspect(self, accepted: _Accepted, place: int, material: dict[str, bytes]) -> list[dict[str, Any]]:
        found = await asyncio.to_thread(self._opened, accepted)
        if found is None:
            return []
        packet, asked, validation, files = found
        rows = []

        def keep(octets: bytes) -> str:
            sha256 = hashlib.sha256(octets).hexdigest()
            material[sha256] = octets
            return sha256

        if validation is not None:
            detail = as_plain(validation, keep)
            rows.append(_row(packet, 0, "", packet["sha256"], validation.verdict.value, detail, self._desk.clock()))
        for number, file in files:
            if not await asyncio.to_thread(self._holds, place):
                raise LostError
            judged = await self._examiner.examine(file.content, asked)
            sha256 = hashlib.sha256(file.content).hexdigest()
            verdict = judged.verdict.value if isinstance(judged, Examination) else UNEXAMINED
            detail = as_plain(judged, keep)
            rows.append(_row(packet, number, file.name, sha256, verdict, detail, self._desk.clock()))
        return rows

    def _opened(
        self, accepted: _Accepted
    ) -> tuple[RowMapping, Asked, Validation | None, list[tuple[int, Attachment]]] | None:
        """The packet, what to ask of its files, what its signer's certificate is worth; None for one that is gone."""
        desk, limits = self._desk, self._desk.terms.limits
        roster = desk.rosters.current()
        with reading(desk.engine) as connection:
            row = examinations.packet_of(connection, accepted.document_id, accepted.sha256)
            if row is None or row["place"] == "":
                return None
            store = trust.read(connection)
            validation = _validation(connection, roster, store, accepted.sender, row)
            asked = _asked(connection, roster, store, accepted.sender, row)
        octets = row["body"] if row["place"] is None else desk.payloads.get(row["place"])
        if not any(mark in octets for mark in _MARKS):
            return row, asked, validation, []
        document = edxml.read_document(edxml.parse(octets, limits), limits)
        files = [(number, file) for number, file in enumerate(document.attachments, 1) if _is_pdf(file)]
        return row, asked, validation, files


def _is_pdf(file: Attachment) -> bool:
    named = file.name.lower().endswith(".pdf") or file.content_type.lower() == "application/pdf"
    return named or b"%PDF-" in file.content[:_HEADER_WITHIN]


def _validation(
    connection: Connection, roster: Roster, store: trust.TrustStore, sender: str, packet: RowMapping
) -> Validation | None:
    """What the certificate was worth when the packet came; None where it was registered alone, and no root is known."""
    if not packet["fingerprint"] or not store.anchors:
        return None
    registered = certificates_of(connection, [packet["signer"]])
    ders = [row["der"] for row in registered if row["fingerprint"] == packet["fingerprint"]]
    if not ders:
        return None
    certificate = x509.load_der_x509_certificate(ders[0])
    names = _names(roster, packet["signer"]) + _names(roster, sender)
    return trust.judge(connection, certificate, packet["received_at"], agency=names)


def _row(
    packet: RowMapping, part: int, name: str, sha256: str, verdict: str, detail: dict[str, Any], at: Any
) -> dict[str, Any]:
    return {
        "packet_id": packet["id"], "part": part, "document_id": packet["document_id"], "name": name, "sha256": sha256,
        "verdict": verdict, "detail": detail, "at": at,
    }  # fmt: skip


def _names(roster: Roster, code: str) -> tuple[str, ...]:
    try:
        return trust.names_of(roster.directory, code)
    except Refusal:  # a unit below a platform need not be listed
        return (code,)


def _asked(connection: Connection, roster: Roster, store: trust.TrustStore, sender: str, packet: RowMapping) -> Asked:
    known: dict[str, tuple[Literal["agency", "person"], str]] = {
        one: ("agency", rows[0].code) for one, rows in roster.certificates.items()
    }
    known |= {fingerprint(one): ("person", code) for code, persons in store.persons.items() for one in persons}
    return Asked(
        received=packet["received_at"],
        anchors=tuple(map(_der, store.anchors)),
        intermediates=tuple(map(_der, store.intermediates)),
        revocation=trust.about_authorities(connection, store),
        known=known,
        agency=sender,
        names=_names(roster, sender),
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
