"""Rows as the JSON that clients rely on (exchange rules 8). Times are RFC 3339 in Vietnam's zone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping
from starlette.responses import Response

from hub.api.problems import violation_body
from hub.domain.delivery import Overall, Standing, overall
from hub.domain.document import VIETNAM, Kind
from hub.errors import Refusal, violation
from hub.store.deliveries import Delivery

Row = Mapping[str, Any] | RowMapping


def moment(value: datetime | None) -> str | None:
    if value is None:
        return None
    with suppress(OverflowError):  # a certificate without an end (RFC 5280 §4.1.2.5): the calendar's last second, UTC
        value = value.astimezone(VIETNAM)
    return value.isoformat(timespec="milliseconds")


def _default(value: object) -> str | None:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


_JSON = json.JSONEncoder(ensure_ascii=False, default=_default)


def reply(body: object, status: int = 200) -> Response:
    """A JSON answer in UTF-8."""
    return Response(_JSON.encode(body).encode(), status, media_type="application/json")


def cursor(*position: int) -> str:
    """An opaque position in a list."""
    plain = "s" + ".".join(map(str, position))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(text: str | None) -> int:
    """The position of a cursor; 0 without one. Raises ``request-invalid`` for what no list gave out."""
    if not text:
        return 0
    (seq,) = read_position(text, 1)
    return seq


def read_position(text: str, count: int) -> tuple[int, ...]:
    """The ``count`` numbers of a cursor. Raises ``request-invalid`` for what no list gave out."""
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        position = tuple(map(int, plain.removeprefix("s").split(".")))
        if cursor(*position) != text or len(position) != count or not all(0 <= one < 2**63 for one in position):
            raise ValueError(text)
    except ValueError:
        raise no_cursor(text) from None
    return position


def no_cursor(text: str) -> Refusal:
    """The refusal of what no list gave out."""
    return Refusal("request-invalid", violations=[violation("cursor", "query.after", text)])


def page(items: list[dict[str, Any]], after: str | None, last: int | None) -> dict[str, Any]:
    """A list's answer; ``next`` goes on behind the last item, and stays where it was for an empty page."""
    return {"items": items, "next": after if last is None else cursor(last)}


def accepted(body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a document: warnings as violations."""
    return {**body, "warnings": [violation_body(v) for v in body["warnings"]]}


def _about(row: Row) -> dict[str, Any]:
    return {
        "id": row["document_id"],
        "document_id": row["business_id"],
        "kind": Kind(row["kind"]).word,
        "number": row["number"],
        "symbol": row["symbol"],
        "year": row["year"],
        "sender": row["sender"],
        "issuer": row["issuer"],
        "type_name": row["type_name"],
        "subject": row["subject"],
        "promulgation_date": row["promulgated_on"],
        "due_date": row["due_on"],
    }


def inbox_item(row: Row) -> dict[str, Any]:
    """One waiting packet: a document, or a status about one."""
    is_status = row["report_id"] is not None
    item = {
        "id": row["id"],
        "type": "status" if is_status else "document",
        "to": row["addressed"],
        "state": row["state"],
        "urgent": row["urgent"],
        "sha256": row["sha256"],
        "size": row["size"],
        "available_at": row["created_at"],
        "expires_at": row["expires_at"],
        "document": _about(row),
        "signature": {"standing": row["standing"], "signer": row["signer"]},
    }
    if is_status:
        item["status"] = {
            "code": row["status_code"],
            "from": row["status_from"],
            "description": row["status_description"],
            "stated_at": row["status_stated_at"],
        }
    return item


def outbox_item(row: Row) -> dict[str, Any]:
    """One thing that happened to a document this system sent."""
    return {
        "what": row["what"],
        "status": row["status"],
        "detail": row["detail"],
        "at": row["at"],
        "delivery": row["delivery_id"],
        "to": row["addressed"],
        "document": {"id": row["document_id"], "document_id": row["business_id"]},
        "report": row["report_id"],
    }


def delivery_item(delivery: Delivery, requests: Iterable[Row], events: Iterable[Row]) -> dict[str, Any]:
    """One recipient of a document, with what was asked of it and what happened."""
    return {
        "id": delivery.id,
        "to": delivery.addressed,
        "state": delivery.state.value,
        "status": delivery.status.value,
        "fetched_at": delivery.fetched_at,
        "reason": delivery.reason,
        "expires_at": delivery.expires_at,
        "requests": [
            {"ask": r["ask"], "outcome": r["outcome"], "opened_at": r["opened_at"], "closed_at": r["closed_at"]}
            for r in requests
            if r["delivery_id"] == delivery.id
        ],
        "history": [
            {
                "at": e["at"],
                "what": e["what"],
                "state": e["state_after"],
                "status": e["status_after"],
                "detail": e["detail"],
            }
            for e in events
            if e["delivery_id"] == delivery.id
        ],
    }


def overall_of(deliveries: Iterable[Delivery]) -> Overall:
    return overall(Standing(d.state, d.status) for d in deliveries)
