"""Acceptance rules: everything that may be wrong with a document, all of it told in one answer.

:func:`check` gives every violation, errors and warnings, in packet order. An error refuses the packet, a warning
travels with the answer (exchange rules 7). :data:`RULES` holds every rule by its code; a code is registered once.

Not here: whether the bytes are a packet (``hub.domain.edxml``), signatures (``hub.domain.signature``), duplicates, and
whether the authenticated system may send for the sender (``hub.exchange``). The order of elements is not checked
either: no reader relies on it, and a ``Document`` no longer has it.
"""

from __future__ import annotations

from hub.domain import places
from hub.domain.document import Document
from hub.domain.rules import agencies, files, header, lengths, notation
from hub.domain.rules.rule import RULES, Facts, Rule, SizeLimits
from hub.errors import Violation

__all__ = ["RULES", "Facts", "Rule", "SizeLimits", "check"]

_OF_THE_DOCUMENT = (
    header.mandatory,
    lengths.lengths,
    header.id_year,
    notation.number_and_symbol,
    notation.type_name,
    header.steering_type,
    header.business,
    files.pairing,
)
_AGAINST_FACTS = (agencies.sender, agencies.recipients, header.dates, files.attachments)


def check(document: Document, facts: Facts) -> list[Violation]:
    """Every violation of a document, errors and warnings, in the order of the packet."""
    found = [violation for inspect in _OF_THE_DOCUMENT for violation in inspect(document)]
    found += [violation for inspect in _AGAINST_FACTS for violation in inspect(document, facts)]
    found += files.names(document)
    return sorted(found, key=lambda violation: places.order(violation.pointer))
