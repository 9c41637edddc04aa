"""Evidence of one document in one file, and its verification without network and without the hub.

``container`` is the ZIP in its one form, ``file`` the parts in it, ``strict`` what their reading shares, ``keys`` those
the hub signs with; ``collect`` puts a file together from what a hub answers, with what the signers' certificates rest
on (``grounds``). ``verification`` goes the numbered steps,
with ``statements`` (what a receipt says), ``content`` (packets) and ``certificates``; none of these does I/O.
"""

from clients.evidence.collect import EarlyError, collect
from clients.evidence.container import MAX_FILE
from clients.evidence.file import Evidence, packed
from clients.evidence.grounds import signers_of
from clients.evidence.keys import Keys, pinned_keys
from clients.evidence.strict import EvidenceError
from clients.evidence.verification import Verification, verify

__all__ = [
    "MAX_FILE",
    "EarlyError",
    "Evidence",
    "EvidenceError",
    "Keys",
    "Verification",
    "collect",
    "packed",
    "pinned_keys",
    "signers_of",
    "verify",
]
