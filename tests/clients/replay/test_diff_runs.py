"""Two runs of one plan, compared by their books: each kind of difference is found, and none where there is none."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from clients.replay.ledger.book import Book
from clients.replay.planned import Party, Post, Reply
from clients.replay.traffic.diff import KINDS, Difference, DiffProblem, Kept, as_json, diff, overtaken, show

_AGENCY = [sys.executable, "-m", "clients.agency"]
OFFICE, PROVINCE, CITY = "G22", "H41", "H17"
NAMES = {
    OFFICE: "Văn phòng Chính phủ",
    PROVINCE: "Ủy ban nhân dân tỉnh Nghệ An",
    CITY: "Ủy ban nhân dân thành phố Đà Nẵng",
}


def post(n: int, *, at: float = 0.0, to: tuple[str, ...] = (PROVINCE, CITY), **changes: Any) -> Post:
    named = Post(n, at, OFFICE, to, f"{OFFICE},2025/09/30,{n}/VP", str(n), "VP", date(2025, 9, 30))
    return replace(named, **changes)


@dataclass
class Run:
    """What happened to three documents; a test changes something of it."""

    posts: list[Post] = field(default_factory=lambda: [post(1), post(2), post(3)])
    answers: dict[int, tuple[str, str]] = field(default_factory=dict)  # n: outcome, code
    order: dict[str, list[int]] = field(default_factory=lambda: {PROVINCE: [1, 2, 3], CITY: [1, 2, 3]})
    told: list[tuple[int, str, str]] = field(default_factory=list)  # n, recipient, what
    statuses: dict[str, tuple[str, str]] = field(default_factory=lambda: {PROVINCE: ("accepted", "")})
    heard: bool = True  # the office got the status
    at_once: bool = False  # all are sent before the first answer
    salt: str = ""  # other bytes, as of another seed

    def write(self, folder: Path) -> Path:
        folder.mkdir()
        asyncio.run(self._write(folder / "ledger.db"))
        return folder

    def sha(self, what: object) -> str:
        return hashlib.sha256(f"{self.salt}{what}".encode()).hexdigest()

    async def _write(self, path: Path) -> None:
        async with Book(path) as book:
            book.facts(scenario="thử", seed=1, begun=0.0, ended=1.0, stopped=False)
            book.cast([Party(code, name, code) for code, name in NAMES.items()])
            ends: list[Callable[[], object]] = []
            for each in self.posts:
                book.planned(each, self.sha(each.n), 10)
                book.sending(f"d{each.n}.1", n=each.n, what="document", at=each.at)
                ends.append(lambda each=each: self._answer(book, each))  # type: ignore[misc]
                if not self.at_once:
                    ends.pop()()
            for end in ends:
                end()
            by_n = {each.n: each for each in self.posts}
            for code, order in self.order.items():
                for n in order:
                    book.kept(
                        system=code, delivery=f"{n}-{code}", what="document", to=code, document_id=by_n[n].document_id,
                        sender=OFFICE, sha256=self.sha(n), at=2.0,
                    )  # fmt: skip
                    book.confirmed(system=code, delivery=f"{n}-{code}", at=2.0)
            for n, code, what in self.told:
                named = {"document_id": by_n[n].document_id, "to": code, "status": ""}
                book.told(system=OFFICE, what=what, delivery=f"{n}-{code}", at=3.0, **named)
            for code, (outcome, problem) in self.statuses.items():
                self._report(book, code, outcome, problem)

    def _answer(self, book: Book, each: Post) -> None:
        outcome, code = self.answers.get(each.n, ("accepted", ""))
        deliveries = [(f"{each.n}-{to}", to) for to in each.recipients] if outcome == "accepted" else []
        hub_id = f"id{each.n}" * (outcome == "accepted")
        book.answered(
            f"d{each.n}.1", outcome=outcome, code=code, hub_id=hub_id, deliveries=deliveries, seconds=0.1, at=1.0
        )

    def _report(self, book: Book, code: str, outcome: str, problem: str) -> None:
        sha = self.sha(f"01 {code}")
        book.stated(Reply(1, code, 0, 1.0, "01"), sha)
        book.sending("s1.0.0.1", n=1, what="status", at=4.0, recipient=code, k=0)
        book.answered(
            "s1.0.0.1", outcome=outcome, code=problem, hub_id="r1", deliveries=[("s1", "")], seconds=0.1, at=4.0
        )
        if self.heard and outcome == "accepted":
            book.kept(
                system=OFFICE, delivery="s1", what="status", to=OFFICE, document_id="", sender=code, sha256=sha, at=5.0,
                code="01",
            )  # fmt: skip


def compared(tmp_path: Path, first: Run, second: Run) -> Difference:
    return diff(first.write(tmp_path / "a"), second.write(tmp_path / "b"))


def counts(difference: Difference) -> dict[str, int]:
    return {found.kind: found.count for found in difference.found if found.count}


def test_two_runs_that_came_out_alike_are_equal_whatever_their_bytes(tmp_path: Path) -> None:
    found = compared(tmp_path, Run(), Run(salt="khác"))
    assert found.equal
    assert found.exit_code == 0
    assert found.seen == {"documents": 3, "deliveries": 6, "statuses": 1, "recipients": 2}
    assert json.loads(as_json(found))["equal"] is True


ACCEPTED = {"answers": {2: ("refused", "number-taken")}, "order": {PROVINCE: [1, 3], CITY: [1, 3]}}
CASES: list[tuple[dict[str, Any], dict[str, Any], dict[str, int]]] = [
    ({}, {"posts": [post(1), post(3)], "order": {PROVINCE: [1, 3], CITY: [1, 3]}}, {"planned": 1}),
    ({}, ACCEPTED, {"accepted": 1, "delivered": 2}),
    (ACCEPTED, ACCEPTED | {"answers": {2: ("refused", "document-conflict")}}, {"code": 1}),
    (ACCEPTED, ACCEPTED | {"answers": {2: ("none", "")}}, {"code": 1}),
    ({}, {"order": {PROVINCE: [1, 2], CITY: [1, 2, 3]}}, {"delivered": 1}),
    ({"told": [(1, CITY, "delivered")]}, {"told": [(1, CITY, "expired")]}, {"told": 1}),
    ({"told": [(1, CITY, "failed"), (1, CITY, "delivered")]}, {"told": [(1, CITY, "delivered")]}, {}),
    ({}, {"order": {PROVINCE: [2, 1, 3], CITY: [1, 2, 3]}}, {"order": 1}),
    ({}, {"order": {PROVINCE: [3, 1, 2], CITY: [2, 3, 1]}}, {"order": 3}),
    ({"at_once": True}, {"at_once": True, "order": {PROVINCE: [3, 2, 1], CITY: [2, 1, 3]}}, {}),
    ({}, {"at_once": True, "order": {PROVINCE: [3, 2, 1], CITY: [2, 1, 3]}}, {}),
    ({}, {"statuses": {PROVINCE: ("refused", "status-not-allowed")}}, {"status": 1, "status-delivered": 1}),
    ({}, {"heard": False}, {"status-delivered": 1}),
    ({}, {"statuses": {}}, {"planned": 1}),
]


@pytest.mark.parametrize(("first", "second", "kinds"), CASES)
def test_each_difference_is_found_as_what_it_is(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], kinds: dict[str, int]
) -> None:
    found = compared(tmp_path, Run(**first), Run(**second))
    assert counts(found) == kinds
    assert found.equal is (not kinds)
    assert found.exit_code == (1 if kinds else 0)


def test_every_kind_of_difference_has_a_case() -> None:
    assert {kind for *_, kinds in CASES for kind in kinds} == set(KINDS)


def test_the_first_differences_are_named_in_the_table_and_in_json(tmp_path: Path) -> None:
    found = compared(tmp_path, Run(), Run(**ACCEPTED))
    console = Console(file=io.StringIO(), width=160, record=True)
    show(console, found)
    shown = console.export_text()
    assert "n 2 G22,2025/09/30,2/VP: accepted | refused number-taken" in shown
    assert "n 2 G22,2025/09/30,2/VP → H17: came | did not come" in shown
    assert shown.startswith("Different: 3 documents")
    (case,) = json.loads(as_json(found))["differences"]["accepted"]["examples"]
    assert (case["n"], case["first"], case["second"]) == (2, "accepted", "refused number-taken")


def test_what_is_no_book_is_told(tmp_path: Path) -> None:
    book = Run().write(tmp_path / "a")
    (tmp_path / "b").write_text("không phải sổ")
    for other in (tmp_path / "b", tmp_path / "c"):
        with pytest.raises(DiffProblem, match=str(other)):
            diff(book, other)


def test_a_book_that_is_damaged_is_told(tmp_path: Path) -> None:
    first, second = Run().write(tmp_path / "a"), Run().write(tmp_path / "b")
    with closing(sqlite3.connect(second / "ledger.db")) as book, book:
        book.execute("UPDATE run SET value = '{' WHERE key = 'seed'")
    with pytest.raises(DiffProblem, match="damaged"):
        diff(first, second)


def test_how_far_the_comparing_is_is_told_until_its_end(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    diff(Run().write(tmp_path / "a"), Run().write(tmp_path / "b"), lambda done, of: steps.append((done, of)))
    assert [done for done, _ in steps] == list(range(1, steps[-1][1] + 1))


def test_how_far_it_is_is_for_a_terminal_alone(tmp_path: Path) -> None:
    """In a file or a pipe there is the table, and on stderr nothing."""
    for name in ("a", "b"):
        Run().write(tmp_path / name)
    quiet = subprocess.run([*_AGENCY, "diff", "a", "b"], cwd=tmp_path, capture_output=True, check=True)
    assert quiet.stderr == b""
    assert quiet.stdout.startswith(b"Equal: 3 documents")
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as terminal:
        shown = subprocess.run(
            [*_AGENCY, "diff", "a", "b"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, check=True
        )
        os.close(theirs)
        assert "đối chiếu / judging".encode() in terminal.read(65_536)
    assert shown.stdout == quiet.stdout


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=7), st.randoms(use_true_random=False))
def test_who_was_overtaken_is_what_looking_at_every_pair_finds(moments: list[tuple[int, int]], random: Any) -> None:
    places = list(range(len(moments)))
    random.shuffle(places)
    kept = [
        Kept(n, place, (begin, begin), (begin + took, begin + took))
        for n, (place, (begin, took)) in enumerate(zip(places, moments, strict=True))
    ]
    late = {
        b.n
        for i, b in enumerate(kept)
        for a in kept[i + 1 :]
        if a.place < b.place and all(a.acked[run] < b.sent[run] for run in (0, 1))
    }
    assert {each.n for _, each in overtaken(kept)} == late
