"""What is asked of a PDF file and what was found: data that travels between processes and turns into JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.domain.trust import Material, Step, Validation, Verdict

Kind = Literal["leader", "agency", "unknown"]
DecidedBy = Literal["registered", "subject", "place", "nothing"]
Change = Literal[
    "signature", "timestamp", "validation data", "form fields", "annotations", "pages", "other", "trailing bytes"
]
Reason = Literal[
    "time", "memory", "crash", "not a PDF", "unreadable", "encrypted", "too much", "packet", "not kept", "fault"
]
_LONGEST = 500  # characters of a text
UNEXAMINED = "UNEXAMINED"  # stands where a verdict would

# From the worst to the best: what a file or a signature is told to be when several things are wrong with it.
SEVERITY = (
    Verdict.MODIFIED,
    Verdict.REVOKED_AT_SIGNING,
    Verdict.UNTRUSTED_CHAIN,
    Verdict.WEAK_ALGORITHM,
    Verdict.EXPIRED_AT_SIGNING,
    Verdict.NAME_MISMATCH,
    Verdict.MISSING_LEADER,
    Verdict.MISSING_AGENCY,
    Verdict.INDETERMINATE_REVOCATION,
    Verdict.VALID_NO_TIMESTAMP,
    Verdict.VALID,
)


def worst(*verdicts: Verdict) -> Verdict:
    return min(verdicts, key=SEVERITY.index)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file is judged on. Certificates are DER.

    ``received``: when the file came in (aware); no signature is younger. ``known``: registered certificates by the
    SHA-256 of their DER, in hex, whether an agency's or a person's, and of which agency's code. ``agency``, ``names``:
    code and names of the sender, one of which must stand in a certificate that is not known. ``stampers``: anchors for
    timestamps alone; the others do for them too.
    """

    received: datetime
    anchors: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    stampers: tuple[bytes, ...] = ()
    revocation: tuple[Material, ...] = ()
    known: Mapping[str, tuple[Literal["agency", "person"], str]] = field(default_factory=dict)
    agency: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signer:
    """The certificate of a packet: DER, the moment it came (aware), names and codes one of which it must bear."""

    certificate: bytes
    at: datetime
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What is kept of a file, or of a packet's certificate. ``verdict`` is one of :class:`Verdict`, or UNEXAMINED;
    ``detail`` is of what JSON can say; ``material`` are the certificates, CRLs and answers it names by SHA-256 (hex).
    """

    verdict: str
    detail: Mapping[str, Any]
    material: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timestamp:
    """An RFC 3161 token: on a signature, or on the file as a document timestamp. ``steps`` concern the authority."""

    time: datetime | None
    by: str
    verdict: Verdict
    vi: str
    en: str
    steps: tuple[Step, ...] = ()
    path: tuple[bytes, ...] = ()
    used: tuple[Material, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """An incremental update after a signature (ISO 32000-2 §7.5.6), and whether the signature outlives it.

    ``revision`` counts from 1, the file as first written; ``detail`` are the library's words.
    """

    revision: int
    changed: tuple[Change, ...]
    allowed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature. ``kind`` was decided by a certificate that is ``registered``, by what its ``subject`` names, by
    its ``place`` below an agency's signature, or by ``nothing``. A person's signature is told as the leader's: no
    certificate says who leads. ``claimed`` is the signer's word, ``at`` the moment that validity was judged at. With
    ``path`` (from the signer's certificate, DER) and ``used`` the verdict can be reached again.
    """

    field: str
    subject: str
    agency: str
    kind: Kind
    decided_by: DecidedBy
    claimed: datetime | None
    at: datetime | None
    timestamp: Timestamp | None
    verdict: Verdict
    steps: tuple[Step, ...]
    updates: tuple[Update, ...] = ()
    path: tuple[bytes, ...] = ()
    used: tuple[Material, ...] = ()


@dataclass(frozen=True, slots=True)
class Examination:
    """``signatures`` and ``timestamps`` (of the document) in the order they were made; ``missing`` of the two kinds
    that NĐ 30/2020 asks for. ``lenient``: the file breaks the standard's form in ways that readers let pass."""

    verdict: Verdict
    steps: tuple[Step, ...]
    signatures: tuple[Signature, ...]
    missing: tuple[Kind, ...] = ()
    timestamps: tuple[Timestamp, ...] = ()
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Unexamined:
    """The file could not be examined."""

    reason: Reason
    vi: str
    en: str

    @property
    def report(self) -> Report:
        return Report(UNEXAMINED, asdict(self))


_REASONS: dict[Reason, tuple[str, str]] = {
    "time": ("mất quá nhiều thời gian", "it takes too long"),
    "memory": ("cần quá nhiều bộ nhớ", "it takes too much memory"),
    "crash": ("tiến trình xem xét đã dừng đột ngột", "the examining process ended"),
    "not a PDF": ("không phải tệp PDF", "it is no PDF"),
    "unreadable": ("cấu trúc PDF hỏng", "its structure is broken"),
    "encrypted": ("tệp bị mã hóa; hãy gửi bản không đặt mật khẩu", "it is encrypted; send it without a password"),
    "too much": ("có quá nhiều chữ ký", "there are too many of them"),
    "packet": ("không mở được gói tin", "the packet cannot be opened"),
    "not kept": ("kho không còn gói tin", "the packet store no longer has the packet"),
    "fault": ("trục gặp lỗi khi xem xét", "the hub met a fault of its own"),
}


def unexamined(reason: Reason) -> Unexamined:
    vi, en = _REASONS[reason]
    return Unexamined(reason, f"Không xem xét được chữ ký: {vi}.", f"The signatures could not be examined: {en}.")


def as_plain(found: Examination | Unexamined | Validation, keep: Callable[[bytes], str]) -> dict[str, Any]:
    """What JSON can say: moments as ISO 8601, certificates, CRLs and answers by the names that ``keep`` gives them."""

    def plain(value: Any) -> str:
        if isinstance(value, x509.Certificate):
            return keep(value.public_bytes(Encoding.DER))
        if isinstance(value, bytes):
            return keep(value)
        if isinstance(value, datetime):
            return value.isoformat()
        raise TypeError(type(value).__name__)

    text = json.dumps(asdict(found), default=plain, ensure_ascii=False)
    told: dict[str, Any] = _cut(json.loads(text.encode("utf-8", "replace")))  # half a pair of surrogates is no text
    return told


def _cut(told: Any) -> Any:
    """Names of fields and persons are as long as a sender likes; they are told as far as somebody would read."""
    if isinstance(told, dict):
        return {name: _cut(value) for name, value in told.items()}
    if isinstance(told, list):
        return [_cut(value) for value in told]
    return told[:_LONGEST] + "…" if isinstance(told, str) and len(told) > _LONGEST else told
