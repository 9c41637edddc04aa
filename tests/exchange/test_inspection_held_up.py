"""Nothing that a sender or a disk does stops the examination of what others sent, or makes the hub keep too much."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from builders.axis import Axis, an_axis
from builders.examined import (
    ANSWER,
    at_the_time,
    detail_of,
    place,
    rows_of,
    trusting,
    verdicts_of,
    with_files,
)
from builders.pdfs import bomb, by_both, endless
from sqlalchemy import update
from structlog.testing import capture_logs

from hub.exchange import inspection
from hub.pdf import Examiner, Limits
from hub.store import tables as t
from hub.store.engine import writing


def test_a_file_that_breaks_the_examiner_is_told_and_the_others_are_examined(axis: Axis) -> None:
    office = at_the_time(axis)
    sent = office.send("H41", **with_files(endless(), by_both()))
    good = office.send("H41", **with_files(by_both()))
    with Examiner(Limits(seconds=2.0)) as examiner, capture_logs():
        axis.inspect(examiner)
    assert verdicts_of(axis, sent) == ["UNEXAMINED", "UNTRUSTED_CHAIN"]
    assert detail_of(axis, sent)["reason"] in ("time", "memory")
    assert detail_of(axis, sent)["vi"].startswith("Không xem xét được chữ ký")
    assert verdicts_of(axis, good) == ["UNTRUSTED_CHAIN"]


def test_what_was_found_before_is_there_while_a_hostile_file_is_examined(axis: Axis) -> None:
    office = at_the_time(axis)
    good, slow = (office.send("H41", **with_files(pdf)) for pdf in (by_both(), endless()))
    with Examiner(Limits(seconds=5.0)) as examiner, ThreadPoolExecutor(1) as pool, capture_logs():
        inspecting = pool.submit(axis.inspect, examiner)
        until = time.monotonic() + 60
        while not rows_of(axis, good):
            assert time.monotonic() < until
        assert rows_of(axis, slow) == {}
        assert not inspecting.done()
        inspecting.result()
    assert verdicts_of(axis, slow) == ["UNEXAMINED"]


def test_all_files_of_one_packet_share_a_time(axis: Axis) -> None:
    office = at_the_time(axis)
    sent = office.send("H41", **with_files(*[endless()] * 6))
    good = office.send("H41", **with_files(by_both()))
    with Examiner(Limits(seconds=1.0, packet_seconds=2.5)) as examiner, capture_logs() as logs:
        axis.inspect(examiner)
    assert [detail_of(axis, sent, part)["reason"] for part in range(1, 7)] == ["time"] * 6
    assert 1 <= sum(line["event"] == "pdf-not-examined" for line in logs) <= 3, "the others were not begun"
    assert verdicts_of(axis, good) == ["UNTRUSTED_CHAIN"]


def test_a_packet_pays_for_every_process_that_it_ends(axis: Axis) -> None:
    office = at_the_time(axis)
    sent = office.send("H41", **with_files(*[bomb()] * 12))
    with Examiner(Limits(packet_seconds=1.5)) as examiner, capture_logs():
        axis.inspect(examiner)
    reasons = [detail_of(axis, sent, part)["reason"] for part in range(1, 13)]
    assert (reasons[0], reasons[-1]) == ("memory", "time"), "to start a process twelve times takes longer"


def test_what_is_kept_of_one_packet_has_a_bound(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
    office = at_the_time(axis)
    trusting(axis)
    whole = office.send("H41", **with_files(by_both()))
    axis.inspect()
    enough = len(rows_of(axis, whole)[1]["detail"]) + 100
    for bound, value, found in (("_MOST_TOLD", enough, [False, True]), ("_MOST_KEPT", 100, [True, True])):
        with monkeypatch.context() as lower:
            lower.setattr(inspection, bound, value)
            sent = office.send("H41", **with_files(by_both(), by_both()))
            axis.inspect()
        assert [detail_of(axis, sent, part).get("reason") == "too much" for part in (1, 2)] == found


def test_one_packet_that_cannot_be_read_does_not_hold_up_the_others_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with an_axis(tmp_path, inline_limit=0) as axis:
        office = at_the_time(axis)
        broken = office.hand_in(office.packet(office.draft("H41", **with_files(by_both())))).body
        (file,) = tmp_path.rglob("*.edxml")
        good = office.hand_in(office.packet(office.draft("H41", **with_files(by_both())))).body
        file.unlink()
        file.mkdir()
        with capture_logs() as logs, pytest.raises(IsADirectoryError):
            axis.inspect()
        assert [logs[-1][name] for name in ("event", "document")] == ["inspection-waits", broken["id"]]
        monkeypatch.setattr(inspection, "_ONE_ALONE", 0.0)
        axis.inspect()
        assert (verdicts_of(axis, broken), verdicts_of(axis, good)) == (["UNEXAMINED"], ["UNTRUSTED_CHAIN"])
        assert len(list(tmp_path.rglob("*.edxml"))) == 2, "what was tried is gone"


def with_body(axis: Axis, sent: ANSWER, **values: Any) -> None:
    with writing(axis.desk.engine) as connection:
        connection.execute(update(t.packet).where(t.packet.c.document_id == sent["id"]).values(**values))


def test_a_packet_that_cannot_be_opened_is_told_and_does_not_stop_the_next(axis: Axis) -> None:
    office = at_the_time(axis)
    broken, lost, good = (office.send("H41", **with_files(by_both())) for _ in range(3))
    with_body(axis, broken, body=b"<.pdf")
    with_body(axis, lost, body=None, place="2026/03/04/nothing-there.edxml")
    axis.inspect()
    assert (verdicts_of(axis, broken), detail_of(axis, broken, 0)["reason"]) == (["UNEXAMINED"], "packet")
    assert (verdicts_of(axis, lost), detail_of(axis, lost, 0)["reason"]) == (["UNEXAMINED"], "not kept")
    assert verdicts_of(axis, good) == ["UNTRUSTED_CHAIN"]


def test_a_disk_that_is_away_is_waited_for(tmp_path: Path) -> None:
    with an_axis(tmp_path, inline_limit=0) as axis:
        office = at_the_time(axis)
        sent = office.hand_in(office.packet(office.draft("H41", **with_files(by_both())))).body
        there = set(tmp_path.rglob("*.edxml"))
        first = office.hand_in(office.packet(office.draft("H41", **with_files(by_both())))).body
        (file,) = set(tmp_path.rglob("*.edxml")) - there
        away = file.with_suffix(".away")
        file.rename(away)
        file.mkdir()  # reading it is IsADirectoryError: no packet that is missing
        for _ in range(2):
            with pytest.raises(OSError):
                axis.inspect()
        assert (rows_of(axis, first), place(axis)) == ({}, 1)
        assert verdicts_of(axis, sent) == ["UNTRUSTED_CHAIN"], "what came before is written down"
        file.rmdir()
        away.rename(file)
        axis.inspect()
        assert verdicts_of(axis, first) == ["UNTRUSTED_CHAIN"]


def test_what_cannot_be_written_down_strikes_no_other(axis: Axis) -> None:
    office = at_the_time(axis)
    first, bad, last = (office.send("H41", **with_files(b"nothing")) for _ in range(3))
    with writing(axis.desk.engine) as connection:
        forbid(connection, bad)
    with capture_logs() as logs:
        axis.inspect()
    assert [line["document"] for line in logs if line["event"] == "inspection-fault"] == [bad["id"]]
    assert verdicts_of(axis, first, last) == ["UNEXAMINED", "UNEXAMINED"]
    assert detail_of(axis, bad, 0)["reason"] == "fault"


def forbid(connection: Any, sent: ANSWER) -> None:
    """The database takes no row of that document's files."""
    if connection.dialect.name == "sqlite":
        raised = "BEGIN SELECT RAISE(ABORT, 'no'); END"
        when = f"WHEN NEW.document_id = '{sent['id']}' AND NEW.part > 0"
        connection.exec_driver_sql(f"CREATE TRIGGER no BEFORE INSERT ON examination {when} {raised}")
    else:
        check = f"document_id <> '{sent['id']}' OR part = 0"
        connection.exec_driver_sql(f"ALTER TABLE examination ADD CONSTRAINT no CHECK ({check})")
