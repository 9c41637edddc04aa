"""What documents answer: recorded with them, and found from both ends whichever of the two came first."""

from __future__ import annotations

from typing import Any

import pytest
from builders.axis import Axis, Peer, acting
from builders.databases import statements, whole
from builders.reports import office_and_provinces
from sqlalchemy import select

from hub.domain.document import Document, DocumentRef
from hub.errors import Refusal
from hub.exchange import retention
from hub.exchange.retention import Pare
from hub.store import documents, story
from hub.store.console_tables import reference
from hub.store.engine import reading
from hub.store.retention import ALL, Part


def ref(document: Document, **changes: str) -> DocumentRef:
    """As an answer names it in full."""
    values = {
        "organ_id": document.sender.organ_id,
        "code": f"{document.number}/{document.symbol}",
        "document_id": document.document_id,
        "promulgation_date": document.promulgation_date,
    }
    return DocumentRef(**(values | changes))


def answers(axis: Axis, sent: dict[str, Any], most: int = 20) -> list[str]:
    """What it answers: the id of what is known here, and of the rest what was written."""
    with reading(axis.desk.engine) as connection:
        document = documents.get(connection, sent["id"])
        assert document is not None
        rows = story.references(connection, document, most)
    return [row["id"] or f"{row['code']} {row['named']} {row['organ_id']}" for row in rows]


def answered_by(axis: Axis, sent: dict[str, Any], most: int = 20) -> list[str]:
    with reading(axis.desk.engine) as connection:
        document = documents.get(connection, sent["id"])
        assert document is not None
        return [row["id"] for row in story.answered_by(connection, document, most)]


def kept(axis: Axis) -> list[Any]:
    with reading(axis.desk.engine) as connection:
        return list(connection.execute(select(reference).order_by(reference.c.document_seq, reference.c.position)))


def test_an_answer_and_what_it_answers_know_each_other(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    letter, sent = office.issue("H41", "H27")
    first = nghe_an.send("G22", response_for=(ref(letter),))
    second = ha_tinh.send("G22", response_for=(ref(letter),))
    assert answers(axis, first) == answers(axis, second) == [sent["id"]]
    assert answered_by(axis, sent) == [second["id"], first["id"]]
    assert answered_by(axis, sent, 1) == [second["id"]]
    assert (answers(axis, sent), answered_by(axis, first)) == ([], [])


NAMED: dict[str, dict[str, str]] = {
    "in full": {},
    "by its id alone": {"organ_id": "", "code": "", "promulgation_date": ""},
    "by another spelling of its id": {"document_id": "000.00.00.G22, 2025-9-30 ,1/VP", "organ_id": "000.00.00.G22"},
    "by its number": {"document_id": ""},
    "by its number, with leading zeros": {"document_id": "", "code": "001/VP"},
    "by its number beside an id of nothing": {"document_id": "9f8e7d"},
}


@pytest.mark.parametrize("first", ["letter", "answer"])
@pytest.mark.parametrize("named", NAMED)
def test_it_is_found_however_it_was_named_and_whichever_came_first(axis: Axis, named: str, first: str) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    letter = office.draft("H41")
    answer = nghe_an.draft("G22", response_for=(ref(letter, **NAMED[named]),))
    posts = [(office, letter), (nghe_an, answer)]
    sent = {
        peer.code: peer.post(peer.packet(document)).body for peer, document in posts[:: 1 if first == "letter" else -1]
    }
    assert answers(axis, sent["H41"]) == [sent["G22"]["id"]]
    assert answered_by(axis, sent["G22"]) == [sent["H41"]["id"]]


OTHERS: dict[str, dict[str, str]] = {
    "another agency's of that id": {"organ_id": "H27"},
    "of another year": {"promulgation_date": "2024/09/30"},
    "of another number": {"document_id": "", "code": "2/VP"},
    "of a number without a year": {"document_id": "", "promulgation_date": ""},
    "of a number without an agency": {"document_id": "", "organ_id": ""},
    "of an id that is anybody's": {"document_id": "9f8e7d", "organ_id": "", "code": ""},
}


@pytest.mark.parametrize("named", OTHERS)
def test_what_is_not_meant_is_shown_as_written_and_leads_nowhere(axis: Axis, named: str) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    letter, sent = office.issue("H41")
    office.send("H41", document_id="9f8e7d", number="77")
    written = ref(letter, **OTHERS[named])
    answer = nghe_an.send("G22", response_for=(written,))
    (told,) = answers(axis, answer)
    assert told.split(" ")[:2] == [written.code, written.document_id]
    assert answered_by(axis, sent) == []


def test_the_prime_minister_s_letter_is_found_by_its_number_under_either_code(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    letter, sent = office.issue("H41", "H27", symbol="CT-TTg", document_id="5b9c")
    for peer, code in ((nghe_an, "G22"), (ha_tinh, "TTg")):
        answer = peer.send("G22", response_for=(ref(letter, organ_id=code, document_id=""),))
        assert answers(axis, answer) == [sent["id"]]
    assert len(answered_by(axis, sent)) == 2


def test_an_id_that_two_agencies_use_leads_to_the_one_that_is_named(axis: Axis) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(axis)
    one, first = nghe_an.issue("G22", document_id="chung")
    two, second = ha_tinh.issue("G22", document_id="chung")
    for document, sent in ((one, first), (two, second)):
        answer = office.send("H41", "H27", response_for=(ref(document, code=""),))
        assert answers(axis, answer) == [sent["id"]]
        assert answered_by(axis, sent) == [answer["id"]]


def test_where_id_and_number_lead_to_two_the_id_counts(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    letter, sent = office.issue("H41")
    other, unasked = office.issue("H41")
    answer = nghe_an.send("G22", response_for=(ref(letter, code=f"{other.number}/VP"),))
    assert answers(axis, answer) == [sent["id"]]
    assert (answered_by(axis, sent), answered_by(axis, unasked)) == ([answer["id"]], [])


def test_a_letter_and_its_update_of_the_same_id_are_both_answered(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    letter, sent = office.issue("H41")
    update = office.update(letter, "H41", document_id=letter.document_id, number=letter.number)
    office.revoke(letter, "H41", document_id=letter.document_id, number=letter.number)
    answer = nghe_an.send("G22", response_for=(ref(letter),))
    assert answers(axis, answer) == [sent["id"], update["id"]]
    assert answered_by(axis, sent) == answered_by(axis, update) == [answer["id"]]


def test_one_letter_named_twice_is_answered_once(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    letter, sent = office.issue("H41")
    named = (ref(letter), ref(letter), ref(letter, document_id=""), ref(letter, code=""))
    answer = nghe_an.send("G22", response_for=named)
    assert answers(axis, answer) == [sent["id"]]
    assert answered_by(axis, sent) == [answer["id"]]
    assert len(kept(axis)) == 3


def test_a_repeat_adds_no_reference_and_one_that_names_nothing_is_none(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    letter, _ = office.issue("H41")
    answer = nghe_an.draft("G22", response_for=(ref(letter), DocumentRef("G22", promulgation_date="2025/09/30")))
    nghe_an.post(nghe_an.packet(answer))
    nghe_an.post(nghe_an.packet(answer))
    axis.enrol("H31")
    again = nghe_an.draft("G22", "H31", number=answer.number, response_for=answer.response_for)
    assert not nghe_an.post(nghe_an.packet(again)).new
    assert len(kept(axis)) == 1


def test_what_a_revocation_revokes_is_linked_and_the_letter_it_answers_is_a_reference(axis: Axis) -> None:
    office, _, ha_tinh = office_and_provinces(axis)
    letter, asked = ha_tinh.issue("G22")
    own, first = office.issue("H41")
    opaque, second = office.issue("H41", document_id="5b9c")
    older = DocumentRef("H41", "", "G22,2019/01/02,7/VP", "2019/01/02")  # as for a status: the recipient's code
    named = (ref(own, organ_id="H41"), ref(opaque, organ_id=""), older, ref(letter))
    revocation = office.revoke(own, "H41", response_for=named)
    assert answers(axis, revocation) == [asked["id"]]
    assert answered_by(axis, asked) == [revocation["id"]]
    assert answered_by(axis, first) == answered_by(axis, second) == []


@pytest.mark.parametrize("kind", ["update", "replacement"])
def test_what_is_updated_or_replaced_is_linked_and_no_reference(axis: Axis, kind: str) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    theirs, asked = nghe_an.issue("G22")
    own, sent = office.issue("H41")
    again = office.send("H41", **(acting(kind, own) | {"response_for": (ref(own), ref(theirs))}))
    assert answers(axis, again) == [asked["id"]]
    assert answered_by(axis, sent) == []


def test_what_nothing_limits_in_a_packet_is_kept_cut(axis: Axis) -> None:
    """An index of PostgreSQL refuses a long text, and with it the packets of all who are written together."""
    _, nghe_an, _ = office_and_provinces(axis)
    long = "ệ" * 5000
    answer = nghe_an.send("G22", response_for=(DocumentRef(long, f"1/{long}", long, "2025/09/30"),))
    ((_, _, organ_id, named, code, _, _),) = kept(axis)
    assert [len(text) for text in (organ_id, named, code)] == [64, 250, 250]
    assert len(answers(axis, answer)) == 1


def test_a_packet_that_answers_nothing_costs_no_statement(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    letter, _ = office.issue("H41")

    def sent(peer: Peer, **changes: Any) -> list[str]:
        with statements(axis.desk.engine) as seen:
            peer.send("G22", **changes)
        return [statement for statement in whole(said for said, _ in seen) if "reference" in statement]

    sent(nghe_an)
    assert sent(nghe_an) == []
    (told,) = sent(nghe_an, response_for=(ref(letter), DocumentRef("G22", "9/VP", "", "2025/09/30")))
    assert told.startswith("INSERT INTO reference")


def test_a_refused_packet_leaves_no_reference(axis: Axis) -> None:
    _, nghe_an, _ = office_and_provinces(axis)
    named = (DocumentRef("G22", "9/VP", "", "2025/09/30"),)
    nghe_an.send("G22", number="5", response_for=named)
    with pytest.raises(Refusal, match=r"^document-conflict"):
        nghe_an.send("G22", number="5", subject="V/v khác", response_for=named)
    assert len(kept(axis)) == 1


def test_a_pared_document_keeps_what_it_answers(axis: Axis) -> None:
    office, nghe_an, _ = office_and_provinces(axis)
    letter, sent = office.issue("H41")
    answer = nghe_an.send("G22", response_for=(ref(letter),))
    office.receive(answer["deliveries"][0]["id"])
    nghe_an.receive(sent["deliveries"][0]["id"])
    axis.clock.pass_(days=1000)
    for part in Part:
        axis.desk.writer.run(retention.pare, Pare((sent["id"], answer["id"]), part, axis.clock()))
    assert {axis.document(one["id"])["pared"] for one in (sent, answer)} == {int(ALL)}
    assert (answers(axis, answer), answered_by(axis, sent)) == ([sent["id"]], [answer["id"]])
