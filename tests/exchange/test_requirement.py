"""Where it is required, PDF files are examined before acceptance, and the packet is refused with the verdict."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders.api import with_recipients
from builders.axis import Axis, Peer
from builders.examined import after_signing, trusting, with_files
from builders.judged import AT, the_authority
from builders.pdfs import by_both, by_the_agency_first, endless, signed, text_changed, typeset, written
from builders.reports import delivered, office_and_province
from structlog.testing import capture_logs

from hub.domain.search import Query
from hub.errors import Refusal
from hub.exchange.requirement import Requirement
from hub.pdf import Limits
from hub.store import log
from hub.store.engine import reading

HOUR = timedelta(hours=1)


@pytest.fixture
def required(axis: Axis) -> Iterator[Requirement]:
    """The hub's policy is ``require``, the authority known, and the files signed already."""
    after_signing(axis.clock)
    trusting(axis)
    with Requirement(axis.desk.engine, axis.desk.checkers, by_default=True, count=1) as requirement:
        axis.desk.checkers = requirement
        yield requirement


def by_the_agency(pdf: bytes) -> bytes:
    return signed(pdf, the_authority().agency, AT + HOUR, field="agency")


def by_the_leader(pdf: bytes) -> bytes:
    return signed(pdf, the_authority().leader)


def hand_in(office: Peer, *files: bytes, **changes: Any) -> dict[str, Any]:
    accepted = office.hand_in(office.packet(office.draft("H41", **with_files(*files, **changes))))
    return accepted.body


def refused(office: Peer, *files: bytes) -> list[str]:
    """The verdicts that the packet is refused with, each of its file."""
    with pytest.raises(Refusal) as caught:
        hand_in(office, *files)
    assert caught.value.code == "attachment-signature"
    found = caught.value.violations
    assert all(v.rule == "attachment-signature" and v.repair and f"«{v.value}»" in v.vi for v in found)
    return [f"{v.pointer} {v.vi.split(': ')[0].split(', ')[-1]}" for v in found]


FILE = "AttachmentEncoded/Attachment[{}]/AttachmentName {}".format


def test_a_file_signed_by_the_leader_and_by_the_agency_over_it_is_accepted(required: Requirement, axis: Axis) -> None:
    office, _ = office_and_province(axis)
    assert hand_in(office, by_both())["id"]


@pytest.mark.parametrize(
    ("pdf", "verdict"),
    [
        (typeset(), "MISSING_LEADER"),
        (by_the_leader(written()), "MISSING_AGENCY"),
        (by_the_agency(written()), "MISSING_LEADER"),
        (text_changed(by_both()), "MODIFIED"),
        (by_the_agency_first(), "INDETERMINATE_REVOCATION"),
        (b"Xin chao", "UNEXAMINED"),
        (typeset(password="mat khau"), "UNEXAMINED"),
    ],
    ids=["unsigned", "leader", "agency", "changed", "agency-first", "no-pdf", "encrypted"],
)
def test_any_other_is_refused_with_its_verdict(required: Requirement, axis: Axis, pdf: bytes, verdict: str) -> None:
    office, province = office_and_province(axis)
    assert refused(office, pdf) == [FILE(1, verdict)]
    assert province.waiting() == []
    with reading(axis.desk.engine) as connection:
        (row,) = log.refusals(connection, Query(), 10)
    assert row["code"] == "attachment-signature"


def test_the_refusal_says_what_is_wrong_and_how_to_repair_it_in_both_languages(
    required: Requirement, axis: Axis
) -> None:
    office, _ = office_and_province(axis)
    with pytest.raises(Refusal) as caught:
        hand_in(office, by_the_agency_first())
    (told,) = caught.value.violations
    assert "Cơ quan ký trước người có thẩm quyền" in told.vi
    assert "The agency signed before the leader" in told.en
    assert "Người có thẩm quyền ký trước" in told.repair
    assert "the leader signs first" in told.repair


def test_an_annex_is_signed_by_the_agency_at_least_and_beside_a_document_only(
    required: Requirement, axis: Axis
) -> None:
    office, _ = office_and_province(axis)
    annex = by_the_agency(typeset("Phu luc"))
    assert hand_in(office, annex, by_both())["id"]
    assert refused(office, annex, annex) == [FILE(1, "MISSING_LEADER"), FILE(2, "MISSING_LEADER")]
    assert refused(office, by_both(), typeset()) == [FILE(2, "MISSING_LEADER")]
    assert refused(office, by_both(), by_the_leader(written())) == [FILE(2, "MISSING_AGENCY")]


def test_a_packet_without_a_pdf_file_has_nothing_to_examine(required: Requirement, axis: Axis) -> None:
    office, _ = office_and_province(axis)
    assert hand_in(office, b"Xin chao", name="{}.txt")["id"]


def test_an_authority_that_the_hub_does_not_trust_is_not_enough(axis: Axis) -> None:
    after_signing(axis.clock)
    office, _ = office_and_province(axis)
    with Requirement(axis.desk.engine, axis.desk.checkers, by_default=True, count=1) as requirement:
        axis.desk.checkers = requirement
        assert refused(office, by_both()) == [FILE(1, "UNTRUSTED_CHAIN")]


@pytest.mark.parametrize("by_default", [False, True])
def test_a_system_s_own_policy_goes_before_the_hub_s(axis: Axis, by_default: bool) -> None:
    axis.enrol("H41")
    own = "report" if by_default else "require"
    office, other = axis.enrol("G22", pdf_policy=own), axis.enrol("H27")
    with Requirement(axis.desk.engine, axis.desk.checkers, by_default=by_default, count=1) as requirement:
        axis.desk.checkers = requirement
        free, bound = (office, other) if by_default else (other, office)
        assert hand_in(free, typeset())["id"]
        assert refused(bound, typeset()) == [FILE(1, "MISSING_LEADER")]
        for action, to in (("pdf-report", bound), ("pdf-require", free)):
            axis.steer(to.code, action)
        assert hand_in(bound, typeset())["id"]
        assert refused(free, typeset()) == [FILE(1, "MISSING_LEADER")]
        axis.steer(bound.code, "pdf-as-hub")
        if by_default:
            assert refused(bound, typeset()) == [FILE(1, "MISSING_LEADER")]
        else:
            assert hand_in(bound, typeset())["id"]


def test_a_packet_that_was_accepted_before_is_answered_as_before(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    document = office.draft("H41", **with_files(typeset()))
    first = office.hand_in(office.packet(document))
    with Requirement(axis.desk.engine, axis.desk.checkers, by_default=True, count=1) as requirement:
        axis.desk.checkers = requirement
        again = office.hand_in(office.packet(document))
        assert (again.new, again.body) == (False, first.body)
        changed = replace(document, subject="Việc khác")
        with pytest.raises(Refusal, match=r"^document-conflict"):
            office.hand_in(office.packet(changed))


def test_a_repeat_for_more_recipients_is_examined_before_they_get_it(axis: Axis) -> None:
    office, _ = office_and_province(axis)
    other = axis.enrol("H27")
    document = office.draft("H41", **with_files(typeset()))
    office.hand_in(office.packet(document))
    with Requirement(axis.desk.engine, axis.desk.checkers, by_default=True, count=1) as requirement:
        axis.desk.checkers = requirement
        with pytest.raises(Refusal, match=r"^attachment-signature"):
            office.hand_in(office.packet(with_recipients(document, "H41", "H27")))
    assert other.waiting() == []


def test_every_cheaper_check_comes_first_and_what_cannot_be_examined_now_may_come_again(
    required: Requirement, axis: Axis, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _ = office_and_province(axis)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")  # no process can be started
    for broken, code in (({"subject": ""}, "packet-refused"), ({}, "busy")):
        with pytest.raises(Refusal, match=rf"^{code}"):
            office.hand_in(office.packet(office.draft("H41", **with_files(by_both()), **broken)))


def test_validation_foresees_it_and_statuses_are_not_concerned(required: Requirement, axis: Axis) -> None:
    office, province = office_and_province(axis)
    document, _ = delivered(office, province)
    system = axis.desk.rosters.current(now=True).systems[office.system_id]
    packet = office.packet(office.draft("H41", **with_files(typeset())))
    with pytest.raises(Refusal, match=r"^attachment-signature"):
        asyncio.run(axis.desk.validate(packet, system))
    assert province.report("01", document)["status"] == "01"


def test_a_hostile_file_is_refused_within_its_time_and_others_are_accepted(axis: Axis) -> None:
    after_signing(axis.clock)
    trusting(axis)
    office, other = axis.enrol("G22"), axis.enrol("H27")
    axis.enrol("H41")
    limits = Limits(seconds=1.5)
    with (
        Requirement(axis.desk.engine, axis.desk.checkers, by_default=True, count=1, limits=limits) as requirement,
        capture_logs(),
    ):
        axis.desk.checkers = requirement

        async def at_once() -> list[Any]:
            packets = [
                *((office, office.packet(office.draft("H41", **with_files(endless())))) for _ in range(3)),
                (other, other.packet(other.draft("H41", **with_files(typeset(), name="{}.txt")))),
            ]
            systems = axis.desk.rosters.current(now=True).systems
            tasks = [
                asyncio.create_task(axis.desk.accept(packet, systems[peer.system_id], "vết"))
                for peer, packet in packets
            ]
            return await asyncio.gather(*tasks, return_exceptions=True)

        found = asyncio.run(at_once())
    assert [one.code for one in found] == ["attachment-signature"] * 4
    assert ["UNEXAMINED" in one.vi for one in found] == [True] * 3 + [False]
