"""What the reading of every part shares: JSON in one form, and what is raised for anything else."""

from __future__ import annotations

import json
from typing import Any, TypeVar

T = TypeVar("T")


class EvidenceError(ValueError):
    """What is wrong, in Vietnamese and English: a sentence's part, to stand after a colon."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(f"{vi} / {en}")
        self.vi, self.en = vi, en

    def of(self, lang: str) -> str:
        return self.vi if lang == "vi" else self.en

    @property
    def told(self) -> tuple[str, str]:
        return self.vi, self.en


def written(value: Any) -> bytes:
    """RFC 8785 of texts, integers, lists and objects with names in ASCII."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def loaded(name: str, octets: bytes) -> Any:
    """The JSON of the part ``name``; raises ``EvidenceError`` for any that is not what :func:`written` gives."""
    try:
        value = json.loads(octets)
        same = written(value) == octets
    except (ValueError, RecursionError):  # the latter for brackets in thousands
        raise EvidenceError(f"{name} không phải JSON", f"{name} is not JSON") from None
    if not same:
        raise EvidenceError(f"{name} không ở dạng duy nhất (RFC 8785)", f"{name} is not in its one form (RFC 8785)")
    return value


def members(name: str, value: Any, *wanted: str) -> list[Any]:
    """The values of an object that has these members and no other. Raises ``EvidenceError``."""
    if not isinstance(value, dict) or set(value) != set(wanted):
        listed = ", ".join(wanted)
        raise EvidenceError(f"{name} phải có đúng: {listed}", f"{name} must have exactly: {listed}")
    return [value[member] for member in wanted]


def of_type(name: str, value: Any, kind: type[T]) -> T:
    """``value``, if it is of that very type (a truth value is no number). Raises ``EvidenceError``."""
    if type(value) is not kind:
        raise EvidenceError(f"{name}: {value!r:.60} sai kiểu", f"{name}: {value!r:.60} is of the wrong type")
    return value


def texts(name: str, value: Any) -> list[str]:
    """A list of texts. Raises ``EvidenceError``."""
    return [of_type(name, text, str) for text in of_type(name, value, list)]
