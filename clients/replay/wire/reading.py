"""Reading what hubs answer: leniently what may be missing, strictly what is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from clients.replay.wire.connection import Answer, NoAnswer
from clients.replay.wire.dialects import Refused
from hub.errors import PROBLEMS

Object: TypeAlias = Mapping[str, Any]

_RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d{1,9}) *(?=\r\n|$)", re.IGNORECASE)
_PASSING = {408, 425, 429}  # and all above 500


def object_of(answer: Answer) -> Object:
    """The JSON object of an answer. Raises ``NoAnswer``."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NoAnswer(f"garbage: HTTP {answer.status} without a JSON object")
    return found


def text(holder: Object, name: str) -> str:
    """ "" where it is missing or null."""
    found = holder.get(name)
    return "" if found is None else str(found)


def needed(holder: Object, name: str) -> str:
    """Raises ``NoAnswer`` where it is missing or empty."""
    found = text(holder, name)
    if not found:
        raise NoAnswer(f"garbage: an answer without {name}")
    return found


def inner(holder: Object, name: str) -> Object:
    """An object within; an empty one where it is missing."""
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def objects(holder: Object, name: str) -> list[Object]:
    """A list of objects; empty where it is missing. Raises ``NoAnswer`` for what is none."""
    found = holder.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise NoAnswer(f"garbage: {name} is no list of objects")
    return found


def refusal(
    answer: Answer, code: str = "", rules: tuple[str, ...] = (), text: str = "", error_code: str = ""
) -> Refused:
    """What an answer that refuses stands for; without a code, one of somebody who does not speak the dialect."""
    code = code or f"http-{answer.status}"
    known = PROBLEMS.get(code)
    asked = _RETRY_AFTER.search(answer.headers)
    return Refused(
        answer.status,
        code,
        temporary=(known is not None and known.temporary) or answer.status in _PASSING or answer.status >= 500,
        retry_after=float(asked[1]) if asked else 0.0,
        text=text,
        rules=rules,
        error_code=error_code,
    )
