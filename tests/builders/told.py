"""What the hub tells of a packet: the warnings of an answer, the violations of a refusal."""

from __future__ import annotations

from typing import Any

from hub.errors import Refusal


def warned(answer: dict[str, Any]) -> list[str]:
    """The rules warned of, but for the name: peers are named by their codes unless a test says otherwise."""
    return [warning["rule"] for warning in answer["warnings"] if warning["rule"] != "name-directory"]


def rules_of(refusal: Refusal) -> list[tuple[str, str]]:
    """Rule and value of every violation."""
    return [(violation.rule, violation.value) for violation in refusal.violations]
