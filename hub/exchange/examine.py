"""What both kinds of packets go through before anything is written: whose it is, and who signed it.

Everything here is decided on a roster snapshot and one moment; nothing is read or written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import RowMapping

from hub.domain import places
from hub.domain.agency import System
from hub.domain.delivery import Transport
from hub.domain.document import local_day
from hub.domain.edxml import DEFAULT_LIMITS, Limits
from hub.domain.signature import Signed, Unsigned, Verdict, judge
from hub.errors import Refusal
from hub.store.deliveries import Delivery
from hub.store.roster import Roster


class Stated(NamedTuple):
    """What a dialect says beside a packet; it must agree with the packet. Empty: not said."""

    sender: str = ""
    recipients: tuple[str, ...] = ()


class Submission(NamedTuple):
    """A packet as it came, without its bytes."""

    size: int  # bytes
    system_id: str
    packet_id: str
    trace_id: str
    limits: Limits = DEFAULT_LIMITS
    refuse_taken: bool = True  # a taken number refuses (exchange rules 4), or flags
    stated: Stated = Stated()


def acting_system(roster: Roster, system_id: str) -> System:
    """The system as the roster has it now. Raises ``not-authenticated`` (retired), ``system-locked``."""
    system = roster.systems.get(system_id)
    if system is None:
        raise Refusal("not-authenticated")
    if system.locked:
        raise Refusal("system-locked")
    return system


def may_speak(roster: Roster, system: System, code: str, now: datetime) -> Refusal | None:
    """The refusal if ``code`` is not this system's to speak for (exchange rules 2)."""
    if code and not roster.directory.may_act_for(system, code, local_day(now)):
        allowed = f"{system.code} ({roster.directory.name_of(system.code)})"
        return Refusal("not-your-agency", places.sender("organ_id"), code, {"code": code, "allowed": allowed})
    return None


def contradictions(
    roster: Roster, system: System, stated: Stated, sender: str, recipients: Iterable[str]
) -> list[Refusal]:
    """``from-differs`` and ``to-differs``: where what was said beside a packet is not what the packet says.

    A platform may name itself as the sender of what a unit of its own sends. A packet that says nothing of it lacks a
    field, and is refused for that.
    """
    directory = roster.directory
    found = []
    if sender and stated.sender and directory.resolve(stated.sender) not in {sender, directory.resolve(system.code)}:
        facts = {"stated": stated.sender[:64], "code": sender}
        found.append(Refusal("from-differs", places.sender("organ_id"), sender, facts))
    said = {directory.resolve(code) for code in stated.recipients}
    meant = {directory.resolve(code) for code in recipients if code}
    if said and meant:
        differing = sorted([f"+{code[:64]}" for code in said - meant] + [f"-{code[:64]}" for code in meant - said])
        if differing:
            shown = ", ".join(differing[:10]) + (" …" if len(differing) > 10 else "")
            found.append(Refusal("to-differs", places.RECIPIENT, shown, {"difference": shown}))
    return found


def judged(roster: Roster, system: System, result: Signed | Unsigned, sender: str, now: datetime) -> Verdict:
    """Who signed, by the certificates registered here (exchange rules 3). Raises the refusals of ``judge``."""
    directory = roster.directory
    own = directory.resolve(sender)
    successor = directory.successor_of(sender, local_day(now))
    nearest = directory.nearest(sender)
    # A platform also signs the reports on what it fetched before a nearer system came (exchange rules 2).
    platform = system.code if nearest is None or system.code in directory.chain(own) else nearest.code
    registered = roster.certificates.get(result.fingerprint, ()) if isinstance(result, Signed) else ()
    return judge(
        result,
        sender=own,
        may_sign=[code for code in (own, successor, platform) if code],
        platform=platform,
        registered=registered,
        required=system.required,
        at=now,
    )


def is_sender(roster: Roster, system: System, document: Mapping[str, Any] | RowMapping, now: datetime) -> bool:
    """Whether the document is this system's own: it sent it, or is the nearest to the sender now."""
    sent = document["system_id"] == system.id
    return sent or roster.directory.may_act_for(system, document["sender"], local_day(now))


def may_receive(roster: Roster, system: System, delivery: Delivery, now: datetime) -> bool:
    """Whether the delivery is this system's: it has it, or it is the nearest for the recipient now.

    What was withdrawn is nobody's: its recipient never saw it and never will (exchange rules 6).
    """
    if delivery.state is Transport.WITHDRAWN:
        return False
    return delivery.system_id == system.id or roster.directory.may_act_for(system, delivery.recipient, local_day(now))
