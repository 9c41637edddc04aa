"""What the client raises when the hub does not do what it was asked.

A refusal is final: the same request will be refused again. Everything else was repeated first, and may be repeated
later by the caller with the very same bytes (exchange rules 4).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.errors import Severity, Violation


class HubFailure(Exception):  # noqa: N818  (a refusal is an answer, not a fault)
    """The hub did not do what it was asked: ``Refused`` or ``Unavailable``."""


@dataclass(eq=False)
class Refused(HubFailure):
    """The hub's problem (RFC 9457). ``code`` is one of the catalogue's, or ``http-<status>`` of somebody on the way.

    ``violations`` say where and how to repair; ``problem`` is the whole body, with members such as ``warnings``;
    ``request_id`` finds the request in the hub's log.
    """

    code: str
    status: int
    vi: str
    en: str
    violations: tuple[Violation, ...] = ()
    problem: Mapping[str, Any] = field(default_factory=dict, repr=False)
    request_id: str = ""

    def __str__(self) -> str:
        lines = [f"{self.code} ({self.status}): {' / '.join(filter(None, (self.vi, self.en)))}"]
        for violation in self.violations:
            place = f"{violation.pointer} = {violation.value!r}" if violation.value else violation.pointer
            said = "" if violation.rule == self.code else f"{violation.rule}: {violation.vi} / {violation.en}"
            repair = f"→ {violation.repair}" if violation.repair else ""
            if parts := [part for part in (place, said, repair) if part]:
                lines.append("- " + " ".join(parts))
        return "\n".join(lines)


@dataclass(eq=False)
class Unavailable(HubFailure):
    """Given up after ``tries``. What was sent may have been taken all the same: send the same bytes again later.

    ``retry_after`` are the seconds somebody asked to wait, 0 when nobody did.
    """

    tries: int
    why: str
    retry_after: float = 0

    def __str__(self) -> str:
        return (
            f"Chưa có câu trả lời của trục sau {self.tries} lần thử, có thể gửi lại nguyên vẹn / "
            f"no answer from the hub in {self.tries} tries, it is safe to send the same again: {self.why}"
        )


def refused(status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    """The failure an answer other than 2xx stands for, whoever it comes from."""
    request_id = headers.get("x-request-id", "")
    try:
        problem = json.loads(body)
        return Refused(
            problem["code"],
            status,
            problem["detail"],
            problem["title"],
            tuple(violation_of(each) for each in problem["violations"]),
            problem,
            request_id,
        )
    except (ValueError, LookupError, TypeError):
        en = f"The answer is HTTP {status}, and not the hub's."
        return Refused(f"http-{status}", status, f"Câu trả lời là HTTP {status}, không phải của trục.", en)


def violation_of(body: Mapping[str, Any]) -> Violation:
    """A violation or warning as it travels in JSON. Raises ``LookupError``, ``ValueError``."""
    said = body["message"]
    return Violation(
        body["rule"], Severity(body["severity"]), body["pointer"], body["value"], said["vi"], said["en"], body["repair"]
    )
