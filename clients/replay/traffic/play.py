"""Recorded traffic as the player plays it: a cast, posts and replies in their time, and packets made anew for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType

from cryptography.hazmat.primitives.serialization import Encoding

from clients.replay.planned import Party, Post, Reply
from clients.replay.traffic.again import Again, Remade, SignAs
from clients.replay.traffic.file import TrafficProblem
from clients.replay.traffic.noise import Noise
from clients.replay.traffic.plan import Step, open_plan
from hub.domain.agency import ancestors
from hub.domain.document import local_day

STRANGER = "X99.NGUOI.LA"  # a code of nobody: what it signs, no hub knows
# The second cannot be had again and becomes the first, which is refused of a legacy system too (exchange rules 3).
_SIGNED_BY_ANOTHER = {"certificate-other-agency", "certificate-ended"}


class RecordedPlay:
    """A traffic file that is played; a context manager. ``start`` is when the recording began, moved by the whole days
    that lie between it and ``today``; a second of the recording is a second of the play.

    ``cast`` are parties as of a scenario, ``total`` documents, ``duration`` seconds, ``left_out`` what is not played.
    """

    def __init__(
        self,
        path: Path,
        *,
        seed: int,
        today: date,
        sign_as: SignAs,
        anonymise: bool = False,
        step: Step = lambda done, of: None,
    ) -> None:
        """``sign_as`` gives key and certificate of any code: those of the cast's systems, whose certificates are to be
        registered, and of :data:`STRANGER`. Another ``seed`` gives other ids: with the same one a hub is told the same
        documents again. ``step`` is told how far the reading is: a large file takes minutes. Raises ``TrafficProblem``.
        """
        self._file, self._plan = open_plan(path, step)
        self._sign_as = sign_as
        days = (today - local_day(self._plan.begun)).days
        # A seed can be guessed, and with it what was made noise of: of a name there are not many.
        noise = Noise(self._plan.secret() + str(seed).encode()) if anonymise else None
        self._again = Again(seed, days, sign_as, noise)
        self.start: datetime = self._plan.begun + timedelta(days=days)
        parties = self._plan.cast.parties
        self.cast: tuple[Party, ...] = tuple(_renamed(party, noise) for party in parties) if noise else parties
        self._parties = {party.code: party for party in self.cast}
        self.duration, self.left_out = self._plan.duration, self._plan.left_out
        self.total = sum(1 for _ in self._plan.posts())
        if not self.total:
            self._file.__exit__(None, None, None)
            left_out = ", ".join(f"{count} {what}" for what, count in self.left_out.items())
            raise TrafficProblem(f"{path}: no document in it that can be played" + (f" ({left_out})" * bool(left_out)))

    def __enter__(self) -> RecordedPlay:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._file.__exit__(kind, fault, at)

    def posts(self) -> Iterator[Post]:
        again = self._again
        for post in self._plan.posts():
            expect = self._remade(post).expect if _is_of_signature(post.expect) else post.expect
            yield replace(
                post,
                document_id=again.document_id(post.document_id) if post.document_id else "",
                number=again.number(post.number, post.day),
                symbol=again.symbol(post.symbol, post.day),
                day=again.day(post.day),
                expect=expect,
            )

    def replies(self, post: Post, recipient: str) -> tuple[Reply, ...]:
        """As the recipient, and for a withdrawal the sender, reported them; none of what is sent once more."""
        return () if post.repeats else tuple(self._deserving(post, r) for r in self._plan.replies(post.n, recipient))

    def failed(self, post: Post, recipient: str) -> bool:
        """Whether the recipient told in the end that it cannot take its delivery."""
        return self._plan.failed(post.n, recipient)

    async def packet(self, post: Post) -> bytes:
        """The same whenever it is asked for."""
        return (await asyncio.to_thread(self._remade, post)).packet

    async def status(self, post: Post, reply: Reply) -> bytes:
        """The same whenever it is asked for."""
        return (await asyncio.to_thread(self._reported_again, post, reply)).packet

    def certificate(self, code: str) -> bytes:
        """PEM."""
        return self._sign_as(code)[1].public_bytes(Encoding.PEM)

    def _deserving(self, post: Post, reply: Reply) -> Reply:
        """A recorded status with the refusal that it deserves now."""
        if not _is_of_signature(reply.expect):
            return reply
        return replace(reply, expect=self._reported_again(post, reply).expect)

    def _remade(self, post: Post) -> Remade:
        return self._signed_by(post.sender, self._plan.packet(post.n), self._plan.sent(post.n).post.expect)

    def _reported_again(self, post: Post, reply: Reply) -> Remade:
        recorded = self._plan.replies(post.n, reply.recipient)[reply.k]
        by = post.sender if reply.by_sender else reply.recipient
        return self._signed_by(by, self._plan.status(post.n, reply.recipient, reply.k), recorded.expect)

    def _signed_by(self, code: str, packet: bytes, expect: str) -> Remade:
        """As the system of ``code`` signs it; or whoever else does, where it was refused for that."""
        signer = self._parties[code].system
        if expect in _SIGNED_BY_ANOTHER:
            entitled = {signer, *ancestors(signer)}
            signer = next((party.system for party in self.cast if party.system not in entitled), STRANGER)
            expect = "certificate-unknown" if signer == STRANGER else "certificate-other-agency"
        elif expect == "certificate-unknown":
            signer = STRANGER
        return self._again.packet(packet, signer, expect)


def _is_of_signature(expect: str) -> bool:
    """Whether a refusal is of those that may be found in another step, once the signature was made anew."""
    return expect.startswith(("signature-", "certificate-"))


def _renamed(party: Party, noise: Noise) -> Party:
    """With the name that stands in its packets now."""
    return party if party.name == party.code else replace(party, name=noise.text(party.name))
