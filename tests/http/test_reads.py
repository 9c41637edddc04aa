"""Small reads that go together: one look at the database, and each its own answer or fault."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from builders.axis import Axis
from builders.databases import opened
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from hub.errors import Refusal
from hub.http.reads import Reads
from hub.store.engine import writing


def number(value: int) -> Callable[[Connection], int]:
    return lambda connection: int(connection.execute(text(f"SELECT {value}")).scalar_one())


def broken(connection: Connection) -> Any:
    return connection.execute(text("SELECT nothing FROM nowhere"))


def run(axis: Axis, story: Callable[[Reads], Coroutine[Any, Any, Any]]) -> Any:
    async def told() -> Any:
        return await story(Reads(axis.desk.engine))

    return asyncio.run(told())


def test_reads_that_wait_share_a_connection_and_each_has_its_answer(axis: Axis) -> None:
    taken: list[Any] = []
    event.listen(axis.desk.engine, "checkout", lambda *found: taken.append(found))

    async def story(reads: Reads) -> Any:
        return await asyncio.gather(*(reads.of(number(n)) for n in range(20)))

    assert run(axis, story) == list(range(20))
    assert len(taken) == 1


def test_a_read_that_fails_spoils_none_of_those_beside_it(axis: Axis) -> None:
    async def story(reads: Reads) -> Any:
        work = [reads.of(number(1)), reads.of(broken), reads.of(number(3)), reads.of(broken)]
        return await asyncio.gather(*work, return_exceptions=True)

    first, second, third, fourth = run(axis, story)
    assert (first, third) == (1, 3)
    assert isinstance(second, DBAPIError)
    assert isinstance(fourth, DBAPIError)


def refused(_connection: Connection) -> Any:
    raise Refusal("not-found")


def test_a_refusal_costs_those_beside_it_no_connection(axis: Axis) -> None:
    """Each that asked for what is not his once had all who waited behind him begin anew."""
    taken: list[Any] = []
    event.listen(axis.desk.engine, "checkout", lambda *found: taken.append(found))

    async def story(reads: Reads) -> Any:
        work = [reads.of(refused if n % 2 else number(n)) for n in range(20)]
        return await asyncio.gather(*work, return_exceptions=True)

    told = run(axis, story)
    assert told[::2] == list(range(0, 20, 2))
    assert [fault.code for fault in told[1::2]] == ["not-found"] * 10
    assert len(taken) == 1


def test_whoever_is_gone_holds_up_nobody(axis: Axis) -> None:
    async def story(reads: Reads) -> Any:
        gone = asyncio.ensure_future(reads.of(number(1)))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await reads.of(number(2)), await reads.of(number(3))

    assert run(axis, story) == (2, 3)


def test_a_read_sees_what_was_committed_before_it_was_asked_for_though_another_was_under_way(axis: Axis) -> None:
    looked, go_on = threading.Event(), threading.Event()

    def aliases(connection: Connection) -> int:
        return int(connection.execute(text("SELECT count(*) FROM agency_alias")).scalar_one())

    def slowly(connection: Connection) -> int:
        found = aliases(connection)
        looked.set()
        go_on.wait()
        return found

    async def story(reads: Reads) -> Any:
        before = asyncio.ensure_future(reads.of(slowly))
        await asyncio.to_thread(looked.wait)
        with writing(axis.desk.engine) as connection:
            connection.execute(text("INSERT INTO agency_alias (code, same_as) VALUES ('A1', 'H41')"))
        after = asyncio.ensure_future(reads.of(aliases))
        await asyncio.sleep(0)
        go_on.set()
        return await after - await before

    assert run(axis, story) == 1


def test_more_reads_than_lie_in_memory_together_come_in_several_hops(axis: Axis) -> None:
    taken: list[Any] = []
    event.listen(axis.desk.engine, "checkout", lambda *found: taken.append(found))

    async def story(reads: Reads) -> Any:
        return await asyncio.gather(*(reads.of(number(n)) for n in range(200)))

    assert run(axis, story) == list(range(200))
    assert len(taken) == 4


def test_a_database_that_is_away_is_asked_once_for_all_that_wait(tmp_path: Path) -> None:
    """Each once tried to connect by itself: with a thousand polls the last heard of it after an hour."""
    tried: list[Any] = []

    async def story(reads: Reads) -> Any:
        return await asyncio.gather(*(reads.of(number(n)) for n in range(20)), return_exceptions=True)

    with opened(f"sqlite:///{tmp_path / 'none' / 'hub.db'}") as engine:
        event.listen(engine, "do_connect", lambda *found: tried.append(found))
        told = asyncio.run(story(Reads(engine)))
    assert [type(fault) for fault in told] == [OperationalError] * 20
    assert len(tried) == 1
