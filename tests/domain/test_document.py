"""Dates as the vendor's library reads them, kinds, and the digest that makes two packets one document."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from builders.packets import PDF, a_document, an_attachment
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.document import (
    VIETNAM,
    Business,
    Document,
    DocumentRef,
    Kind,
    ManifestEntry,
    Organization,
    Receiver,
    Replaced,
    StaffInfo,
    Trace,
    content_digest,
    local_day,
    read_date,
    read_timestamp,
)

READABLE = {
    "2025/01/02": date(2025, 1, 2),
    "2025/1/2": date(2025, 1, 2),
    "2025/12/31 23:59:59": date(2025, 12, 31),
    "2025/1/2 3:4:5": date(2025, 1, 2),
    "2024/02/29": date(2024, 2, 29),
}
UNREADABLE = [
    "", "2025-01-02", "2025-01-02T08:30:00", "02/01/2025", "2025/02/29", "2025/13/01", "2025/00/10", "2025/1",
    "2025/01/02 08:30", "2025/01/02 24:00:00", "2025/01/02  08:30:00", " 2025/01/02", "2025/01/02\n", "25/01/02",
    "0000/01/01", "0001/01/01", "٢٠٢٥/٠١/٠٢", "2025/01/02 08:30:00.123", "ngày 2 tháng 1 năm 2025",
]  # fmt: skip


@pytest.mark.parametrize("text", list(READABLE))
def test_the_forms_of_the_field_are_read(text: str) -> None:
    assert read_date(text) == READABLE[text]


@pytest.mark.parametrize("text", UNREADABLE)
def test_other_forms_and_impossible_days_are_no_dates(text: str) -> None:
    assert read_date(text) is None
    assert read_timestamp(text) is None


@settings(max_examples=100)
@given(st.datetimes(timezones=st.just(VIETNAM)).filter(lambda moment: moment.year > 1))
def test_a_moment_is_read_as_vietnams_time(moment: datetime) -> None:
    text = f"{moment.year:04}/{moment:%m/%d %H:%M:%S}"
    assert read_timestamp(text) == moment.replace(microsecond=0)
    assert read_date(text) == moment.date()


def test_a_date_alone_is_no_moment() -> None:
    assert read_timestamp("2025/01/02") is None


def test_today_is_the_day_in_vietnam() -> None:
    evening = datetime(2025, 12, 31, 16, 59, 59, tzinfo=UTC)
    assert local_day(evening) == date(2025, 12, 31)
    assert local_day(evening + timedelta(seconds=1)) == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("written", "kind"),
    [("0", 0), ("1", 1), ("2", 2), ("3", 3), ("", 0), ("4", 0), (" 2", 0), ("2.0", 0), ("-1", 0), ("٢", 0)],
)
def test_the_kind_is_read_from_the_business_type_and_anything_else_is_new(written: str, kind: int) -> None:
    assert a_document(business=Business(type=written)).kind is Kind(kind)


@pytest.mark.parametrize(("written", "year"), [("2025/01/02", 2025), ("2024/12/31 23:59:59", 2024), ("2025", None)])
def test_the_year_is_that_of_the_promulgation_as_written(written: str, year: int | None) -> None:
    assert a_document(promulgation_date=written).year == year


# The content digest.

NOT_CONTENT: dict[str, dict[str, Any]] = {
    "recipients": {"recipients": (Organization("H27"),)},
    "places copied to": {"to_places": ("Lưu: VT",)},
    "the way travelled": {"traces": (Trace("G22", "2025/01/02 08:30:00"), Trace("W00", "2025/01/02 08:30:01"))},
    "the clerk": {"business": replace(a_document().business, staff=(StaffInfo(staff="Người khác"),))},
    "the clerk's absence": {"business": replace(a_document().business, staff=())},
    "what the manifest declares": {"manifest": (ManifestEntry("khác", "text/plain", "khác.txt"),)},
}


@pytest.mark.parametrize("name", list(NOT_CONTENT))
def test_what_is_not_content_leaves_the_digest_as_it_is(name: str) -> None:
    assert content_digest(a_document(**NOT_CONTENT[name])) == content_digest(a_document())


def test_the_same_file_wrapped_otherwise_leaves_the_digest_as_it_is() -> None:
    wrapped = replace(
        an_attachment(),
        octets=b"PK...",
        content_type="application/zip",
        wrapped=True,
        content_id="khác",
        description="",
    )
    assert content_digest(a_document(attachments=(wrapped,))) == content_digest(a_document())


CHANGED: dict[str, Any] = {
    "sender": Organization("H41"),
    "response_for": (DocumentRef("H41", "1/UBND", "H41,2025/01/01,1/UBND", "2025/01/01"),),
    "appendixes": ("Phụ lục I",),
    "task_codes": ("NV-1",),
    "business": Business(type="2"),
    "attachments": (an_attachment("khác.pdf"),),
    "unknown": (("Lạ", "giá trị"),),
}
SKIPPED = {"recipients", "to_places", "traces", "manifest"}


@pytest.mark.parametrize("name", [f.name for f in fields(Document) if f.name not in SKIPPED])
def test_every_field_of_the_content_counts(name: str) -> None:
    changes = {name: CHANGED.get(name, "khác")}
    if name == "attachments":
        changes["manifest"] = a_document().manifest
    assert content_digest(a_document(**changes)) != content_digest(a_document())


ASKED: dict[str, Any] = {
    "type": "3",
    "reason": "khác",
    "document_id": "khác",
    "paper": "1",
    "document_info": "1",
    "document_receiver": "1",
    "receivers": (Receiver("H27", "1"),),
    "replaced": (Replaced("khác"),),
}


@pytest.mark.parametrize("name", [f.name for f in fields(Business) if f.name != "staff"])
def test_everything_the_packet_asks_for_counts(name: str) -> None:
    business = replace(a_document().business, **{name: ASKED[name]})
    assert content_digest(a_document(business=business)) != content_digest(a_document())


@pytest.mark.parametrize("name", [f.name for f in fields(Organization)])
def test_every_field_of_the_sender_counts(name: str) -> None:
    sender = replace(a_document().sender, **{name: "khác"})
    assert content_digest(a_document(sender=sender)) != content_digest(a_document())


@pytest.mark.parametrize("name", [f.name for f in fields(DocumentRef)])
def test_every_field_of_a_reference_counts(name: str) -> None:
    references = (DocumentRef(**{name: "khác"}),)
    assert content_digest(a_document(response_for=references)) != content_digest(
        a_document(response_for=(DocumentRef(),))
    )


def test_the_bytes_and_the_names_of_all_files_count() -> None:
    one, two = an_attachment("một.pdf"), an_attachment("hai.pdf", PDF + b"2", content_id="hai")
    digests = {
        content_digest(a_document(attachments=files))
        for files in (
            (),
            (one,),
            (two,),
            (one, two),
            (replace(one, content=two.content), replace(two, content=one.content)),
            (replace(one, name="hai.pdf"), replace(two, name="một.pdf")),
        )
    }
    assert len(digests) == 6


def test_text_cannot_move_from_one_field_to_another_unseen() -> None:
    assert content_digest(a_document(subject="a", content="bc")) != content_digest(
        a_document(subject="ab", content="c")
    )
    assert content_digest(a_document(appendixes=("a", "b"))) != content_digest(a_document(appendixes=("ab",)))
