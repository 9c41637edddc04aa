"""The same files through ``agency verify`` and through the page, and what the two say otherwise."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from builders.authority import Authority
from builders.browser import Opened
from builders.evidence import DOCUMENT, Told, a_story_under_an_authority

from clients.evidence import Evidence, pinned_keys, verify
from clients.evidence.container import pack
from clients.evidence.file import manifest, parts_of

Steps = list[tuple[int, str]]


@cache
def judged() -> tuple[Authority, Told]:
    return a_story_under_an_authority()


def by_command(octets: bytes, keys: Sequence[bytes] | None, stampers: Sequence[bytes] = ()) -> list[dict[str, Any]]:
    found = verify(octets, None if keys is None else pinned_keys(keys), pinned_keys(stampers).roots)
    return [
        {"number": each.number, "clause": each.clause, "result": str(each.result), "vi": each.vi, "en": each.en}
        for each in found.steps
    ]


def results(steps: list[dict[str, Any]]) -> Steps:
    return [(each["number"], each["result"]) for each in steps]


def differences(
    page: Opened, files: Mapping[Any, bytes], keys: Sequence[bytes] | None = None, stampers: Sequence[bytes] = ()
) -> dict[Any, Any]:
    """By name what the command and the page say otherwise."""
    shown = zip(files, page.verify(files.values(), keys, stampers), strict=True)
    pairs = {name: (results(by_command(files[name], keys, stampers)), results(steps)) for name, steps in shown}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def flipped(octets: bytes, at: int, mask: int) -> bytes:
    return octets[:at] + bytes([octets[at] ^ mask]) + octets[at + 1 :]


def changed_parts(evidence: Evidence, places: int | None, step: int = 1) -> Iterator[tuple[tuple[str, int], bytes]]:
    """Each file with one byte of one part changed and the manifest set right, at some ``places`` of each part or, by
    ``step``, at all."""
    parts = parts_of(evidence)
    chance = random.Random(evidence.document)
    for name in sorted(set(parts) - {"manifest.json"}):
        octets = parts[name]
        every = range(0, len(octets), step)
        chosen = every if places is None else {0, len(octets) - 1, *chance.sample(every, min(places, len(every)))}
        for at in sorted(chosen):
            other = {**parts, name: flipped(octets, at, 1)}
            yield (name, at), pack({**other, "manifest.json": manifest(DOCUMENT, other)})
