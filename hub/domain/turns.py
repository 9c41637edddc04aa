"""In which order a system's waiting documents are listed where a list has an end and no cursor (gateway dialect)."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum


class Turn(IntEnum):
    """When a waiting document is listed: by turns, then by age."""

    URGENT = 0
    ORDINARY = 1
    SUNK = 2  # listed again and again, and its recipient did nothing with it


LISTINGS = 20  # without action, then it sinks


def turn_of(*, urgent: bool) -> Turn:
    """The turn a packet begins with."""
    return Turn.URGENT if urgent else Turn.ORDINARY


def page(waiting: Callable[[Turn, int, bool], list[str]], size: int) -> list[str]:
    """A page of at most ``size``: turn after turn, each oldest first; of a turn that has more than there is room for,
    half the newest and half the oldest, so that new work never waits behind old and old never starves.

    ``waiting``: of a turn at most so many, the oldest first, or where the last is true the newest first.
    """
    found: list[str] = []
    for turn in Turn:
        room = size - len(found)
        if not room:
            break
        oldest = waiting(turn, room + 1, False)
        if len(oldest) <= room:
            found += oldest
            continue
        newest = waiting(turn, room // 2, True)[::-1]
        shown = set(newest)
        found += newest + [one for one in oldest if one not in shown][: room - len(newest)]
    return found
