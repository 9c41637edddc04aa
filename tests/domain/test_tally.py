"""What counts, and how waits are told from buckets."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.tally import BOUNDS, Cell, Change, Measure, bucket, of_change, of_refusal, of_signing, quantile

AT = datetime(2020, 3, 2, 2, 0, tzinfo=UTC)
DAY = date(2020, 3, 2)


def change(state: tuple[str, str], status: tuple[str, str], due: date | None = None, at: datetime = AT) -> Change:
    return Change("G22", "H41", AT, AT, due, at, state, status)


def test_bounds_rise_by_a_fifth_at_most_from_five_seconds_on() -> None:
    assert all(a < b for a, b in pairwise(BOUNDS))
    assert all(b / a <= 1.21 for a, b in pairwise(BOUNDS) if a >= 20)


@given(st.lists(st.integers(0, 390 * 86_400), min_size=1), st.sampled_from([0.5, 0.9]))
def test_a_quantile_is_wrong_by_a_tenth_at_most(waits: list[int], share: float) -> None:
    buckets = Counter(int(bucket(wait)) for wait in waits)
    told = quantile(buckets, share)
    ordered, left = sorted(waits), share * len(waits)
    true = next(wait for n, wait in enumerate(ordered, 1) if n >= left - 1e-9)
    assert told is not None
    assert abs(told - true) <= max(0.1 * true, 0.5)


def test_of_no_waits_there_is_no_median() -> None:
    assert quantile({}, 0.5) is None


@given(st.lists(st.sampled_from(["waiting", "taken", "failed", "expired", "delivered"]), min_size=1))
def test_a_delivery_counts_only_where_it_ended(states: list[str]) -> None:
    found: Counter[Cell] = Counter()
    for before, after in pairwise(["waiting", *states]):
        found.update(of_change(change((before, after), ("none", "none"))))
    counted = {cell.measure: n for cell, n in found.items() if n}
    names = {"delivered": {"in.delivered": 1}, "failed": {"in.failed": 1, "out.failed": 1}}
    names["expired"] = {"in.expired": 1, "out.expired": 1}
    assert counted == names.get(states[-1], {})


def test_a_jump_reaches_all_that_lies_below() -> None:
    found = of_change(change(("delivered", "delivered"), ("none", "06")))
    assert {cell.measure for cell in found} == {
        Measure.ANSWERED, Measure.REACHED_01, Measure.REACHED_03, Measure.FINISHED, Measure.TOLD_SAME_DAY,
        Measure.WAIT_01, Measure.WAIT_03, Measure.WAIT_06,
    }  # fmt: skip
    assert Measure.REACHED_03 not in {c.measure for c in of_change(change(("delivered",) * 2, ("03", "05")))}


def test_a_task_is_late_from_the_day_after_it_was_due() -> None:
    for hour, measure in ((16, Measure.TASK_IN_TIME), (17, Measure.TASK_LATE)):  # midnight in Hà Nội
        at = AT.replace(hour=hour)
        found = of_change(change(("delivered",) * 2, ("05", "06"), DAY, at))
        assert found[Cell(measure, DAY, "H41", "2020-03-02")] == 1


def test_a_task_that_was_done_stays_done() -> None:
    found = of_change(change(("delivered",) * 2, ("06", "cancelled"), DAY))
    assert not any(cell.measure.startswith("task") for cell in found)


def test_a_packet_counts_once_with_each_rule() -> None:
    twice = [{"rule": "subject-missing", "severity": "error"}] * 2 + [{"rule": "digest", "severity": "warning"}]
    assert of_refusal("G22", AT, "packet-refused", twice) == {
        Cell("refused", DAY, "G22"): 1,
        Cell("refused.rule", DAY, "G22", "subject-missing"): 1,
    }
    assert of_refusal("G22", AT, "busy", [])[Cell("refused.rule", DAY, "G22", "busy")] == 1


def test_nobody_is_said_not_to_have_signed_where_nobody_could_look() -> None:
    both, agency, none = (f'{{"missing": {missing}}}' for missing in ("[]", '["leader"]', '["leader", "agency"]'))
    no_pdf, broken = '{"reason": "not a PDF"}', '{"reason": "encrypted"}'

    def told(standing: str, *details: str, verdict: str = "VALID") -> set[str]:
        parts = [(n, verdict, detail) for n, detail in enumerate(details, 1)]
        return {cell.measure for cell in of_signing("G22", AT, standing, parts)}

    assert told("signed", both) == {"signed.both"}
    assert told("unsigned", both) == {"signed.both"}
    assert told("signed-by-platform", agency) == {"signed.agency"}
    assert told("unsigned", none) == {"signed.none"}
    assert told("unsigned", '{"missing": ["agency"]}') == {"signed.leader"}
    assert told("signed") == told("signed", no_pdf) == told("signed", broken) == {"signed.agency?"}
    assert told("signed", none, broken) == {"signed.agency?"}
    assert told("signed", both, broken) == {"signed.both"}
    assert told("unsigned", no_pdf) == {"signed.?"}
    assert told("signed", both, verdict="MODIFIED") == {"signed.both", "signed.invalid"}
