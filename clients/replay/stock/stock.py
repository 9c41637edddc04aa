"""The stock of a scenario: what the player is given, made in worker processes and a little ahead of it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from typing import Any, Self

from clients.replay.plan import replies as plan_replies
from clients.replay.plan.cast import cast
from clients.replay.plan.posts import posts
from clients.replay.planned import Party, Post, Reply
from clients.replay.scenario.shapes import Scenario
from clients.replay.stock import press
from clients.replay.stock.drafts import Scene
from clients.replay.stock.keys import pem

BUDGET = 100_000_000  # bytes of packets made ahead
_BATCH = 16  # packets or statuses made in one go
_BATCH_BYTES = 2_000_000
_GATHERING = 0.002  # seconds in which statuses that are asked for go together


class Stock:
    """Cast, posts and replies of a scenario, with their bytes. Without ``async with`` it plans, and makes no bytes.

    The same packet or status can be asked for again, and is the same.
    """

    def __init__(
        self, scenario: Scenario, *, scale: float = 1.0, seed: int | None = None, workers: int = 1, budget: int = BUDGET
    ) -> None:
        self._scenario, self._scale = scenario, scale
        self.seed = scenario.seed if seed is None else seed
        self.cast: tuple[Party, ...] = cast(scenario)
        self._parties = {party.code: party for party in self.cast}
        self.scene = Scene(
            self.seed, scenario.clock.start, {p.code: p.name for p in self.cast}, {p.code: p.system for p in self.cast}
        )
        self._workers, self._budget = workers, budget
        self._pool: ProcessPoolExecutor | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._coming: dict[int, asyncio.Future[bytes]] = {}  # ahead: made, or being made
        self._reached = 0  # the last post that was made ahead
        self._early: set[int] = set()  # asked for before that
        self.ahead = 0  # bytes made ahead, or expected
        self._room = asyncio.Event()
        self._asked: list[tuple[Post, Reply, asyncio.Future[bytes]]] = []
        self._prepared: dict[tuple[int, str, int], bytes] = {}
        self._is_prepared = False  # everything was made before the play
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._pool = self._a_pool(self._workers)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        for task in (self._feeding, *self._running):
            if task is not None:
                task.cancel()
        assert self._pool is not None
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    def _a_pool(self, workers: int) -> ProcessPoolExecutor:
        # Not forked: sockets and books are none of a worker's business.
        return ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=press.open_shop, initargs=(self.scene,)
        )

    # What is planned

    def posts(self) -> Iterator[Post]:
        """In the order of their moments."""
        return posts(self._scenario, self._scale, self.seed)

    def replies(self, post: Post, recipient: str) -> tuple[Reply, ...]:
        """In the order of their moments, those of the sender too; none by who takes no part."""
        party = self._parties.get(recipient)
        return plan_replies.replies(self._scenario, self.seed, post, recipient, party) if party is not None else ()

    def certificate(self, code: str) -> bytes:
        """The certificate of the system that speaks for an agency, in PEM."""
        return pem(self.seed, self.scene.systems[code])

    # The bytes

    async def packet(self, post: Post) -> bytes:
        """A post's packet: from what was made ahead, else made now."""
        if self._feeding is None and not self._is_prepared:
            self._feeding = asyncio.create_task(self._feed())
        coming = self._coming.pop(post.n, None)
        if coming is None:
            if post.n > self._reached:
                self._early.add(post.n)
            return (await self._made(press.packets, [post]))[0]
        packet = await coming
        self.ahead -= len(packet)
        self._room.set()
        return packet

    async def status(self, post: Post, reply: Reply) -> bytes:
        """A status packet; those asked for at about the same time are made together."""
        prepared = self._prepared.pop((reply.n, reply.recipient, reply.k), None)
        if prepared is not None:
            return prepared
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        if not self._asked:
            loop.call_later(_GATHERING, self._make_asked)
        self._asked.append((post, reply, future))
        return await future

    async def prepare(self, stream: Iterable[Post], told: Callable[[int], None] = lambda made: None) -> None:
        """Make all of these packets, and every status about them, before the play, on all cores.

        ``told`` hears how many posts have theirs, and their statuses.
        """
        pool = self._a_pool(os.cpu_count() or 1)
        self._is_prepared, made = True, 0
        try:
            for batch in _batches(iter(stream), 20 * _BATCH):
                orders = [
                    (post, reply) for post in batch if not post.repeats
                    for recipient in post.recipients for reply in self.replies(post, recipient)
                ]  # fmt: skip
                parts = (_parts(batch), _parts(orders))
                packets, statuses = await asyncio.gather(
                    asyncio.gather(*(self._made(press.packets, part, pool) for part in parts[0])),
                    asyncio.gather(*(self._made(press.statuses, part, pool) for part in parts[1])),
                )
                for post, packet in zip(batch, _flat(packets), strict=True):
                    self._coming[post.n] = _done(packet)
                for (_, reply), status in zip(orders, _flat(statuses), strict=True):
                    self._prepared[reply.n, reply.recipient, reply.k] = status
                made += len(batch)
                told(made)
        finally:
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)

    async def _made(
        self,
        make: Callable[[Sequence[Any]], list[bytes]],
        orders: Sequence[Any],
        pool: ProcessPoolExecutor | None = None,
    ) -> list[bytes]:
        with _ctrl_c_later():  # a worker that starts inherits it: Ctrl-C is for the player, which ends its workers
            making = asyncio.get_running_loop().run_in_executor(pool or self._pool, make, orders)
        return await making

    async def _feed(self) -> None:
        """Make packets ahead, as many as the budget holds."""
        for batch in _batches(self.posts(), _BATCH):
            while self.ahead and self.ahead + sum(post.size for post in batch) > self._budget:
                self._room.clear()
                await self._room.wait()
            wanted = [post for post in batch if post.n not in self._early]
            self._early.difference_update(post.n for post in batch)
            size = sum(post.size for post in wanted)
            self.ahead += size
            for post in wanted:
                self._coming[post.n] = asyncio.get_running_loop().create_future()
            futures = [self._coming[post.n] for post in wanted]
            self._reached = batch[-1].n
            try:
                made = await self._made(press.packets, wanted)
            except Exception as fault:  # who waits for one of these hears it; the others are made when asked for
                for future in futures:
                    future.set_exception(fault)
                    future.exception()
                return
            self.ahead += sum(map(len, made)) - size
            for future, packet in zip(futures, made, strict=True):
                if not future.cancelled():
                    future.set_result(packet)

    def _make_asked(self) -> None:
        asked, self._asked = self._asked, []
        for part in _parts(asked):
            task = asyncio.ensure_future(self._make_statuses(part))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _make_statuses(self, asked: Sequence[tuple[Post, Reply, asyncio.Future[bytes]]]) -> None:
        try:
            made = await self._made(press.statuses, [(post, reply) for post, reply, _ in asked])
        except Exception as fault:  # whoever asked hears it
            for _, _, future in asked:
                if not future.done():
                    future.set_exception(fault)
            return
        for (_, _, future), packet in zip(asked, made, strict=True):
            if not future.cancelled():
                future.set_result(packet)


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _batches(stream: Iterator[Post], most: int) -> Iterator[list[Post]]:
    """So many posts at most, and fewer where they are large."""
    while batch := list(islice(stream, 1)):
        size = batch[0].size
        while len(batch) < most and size < _BATCH_BYTES and (post := next(stream, None)) is not None:
            batch.append(post)
            size += post.size
        yield batch


def _parts(things: Sequence[Any]) -> list[Sequence[Any]]:
    return [things[start : start + _BATCH] for start in range(0, len(things), _BATCH)]


def _flat(parts: Iterable[list[bytes]]) -> list[bytes]:
    return [one for part in parts for one in part]


def _done(packet: bytes) -> asyncio.Future[bytes]:
    future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    future.set_result(packet)
    return future
