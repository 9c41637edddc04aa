"""Documents with PDF files, sent to a hub at a time at which these are signed already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from builders.axis import Axis, Clock
from builders.judged import AT, the_authority

from hub.domain.document import Attachment, ManifestEntry
from hub.exchange import trust


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
