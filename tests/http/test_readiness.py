"""``/readyz``: anybody may ask it, and each look commits, so that those who ask at the same time share one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.api import Hub, a_hub
from sqlalchemy import event

from hub.http import readiness

GREEN = {"status": "ok", "writer": "ok", "database": "ok", "disk": "ok"}


@contextmanager
def counted(folder: Path) -> Iterator[tuple[Hub, Counter[str]]]:
    """A hub that does nothing by itself, and how often it commits and looks at its schema."""
    seen: Counter[str] = Counter()

    def at(step: str) -> None:
        seen["commits"] += step == "after-commit"

    def statement(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        seen["looks"] += text.startswith("SELECT") and "alembic_version" in text

    with pytest.MonkeyPatch.context() as patient, a_hub(folder, at=at, sweep_seconds=3600) as hub:
        patient.setattr(readiness, "_PATIENCE", 60.0)  # no machine is slow enough to be stuck
        event.listen(hub.axis.desk.engine, "before_cursor_execute", statement)
        hub.axis.enrol("H41")  # behind the sweep at the start
        seen.clear()
        yield hub, seen


def begun(hub: Hub) -> Future[httpx.Response]:
    """A question that has come as far as it can."""
    answer = hub.later("GET", "/readyz")
    for _ in range(100):
        hub.turn()
    assert not answer.done()
    return answer


def asked(hub: Hub) -> dict[str, str]:
    told: dict[str, str] = hub.ask("GET", "/readyz").json()
    return told


def test_a_thousand_questions_in_one_second_are_one_commit(tmp_path: Path) -> None:
    """Each was a commit: whoever could reach the port could keep the writer busy."""
    with counted(tmp_path) as (hub, seen):
        answers = [hub.later("GET", "/readyz") for _ in range(500)]
        assert all(answer.result(30).json() == GREEN for answer in answers)
        hub.axis.clock.pass_(seconds=0.999)
        assert all(asked(hub) == GREEN for _ in range(500))
        assert seen == {"commits": 1, "looks": 1}


def test_a_second_later_the_hub_looks_again(tmp_path: Path) -> None:
    with counted(tmp_path) as (hub, seen):
        for n in range(1, 4):
            assert asked(hub) == GREEN
            assert seen == {"commits": n, "looks": n}
            hub.axis.clock.pass_(seconds=1)


def test_a_clock_that_is_set_back_does_not_keep_an_old_answer(tmp_path: Path) -> None:
    with counted(tmp_path) as (hub, seen):
        assert asked(hub) == GREEN
        hub.axis.clock.pass_(hours=-1)
        assert asked(hub) == GREEN
        assert seen["looks"] == 2


def test_who_asks_while_a_look_is_under_way_waits_for_that_one(tmp_path: Path) -> None:
    with counted(tmp_path) as (hub, seen):
        with hub.axis.together():
            first = begun(hub)
            hub.axis.clock.pass_(seconds=5)  # however long it takes
            second = begun(hub)
        assert (first.result(30).json(), second.result(30).json()) == (GREEN, GREEN)
        assert seen["looks"] == 1


def test_who_gives_up_waiting_spoils_the_look_for_nobody(tmp_path: Path) -> None:
    with counted(tmp_path) as (hub, seen):
        with hub.axis.together():
            first, second = begun(hub), begun(hub)
            first.cancel()
            hub.turn()
        assert second.result(30).json() == GREEN
        assert seen["looks"] == 1
