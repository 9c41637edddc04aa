"""Figures are what the rows say: after any history, late changes, removals, power cuts, and several who count."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date

import pytest
from builders.axis import Axis
from builders.reports import office_and_province, office_and_provinces, only
from builders.tallied import History, by_measure, groups_hold, kept, place, recounted, told
from sqlalchemy import delete, insert, update

from hub.domain.tally import Cell, Measure
from hub.errors import Refusal
from hub.exchange import tallying
from hub.exchange.retention import Keep, Keeper
from hub.exchange.tallying import Teller, gather
from hub.store import figures
from hub.store.engine import reading, writing
from hub.store.figure_tables import figure, tally

START = date(2025, 10, 1)


@pytest.mark.parametrize("seed", range(3))
def test_after_any_history_a_recount_finds_the_same_figures(axis: Axis, seed: int) -> None:
    history = History(axis, seed)
    for _ in range(3):
        history.go_on(60)
        uncounted = recounted(axis, only_look=True)
        assert (uncounted.differences, uncounted.examples) == (0, [])
        told(axis)
        assert groups_hold(axis)
        counted = recounted(axis, only_look=True)
        assert (counted.differences, counted.examples) == (0, [])
    assert min(kept(axis).values()) > 0
    found = by_measure(axis)
    assert found["out"] == found["in"] > found["documents"] > 0
    assert by_measure(axis, "M")["documents"] == found["documents"]
    assert place(axis)["complete"]


def test_a_status_that_comes_months_later_counts_on_the_day_of_the_delivery(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41", due_date="2025/10/20")
    province.receive(only(answer))
    told(axis)
    axis.clock.pass_(days=70)
    province.report("06", document, other="G22")
    told(axis)
    found = kept(axis)
    for measure in (Measure.DELIVERED, Measure.REACHED_01, Measure.REACHED_03, Measure.FINISHED):
        assert found[Cell(measure, START, "H41")] == 1
    assert found[Cell(Measure.TASK_LATE, START, "H41", "2025-10-20")] == 1
    assert {cell.day for cell in found} == {START}
    assert kept(axis, "M")[Cell(Measure.DOCUMENTS, START, "G22")] == 1


def test_what_is_delivered_after_it_expired_is_delivered(axis: Axis) -> None:
    office, province = office_and_province(axis)
    delivery = only(office.send("H41"))
    province.fetch(delivery)
    axis.clock.pass_(days=31)
    axis.sweep()
    told(axis)
    assert by_measure(axis)[Measure.EXPIRED] == by_measure(axis)[Measure.OUT_EXPIRED] == 1
    province.done(delivery)
    told(axis)
    found = by_measure(axis)
    assert (found[Measure.EXPIRED], found[Measure.OUT_EXPIRED], found[Measure.DELIVERED]) == (0, 0, 1)


def test_a_task_given_to_three_counts_three_times(axis: Axis) -> None:
    office, province, _ = office_and_provinces(axis)
    axis.enrol("H26")
    document, answer = office.issue("H41", "H27", "H26", due_date="2025/10/02")
    province.receive(answer["deliveries"][0]["id"])
    province.report("06", document, other="G22")
    told(axis)
    assert by_measure(axis)[Measure.TASKS] == 3
    assert by_measure(axis)[Measure.TASK_IN_TIME] == 1


def test_figures_stay_when_refusals_history_and_bytes_are_removed(axis: Axis) -> None:
    office, province = office_and_province(axis)
    with pytest.raises(Refusal):
        office.hand_in(office.packet(office.draft("H41", subject="")))
    document, answer = office.issue("H41")
    province.receive(only(answer))
    office.receive(province.report("06", document, other="G22")["delivery"])
    axis.inspect()
    axis.clock.pass_(days=20)
    before = asyncio.run(Keeper(axis.desk, Keep(packets=1, metadata=1, history=1, refusals=1)).once())
    assert before == {"packets": 1, "metadata": 1, "history": 1, "outbox": 3, "runs": 0, "refusals": 1}
    told(axis)  # nothing was counted before
    found = by_measure(axis)
    assert found[Measure.REFUSED] == found[Measure.FINISHED] == found[Measure.AGENCY_ELSE_UNKNOWN] == 1
    assert recounted(axis, only_look=True).differences == 0


def test_events_after_the_last_was_removed_are_counted(axis: Axis) -> None:
    """SQLite gives the number of a removed last row again."""
    office, province = office_and_province(axis)
    province.receive(only(office.send("H41")))
    told(axis)
    axis.clock.pass_(days=2)
    asyncio.run(Keeper(axis.desk, Keep(history=1)).once())
    province.receive(only(office.send("H41")))
    told(axis)
    assert by_measure(axis)[Measure.DELIVERED] == 2


def test_a_power_cut_leaves_figures_and_place_as_they_were(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
    office, _ = office_and_province(axis)
    office.send("H41")

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(figures, "advance", cut)
        with pytest.raises(KeyboardInterrupt):
            told(axis)
    assert kept(axis) == {}
    told(axis)
    assert by_measure(axis)[Measure.DOCUMENTS] == 1


def test_of_two_that_count_the_same_one_writes(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
    office, _ = office_and_province(axis)
    office.send("H41")
    with pytest.raises(Refusal):
        office.hand_in(office.packet(office.draft("H41", subject="")))
    other = Teller(axis.desk)

    def after_the_other(connection: object) -> tallying.Gathered:
        monkeypatch.setattr(tallying, "gather", gather)
        found = gather(connection)  # type: ignore[arg-type]
        assert other.once() == 1
        return found

    monkeypatch.setattr(tallying, "gather", after_the_other)
    assert Teller(axis.desk).once() == 0
    assert by_measure(axis)[Measure.DOCUMENTS] == by_measure(axis)[Measure.REFUSED] == 1
    assert recounted(axis, only_look=True).differences == 0


def test_a_recount_mends_what_differs_and_only_that(axis: Axis) -> None:
    history = History(axis, 11)
    history.go_on(80)
    told(axis)
    days, months = kept(axis), kept(axis, "M")
    key = {"span": "D", "measure": "documents", "agency": "X99", "key": "", "day": START}
    with writing(axis.desk.engine) as connection:
        connection.execute(delete(figure).where(figure.c.measure == "in", figure.c.span == "D"))
        connection.execute(insert(figure), {**key, "value": 7})
        connection.execute(update(figure).where(figure.c.span == "M").values(value=figure.c.value + 1))
    history.go_on(20)  # and it is not counted yet
    assert recounted(axis, only_look=True).differences > 0
    mended = recounted(axis)
    assert mended.differences > 0
    assert recounted(axis, only_look=True).differences == 0
    told(axis)
    assert recounted(axis, only_look=True).differences == 0
    assert not [cell for cell in kept(axis) if cell.agency == "X99"]
    assert sum((Counter(days) - Counter(kept(axis))).values()) <= sum(days.values())
    assert months.keys() - kept(axis, "M").keys() <= months.keys()


def test_a_recount_says_how_far_it_is(axis: Axis) -> None:
    office, _province = office_and_province(axis)
    office.send("H41")
    axis.inspect()
    said: list[tuple[str, int, int]] = []
    tallying.mend(axis.desk.engine, axis.clock, told=lambda *heard: said.append(heard))
    for what in ("signatures", "figures"):
        steps = [(done, of) for name, done, of in said if name == what]
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)
        assert steps[0][0] == 0
        assert steps[-1][0] == steps[-1][1] > 0


def test_what_was_there_before_the_figures_is_counted_once(axis: Axis) -> None:
    """As the migration leaves it: nothing of the past is in the figures, and all that follows is."""
    history = History(axis, 5)
    history.go_on(80)
    told(axis)
    with writing(axis.desk.engine) as connection:
        connection.execute(delete(figure).where(figure.c.span != "G"))
        connection.execute(update(tally).values(complete=False))
    history.go_on(20)
    recounted(axis)
    told(axis)
    assert place(axis)["complete"]
    assert recounted(axis, only_look=True).differences == 0
    assert by_measure(axis)[Measure.OUT] == by_measure(axis)[Measure.IN] > 0


def test_of_two_recounts_one_goes_on_and_nothing_is_mended_twice(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
    office, _ = office_and_province(axis)
    office.send("H41")
    told(axis)
    with writing(axis.desk.engine) as connection:
        connection.execute(delete(figure))
    whole = tallying.recount.differences

    def after_another(*arguments: object) -> object:
        monkeypatch.setattr(tallying.recount, "differences", whole)
        found = [(span, list(some)) for span, some in whole(*arguments)]  # type: ignore[arg-type]
        recounted(axis)  # on PostgreSQL it is this one that is told that it is not alone
        return found

    monkeypatch.setattr(tallying.recount, "differences", after_another)
    with pytest.raises(Refusal, match=r"^busy"):
        recounted(axis)
    recounted(axis)
    assert by_measure(axis)[Measure.DOCUMENTS] == 1
    assert recounted(axis, only_look=True).differences == 0


def test_counting_reads_what_is_new_and_no_more(axis: Axis) -> None:
    history = History(axis, 2)
    history.go_on(40)
    told(axis)
    with reading(axis.desk.engine) as connection:
        gathered = gather(connection)
        assert not gathered.leads_on_from(figures.place(connection))
    assert told(axis) == 0
