"""What a plan says of the hub's answers is true: every packet and status of a scenario is put before a real hub."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from builders.played import a_played_hub, enrolled
from builders.served import a_served_hub
from builders.speaking import speaker

from clients.replay.plan.defects import DEFECTS
from clients.replay.plan.posts import posts
from clients.replay.planned import Post
from clients.replay.scenario.read import parse, read
from clients.replay.stock import press
from clients.replay.stock.stock import Stock
from clients.replay.wire.dialects import Dialect, Refused
from clients.replay.wire.lines import Lines
from hub.domain.rules import RULES
from hub.errors import PROBLEMS


def test_every_deserved_refusal_is_in_the_catalogue() -> None:
    for defect in DEFECTS.values():
        code, _, rule = defect.expect.partition("/")
        assert not code or code in PROBLEMS
        assert not rule or (code == "packet-refused" and rule in RULES)


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("smoke", 1.0), ("crash", 1.0), ("hostile", 0.1), ("failures-of-2020", 0.1), ("first-four-months", 0.001),
        ("year", 0.0001), ("peak-morning", 0.005), ("soak", 0.005),
    ],
)  # fmt: skip
def test_a_hub_answers_every_packet_and_status_as_planned(tmp_path: Path, name: str, scale: float) -> None:
    stock = Stock(read(name), scale=scale)
    with a_played_hub(tmp_path, stock) as play:
        play.run()
    sent = list(stock.posts())
    assert play.wrong == []
    assert play.documents == Counter(post.expect for post in sent)
    assert play.deliveries == sum(len(post.recipients) for post in sent if not post.expect and not post.repeats)
    assert play.statuses["01"] > 0


def test_each_defect_comes_in_the_hostile_scenario() -> None:
    scenario = read("hostile")
    assert set(scenario.defects) == set(DEFECTS)
    sent = Stock(scenario).posts()
    assert Counter(post.defect for post in sent if post.defect) == dict.fromkeys(DEFECTS, 10)


@pytest.mark.parametrize("dialect", ["rest", "gateway"])
def test_both_dialects_tell_each_refusal_as_planned(tmp_path: Path, dialect: str) -> None:
    stock = Stock(read("hostile"), scale=0.1)
    with a_served_hub(tmp_path) as hub:
        systems = enrolled(hub.axis, stock)

        async def send(system: Dialect, post: Post) -> str:
            try:
                await system.send(press.packet(stock.scene, post), post, f"d{post.n}.1")
            except Refused as refused:
                return f"{refused.code}/{refused.rules[0]}" if refused.code == "packet-refused" else refused.code
            return ""

        async def play() -> list[str]:
            async with Lines(hub.base_url) as lines:
                by_code = {code: speaker(dialect, lines, peer) for code, peer in systems.items()}
                return [await send(by_code[post.sender], post) for post in stock.posts()]

        answers = asyncio.run(play())
    told = [(post.defect, answer) for post, answer in zip(stock.posts(), answers, strict=True)]
    assert told == [(post.defect, post.expect) for post in stock.posts()]


_PLATFORM = """
title = "Một tỉnh với các xã, và một bộ"
[clock]
mode = "virtual"
start = 2025-10-01T09:00:00+07:00
duration = "1 day"
[documents]
count = 60
[[agencies]]
codes = ["G22"]
send = 0
[[agencies]]
codes = ["H41"]
[[agencies]]
below = ["H41"]
made = MADE
platform = true
[defects]
not-your-agency = 0.5
"""


@pytest.mark.parametrize("made", [2, 40])
def test_a_sender_claims_to_be_an_agency_of_another_system_where_few_have_one(made: int) -> None:
    scenario = parse(_PLATFORM.replace("MADE", str(made)), "platform.toml")
    sent = [post for post in posts(scenario, 1.0, 7) if post.defect]
    assert len(sent) == 30
    assert {post.recipients[0] for post in sent} == {"G22"}  # everybody else is on the province's own system


def test_a_broadcast_is_one_packet_with_a_delivery_for_each(tmp_path: Path) -> None:
    stock = Stock(read("broadcast"))
    (post,) = stock.posts()
    with a_played_hub(tmp_path, stock) as play:
        answer = play.systems["G22"].post(press.packet(stock.scene, post)).body
    assert {delivery["to"] for delivery in answer["deliveries"]} == set(post.recipients)
