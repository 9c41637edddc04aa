"""Every check of a document packet that needs no earlier document: on a roster's snapshot, at one moment, writing
nothing. What passes is decided and written by ``hub.exchange.accept``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime

from hub.domain import edxml, numbering, rules
from hub.domain.document import Document, content_digest, local_day
from hub.domain.signature import Signed, Unsigned, Verdict, verify
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
class Read:
    """A packet read and its signature verified: what needs no directory, and is never done twice."""

    submission: Submission
    sha1: bool  # whether SHA-1 was allowed
    document: Document
    result: Signed | Unsigned | None
    refusal: Refusal | None  # of the signature


@dataclass(frozen=True, slots=True)
class Prepared:
    """A packet that broke no rule on the roster of ``version``."""

    read: Read
    version: int
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

    @property
    def submission(self) -> Submission:
        return self.read.submission

    @property
    def document(self) -> Document:
        return self.read.document


def prepare(submission: Submission, roster: Roster, now: datetime) -> Prepared:
    """Every check that needs no earlier document. Raises one refusal that names all violations."""
    system = acting_system(roster, submission.system_id)
    return checked(_read(submission, system.sha1), roster, now)


def _read(submission: Submission, sha1: bool) -> Read:
    tree = edxml.parse(submission.packet, submission.limits)
    result, refused = None, None
    try:
        result = verify(tree, sha1=sha1)
    except Refusal as refusal:
        refused = refusal
    document = edxml.read_document(result.tree if isinstance(result, Signed) else tree, submission.limits)
    return Read(submission, sha1, document, result, refused)


def checked(read: Read, roster: Roster, now: datetime) -> Prepared:
    """What a directory decides about a packet; quick enough to be asked again under the writer's lock.

    Raises one refusal that names all violations.
    """
    submission, document, result = read.submission, read.document, read.result
    system = acting_system(roster, submission.system_id)
    if system.sha1 != read.sha1:
        return checked(_read(submission, system.sha1), roster, now)
    found = [read.refusal] if read.refusal else []
    sender = roster.directory.resolve(document.sender.organ_id)
    if foreign := may_speak(roster, system, sender, now):
        found.append(foreign)
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
    return Prepared(
        read=read,
        version=roster.version,
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
