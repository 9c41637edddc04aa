"""Signatures of what was accepted are examined afterwards, once, and what was found can be found again."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.judged import AT, the_authority
from builders.pdfs import by_both, text_changed, typeset
from builders.reports import office_and_province
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import update
from structlog.testing import capture_logs

from hub.domain.document import Attachment, ManifestEntry
from hub.exchange import trust
from hub.exchange.inspection import Inspector, LostError
from hub.pdf import Examiner, Limits
from hub.store import examination_tables as et
from hub.store import examinations
from hub.store import tables as t
from hub.store.engine import reading, writing

LATER = AT + timedelta(hours=1)


def a_file(content: bytes, name: str = "cong-van.pdf", media: str = "application/pdf") -> dict[str, Any]:
    """The parts of a document that has this file."""
    return {
        "manifest": (ManifestEntry("tep-1", media, name, "Công văn"),),
        "attachments": (Attachment("tep-1", name, content, content, media, "Công văn"),),
    }


def found(axis: Axis, sent: dict[str, Any]) -> dict[int, Any]:
    """The examinations of a document by part."""
    with reading(axis.desk.engine) as connection:
        return {row["part"]: row for row in examinations.of_document(connection, sent["id"])}


def at_the_time(axis: Axis) -> Peer:
    """The office, at a time at which the PDF files are signed already."""
    office, _ = office_and_province(axis)
    axis.clock.pass_(seconds=(LATER - axis.clock()).total_seconds())
    return office


def trusting(axis: Axis) -> None:
    authority = the_authority()
    for role, holder in (("root", authority.root), ("intermediate", authority.intermediate)):
        axis.desk.writer.run(trust.add, trust.Additions((holder.certificate,), role))


def test_each_pdf_file_of_an_accepted_document_gets_its_verdict(axis: Axis) -> None:
    office = at_the_time(axis)
    trusting(axis)
    good, bad, bare = (office.send("H41", **a_file(pdf)) for pdf in (by_both(), text_changed(by_both()), typeset()))
    plain = office.send("H41", **a_file("Kính gửi".encode(), "thu.txt", "text/plain"))
    axis.inspect()
    verdicts = [found(axis, sent)[1]["verdict"] for sent in (good, bad, bare)]
    assert verdicts == ["INDETERMINATE_REVOCATION", "MODIFIED", "MISSING_LEADER"]
    assert 1 not in found(axis, plain)


def test_what_a_verdict_was_reached_from_is_kept_once(axis: Axis) -> None:
    office = at_the_time(axis)
    trusting(axis)
    sent = [office.send("H41", **a_file(by_both())) for _ in range(2)]
    axis.inspect()
    first, second = (found(axis, each)[1]["detail"] for each in sent)
    assert first["signatures"][0]["path"] == second["signatures"][0]["path"]
    named = set(first["signatures"][0]["path"])
    with reading(axis.desk.engine) as connection:
        kept = examinations.material(connection, named)
    assert {hashlib.sha256(der).hexdigest() for der in kept.values()} == named
    assert the_authority().root.certificate.public_bytes(Encoding.DER) in kept.values()


def test_with_a_root_the_packet_s_own_certificate_is_judged_at_the_time_it_came(axis: Axis) -> None:
    office = at_the_time(axis)
    before = office.send("H41")
    axis.inspect()
    assert 0 not in found(axis, before), "without a root a certificate counts because it was registered"
    trusting(axis)
    sent = office.send("H41")
    axis.inspect()
    assert found(axis, sent)[0]["verdict"] == "UNTRUSTED_CHAIN"
    assert found(axis, sent)[0]["detail"]["at"] == axis.clock().isoformat()


def test_a_file_that_breaks_the_examiner_is_told_and_the_others_are_examined(axis: Axis) -> None:
    office = at_the_time(axis)
    slow = office.send("H41", **a_file(b"%PDF-1.7\n" + b"1 0 obj<<" * 200_000))
    good = office.send("H41", **a_file(by_both()))

    async def work() -> None:
        async with Examiner(Limits(seconds=5.0, cpu_seconds=3, memory=400 << 20)) as examiner:
            await Inspector(axis.desk, examiner).once()

    with capture_logs():
        asyncio.run(work())
    assert found(axis, slow)[1]["verdict"] == "UNEXAMINED"
    assert found(axis, slow)[1]["detail"]["vi"].startswith("Không xem xét được chữ ký")
    assert found(axis, good)[1]["verdict"] == "UNTRUSTED_CHAIN"


def test_a_packet_that_cannot_be_opened_does_not_stop_the_next(axis: Axis) -> None:
    office = at_the_time(axis)
    broken = office.send("H41", **a_file(by_both()))
    next_one = office.send("H41", **a_file(by_both()))
    with writing(axis.desk.engine) as connection:
        c = t.packet.c
        connection.execute(update(t.packet).where(c.document_id == broken["id"]).values(body=b"<.pdf"))
    with capture_logs() as logs:
        axis.inspect()
    assert found(axis, broken) == {}
    assert found(axis, next_one)[1]["verdict"] == "UNTRUSTED_CHAIN"
    assert [line["document"] for line in logs if line["event"] == "inspection-fault"] == [broken["id"]]


def test_one_process_has_the_turn_and_another_takes_over_when_it_is_gone(axis: Axis) -> None:
    office = at_the_time(axis)
    sent = office.send("H41", **a_file(by_both()))

    async def work() -> list[int]:
        async with Examiner() as examiner:
            gone, other = Inspector(axis.desk, examiner), Inspector(axis.desk, examiner)
            gone._claimed()  # and dies
            counts = [await other.once()]
            axis.clock.pass_(seconds=61)
            counts.append(await other.once())
            return counts

    assert asyncio.run(work()) == [0, 1]
    assert found(axis, sent)[1]["verdict"] == "UNTRUSTED_CHAIN"


def test_who_lost_the_turn_writes_nothing(axis: Axis) -> None:
    office = at_the_time(axis)
    sent = office.send("H41", **a_file(by_both()))

    async def work() -> int:
        async with Examiner() as examiner:
            slow = Inspector(axis.desk, examiner)
            place, after, accepted = slow._claimed()
            with writing(axis.desk.engine) as connection:
                connection.execute(update(et.examined).values(holder="another"))
            slow._write(place, after, [], {})
            with pytest.raises(LostError):
                await slow._inspect(accepted[0], place, {})
            return await slow.once()

    assert asyncio.run(work()) == 0
    assert found(axis, sent) == {}
