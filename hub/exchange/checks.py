"""Every check of a document packet that needs no earlier document: on a roster's snapshot, at one moment, writing
nothing. What passes is decided and written by ``hub.exchange.accept``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime

from hub.domain import edxml, numbering, rules
from hub.domain.document import Document, content_digest, local_day
from hub.domain.signature import Signed, Verdict, verify
from hub.errors import Refusal, Severity, Violation
from hub.exchange.examine import acting_system, judged, may_speak
from hub.store.roster import Roster


@dataclass(frozen=True, slots=True)
class Submission:
    """A packet as it came: ``place`` names it in the payload store when it is too large for a row."""

    packet: bytes = field(repr=False)
    sha256: str  # of the packet, hex
    system_id: str
    packet_id: str
    trace_id: str
    place: str | None = None
    limits: edxml.Limits = edxml.DEFAULT_LIMITS
    refuse_taken: bool = True  # a taken number refuses (exchange rules 4), or flags


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a packet names: the resolved code, the code as written, and the system that receives."""

    code: str
    addressed: str
    system_id: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A packet that broke no rule on the roster of ``version``."""

    submission: Submission
    version: int
    document: Document
    verdict: Verdict
    sender: str
    document_id: str
    year: int
    issuer: numbering.Issuer
    digest: str
    identity: str
    business: str
    own_number: bool
    recipients: tuple[Recipient, ...]
    warnings: tuple[Violation, ...]


def prepare(submission: Submission, roster: Roster, now: datetime) -> Prepared:
    """Every check that needs no earlier document. Raises one refusal that names all violations."""
    system = acting_system(roster, submission.system_id)
    found: list[Refusal] = []
    tree = edxml.parse(submission.packet, submission.limits)
    result = None
    try:
        result = verify(tree, sha1=system.sha1)
    except Refusal as refusal:
        found.append(refusal)
    document = edxml.read_document(result.tree if isinstance(result, Signed) else tree, submission.limits)
    sender = roster.directory.resolve(document.sender.organ_id)
    if foreign := may_speak(roster, system, sender, now):
        found.append(foreign)
    verdict = None
    if result is not None and sender:
        try:
            verdict = judged(roster, system, result, sender, now)
        except Refusal as refusal:
            found.append(refusal)
    checked = rules.check(document, rules.Facts(roster.directory, local_day(now), submission.limits))
    errors = [v for v in checked if v.severity is Severity.ERROR]
    warnings = [v for v in checked if v.severity is Severity.WARNING]
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
    return Prepared(
        submission=submission,
        version=roster.version,
        document=document,
        verdict=verdict,
        sender=sender,
        document_id=document_id,
        year=year,
        issuer=issuer,
        digest=digest,
        identity=numbering.packet_identity(sender, document_id, year, document.kind, digest),
        business=numbering.business_identity(sender, issuer.code, year, document.number, document.symbol),
        # The Government Office numbers what the Prime Minister and the Government issue.
        own_number=issuer.code == sender or (issuer.code in {"TTg", "CP"} and sender == "G22"),
        recipients=_recipients(document, roster, now),
        warnings=(*verdict.warnings, *warnings),
    )


def _recipients(document: Document, roster: Roster, now: datetime) -> tuple[Recipient, ...]:
    """To, each agency once under the code it was first addressed by."""
    found: dict[str, Recipient] = {}
    for organization in document.recipients:
        code = roster.directory.resolve(organization.organ_id)
        route = roster.directory.recipient(organization.organ_id, local_day(now))
        if not isinstance(route, str):
            found.setdefault(code, Recipient(code, organization.organ_id, route.system.id))
    return tuple(found.values())
