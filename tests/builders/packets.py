"""Packets as agencies send them: from the Government Office (G22) to the people's committee of Nghệ An (H41).

``a_document`` and ``a_status`` make what a packet says; ``frame`` makes packet text for what no writer would write.
The persons are invented.
"""

from __future__ import annotations

import base64
import io
import zipfile
from dataclasses import replace
from typing import Any

from hub.domain.document import (
    Attachment,
    Business,
    Document,
    DocumentRef,
    ManifestEntry,
    Organization,
    StaffInfo,
    StatusReport,
    Trace,
)
from hub.domain.edxml import QCVN

GOVERNMENT_OFFICE = Organization(
    organ_id="000.00.00.G22",
    in_charge="Chính phủ",
    name="Văn phòng Chính phủ",
    address="Số 01 Hoàng Hoa Thám, Ba Đình, Hà Nội",
    email="vanthu@vpcp.example.vn",
    telephone="024 0000 0001",
    fax="024 0000 0002",
    website="vpcp.example.vn",
)
NGHE_AN = Organization(
    organ_id="000.00.00.H41",
    in_charge="Chính phủ",
    name="Ủy ban nhân dân tỉnh Nghệ An",
    address="Số 03 Trường Thi, Vinh, Nghệ An",
    email="vanthu@nghean.example.vn",
)
DOCUMENT_ID = "000.00.00.G22,2025/01/02,15/VPCP-TTĐT"
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"


def an_attachment(
    name: str = "15-VPCP-TTĐT.pdf",
    content: bytes = PDF,
    *,
    content_id: str = "15-vpcp-ttdt",
    content_type: str = "application/pdf",
    description: str = "Công văn về kết nối, liên thông văn bản điện tử",
) -> Attachment:
    return Attachment(content_id, name, content, content, content_type, description)


def declared(attachment: Attachment) -> ManifestEntry:
    return ManifestEntry(attachment.content_id, attachment.content_type, attachment.name, attachment.description)


def a_document(**changes: Any) -> Document:
    """Công văn 15/VPCP-TTĐT of 2 January 2025; the manifest follows the attachments unless it is given."""
    attachments = changes.setdefault("attachments", (an_attachment(),))
    changes.setdefault("manifest", tuple(declared(attachment) for attachment in attachments))
    document = Document(
        sender=GOVERNMENT_OFFICE,
        recipients=(NGHE_AN,),
        document_id=DOCUMENT_ID,
        number="15",
        symbol="VPCP-TTĐT",
        place="Hà Nội",
        promulgation_date="2025/01/02",
        type="1",
        type_detail="0",
        type_name="Công văn",
        subject="V/v kết nối, liên thông văn bản điện tử năm 2025",
        content="Đề nghị báo cáo kết quả kết nối, liên thông",
        competence="KT. BỘ TRƯỞNG, CHỦ NHIỆM",
        position="Phó Chủ nhiệm",
        signer="Nguyễn Thị Hồng Thử",
        due_date="2025/02/01",
        priority="0",
        sphere="Công khai",
        typer="NVT",
        copies="2",
        pages="3",
        direction="false",
        steering_type="1",
        to_places=("Như trên", "Lưu: VT, KSTT (3b)"),
        business=Business(
            type="0",
            reason="Văn bản điện tử mới",
            paper="0",
            staff=(StaffInfo(department="Phòng Văn thư", staff="Trần Văn Mẫu", email="tvmau@vpcp.example.vn"),),
        ),
        traces=(Trace("000.00.00.G22", "2025/01/02 08:30:00"),),
    )
    return replace(document, **changes)


def a_status(**changes: Any) -> StatusReport:
    """Nghệ An's report that it received the document of :func:`a_document`."""
    report = StatusReport(
        sender=NGHE_AN,
        response_for=DocumentRef("000.00.00.G22", "15/VPCP-TTĐT", DOCUMENT_ID, "2025/01/02"),
        staff=StaffInfo(department="Phòng Hành chính", staff="Lê Thị Thí Dụ", email="ltthidu@nghean.example.vn"),
        status="03",
        description="Đã tiếp nhận",
        timestamp="2025/01/02 09:15:00",
    )
    return replace(report, **changes)


def frame(message_header: str = "", *, trace: str = "", body: str = "", attachments: str = "") -> bytes:
    """A packet without prefixes around these pieces of XML; ``attachments`` stands in AttachmentEncoded."""
    return (
        f'<edXML xmlns="{QCVN}"><edXMLEnvelope><edXMLHeader><MessageHeader>{message_header}</MessageHeader>'
        f"<TraceHeaderList>{trace}</TraceHeaderList></edXMLHeader><edXMLBody>{body}</edXMLBody></edXMLEnvelope>"
        f"<AttachmentEncoded>{attachments}</AttachmentEncoded></edXML>"
    ).encode()


def attachment_element(content: bytes | str, name: str = "bao-cao.txt", content_type: str = "application/zip") -> str:
    """An Attachment around bytes, or around text that stands where Base64 should."""
    encoded = content if isinstance(content, str) else base64.b64encode(content).decode()
    return (
        f"<Attachment><ContentId>cid:1</ContentId><AttachmentName>{name}</AttachmentName>"
        f"<ContentType>{content_type}</ContentType>"
        f"<ContentTransferEncoded>{encoded}</ContentTransferEncoded></Attachment>"
    )


def a_zip(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, extra: bytes = b"") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in entries:
            entry = zipfile.ZipInfo(name, (2025, 1, 2, 8, 30, 0))
            entry.extra = extra
            archive.writestr(entry, content, method)
    return target.getvalue()
