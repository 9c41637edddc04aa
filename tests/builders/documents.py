"""Documents that break no rule, and the facts they are checked against: change what the test is about.

The Government Office (G22) writes to Nghệ An (H41); both are connected. "Today" is 1 October 2025.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from builders.packets import PDF, a_document, an_attachment

from hub.data import read_agencies
from hub.domain.agency import Agency, Directory, System
from hub.domain.document import Attachment, Document
from hub.domain.rules import Facts, check
from hub.errors import Severity

TODAY = date(2025, 10, 1)
AGENCIES = read_agencies()
CONNECTED = ("G22", "G12", "H41", "H36", "H13")
ERROR, WARNING = Severity.ERROR, Severity.WARNING
Found = tuple[str, Severity, str, str]


@dataclass(frozen=True)
class Sizes:
    attachment: int = 1_000
    attachments: int = 5


def a_directory(
    *more: Agency,
    connected: tuple[str, ...] = CONNECTED,
    aliases: dict[str, str] | None = None,
    systems: tuple[System, ...] = (),
) -> Directory:
    """The packaged directory and ``more``, with ``systems`` and one named after each connected code."""
    enrolled = [*(System(id=f"trục-{code}", code=code) for code in connected), *systems]
    return Directory([*AGENCIES, *more], aliases, {system.code: system for system in enrolled})


def some_facts(directory: Directory | None = None, today: date = TODAY) -> Facts:
    return Facts(directory or a_directory(), today, Sizes())


def a_file(name: str = "Công văn 7816.pdf", content: bytes = PDF, **changes: Any) -> Attachment:
    return replace(an_attachment(name, content, content_id="van-ban", description=""), **changes)


def acceptable(*files: Attachment, **changes: Any) -> Document:
    """A document without any violation, with the given files (one PDF if none) declared in its manifest."""
    values = {
        "document_id": "000.00.00.G22,2025/09/30,7816/VPCP-TTĐT",
        "number": "7816",
        "promulgation_date": "2025/09/30",
        "due_date": "2025/10/15",
        "attachments": files or (a_file(),),
    }
    return a_document(**(values | changes))


def found(document: Document) -> list[Found]:
    """Every violation of a document: rule, severity, pointer and repair."""
    return [(one.rule, one.severity, one.pointer, one.repair) for one in check(document, some_facts())]
