"""The soak's own judgement: calm where nothing grows, and a word for each thing that does, or that was not measured."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from builders.books import ANGIANG, CAST, HAIPHONG, OFFICE, READER, a_post, a_reply, digest, sha_of

from benchmarks.soak import Grown, TooShortError, grown
from clients.replay.ledger.book import Book
from clients.replay.planned import Post

SENDING, SETTLING = 240, 60  # seconds
OPERATIONS = ("send", "report", "list", "fetch", "done")
OfSecond = Callable[[int], float]


@dataclass(frozen=True)
class Played:
    """A run of which every second is like the others, but for what is said here."""

    sending: int = SENDING  # seconds
    memory: OfSecond = lambda second: 210.0  # MiB
    files: OfSecond = lambda second: 60
    took: OfSecond = lambda second: 0.02  # seconds, by the operation that is slow
    slow: str = ""
    answers: OfSecond = lambda second: 20  # of each operation
    fetched: Callable[[str, int], bool] = lambda what, second: True

    async def write(self, path: Path) -> None:
        async with Book(path) as book:
            book.cast(CAST)
            for second in range(self.sending + SETTLING):
                sent = min(second + 1, self.sending)
                book.sampled(second, memory=self.memory(second), files=self.files(second), sent=sent)
                for operation in OPERATIONS:
                    for _ in range(int(self.answers(second))):
                        took = self.took(second) if operation == self.slow else 0.02
                        book.timed(operation, second, took, ok=True)
                if second < self.sending:
                    self._document(book, second)

    def _document(self, book: Book, second: int) -> None:
        """A document of the Office to two, with a status of each; and one of a ministry that reads in its outbox."""
        for n, sender in ((2 * second + 1, OFFICE), (2 * second + 2, READER)):
            post = a_post(n, HAIPHONG, ANGIANG, sender=sender)
            book.planned(post, sha_of(post), post.size)
            self._accepted(book, f"d{n}.1", post, "document", second)
            for code in post.recipients:
                reply = a_reply(0, "01", n, code)
                book.stated(reply, sha_of(reply))
                self._accepted(book, f"s{n}.{code}.0.1", post, "status", second + 2, recipient=code)
                if self.fetched("document", second):
                    book.confirmed(system=code, delivery=digest("document", n, code), at=second + 2)
                if sender != READER and self.fetched("status", second):
                    book.confirmed(system=sender, delivery=digest("status", n, code), at=second + 4)

    @staticmethod
    def _accepted(book: Book, mark: str, post: Post, what: str, at: float, recipient: str = "") -> None:
        """After an answer that was lost, and once more: what is repeated is not taken twice."""
        for attempt, outcome in (("a", "none"), ("b", "accepted"), ("c", "repeated")):
            book.sending(mark + attempt, n=post.n, what=what, at=at, recipient=recipient)
            book.answered(mark + attempt, outcome=outcome, seconds=0.02, at=at)


def judged(folder: Path, played: Played) -> dict[str, Grown]:
    asyncio.run(played.write(folder / "ledger.db"))
    with closing(sqlite3.connect(folder / "ledger.db")) as book:
        return {each.name: each for each in grown(book)}


def too_much(found: dict[str, Grown]) -> set[str]:
    return {name for name, each in found.items() if each.too_much}


def test_a_flat_run_is_calm_and_everything_is_watched(tmp_path: Path) -> None:
    found = judged(tmp_path, Played())
    assert too_much(found) == set()
    assert set(found) == {
        "memory of the hub", "open files of the hub", "waiting at the hub", *(f"{each}, p95" for each in OPERATIONS),
    }  # fmt: skip
    # Two documents' two deliveries in each of two seconds, and two statuses for the one that fetches them.
    assert (found["waiting at the hub"].early, found["waiting at the hub"].late) == (12, 12)
    assert found["fetch, p95"].late == pytest.approx(20, rel=0.1)
    assert found["memory of the hub"].late == 210


LATE = SENDING * 3 // 5  # behind the early third


@pytest.mark.parametrize(
    ("name", "played"),
    [
        ("memory of the hub", Played(memory=lambda second: 210 + second / 3)),
        ("open files of the hub", Played(files=lambda second: 60 + second // 4)),
        ("waiting at the hub", Played(fetched=lambda what, second: what == "status" or second % 3 > 0)),
        ("waiting at the hub", Played(fetched=lambda what, second: what == "document" or second % 2 > 0)),
        *(
            (f"{each}, p95", Played(slow=each, took=lambda second: 0.02 if second < LATE else 0.1))
            for each in OPERATIONS
        ),
    ],
)
def test_what_grows_is_told_and_nothing_beside_it(name: str, played: Played, tmp_path: Path) -> None:
    assert too_much(judged(tmp_path, played)) == {name}


def test_what_a_burst_opened_and_the_hub_closed_again_has_not_grown(tmp_path: Path) -> None:
    burst = range(SENDING - 50, SENDING - 10)
    assert too_much(judged(tmp_path, Played(files=lambda second: 150 if second in burst else 60))) == set()


def test_what_comes_after_the_last_document_is_not_judged(tmp_path: Path) -> None:
    def after(second: int) -> bool:
        return second >= SENDING

    played = Played(
        memory=lambda second: 500 if after(second) else 210,
        files=lambda second: 300 if after(second) else 60,
        slow="list",
        took=lambda second: 2 if after(second) else 0.02,
    )
    assert too_much(judged(tmp_path, played)) == set()


@pytest.mark.parametrize(
    ("played", "told"),
    [
        (Played(sending=20), "5 samples of memory between seconds 5 and 10, at least 10 are needed"),
        (Played(memory=lambda second: 0 if second > LATE else 210), "0 samples of memory between"),
        (Played(answers=lambda second: 20 if second < LATE else 0), "0 answers of send between"),
        (Played(answers=lambda second: second % 4 == 0), "answers of send between"),
    ],
    ids=["short", "dead hub", "no answers", "few answers"],
)
def test_a_run_of_which_too_little_is_known_fails_with_a_word(played: Played, told: str, tmp_path: Path) -> None:
    with pytest.raises(TooShortError, match=told):
        judged(tmp_path, played)


def test_a_book_without_samples_fails_with_a_word(tmp_path: Path) -> None:
    async def empty() -> None:
        async with Book(tmp_path / "ledger.db"):
            pass

    asyncio.run(empty())
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as book, pytest.raises(TooShortError, match="no samples"):
        grown(book)
