"""Retention: each kind of data goes after its own days, never from what is not over, and may be stopped anywhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders.axis import Axis, Peer, an_axis
from sqlalchemy import select, update

from hub.domain.document import Document, Organization
from hub.domain.search import Query
from hub.errors import Refusal
from hub.exchange.retention import Keep, Keeper
from hub.settings import Settings
from hub.store import documents, log
from hub.store import tables as t
from hub.store.engine import reading, writing
from hub.store.retention import Part


def kept_to(axis: Axis, **days: int) -> dict[str, int]:
    """What one look removes."""
    return asyncio.run(Keeper(axis.desk, Keep(**days)).once())


def delivered(office: Peer, province: Peer, **changes: Any) -> tuple[Document, dict[str, Any]]:
    """A document that Nghệ An has, and has reported on; nothing about it is left to do."""
    document, answer = office.issue(province.code, **changes)
    province.receive(answer["deliveries"][0]["id"])
    told = province.report("06", document, other=office.code, description="Đã xong, cảm ơn")
    office.receive(told["delivery"])
    return document, answer


def office_and_province(axis: Axis) -> tuple[Peer, Peer]:
    return axis.enrol("G22"), axis.enrol("H41")


def bytes_of(axis: Axis, answer: dict[str, Any]) -> list[bool]:
    """Whether the bytes of each packet of a document and of the statuses about it are kept."""
    with reading(axis.desk.engine) as connection:
        ids = select(t.delivery.c.packet_id).where(t.delivery.c.document_id == answer["id"])
        rows = connection.execute(select(t.packet.c.place, t.packet.c.body).where(t.packet.c.id.in_(ids))).all()
    assert all((row.body is None) == (row.place is not None) for row in rows)
    return [row.place != "" for row in rows]


def test_as_the_hub_comes_only_old_refusals_are_removed(axis: Axis) -> None:
    office, province = office_and_province(axis)
    delivered(office, province)
    axis.clock.pass_(days=20 * 365)
    days = Settings(data_dir=Path())
    assert (days.keep_packets, days.keep_metadata, days.keep_history, days.keep_refusals) == (0, 0, 0, 365)
    assert kept_to(axis) == {}


def test_bytes_go_after_their_days_and_digest_evidence_states_and_metadata_stay(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province)
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
    office, province = office_and_province(axis)
    axis.enrol("H27")
    answer = office.send("H41", "H27")
    first, second = (delivery["id"] for delivery in answer["deliveries"])
    province.receive(first)
    with writing(axis.desk.engine) as connection:
        lease = "1" * 24 if state == "taken" else None
        connection.execute(update(t.delivery).where(t.delivery.c.id == second).values(state=state, lease=lease))
    events = axis.events(first)
    axis.clock.pass_(days=4000)
    assert kept_to(axis, packets=1, metadata=1, history=1) == {"packets": 0, "metadata": 0, "history": 0, "outbox": 1}
    assert bytes_of(axis, answer) == [True]
    assert axis.document(answer["id"])["subject"]
    assert axis.events(first) == events


def test_an_open_request_keeps_what_it_is_about_and_what_asks(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    province.receive(answer["deliveries"][0]["id"])
    asking = office.update(document, "H41")
    province.receive(asking["deliveries"][0]["id"])
    axis.clock.pass_(days=200)
    assert kept_to(axis, packets=100) == {"packets": 0}
    assert bytes_of(axis, answer) + bytes_of(axis, asking) == [True, True]
    told = province.report("15", document, other="G22")
    office.receive(told["delivery"])
    assert kept_to(axis, packets=100) == {"packets": 1}, "what was answered has its days from the answer on"
    axis.clock.pass_(days=101)
    assert kept_to(axis, packets=100) == {"packets": 1}
    assert not any(bytes_of(axis, answer) + bytes_of(axis, asking))


def test_metadata_goes_and_numbers_codes_identity_and_the_refusal_of_duplicates_stay(axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, answer = delivered(office, province, subject="V/v nâng lương ông Nguyễn Văn Thử")
    axis.clock.pass_(days=101)
    assert kept_to(axis, metadata=100) == {"metadata": 1}
    row = axis.document(answer["id"])
    assert (row["subject"], row["search"], row["warnings"]) == ("", "", [])
    assert (row["number"], row["document_id"], row["sender"]) == ("1", document.document_id, "G22")
    with reading(axis.desk.engine) as connection:
        assert log.lines(connection, Query(phrases=(("nguyen", "van", "thu"),)), limit=9) == []
        assert len(log.lines(connection, Query(sender="G22"), limit=9)) == 1
        assert {row.description for row in connection.execute(select(t.report.c.description))} == {""}
    assert bytes_of(axis, answer) == [True, True]
    with pytest.raises(Refusal, match=r"^document-conflict"):
        office.post(office.packet(replace(document, subject="V/v khác")))


def test_history_and_outbox_go_together_and_states_stay(axis: Axis) -> None:
    office, province = office_and_province(axis)
    _, answer = delivered(office, province)
    delivery = answer["deliveries"][0]["id"]
    assert len(axis.events(delivery)) == 3
    assert (len(office.entries()), len(province.entries())) == (2, 1)
    axis.clock.pass_(days=101)
    assert kept_to(axis, history=100) == {"history": 1, "outbox": 3}
    assert (axis.events(delivery), office.entries(), axis.states(answer)) == ([], [], {"H41": "delivered/06"})


def test_refusals_go_after_their_days(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    system = axis.desk.rosters.current(now=True).systems[office.system_id]

    def refused() -> None:
        with pytest.raises(Refusal):
            asyncio.run(axis.desk.accept(office.packet(office.draft("Z99")), system, ""))

    refused()
    axis.clock.pass_(days=101)
    refused()
    assert kept_to(axis, refusals=100) == {"refusals": 1}
    with reading(axis.desk.engine) as connection:
        assert len(log.refusals(connection, Query(), 9)) == 1


def test_what_comes_to_a_document_later_is_pared_in_its_own_time(axis: Axis) -> None:
    office, province = office_and_province(axis)
    hatinh = axis.enrol("H27")
    document, answer = delivered(office, province)
    axis.clock.pass_(days=101)
    kept_to(axis, packets=100)
    again = office.post(office.packet(replace(document, recipients=(Organization("H27"),)))).body
    hatinh.receive(again["deliveries"][-1]["id"])
    assert bytes_of(axis, answer).count(True) == 1
    assert kept_to(axis, packets=100) == {"packets": 0}
    axis.clock.pass_(days=101)
    assert kept_to(axis, packets=100) == {"packets": 1}
    assert not any(bytes_of(axis, answer))


def test_a_broadcast_is_pared_in_small_transactions(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.exchange.retention._MOST", 2)
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    province.receive(answer["deliveries"][0]["id"])
    for code in ("01", "03", "04", "05", "06"):
        office.receive(province.report(code, document, other="G22")["delivery"])
    axis.clock.pass_(days=101)
    steps: list[str] = []
    asyncio.run(Keeper(axis.desk, Keep(packets=100, history=100), steps.append).once())
    assert len(steps) > 6
    assert not any(bytes_of(axis, answer))


def test_what_ended_between_the_look_and_the_transaction_is_looked_at_again(axis: Axis) -> None:
    """An agency asks for it back at the very moment: the request is older than the removal."""
    office, province = office_and_province(axis)
    document, answer = office.issue("H41")
    province.receive(answer["deliveries"][0]["id"])
    axis.clock.pass_(days=101)
    keeper = Keeper(axis.desk, Keep(packets=100))
    looked = keeper._read

    async def read(query: Any, *arguments: Any) -> Any:
        found = await looked(query, *arguments)
        if found[0] and axis.requests(answer["deliveries"][0]["id"]) == []:
            office.report("13", document)
        return found

    keeper._read = read  # type: ignore[method-assign]  # the moment between two steps of the real one
    assert asyncio.run(keeper.once()) == {"packets": 1}, "it was over when it was looked at"
    assert axis.requests(answer["deliveries"][0]["id"]) == [("take-back", "open")]
    assert bytes_of(axis, answer) == [True, True]


def test_files_go_with_their_rows(tmp_path: Path, database_url: str) -> None:
    with an_axis(tmp_path, database_url, inline_limit=0) as axis:
        office, province = office_and_province(axis)
        system = axis.desk.rosters.current(now=True).systems[office.system_id]
        packet = office.packet(office.draft("H41"))
        answer = asyncio.run(axis.desk.accept(packet, system, "")).body
        province.receive(answer["deliveries"][0]["id"])
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
        province.receive(answer["deliveries"][0]["id"])
    axis.clock.pass_(days=101)
    assert kept_to(axis, packets=100, history=100) == {"packets": 6, "history": 6, "outbox": 6}
    assert [bytes_of(axis, answer) for answer in answers] == [[False]] * 3 + [[True]] + [[False]] * 3
    assert kept_to(axis, packets=100, history=100) == {"packets": 0, "history": 0, "outbox": 0}
