"""Signatures of what was accepted are examined afterwards, once, and what was found can be found again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders.axis import Axis, Peer, an_axis, an_examiner
from builders.examined import after_signing, trusting, with_files
from builders.judged import the_authority
from builders.pdfs import bomb, by_both, endless, text_changed, typeset
from builders.reports import office_and_province, only
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import func, insert, select, text, update
from structlog.testing import capture_logs

from hub.exchange import inspection
from hub.exchange.inspection import Inspector, Settlement, settle
from hub.exchange.retention import Pare, pare
from hub.pdf import Examiner, Limits
from hub.store import examination_tables as et
from hub.store import examinations
from hub.store import tables as t
from hub.store.engine import reading, writing
from hub.store.retention import Part

ANSWER = dict[str, Any]


def rows_of(axis: Axis, sent: ANSWER) -> dict[int, Any]:
    """The examinations of a document by part."""
    with reading(axis.desk.engine) as connection:
        return {row["part"]: row for row in examinations.of_document(connection, sent["id"], None)}


def detail_of(axis: Axis, sent: ANSWER, part: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rows_of(axis, sent)[part]["detail"])
    return found


def verdicts_of(axis: Axis, *sent: ANSWER) -> list[str]:
    return [row["verdict"] for each in sent for row in rows_of(axis, each).values()]


def count(axis: Axis, *tables: Any) -> list[int]:
    with reading(axis.desk.engine) as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def place(axis: Axis) -> int:
    with reading(axis.desk.engine) as connection:
        return examinations.places(connection)[0]


def at_the_time(axis: Axis) -> Peer:
    """The office, at a time at which the PDF files are signed already."""
    office, _ = office_and_province(axis)
    after_signing(axis.clock)
    return office


def test_each_pdf_file_of_an_accepted_document_gets_its_verdict(axis: Axis) -> None:
    office = at_the_time(axis)
    trusting(axis)
    sent = [office.send("H41", **with_files(pdf)) for pdf in (by_both(), text_changed(by_both()), typeset())]
    axis.inspect()
    assert [rows_of(axis, each)[1]["verdict"] for each in sent] == [
        "INDETERMINATE_REVOCATION", "MODIFIED", "MISSING_LEADER",
    ]  # fmt: skip


def test_a_pdf_file_is_known_by_its_name_or_by_how_it_begins_and_by_nothing_else(axis: Axis) -> None:
    office = at_the_time(axis)
    plain = "Kính gửi".encode()
    named = office.send("H41", **with_files(plain, name="{}.PDF"))
    hidden, late = (
        office.send("H41", **with_files(b"\n" * before + typeset(), name="{}.docx")) for before in (0, 1000)
    )
    other = office.send("H41", **with_files(plain, b"\n" * 1024 + typeset(), name="{}.txt"))
    axis.inspect()
    assert (rows_of(axis, named)[1]["verdict"], detail_of(axis, named)["reason"]) == ("UNEXAMINED", "not a PDF")
    assert verdicts_of(axis, hidden) == ["MISSING_LEADER"]
    assert detail_of(axis, late)["reason"] == "unreadable"
    assert rows_of(axis, other) == {}


def test_what_a_verdict_was_reached_from_is_kept_once(axis: Axis) -> None:
    office = at_the_time(axis)
    trusting(axis)
    sent = [office.send("H41", **with_files(by_both())) for _ in range(2)]
    axis.inspect()
    first, second = (detail_of(axis, each) for each in sent)
    assert first["signatures"][0]["path"] == second["signatures"][0]["path"]
    ids = {rows_of(axis, each)[1]["packet_id"] for each in sent}
    with reading(axis.desk.engine) as connection:
        named = examinations.material_of(connection, ids)
        names = named[ids.pop(), 1]
        kept = {sha256: examinations.material(connection, sha256) for sha256 in names}
    assert set(first["signatures"][0]["path"]) <= set(names)
    assert all(der is not None and hashlib.sha256(der).hexdigest() == sha256 for sha256, der in kept.items())
    assert the_authority().root.certificate.public_bytes(Encoding.DER) in kept.values()


def test_with_a_root_the_packet_s_own_certificate_is_judged_at_the_time_it_came(axis: Axis) -> None:
    office = at_the_time(axis)
    before = office.send("H41")
    axis.inspect()
    assert 0 not in rows_of(axis, before), "without a root a certificate counts because it was registered"
    trusting(axis)
    sent = office.send("H41")
    came = axis.clock()
    axis.clock.pass_(hours=3)
    axis.inspect()
    assert rows_of(axis, sent)[0]["verdict"] == "UNTRUSTED_CHAIN"
    assert detail_of(axis, sent, 0)["at"] == came.isoformat()
    assert [step["number"] for step in detail_of(axis, sent, 0)["steps"]] == list(range(1, 9))


def test_what_is_trusted_later_counts_for_what_is_examined_later(axis: Axis) -> None:
    office = at_the_time(axis)
    before = office.send("H41", **with_files(by_both()))
    axis.inspect()
    trusting(axis)
    after = office.send("H41", **with_files(by_both()))
    axis.inspect()
    assert rows_of(axis, before)[1]["verdict"] == "UNTRUSTED_CHAIN"
    assert rows_of(axis, after)[1]["verdict"] == "INDETERMINATE_REVOCATION"


# Files and packets that cannot be examined.


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


def test_after_a_database_that_went_back_nothing_is_passed_by(tmp_path: Path) -> None:
    with an_axis(tmp_path) as axis:
        office, province = office_and_province(axis)
        after_signing(axis.clock)
        inspector = Inspector(axis.desk, an_examiner())
        first = office.send("H41")
        inspector.once()
        live, copy = str(axis.desk.engine.url.database), str(tmp_path / "copy.db")
        with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        province.receive(only(first))
        inspector.once()  # there was nothing to do in what is lost now
        with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(live)) as target:
            source.backup(target)
        sent = office.send("H41", **with_files(typeset()))
        inspector.once()
        assert verdicts_of(axis, sent) == ["MISSING_LEADER"]


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


def test_a_packet_that_stands_twice_in_the_log_is_examined_and_stops_nothing(axis: Axis) -> None:
    office = at_the_time(axis)
    first = office.send("H41", **with_files(by_both()))
    with writing(axis.desk.engine) as connection:
        (row,) = connection.execute(select(t.evidence)).mappings()
        connection.execute(insert(t.evidence), [{**row, "id": "0" * 24, "leaf_index": row["leaf_index"] + 1}])
        connection.execute(update(t.counter).values(entries=t.counter.c.entries + 1))
    last = office.send("H41", **with_files(by_both()))
    axis.inspect()
    assert verdicts_of(axis, first, last) == ["UNTRUSTED_CHAIN"] * 2
    assert place(axis) == 3


# Whose turn it is.


def test_who_lost_the_turn_writes_nothing(axis: Axis) -> None:
    office = at_the_time(axis)
    sent = office.send("H41", **with_files(by_both()))
    slow, job = Inspector(axis.desk, an_examiner()), None

    def overtaken(verb: Any, given: Any) -> Any:
        nonlocal job
        job = given
        axis.inspect()  # another process finds it all, and goes on
        remove(axis, sent)  # so that anything written after that would be seen
        return axis.desk.writer.submit(verb, given).result()

    with running(axis, overtaken):
        assert slow.once() == 0
    assert isinstance(job, Settlement)
    assert job.inspected[0].findings
    assert rows_of(axis, sent) == {}
    assert place(axis) == 1
    assert axis.desk.writer.run(settle, replace(job, before=1)), "but for the place it would have been written"
    assert len(rows_of(axis, sent)) == 1


@contextmanager
def running(axis: Axis, run: Any) -> Iterator[None]:
    """The first settlement goes through ``run``."""
    own = axis.desk.writer.run

    def first(verb: Any, job: Any) -> Any:
        del axis.desk.writer.run
        return run(verb, job)

    axis.desk.writer.run = first  # type: ignore[method-assign]  # to stand between what is found and its commit
    yield
    assert axis.desk.writer.run == own


def remove(axis: Axis, sent: ANSWER) -> None:
    with writing(axis.desk.engine) as connection:
        examinations.forget(connection, sent["id"])
        connection.execute(et.examination.delete())


def test_of_several_processes_one_has_the_turn_until_it_is_gone(axis: Axis) -> None:
    first, second = (examinations.Turn(axis.desk.engine) for _ in range(2))
    if axis.desk.engine.dialect.name == "sqlite":
        assert first.is_held(), "a database in a file has one process"
        return
    with axis.desk.engine.connect() as connection:
        warm = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    assert second.is_held()
    second.give_up()
    assert [first.is_held(), second.is_held(), first.is_held()] == [True, False, True]
    with axis.desk.engine.connect() as connection:
        there = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    assert there != warm, "a turn keeps its session"
    assert not second.is_held()
    with axis.desk.engine.connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() == there, "who has no turn takes none"
    first.give_up()
    assert [second.is_held(), first.is_held()] == [True, False]
    second.give_up()


def test_hand_overs_alone_are_no_reason_to_write(axis: Axis) -> None:
    office, province = office_and_province(axis)
    sent = office.send("H41")
    axis.inspect()
    province.receive(only(sent))
    axis.inspect()
    assert place(axis) == 1
    assert axis.evidence(sent)[-1]["leaf_index"] == 1


class _Told(Examiner):
    """An examiner that says when it is at work."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()

    def examine(self, *question: Any, **more: Any) -> Any:
        self.begun.set()
        return super().examine(*question, **more)


def test_what_is_accepted_while_the_hub_serves_is_examined_and_nothing_holds_up_its_end(axis: Axis) -> None:
    office, examiner = at_the_time(axis), _Told()
    with Inspector(axis.desk, examiner):
        sent = office.send("H41", **with_files(by_both()))
        until = time.monotonic() + 60
        while not rows_of(axis, sent):
            assert time.monotonic() < until
        examiner.begun.clear()
        hostile = office.send("H41", **with_files(endless()))
        assert examiner.begun.wait(60)
        ended = time.monotonic()
    assert time.monotonic() - ended < 5
    assert rows_of(axis, hostile) == {}
    with Examiner(Limits(seconds=1.0)) as next_one, capture_logs():
        axis.inspect(next_one)
    assert verdicts_of(axis, hostile) == ["UNEXAMINED"], "it was not forgotten"


# Retention.


def pared(axis: Axis, sent: ANSWER, part: Part) -> None:
    axis.clock.pass_(days=100)
    axis.desk.writer.run(pare, Pare((sent["id"],), part, axis.clock()))


def test_with_a_packet_s_bytes_go_the_names_and_the_material_that_nothing_else_rests_on(axis: Axis) -> None:
    office, province = at_the_time(axis), axis.enrol("H41")
    both, one = office.send("H41", **with_files(by_both())), office.send("H41", **with_files(by_both(), typeset()))
    axis.inspect()
    for sent in (both, one):
        province.receive(only(sent))
    kept = count(axis, et.material)
    pared(axis, both, Part.METADATA)
    assert rows_of(axis, both)[1]["name"] == "cong-van-1.pdf"
    pared(axis, both, Part.PACKETS)
    row = rows_of(axis, both)[1]
    assert (row["verdict"], row["name"], row["detail"]) == ("UNTRUSTED_CHAIN", "", "{}")
    assert count(axis, et.material) == kept, "the other document's verdict rests on it too"
    pared(axis, one, Part.PACKETS)
    assert count(axis, et.material, et.examination_material, et.examination) == [0, 0, 3]


def test_a_packet_whose_bytes_were_removed_first_is_not_examined(axis: Axis) -> None:
    office, province = at_the_time(axis), axis.enrol("H41")
    sent = office.send("H41", **with_files(by_both()))
    province.receive(only(sent))
    pared(axis, sent, Part.PACKETS)
    axis.inspect()
    assert (rows_of(axis, sent), place(axis)) == ({}, 1)
