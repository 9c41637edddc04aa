"""Actions on many deliveries: in chunks, gone on with by whoever comes by, whole or absent whatever stops them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.axis import Axis, Peer, an_axis
from builders.crash import MortalHub
from builders.databases import statements
from builders.reports import office_and_province
from builders.steered import DONE, an_order, audited, look, outcomes, run_of
from builders.waiting import comes

from hub.domain.search import parse
from hub.domain.steering import Left
from hub.errors import Refusal
from hub.exchange import steering
from hub.exchange.writer import Writer
from hub.store import deliveries
from hub.store import steering as rows
from hub.store.engine import reading

MANY = 2 * steering.CHUNK + 30


class CrashError(Exception):
    """The process ends here."""


def many_expired(axis: Axis) -> tuple[Peer, Peer, list[str]]:
    """One document to many units below Nghệ An, which did not fetch it."""
    office, province = office_and_province(axis)
    answer = office.send(*(f"H41.{n}" for n in range(1, MANY + 1)))
    axis.clock.pass_(days=31)
    axis.sweep()
    return office, province, [delivery["id"] for delivery in answer["deliveries"]]


def begun(axis: Axis, ids: list[str]) -> steering.Order:
    wanted = an_order(axis, "again", *ids)
    axis.desk.writer.run(steering.begin, wanted)
    return wanted


def reopened_once(axis: Axis, office: Peer, province: Peer, ids: list[str]) -> None:
    """Every delivery waits again, and its sender and the audit were told once of each."""
    waits = {str(row["id"]) for row in province.inbox(limit=10_000)}
    assert waits == set(ids)
    with reading(axis.desk.engine) as connection:
        events = [row for row in deliveries.events_of(connection, ids) if row["what"] == "reopen"]
    assert sorted(event["delivery_id"] for event in events) == sorted(ids)
    noted = [one for entry in audited(axis) for one in entry["facts"]["deliveries"]]
    assert sorted(noted) == sorted(ids)


def test_a_run_goes_in_chunks_between_which_the_hub_does_other_work(axis: Axis) -> None:
    office, province, ids = many_expired(axis)
    wanted = begun(axis, ids)
    places = []
    while not places or places[-1] < MANY:
        run = axis.desk.writer.run(steering.go_on, wanted.run_id)
        places.append(run["place"])
        office.send("H41")
        assert (run["ended_at"] is None) == (run["place"] < MANY)
    assert places == [steering.CHUNK, 2 * steering.CHUNK, MANY]
    assert run_of(axis, wanted.run_id)["done"] == MANY
    assert [entry["subject"] for entry in audited(axis)] == [wanted.run_id] * 3
    assert len(province.inbox(limit=10_000)) == MANY + 3


def test_a_chunk_takes_few_statements_however_many_deliveries_it_has(axis: Axis) -> None:
    _, _, ids = many_expired(axis)
    wanted = begun(axis, ids)
    with statements(axis.desk.engine) as seen:
        axis.desk.writer.run(steering.go_on, wanted.run_id)
    assert len(seen) < 40


def dying_at(step: str) -> Callable[[str], None]:
    """The process ends when the step is reached the first time."""
    died: list[str] = []

    def at(reached: str) -> None:
        if reached == step and not died:
            died.append(step)
            raise CrashError(step)

    return at


STEPS = {"steering-written": False, "before-commit": False, "after-commit": True}


@pytest.mark.parametrize("step", STEPS)
def test_a_chunk_that_died_is_whole_or_absent_and_the_run_goes_on_to_its_end(axis: Axis, step: str) -> None:
    office, province, ids = many_expired(axis)
    wanted = begun(axis, ids)
    axis.desk.writer.run(steering.go_on, wanted.run_id)
    usual = axis.desk.writer
    with Writer(axis.desk.engine, axis.desk.rosters, axis.clock, at=dying_at(step)) as writer:
        axis.desk.writer = writer
        with pytest.raises(CrashError):
            writer.run(steering.go_on, wanted.run_id)
    axis.desk.writer = usual
    there = 2 * steering.CHUNK if STEPS[step] else steering.CHUNK
    assert run_of(axis, wanted.run_id)["place"] == there
    assert len(province.inbox(limit=10_000)) == there
    assert outcomes(axis, wanted.run_id).count(DONE) == there
    asyncio.run(steering.finish(axis.desk, wanted.run_id))
    reopened_once(axis, office, province, ids)


@pytest.mark.parametrize("step", ["steering-begun", "before-commit", "after-commit"])
def test_an_order_that_died_is_taken_once_when_its_form_is_sent_again(axis: Axis, step: str) -> None:
    office, province, ids = many_expired(axis)
    wanted = an_order(axis, "again", *ids)
    with (
        Writer(axis.desk.engine, axis.desk.rosters, axis.clock, at=dying_at(step)) as writer,
        pytest.raises(CrashError),
    ):
        writer.run(steering.begin, wanted)
    axis.desk.writer.run(steering.begin, wanted)
    asyncio.run(steering.finish(axis.desk, wanted.run_id))
    reopened_once(axis, office, province, ids)


def stopped(axis: Axis, run_id: str, reason: str = "Nhầm tỉnh") -> int:
    return int(axis.desk.writer.run(steering.stop, steering.Stop(run_id, "minh", reason)))


def test_a_run_that_is_stopped_keeps_what_is_done_and_leaves_the_rest(axis: Axis) -> None:
    _, province, ids = many_expired(axis)
    wanted = begun(axis, ids)
    axis.desk.writer.run(steering.go_on, wanted.run_id)
    assert stopped(axis, wanted.run_id) == MANY - steering.CHUNK
    run = axis.desk.writer.run(steering.go_on, wanted.run_id)
    assert (run["done"], run["place"], run["ended_at"]) == (steering.CHUNK, MANY, axis.clock())
    came_to = outcomes(axis, wanted.run_id)
    assert came_to == [DONE] * steering.CHUNK + [Left.STOPPED] * (MANY - steering.CHUNK)
    assert {str(row["id"]) for row in province.inbox(limit=10_000)} == set(ids[: steering.CHUNK])
    assert stopped(axis, wanted.run_id) == 0, "it has ended"
    [_, entry] = audited(axis)
    assert (entry["operator"], entry["action"], entry["subject"]) == ("minh", "delivery-stop", wanted.run_id)
    assert (entry["reason"], entry["facts"]["done"], entry["facts"]["left"]) == ("Nhầm tỉnh", 100, MANY - 100)
    with reading(axis.desk.engine) as connection:
        assert rows.going(connection) == []


def test_only_a_run_that_there_is_can_be_stopped_and_only_with_a_reason(axis: Axis) -> None:
    _, _, ids = many_expired(axis)
    wanted = begun(axis, ids)
    for run_id, reason, code in (
        (wanted.run_id, "x", "reason-form"), ("0" * 24, "Nhầm", "not-found"), ("\0", "Nhầm", "not-found"),
    ):  # fmt: skip
        with pytest.raises(Refusal, match=f"^{code}"):
            stopped(axis, run_id, reason)
    assert run_of(axis, wanted.run_id)["ended_at"] is None
    assert audited(axis) == []


@pytest.mark.parametrize("step", ["steering-stopped", "before-commit", "after-commit"])
def test_a_stop_that_died_is_whole_or_absent(axis: Axis, step: str) -> None:
    _, _, ids = many_expired(axis)
    wanted = begun(axis, ids)
    job = steering.Stop(wanted.run_id, "minh", "Nhầm tỉnh")
    with (
        Writer(axis.desk.engine, axis.desk.rosters, axis.clock, at=dying_at(step)) as writer,
        pytest.raises(CrashError),
    ):
        writer.run(steering.stop, job)
    there = step == "after-commit"
    assert outcomes(axis, wanted.run_id).count(Left.STOPPED) == (MANY if there else 0)
    assert len(audited(axis)) == there
    assert stopped(axis, wanted.run_id) == (0 if there else MANY)
    assert len(audited(axis)) == 1


def test_a_stop_comes_between_two_chunks_of_whoever_is_at_it(axis: Axis) -> None:
    _, province, ids = many_expired(axis)
    wanted = begun(axis, ids)

    async def both() -> None:
        job = steering.Stop(wanted.run_id, "minh", "Nhầm tỉnh")
        await asyncio.gather(steering.finish(axis.desk, wanted.run_id), axis.desk.write(steering.stop, job))

    asyncio.run(both())
    came_to = outcomes(axis, wanted.run_id)
    done = came_to.count(DONE)
    assert done in {0, steering.CHUNK}
    assert came_to[done:] == [Left.STOPPED] * (MANY - done)
    assert len(province.inbox(limit=10_000)) == done


def test_two_that_go_on_with_one_run_share_it(axis: Axis) -> None:
    office, province, ids = many_expired(axis)
    wanted = begun(axis, ids)

    async def both() -> None:
        await asyncio.gather(*(steering.finish(axis.desk, wanted.run_id) for _ in range(2)))

    asyncio.run(both())
    reopened_once(axis, office, province, ids)


def test_a_hub_that_is_killed_in_the_middle_goes_on_by_itself_when_it_is_there_again(
    tmp_path: Path, database_url: str
) -> None:
    with an_axis(tmp_path, database_url) as axis:
        office, province, ids = many_expired(axis)
        wanted = begun(axis, ids)
        with MortalHub(tmp_path, database_url) as hub:
            hub.start("steering-written", "steering-written")  # the second chunk's end is not reached
            assert comes(lambda: run_of(axis, wanted.run_id)["place"] == steering.CHUNK)
            hub.revive(hub.url)
            assert comes(lambda: run_of(axis, wanted.run_id)["ended_at"] is not None)
            hub.stop()
        reopened_once(axis, office, province, ids)


def test_a_run_that_cannot_be_done_keeps_no_other_from_its_end(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
    _, province, ids = many_expired(axis)
    broken, whole = begun(axis, ids[:1]), begun(axis, ids[1:3])

    usual = steering.go_on

    def go_on(tx: object, jobs: list[str]) -> list[object]:
        if broken.run_id in jobs:
            raise RuntimeError("defect")
        return usual(tx, jobs)  # type: ignore[arg-type]

    monkeypatch.setattr(steering, "go_on", go_on)

    async def until_ended() -> None:
        task = asyncio.create_task(steering.keep(axis.desk))
        while run_of(axis, whole.run_id)["ended_at"] is None:
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(asyncio.wait_for(until_ended(), 30))
    assert run_of(axis, broken.run_id)["place"] == 0
    assert sorted(province.waiting()) == sorted(ids[1:3])


def test_what_a_search_finds_is_looked_at_whole_or_not_at_all(axis: Axis) -> None:
    _, _, ids = many_expired(axis)
    with reading(axis.desk.engine) as connection:
        found = steering.searched(connection, parse("from:G22 state:expired"))
        some, all_of_them = rows.found(connection, parse("from:G22"), 50, 5.0)
    assert (len(some), all_of_them) == (50, False)
    assert sorted(found) == sorted(ids)
    assert look(axis, "again", found) == {"fit": MANY}
    with pytest.raises(Refusal, match="too many"):
        steering.within([*ids] * 50)
