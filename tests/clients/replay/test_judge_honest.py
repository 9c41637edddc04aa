"""The judge, on books of honest hubs written by hand: none is blamed, whatever was lost on the way."""

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
    cut,
    promised,
    sent,
)

Story = Callable[[Pages], None]


def everything_arrives(pages: Pages) -> None:
    sent(pages, WIDE)
    for to in WIDE.recipients:
        pages.keep(WIDE, to)
        for k, code in enumerate(("01", "03", "06")):
            pages.send(a_reply(k, code, recipient=to), hub_id=f"r-{to}-{k}")
            pages.keep_status(WIDE, a_reply(k, code, recipient=to))


def lost_answer_and_never_accepted(pages: Pages) -> None:
    cut(pages, pages.send(POST, "none"))


def refused_for_now_while_the_hub_starts_again(pages: Pages) -> None:
    pages.send(POST, "none")
    pages.send(POST, "later", status=503, code="busy")
    pages.write("injected", "death", "", where="hub", at=0.0)


def lost_answers_and_delivered_to_some(pages: Pages) -> None:
    pages.send(WIDE, "none")
    pages.send(WIDE, "later", status=503, code="busy")
    pages.keep(WIDE, NORTH)


def the_harness_died_before_the_answer(pages: Pages) -> None:
    pages.facts.pop("ended")
    pages.begin(POST)
    pages.keep(POST, HAIPHONG, done=False)


def a_lost_answer_is_asked_for_again(pages: Pages) -> None:
    pages.send(POST, "none")
    pages.send(POST, "repeated", **promised(POST))
    pages.keep(POST, HAIPHONG)


def the_same_packet_twice(pages: Pages) -> None:
    arrived(pages)
    twin = a_post(2, HAIPHONG, repeats=1, document_id=POST.document_id, number=POST.number)
    pages.send(twin, "repeated", **promised(twin))


def a_rebuilt_packet_with_one_recipient_more(pages: Pages) -> None:
    arrived(pages)
    rebuilt = a_post(2, HAIPHONG, NORTH, document_id=POST.document_id, number=POST.number)
    pages.send(rebuilt, "repeated", hub_id="doc-1", deliveries=[("1-H24", HAIPHONG), ("2-H41.01", NORTH)])
    pages.keep(rebuilt, NORTH)


def fetched_again_before_done(pages: Pages) -> None:
    sent(pages)
    pages.keep(POST, HAIPHONG, done=False)
    pages.keep(POST, HAIPHONG)


def a_look_begun_before_done(pages: Pages) -> None:
    """Two looks at once: the second had listed what the first has confirmed meanwhile."""
    sent(pages)
    pages.keep(POST, HAIPHONG, listed=1)
    pages.keep(POST, HAIPHONG, listed=2)


def expired_and_told(pages: Pages) -> None:
    sent(pages)
    pages.tell(POST, HAIPHONG, "expired")


def expired_and_kept_just_before(pages: Pages) -> None:
    sent(pages)
    pages.keep(POST, HAIPHONG, done=False)
    pages.tell(POST, HAIPHONG, "expired")


def expired_and_done_after_all(pages: Pages) -> None:
    sent(pages)
    pages.tell(POST, HAIPHONG, "expired")
    pages.keep(POST, HAIPHONG)
    pages.tell(POST, HAIPHONG, "delivered")


def expired_and_sent_again(pages: Pages) -> None:
    sent(pages)
    pages.tell(POST, HAIPHONG, "expired")
    twin = a_post(2, HAIPHONG, repeats=1, document_id=POST.document_id, number=POST.number)
    pages.send(twin, "repeated", **promised(twin))
    pages.keep(POST, HAIPHONG)


def told_by_the_hub_s_own_id(pages: Pages) -> None:
    """A gateway's sender knows no delivery ids."""
    post = a_post(1, HAIPHONG, sender=ANGIANG)
    pages.send(post, hub_id="5f0c")
    pages.tell(post, HAIPHONG, "expired", delivery="unknown", document_id="5f0c")


def told_by_an_id_of_two_years(pages: Pages) -> None:
    """Nobody knows of which: the answers that named the deliveries were lost."""
    second = a_post(2, HAIPHONG, document_id=POST.document_id, number="1", day=date(2020, 1, 2))
    pages.send(POST, hub_id="doc-1")
    pages.send(second, hub_id="doc-2")
    pages.keep(POST, HAIPHONG)
    pages.tell(second, HAIPHONG, "withdrawn")


def a_platform_is_told_of_its_agencies_documents(pages: Pages) -> None:
    post = a_post(1, HAIPHONG, sender=NORTH)
    sent(pages, post)
    pages.keep(post, HAIPHONG)
    pages.tell(post, HAIPHONG, "delivered")


def the_author_of_a_status_is_told_of_it(pages: Pages) -> None:
    """The gateway lists status packets too among what was sent."""
    post, reply = a_post(1, ANGIANG), a_reply(0, "01", recipient=ANGIANG)
    sent(pages, post)
    pages.keep(post, ANGIANG)
    pages.send(reply, hub_id="5f0c")
    pages.keep_status(post, reply, "s")
    pages.tell(post, OFFICE, "delivered", system=ANGIANG, delivery="s", document_id="5f0c")


def expired_before_somebody_who_never_looks(pages: Pages) -> None:
    pages.facts["expired"] = True
    post = a_post(1, SILENT)
    sent(pages, post)
    pages.tell(post, SILENT, "expired")


def a_listing_that_names_no_sender(pages: Pages) -> None:
    sent(pages)
    pages.keep(POST, HAIPHONG, sender="")
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "01"), sender="", code="")


def a_lower_status_is_only_recorded(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "05"), hub_id="a")
    pages.keep_status(POST, a_reply(0, "05"))
    pages.send(a_reply(1, "03"), hub_id="b")


def the_same_status_twice(pages: Pages) -> None:
    arrived(pages)
    pages.send(a_reply(0, "01"), "none")
    pages.send(a_reply(0, "01"), "repeated", hub_id="a")
    pages.keep_status(POST, a_reply(0, "01"))
    pages.send(a_reply(1, "01"), "repeated", hub_id="a")


def statuses_whose_answers_were_lost(pages: Pages) -> None:
    """Nobody knows in which order they were taken."""
    arrived(pages)
    pages.send(a_reply(0, "01"), "none")
    pages.send(a_reply(1, "03"), hub_id="b")
    pages.keep_status(POST, a_reply(1, "03"))
    pages.keep_status(POST, a_reply(0, "01"))


def a_failed_fetch_lets_the_second_status_pass(pages: Pages) -> None:
    arrived(pages)
    for k, code in enumerate(("01", "03")):
        pages.send(a_reply(k, code), hub_id=str(k))
    pages.keep_status(POST, a_reply(1, "03"), listed=2)
    pages.keep_status(POST, a_reply(0, "01"), listed=1)


def the_reader_of_the_outbox(pages: Pages) -> None:
    post = a_post(1, HAIPHONG, sender=READER)
    sent(pages, post)
    pages.keep(post, HAIPHONG)
    pages.send(a_reply(0, "01"), hub_id="a")
    pages.tell(post, HAIPHONG, "status", status="01")


def the_reader_of_the_outbox_and_a_status_said_twice(pages: Pages) -> None:
    """03, then 01, which is recorded only, then 03 with another text."""
    post = a_post(1, HAIPHONG, sender=READER)
    sent(pages, post)
    pages.keep(post, HAIPHONG)
    for k, code in enumerate(("03", "04", "03")):
        pages.send(a_reply(k, code), hub_id=str(k))
    for code in ("03", "04"):
        pages.tell(post, HAIPHONG, "status", status=code)


def a_clock_that_runs_ahead(pages: Pages) -> None:
    """A virtual one goes on for so long while a delivery is at work."""
    pages.facts["slack"] = 864.0
    sent(pages)
    pages.at = 600.0 + 864.0 + 60.0
    pages.keep(POST, HAIPHONG)


def a_wrong_packet_is_refused(pages: Pages) -> None:
    post = a_post(1, HAIPHONG, defect="special characters", expect="packet-refused/name-characters")
    pages.send(post, "none")
    pages.send(post, "refused", status=422, code="packet-refused/attachment-empty,name-characters")


def a_conflict_with_what_never_arrived(pages: Pages) -> None:
    """The first was never answered: either may be the one that was accepted."""
    pages.send(POST, "none")
    second = a_post(2, HAIPHONG, document_id=POST.document_id, number="9", expect="document-conflict")
    pages.send(second, **promised(second))
    pages.keep(second, HAIPHONG)
    pages.send(POST, "refused", status=409, code="document-conflict")


def the_same_id_in_two_years(pages: Pages) -> None:
    second = a_post(2, HAIPHONG, document_id=POST.document_id, number="1", day=date(2020, 1, 2))
    sent(pages, POST, second)
    pages.keep(POST, HAIPHONG)
    pages.keep(second, HAIPHONG)


def a_fault_spoils_the_request(pages: Pages) -> None:
    mark = pages.send(POST, "refused", status=400, code="body-incomplete", seconds=60.0)
    pages.write("injected", "wrong-length", mark, where="network", at=0.0)


def the_hub_was_dead(pages: Pages) -> None:
    pages.write("injected", "kill", "", where="hub", at=0.0)
    pages.send(POST, "none", seconds=10.0)


def one_gateway_platform_and_two_agencies(pages: Pages) -> None:
    """A dialect that does not say for whom a delivery is."""
    post = a_post(1, NORTH, SOUTH)
    pages.send(post, hub_id="5f0c")
    pages.keep(post, NORTH, "one", to="")
    pages.keep(post, SOUTH, "two", to="")


def the_long_form_of_a_code(pages: Pages) -> None:
    post = a_post(1, "000.00.00.H24", sender="000.00.00.G22", document_id="000.00.00.G22,2019-3-12,1/VPCP-TH")
    pages.send(post, hub_id="5f0c", deliveries=[("1-H24", HAIPHONG)])
    pages.keep(POST, HAIPHONG)


RIGHT: list[Story] = [
    everything_arrives, lost_answer_and_never_accepted, refused_for_now_while_the_hub_starts_again,
    lost_answers_and_delivered_to_some,
    the_harness_died_before_the_answer, a_lost_answer_is_asked_for_again, the_same_packet_twice,
    a_rebuilt_packet_with_one_recipient_more, fetched_again_before_done, a_look_begun_before_done, expired_and_told,
    expired_and_kept_just_before, expired_and_done_after_all, expired_and_sent_again, told_by_the_hub_s_own_id,
    told_by_an_id_of_two_years, a_platform_is_told_of_its_agencies_documents, the_author_of_a_status_is_told_of_it,
    expired_before_somebody_who_never_looks, a_listing_that_names_no_sender,
    the_reader_of_the_outbox_and_a_status_said_twice, a_clock_that_runs_ahead,
    a_lower_status_is_only_recorded, the_same_status_twice, statuses_whose_answers_were_lost,
    a_failed_fetch_lets_the_second_status_pass, the_reader_of_the_outbox, a_wrong_packet_is_refused,
    a_conflict_with_what_never_arrived, the_same_id_in_two_years, a_fault_spoils_the_request, the_hub_was_dead,
    one_gateway_platform_and_two_agencies, the_long_form_of_a_code,
]  # fmt: skip


@pytest.mark.parametrize("story", RIGHT, ids=lambda story: story.__name__)
def test_an_honest_hub_is_not_blamed(story: Story, tmp_path: Path) -> None:
    pages = Pages()
    story(pages)
    verdict = pages.judged(tmp_path / "ledger.db")
    assert blamed(verdict) == {}
    assert verdict.passed
