"""The catalogue of refusals: every code the hub can answer with, in one place.

A *problem* is a line of the catalogue: code, HTTP status, and what to tell a person in Vietnamese and English.
A *violation* is one thing wrong at one place of a packet, with the repair. A *refusal* is what the code raises:
one problem, and the violations it consists of.

Rules:

* Nothing else in the project makes an error body; the APIs render a ``Refusal`` and add nothing.
* Acceptance rules (``hub.domain.rules``) carry their own texts; a packet they refuse is one ``packet-refused``.
* Texts name the place and the repair, never a person, a secret or another agency's document.
* ``temporary`` problems are worth a repeat of the same request; all others are final (RFC 9110 §15.6.4 for 503).

Nothing else of the project is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from hub.errors.catalogue import PROBLEMS, Problem

__all__ = ["PROBLEMS", "Problem", "Refusal", "Severity", "Violation", "violation"]


class Severity(StrEnum):
    """How much a violation weighs: an error refuses the packet, a warning travels with the answer."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken at one place.

    ``pointer`` is the path of the element in the packet's own names, e.g. ``MessageHeader/To[2]/OrganId``;
    ``value`` is what stood there (shortened to 200 characters); ``repair`` is the value to use instead, or,
    where the hub cannot know it, what to do.
    """

    rule: str
    severity: Severity
    pointer: str
    value: str
    vi: str
    en: str
    repair: str


def violation(rule: str, pointer: str = "", value: str = "", /, **facts: object) -> Violation:
    """A catalogue line broken at one place; a line of status 200 is a warning, told beside the answer."""
    line = PROBLEMS[rule]
    severity = Severity.WARNING if line.status < 400 else Severity.ERROR
    vi, en, repair = (text.format_map(facts) for text in (line.vi, line.en, line.repair))
    return Violation(rule, severity, pointer, value[:200], vi, en, repair)


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818  (a refusal is an answer, not a fault)
    """The hub will not do what was asked; ``code`` is a key of :data:`PROBLEMS`.

    ``facts`` fill the problem's templates; ``extra`` are members added to the answer (RFC 9457 §3.2), such as the
    document a conflict is with. Without ``violations`` the refusal is its own single violation.
    """

    code: str
    pointer: str = ""
    value: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    violations: Sequence[Violation] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    retry_after: int | None = None  # seconds

    def __post_init__(self) -> None:
        self.problem = PROBLEMS[self.code]
        self.vi = self.problem.vi.format_map(self.facts)
        self.en = self.problem.en.format_map(self.facts)
        self.repair = self.problem.repair.format_map(self.facts)
        if not self.violations:
            self.violations = (violation(self.code, self.pointer, self.value, **self.facts),)

    def __reduce__(self) -> tuple[Any, ...]:  # an exception's own would leave out what is passed by name
        return Refusal, tuple(getattr(self, f.name) for f in fields(self))

    def __str__(self) -> str:
        return f"{self.code}: {self.en}"
