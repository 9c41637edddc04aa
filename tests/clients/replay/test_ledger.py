"""The book: what a run writes down is on the disk when it says so, whoever dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Awaitable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from builders.books import HAIPHONG, NORTH, OFFICE, a_post, blamed, digest

from clients.replay.ledger.book import Book
from clients.replay.ledger.judge import judge

POST = a_post(1, "000.00.00.H24", NORTH, number="007", document_id="000.00.00.G22, 2019-3-2,7/VPCP-TH")


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as book:
        return book.execute(query).fetchall()


def test_a_row_is_in_the_file_when_its_call_is_done(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def run() -> None:
        async with Book(path) as book:
            await book.planned(POST, digest("a"), 900)
            assert rows(path, "SELECT n, size FROM post") == [(1, 900)]
            await book.sending("d1.1", n=1, what="document", at=1.5)
            assert rows(path, "SELECT mark, what, n, at FROM sending") == [("d1.1", "document", 1, 1.5)]

    asyncio.run(run())


def test_codes_ids_and_numbers_are_written_in_their_canonical_spelling(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def run() -> None:
        async with Book(path) as book:
            book.planned(POST, digest("a"), 900)

    asyncio.run(run())
    assert rows(path, "SELECT document_id, number FROM post") == [("G22,2019/03/02,7/VPCP-TH", "7")]
    assert rows(path, "SELECT code FROM addressee ORDER BY place") == [(HAIPHONG,), (NORTH,)]


def test_rows_of_all_tables_have_one_order(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def run() -> None:
        async with Book(path) as book:
            book.sending("d1.1", n=1, what="document", at=0.0)
            listed = book.look()
            book.kept(
                system=HAIPHONG, delivery="a", what="document", to=HAIPHONG, document_id="", sender=OFFICE,
                sha256=digest("a"), at=0.0, listed=listed + 3,
            )  # fmt: skip
            book.answered("d1.1", outcome="accepted", deliveries=[("a", HAIPHONG)], seconds=0.1, at=0.0)
            book.confirmed(system=HAIPHONG, delivery="a", at=0.0)

    asyncio.run(run())
    ((sent, listed, kept, answered, confirmed),) = rows(
        path,
        """SELECT s.seq, k.listed, k.seq, a.seq, c.seq FROM sending s JOIN answer a ON a.sending = s.seq, kept k,
           confirmed c""",
    )
    assert sent < listed < kept < answered < confirmed
    assert rows(path, "SELECT answer, what, n, delivery, recipient FROM promise") == [
        (answered, "document", 1, "a", HAIPHONG)
    ]


def test_an_answer_needs_a_sending(tmp_path: Path) -> None:
    async def run() -> None:
        async with Book(tmp_path / "ledger.db") as book:
            book.answered("d1.1", outcome="accepted", seconds=0.1, at=0.0)

    with pytest.raises(KeyError):
        asyncio.run(run())


def test_a_book_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"")

    async def run() -> None:
        async with Book(tmp_path / "ledger.db"):
            pass

    with pytest.raises(FileExistsError):
        asyncio.run(run())


def test_whoever_gives_up_waiting_does_not_take_the_others_along(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def wait(written: Awaitable[None]) -> None:
        await written

    async def run() -> None:
        async with Book(path) as book:
            first = asyncio.ensure_future(wait(book.sending("d1.1", n=1, what="document", at=0.0)))
            second = asyncio.ensure_future(wait(book.sending("d2.1", n=2, what="document", at=0.0)))
            await asyncio.sleep(0)
            first.cancel()
            await second
            assert first.cancelled()

    asyncio.run(run())
    assert rows(path, "SELECT COUNT(*) FROM sending") == [(2,)]


def test_a_disk_that_takes_nothing_is_told_to_everybody_who_waits(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def run() -> None:
        async with Book(path) as book:
            await book.sending("d1.1", n=1, what="document", at=0.0)
            with closing(sqlite3.connect(path)) as other:
                other.execute("DROP TABLE sending")
            with pytest.raises(sqlite3.OperationalError):
                await book.sending("d2.1", n=2, what="document", at=0.0)
            with pytest.raises(sqlite3.OperationalError):
                await book.sending("d3.1", n=3, what="document", at=0.0)

    with pytest.raises(sqlite3.OperationalError):
        asyncio.run(run())


def test_a_killed_harness_leaves_a_readable_book(tmp_path: Path) -> None:
    """Everything that was awaited is there, and the judge knows that the run did not end."""
    path = tmp_path / "ledger.db"
    program = f"""
        import asyncio, itertools, sys
        from pathlib import Path
        from builders.books import CAST, a_post, promised, sha_of
        from clients.replay.ledger.book import Book

        async def run():
            async with Book(Path({str(path)!r})) as book:
                book.cast(CAST)
                for n in itertools.count(1):
                    post = a_post(n)
                    await book.planned(post, sha_of(post), 1)
                    await book.sending(f"d{{n}}.1", n=n, what="document", at=0.0)
                    await book.answered(f"d{{n}}.1", outcome="accepted", seconds=0.1, at=0.0, **promised(post))
                    print(n, flush=True)

        asyncio.run(run())
    """
    found = os.pathsep.join(str(Path(__file__).parents[up]) for up in (3, 2))
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": found},
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    last = int(said[-1])
    assert rows(path, "SELECT COUNT(*) FROM answer")[0][0] >= last
    verdict = judge(path)
    assert verdict.stopped
    assert blamed(verdict)["open"] >= last


def test_the_timings_of_a_second_are_one_row_whatever_their_number(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def run() -> None:
        async with Book(path) as book:
            book.facts(ended=1.0, seed=7)
            for milliseconds in range(1, 1001):
                book.timed("send", 0.5, milliseconds / 1000, True)
            book.timed("send", 0.6, 9.0, False)
            book.sampled(0.5, memory=100.0)
            book.sampled(0.7, memory=300.0)

    asyncio.run(run())
    ((ok, failed, buckets),) = rows(path, "SELECT ok, failed, buckets FROM timing")
    assert (ok, failed) == (1000, 1)
    assert len(json.loads(buckets)) < 90
    figures = judge(path).figures
    (send,) = figures.operations
    assert (send.name, send.ok, send.failed, send.most) == ("send", 1000, 1, 1.0)
    assert send.p50 == pytest.approx(0.5, rel=0.1)
    assert send.p95 == pytest.approx(0.95, rel=0.1)
    assert send.p99 == pytest.approx(0.99, rel=0.1)
    assert figures.samples.lines["memory"] == (200.0,)
