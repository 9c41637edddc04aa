"""The judge, on books written by hand in which a hub answers, or tells, what is wrong: each fault is found, alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from builders.books import HAIPHONG, NORTH, POST, Pages, a_post, a_reply, arrived, asking, blamed, promised, sent

from clients.replay.ledger.checks import fits
from hub.domain.document import Kind

Story = Callable[[Pages], None]


def a_right_packet_refused(pages: Pages) -> None:
    pages.send(POST, "refused", status=422, code="packet-refused/name-characters")


def a_conflict_with_nothing(pages: Pages) -> None:
    pages.send(POST, "refused", status=409, code="document-conflict")


def a_conflict_with_another_year(pages: Pages) -> None:
    arrived(pages)
    later = a_post(2, number=POST.number, document_id=POST.document_id, day=date(2020, 3, 12))
    pages.send(later, "refused", status=409, code="number-taken")


def a_conflict_with_the_same_number_under_another_id(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_post(2, number=POST.number), "refused", status=409, code="document-conflict")


def a_number_taken_by_an_update(pages: Pages) -> None:
    """Only new documents take numbers."""
    update = asking(2, Kind.UPDATE)
    arrived(pages)
    sent(pages, update)
    pages.keep(update, HAIPHONG)
    pages.send(a_post(3, number="2"), "refused", status=409, code="number-taken")


def already_revoked_at_one_of_two(pages: Pages) -> None:
    post, first, answer = a_post(1, HAIPHONG, NORTH), asking(2, Kind.REVOCATION, HAIPHONG, NORTH), a_reply(0, "15", n=2)
    sent(pages, post)
    for to in post.recipients:
        pages.keep(post, to)
    sent(pages, first)
    for to in post.recipients:
        pages.keep(first, to)
    pages.send(answer, hub_id="a")
    pages.keep_status(first, answer)
    pages.send(asking(3, Kind.REVOCATION, HAIPHONG, NORTH), "refused", status=409, code="already-revoked")


def a_refusal_by_the_recipient_refused_after_a_16(pages: Pages) -> None:
    arrived(pages)
    replies = (a_reply(0, "13", by_sender=True), a_reply(1, "16"))
    for k, reply in enumerate(replies):
        pages.send(reply, hub_id=str(k))
        pages.keep_status(POST, reply)
    pages.send(a_reply(2, "02"), "refused", status=422, code="status-not-allowed")


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
    pages.keep(POST, HAIPHONG)


def a_right_packet_never_taken(pages: Pages) -> None:
    for outcome in ("none", "later", "none"):
        mark = pages.send(POST, outcome)
        if outcome == "later":
            pages.write("injected", "reset", mark, where="network", at=0.0)


def a_repeat_never_answered(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_post(2, repeats=1, document_id=POST.document_id, number="1"), "later", status=503, code="busy")


def a_right_status_never_taken(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), "later", status=503, code="busy")


def never_taken_by_a_hub_that_died_long_before(pages: Pages) -> None:
    pages.write("injected", "death", "", where="hub", at=0.0)
    pages.pause(200.0)
    pages.send(POST, "none")


def refused_though_it_only_took_longer(pages: Pages) -> None:
    for n, fault in enumerate(("delay", "slow-upload", "duplicate"), 1):
        mark = pages.send(a_post(n), "refused", status=422, code="name-long")
        pages.write("injected", fault, mark, where="network", at=0.0)


def another_refusal_of_what_only_took_longer(pages: Pages) -> None:
    mark = pages.send(a_post(1, expect="number-taken"), "refused", status=422, code="name-long")
    pages.write("injected", "delay", mark, where="hub", at=0.0)


def _the_clock_jumps(pages: Pages) -> None:
    """Again and again, as where each request may bring it about."""
    for _ in range(20):
        pages.write("injected", "clock-jump", "", where="hub", at=pages.at)


def a_late_answer_beside_clock_jumps(pages: Pages) -> None:
    _the_clock_jumps(pages)
    a_late_answer(pages)
    _the_clock_jumps(pages)


def a_right_packet_never_taken_beside_clock_jumps(pages: Pages) -> None:
    _the_clock_jumps(pages)
    a_right_packet_never_taken(pages)
    _the_clock_jumps(pages)


def a_late_delivery_beside_clock_jumps(pages: Pages) -> None:
    sent(pages)
    pages.at = 1800.0
    _the_clock_jumps(pages)
    pages.at = 3600.0
    pages.keep(POST, HAIPHONG)


def a_delivery_later_than_a_clock_runs_ahead(pages: Pages) -> None:
    pages.facts["slack"] = 864.0
    sent(pages)
    pages.at = 600.0 + 864.0 + 61.0
    pages.keep(POST, HAIPHONG)


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
    ("never-taken", a_repeat_never_answered), ("never-taken", a_right_packet_never_taken),
    ("never-taken", a_right_status_never_taken),
    ("never-taken", never_taken_by_a_hub_that_died_long_before),
    ("wrongly-refused", a_right_packet_refused), ("wrongly-refused", a_conflict_with_nothing),
    ("wrongly-refused", a_conflict_with_another_year),
    ("wrongly-refused", a_conflict_with_the_same_number_under_another_id),
    ("wrongly-refused", a_number_taken_by_an_update), ("wrongly-refused", already_revoked_at_one_of_two),
    ("wrongly-refused", a_refusal_by_the_recipient_refused_after_a_16),
    ("wrongly-refused", a_right_status_refused), ("wrongly-refused", an_answer_to_a_request_refused),
    ("wrongly-accepted", a_wrong_packet_accepted), ("wrongly-accepted", a_wrong_packet_delivered),
    ("wrongly-accepted", a_conflict_accepted), ("wrongly-accepted", a_taken_number_accepted),
    ("wrongly-accepted", a_wrong_status_accepted),
    ("wrong-code", another_refusal), ("wrong-code", another_refusal_of_what_only_took_longer),
    ("wrong-code", another_refusal_of_a_status),
    ("late", a_late_answer), ("late", an_answer_nobody_waited_for), ("late", a_late_delivery),
    ("late", a_late_answer_beside_clock_jumps), ("late", a_late_delivery_beside_clock_jumps),
    ("late", a_delivery_later_than_a_clock_runs_ahead),
    ("never-taken", a_right_packet_never_taken_beside_clock_jumps),
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


def test_a_fault_that_only_takes_time_explains_no_refusal(tmp_path: Path) -> None:
    pages = Pages()
    refused_though_it_only_took_longer(pages)
    assert blamed(pages.judged(tmp_path / "ledger.db")) == {"wrongly-refused": 3}


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
