"""The judge, on books written by hand: each fault is found, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders.books import (
    ANGIANG,
    HAIPHONG,
    NORTH,
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
    promised,
    sent,
)

from clients.replay.ledger.checks import fits
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


def a_right_packet_refused(pages: Pages) -> None:
    pages.send(POST, "refused", status=422, code="packet-refused/name-characters")


def a_conflict_with_nothing(pages: Pages) -> None:
    pages.send(POST, "refused", status=409, code="document-conflict")


def a_right_status_refused(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), "refused", status=422, code="status-not-allowed")


def an_answer_to_a_request_refused(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "13", by_sender=True), hub_id="a")
    pages.keep_status(POST, a_reply(0, "13", by_sender=True))
    pages.send(a_reply(1, "16"), "refused", status=422, code="status-not-allowed")


def a_wrong_packet_accepted(pages: Pages) -> None:
    pages.send(a_post(1, expect="packet-refused/name-characters"), hub_id="a")


def a_wrong_packet_delivered(pages: Pages) -> None:
    post = a_post(1, expect="packet-refused/name-characters")
    pages.send(post, "none")
    pages.keep(post, HAIPHONG)


def a_conflict_accepted(pages: Pages) -> None:
    arrived(pages)
    second = a_post(2, HAIPHONG, document_id=POST.document_id, number="9", expect="document-conflict")
    pages.send(second, hub_id="b")


def a_taken_number_accepted(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_post(2, HAIPHONG, number="01", expect="number-taken"), hub_id="b")


def a_wrong_status_accepted(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "07", expect="status-code-unknown"), hub_id="a")


def another_refusal(pages: Pages) -> None:
    pages.send(
        a_post(1, expect="packet-refused/name-characters"), "refused", status=422, code="packet-refused/name-long"
    )


def another_refusal_of_a_status(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "07", expect="status-code-unknown"), "refused", status=422, code="status-not-allowed")


def a_late_answer(pages: Pages) -> None:
    pages.send(POST, seconds=12.0, **promised(POST))
    pages.keep(POST, HAIPHONG)


def an_answer_nobody_waited_for(pages: Pages) -> None:
    """The sender's patience ends where lateness begins."""
    pages.send(POST, "none", seconds=10.0)


def a_late_delivery(pages: Pages) -> None:
    sent(pages)
    pages.at = 3600.0
    pages.keep(POST, HAIPHONG)


def withdrawn_and_kept(pages: Pages) -> None:
    arrived(pages)
    pages.tell(POST, HAIPHONG, "withdrawn")


def expired_and_confirmed(pages: Pages) -> None:
    arrived(pages)
    pages.tell(POST, HAIPHONG, "expired")


def two_hub_ids(pages: Pages) -> None:
    arrived(pages)
    pages.send(POST, "repeated", hub_id="another")


def two_hub_ids_of_a_status(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.send(a_reply(0, "01"), "repeated", hub_id="b")
    pages.keep_status(POST, a_reply(0, "01"))


WRONG: list[tuple[str, Story]] = [
    ("lost", one_of_three_is_lost), ("lost", told_delivered_and_never_came),
    ("doubled", two_ids), ("doubled", two_promises), ("doubled", listed_after_done),
    ("unacknowledged-twice", twice_and_never_acknowledged),
    ("misrouted", at_another_system), ("misrouted", for_an_agency_not_addressed), ("misrouted", what_nobody_sent),
    ("misrouted", a_status_at_another_system),
    ("corrupt", one_byte_changed), ("corrupt", one_byte_changed_and_little_known),
    ("corrupt", the_list_says_another_digest), ("corrupt", a_status_changed),
    ("status-lost", a_status_lost), ("status-lost", a_status_not_in_the_outbox),
    ("status-doubled", a_status_twice), ("status-doubled", a_status_listed_after_done),
    ("disorder", the_second_status_first),
    ("wrongly-refused", a_right_packet_refused), ("wrongly-refused", a_conflict_with_nothing),
    ("wrongly-refused", a_right_status_refused), ("wrongly-refused", an_answer_to_a_request_refused),
    ("wrongly-accepted", a_wrong_packet_accepted), ("wrongly-accepted", a_wrong_packet_delivered),
    ("wrongly-accepted", a_conflict_accepted), ("wrongly-accepted", a_taken_number_accepted),
    ("wrongly-accepted", a_wrong_status_accepted),
    ("wrong-code", another_refusal), ("wrong-code", another_refusal_of_a_status),
    ("late", a_late_answer), ("late", an_answer_nobody_waited_for), ("late", a_late_delivery),
    ("contradiction", withdrawn_and_kept), ("contradiction", expired_and_confirmed), ("contradiction", two_hub_ids),
    ("contradiction", two_hub_ids_of_a_status),
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


@pytest.mark.parametrize(
    ("expected", "code", "fitting"),
    [
        ("number-taken", "number-taken", True),
        ("packet-refused", "packet-refused/name-long", True),
        ("packet-refused/name-long", "packet-refused/name-characters,name-long", True),
        ("packet-refused/name-long", "name-long", True),
        ("packet-refused/name-long", "packet-refused", False),
        ("packet-refused/name-long", "packet-refused/name-longer", False),
        ("number-taken", "number-taken-elsewhere", False),
    ],
)
def test_a_refusal_is_compared_by_code_and_rule(expected: str, code: str, fitting: bool) -> None:
    assert fits(expected, code) is fitting
