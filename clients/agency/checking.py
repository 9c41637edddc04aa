"""The hub's rules without the hub: on the directory as last fetched, with this agency's own certificate.

What only the hub knows stays open: numbers already taken, targets of a revocation, certificates it no longer counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cryptography.x509 import Certificate

from clients.agency import durable
from clients.agency.home import Config, Home
from clients.agency.texts import CannotError
from clients.hub_client import AgencyCertificate, HubClient
from clients.hub_client.proofs import examine, judged
from hub.domain import edxml, places, rules
from hub.domain.agency import Agency, Directory, System
from hub.domain.document import Document, local_day
from hub.errors import Refusal, Severity, Violation

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the hub would say; ``document`` is None for bytes that are no document packet."""

    document: Document | None
    violations: tuple[Violation, ...]
    warnings: tuple[Violation, ...]


def fetch_directory(home: Home, client: HubClient, now: datetime) -> None:
    """Replace the directory kept in the folder."""
    items: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = client.agencies(after=after, limit=_PAGE)
        items += page.items
        after = page.next
        if len(page.items) < _PAGE:
            break
    durable.write(home.directory_file, json.dumps({"fetched": now.isoformat(), "items": items}).encode())


def keep_fresh(home: Home, client: HubClient, now: datetime) -> None:
    """Fetch the directory anew if that was done on an earlier day."""
    try:
        stale = read_directory(home)[1] != local_day(now)
    except CannotError:
        stale = True
    if stale:
        fetch_directory(home, client, now)


def read_directory(home: Home) -> tuple[Directory, date]:
    """The directory kept in the folder, and the day it was fetched. Raises ``CannotError`` without one."""
    try:
        kept = json.loads(home.directory_file.read_text("utf-8"))
        return _directory(kept["items"]), local_day(datetime.fromisoformat(kept["fetched"]))
    except FileNotFoundError:
        raise CannotError("no-directory") from None
    except (ValueError, LookupError, TypeError) as fault:
        raise CannotError("file-bad", path=str(home.directory_file), why=str(fault)) from None


def _directory(items: Sequence[Mapping[str, Any]]) -> Directory:
    agencies = [
        Agency(
            item["code"],
            item["name"],
            item["level"],
            item["parent"],
            date.fromisoformat(item["closed_on"]) if item["closed_on"] else None,
            item["successor"],
            item["uncertain"],
        )
        for item in items
    ]
    # Whose system receives for a code is the hub's to know; that there is one is enough for the rules.
    systems = {item["code"]: System(item["code"], item["code"]) for item in items if item["connected"]}
    return Directory(agencies, systems=systems)


def check(packet: bytes, config: Config, certificate: Certificate, directory: Directory, now: datetime) -> Judgement:
    """Everything the hub would refuse or warn of, as far as it can be known here."""
    refusals: list[Refusal] = []
    try:
        examined = examine(packet)
    except Refusal as refusal:
        refusals.append(refusal)
        return _unreadable(packet, refusals, directory, now)
    if not isinstance(examined.content, Document):
        refusals.append(Refusal("packet-is-status"))
        return Judgement(None, _all(refusals), ())
    own = AgencyCertificate(config.code, certificate, certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    try:
        judged(examined, [own], now)
    except Refusal as refusal:
        refusals.append(refusal)
    code = directory.resolve(examined.sender)
    if config.code not in directory.chain(code) and not directory.same(
        directory.successor_of(code, local_day(now)) or code, config.code
    ):
        facts = {"code": code, "allowed": f"{config.code} ({config.name})"}
        refusals.append(Refusal("not-your-agency", places.sender("organ_id"), code, facts))
    return _judgement(examined.content, refusals, directory, now)


def _unreadable(packet: bytes, refusals: list[Refusal], directory: Directory, now: datetime) -> Judgement:
    """The fields' faults beside a bad signature's, where there are fields to read."""
    try:
        document = edxml.read_document(edxml.parse(packet))
    except Refusal:
        return Judgement(None, _all(refusals), ())
    return _judgement(document, refusals, directory, now)


def _judgement(document: Document, refusals: list[Refusal], directory: Directory, now: datetime) -> Judgement:
    found = rules.check(document, rules.Facts(directory, local_day(now), edxml.DEFAULT_LIMITS))
    errors = [each for each in found if each.severity is Severity.ERROR]
    return Judgement(
        document,
        (*_all(refusals), *errors),
        tuple(each for each in found if each.severity is Severity.WARNING),
    )


def _all(refusals: Sequence[Refusal]) -> tuple[Violation, ...]:
    return tuple(each for refusal in refusals for each in refusal.violations)
