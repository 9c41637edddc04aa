"""Whether a PDF file still is what was signed: every change after a signature is named, and told unless harmless."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from builders.judged import AT, the_authority
from builders.pdfs import (
    annotation_added,
    asked,
    awaited_content_added,
    by_both,
    carelessly_written,
    empty_field_added,
    field_filled,
    font_replaced,
    hidden_and_replaced,
    hidden_content_shown,
    hybrid,
    signed,
    text_changed,
    typeset,
    value_shortened,
    with_document_timestamp,
    with_validation_data,
    written,
)
from pyhanko.sign.fields import MDPPerm

from hub.authority import DAY, YEAR, issue
from hub.domain.trust import Result, Verdict
from hub.pdf.examination import examine
from hub.pdf.findings import Change, Examination, Unexamined
from hub.pdf.revisions import opened, uncovered

CRLS = the_authority().crls(made=AT + 2 * DAY)


def examined(pdf: bytes) -> Examination:
    found = examine(pdf, asked())
    assert isinstance(found, Examination)
    return found


CHANGED: dict[str, tuple[Callable[[], bytes], tuple[Change, ...]]] = {
    "text": (lambda: text_changed(by_both()), ("pages",)),
    "text of a library's file": (lambda: text_changed(by_both(typeset())), ("pages",)),
    "annotation": (lambda: annotation_added(by_both()), ("annotations",)),
    "form field": (lambda: field_filled(by_both()), ("form fields",)),
    "unsigned field that shows": (lambda: empty_field_added(by_both()), ("annotations", "form fields")),
    "shadow: hide": (lambda: hidden_content_shown(by_both), ("pages",)),
    "shadow: replace": (lambda: font_replaced(by_both()), ("pages", "form fields")),
    "shadow: hide and replace": (lambda: hidden_and_replaced(by_both), ("pages",)),
    "bytes at the end": (lambda: by_both() + b"% more\n", ("trailing bytes",)),
    "bytes behind validation data": (
        lambda: with_validation_data(by_both(), CRLS) + b"% more\n",
        ("trailing bytes",),
    ),
}


@pytest.mark.parametrize("case", CHANGED)
def test_a_change_after_signing_is_found_and_named(case: str) -> None:
    make, change = CHANGED[case]
    found = examined(make())
    assert found.verdict is Verdict.MODIFIED
    last = found.signatures[-1]
    assert (last.kind, last.verdict) == ("agency", Verdict.MODIFIED)
    assert [one.changed for one in last.updates if not one.allowed] == [change]
    assert last.steps[9].result is Result.FAILED


def test_what_the_agency_signed_over_still_breaks_the_leader_s_signature() -> None:
    """The text was changed between the two."""
    authority = the_authority()
    changed = text_changed(signed(written(), authority.leader))
    found = examined(signed(changed, authority.agency, AT + timedelta(hours=1), field="agency"))
    assert [one.verdict for one in found.signatures] == [Verdict.MODIFIED, Verdict.VALID_NO_TIMESTAMP]
    assert found.verdict is Verdict.MODIFIED


def test_content_that_the_signed_page_waited_for_breaks_the_signature_before_it() -> None:
    authority = the_authority()
    changed = awaited_content_added(lambda pdf: signed(pdf, authority.leader))
    found = examined(signed(changed, authority.agency, AT + timedelta(hours=1), field="agency"))
    assert [one.verdict for one in found.signatures] == [Verdict.MODIFIED, Verdict.VALID_NO_TIMESTAMP]
    assert examined(awaited_content_added(by_both)).signatures[-1].verdict is Verdict.MODIFIED


def test_a_changed_byte_breaks_every_signature_over_it() -> None:
    found = examined(by_both().replace(b"01/4/2026", b"01/9/2026"))
    assert [one.verdict for one in found.signatures] == [Verdict.MODIFIED] * 2
    assert [one.steps[8].result for one in found.signatures] == [Result.FAILED] * 2


def test_a_changed_byte_after_the_leader_s_part_breaks_only_the_agency_s() -> None:
    pdf = by_both()
    place = pdf.rindex(b"/Size")
    found = examined(pdf[:place] + b"/Siz\x65" + pdf[place + 5 :].replace(b"%%EOF\n", b"%%EOF\r"))
    assert [one.verdict for one in found.signatures] == [Verdict.VALID_NO_TIMESTAMP, Verdict.MODIFIED]


def test_bytes_slipped_into_the_room_of_the_signature_s_value_are_found() -> None:
    last = examined(value_shortened(by_both())).signatures[-1]
    assert (last.verdict, last.steps[8].result) == (Verdict.MODIFIED, Result.FAILED)
    assert "leaves out" in last.steps[8].en


def test_a_gap_that_holds_another_value_than_the_signature_s_is_found() -> None:
    pdf = by_both()
    signature = opened(pdf, strict=True).embedded_signatures[-1]
    end = signature.byte_range[2]
    assert uncovered(signature, pdf) is None
    told = uncovered(signature, pdf[: end - 3] + b"FF" + pdf[end - 1 :])
    assert told == "/ByteRange leaves out something else than /Contents"


def test_a_stranger_s_signature_over_the_file_is_the_file_s_verdict() -> None:
    """A signature may show anything: whoever adds one must be somebody."""
    stranger = issue("Người lạ", AT - YEAR, AT + YEAR)
    found = examined(signed(by_both(), stranger, AT + DAY, field="la"))
    assert [one.verdict for one in found.signatures[:2]] == [Verdict.VALID_NO_TIMESTAMP] * 2
    assert found.verdict is Verdict.UNTRUSTED_CHAIN


def test_validation_data_after_the_last_signature_is_no_change() -> None:
    found = examined(with_validation_data(by_both(), CRLS))
    assert found.verdict is Verdict.VALID_NO_TIMESTAMP
    assert [one.changed for one in found.signatures[-1].updates] == [("validation data",)]


def test_further_signatures_and_document_timestamps_are_no_change() -> None:
    found = examined(with_document_timestamp(by_both(), AT + DAY))
    assert [one.changed for one in found.signatures[0].updates] == [("signature",), ("timestamp",)]
    assert all(one.allowed for one in found.signatures[0].updates)


def test_a_document_timestamp_that_shows_is_a_change() -> None:
    """Anybody can have a timestamp, and what shows can hide what was signed."""
    found = examined(with_document_timestamp(by_both(empty_field_added(written())), AT + DAY, field="che"))
    assert [one.verdict for one in found.signatures] == [Verdict.MODIFIED] * 2


@pytest.mark.parametrize(
    ("permitted", "leader"),
    [(MDPPerm.NO_CHANGES, Verdict.MODIFIED), (MDPPerm.FILL_FORMS, Verdict.VALID_NO_TIMESTAMP)],
    ids=["nothing", "signatures"],
)
def test_a_certified_document_says_itself_whether_more_may_sign(permitted: MDPPerm, leader: Verdict) -> None:
    authority = the_authority()
    first = signed(written(), authority.leader, permitted=permitted)
    found = examined(signed(first, authority.agency, AT + DAY, field="agency"))
    assert [one.verdict for one in found.signatures] == [leader, Verdict.VALID_NO_TIMESTAMP]


def test_a_change_after_signing_is_found_in_a_hybrid_file() -> None:
    assert examined(text_changed(by_both(hybrid(written())))).verdict is Verdict.MODIFIED


def test_in_a_file_read_leniently_nothing_may_stand_behind_the_last_signature() -> None:
    assert examined(by_both(carelessly_written())).verdict is Verdict.VALID_NO_TIMESTAMP
    found = examined(with_validation_data(by_both(carelessly_written()), CRLS))
    assert (found.verdict, found.lenient) == (Verdict.MODIFIED, True)


def test_much_noise_behind_the_end_leaves_no_file_to_read() -> None:
    found = examine(by_both() + b"x" * 2000, asked())
    assert isinstance(found, Unexamined)
    assert found.reason == "unreadable"
