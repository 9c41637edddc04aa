"""From a scenario to what is sent and reported: exact, deterministic, in order, in little memory."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import islice, pairwise

import pytest

from clients.replay.plan.cast import cast
from clients.replay.plan.posts import digest, posts
from clients.replay.plan.replies import replies, will_be_acted_on
from clients.replay.plan.series import Spread
from clients.replay.planned import Party, Post, Reply
from clients.replay.scenario.read import parse, read, shipped
from clients.replay.scenario.shapes import Range, Scenario
from hub.domain.document import Kind

SCALES = {"first-four-months": 0.02, "year": 0.002, "soak": 0.1, "load": 0.2, "peak-morning": 0.2}
EVERY = tuple(shipped())


read_once = cache(read)


@cache
def parties_of(name: str) -> dict[str, Party]:
    return {party.code: party for party in cast(read_once(name))}


@cache
def planned(name: str) -> tuple[Scenario, list[Post]]:
    scenario = read_once(name)
    return scenario, list(posts(scenario, SCALES.get(name, 1.0), scenario.seed))


def right(sent: list[Post]) -> list[Post]:
    return [post for post in sent if not post.defect and not post.repeats]


def about(name: str, post: Post) -> list[Reply]:
    scenario, parties = read_once(name), parties_of(name)
    return [
        reply for to in post.recipients if to in parties
        for reply in replies(scenario, scenario.seed, post, to, parties[to])
    ]  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_every_shipped_scenario_is_planned_in_order_and_by_those_who_take_part(name: str) -> None:
    scenario, sent = planned(name)
    parties = parties_of(name)
    assert [post.n for post in sent] == list(range(1, len(sent) + 1))
    assert all(one.at <= other.at for one, other in pairwise(sent))
    assert sent[0].at >= 0
    for post in right(sent):
        assert set(post.recipients) <= parties.keys() - {post.sender}
        assert len(set(post.recipients)) == len(post.recipients)
        assert post.at <= scenario.clock.duration
        assert post.day == scenario.moment(post.at).date()
    for party in parties.values():
        system = parties[party.system]
        assert system.system == system.code
        assert (party.dialect, party.profile, party.poll) == (system.dialect, system.profile, system.poll)


@pytest.mark.parametrize("name", EVERY)
def test_no_number_is_given_twice_and_every_id_is_new(name: str) -> None:
    _, sent = planned(name)
    told = [post for post in sent if not post.repeats and post.defect not in {"number-taken", "document-conflict"}]
    numbers = Counter((post.sender, post.issuer, post.day.year, post.number, post.symbol) for post in told)
    ids = Counter((post.sender, post.document_id, post.day.year) for post in told)
    assert max(numbers.values()) == max(ids.values()) == 1


@pytest.mark.parametrize("name", ["smoke", "year", "failures-of-2020"])
def test_the_same_seed_gives_the_same_plan_and_another_seed_another(name: str) -> None:
    scenario, sent = planned(name)
    scale = SCALES.get(name, 1.0)
    assert digest(posts(scenario, scale, scenario.seed)) == digest(sent)
    assert digest(posts(scenario, scale, scenario.seed + 1)) != digest(sent)


def test_another_process_plans_the_same() -> None:
    """Nothing hangs on the order of a set or on the hashes of texts, which each process has its own."""
    said = "from clients.replay.scenario.read import read; from clients.replay.plan.posts import digest, posts; "
    code = said + "print(digest(posts(read('hostile'), 0.3, 7)))"
    told = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": number}, capture_output=True, text=True, check=True
        ).stdout
        for number in ("1", "2")
    ]
    assert told[0] == told[1] == digest(posts(read("hostile"), 0.3, 7)) + "\n"


@pytest.mark.parametrize("scale", [0.001, 0.05, 0.1234])
def test_the_first_four_months_have_exactly_their_documents_and_deliveries(scale: float) -> None:
    scenario = read("first-four-months")
    sent = list(posts(scenario, scale, scenario.seed))
    assert len(cast(scenario)) == 95
    assert all(not post.defect and not post.repeats for post in sent)
    assert len(sent) == round(68_257 * scale)
    assert sum(len(post.recipients) for post in sent) == round(203_553 * scale)


def test_in_the_first_four_months_nobody_is_silent_and_nothing_is_taken_back() -> None:
    """Every delivery is kept: received is what was planned."""
    _, sent = planned("first-four-months")
    assert not any(party.silent for party in parties_of("first-four-months").values())
    assert not any(reply.by_sender for post in sent for reply in about("first-four-months", post))


def test_the_load_is_a_hundred_documents_a_second_to_three_recipients_each() -> None:
    scenario = read("load")
    assert len(cast(scenario)) == 3_500
    sent = list(posts(scenario, 1.0, scenario.seed))
    assert Counter(int(post.at) for post in sent) == dict.fromkeys(range(60), 100)
    assert {len(post.recipients) for post in sent} == {3}
    assert all([reply.code for reply in about("load", post)] == ["01"] * 3 for post in sent[:50])


def test_the_broadcast_goes_to_every_commune_and_province() -> None:
    _, (post,) = planned("broadcast")
    assert Counter(code.count(".") for code in post.recipients) == {0: 34, 1: 3_321}
    assert post.sender == "G22"


def test_the_year_has_a_million_documents_and_three_million_deliveries_at_least() -> None:
    documents = read("year").documents
    assert documents.count >= 1_000_000
    assert documents.deliveries >= 2.9 * documents.count


def test_office_hours_hold_nine_in_ten_documents_and_the_end_of_a_month_more() -> None:
    scenario, sent = planned("first-four-months")
    moments = [scenario.moment(post.at) for post in sent]
    working = [moment for moment in moments if moment.weekday() < 5]
    assert len(working) > 0.95 * len(moments)
    assert sum(8 <= m.hour < 12 or 13 <= m.hour < 17 for m in working) > 0.88 * len(working)
    days = Counter(moment.date().isoformat() for moment in working)
    assert days["2019-05-31"] > 1.7 * days["2019-05-28"]
    assert days["2019-06-28"] > 1.7 * days["2019-06-27"]


def test_fan_out_has_a_heavy_tail_around_the_mean_of_the_axis() -> None:
    _, sent = planned("first-four-months")
    counts = sorted(len(post.recipients) for post in sent)
    assert counts[len(counts) // 2] == 2
    assert sum(counts) / len(counts) == pytest.approx(2.98, abs=0.01)
    assert counts[-1] > 80


@pytest.mark.parametrize(("count", "total"), [(1, 7), (5, 5), (5, 47), (1000, 2990), (999, 9985)])
def test_a_spread_has_its_exact_sum_and_uses_every_place_once(count: int, total: int) -> None:
    spread = Spread([Range(share=0.7, least=1, most=2), Range(share=0.3, least=3, most=10)], count, 10, total, 0.3)
    values = [spread[place] for place in range(count)]
    assert sum(values) == total
    assert 1 <= min(values) <= max(values) <= 10


def test_a_million_posts_take_little_memory() -> None:
    """Measured on the first of them: what is remembered has found its size by then."""
    scenario = read("year")
    stream = posts(scenario, 1.0, scenario.seed)
    for _ in islice(stream, 3_000):
        pass
    tracemalloc.start()
    for _ in islice(stream, 12_000):
        pass
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 8_000_000


def test_statuses_are_as_the_field_reports_them() -> None:
    """regulation.md F9: of 894 documents that came, 734 were accepted, 610 processed, 60 refused, 49 finished."""
    scenario, sent = planned("first-four-months")
    plain = [post for post in sent if post.kind is Kind.NEW and not will_be_acted_on(scenario, scenario.seed, post)]
    codes = Counter(reply.code for post in plain for reply in about("first-four-months", post))
    for code, share in {"03": 734, "05": 610, "02": 60, "06": 49}.items():
        assert codes[code] / codes["01"] == pytest.approx(share / 894, abs=0.02), code


@pytest.mark.parametrize("name", EVERY)
def test_replies_rise_and_end_where_the_rules_let_them(name: str) -> None:
    scenario, sent = planned(name)
    order = ["13", "01", "02", "03", "04", "05", "06", "15", "16"]
    for post in sent[:400]:
        for to in filter(parties_of(name).get, post.recipients):
            made = replies(scenario, scenario.seed, post, to, parties_of(name)[to])
            codes = [reply.code for reply in made if not reply.expect]
            assert [reply.k for reply in made] == list(range(len(made)))
            assert codes == sorted(codes, key=order.index)
            assert codes.count("02") == 0 or codes[-1] == "02"
            assert all(one.after < other.after for one, other in pairwise(r for r in made if not r.by_sender))
            if {"15", "16"} & set(codes):
                assert post.kind is not Kind.NEW or codes[0] == "13"
                assert set(codes) <= {"13", "01", "15", "16"}
            assert not (post.expect and made)


def test_what_is_sent_twice_is_the_same_post_later_and_has_no_replies_of_its_own() -> None:
    _, sent = planned("failures-of-2020")
    by_n = {post.n: post for post in sent}
    again = [post for post in sent if post.repeats]
    assert len(again) == pytest.approx(60, abs=20)
    for post in again:
        first = by_n[post.repeats]
        assert post == replace(first, n=post.n, at=post.at, repeats=first.n)
        assert post.at > first.at
        assert about("failures-of-2020", post) == about("failures-of-2020", first)


@pytest.mark.parametrize("name", ["smoke", "year", "crash"])
def test_what_acts_on_an_earlier_document_names_one_that_its_recipients_have(name: str) -> None:
    scenario, sent = planned(name)
    by_n = {post.n: post for post in sent}
    acting = [post for post in right(sent) if post.kind is not Kind.NEW]
    assert {post.kind for post in acting} == {Kind.UPDATE, Kind.REVOCATION, Kind.REPLACEMENT}
    assert len({post.target for post in acting}) == len(acting)
    for post in acting:
        target = by_n[post.target]
        assert (target.sender, target.document_id, target.kind) == (post.sender, post.target_id, Kind.NEW)
        assert set(post.recipients) <= set(target.recipients)
        assert post.at - target.at >= scenario.documents.kinds.after
        assert {reply.code for reply in about(name, target)} <= {"01"}


def test_what_is_against_an_earlier_document_comes_long_after_it() -> None:
    _, sent = planned("hostile")
    by_n = {post.n: post for post in sent}
    against = [post for post in sent if post.expect in {"number-taken", "document-conflict", "not-your-document"}]
    assert len(against) == 30
    for post in against:
        first = by_n[post.target]
        assert not first.defect
        assert post.at - first.at > 1_800
        same = post.expect != "not-your-document"
        assert (post.sender == first.sender) is same
        assert ((post.number, post.symbol, post.day) == (first.number, first.symbol, first.day)) is same


def test_a_platform_speaks_for_those_below_it_and_silence_is_shared_out() -> None:
    scenario = parse(
        """title = "Nền tảng"
        [clock]
        mode = "virtual"
        start = 2025-10-01T08:00:00+07:00
        duration = "1 hour"
        [documents]
        count = 1
        [[agencies]]
        codes = ["H41"]
        dialect = "gateway"
        poll = "7 min"
        [[agencies]]
        below = ["H41"]
        made = 2
        platform = true
        poll = "1 min"
        names = "Xã Mẫu {n}"
        [[agencies]]
        directory = "G"
        take = 20
        silent = 0.25
        """,
        "nền-tảng.toml",
    )
    parties = cast(scenario)
    assert parties[1] == Party("H41.200", "Xã Mẫu 1", "H41", dialect="gateway", poll=420.0)
    assert [party.silent for party in parties[3:]].count(True) == 5
