"""One document's story in pages: its recipients, and the time line of what happened towards them."""

from __future__ import annotations

from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.reports import office_and_provinces
from builders.steered import BY, DONE, REASON, order

from hub.domain.document import Document
from hub.errors import Refusal
from hub.store import documents, story
from hub.store.engine import reading
from hub.store.story import Line, Place, Scope


def scope(axis: Axis, document_id: str, *recipients: str) -> Scope:
    """Of all recipients, or of these."""
    with reading(axis.desk.engine) as connection:
        rows = story.recipients(connection, document_id, most=100)
        document = documents.get(connection, document_id)
    assert document is not None
    chosen = [row for row in rows if not recipients or row["recipient"] in recipients]
    ids, codes = [row["id"] for row in chosen], [row["recipient"] for row in chosen]
    return Scope(document_id, document["sender"], document["document_id"], ids, codes, not recipients)


def told(axis: Axis, wanted: Scope, most: int = 100) -> list[Line]:
    """The whole time line, read in pages of ``most``."""
    found: list[Line] = []
    after: Place | None = None
    while True:
        with reading(axis.desk.engine) as connection:
            lines, after = story.time_line(connection, wanted, after, most)
        found += lines
        if after is None:
            return found
        assert len(lines) == most


def brief(lines: list[Line]) -> list[str]:
    """Each line in a word or two."""
    names = {"packet": "sha256", "refusal": "code", "report": "code", "event": "what", "carried": "what"}
    names |= {"acted": "action", "carried-acted": "action"}
    names |= {"evidence": "kind", "asked": "ask", "answered": "outcome"}
    return [f"{line.source} {line.row[names[line.source]][:12]}".strip() for line in lines]


def a_story(axis: Axis) -> tuple[Peer, Peer, Document, dict[str, Any]]:
    """Sent to two; one fetches, confirms and reports, and agrees to a take-back."""
    office, nghe_an, _ = office_and_provinces(axis)
    document, sent = office.issue("H41", "H27")
    axis.clock.pass_(minutes=5)
    delivery = next(one["id"] for one in sent["deliveries"] if one["to"] == "H41")
    nghe_an.receive(delivery)
    axis.clock.pass_(minutes=5)
    nghe_an.report("01", document)
    axis.clock.pass_(minutes=5)
    office.receive(office.waiting()[0])
    axis.clock.pass_(minutes=5)
    office.report("13", document, other="H41")
    axis.clock.pass_(minutes=5)
    nghe_an.fetch(nghe_an.waiting()[0])
    nghe_an.report("15", document)
    return office, nghe_an, document, sent


def test_one_line_of_time_has_all_that_happened_in_its_order(axis: Axis) -> None:
    *_, sent = a_story(axis)
    lines = told(axis, scope(axis, sent["id"], "H41"))
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert brief(lines)[1:] == [
        "evidence accept",
        *("event fetch", "event done", "evidence handover"),
        *("report 01", "event status", "evidence status"),
        *("carried fetch", "carried done", "evidence handover"),
        *("report 13", "asked take-back", "evidence status"),
        *("report 15", "event status", "carried fetch", "carried done", "answered agreed"),
        *("evidence handover", "evidence status"),
    ]


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_pages_joined_are_the_whole_time_line(axis: Axis, most: int) -> None:
    *_, sent = a_story(axis)
    for wanted in (scope(axis, sent["id"]), scope(axis, sent["id"], "H41"), scope(axis, sent["id"], "H27")):
        assert [line[:3] for line in told(axis, wanted, most)] == [line[:3] for line in told(axis, wanted)]


def a_steered_story(axis: Axis) -> dict[str, Any]:
    """Nothing of it is fetched; an operator gives up both of two deliveries, and at one moment has both delivered again
    and extended; then gives up a status about it too.
    """
    office, nghe_an, _ = office_and_provinces(axis)
    document, sent = office.issue("H41", "H27")
    ids = [one["id"] for one in sent["deliveries"]]
    axis.clock.pass_(minutes=5, microseconds=123_456)
    order(axis, "undeliverable", *ids)
    axis.clock.pass_(minutes=5)
    order(axis, "again", *ids)
    order(axis, "extend", *ids)
    axis.clock.pass_(minutes=5)
    nghe_an.receive(ids[0])
    nghe_an.report("01", document)
    order(axis, "undeliverable", *ids, office.waiting()[0])
    return sent


def test_what_operators_did_stands_in_the_line_with_who_and_why(axis: Axis) -> None:
    sent = a_steered_story(axis)
    lines = told(axis, scope(axis, sent["id"], "H41"))
    found = brief(lines)[1:]
    assert [*found[:3], *sorted(found[3:5]), *found[5:]] == [  # what began at the same moment has no order
        "evidence accept",
        *("acted undeliverabl", "event fail"),
        *("acted again", "acted extend", "event reopen", "event extend"),
        *("report 01", "acted undeliverabl", "event fetch", "event done", "event status"),
        *("carried fail", "carried-acted undeliverabl", "evidence handover", "evidence status"),
    ]
    steered = [line.row for line in lines if line.source.endswith("acted")]
    assert {(row["by"], row["reason"]) for row in steered} == {(BY, REASON)}
    assert [row["outcome"] for row in steered] == [DONE, DONE, DONE, "delivered", DONE]
    assert {row["recipient"] for row in steered} == {"H41", "G22"}


@pytest.mark.parametrize("most", [1, 2, 5])
def test_pages_joined_have_every_action_on_every_recipient(axis: Axis, most: int) -> None:
    sent = a_steered_story(axis)
    for wanted, actions in ((scope(axis, sent["id"]), 9), (scope(axis, sent["id"], "H27"), 4)):
        lines = [line[:3] for line in told(axis, wanted, most)]
        assert lines == [line[:3] for line in told(axis, wanted)]
        assert len({line for line in lines if line[1].endswith("acted")}) == actions


def test_of_another_recipient_nothing_is_told_but_that_the_document_came(axis: Axis) -> None:
    *_, sent = a_story(axis)
    assert brief(told(axis, scope(axis, sent["id"], "H27")))[1:] == ["evidence accept"]
    both = brief(told(axis, scope(axis, sent["id"])))
    assert len(both) == len(brief(told(axis, scope(axis, sent["id"], "H41"))))


def test_a_try_that_was_refused_before_is_part_of_the_story(axis: Axis) -> None:
    office, *_ = office_and_provinces(axis)
    draft = office.draft("H41")
    with pytest.raises(Refusal):
        office.hand_in(office.packet(draft, signed=False))
    axis.clock.pass_(minutes=1)
    sent = office.post(office.packet(draft)).body
    assert brief(told(axis, scope(axis, sent["id"])))[0].startswith("refusal")


def test_recipients_come_in_pages_by_their_code(axis: Axis) -> None:
    office = axis.enrol("G22")
    codes = ["H01", "H05", "H12", "H26", "H41"]
    for code in codes:
        axis.enrol(code)
    sent = office.send(*reversed(codes))
    found, after = [], ""
    with reading(axis.desk.engine) as connection:
        while rows := story.recipients(connection, sent["id"], after=after, most=2):
            found += [row["recipient"] for row in rows]
            after = rows[-1]["recipient"]
        assert story.recipients(connection, sent["id"], state="delivered", most=9) == []
        assert [dict(row) for row in story.states(connection, sent["id"])] == [
            {"state": "waiting", "status": "none", "deliveries": 5}
        ]
    assert found == codes


def test_what_waits_is_told_before_what_has_ended(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    sent = office.send("H41", "H27")
    nghe_an.fetch(nghe_an.waiting()[0])
    nghe_an.failed(next(one["id"] for one in sent["deliveries"] if one["to"] == "H41"))
    with reading(axis.desk.engine) as connection:
        rows = story.not_over(connection, sent["id"], 9)
    assert [(row["recipient"], row["state"], row["system"]) for row in rows] == [
        ("H27", "waiting", "H27"), ("H41", "failed", "H41"),
    ]  # fmt: skip


def test_an_update_and_what_it_acts_on_lead_to_each_other(axis: Axis) -> None:
    office, *_ = office_and_provinces(axis)
    document, sent = office.issue("H41")
    update = office.update(document, "H41")
    with reading(axis.desk.engine) as connection:
        assert [row["id"] for row in story.acts_on(connection, update["id"], 9)] == [sent["id"]]
        assert [row["id"] for row in story.acted_on_by(connection, sent["id"], 9)] == [update["id"]]
        (answer,) = story.answers(connection, update["id"])
        assert dict(answer) == {"ask": "update", "outcome": "open", "requests": 1}


def test_only_packets_of_the_document_and_of_statuses_about_it_are_found_by_it(axis: Axis) -> None:
    office, _, _, sent = a_story(axis)
    other = office.send("H41")
    with reading(axis.desk.engine) as connection:
        (packet,) = story.packets(connection, sent["id"], 9)
        assert packet["subject"]
        assert packet["basis"] == "operator"
        report = next(line for line in told(axis, scope(axis, sent["id"])) if line.source == "report")
        for packet_id in (packet["id"], report.row["packet_id"]):
            assert story.packet_of(connection, sent["id"], packet_id) is not None
            assert story.packet_of(connection, other["id"], packet_id) is None
