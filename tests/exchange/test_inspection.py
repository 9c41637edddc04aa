"""Signatures of what was accepted are examined afterwards, once, and what was found can be found again."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from builders.axis import Axis, an_axis, an_examiner
from builders.examined import (
    ANSWER,
    after_signing,
    at_the_time,
    count,
    detail_of,
    place,
    rows_of,
    trusting,
    verdicts_of,
    with_files,
)
from builders.judged import AT, the_authority
from builders.pdfs import by_both, endless, signed, stamper, stamping_authority, text_changed, typeset, written
from builders.reports import office_and_province, only
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import insert, select, text, update
from structlog.testing import capture_logs

from hub.authority import YEAR, issue
from hub.exchange import trust
from hub.exchange.inspection import Inspector, Settlement, settle
from hub.exchange.retention import Pare, pare
from hub.pdf import Examiner, Limits
from hub.store import examination_tables as et
from hub.store import examinations
from hub.store import tables as t
from hub.store.engine import reading, writing
from hub.store.retention import Part


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


def test_a_root_of_the_trust_store_for_timestamps_counts_for_those_in_files(axis: Axis) -> None:
    office = at_the_time(axis)
    root = issue("CA dấu thời gian", AT - YEAR, AT + YEAR, authority=True)
    pdf = signed(written(), the_authority().leader, stamp=stamper(AT, stamping_authority(issuer=root)))
    told = []
    for _ in range(2):
        sent = office.send("H41", **with_files(pdf))
        axis.inspect()
        told.append(detail_of(axis, sent)["signatures"][0]["timestamp"]["verdict"])
        axis.desk.writer.run(trust.add, trust.Additions((root.certificate,), "tsa"))
    assert told == ["UNTRUSTED_CHAIN", "INDETERMINATE_REVOCATION"]


def test_what_is_trusted_later_counts_for_what_is_examined_later(axis: Axis) -> None:
    office = at_the_time(axis)
    before = office.send("H41", **with_files(by_both()))
    axis.inspect()
    trusting(axis)
    after = office.send("H41", **with_files(by_both()))
    axis.inspect()
    assert rows_of(axis, before)[1]["verdict"] == "UNTRUSTED_CHAIN"
    assert rows_of(axis, after)[1]["verdict"] == "INDETERMINATE_REVOCATION"


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
