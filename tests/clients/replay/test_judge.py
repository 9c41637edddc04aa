"""The judge, on books written by hand: what came wrong, or never, is found, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from builders.books import (
    ANGIANG,
    HAIPHONG,
    NORTH,
    OFFICE,
    POST,
    READER,
    SILENT,
    SOUTH,
    WIDE,
    Pages,
    a_post,
    a_reply,
    arrived,
    blamed,
    digest,
    sent,
)

from clients.replay.ledger.judge import judge

Story = Callable[[Pages], None]


def one_of_three_is_lost(pages: Pages) -> None:
    sent(pages, WIDE)
    pages.keep(WIDE, HAIPHONG)
    pages.keep(WIDE, SOUTH)


def told_delivered_and_never_came(pages: Pages) -> None:
    sent(pages)
    pages.tell(POST, HAIPHONG, "delivered")


def two_ids(pages: Pages) -> None:
    arrived(pages)
    pages.keep(POST, HAIPHONG, "another")


def two_promises(pages: Pages) -> None:
    arrived(pages)
    pages.send(POST, "repeated", hub_id="doc-1", deliveries=[("another", HAIPHONG)])


def listed_after_done(pages: Pages) -> None:
    arrived(pages)
    pages.keep(POST, HAIPHONG)


def twice_and_never_acknowledged(pages: Pages) -> None:
    pages.send(POST, "none")
    pages.keep(POST, HAIPHONG, "one")
    pages.keep(POST, HAIPHONG, "two")


def at_another_system(pages: Pages) -> None:
    arrived(pages)
    pages.keep(POST, HAIPHONG, done=False, system=ANGIANG)


def for_an_agency_not_addressed(pages: Pages) -> None:
    arrived(pages)
    pages.keep(POST, NORTH, "other")


def what_nobody_sent(pages: Pages) -> None:
    arrived(pages)
    pages.keep(a_post(9), HAIPHONG, "other")


def one_byte_changed(pages: Pages) -> None:
    sent(pages)
    pages.keep(POST, HAIPHONG, sha256=digest("broken"))


def one_byte_changed_and_little_known(pages: Pages) -> None:
    post = a_post(1, HAIPHONG, sender=ANGIANG)
    pages.send(post, hub_id="5f0c")
    pages.keep(post, HAIPHONG, sha256=digest("broken"), listed_sha256="")


def the_list_says_another_digest(pages: Pages) -> None:
    sent(pages)
    pages.keep(POST, HAIPHONG, listed_sha256=digest("other"))


def two_documents_exchanged(pages: Pages) -> None:
    other = a_post(2, HAIPHONG)
    sent(pages, POST, other)
    pages.keep(POST, HAIPHONG, "2-H24")
    pages.keep(other, HAIPHONG, "1-H24")


def a_status_changed(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "01"), sha256=digest("broken"))


def a_status_lost(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.send(a_reply(1, "03"), hub_id="b")
    pages.keep_status(POST, a_reply(1, "03"))


def a_status_not_in_the_outbox(pages: Pages) -> None:
    post = a_post(1, HAIPHONG, sender=READER)
    sent(pages, post)
    pages.keep(post, HAIPHONG)
    pages.send(a_reply(0, "01"), hub_id="a")


def a_status_twice(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "01"))
    pages.keep_status(POST, a_reply(0, "01"), "another")


def a_status_listed_after_done(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "01"))
    pages.keep_status(POST, a_reply(0, "01"))


def a_status_at_another_system(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "01"))
    pages.keep_status(POST, a_reply(0, "01"), done=False, system=ANGIANG)


def the_second_status_first(pages: Pages) -> None:
    arrived(pages)
    for k, code in enumerate(("01", "03")):
        pages.send(a_reply(k, code), hub_id=str(k))
    pages.keep_status(POST, a_reply(1, "03"))
    pages.keep_status(POST, a_reply(0, "01"))


def a_status_lost_after_one_that_was_refused(pages: Pages) -> None:
    arrived(pages)
    mark = pages.send(a_reply(0, "06"), "refused", status=400, code="body-incomplete")
    pages.write("injected", "wrong-length", mark, where="network", at=0.0)
    pages.send(a_reply(1, "03"), hub_id="a")


def lost_and_another_year_s_withdrawn(pages: Pages) -> None:
    second = a_post(2, HAIPHONG, document_id=POST.document_id, number="1", day=date(2020, 1, 2))
    sent(pages, POST, second)
    pages.tell(second, HAIPHONG, "withdrawn", delivery="", n=2)


def a_silent_one_and_nobody_told(pages: Pages) -> None:
    pages.facts["expired"] = True
    sent(pages, a_post(1, SILENT))


def another_sender_in_the_list(pages: Pages) -> None:
    sent(pages)
    pages.keep(POST, HAIPHONG, sender="G24")


def a_status_by_another_in_the_list(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "01"), sender=ANGIANG)


def another_code_in_the_list(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "01"), code="06")


def told_to_another_system(pages: Pages) -> None:
    arrived(pages)
    pages.tell(POST, HAIPHONG, "delivered", system=ANGIANG)


def told_to_another_system_by_the_hub_s_own_id(pages: Pages) -> None:
    arrived(pages)
    pages.tell(POST, HAIPHONG, "delivered", system=ANGIANG, delivery="unknown", document_id="doc-1")


def a_report_told_to_another_system(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "01"))
    pages.tell(POST, OFFICE, "delivered", system=ANGIANG, delivery="unknown", document_id="a")


def the_second_status_first_in_the_outbox(pages: Pages) -> None:
    post = a_post(1, HAIPHONG, sender=READER)
    sent(pages, post)
    pages.keep(post, HAIPHONG)
    for k, code in enumerate(("01", "03")):
        pages.send(a_reply(k, code), hub_id=str(k))
    for code in ("03", "01"):
        pages.tell(post, HAIPHONG, "status", status=code)


WRONG: list[tuple[str, Story]] = [
    ("lost", one_of_three_is_lost), ("lost", told_delivered_and_never_came),
    ("lost", lost_and_another_year_s_withdrawn), ("lost", a_silent_one_and_nobody_told),
    ("doubled", two_ids), ("doubled", two_promises), ("doubled", listed_after_done),
    ("unacknowledged-twice", twice_and_never_acknowledged),
    ("misrouted", at_another_system), ("misrouted", for_an_agency_not_addressed), ("misrouted", what_nobody_sent),
    ("misrouted", a_status_at_another_system), ("misrouted", told_to_another_system),
    ("misrouted", told_to_another_system_by_the_hub_s_own_id), ("misrouted", a_report_told_to_another_system),
    ("mislabelled", another_sender_in_the_list), ("mislabelled", a_status_by_another_in_the_list),
    ("mislabelled", another_code_in_the_list),
    ("corrupt", one_byte_changed), ("corrupt", one_byte_changed_and_little_known),
    ("corrupt", the_list_says_another_digest), ("corrupt", a_status_changed),
    ("status-lost", a_status_lost), ("status-lost", a_status_not_in_the_outbox),
    ("status-lost", a_status_lost_after_one_that_was_refused),
    ("status-doubled", a_status_twice), ("status-doubled", a_status_listed_after_done),
    ("disorder", the_second_status_first), ("disorder", the_second_status_first_in_the_outbox),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "story"), WRONG, ids=lambda value: getattr(value, "__name__", value))
def test_a_hub_that_is_wrong_is_blamed_for_that_alone(kind: str, story: Story, tmp_path: Path) -> None:
    pages = Pages()
    story(pages)
    verdict = pages.judged(tmp_path / "ledger.db")
    assert blamed(verdict) == {kind: 1}
    assert not verdict.passed


# What is neither.


@pytest.mark.parametrize("facts", [{}, {"ended": 2.0, "stopped": True}], ids=["killed", "stopped"])
def test_what_is_under_way_when_a_run_is_stopped_is_open_and_not_lost(facts: dict[str, object], tmp_path: Path) -> None:
    pages = Pages(facts=facts)
    sent(pages, WIDE)
    pages.keep(WIDE, NORTH)
    pages.send(a_reply(0, "01", recipient=NORTH), hub_id="a")
    verdict = pages.judged(tmp_path / "ledger.db")
    assert verdict.stopped
    assert blamed(verdict) == {"open": 3}
    assert verdict.passed


def test_what_waits_for_somebody_who_never_looks_is_open(tmp_path: Path) -> None:
    pages = Pages()
    sent(pages, a_post(1, SILENT))
    verdict = pages.judged(tmp_path / "ledger.db")
    assert not verdict.stopped
    assert blamed(verdict) == {"open": 1}
    assert verdict.passed


def test_an_example_names_document_recipient_delivery_and_marks(tmp_path: Path) -> None:
    pages = Pages()
    pages.send(POST, "none")
    sent(pages)
    pages.keep(POST, HAIPHONG, sha256=digest("broken"))
    (finding,) = (found for found in pages.judged(tmp_path / "ledger.db").findings if found.count)
    assert finding.kind.code == "corrupt"
    (example,) = finding.examples
    assert (example.n, example.document_id, example.recipient) == (1, POST.document_id, HAIPHONG)
    assert (example.delivery, example.marks) == ("1-H24", ("d1.1", "d1.2"))


def test_every_case_counts_and_the_first_twenty_are_told(tmp_path: Path) -> None:
    pages = Pages()
    sent(pages, *(a_post(n) for n in range(1, 31)))
    (finding,) = (found for found in pages.judged(tmp_path / "ledger.db").findings if found.count)
    assert finding.count == 30
    assert [example.n for example in finding.examples] == list(range(1, 21))


def test_a_book_is_judged_twice_alike(tmp_path: Path) -> None:
    pages = Pages()
    one_of_three_is_lost(pages)
    first = pages.judged(tmp_path / "ledger.db")
    assert judge(tmp_path / "ledger.db") == first
