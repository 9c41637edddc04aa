"""``hub deliveries`` as an operator types it, beside a hub that serves: what it does, prints, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from builders.axis import Peer, an_axis
from builders.commands import Hub, run, run_all, serving
from builders.reports import office_and_province
from builders.steered import an_order

from clients.hub_client import HubClient
from hub.exchange import steering

REASON = ("--reason", "Máy chủ của tỉnh đã chạy lại")


@dataclass
class Story:
    """The Government Office, Nghệ An, and what they do."""

    hub: Hub
    office: Peer
    province: Peer

    def failed(self) -> str:
        """A delivery that Nghệ An could not take."""
        delivery = self.waiting()
        with HubClient(self.hub.url, self.province.credentials["token"]) as receiver:
            receiver.packet(delivery)
            receiver.failed(delivery, "Lỗi")
        return delivery

    def waiting(self) -> str:
        with HubClient(self.hub.url, self.office.credentials["token"]) as sender:
            return str(sender.send(self.office.packet(self.office.draft("H41"))).deliveries[0]["id"])

    def state(self, delivery: str) -> str:
        [told] = run("show", delivery, "--json", *self.hub.data).rows()
        return next(d["state"] for d in told["deliveries"] if d["id"] == delivery)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with serving(tmp_path_factory.mktemp("hub")) as hub:
        yield Story(hub, hub.peer("G22"), hub.peer("H41"))


def test_help_shows_how_each_action_is_typed() -> None:
    actions = ("again", "release", "extend", "undeliverable")
    for action, end in zip(actions, run_all(*(("deliveries", action, "--help") for action in actions)), strict=True):
        assert end.code == 0
        assert f"hub deliveries {action} " in end.out


def test_a_search_is_counted_asked_about_and_delivered_again(story: Story) -> None:
    first, second, waiting = story.failed(), story.failed(), story.waiting()
    words = ("deliveries", "again", "from:G22", "to:H41")
    counted = run(*words, "--dry-run", "--json", *story.hub.data)
    assert counted.code == 3
    told = json.loads(counted.out)
    assert (told["fit"], told["done"], told["run"]) == (2, 0, None)
    assert {"delivery": waiting, "why": "waits"}.items() <= told["left"][0].items()
    refused = run(*words, *REASON, *story.hub.data, given="n\n")
    assert refused.code == 1
    assert [story.state(one) for one in (first, second)] == ["failed", "failed"]
    done = run(*words, *REASON, *story.hub.data, given="y\n")
    assert done.code == 3  # the waiting one was left
    assert "2 bản chuyển / deliveries: again?" in done.err
    assert "waiting for its recipient already" in done.out
    assert [story.state(one) for one in (first, second)] == ["waiting", "waiting"]
    with HubClient(story.hub.url, story.province.credentials["token"]) as receiver:
        assert {first, second, waiting} <= {item["id"] for item in receiver.inbox(limit=500).items}


def test_one_that_is_named_by_its_id_is_done_without_asking_and_the_story_names_who_did_it(story: Story) -> None:
    delivery = story.waiting()
    end = run("deliveries", "undeliverable", delivery, *REASON, "--yes", "--json", *story.hub.data)
    assert end.code == 0, end.err
    told = json.loads(end.out)
    assert (told["done"], told["left"]) == (1, [])
    [shown] = run("show", delivery, "--json", *story.hub.data).rows()
    [action] = shown["actions"]
    assert action["by"].startswith("command")
    assert (action["action"], action["reason"], action["outcome"]) == ("undeliverable", REASON[1], "done")
    people = run("show", delivery, *story.hub.data)
    assert "undeliverable" in people.out
    assert REASON[1] in people.out


def test_a_run_that_nobody_finished_is_listed_and_stopped_once(tmp_path: Path) -> None:
    with an_axis(tmp_path) as axis:
        office, _ = office_and_province(axis)
        ids = [delivery["id"] for delivery in office.send(*(f"H41.{n}" for n in range(1, 104)))["deliveries"]]
        wanted = an_order(axis, "undeliverable", *ids)
        axis.desk.writer.run(steering.begin, wanted)
        axis.desk.writer.run(steering.go_on, wanted.run_id)
    data = ("--data-dir", str(tmp_path))
    [row] = run("deliveries", "runs", "--json", *data).rows()
    assert (row["id"], row["place"], row["total"], row["ended_at"]) == (wanted.run_id, 100, 103, None)
    assert wanted.run_id in run("deliveries", "runs", *data).out
    words = ("deliveries", "stop", wanted.run_id, *data)
    run(*words).tells("--reason says why", code=2)
    end = run(*words, *REASON)
    assert (end.code, end.out.split()[0]) == (0, "100"), end.err
    assert "3 left" in end.out
    run(*words, *REASON).tells("it had ended already")
    [row] = run("deliveries", "runs", "--json", *data).rows()
    assert (row["done"], row["ended_at"] is None) == (100, False)
    [told] = run("show", ids[-1], "--json", *data).rows()
    assert {action["outcome"] for action in told["actions"]} == {"done", "stopped"}


def test_what_cannot_be_done_is_named_and_ends_with_one(story: Story) -> None:
    delivery = story.waiting()
    end = run("deliveries", "release", delivery, "0" * 24, *REASON, "--yes", *story.hub.data)
    assert end.code == 1
    for text in ("held by nobody", "there is no such delivery", delivery, "0 release; 2 để nguyên"):
        assert text in end.out
    assert story.state(delivery) == "waiting"


def test_more_time_needs_a_day_that_is_to_come(story: Story) -> None:
    delivery = story.waiting()
    words = ("deliveries", "extend", delivery, *REASON, "--yes", *story.hub.data)
    run(*words, "--until", "2020-01-01").tells("request-field until", "within 90 days")
    assert run(*words).code == 2


def test_wrong_words_change_nothing(story: Story) -> None:
    delivery = story.waiting()
    words = ("deliveries", "undeliverable", delivery)
    unreasoned, short, silent = run_all(
        (*words, "--yes", *story.hub.data),
        (*words, "--reason", "x", "--yes", *story.hub.data),
        (*words, *REASON, "--json", *story.hub.data),
    )
    unreasoned.tells("--reason says why", code=2)
    short.tells("reason-form")
    silent.tells("--yes or --dry-run", code=2)
    assert story.state(delivery) == "waiting"
