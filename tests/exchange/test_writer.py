"""The one writer: batches, faults and answers; and what a crash at each named step leaves (exchange/writer)."""

from __future__ import annotations

import asyncio
import errno
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from builders.axis import Axis
from builders.reports import delivered, office_and_province, only
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

from hub.errors import Refusal
from hub.exchange import accept, enrol
from hub.exchange.desk import Desk
from hub.exchange.writer import Stale, Transaction, Writer, each
from hub.store import tables as t
from hub.store.engine import reading


class CrashError(Exception):
    """The process ends here."""


def killed_at(step: str) -> Callable[[str], None]:
    def at(reached: str) -> None:
        if reached == step:
            raise CrashError(step)

    return at


@contextmanager
def writing_with(axis: Axis, **calls: Callable[..., None]) -> Iterator[Writer]:
    """The hub's own writer replaced by one that calls ``at`` at each named step, ``committed`` after a commit."""
    usual = axis.desk.writer
    try:
        with Writer(
            axis.desk.engine, axis.desk.rosters, axis.clock, notary=axis.desk.writer.notary, **calls
        ) as axis.desk.writer:
            yield axis.desk.writer
    finally:
        axis.desk.writer = usual


def rows(axis: Axis) -> dict[str, int]:
    """How many rows every table holds, and how far the counter is."""
    with reading(axis.desk.engine) as connection:
        found = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in t.metadata.sorted_tables
        }
        found["seq"] = connection.execute(select(t.counter.c.seq)).scalar_one()
    return found


@each
def refuse_odd(tx: Transaction, number: int) -> int:
    """Takes its place, then refuses odd numbers."""
    tx.connection.execute(t.agency_alias.insert().values(code=f"A{number}", same_as="B"))
    if number % 2:
        raise Refusal("busy")
    return number


@each
def poisoned_by_three(tx: Transaction, number: int) -> int:
    tx.connection.execute(t.agency_alias.insert().values(code=f"A{number}", same_as="B"))
    if number == 3:
        raise ZeroDivisionError
    return number


def aliases(axis: Axis) -> set[str]:
    with reading(axis.desk.engine) as connection:
        return set(connection.execute(select(t.agency_alias.c.code)).scalars())


# Batches.


def test_what_waits_is_committed_in_one_transaction(axis: Axis) -> None:
    office, province = office_and_province(axis)
    packets = [office.packet(office.draft("H41")) for _ in range(40)]
    commits: list[Any] = []
    event.listen(axis.desk.engine, "commit", commits.append)
    with axis.together():
        answers = [office.submit(packet) for packet in packets]
    ids = [answer.result().body["id"] for answer in answers]
    assert len(commits) == 2  # the one that held the writer, and the batch
    assert [row["document_id"] for row in province.inbox()] == ids


def test_a_batch_is_bounded(axis: Axis) -> None:
    commits: list[Any] = []
    event.listen(axis.desk.engine, "commit", commits.append)
    with axis.together():
        answers = [axis.desk.writer.submit(refuse_odd, 2 * n) for n in range(600)]
    assert [answer.result() for answer in answers] == [2 * n for n in range(600)]
    assert len(commits) == 1 + 3  # 256 and 256 and 88


def test_what_is_refused_is_not_written_and_undoes_nothing_else(axis: Axis) -> None:
    with axis.together():
        answers = [axis.desk.writer.submit(refuse_odd, n) for n in range(6)]
    for n, answer in enumerate(answers):
        if n % 2:
            with pytest.raises(Refusal, match=r"^busy"):
                answer.result()
        else:
            assert answer.result() == n
    assert aliases(axis) == {"A0", "A2", "A4"}


def test_a_poisoned_piece_of_work_spoils_only_itself(axis: Axis) -> None:
    with axis.together():
        answers = [axis.desk.writer.submit(poisoned_by_three, n) for n in range(6)]
    for n, answer in enumerate(answers):
        if n == 3:
            with pytest.raises(ZeroDivisionError):
                answer.result()
        else:
            assert answer.result() == n
    assert aliases(axis) == {"A0", "A1", "A2", "A4", "A5"}


def refuses_all_for_one(_tx: Transaction, numbers: list[int]) -> list[int]:
    """Careless: the refusal of one job leaves the verb."""
    if 3 in numbers:
        raise Refusal("not-found")
    return numbers


def test_a_refusal_that_a_verb_lets_out_is_told_to_its_own_job_alone(axis: Axis) -> None:
    """The whole batch was once told that it was not found."""
    with axis.together():
        answers = [axis.desk.writer.submit(refuses_all_for_one, n) for n in range(5)]
        answers.append(axis.desk.writer.submit(refuse_odd, 8))
    assert [answer.result() for answer in (*answers[:3], *answers[4:])] == [0, 1, 2, 4, 8]
    with pytest.raises(Refusal, match=r"^not-found"):
        answers[3].result()


def test_work_of_different_verbs_is_done_in_the_order_it_came(axis: Axis) -> None:
    office, province = office_and_province(axis)
    packets = [office.packet(office.draft("H41")) for _ in range(2)]
    with axis.together():
        first = office.submit(packets[0])
        locked = axis.desk.writer.submit(lock, "H41")
        second = office.submit(packets[1])
    assert first.result().new
    locked.result()
    with pytest.raises(Stale):
        second.result()
    with pytest.raises(Refusal, match=r"^packet-refused") as refused:
        office.submit(packets[1])
    assert [violation.rule for violation in refused.value.violations] == ["recipient-locked"]
    assert len(province.inbox()) == 1


def lock(tx: Transaction, codes: list[str]) -> list[Any]:
    return enrol.steer(tx, [enrol.Steer(code, "lock") for code in codes])


# Faults that pass by themselves.


def fault_of(kind: str) -> Exception:
    if kind == "storage-full":
        return OSError(errno.ENOSPC, "No space left on device")
    return OperationalError("COMMIT", None, Exception("gone"), connection_invalidated=True)


@pytest.mark.parametrize("kind", ["storage-full", "database-away"])
def test_a_fault_that_passes_answers_the_whole_batch_and_the_writer_lives_on(axis: Axis, kind: str) -> None:
    """It strikes once: work that was tried again one by one would succeed."""
    coming: list[Exception] = []

    def meet(tx: Transaction, jobs: list[str]) -> list[str]:
        coming.extend(map(fault_of, jobs))
        return jobs

    def at(step: str) -> None:
        if step == "before-commit" and coming:
            raise coming.pop()

    with writing_with(axis, at=at) as writer:
        with axis.together():
            answers = [writer.submit(refuse_odd, 0), writer.submit(meet, kind), writer.submit(refuse_odd, 2)]
        for answer in answers:
            with pytest.raises(Refusal, match=rf"^{kind}") as refused:
                answer.result()
            assert (refused.value.problem.status, refused.value.problem.temporary) == (503, True)
            assert refused.value.retry_after == 5
        assert writer.run(refuse_odd, 4) == 4
    assert aliases(axis) == {"A4"}


def test_work_queued_before_the_end_is_still_done_and_answered(axis: Axis) -> None:
    with writing_with(axis) as writer, axis.together():
        answers = [writer.submit(refuse_odd, 2 * n) for n in range(70)]
    assert [answer.result(timeout=0) for answer in answers] == [2 * n for n in range(70)]


# Answers come after the commit, and bells ring after it.


def test_nobody_is_answered_and_nothing_rings_before_the_commit(axis: Axis) -> None:
    office, province = office_and_province(axis)
    packet = office.packet(office.draft("H41"))
    seen: list[tuple[str, bool, int]] = []
    rung: list[str] = []
    answers: list[Any] = []
    submitted = threading.Event()

    def note(step: str) -> None:
        submitted.wait()
        seen.append((step, answers[0].done(), len(province.inbox())))

    def ring(systems: Iterable[str]) -> None:
        note("rung")
        rung.extend(systems)

    with writing_with(axis, at=note, committed=ring):
        answers.append(office.submit(packet))
        submitted.set()
        answers[0].result()
    assert seen == [
        ("accept-begin", False, 0),
        ("accept-written", False, 0),
        ("before-commit", False, 0),
        ("after-commit", False, 1),
        ("rung", False, 1),
    ]
    assert rung == [province.system_id]


def test_a_fault_after_the_commit_never_has_the_work_done_twice(axis: Axis) -> None:
    """A bell that breaks is not a reason to claim, enrol or count again."""
    runs: list[int] = []

    def count(tx: Transaction, jobs: list[int]) -> list[int]:
        runs.extend(jobs)
        tx.ring("hệ thống")
        return jobs

    def broken(systems: Iterable[str]) -> None:
        raise RuntimeError("Event loop is closed")

    with writing_with(axis, committed=broken) as writer:
        with axis.together():
            answers = [writer.submit(count, n) for n in range(3)]
        assert [answer.result() for answer in answers] == [0, 1, 2]
    assert runs == [0, 1, 2]


# The end of the process at each named step: whole or absent.

STEPS = {"accept-begin": False, "accept-written": False, "before-commit": False, "after-commit": True}


@pytest.mark.parametrize("step", list(STEPS))
def test_a_document_whose_acceptance_died_is_whole_or_absent_and_comes_whole_when_sent_again(
    axis: Axis, step: str
) -> None:
    office, province = office_and_province(axis)
    packet = office.packet(office.draft("H41"))
    before = rows(axis)
    with writing_with(axis, at=killed_at(step)), pytest.raises(CrashError):
        office.post(packet)
    assert (rows(axis) != before) == STEPS[step]
    assert len(province.inbox()) == int(STEPS[step])
    again = office.post(packet)
    assert again.new != STEPS[step]
    after = rows(axis)
    changed = {name: after[name] - before[name] for name in after if after[name] != before[name] and name != "seq"}
    assert changed == {"document": 1, "packet": 1, "delivery": 1, "evidence": 1}


@pytest.mark.parametrize("step", ["report-begin", "report-written", "before-commit", "after-commit"])
def test_a_report_that_died_is_whole_or_absent(axis: Axis, step: str) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    before = rows(axis)
    with writing_with(axis, at=killed_at(step)), pytest.raises(CrashError):
        province.report("03", document)
    committed = step == "after-commit"
    assert (rows(axis) != before) == committed
    assert axis.states(answer) == {"H41": f"delivered/{'03' if committed else 'none'}"}
    province.report("03", document)
    assert axis.states(answer) == {"H41": "delivered/03"}
    assert len(office.inbox()) == 1


@pytest.mark.parametrize("verb", ["fetch", "done"])
@pytest.mark.parametrize("step", ["written", "before-commit", "after-commit"])
def test_a_hand_over_that_died_is_whole_or_absent(axis: Axis, verb: str, step: str) -> None:
    office, province = office_and_province(axis)
    delivery = only(office.send("H41"))
    if verb == "done":
        province.fetch(delivery)
    before, counted = axis.delivery(delivery), rows(axis)
    reached = f"{verb}-written" if step == "written" else step
    with writing_with(axis, at=killed_at(reached)), pytest.raises(CrashError):
        getattr(province, verb)(delivery)
    if step == "after-commit":
        assert axis.delivery(delivery) != before
    else:
        assert (axis.delivery(delivery), rows(axis)) == (before, counted)
    getattr(province, verb)(delivery)
    assert axis.delivery(delivery).fetched
    assert axis.delivery(delivery).state.value == {"fetch": "waiting", "done": "delivered"}[verb]


@pytest.mark.parametrize("step", ["before-payload", "after-payload", "accept-written", "after-commit"])
def test_a_large_packet_that_died_has_a_row_only_with_its_file(axis: Axis, step: str) -> None:
    office, province = office_and_province(axis)
    packet = office.packet(office.draft("H41"))
    usual = axis.desk
    terms = replace(usual.terms, inline_limit=100)
    at = killed_at(step)
    with Writer(usual.engine, usual.rosters, axis.clock, at=at, notary=usual.writer.notary) as writer:
        desk = Desk(usual.engine, usual.rosters, usual.payloads, usual.vault, writer, axis.clock, terms, at)
        system = usual.rosters.current(now=True).systems[office.system_id]
        with pytest.raises(CrashError):
            asyncio.run(desk.accept(packet, system, ""))
        desk.close()
    with reading(usual.engine) as connection:
        places = set(connection.execute(select(t.packet.c.place).where(t.packet.c.place.is_not(None))).scalars())
    assert len(places) == int(step == "after-commit")
    for place in places:
        assert usual.payloads.get(place) == packet
    assert len(province.inbox()) == len(places)


def test_two_writers_of_one_database_never_give_one_place_twice(axis: Axis) -> None:
    """As two processes have them."""
    office, province = office_and_province(axis)
    jobs = [office.checked(office.packet(office.draft("H41"))) for _ in range(20)]
    with Writer(axis.desk.engine, axis.desk.rosters, axis.clock, notary=axis.desk.writer.notary) as other:
        writers = itertools.cycle((axis.desk.writer, other))
        answers = [writer.submit(accept.commit, job) for writer, job in zip(writers, jobs, strict=False)]
        seqs = {axis.delivery(only(answer.result().body)).seq for answer in answers}
    assert len(seqs) == 20
    assert [row["seq"] for row in province.inbox()] == sorted(seqs)


def test_accepting_stays_whole_when_the_batch_is_done_again_one_by_one(axis: Axis) -> None:
    office, province = office_and_province(axis)
    packets = [office.packet(office.draft("H41")) for _ in range(3)]
    with axis.together():
        answers: list[Any] = [office.submit(packets[0])]
        poison = axis.desk.writer.submit(poisoned_by_three, 3)
        answers += [office.submit(packet) for packet in packets[1:]]
    results: list[accept.Accepted] = [answer.result() for answer in answers]
    with pytest.raises(ZeroDivisionError):
        poison.result()
    assert all(result.new for result in results)
    assert [row["document_id"] for row in province.inbox()] == [result.body["id"] for result in results]
