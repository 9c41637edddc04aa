"""What a rule is, the facts rules are checked against, and the register of all of them.

A rule is data: code, severity and the two texts. Where it is broken is found by an inspection (the other modules of
this package), which says ``RULE.at(place, value, repair)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from hub.domain.agency import Directory
from hub.errors import PROBLEMS, Severity, Violation

SHOWN = 200  # characters of what stood in the packet
REPAIR = 255  # characters; no value worth repeating whole is longer than a file name


class SizeLimits(Protocol):
    """The part of the packet limits that rules need."""

    @property
    def attachment(self) -> int:
        """Bytes of one file, wrapped or not."""

    @property
    def attachments(self) -> int:
        """Files in one packet."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a document is checked against. ``today`` is the day in Vietnam."""

    directory: Directory
    today: date
    limits: SizeLimits


@dataclass(frozen=True, slots=True)
class Rule:
    """One acceptance rule. ``vi`` and ``en`` are templates over the facts given where it is broken."""

    code: str
    severity: Severity
    vi: str
    en: str

    def at(self, pointer: str, value: str, repair: str, **facts: object) -> Violation:
        """The rule broken at one place; ``repair`` is the value to use instead or, if unknowable, what to do."""
        shown = {name: fact[:SHOWN] if isinstance(fact, str) else fact for name, fact in facts.items()}
        return Violation(
            rule=self.code,
            severity=self.severity,
            pointer=pointer,
            value=value[:SHOWN],
            vi=self.vi.format_map(shown),
            en=self.en.format_map(shown),
            repair=repair[:REPAIR],
        )


RULES: dict[str, Rule] = {}


def error(code: str, vi: str, en: str) -> Rule:
    """Register a rule that refuses the packet."""
    return _register(Rule(code, Severity.ERROR, vi, en))


def warning(code: str, vi: str, en: str) -> Rule:
    """Register a rule whose breach travels with the answer."""
    return _register(Rule(code, Severity.WARNING, vi, en))


def _register(rule: Rule) -> Rule:
    if rule.code in RULES or rule.code in PROBLEMS:
        raise ValueError(f"the code {rule.code} is taken")
    RULES[rule.code] = rule
    return rule
