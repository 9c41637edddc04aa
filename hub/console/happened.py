"""A document's time line in words, and why it does not go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request
from sqlalchemy import RowMapping

from hub.console import frame
from hub.domain.agency import Directory
from hub.domain.delivery import Transport
from hub.domain.document import local
from hub.domain.steering import LEFT, Left
from hub.domain.stuck import Stuck, Waiting, Why, stuck, worst
from hub.store.steering import DONE
from hub.store.story import Line

_GOOD, _WAIT, _BAD, _QUIET = "good", "wait", "bad", "quiet"
_TONES = {"done": _GOOD, "fail": _BAD, "expire": _BAD, "attempt": _WAIT, "lease-over": _WAIT, "withdraw": _QUIET}
_EVENTS = frozenset(
    {
        *("take", "lease-over", "done", "fail", "expire", "reopen", "withdraw"),
        *("fetch", "attempt", "processing", "moved", "extend", "status"),
    }
)


@dataclass(frozen=True, slots=True)
class Happened:
    """A line: when, whose, what, and what was said about it. ``packet``: a packet to be had, ``refusal`` and ``run``
    (of an operator's action): one's id."""

    at: datetime
    tone: str
    code: str
    what: str
    detail: str = ""
    delivery: str = ""
    packet: str = ""
    refusal: str = ""
    run: str = ""


def happened(request: Request, line: Line, first: str) -> Happened:
    """``first``: the packet that the document came with."""
    row = line.row

    def said(key: str, **facts: object) -> str:
        return frame.text(request, f"document.line.{key}", **facts)

    match line.source:
        case "packet":
            what = said("packet") if row["id"] == first else said("packet.again")
            return Happened(line.at, _GOOD, "", what, packet=row["id"])
        case "refusal":
            return Happened(line.at, _BAD, "", said("refusal", code=row["code"]), refusal=row["id"])
        case "report":
            what = said("report", code=row["code"], name=frame.text(request, f"document.code.{row['code']}"))
            return Happened(line.at, _QUIET, row["sender"], what, row["description"], packet=row["packet_id"])
        case "event":
            return Happened(
                line.at, _TONES.get(row["what"], _QUIET), row["recipient"], _event(request, row), _detail(row),
                row["delivery_id"],
            )  # fmt: skip
        case "acted":
            what, run = _acted(request, row), row["run"]
            return Happened(line.at, _QUIET, row["recipient"], what, row["reason"], row["delivery_id"], run=run)
        case "carried-acted":
            what = said("carried", code=row["report_code"], event=_acted(request, row))
            return Happened(line.at, _QUIET, row["recipient"], what, row["reason"], run=row["run"])
        case "carried":
            what = said("carried", code=row["report_code"], event=_event(request, row))
            return Happened(line.at, _QUIET, row["recipient"], what, _detail(row))
        case "asked" | "answered":
            asked = frame.text(request, f"document.ask.{row['ask']}")
            outcome = frame.text(request, f"document.outcome.{row['outcome']}") if line.source == "answered" else ""
            what = said(line.source, asked=asked, outcome=outcome)
            return Happened(line.at, _WAIT, row["recipient"], what, delivery=row["delivery_id"])
        case _:
            index = "–" if row["leaf_index"] is None else str(row["leaf_index"])
            return Happened(line.at, "evidence", "", said(f"evidence.{row['kind']}", index=index))


def _event(request: Request, row: RowMapping) -> str:
    what = row["what"]
    if what == "status":
        before, after = (frame.text(request, f"frame.status.{row[f'status_{when}']}") for when in ("before", "after"))
        return frame.text(request, "document.line.event.status", before=before, after=after)
    if what in _EVENTS:
        return frame.text(request, f"document.line.event.{what}")
    return frame.text(request, "document.line.event.other", what=what)


def _acted(request: Request, row: RowMapping) -> str:
    """What an operator ordered, and why nothing came of it or has not yet."""
    action = frame.text(request, f"actions.{row['action']}")
    what = frame.text(request, "document.line.acted", action=action, by=row["by"])
    if row["outcome"] == DONE:
        return what
    if not row["outcome"]:
        return f"{what} – {frame.text(request, 'actions.outcome.next')}"
    vi, en = LEFT[Left(row["outcome"])]
    return f"{what} – {frame.text(request, 'actions.left')}: {vi if frame.language(request) == 'vi' else en}"


def _detail(row: RowMapping) -> str:
    """What stands with an event; with a move it is but a system's id."""
    return "" if row["what"] == "moved" else str(row["detail"])


def reasons(request: Request, late: list[RowMapping], directory: Directory, now: datetime) -> list[str]:
    """Why the document does not go on: a sentence about the worst, and one about how many more."""
    found = [one for row in late if (one := stuck(_waiting(row), now)) is not None]
    told = worst(found)
    if told is None:
        return []
    sentences = [_sentence(request, told, directory, now)]
    if len(found) > 1:
        sentences.append(frame.text(request, "document.stuck.more", n=len(found) - 1))
    return sentences


def _waiting(row: RowMapping) -> Waiting:
    return Waiting(
        row["id"], row["recipient"], Transport(row["state"]), row["urgent"], row["again_at"] or row["created_at"],
        row["expires_at"], row["fetched_at"], row["attempts"], row["reason"], row["system"] or "",
        row["system_state"] == "locked", row["polled"],
    )  # fmt: skip


def _sentence(request: Request, told: Stuck, directory: Directory, now: datetime) -> str:
    waiting, lang = told.waiting, frame.language(request)
    agency = directory.name_of(waiting.recipient) or waiting.recipient
    system = directory.name_of(waiting.system) or waiting.system
    facts = {
        "agency": agency,
        "system": system if told.why in {Why.SILENT, Why.NEVER_ASKED, Why.PASSED_BY, Why.TRIED, Why.LOCKED} else agency,
        "span": frame.ago((now - told.since).total_seconds(), lang),
        "since": when(request, told.since, now),
        "polled": when(request, waiting.polled, now) if waiting.polled else "–",
        "attempts": waiting.attempts,
        "reason": waiting.reason or "–",
    }
    return frame.text(request, f"document.stuck.{told.why}", **facts)


def when(request: Request, at: datetime, now: datetime) -> str:
    """A moment as people say it: 10:32 hôm qua."""
    day, today = local(at).date(), local(now).date()
    clock = f"{local(at):%H:%M}"
    if day == today:
        return frame.text(request, "document.today", clock=clock)
    if day == today - timedelta(days=1):
        return frame.text(request, "document.yesterday", clock=clock)
    return frame.text(request, "document.on_day", clock=clock, day=f"{day:%d/%m/%Y}")
