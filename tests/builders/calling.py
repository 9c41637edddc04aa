"""Agencies that reach the hub by the project's own client, blocking or asynchronous; pauses are noted, not slept."""

from __future__ import annotations

import asyncio
import itertools
from random import Random
from typing import Any

from builders.axis import Peer
from builders.served import Line, Served

from clients.hub_client import AsyncHubClient, HubClient, HubFailure
from hub.domain.document import Document, DocumentRef, Organization, StatusReport

OFFICE, PROVINCE = "G22", "H41"
KINDS = ("sync", "async")
_numbers = itertools.count(1)


def enrolled(hub: Served, code: str, name: str = "", **terms: Any) -> Peer:
    """An agency that the hub's next answer knows of: its snapshot of the directory may be a second old."""
    peer = hub.axis.enrol(code, name, **terms)
    hub.axis.desk.rosters.current(now=True)
    return peer


def options(peer: Peer, **changes: Any) -> dict[str, Any]:
    known = {"token": peer.credentials["token"], "key": peer.key, "certificate": peer.certificate}
    return known | {"timeout": 20.0, "random": Random(1), "sleep": lambda seconds: None} | changes


def client(hub: Served | Line, peer: Peer, **changes: Any) -> HubClient:
    return HubClient(hub.base_url, **options(peer, **changes))


def ask(kind: str, hub: Served | Line, peer: Peer, call: str, *args: Any, **changes: Any) -> tuple[Any, list[float]]:
    """One call by either client, and the seconds it paused. A failure is given back like a result."""
    paused: list[float] = []
    try:
        if kind == "sync":
            with client(hub, peer, sleep=paused.append, **changes) as sync:
                return getattr(sync, call)(*args), paused

        async def pause(seconds: float) -> None:
            paused.append(seconds)

        async def run() -> Any:
            async with AsyncHubClient(hub.base_url, **options(peer, sleep=pause, **changes)) as asynchronous:
                return await getattr(asynchronous, call)(*args)

        return asyncio.run(run()), paused
    except HubFailure as failure:
        return failure, paused


def a_letter(sender: Peer, to: str, **changes: Any) -> Document:
    """A new document with a number nobody has."""
    return sender.draft(to, number=str(next(_numbers)), **changes)


def a_report(reporter: Peer, letter: Document, status: str, description: str = "") -> StatusReport:
    named = DocumentRef(letter.sender.organ_id, document_id=letter.document_id)
    by = Organization(organ_id=reporter.code, name=reporter.name)
    return StatusReport(by, named, status=status, description=description, timestamp="2025/10/01 09:00:00")
