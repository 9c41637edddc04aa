"""Passwords as argon2id hashes. One takes a seventh of a second and 64 MiB, so one is made at a time, in a thread of
its own, and few may wait: whoever knocks without end keeps the hub from nothing else.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.errors import Refusal

_T = TypeVar("_T")
_WAITING = 16  # that wait for the thread, or are in it: two seconds of work
_HASHER = PasswordHasher()  # argon2id with the parameters of RFC 9106 for little memory


def _of_nobody() -> str:
    """A hash that no password is known to have; comparing with it takes as long as with any other."""
    salt, tag = (base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (16, 32))
    terms = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${terms}${salt}${tag}"


_NOBODY = _of_nobody()


def hashed(password: str) -> str:
    return _HASHER.hash(password)


def is_right(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


class Passwords:
    """Of one process, asked in its event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "password")
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """Raises ``busy`` where too many wait."""
        return await self._run(lambda: hashed(password))

    async def is_right(self, stored: str, password: str) -> bool:
        """Whether it is the password that was hashed; nothing ``stored`` takes as long and is never right.

        Raises ``busy`` where too many wait.
        """
        return await self._run(lambda: is_right(stored or _NOBODY, password))

    async def _run(self, work: Callable[[], _T]) -> _T:
        if self._waiting >= _WAITING:
            raise Refusal("busy", retry_after=5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1
