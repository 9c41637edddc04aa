"""From drafts to bytes: written, spoilt where that is planned, and signed. Runs in worker processes."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from clients.replay.plan.defects import DEFECTS, Defect
from clients.replay.planned import Post, Reply
from clients.replay.stock import drafts
from clients.replay.stock.drafts import Desk
from clients.replay.stock.keys import key_and_certificate
from hub.domain.edxml import write_document, write_status
from hub.domain.signature import sign

_RIGHT = Defect("")


def packet(desk: Desk, post: Post) -> bytes:
    """The document packet; the same bytes each time."""
    defect = DEFECTS[post.defect] if post.defect else _RIGHT
    if defect.status:
        about = Reply(post.n, post.recipients[0], 0, 0.0, "01", by_sender=True)
        return _signed(desk, write_status(drafts.status(desk, post, about)), post.sender)
    written = defect.packet(write_document(drafts.document(desk, post)))
    if not post.signed or defect.signer == "nobody":
        return defect.signed(written)
    owner = post.recipients[0] if defect.signer == "another" else post.sender
    system = desk.systems[owner]
    certified = key_and_certificate(desk.seed, f"unknown {system}" if defect.signer == "unknown" else system)
    return defect.signed(sign(written, *certified, form=defect.form))


def status(desk: Desk, post: Post, reply: Reply) -> bytes:
    """The status packet, signed by who reports."""
    written = write_status(drafts.status(desk, post, reply))
    return _signed(desk, written, post.sender if reply.by_sender else reply.recipient)


def _signed(desk: Desk, written: bytes, owner: str) -> bytes:
    return sign(written, *key_and_certificate(desk.seed, desk.systems[owner]))


# In a worker process.

_desks: list[Desk] = []


def open_shop(desk: Desk) -> None:
    """The worker's desk: sent once, and not with each order. Ctrl-C is for the player, which ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _desks.append(desk)


def packets(posts: Sequence[Post]) -> list[bytes]:
    return [packet(_desks[-1], post) for post in posts]


def statuses(orders: Sequence[tuple[Post, Reply]]) -> list[bytes]:
    return [status(_desks[-1], post, reply) for post, reply in orders]
