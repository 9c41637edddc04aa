"""From drafts to bytes: written, spoilt where that is planned, and signed. Runs in worker processes."""

from __future__ import annotations

from collections.abc import Sequence

from clients.replay.plan.defects import DEFECTS, Defect
from clients.replay.planned import Post, Reply
from clients.replay.stock import drafts
from clients.replay.stock.drafts import Scene
from clients.replay.stock.keys import key_and_certificate
from hub.domain.edxml import write_document, write_status
from hub.domain.signature import sign

_RIGHT = Defect("")


def packet(scene: Scene, post: Post) -> bytes:
    """The document packet; the same bytes each time."""
    defect = DEFECTS[post.defect] if post.defect else _RIGHT
    if defect.status:
        about = Reply(post.n, post.recipients[0], 0, 0.0, "01", by_sender=True)
        return _signed(scene, write_status(drafts.status(scene, post, about)), post.sender)
    written = defect.packet(write_document(drafts.document(scene, post)))
    if not post.signed or defect.signer == "nobody":
        return defect.signed(written)
    owner = post.recipients[0] if defect.signer == "another" else post.sender
    system = scene.systems[owner]
    certified = key_and_certificate(scene.seed, f"unknown {system}" if defect.signer == "unknown" else system)
    return defect.signed(sign(written, *certified, form=defect.form))


def status(scene: Scene, post: Post, reply: Reply) -> bytes:
    """The status packet, signed by who reports."""
    written = write_status(drafts.status(scene, post, reply))
    return _signed(scene, written, post.sender if reply.by_sender else reply.recipient)


def _signed(scene: Scene, written: bytes, owner: str) -> bytes:
    return sign(written, *key_and_certificate(scene.seed, scene.systems[owner]))


# In a worker process.

_scenes: list[Scene] = []


def open_shop(scene: Scene) -> None:
    """The worker's scene: sent once, and not with each order."""
    _scenes.append(scene)


def packets(posts: Sequence[Post]) -> list[bytes]:
    return [packet(_scenes[-1], post) for post in posts]


def statuses(orders: Sequence[tuple[Post, Reply]]) -> list[bytes]:
    return [status(_scenes[-1], post, reply) for post, reply in orders]
