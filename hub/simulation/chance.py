"""Which requests and deliveries an order strikes."""

from __future__ import annotations

import hashlib


def chance(seed: int, what: str, mark: str) -> float:
    """A number in [0, 1) that only these three decide: the same seed strikes the same, whatever the timing.

    ``agency replay`` reckons the same for the faults of its network.
    """
    digest = hashlib.blake2b(f"{seed}/{what}/{mark}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
