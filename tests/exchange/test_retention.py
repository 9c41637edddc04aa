"""Retention: each kind of data goes after its own days, never from what is not over, and may be stopped anywhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from builders.axis import Axis, Peer, an_axis
from builders.reports import bring_to, delivered, office_and_province, office_and_provinces, only
from builders.steered import an_order, audited, order
from sqlalchemy import func, select

from hub.domain.document import Document, Organization
from hub.domain.search import Query
from hub.errors import Refusal
from hub.exchange import steering
from hub.exchange.retention import Keep, Keeper, Pare, pare
from hub.exchange.viewed import View, viewed
from hub.settings import Settings
from hub.store import documents, log, views
from hub.store import steering as rows
from hub.store import tables as t
from hub.store.engine import reading
from hub.store.retention import Part


def kept_to(axis: Axis, **days: int) -> dict[str, int]:
    """What one look removes."""
    return asyncio.run(Keeper(axis.desk, Keep(**days)).once())


def finished(office: Peer, province: Peer, **changes: Any) -> tuple[Document, dict[str, Any]]:
    """A document that Nghệ An could not take at first, has, and has reported on; nothing about it is left to do."""
    document, answer = office.issue(province.code, **changes)
    province.fetch(only(answer))
    province.failed(only(answer), "Chị Văn Thị Thử nghỉ phép")
    province.done(only(answer))
    told = province.report("06", document, other=office.code, description="Đã xong, cảm ơn")
    office.receive(told["delivery"])
    return document, answer


def look(axis: Axis, answer: dict[str, Any], operator: str) -> None:
    axis.desk.writer.run(viewed, View(answer["id"], operator))


def who_looked(axis: Axis, answer: dict[str, Any]) -> list[str]:
    with reading(axis.desk.engine) as connection:
        return [row["operator"] for row in views.of_document(connection, answer["id"], 20)]


def bytes_of(axis: Axis, answer: dict[str, Any]) -> list[bool]:
    """Whether the bytes of each packet of a document and of the statuses about it are kept."""
    with reading(axis.desk.engine) as connection:
        ids = select(t.delivery.c.packet_id).where(t.delivery.c.document_id == answer["id"])
        rows = connection.execute(select(t.packet.c.place, t.packet.c.body).where(t.packet.c.id.in_(ids))).all()
    assert all((row.body is None) == (row.place is not None) for row in rows)
    return [row.place != "" for row in rows]


def test_as_the_hub_comes_only_old_refusals_are_removed(axis: Axis) -> None:
    office, province = office_and_province(axis)
    finished(office, province)
    with pytest.raises(Refusal, match=r"^packet-refused"):
        office.hand_in(office.packet(office.draft("Z99")))
    days = Settings(data_dir=Path())
    keep = {kind: getattr(days, f"keep_{kind}") for kind in ("packets", "metadata", "history", "refusals")}
    axis.clock.pass_(days=365)
    assert kept_to(axis, **keep) == {"refusals": 0}
    axis.clock.pass_(seconds=1)
    assert kept_to(axis, **keep) == {"refusals": 1}
    axis.clock.pass_(days=20 * 365)
    assert kept_to(axis, **keep) == {"refusals": 0}


def test_bytes_go_after_their_days_and_digest_evidence_states_and_metadata_stay(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = finished(office, province)
    before = axis.document(answer["id"]), axis.evidence(answer), axis.states(answer)
    axis.clock.pass_(days=99)
    assert kept_to(axis, packets=100) == {"packets": 0}
    assert bytes_of(axis, answer) == [True, True]
    axis.clock.pass_(days=2)
    assert kept_to(axis, packets=100) == {"packets": 1}
    assert bytes_of(axis, answer) == [False, False]
    after = axis.document(answer["id"])
    assert dict(after) == dict(before[0]) | {"pared": Part.PACKETS}
    assert (axis.evidence(answer), axis.states(answer)) == before[1:]
    with reading(axis.desk.engine) as connection:
        assert documents.first_packet(connection, answer["id"])["sha256"] == answer["sha256"]
    assert kept_to(axis, packets=100) == {"packets": 0}
    repeat = office.post(office.packet(document))
    assert (repeat.new, repeat.body["id"]) == (False, answer["id"])


@pytest.mark.parametrize("state", ["waiting", "taken", "failed", "expired"])
def test_what_is_not_final_keeps_everything_for_ever(axis: Axis, state: str) -> None:
    office, province, ha_tinh = office_and_provinces(axis)
    answer = office.send("H41", "H27")
    first, second = (delivery["id"] for delivery in answer["deliveries"])
    province.receive(first)
    bring_to(axis, ha_tinh, second, state)
    events = axis.events(first)
    axis.clock.pass_(days=4000)
    assert kept_to(axis, packets=1, metadata=1, history=1) == {
        "packets": 0,
        "metadata": 0,
        "history": 0,
        "outbox": 1,
        "runs": 0,
    }
    assert bytes_of(axis, answer) == [True]
    assert axis.document(answer["id"])["subject"]
    assert axis.events(first) == events


def test_a_status_that_its_addressee_has_not_taken_keeps_what_it_is_about(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    told = province.report("06", document)
    axis.clock.pass_(days=101)
    assert kept_to(axis, packets=100) == {"packets": 0}
    office.receive(told["delivery"])
    assert kept_to(axis, packets=100) == {"packets": 1}
    assert bytes_of(axis, answer) == [False, False]


def test_an_open_request_keeps_what_it_is_about_and_what_asks(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    asking = office.update(document, "H41")
    province.receive(only(asking))
    axis.clock.pass_(days=200)
    assert kept_to(axis, packets=100) == {"packets": 0}
    assert bytes_of(axis, answer) + bytes_of(axis, asking) == [True, True]
    told = province.report("15", document, other="G22")
    office.receive(told["delivery"])
    assert kept_to(axis, packets=100) == {"packets": 1}
    assert bytes_of(axis, asking) == [False]
    assert bytes_of(axis, answer) == [True, True], "what was answered has its days from the answer on"
    axis.clock.pass_(days=101)
    assert kept_to(axis, packets=100) == {"packets": 1}
    assert not any(bytes_of(axis, answer) + bytes_of(axis, asking))


def test_metadata_goes_and_numbers_codes_identity_and_the_refusal_of_duplicates_stay(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = finished(office, province, subject="V/v nâng lương ông Nguyễn Văn Thử")
    axis.clock.pass_(days=101)
    assert kept_to(axis, metadata=100) == {"metadata": 1}
    row = axis.document(answer["id"])
    assert (row["subject"], row["search"], row["warnings"]) == ("", "", [])
    assert (row["number"], row["document_id"], row["sender"]) == ("1", document.document_id, "G22")
    assert axis.delivery(only(answer)).reason == ""
    with reading(axis.desk.engine) as connection:
        assert log.lines(connection, Query(phrases=(("nguyen", "van", "thu"),)), limit=9) == []
        assert len(log.lines(connection, Query(sender=("G22",)), limit=9)) == 1
        assert {row.description for row in connection.execute(select(t.report.c.description))} == {""}
    assert bytes_of(axis, answer) == [True, True]
    with pytest.raises(Refusal, match=r"^document-conflict"):
        office.post(office.packet(replace(document, subject="V/v khác")))


def test_history_and_outbox_go_together_and_states_stay(axis: Axis) -> None:
    office, province = office_and_province(axis)
    _, answer = finished(office, province)
    delivery = only(answer)
    assert len(axis.events(delivery)) == 4
    assert (len(office.entries()), len(province.entries())) == (3, 1)
    axis.clock.pass_(days=101)
    assert kept_to(axis, history=100) == {"history": 1, "outbox": 4, "runs": 0}
    assert (axis.events(delivery), office.entries(), axis.states(answer)) == ([], [], {"H41": "delivered/06"})


def test_who_looked_goes_with_the_history_and_not_before_the_last_look_is_past_its_time(axis: Axis) -> None:
    office, province = office_and_province(axis)
    _, answer = finished(office, province)
    look(axis, answer, "lan")
    axis.clock.pass_(days=50)
    look(axis, answer, "minh")
    axis.clock.pass_(days=51)
    assert kept_to(axis, history=100)["history"] == 0
    assert who_looked(axis, answer) == ["minh", "lan"]
    axis.clock.pass_(days=50)
    assert kept_to(axis, history=100)["history"] == 1
    assert (who_looked(axis, answer), axis.events(only(answer))) == ([], [])
    look(axis, answer, "hoa")
    assert kept_to(axis, history=100)["history"] == 0, "whoever looks later has their own time"
    assert who_looked(axis, answer) == ["hoa"]
    axis.clock.pass_(days=101)
    assert kept_to(axis, history=100)["history"] == 1
    assert who_looked(axis, answer) == []


def test_a_look_keeps_neither_packets_nor_metadata(axis: Axis) -> None:
    office, province = office_and_province(axis)
    _, answer = finished(office, province)
    axis.clock.pass_(days=101)
    look(axis, answer, "lan")
    assert kept_to(axis, packets=100, metadata=100, history=100) == {
        "packets": 1, "metadata": 1, "history": 0, "outbox": 4, "runs": 0,
    }  # fmt: skip


def test_who_looked_at_what_is_not_over_stays(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    answer = office.send("H41")
    look(axis, answer, "lan")
    axis.clock.pass_(days=4000)
    kept_to(axis, history=1)
    assert who_looked(axis, answer) == ["lan"]


def test_runs_of_actions_go_after_their_days_and_the_audit_stays(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.exchange.retention._MOST", 2)
    monkeypatch.setattr("hub.exchange.retention._PAGE", 2)
    office, _ = office_and_province(axis)
    waiting = [delivery["id"] for delivery in office.send(*(f"H41.{n}" for n in range(1, 6)))["deliveries"]]
    for delivery in waiting[1:3]:
        order(axis, "extend", delivery)
    order(axis, "extend", *waiting)
    under_way = an_order(axis, "release", waiting[0])
    axis.desk.writer.run(steering.begin, under_way)
    noted = audited(axis)
    axis.clock.pass_(days=50)
    order(axis, "release", waiting[0])
    axis.clock.pass_(days=51)
    assert kept_to(axis, history=100)["runs"] == 3
    with reading(axis.desk.engine) as connection:
        left = rows.runs(connection, None, 9)
        assert [row["action"] for row in left] == ["release", "release"], "one is under way, one not old enough"
        assert {row["action"] for row in rows.acted(connection, waiting)} == {"release"}
    assert audited(axis) == noted
    axis.clock.pass_(days=50)
    assert kept_to(axis, history=100)["runs"] == 1


def test_refusals_go_after_their_days(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    for _ in range(2):
        axis.clock.pass_(days=101)
        with pytest.raises(Refusal, match=r"^packet-refused"):
            office.hand_in(office.packet(office.draft("Z99")))
    assert kept_to(axis, refusals=100) == {"refusals": 1}
    with reading(axis.desk.engine) as connection:
        assert [row["at"] for row in log.refusals(connection, Query(), 9)] == [axis.clock()]


def test_what_comes_to_a_document_later_is_pared_in_its_own_time(axis: Axis) -> None:
    office, province, ha_tinh = office_and_provinces(axis)
    document, answer = finished(office, province)
    axis.clock.pass_(days=101)
    kept_to(axis, packets=100)
    again = office.post(office.packet(replace(document, recipients=(Organization("H27"),)))).body
    ha_tinh.receive(again["deliveries"][-1]["id"])
    assert bytes_of(axis, answer).count(True) == 1
    assert kept_to(axis, packets=100) == {"packets": 0}
    axis.clock.pass_(days=101)
    assert kept_to(axis, packets=100) == {"packets": 1}
    assert not any(bytes_of(axis, answer))


def test_what_has_many_rows_is_pared_in_small_transactions(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.exchange.retention._MOST", 2)
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    for code in ("01", "03", "04", "05", "06"):
        office.receive(province.report(code, document, other="G22")["delivery"])
    axis.clock.pass_(days=101)
    left: list[tuple[int, int]] = []

    def note(_step: str) -> None:
        with reading(axis.desk.engine) as connection:
            events = connection.execute(select(func.count()).select_from(t.event)).scalar_one()
        left.append((bytes_of(axis, answer).count(True), events))

    note("before")
    asyncio.run(Keeper(axis.desk, Keep(packets=100, history=100), note).once())
    assert (left[0], left[-1]) == ((6, 17), (0, 0))
    gone = [(before[0] - after[0], before[1] - after[1]) for before, after in pairwise(left)]
    assert {max(some) for some in gone} <= {0, 1, 2}


def test_what_is_asked_about_after_the_look_is_found_by_the_transaction_and_kept(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
    axis.clock.pass_(days=101)
    office.report("13", document)
    job = Pare((answer["id"],), Part.PACKETS, before=axis.clock())
    assert axis.desk.writer.run(pare, job) == (1, []), "it is done with, for this time"
    assert bytes_of(axis, answer) == [True, True]


def test_files_go_with_their_rows(tmp_path: Path, database_url: str) -> None:
    with an_axis(tmp_path, database_url, inline_limit=0) as axis:
        office, province = office_and_province(axis)
        answer = office.hand_in(office.packet(office.draft("H41"))).body
        province.receive(only(answer))
        assert len(list(tmp_path.rglob("*.edxml"))) == 1
        axis.clock.pass_(days=101)
        assert kept_to(axis, packets=100) == {"packets": 1}
        assert list(tmp_path.rglob("*.edxml")) == []
        assert bytes_of(axis, answer) == [False]


def test_many_documents_are_pared_page_by_page(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.exchange.retention._PAGE", 2)
    office, province = office_and_province(axis)
    answers = [office.send("H41") for _ in range(7)]
    for answer in (*answers[:3], *answers[4:]):
        province.receive(only(answer))
    axis.clock.pass_(days=101)
    assert kept_to(axis, packets=100, history=100) == {"packets": 6, "history": 6, "outbox": 6, "runs": 0}
    assert [bytes_of(axis, answer) for answer in answers] == [[False]] * 3 + [[True]] + [[False]] * 3
    assert kept_to(axis, packets=100, history=100) == {"packets": 0, "history": 0, "outbox": 0, "runs": 0}
