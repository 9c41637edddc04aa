"""Which packets of which document a status packet means (exchange rules 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.domain import numbering, places
from hub.domain.delivery import FROM_SENDER
from hub.domain.document import DocumentRef, Kind, StatusReport, read_date
from hub.errors import Refusal
from hub.exchange.examine import may_speak
from hub.exchange.writer import Transaction
from hub.store import deliveries
from hub.store.deliveries import Delivery


@dataclass(frozen=True, slots=True)
class Found:
    """One packet of the document at the recipient: its row and its delivery."""

    document: Any
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Who reports: an agency by a system, as the document's sender (13) or as its recipient."""

    system_id: str
    agency: str
    is_sender: bool


Received = Mapping[tuple[str, str], list[Found]]  # by canonical DocumentId and recipient, newest first


def received(tx: Transaction, reports: Iterable[tuple[str, StatusReport]]) -> Received:
    """What agencies received by the ids that their reports name, looked up for all of them at once."""
    ids = ((agency, report.response_for.document_id) for agency, report in reports)
    pairs = [(numbering.canonical_document_id(named), agency) for agency, named in ids if named]
    found: dict[tuple[str, str], list[Found]] = {}
    for row, delivery in deliveries.received(tx.earlier, pairs) if pairs else ():
        pair = Found(row, tx.decided.latest(delivery))
        found.setdefault((row["document_id"], delivery.recipient), []).append(pair)
    return found


def find(
    tx: Transaction, system_id: str, agency: str, report: StatusReport, known: Received | None = None
) -> list[Found]:
    """The packets meant, newest first: by DocumentId, by number and year only when no id resolves.

    ``known``: what :func:`received` gave for this report, of a recipient, and others.
    Raises ``status-document-unknown``, ``status-ambiguous``, ``not-your-agency``.
    """
    ref = report.response_for
    speaker = _Speaker(system_id, agency, report.status in FROM_SENDER)
    found: list[Found] = []
    if ref.document_id:
        document_id = numbering.canonical_document_id(ref.document_id)
        if known is None:
            found = _between(tx, speaker, document_id=document_id)
        else:
            found = _spoken_for(tx, speaker, known.get((document_id, agency), []))
    if not found:
        found = _by_number(tx, speaker, ref)
    if not found:
        if foreign := may_speak(tx.roster, tx.roster.systems[system_id], agency, tx.now):
            raise foreign
        raise Refusal("status-document-unknown", places.REPORT["document_id"], ref.document_id or ref.code)
    return _one_year(ref, _one_party(tx, ref, found, speaker))


def _by_number(tx: Transaction, speaker: _Speaker, ref: DocumentRef) -> list[Found]:
    day = read_date(ref.promulgation_date)
    if not ref.code or day is None:
        return []
    number, symbol = numbering.split_code(ref.code)
    return _between(tx, speaker, number=numbering.plain_number(number), symbol=symbol, year=day.year)


def _between(tx: Transaction, speaker: _Speaker, **document: str | int) -> list[Found]:
    """What this agency sent (or received) of the documents described, and its system may speak about, newest first.

    Of a broadcast each of thousands reports, and others may use the same id: only the agency's own rows are read.
    """
    party = {"sender": speaker.agency} if speaker.is_sender else {"recipient": speaker.agency}
    pairs = [Found(row, delivery) for row, delivery in deliveries.of_described(tx.connection, document, **party)]
    return _spoken_for(tx, speaker, pairs)


def _spoken_for(tx: Transaction, speaker: _Speaker, pairs: list[Found]) -> list[Found]:
    """Of the agency's own rows those that its system may speak about."""
    if speaker.is_sender:
        pairs = [pair for pair in pairs if pair.document["kind"] != Kind.REVOCATION]
    system = tx.roster.systems[speaker.system_id]
    if may_speak(tx.roster, system, speaker.agency, tx.now) is not None:
        # Not the nearest system: only what it fetched itself is still its own to report on (exchange rules 2).
        pairs = [p for p in pairs if not speaker.is_sender and p.delivery.system_id == system.id and p.delivery.fetched]
    return pairs


def _one_party(tx: Transaction, ref: DocumentRef, found: list[Found], speaker: _Speaker) -> list[Found]:
    """ResponseFor/OrganId names the other party; missing or fitting none, the only one counts."""

    def other(pair: Found) -> str:
        return pair.delivery.recipient if speaker.is_sender else str(pair.document["sender"])

    parties = {other(pair) for pair in found}
    named = tx.roster.directory.resolve(ref.organ_id)
    if named not in parties and len(parties) > 1:
        raise Refusal("status-ambiguous", places.REPORT["organ_id"], ref.organ_id, {"needed": "ResponseFor/OrganId"})
    party = named if named in parties else parties.pop()
    return [pair for pair in found if other(pair) == party]


def _one_year(ref: DocumentRef, found: list[Found]) -> list[Found]:
    years = {pair.document["year"] for pair in found}
    if len(years) == 1:
        return found
    day = read_date(ref.promulgation_date)
    if day is None or day.year not in years:
        raise Refusal(
            "status-ambiguous",
            places.REPORT["promulgation_date"],
            ref.promulgation_date,
            {"needed": "ResponseFor/PromulgationDate: " + ", ".join(str(year) for year in sorted(years))},
        )
    return [pair for pair in found if pair.document["year"] == day.year]
