"""Who signs for the hub: receipts with one key, checkpoints of its log with another (``hub.domain.receipt``,
``checkpoint``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from joserfc.jwk import ECKey

from hub.domain import receipt
from hub.domain.checkpoint import Checkpoint, SigningKey, sign
from hub.domain.receipt import Statement


@dataclass(frozen=True, slots=True)
class Notary:
    """The keys that sign now, and the log's name. Without keys it signs nothing: evidence is then not written, and
    nothing is accepted.
    """

    origin: str = ""
    receipts: ECKey | None = None
    log: SigningKey | None = None

    def entry(self, statement: Statement, nonce: bytes, now: datetime) -> tuple[bytes, str]:
        """What the log will have of a statement, and the receipt for it."""
        if self.receipts is None:
            raise RuntimeError("there are no keys to sign with")
        place = receipt.place_of(statement, nonce, self.origin, now)
        return place.entry, receipt.sign(statement, place, self.receipts)

    def checkpoint(self, size: int, root: bytes) -> str:
        if self.log is None:
            raise RuntimeError("there are no keys to sign with")
        return sign(Checkpoint(self.origin, size, root), [self.log]).decode()


NO_KEYS = Notary()
