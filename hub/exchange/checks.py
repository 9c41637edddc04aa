"""Every check of a document packet that needs no earlier document: on a roster's snapshot, at one moment, writing
nothing. What passes is decided and written by ``hub.exchange.accept``.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from hub.domain import duplicates, edxml, numbering, rules
from hub.domain.document import Document, Kind, content_digest, local_day, read_date
from hub.domain.duplicates import Target
from hub.domain.references import Reference, references
from hub.domain.search import fold
from hub.domain.signature import Signed, verify
from hub.errors import Refusal, Severity, Violation
from hub.exchange.examine import Submission, acting_system, contradictions, judged, may_speak
from hub.store.roster import Roster


class Recipient(NamedTuple):
    """Whom a packet names: the resolved code, the code as written, and the system that receives."""

    code: str
    addressed: str
    system_id: str


class Prepared(NamedTuple):  # it travels from process to process faster than a dataclass
    """What accepting needs of a packet that broke no rule on the roster of ``version``."""

    version: int
    sha256: str  # of the packet, hex
    kind: Kind
    sender: str
    document_id: str
    year: int
    digest: str
    identity: str
    business: str
    own_number: bool
    urgent: bool
    standing: str
    signer: str
    fingerprint: str
    recipients: tuple[Recipient, ...]
    targets: tuple[tuple[Target, ...], ...]
    references: tuple[Reference, ...]
    warnings: tuple[Violation, ...]
    columns: dict[str, Any]  # what else the document's row says


@dataclass(frozen=True, slots=True)
class Checked:
    """A packet ready to be accepted. It lies at ``place`` in the payload store, or as ``body`` in its row."""

    submission: Submission
    prepared: Prepared
    place: str | None
    body: bytes | None = field(repr=False)


def prepare(packet: bytes, submission: Submission, roster: Roster, now: datetime) -> Prepared:
    """Every check that needs no earlier document. Raises one refusal that names all violations."""
    system = acting_system(roster, submission.system_id)
    found: list[Refusal] = []
    tree = edxml.parse(packet, submission.limits)
    result = None
    try:
        result = verify(tree, sha1=system.sha1)
    except Refusal as refusal:
        found.append(refusal)
    document = edxml.read_document(result.tree if isinstance(result, Signed) else tree, submission.limits)
    sender = roster.directory.resolve(document.sender.organ_id)
    if foreign := may_speak(roster, system, sender, now):
        found.append(foreign)
    addressed = [organization.organ_id for organization in document.recipients]
    found.extend(contradictions(roster, system, submission.stated, sender, addressed))
    verdict = None
    if result is not None and sender:
        try:
            verdict = judged(roster, system, result, sender, now)
        except Refusal as refusal:
            found.append(refusal)
    broken = rules.check(document, rules.Facts(roster.directory, local_day(now), submission.limits))
    errors = [v for v in broken if v.severity is Severity.ERROR]
    warnings = [v for v in broken if v.severity is Severity.WARNING]
    year = document.year
    if found or errors or verdict is None or year is None:
        first = found[0] if found else Refusal("packet-refused", violations=errors)
        raise Refusal(
            first.code,
            facts=first.facts,
            violations=[*(v for refusal in found for v in refusal.violations), *errors],
            extra={"warnings": [asdict(v) for v in warnings]},
        )
    issuer = numbering.issuer(document, roster.directory)
    document_id = numbering.canonical_document_id(document.document_id)
    digest = content_digest(document)
    urgent = document.priority.isdigit() and int(document.priority) > 0  # 0 normal, 1-3 increasing
    return Prepared(
        version=roster.version,
        sha256=hashlib.sha256(packet).hexdigest(),
        kind=document.kind,
        sender=sender,
        document_id=document_id,
        year=year,
        digest=digest,
        identity=numbering.packet_identity(sender, document_id, year, document.kind, digest),
        business=numbering.business_identity(sender, issuer.code, year, document.number, document.symbol),
        # The Government Office numbers what the Prime Minister and the Government issue.
        own_number=issuer.code == sender or (issuer.code in {"TTg", "CP"} and sender == "G22"),
        urgent=urgent,
        standing=verdict.standing.value,
        signer=verdict.owner,
        fingerprint=verdict.fingerprint,
        recipients=_recipients(document, roster, now),
        targets=duplicates.targets(document),
        references=references(document, roster.directory, sender),
        warnings=(*verdict.warnings, *warnings),
        columns={
            "issuer": issuer.code,
            "issuer_basis": issuer.basis,
            "number": numbering.plain_number(document.number),
            "symbol": numbering.plain_symbol(document.symbol),
            "promulgated_on": read_date(document.promulgation_date),
            "due_on": read_date(document.due_date),
            "type_name": document.type_name,
            "subject": document.subject,
            "search": _search_text(document, roster),
        },
    )


def _search_text(document: Document, roster: Roster) -> str:
    parts = [
        document.subject, document.content, document.type_name, f"{document.number}/{document.symbol}",
        document.document_id, document.sender.name, roster.directory.name_of(document.sender.organ_id), document.signer,
        *(attachment.name for attachment in document.attachments),
    ]  # fmt: skip
    return fold("\n".join(part for part in parts if part))


def _recipients(document: Document, roster: Roster, now: datetime) -> tuple[Recipient, ...]:
    """To, each agency once under the code it was first addressed by."""
    found: dict[str, Recipient] = {}
    today = local_day(now)
    for organization in document.recipients:
        code = roster.directory.resolve(organization.organ_id)
        route = roster.directory.recipient(organization.organ_id, today)
        if not isinstance(route, str):
            found.setdefault(code, Recipient(code, organization.organ_id, route.system.id))
    return tuple(found.values())
