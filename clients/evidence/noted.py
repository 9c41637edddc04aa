"""How a step tells what it found: all that failed and all that could not be told, with a bound."""

from __future__ import annotations

from dataclasses import dataclass, field

from clients.evidence.strict import EvidenceError
from hub.domain.trust import Result, Step
from hub.errors import Refusal

Told = tuple[str, str]  # the same in Vietnamese and English

_MOST = 5  # of a kind that are told; a file may have thousands
_CLAUSES = (
    "PKWARE APPNOTE 6.3; docs/evidence.md",
    "RFC 8785; FIPS 180-4",
    "RFC 7517, RFC 7638; C2SP signed-note",
    "RFC 7515; RFC 7518 §3.4",
    "C2SP tlog-checkpoint; RFC 8032",
    "RFC 9162 §2.1.3.2",
    "FIPS 180-4",
    "QCVN 102:2016/BTTTT; docs/exchange.md",
    "XML Signature 1.1 §3.2; docs/signature.md",
    "docs/exchange.md",
    "XML Signature 1.1 §3.2; FIPS 180-4",
    "RFC 5280 §6; RFC 6960",
    "RFC 3161; RFC 9162 §2.1.4.2",
)


@dataclass
class Noted:
    """What a step found wrong, and what it could not tell."""

    failed: list[Told] = field(default_factory=list)
    untold: list[Told] = field(default_factory=list)

    def wrong(self, vi: str, en: str) -> None:
        self.failed.append((vi, en))

    def open(self, vi: str, en: str) -> None:
        self.untold.append((vi, en))

    def refused(self, vi: str, en: str, fault: EvidenceError | Refusal) -> None:
        """``vi`` and ``en`` name what was refused."""
        self.wrong(f"{vi}: {fault.vi}", f"{en}: {fault.en}")

    def step(self, number: int, vi: str, en: str) -> Step:
        """The step, with what it says when all is right."""
        result = Result.FAILED if self.failed else Result.UNTOLD if self.untold else Result.PASSED
        told = [*([] if self.failed else [(vi, en)]), *few(self.failed), *few(self.untold)]
        return Step(number, _CLAUSES[number - 1], result, *(f"{'; '.join(each)}." for each in zip(*told, strict=True)))


def few(told: list[Told]) -> list[Told]:
    """The first, and how many more there are."""
    more = len(told) - _MOST
    return told if more <= 0 else [*told[:_MOST], (f"và {more} điều nữa", f"and {more} more")]
