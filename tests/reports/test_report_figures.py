"""What reports say of known stories, and that they agree with each other and with the rows."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from builders.axis import Axis
from builders.reports import office_and_provinces
from builders.tallied import History, told
from sqlalchemy import func, select

from hub.domain.deadlines import Day, DayKind
from hub.domain.tally import WAITS, Measure
from hub.errors import Refusal
from hub.exchange.calendar import Addition, Removal, add, remove
from hub.reports import sheet
from hub.reports.build import Asked, Report, Row, build
from hub.reports.chart import chart
from hub.reports.definitions import KINDS, By, Form
from hub.store import figures
from hub.store import tables as t
from hub.store.engine import reading

SINCE, UNTIL = date(2025, 9, 1), date(2026, 8, 31)


def report(axis: Axis, name: str, by: By = By.AGENCY, today: date = UNTIL, **changes: Any) -> Report:
    with reading(axis.desk.engine) as connection:
        asked = replace(Asked(KINDS[name], SINCE, UNTIL, by), **changes)
        return build(connection, axis.desk.rosters.current(now=True).directory, asked, today)


def said(found: Report, row: Row | None = None) -> dict[str, Any]:
    names = [column.name for column in found.columns]
    return dict(zip(names, (row or found.total).values, strict=True))


def of(found: Report, group: str) -> dict[str, Any]:
    return said(found, next(row for row in found.rows if row.group == group))


def a_story(axis: Axis) -> None:
    """The Office gives a task to two provinces: one finishes it, the other is silent; and a document is taken back."""
    office, north, _ = office_and_provinces(axis)
    task, answer = office.issue("H41", "H27", due_date="2025/10/10", date="2025/10/01")
    late = office.send("H41", date="2025/09/29")  # a Monday: due on Tuesday morning, sent on Wednesday
    morning = office.send("H27", date="2025/09/30")
    assert late["id"] != morning["id"]
    north.receive(answer["deliveries"][0]["id"])
    axis.clock.pass_(minutes=10)
    north.report("01", task, other="G22")
    axis.clock.pass_(hours=5)
    north.report("03", task, other="G22", description="Đã vào sổ")
    axis.clock.pass_(days=2)
    north.report("06", task, other="G22", description="Xong")
    back, _ = office.issue("H27", date="2025/10/03")
    office.report("13", back, other="H27", description="Gửi nhầm")
    with pytest.raises(Refusal):
        office.hand_in(office.packet(office.draft("H41", attachments=(), manifest=())))
    told(axis)


def test_who_sent_and_received_how_much(axis: Axis) -> None:
    a_story(axis)
    found = report(axis, "sent-received")
    assert of(found, "G22")["documents"] == 4
    assert of(found, "G22")["deliveries_out"] == 5
    assert of(found, "G22")["fan_out"] == 1.25
    assert (of(found, "H27")["deliveries_in"], of(found, "H27")["withdrawn"]) == (3, 1)
    assert (of(found, "H41")["deliveries_in"], of(found, "H41")["received"], of(found, "H41")["on_the_way"]) == (
        2,
        1,
        1,
    )
    assert said(found)["deliveries_in"] == said(found)["deliveries_out"] == 5


def test_how_timely_it_was(axis: Axis) -> None:
    a_story(axis)
    found = report(axis, "timeliness")
    sent = of(found, "G22")
    assert (sent["same_day"], sent["next_morning"], sent["late"], sent["in_time_share"]) == (2, 1, 1, 0.75)
    at = of(found, "H41")
    assert (at["received"], at["no_status"], at["told_same_day"]) == (1, 0, 1)
    assert at["to_01_median"] == pytest.approx(600, rel=0.1)
    assert at["to_03_p90"] == pytest.approx(5 * 3600 + 600, rel=0.1)
    assert of(found, "G22")["to_01_median"] is None


def test_a_changed_calendar_changes_what_was_late(axis: Axis) -> None:
    a_story(axis)
    days = (Day(date(2025, 9, 30), DayKind.HOLIDAY, "Nghỉ bão"),)
    axis.desk.writer.run(add, Addition(days, "command:thu"))
    assert of(report(axis, "timeliness"), "G22")["late"] == 0
    gone = Removal(
        (date(2025, 9, 30), date(2025, 9, 2), date(2025, 9, 3)), frozenset({date(2025, 9, 2)}), "command:thu"
    )
    assert axis.desk.writer.run(remove, gone) == 2
    assert axis.desk.writer.run(remove, gone) == 0
    assert of(report(axis, "timeliness"), "G22")["late"] == 1


def test_how_tasks_stand_on_a_day(axis: Axis) -> None:
    a_story(axis)
    assert (of(report(axis, "tasks"), "H41")["assigned"], of(report(axis, "tasks"), "H41")["done_in_time"]) == (1, 1)
    for today, how in ((date(2025, 10, 10), "open_in_time"), (date(2025, 10, 11), "open_late")):
        found = report(axis, "tasks", today=today)
        silent = of(found, "H27")
        assert (silent["assigned"], silent[how], silent["open_in_time"] + silent["open_late"]) == (1, 1, 1)
        assert said(found)["assigned"] == 2


def test_how_good_it_was_and_what_was_withdrawn(axis: Axis) -> None:
    a_story(axis)
    quality = report(axis, "quality")
    assert (of(quality, "G22")["refused"], of(quality, "G22")["no_attachment"]) == (1, 1)
    assert quality.rules == (("attachment-missing", 1, 0),)
    withdrawals = of(report(axis, "withdrawals"), "G22")
    assert (withdrawals["take_backs"], withdrawals["withdrawn"], withdrawals["asked"]) == (1, 1, 0)
    levels = said(report(axis, "levels"))
    assert (levels["reached_03"], levels["unexamined"], levels["signed_none"]) == (1, 4, 0)


def test_the_year_before_stands_beside_it(axis: Axis) -> None:
    a_story(axis)
    found = report(axis, "sent-received", since=date(2026, 10, 1), until=date(2026, 10, 31), by=By.MONTH)
    assert [(row.group, row.values[0], row.before[0]) for row in found.rows] == [("2026-10", 0, 4)]
    assert found.before == (date(2025, 10, 1), date(2025, 10, 31))


@pytest.mark.parametrize(
    ("since", "days"), [(0, 1), (0, 40), (29, 3), (29, 24), (30, 9), (10, 80), (20, 45), (31, 200)]
)
def test_the_figures_of_a_period_are_those_of_its_days(axis: Axis, since: int, days: int) -> None:
    """Most of a month is read from the month, less the other days."""
    history = History(axis, 22)
    history.go_on(60)
    told(axis)
    measures = [m for m in Measure if m not in (*WAITS, Measure.SENT_LATER)]
    begin = date(2025, 9, 1) + timedelta(days=since)
    one_by_one: Counter[tuple[str | None, str]] = Counter()
    with reading(axis.desk.engine) as connection:
        for n in range(days):
            day = begin + timedelta(days=n)
            for group in figures.sums(connection, [], day, day, keyed=measures):
                one_by_one.update({(group.who, name): n for name, n in group.named.items()})
        found = figures.sums(connection, [], begin, begin + timedelta(days=days - 1), keyed=measures)
    assert {(group.who, name): n for group in found for name, n in group.named.items()} == dict(one_by_one)


@pytest.mark.parametrize("seed", [21])
def test_totals_agree_with_each_other_and_with_the_rows(axis: Axis, seed: int) -> None:
    history = History(axis, seed)
    history.go_on(90)
    told(axis)
    for name, kind in KINDS.items():
        totals = {report(axis, name, by).total.values for by in By}
        assert len(totals) == 1
        counts = [n for n, column in enumerate(kind.columns) if column.form is Form.COUNT]
        for by in By:
            found = report(axis, name, by)
            for n in counts:
                assert sum(row.values[n] or 0 for row in found.rows) == found.total.values[n]
                assert all((row.values[n] or 0) >= 0 for row in found.rows)
    sent, tasks, levels = (said(report(axis, name)) for name in ("sent-received", "tasks", "levels"))
    assert sent["deliveries_in"] == sent["deliveries_out"]
    parts = ("received", "on_the_way", "undelivered", "withdrawn")
    assert sent["deliveries_in"] == sum(sent[part] for part in parts)
    stands = ("done_in_time", "done_late", "open_in_time", "open_late", "ended", "undelivered")
    assert tasks["assigned"] == sum(tasks[stand] for stand in stands) > 0
    signed = [
        value for name, value in levels.items() if name.startswith(("signed_", "agency_")) and "share" not in name
    ]
    assert levels["documents"] == sum(signed) + levels["unexamined"]
    own = t.delivery.c.report_id.is_(None)
    with reading(axis.desk.engine) as connection:
        documents = connection.execute(select(func.count()).select_from(t.document)).scalar_one()
        done = select(func.count()).select_from(t.delivery).where(own, t.delivery.c.state == "delivered")
        assert (sent["documents"], sent["received"]) == (documents, connection.execute(done).scalar_one())


def test_any_period_says_what_its_days_say(axis: Axis) -> None:
    """Whole months come from another place than the days around them."""
    history = History(axis, 31)
    history.go_on(60)
    told(axis)
    whole = said(report(axis, "sent-received"))["documents"]
    for cut in (date(2025, 10, 1), date(2025, 10, 2), date(2025, 10, 31), date(2025, 11, 17)):
        before = said(report(axis, "sent-received", until=cut))["documents"]
        after = said(report(axis, "sent-received", since=date.fromordinal(cut.toordinal() + 1)))["documents"]
        assert before + after == whole


def test_of_an_agency_alone_with_all_below_it(axis: Axis) -> None:
    a_story(axis)
    found = report(axis, "sent-received", agency="H41")
    assert {row.group for row in found.rows} == {"H41"}
    assert {row.group for row in report(axis, "sent-received", By.PROVINCE).rows} == {"H41", "H27", "–"}
    assert [row.group for row in report(axis, "sent-received", By.LEVEL).rows] == ["1"]


def test_no_text_is_a_formula_and_the_same_report_is_the_same_bytes(axis: Axis) -> None:
    a_story(axis)
    found = report(axis, "sent-received")
    hostile = replace(found.rows[0], name='=HYPERLINK("http://hub.example.vn");@SUM(1)')
    found = replace(found, rows=(hostile,))
    table = list(csv.reader(io.StringIO(sheet.as_csv(found).decode("utf-8-sig"))))
    assert table[1][1] == "'=HYPERLINK(\"http://hub.example.vn\");'@SUM(1)"
    assert all(len(row) == len(table[0]) for row in table)
    book = sheet.as_xlsx(found)
    assert book == sheet.as_xlsx(found)
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        assert "<f>" not in parts.read("xl/worksheets/sheet1.xml").decode()
        assert not [name for name in parts.namelist() if "rels" in name and "sheet1" in name]
    told_as = json.loads(sheet.as_json(found))
    assert told_as["total"]["values"]["documents"] == 4
    assert told_as["rows"][0]["name"] == hostile.name


def test_a_chart_says_what_it_shows(axis: Axis) -> None:
    a_story(axis)
    drawn = chart(report(axis, "sent-received"), 1)
    assert drawn is not None
    assert drawn.series == ("Documents sent", "Deliveries addressed here")
    assert "H27: 0, 3" in drawn.said
    assert max(bar.width for group in drawn.groups for bar in group.bars) <= drawn.width
    assert chart(report(axis, "withdrawals", agency="H99"), 0) is None


def test_values_are_written_as_people_write_them() -> None:
    assert sheet.said(1234567, Form.COUNT) == "1.234.567"
    assert sheet.said(0.1234, Form.SHARE, 1) == "12.3 %"
    assert sheet.said(3900, Form.WAIT) == "1 giờ 5 phút"
    assert sheet.said(0.0, Form.WAIT, 1) == "under 1 s"
    assert sheet.said(None, Form.RATIO) == "–"
