"""Documents that break no rule, and the facts they are checked against: change what the test is about.

The Government Office (G22) writes to Nghệ An (H41); both are connected. "Today" is 1 October 2025.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.data import read_agencies
from hub.domain.agency import Agency, Directory, System
from hub.domain.document import Attachment, Business, Document, ManifestEntry, Organization, StaffInfo
from hub.domain.rules import Facts

TODAY = date(2025, 10, 1)
VPCP = Organization(organ_id="000.00.00.G22", name="Văn phòng Chính phủ", email="vanthu@vpcp.example.vn")
NGHE_AN = Organization(organ_id="000.00.00.H41", name="UBND tỉnh Nghệ An")
AGENCIES = read_agencies()
CONNECTED = ("G22", "G12", "H41", "H36", "H13")
PDF = b"%PDF-1.7\n%%EOF\n"


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
    values = {"content_id": "van-ban", "content_type": "application/pdf", "octets": content} | changes
    return Attachment(name=name, content=content, **values)


def declared(file: Attachment) -> ManifestEntry:
    return ManifestEntry(file.content_id, file.content_type, file.name, file.description)


def acceptable(*files: Attachment, **changes: Any) -> Document:
    """A document without any violation, with the given files (one PDF if none) declared in its manifest."""
    attached = files or (a_file(),)
    values: dict[str, Any] = {
        "sender": VPCP,
        "recipients": (NGHE_AN,),
        "document_id": "000.00.00.G22,2025/09/30,7816/VPCP-TTĐT",
        "number": "7816",
        "symbol": "VPCP-TTĐT",
        "place": "Hà Nội",
        "promulgation_date": "2025/09/30",
        "type_name": "Công văn",
        "subject": "V/v gửi, nhận văn bản điện tử giữa các cơ quan",
        "signer": "Trần Thị Ví Dụ",
        "due_date": "2025/10/15",
        "steering_type": "1",
        "business": Business(type="0", reason="Văn bản điện tử mới", staff=(StaffInfo(staff="Lê Văn Mẫu"),)),
        "manifest": tuple(declared(file) for file in attached),
        "attachments": attached,
    }
    return Document(**(values | changes))
