"""Certificates that end: told at 60, 30, 14 and 7 days, at each once, those of agencies too."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders.axis import START, Axis, an_axis
from builders.keys import a_certificate
from structlog.testing import capture_logs

from hub.authority import DAY, YEAR, issue, two_levels
from hub.background import beside
from hub.domain.signature import fingerprint
from hub.exchange import endings, enrol, trust
from hub.exchange.retention import Keep, Keeper
from hub.store.engine import reading

ROOT, INTERMEDIATE = two_levels(START)  # good for years


def add(axis: Axis, days: float, code: str = "G22") -> str:
    """Trust a person whose certificate has so many days left; gives its fingerprint."""
    until = START + timedelta(days=days)
    certificate = issue("Nguyễn Văn An", START - YEAR, until, INTERMEDIATE).certificate
    axis.desk.writer.run(trust.add, trust.Additions((certificate,), "person", code))
    return fingerprint(certificate)


def told(axis: Axis) -> list[dict[str, Any]]:
    """What one look logs."""
    with capture_logs() as lines:
        asyncio.run(endings.tell(axis.desk))
    return [dict(line) for line in lines]


def term(axis: Axis, days: float) -> endings.Term:
    add(axis, days)
    with reading(axis.desk.engine) as connection:
        (found,) = endings.terms(connection, axis.clock())
    return found


@pytest.mark.parametrize(
    ("left", "days", "step"),
    [
        (400, 400, None),
        (60 + 1 / 86_400, 60, None),
        (60, 60, 60),
        (30 + 1 / 86_400, 30, 60),
        (30, 30, 30),
        (14.5, 14, 30),
        (14, 14, 14),
        (7, 7, 7),
        (0.5, 0, 7),
        (0, 0, 7),
        (-1, -1, 0),
    ],
)
def test_a_certificate_comes_to_a_step_at_its_moment(axis: Axis, left: float, days: int, step: int | None) -> None:
    found = term(axis, left)
    assert (found.days, found.step) == (days, step)


def test_each_step_is_told_once_and_nothing_before_the_first_or_after_the_end(axis: Axis) -> None:
    named = add(axis, 100)
    seen = []
    for _ in range(110 * 2):
        axis.clock.pass_(hours=12)
        seen += [(line["step"], line["days"]) for line in told(axis)]
    assert seen == [(60, 60), (30, 30), (14, 14), (7, 7)]
    assert add(axis, 200) != named


def test_the_line_says_whose_certificate_it_is_and_when_it_ends(axis: Axis) -> None:
    named = add(axis, 20, "H41")
    assert told(axis) == [
        {
            "event": "certificate-ends", "log_level": "warning", "role": "person", "code": "H41",
            "subject": "Nguyễn Văn An", "fingerprint": named, "until": (START + 20 * DAY).isoformat(), "days": 20,
            "step": 30,
        }
    ]  # fmt: skip


def test_steps_that_were_missed_are_told_as_the_last_of_them(axis: Axis) -> None:
    add(axis, 100)
    axis.clock.pass_(days=90)
    assert [line["step"] for line in told(axis)] == [14]
    assert told(axis) == []


def test_a_hub_that_starts_anew_does_not_repeat_what_was_told(tmp_path: Path) -> None:
    with an_axis(tmp_path) as axis:
        add(axis, 20)
        assert len(told(axis)) == 1
    with an_axis(tmp_path) as axis:
        assert told(axis) == []


def test_the_certificate_an_agency_registered_is_told_once_for_it_and_the_units_it_speaks_for(axis: Axis) -> None:
    _, certificate = a_certificate("Nghệ An", not_after=START + 10 * DAY)
    codes = {"H41.05": "Sở Tài chính", "H41": ""}
    jobs = tuple(enrol.Enrolment(code, name, certificate=certificate) for code, name in codes.items())
    axis.desk.writer.run(enrol.enrol, enrol.Enrolments(jobs, axis.desk.vault))
    assert [(line["role"], line["code"], line["step"]) for line in told(axis)] == [("agency", "H41", 14)]


def test_what_an_agency_registered_is_listed_until_it_ends_and_what_is_trusted_until_it_is_removed(axis: Axis) -> None:
    _, certificate = a_certificate("Nghệ An", not_after=START + 10 * DAY)
    job = enrol.Enrolments((enrol.Enrolment("H41", certificate=certificate),), axis.desk.vault)
    axis.desk.writer.run(enrol.enrol, job)
    add(axis, 10)
    roles = []
    for _ in range(2):
        with reading(axis.desk.engine) as connection:
            roles.append([term.role for term in endings.terms(connection, axis.clock())])
        axis.clock.pass_(days=11)
    assert roles == [["person", "agency"], ["person"]]


def test_what_is_removed_ends_untold(axis: Axis) -> None:
    named = add(axis, 20)
    axis.desk.writer.run(trust.remove, named)
    assert told(axis) == []


def test_a_hub_that_serves_tells_by_itself(axis: Axis) -> None:
    named = add(axis, 20)

    async def served() -> None:
        async with beside(Keeper(axis.desk, Keep()).keep()):
            while not lines:
                await asyncio.sleep(0)

    with capture_logs() as lines:
        asyncio.run(asyncio.wait_for(served(), 60))
    assert [line["fingerprint"] for line in lines] == [named]
