"""What is given for the rows of each table, in this order; the rest of a row is the table's own to give."""

from __future__ import annotations

from typing import Any

from hub.store import tables as t

Rows = dict[str, list[tuple[Any, ...]]]  # by table

DOCUMENT_SEQ = tuple(name for name in ("document_seq",) if name in t.delivery.c)  # where searches go by it

COLUMNS: dict[str, tuple[str, ...]] = {
    "document": (
        "seq", "id", "sender", "system_id", "issuer", "issuer_basis", "document_id", "kind", "year", "number", "symbol",
        "promulgated_on", "due_on", "type_name", "subject", "urgent", "content_digest", "identity", "business",
        "number_claim", "warnings", "flags", "accepted_at", "trace_id", "search", "pared",
    ),
    "packet": (
        "id", "seq", "document_id", "sha256", "size", "body", "place", "standing", "signer", "fingerprint",
        "received_at",
    ),
    "delivery": (
        "id", "seq", "document_id", "packet_id", "report_id", "recipient", "addressed", "system_id", "state", "status",
        "fetched_at", "lease", "lease_until", "attempts", "reason", "urgent", "created_at", "expires_at",
        *DOCUMENT_SEQ,
    ),
    "report": (
        "id", "packet_id", "system_id", "document_id", "sender", "addressee", "code", "description", "stated_at",
        "repeat_key", "answer", "received_at", "trace_id",
    ),
    "event": (
        "delivery_id", "at", "what", "state_before", "state_after", "status_before", "status_after", "system_id",
        "report_id", "detail",
    ),
    "outbox": ("seq", "owner", "document_id", "delivery_id", "what", "status", "detail", "report_id", "at"),
    "evidence": (
        "id", "seq", "kind", "document_id", "delivery_id", "report_id", "at", "nonce", "body", "leaf_index", "entry",
    ),
    "reference": ("document_seq", "position", "organ_id", "named", "code", "promulgated_on", "business"),
    "link": ("document_id", "target_id", "kind"),
    "request": (
        "id", "delivery_id", "ask", "asking_delivery_id", "asking_document_id", "seq", "opened_at", "closed_at",
        "outcome",
    ),
    "examination": ("packet_id", "part", "document_id", "name", "sha256", "verdict", "detail", "at"),
    "refusal": (
        "id", "at", "system_id", "sender", "document_id", "subject", "code", "violations", "sha256", "size", "trace_id",
        "search", "tallied",
    ),
}  # fmt: skip
