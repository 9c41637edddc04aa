"""Reading what hubs answer: leniently what may be missing, strictly what is needed; and what a refusal stands for.

The wire and the recorded traffic read answers alike.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from clients.replay.wire.connection import Answer, NoAnswer
from clients.replay.wire.dialects import Refused
from hub.domain.rules import RULES
from hub.errors import PROBLEMS

Object: TypeAlias = Mapping[str, Any]

_RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d{1,9}) *(?=\r\n|$)", re.IGNORECASE)
_PASSING = {408, 425, 429}  # and all above 500
_GATEWAY_PASSING = "99"  # the ErrorCode of what may be repeated
_NAMED = re.compile(r"\[([a-z0-9]+(?:-[a-z0-9]+)*)\]")  # a problem or a rule in ErrorDesc
_URL_SAFE = str.maketrans("-_", "+/")


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


def rest_accepted(answer: Answer) -> Answer:
    """The answer, where it refuses nothing. Raises ``Refused`` with the problem it tells (RFC 9457), or as somebody on
    the way did it."""
    if answer.status // 100 == 2:
        return answer
    try:
        problem = object_of(answer)
        broken = [text(each, "rule") for each in objects(problem, "violations") if text(each, "severity") != "warning"]
    except NoAnswer:
        raise _refusal(answer) from None
    code = text(problem, "code")
    rules = tuple(dict.fromkeys(rule for rule in broken if rule and rule != code))
    raise _refusal(answer, code, rules, text(problem, "title"))


def gateway_accepted(answer: Answer) -> Object:
    """The body of an answer that refuses nothing. Raises ``Refused``, ``NoAnswer``."""
    try:
        body = object_of(answer)
    except NoAnswer:
        if answer.status // 100 == 2:
            raise
        raise _refusal(answer) from None
    code, status = text(body, "ErrorCode"), text(body, "status")
    if code == "0" or (not code and status == "OK"):
        return body
    if not code and not status and answer.status // 100 == 2:
        raise NoAnswer("garbage: an answer without ErrorCode")
    raise _gateway_refusal(answer, body, code)


def gateway_data(body: Object) -> bytes:
    """The packet that was fetched: Base64 in lines, and in the URL-safe alphabet too (§4.9). Raises ``NoAnswer``."""
    try:
        return base64.b64decode("".join(needed(body, "data").split()).translate(_URL_SAFE), validate=True)
    except ValueError as fault:
        raise NoAnswer(f"garbage: data is no Base64: {fault}") from None


def _gateway_refusal(answer: Answer, body: Object, error_code: str) -> Refused:
    said = text(body, "ErrorDesc")
    named = [name for name in _NAMED.findall(said) if name in PROBLEMS or name in RULES]
    first = _NAMED.match(said)
    if first and first[1] in PROBLEMS:
        code = first[1]
    elif first and first[1] in RULES:
        code = "packet-refused"
    else:  # another hub's words; 99 says the same everywhere
        code = "busy" if error_code == _GATEWAY_PASSING else error_code and f"gateway-{error_code}"
    rules = tuple(dict.fromkeys(name for name in named if name != code))
    return _refusal(answer, code, rules, said, error_code)


def _refusal(
    answer: Answer, code: str = "", rules: tuple[str, ...] = (), text: str = "", error_code: str = ""
) -> Refused:
    """Without a code, that of somebody who does not speak the dialect."""
    code = code or f"http-{answer.status}"
    known = PROBLEMS.get(code)
    asked = _RETRY_AFTER.search(answer.headers)
    return Refused(
        answer.status,
        code,
        temporary=(known is not None and known.temporary) or answer.status in _PASSING or answer.status >= 500,
        seconds=answer.seconds,
        retry_after=float(asked[1]) if asked else 0.0,
        text=text,
        rules=rules,
        error_code=error_code,
    )
