"""What is planned: who takes part, what they send, and what they answer. Nothing here knows of a hub or a socket.

Times are seconds of scenario time since the scenario's start.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from hub.domain.document import Kind


def chance(seed: int, what: str, mark: str) -> float:
    """A number in [0, 1) that only these three decide: the same seed gives the same run, whatever the timing."""
    digest = hashlib.blake2b(f"{seed}/{what}/{mark}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@dataclass(frozen=True, slots=True)
class Party:
    """An agency that takes part. Several may share the system of one of them (a platform)."""

    code: str
    name: str
    system: str  # the code whose system speaks for it; its own where it has one
    dialect: str = "rest"  # or "gateway"; of the system
    profile: str = "required"  # or "legacy"; of the system
    poll: float = 60.0  # seconds between two looks into the inbox; of the system
    hours: bool = False  # works from 7:30 to 17:00 on working days only: neither polls nor reports else
    slow: float = 0.0  # seconds it takes to keep what it fetched, before it confirms
    silent: bool = False  # never looks into its inbox
    dies: float = 0.0  # share of deliveries it fetches and then forgets, to begin again later
    wrong: float = 0.0  # share of deliveries on which it reports a status that no rule allows
    reads: str = "packets"  # or "outbox": how it learns what became of its documents


@dataclass(frozen=True, slots=True)
class Post:
    """One document packet that an agency is to send: after the posts it names, ``target`` and ``repeats``, have been
    answered."""

    n: int  # its number in the plan, from 1: what two runs are compared by
    at: float
    sender: str  # code, as in From
    recipients: tuple[str, ...]  # codes, as in To
    document_id: str
    number: str
    symbol: str
    day: date  # PromulgationDate
    kind: Kind = Kind.NEW
    target: int = 0  # n of the earlier document that a kind 1-3 acts on, or that a defect is against; 0: none
    target_id: str = ""  # its DocumentId
    repeats: int = 0  # n of the post it sends once more, byte for byte; 0: none
    urgent: bool = False
    signed: bool = True
    size: int = 10_000  # bytes of the packet, about
    defect: str = ""  # what is wrong with it on purpose (a name of clients.replay.plan.defects)
    expect: str = ""  # the code of the refusal it deserves; "": it must be accepted
    issuer: str = ""  # the agency whose document is sent on, where it is not the sender's own


@dataclass(frozen=True, slots=True)
class Reply:
    """One status packet about a delivery: 01–06, 15, 16 by the recipient, 13 by the sender."""

    n: int  # of the post it is about
    recipient: str  # the addressed agency of the delivery
    k: int  # its place among the replies of this delivery, from 0
    after: float  # seconds after the recipient has kept the packet; of a 13: after the document was accepted
    code: str
    by_sender: bool = False
    expect: str = ""  # as for a post
