"""Documents with PDF files, sent to a hub at a time at which these are signed already."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from builders.axis import Axis, Clock, Peer
from builders.judged import AT, the_authority
from builders.reports import office_and_province
from sqlalchemy import func, select

from hub.domain.document import Attachment, ManifestEntry
from hub.exchange import trust
from hub.store import examinations
from hub.store.engine import reading

ANSWER = dict[str, Any]


def with_files(*contents: bytes, name: str = "cong-van-{}.pdf") -> dict[str, Any]:
    """The parts of a document that has these files."""
    names = [name.format(number) for number in range(1, len(contents) + 1)]
    return {
        "manifest": tuple(ManifestEntry(each, "application/pdf", each, "Công văn") for each in names),
        "attachments": tuple(
            Attachment(each, each, content, content, "application/pdf", "Công văn")
            for each, content in zip(names, contents, strict=True)
        ),
    }


def after_signing(clock: Clock) -> None:
    """Goes on to an hour after the leader has signed, which is when the agency does."""
    clock.pass_(seconds=(AT + timedelta(hours=1) - clock()).total_seconds())


def trusting(axis: Axis) -> None:
    """The hub knows the authority of all signers, and nothing of revocation."""
    authority = the_authority()
    for role, holder in (("root", authority.root), ("intermediate", authority.intermediate)):
        axis.desk.writer.run(trust.add, trust.Additions((holder.certificate,), role))


def rows_of(axis: Axis, sent: ANSWER) -> dict[int, Any]:
    """The examinations of a document by part."""
    with reading(axis.desk.engine) as connection:
        return {row["part"]: row for row in examinations.of_document(connection, sent["id"], None)}


def detail_of(axis: Axis, sent: ANSWER, part: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rows_of(axis, sent)[part]["detail"])
    return found


def verdicts_of(axis: Axis, *sent: ANSWER) -> list[str]:
    return [row["verdict"] for each in sent for row in rows_of(axis, each).values()]


def count(axis: Axis, *tables: Any) -> list[int]:
    with reading(axis.desk.engine) as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def place(axis: Axis) -> int:
    with reading(axis.desk.engine) as connection:
        return examinations.places(connection)[0]


def at_the_time(axis: Axis) -> Peer:
    """The office, at a time at which the PDF files are signed already."""
    office, _ = office_and_province(axis)
    after_signing(axis.clock)
    return office
