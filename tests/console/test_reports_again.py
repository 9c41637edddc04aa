"""A report that was read a moment ago is given again: on the page, and as a sheet of it."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest
from builders.axis import Axis
from builders.reports import office_and_province
from builders.tallied import told
from sqlalchemy.exc import OperationalError, ProgrammingError

from hub.console.reports import Room
from hub.http.bell import Bell
from hub.http.interface import Interface
from hub.reports.build import Asked, Report
from hub.reports.definitions import SENT_RECEIVED, By
from hub.settings import Settings
from hub.store.engine import writing

TODAY = date(2025, 10, 1)
ASKED = Asked(SENT_RECEIVED, TODAY, TODAY, By.AGENCY)


class Watch:
    """A clock of seconds that somebody sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def a_room(axis: Axis, tmp_path: Path) -> tuple[Room, Watch]:
    watch = Watch()
    return Room(Interface(axis.desk, Bell(), Settings(data_dir=tmp_path), elapsed=watch)), watch


def sent(found: Report) -> object:
    return found.total.values[0]


def test_a_report_is_given_again_for_half_a_minute_and_then_read_anew(axis: Axis, tmp_path: Path) -> None:
    office, _ = office_and_province(axis)
    room, watch = a_room(axis, tmp_path)
    first = asyncio.run(room.report(ASKED, TODAY))
    office.send("H41")
    told(axis)
    watch.seconds = 30.0
    assert asyncio.run(room.report(ASKED, TODAY)) is first
    watch.seconds = 30.5
    assert (sent(first), sent(asyncio.run(room.report(ASKED, TODAY)))) == (0, 1)


def test_those_who_ask_for_a_report_at_once_wait_for_one_reading(axis: Axis, tmp_path: Path) -> None:
    room, _ = a_room(axis, tmp_path)

    async def both() -> list[Report]:
        return await asyncio.gather(room.report(ASKED, TODAY), room.report(ASKED, TODAY))

    one, other = asyncio.run(both())
    assert one is other


def test_a_report_that_could_not_be_read_is_read_again(axis: Axis, tmp_path: Path) -> None:
    room, _ = a_room(axis, tmp_path)
    with writing(axis.desk.engine) as connection:
        connection.exec_driver_sql("ALTER TABLE figure RENAME TO figures_away")
    with pytest.raises((OperationalError, ProgrammingError)):
        asyncio.run(room.report(ASKED, TODAY))
    with writing(axis.desk.engine) as connection:
        connection.exec_driver_sql("ALTER TABLE figures_away RENAME TO figure")
    assert sent(asyncio.run(room.report(ASKED, TODAY))) == 0


def test_few_reports_are_kept(axis: Axis, tmp_path: Path) -> None:
    room, _ = a_room(axis, tmp_path)
    first = asyncio.run(room.report(ASKED, TODAY))
    for by in (By.LEVEL, By.PROVINCE, By.MONTH):
        asyncio.run(room.report(Asked(SENT_RECEIVED, TODAY, TODAY, by), TODAY))
    assert asyncio.run(room.report(ASKED, TODAY)) is first
    for day in range(2, 6):
        asyncio.run(room.report(Asked(SENT_RECEIVED, TODAY, date(2025, 10, day), By.LEVEL), TODAY))
    assert asyncio.run(room.report(ASKED, TODAY)) is not first
