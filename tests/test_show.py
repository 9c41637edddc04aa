"""What the ``hub`` command prints for people."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from builders.axis import Axis
from builders.reports import office_and_province
from rich.console import Console

from hub import show
from hub.domain.agency import Agency, Directory
from hub.domain.document import DocumentRef
from hub.domain.search import parse
from hub.errors import Refusal
from hub.store.engine import reading


def a_console() -> Console:
    """As narrow as a terminal may be; its ``file`` has what was printed."""
    return Console(file=StringIO(), width=40)


def printed(console: Console) -> list[str]:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_a_refusal_of_one_thing_is_told_once_on_one_line_with_its_repair() -> None:
    err = a_console()
    assert show.failure(err, Refusal("agency-unknown", "code", "X77", {"code": "X77"})) == 1
    (line,) = printed(err)
    assert line.startswith("agency-unknown code: Không có cơ quan X77 trong danh mục. / The agency X77 is not")
    assert "→ hub agencies" in line


def test_a_refusal_of_several_things_has_a_head_and_a_line_for_each() -> None:
    err = a_console()
    with pytest.raises(Refusal) as refused:
        parse("fron:G22 year:x")
    assert show.failure(err, refused.value) == 1
    assert [line.split()[0] for line in printed(err)] == ["request-invalid", "query-word", "query-word"]


def test_what_a_refusal_quotes_is_no_markup() -> None:
    err = a_console()
    show.failure(err, Refusal("id-unknown", "ID", "[red]", {"key": "[red]"}))
    assert "[red]" in printed(err)[0]


def test_what_a_packet_says_moves_no_cursor_and_turns_no_text() -> None:
    """A description of a report once cleared the operator's screen."""
    err = a_console()
    show.failure(err, Refusal("id-unknown", "ID", "x", {"key": "\x1b[2J\u202eH41"}))
    assert "\ufffd[2J\ufffdH41" in printed(err)[0]


def test_a_unit_s_name_is_no_markup_in_the_list_of_agencies() -> None:
    """A name that a system registered once ended the operator's list with an error."""
    out = Console(file=StringIO(), width=150)
    unit = Agency("H41.15", "Phòng [/b] [red]một[/red]", 2, registered_by="qlvb")
    show.agencies(out, Directory([unit]), [unit], date(2025, 10, 1), as_json=False)
    assert "[/b]" in "".join(printed(out))


def test_what_a_document_answers_and_what_answers_it_is_told_from_both_ends(axis: Axis) -> None:
    office, nghe_an = office_and_province(axis)
    letter, sent = office.issue("H41")
    named = DocumentRef("G22", f"{letter.number}/VP", letter.document_id, letter.promulgation_date)
    answer = nghe_an.send("G22", response_for=(named, DocumentRef("G12", "7/[b]BNV", "", "2019/03/01")))

    def told(document_id: str, *, as_json: bool) -> str:
        out = Console(file=StringIO(), width=400)
        with reading(axis.desk.engine) as connection:
            show.story(out, connection, document_id, as_json=as_json)
        return "\n".join(printed(out))

    assert f"1/VP G22 ({sent['id']}), 7/[b]BNV G12 (không tìm thấy trên trục này" in told(answer["id"], as_json=False)
    assert f"1/VP H41 ({answer['id']})" in told(sent["id"], as_json=False)
    one, other = (json.loads(told(document["id"], as_json=True)) for document in (answer, sent))
    assert [row["id"] for row in one["references"]] == [sent["id"], None]
    assert [row["id"] for row in other["answered_by"]] == [answer["id"]]
    assert (one["answered_by"], other["references"]) == ([], [])


def test_a_fault_of_the_machine_is_told_in_words_and_a_defect_keeps_its_trace() -> None:
    err = a_console()
    assert show.failure(err, PermissionError(13, "Permission denied", "hub.log")) == 1
    assert printed(err) == ["Permission denied: hub.log"]
    assert show.failure(err, KeyError("x")) is None


def test_people_are_told_that_nothing_was_found_and_programs_get_no_line() -> None:
    for table in (show.log_lines, show.refusals):
        people, programs = a_console(), a_console()
        table(people, [], as_json=False)
        table(programs, [], as_json=True)
        assert printed(people) == ["Không có gì khớp / nothing found"]
        assert printed(programs) == []


@pytest.mark.parametrize("as_json", [True, False])
def test_the_end_of_time_is_shown_as_the_last_second_there_is(as_json: bool) -> None:
    """A certificate without an end states it, which in Vietnam's time is past the calendar."""
    row = {
        "at": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        "sender": "H41",
        "document_id": "",
        "code": "x",
        "id": "",
    }
    out = Console(file=StringIO(), width=150)
    show.refusals(out, [row | {"violations": []}], as_json=as_json)  # type: ignore[list-item]
    assert ("9999-12-31T23:59:59" if as_json else "31/12/9999") in "".join(printed(out))
