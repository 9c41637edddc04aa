"""What a receipt states, by its kind. Whatever else a statement says is left alone: a later hub may say more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from clients.evidence.strict import EvidenceError
from hub.domain.receipt import Statement as Raw

_YEARS = range(2000, 2200)  # beyond these, moments cannot be reckoned with in every time zone


@dataclass(frozen=True, slots=True)
class Accept:
    """The hub took the packet ``sha256`` for these recipients (codes, as all codes here, by its directory)."""

    document: str
    document_id: str
    sha256: str
    sender: str
    issuer: str
    recipients: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class HandOver:
    """The recipient keeps the packet ``sha256``, of the document or of a status."""

    document: str
    recipient: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Status:
    """The hub took the status packet ``sha256``: ``sender`` says ``status`` (a StatusCode) to ``addressee``."""

    report: str
    document: str
    status: str
    sha256: str
    sender: str
    addressee: str
    at: datetime


Statement: TypeAlias = Accept | HandOver | Status


def statement_of(kind: str, raw: Raw) -> Statement:
    """Raises ``EvidenceError`` for a statement of another kind, or without what its kind says."""
    said = {name: value for name, value in raw.items() if isinstance(value, str)}
    try:
        if said["kind"] != kind:
            raise ValueError(f"kind: {said['kind']:.20}")
        if kind == "accept":
            codes = raw["recipients"]
            if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
                raise KeyError("recipients")
            return Accept(
                said["document"], said["document_id"], said["sha256"], said["sender"], said["issuer"], tuple(codes),
                _moment(said["at"]),
            )  # fmt: skip
        if kind == "handover":
            _ = said["delivery"], said["at"]
            return HandOver(said["document"], said["recipient"], said["sha256"])
        return Status(
            said["report"], said["document"], said["status"], said["sha256"], said["sender"], said["addressee"],
            _moment(said["at"]),
        )  # fmt: skip
    except (KeyError, ValueError) as fault:
        raise EvidenceError(f"nội dung không phải của {kind} ({fault})", f"it states no {kind} ({fault})") from None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment.year not in _YEARS:
        raise ValueError("at")
    return moment
