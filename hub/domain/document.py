"""What travels: a document with its attachments, and a report about its processing.

Values are as they stood in the packet (trimmed; NFC, file names excepted), so that a rule can name what it found;
``""`` means missing, empty or the text ``null`` (exchange rules 1). Dates read as dates through :func:`read_date`.
Element names do not occur here; ``hub.domain.edxml`` maps them.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum
from functools import lru_cache

VIETNAM = timezone(timedelta(hours=7), "+07:00")  # Asia/Ho_Chi_Minh has had no other offset since 1975


def local_day(moment: datetime) -> date:
    """ "Today" in Vietnam at a moment with a zone (exchange rules 1)."""
    return moment.astimezone(VIETNAM).date()


def local(moment: datetime) -> datetime:
    """In Vietnam's time; what has no end there (a certificate's last second of 9999, RFC 5280 4.1.2.5) ends with it."""
    try:
        return moment.astimezone(VIETNAM)
    except OverflowError:
        return datetime.max.replace(tzinfo=VIETNAM)


class Kind(IntEnum):
    """BussinessDocType of QCVN 102."""

    NEW = 0
    REVOCATION = 1
    UPDATE = 2
    REPLACEMENT = 3

    @property
    def word(self) -> str:
        """As JSON, queries and tables name it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Organization:
    """An agency as a packet names it (From, To)."""

    organ_id: str = ""
    in_charge: str = ""  # OrganizationInCharge: the superior body, not by itself the issuer
    name: str = ""
    address: str = ""
    email: str = ""
    telephone: str = ""
    fax: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """Another document, as ResponseFor names it. ``code`` is number/symbol in one text."""

    organ_id: str = ""
    code: str = ""
    document_id: str = ""
    promulgation_date: str = ""


@dataclass(frozen=True, slots=True)
class StaffInfo:
    """The clerk to ask. Personal data: never logged."""

    department: str = ""
    department_id: str = ""
    staff: str = ""
    staff_id: str = ""
    email: str = ""
    mobile: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One row of an update's ReceiverList."""

    organ_id: str = ""
    receiver_type: str = ""


@dataclass(frozen=True, slots=True)
class Replaced:
    """One ReplacementInfo: an earlier document, and the agencies for which it is replaced (empty: all of To)."""

    document_id: str
    organ_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Business:
    """What the packet asks for (Bussiness, sic)."""

    type: str = ""  # BussinessDocType as written
    reason: str = ""
    document_id: str = ""  # the updated document (kind 2)
    paper: str = ""
    document_info: str = ""
    document_receiver: str = ""
    receivers: tuple[Receiver, ...] = ()
    replaced: tuple[Replaced, ...] = ()
    staff: tuple[StaffInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """One system the packet passed."""

    organ_id: str = ""
    timestamp: str = ""


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """What the manifest declares of an attachment. ``content_id`` without any leading ``cid:``."""

    content_id: str = ""
    content_type: str = ""
    name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file.

    ``octets`` are the bytes after Base64 (what a signature's digest covers); ``content`` is the file itself: the
    same, or the single entry of the ZIP it was wrapped in (exchange rules 7). ``defect`` names the rule the bytes
    break (``attachment-base64``, ``attachment-zip``, ``attachment-zip-bomb``, ``attachment-zip-path``,
    ``attachment-empty``) or is empty.
    """

    content_id: str
    name: str
    octets: bytes = field(repr=False)
    content: bytes = field(repr=False)
    content_type: str = ""
    description: str = ""
    wrapped: bool = False
    defect: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Document:
    """A document packet's content."""

    sender: Organization
    recipients: tuple[Organization, ...]
    document_id: str = ""
    number: str = ""  # CodeNumber
    symbol: str = ""  # CodeNotation
    place: str = ""
    promulgation_date: str = ""
    type: str = ""
    type_detail: str = ""
    type_name: str = ""
    subject: str = ""
    content: str = ""
    competence: str = ""
    position: str = ""
    signer: str = ""
    due_date: str = ""
    priority: str = ""
    sphere: str = ""
    typer: str = ""
    copies: str = ""
    pages: str = ""
    direction: str = ""
    reply_fors: str = ""
    reference_codes: str = ""
    appendixes: tuple[str, ...] = ()
    response_for: tuple[DocumentRef, ...] = ()
    steering_type: str = ""
    task_codes: tuple[str, ...] = ()
    application_type: str = ""
    to_places: tuple[str, ...] = ()
    business: Business = Business()
    traces: tuple[Trace, ...] = ()
    manifest: tuple[ManifestEntry, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()  # header elements the standard does not name: (name, text)

    @property
    def kind(self) -> Kind:
        """The packet's kind; a packet without Bussiness, or with a value out of range, counts as new."""
        return Kind(int(self.business.type)) if self.business.type in {"0", "1", "2", "3"} else Kind.NEW

    @property
    def year(self) -> int | None:
        """The year of PromulgationDate as written: part of the document's identity (NĐ 30/2020 Đ.15 k.1)."""
        day = read_date(self.promulgation_date)
        return day.year if day else None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A status packet's content."""

    sender: Organization
    response_for: DocumentRef = DocumentRef()
    staff: StaffInfo = StaffInfo()
    status: str = ""  # StatusCode, two digits
    description: str = ""
    timestamp: str = ""


_DATE = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?: (\d{1,2}):(\d{1,2}):(\d{1,2}))?", re.ASCII)


def read_date(text: str) -> date | None:
    """The day of ``yyyy/M/d`` with or without a time, or None: the forms the vendor's library reads."""
    moment = _read(text) if len(text) <= _LONGEST else None
    return moment.date() if moment else None


def read_timestamp(text: str) -> datetime | None:
    """The moment of ``yyyy/M/d H:m:s`` in Vietnam's time, or None."""
    return _read(text) if len(text) <= _LONGEST and " " in text else None


_LONGEST = len("2025/10/01 12:00:00")


@lru_cache(maxsize=4096)  # of all packets of a day most name the same few
def _read(text: str) -> datetime | None:
    match = _DATE.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=VIETNAM)
        moment.astimezone(UTC)  # the first hours of the year 1 have no UTC to be stored as
    except (ValueError, OverflowError):
        return None
    return moment


_NOT_CONTENT = {"recipients", "to_places", "traces", "manifest", "attachments"}
_CONTENT = tuple(f.name for f in fields(Document) if f.name not in _NOT_CONTENT)


def content_digest(document: Document) -> str:
    """SHA-256 (hex) of what makes two packets the same document (exchange rules 4).

    Covers the header without To, ToPlaces, TraceHeader, StaffInfo and Signature, and name and digest of every file;
    so a packet built anew from the same data (other ZIP entry names, another salt, another clerk) is equal.
    """
    header = {name: _plain(getattr(document, name)) for name in _CONTENT}
    header["files"] = [[a.name, a.sha256] for a in document.attachments]
    return hashlib.sha256(json.dumps(header, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return {name: _plain(getattr(value, name)) for name in _NAMES[type(value)]}


_NAMES: dict[type[object], tuple[str, ...]] = {
    record: tuple(f.name for f in fields(record) if f.name != "staff")
    for record in (Organization, DocumentRef, Business, Receiver, Replaced)
}
