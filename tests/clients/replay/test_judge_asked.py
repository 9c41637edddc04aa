"""The judge, where something is asked about a document: taken back (13), revoked, updated or replaced (kinds 1-3).

What ends unseen by that, or by an answer, is exactly what exchange rules 6 say.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from builders.books import ANGIANG, HAIPHONG, NORTH, POST, Pages, a_post, a_reply, arrived, asking, blamed, cut, sent

from hub.domain.document import Kind

Story = Callable[[Pages], None]


def lost_and_asked_back_in_vain(pages: Pages) -> None:
    """The request was refused for now, and nobody was told of a withdrawal."""
    sent(pages)
    mark = pages.send(a_reply(0, "13", by_sender=True), "later", status=503, code="busy")
    pages.write("injected", "refuse", mark, where="hub", at=0.0)


def lost_and_asked_back_and_nobody_told(pages: Pages) -> None:
    sent(pages)
    pages.send(a_reply(0, "13", by_sender=True), hub_id="a")


def lost_and_the_answer_to_a_13_lost_and_nobody_told(pages: Pages) -> None:
    sent(pages)
    mark = pages.send(a_reply(0, "13", by_sender=True), "none")
    pages.write("injected", "cut-answer", mark, where="network", at=0.0)


def lost_and_revoked_and_nobody_told(pages: Pages) -> None:
    revocation = asking(2, Kind.REVOCATION)
    sent(pages, POST, revocation)
    pages.keep(revocation, HAIPHONG)


def a_replacement_lost_whose_original_was_reported_on(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "01"))
    pages.fetch_in_vain()
    sent(pages, asking(2))


def lost_and_its_replacement_reported_on(pages: Pages) -> None:
    replacement = asking(2)
    pages.fetch_in_vain()
    sent(pages, POST, replacement)
    pages.keep(replacement, HAIPHONG)
    pages.send(a_reply(0, "01", n=2), hub_id="a")
    pages.keep_status(replacement, a_reply(0, "01", n=2))


def lost_and_its_replacement_answered(pages: Pages, **values: str) -> None:
    """Every fetch got its answer: none of the original can be behind it."""
    post, replacement = a_post(1, **values), asking(2, **values)
    sent(pages, post, replacement)
    pages.keep(replacement, HAIPHONG)
    pages.send(a_reply(0, "15", n=2), hub_id="a")
    pages.keep_status(replacement, a_reply(0, "15", n=2))


def lost_and_its_replacement_answered_and_little_told(pages: Pages) -> None:
    lost_and_its_replacement_answered(pages, sender=ANGIANG)


def a_second_update_lost_after_the_first_was_answered(pages: Pages) -> None:
    arrived(pages)
    pages.fetch_in_vain()
    first, answer = asking(2, Kind.UPDATE), a_reply(0, "15", n=2)
    sent(pages, first)
    pages.keep(first, HAIPHONG)
    sent(pages, asking(3, Kind.UPDATE))
    pages.send(answer, hub_id="a")
    pages.keep_status(first, answer)


def a_replacement_lost_after_all_was_answered(pages: Pages) -> None:
    """What was answered before it was sent ended something else."""
    arrived(pages)
    pages.fetch_in_vain()
    ask, answer = a_reply(0, "13", by_sender=True), a_reply(1, "16")
    for k, reply in enumerate((ask, answer)):
        pages.send(reply, hub_id=str(k))
        pages.keep_status(POST, reply)
    sent(pages, asking(2))


def a_revocation_lost_of_what_arrived(pages: Pages) -> None:
    post, revocation = a_post(1, sender=ANGIANG), asking(2, Kind.REVOCATION, sender=ANGIANG)
    sent(pages, post)
    pages.keep(post, HAIPHONG)
    sent(pages, revocation)


def lost_and_a_status_of_the_same_matter_refused(pages: Pages) -> None:
    replacement, answer = asking(2), a_reply(0, "01", n=2)
    sent(pages, POST, replacement)
    pages.keep(replacement, HAIPHONG)
    mark = pages.send(answer, "refused", status=400, code="body-incomplete")
    pages.write("injected", "wrong-length", mark, where="network", at=0.0)


def a_status_on_a_replacement_lost(pages: Pages) -> None:
    """That on the original came."""
    replacement = asking(2)
    arrived(pages)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "01"))
    sent(pages, replacement)
    pages.keep(replacement, HAIPHONG)
    pages.send(a_reply(0, "01", n=2), hub_id="b")


def a_status_lost_after_an_update_was_agreed_to(pages: Pages) -> None:
    update, answer = asking(2, Kind.UPDATE), a_reply(0, "15", n=2)
    arrived(pages)
    sent(pages, update)
    pages.keep(update, HAIPHONG)
    pages.send(answer, hub_id="b")
    pages.keep_status(update, answer)
    pages.send(a_reply(0, "03"), hub_id="a")


def a_13_lost_and_an_update_answered(pages: Pages) -> None:
    update, answer = asking(2, Kind.UPDATE), a_reply(0, "16", n=2)
    arrived(pages)
    pages.fetch_in_vain()
    pages.send(a_reply(0, "13", by_sender=True), hub_id="a")
    sent(pages, update)
    pages.keep(update, HAIPHONG)
    pages.send(answer, hub_id="b")
    pages.keep_status(update, answer)


def a_13_lost_and_answered_by_who_fetched_nothing_in_vain(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "13", by_sender=True), hub_id="a")
    pages.send(a_reply(1, "16"), hub_id="b")
    pages.keep_status(POST, a_reply(1, "16"))


# Honest ones.


def taken_back_unseen(pages: Pages) -> None:
    sent(pages)
    pages.send(a_reply(0, "13", by_sender=True), hub_id="r")
    pages.tell(POST, HAIPHONG, "withdrawn")


def taken_back_by_who_is_told_little(pages: Pages) -> None:
    post = a_post(1, HAIPHONG, sender=ANGIANG)
    pages.send(post, hub_id="a")
    cut(pages, pages.send(a_reply(0, "13", by_sender=True), "none"))


def taken_back_by_its_id_in_one_of_two_years(pages: Pages) -> None:
    second = a_post(2, HAIPHONG, document_id=POST.document_id, number="1", day=date(2020, 1, 2))
    sent(pages, POST, second)
    pages.keep(POST, HAIPHONG)
    pages.send(a_reply(0, "13", n=2, by_sender=True), hub_id="r")
    pages.tell(second, HAIPHONG, "withdrawn", delivery="", n=2)


def revoked_unseen(pages: Pages) -> None:
    revocation = a_post(2, HAIPHONG, kind=Kind.REVOCATION, target=1)
    sent(pages, POST, revocation)
    pages.keep(revocation, HAIPHONG)
    pages.tell(POST, HAIPHONG, "withdrawn")


def revoked_unseen_by_who_is_told_little(pages: Pages) -> None:
    post = a_post(1, HAIPHONG, sender=ANGIANG)
    revocation = a_post(2, HAIPHONG, sender=ANGIANG, kind=Kind.REVOCATION, target=1)
    pages.send(post, hub_id="a")
    pages.send(revocation, hub_id="b")
    pages.keep(revocation, HAIPHONG)


def revoked_unseen_with_the_revocation_by_who_is_told_little(pages: Pages) -> None:
    """The recipient sees neither."""
    pages.send(a_post(1, HAIPHONG, sender=ANGIANG), hub_id="a")
    pages.send(asking(2, Kind.REVOCATION, sender=ANGIANG), hub_id="b")


def a_cut_fetch_and_an_answer_to_the_replacement(pages: Pages) -> None:
    """The hub handed the original out, its answer was cut, and the 15 ended it: it is not listed again."""
    replacement, answer = asking(2), a_reply(0, "15", n=2)
    sent(pages, POST, replacement)
    pages.fetch_in_vain()
    pages.keep(replacement, HAIPHONG)
    pages.send(answer, hub_id="a")
    pages.keep_status(replacement, answer)


def forgotten_once_fetched_and_an_answer_to_the_replacement(pages: Pages) -> None:
    replacement, answer = asking(2), a_reply(0, "15", n=2)
    sent(pages, POST, replacement)
    pages.write("injected", "dies", "f1", where="agency", at=0.0)
    pages.keep(replacement, HAIPHONG)
    pages.send(answer, hub_id="a")
    pages.keep_status(replacement, answer)


def a_cut_fetch_of_the_replacement_and_an_answer_that_names_the_original(pages: Pages) -> None:
    """It names the original, and answers the newest that asks about it."""
    arrived(pages)
    sent(pages, asking(2))
    pages.fetch_in_vain()
    pages.send(a_reply(0, "16"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "16"))


def a_cut_fetch_and_a_status_on_the_update_with_the_same_id(pages: Pages) -> None:
    """Software repeats the id of what it acts on; a status is about every packet with the id."""
    update, status = asking(2, Kind.UPDATE, document_id=POST.document_id), a_reply(0, "01", n=2)
    sent(pages, POST, update)
    pages.fetch_in_vain()
    pages.keep(update, HAIPHONG)
    pages.send(status, hub_id="a")
    pages.keep_status(update, status)


def a_cut_fetch_of_the_request_and_its_answer(pages: Pages) -> None:
    arrived(pages)
    answer = a_reply(1, "16")
    pages.send(a_reply(0, "13", by_sender=True), hub_id="a")
    pages.fetch_in_vain()
    pages.send(answer, hub_id="b")
    pages.keep_status(POST, answer)


def a_status_after_the_replacement_was_agreed_to(pages: Pages) -> None:
    """What is replaced is at its end: the status is only recorded."""
    replacement, answer = asking(2), a_reply(0, "15", n=2)
    arrived(pages)
    sent(pages, replacement)
    pages.keep(replacement, HAIPHONG)
    pages.send(answer, hub_id="a")
    pages.keep_status(replacement, answer)
    pages.send(a_reply(0, "03"), hub_id="b")


def asked_back_and_agreed(pages: Pages) -> None:
    arrived(pages)
    ask, answer = a_reply(0, "13", by_sender=True), a_reply(1, "15")
    pages.send(ask, hub_id="a")
    pages.keep_status(POST, ask)
    pages.send(answer, hub_id="b")
    pages.keep_status(POST, answer)


def asked_back_after_the_refusal(pages: Pages) -> None:
    """13 and 02 at one moment: whichever comes second is refused."""
    arrived(pages)
    pages.send(a_reply(0, "02"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "02"))
    pages.send(a_reply(1, "13", by_sender=True), "refused", status=422, code="status-not-allowed")


def asked_back_after_the_revocation(pages: Pages) -> None:
    sent(pages, POST, asking(2, Kind.REVOCATION))
    for n in (1, 2):
        pages.tell(a_post(n), HAIPHONG, "withdrawn")
    pages.send(a_reply(0, "13", by_sender=True), "refused", status=422, code="delivery-final")


def revoked_again_after_the_first_was_agreed_to(pages: Pages) -> None:
    """The first unseen at one recipient, and with a 15 at the other."""
    post, first, answer = a_post(1, HAIPHONG, NORTH), asking(2, Kind.REVOCATION, HAIPHONG, NORTH), a_reply(0, "15", n=2)
    sent(pages, post)
    pages.keep(post, HAIPHONG)
    sent(pages, first)
    pages.keep(first, HAIPHONG)
    for n in (1, 2):
        pages.tell(a_post(n), NORTH, "withdrawn")
    pages.send(answer, hub_id="a")
    pages.keep_status(first, answer)
    pages.send(asking(3, Kind.REVOCATION, HAIPHONG, NORTH), "refused", status=409, code="already-revoked")


def revoked_again_before_the_first_was_answered(pages: Pages) -> None:
    """The recording says that it was refused; here the recipient was slower."""
    arrived(pages)
    first, second = asking(2, Kind.REVOCATION), asking(3, Kind.REVOCATION, expect="already-revoked")
    sent(pages, first, second)
    for post in (first, second):
        pages.keep(post, HAIPHONG)


def agreed_with_nothing_open(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "15"), "refused", status=422, code="status-not-allowed")


WRONG: list[tuple[str, Story]] = [
    ("lost", lost_and_asked_back_in_vain), ("lost", lost_and_asked_back_and_nobody_told),
    ("lost", lost_and_the_answer_to_a_13_lost_and_nobody_told), ("lost", lost_and_revoked_and_nobody_told),
    ("lost", a_replacement_lost_whose_original_was_reported_on), ("lost", lost_and_its_replacement_reported_on),
    ("lost", lost_and_its_replacement_answered), ("lost", lost_and_its_replacement_answered_and_little_told),
    ("lost", a_second_update_lost_after_the_first_was_answered), ("lost", a_replacement_lost_after_all_was_answered),
    ("lost", a_revocation_lost_of_what_arrived), ("lost", lost_and_a_status_of_the_same_matter_refused),
    ("status-lost", a_status_on_a_replacement_lost), ("status-lost", a_status_lost_after_an_update_was_agreed_to),
    ("status-lost", a_13_lost_and_an_update_answered),
    ("status-lost", a_13_lost_and_answered_by_who_fetched_nothing_in_vain),
]  # fmt: skip
RIGHT: list[Story] = [
    taken_back_unseen, taken_back_by_who_is_told_little, taken_back_by_its_id_in_one_of_two_years, revoked_unseen,
    revoked_unseen_by_who_is_told_little, revoked_unseen_with_the_revocation_by_who_is_told_little,
    a_cut_fetch_and_an_answer_to_the_replacement, forgotten_once_fetched_and_an_answer_to_the_replacement,
    a_cut_fetch_of_the_replacement_and_an_answer_that_names_the_original,
    a_cut_fetch_and_a_status_on_the_update_with_the_same_id, a_cut_fetch_of_the_request_and_its_answer,
    a_status_after_the_replacement_was_agreed_to, asked_back_and_agreed, asked_back_after_the_refusal,
    asked_back_after_the_revocation, revoked_again_after_the_first_was_agreed_to,
    revoked_again_before_the_first_was_answered, agreed_with_nothing_open,
]  # fmt: skip


@pytest.mark.parametrize(("kind", "story"), WRONG, ids=lambda value: getattr(value, "__name__", value))
def test_a_hub_that_is_wrong_is_blamed_for_that_alone(kind: str, story: Story, tmp_path: Path) -> None:
    pages = Pages()
    story(pages)
    verdict = pages.judged(tmp_path / "ledger.db")
    assert blamed(verdict) == {kind: 1}
    assert not verdict.passed


@pytest.mark.parametrize("story", RIGHT, ids=lambda story: story.__name__)
def test_an_honest_hub_is_not_blamed(story: Story, tmp_path: Path) -> None:
    pages = Pages()
    story(pages)
    verdict = pages.judged(tmp_path / "ledger.db")
    assert blamed(verdict) == {}
    assert verdict.passed
