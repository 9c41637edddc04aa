"""An agency's system as the demo plays it: polls, fetches, verifies, keeps, reports, answers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients.hub_client import AsyncHubClient, Received
from hub.demo.books import Books
from hub.domain import edxml
from hub.domain.document import (
    VIETNAM,
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

_REASON = {
    "01": "Đã đến",
    "02": "Văn bản gửi nhầm nơi nhận",
    "03": "Đã tiếp nhận, vào sổ",
    "04": "Đã phân công xử lý",
    "05": "Đang xử lý",
    "06": "Hoàn thành xử lý",
    "13": "Lấy lại để sửa nội dung",
    "15": "Đồng ý",
    "16": "Không đồng ý: văn bản đã được xử lý",
}


def key_and_certificate(code: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A P-256 key and a certificate it signed itself, for an agency's code."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, code)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return key, certificate


@dataclass(frozen=True, slots=True)
class Sent:
    """A document that was accepted; ``deliveries``: ``{id, to}`` and perhaps more, one for each recipient."""

    id: str
    deliveries: tuple[dict[str, Any], ...]
    packet: bytes


@dataclass
class Peer:
    """One connected system. ``script`` says what its clerk reports on a document beyond 01, by DocumentId;
    ``answers`` what it answers when asked to take back, revoke, update or replace."""

    code: str
    name: str
    system_id: str
    client: AsyncHubClient
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    books: Books
    script: dict[str, tuple[str, ...]] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    kept: dict[str, Received] = field(default_factory=dict)

    def draft(
        self,
        to: list[tuple[str, str]],
        files: tuple[tuple[str, bytes], ...],
        subject: str,
        *,
        symbol: str = "VP",
        number: str = "",
        day: date | None = None,
        type_name: str = "Công văn",
        business: Business | None = None,
        **changes: Any,
    ) -> Document:
        """A document of this agency with its next number."""
        day = day or datetime.now(VIETNAM).date()
        if not number:
            self.numbers[symbol] += 1
            number = f"{self.numbers[symbol]:02}"
        attachments = tuple(
            Attachment(f"tep-{n}", name, data, data, "application/pdf", "Văn bản ký số")
            for n, (name, data) in enumerate(files, 1)
        )
        values: dict[str, Any] = {
            "sender": Organization(self.code, "", self.name, email="vanthu@example.vn"),
            "recipients": tuple(Organization(code, "", name) for code, name in to),
            "document_id": f"{self.code},{day:%Y/%m/%d},{number}/{symbol}",
            "number": number,
            "symbol": symbol,
            "place": "Hà Nội",
            "promulgation_date": f"{day:%Y/%m/%d}",
            "type": "1",
            "type_detail": "0",
            "type_name": type_name,
            "subject": subject,
            "competence": "TL. BỘ TRƯỞNG",
            "position": "Chánh Văn phòng",
            "signer": "Nguyễn Thị Ví Dụ",
            "priority": "0",
            "steering_type": "1",
            "to_places": ("Như trên", "Lưu: VT"),
            "business": business or Business("0", "Văn bản điện tử mới", staff=(StaffInfo(staff="Trần Văn Mẫu"),)),
            "traces": (Trace(self.code, f"{datetime.now(VIETNAM):%Y/%m/%d %H:%M:%S}"),),
            "manifest": tuple(ManifestEntry(a.content_id, a.content_type, a.name, a.description) for a in attachments),
            "attachments": attachments,
        }
        return Document(**(values | changes))

    async def send(self, packet: bytes | Document) -> Sent:
        """Send, and enter in the books what was acknowledged."""
        accepted = await self.client.send(packet)
        for delivery in accepted.deliveries:
            self.books.acknowledged[delivery["id"]] = accepted.id
        return Sent(accepted.id, accepted.deliveries, accepted.packet)

    def said(self, status: str, ref: DocumentRef, sender: str) -> StatusReport:
        """A report on a document, in the name of the addressed agency."""
        now = datetime.now(VIETNAM)
        return StatusReport(
            Organization(sender or self.code, "", self.name),
            ref,
            StaffInfo("Văn thư", staff="Lê Văn Thử"),
            status,
            _REASON[status],
            f"{now:%Y/%m/%d %H:%M:%S}",
        )

    async def report(self, status: str, ref: DocumentRef, *, sender: str = "") -> None:
        """Report on a document, and enter in the books what was handed on."""
        reported = await self.client.report(self.said(status, ref, sender))
        if reported.delivery is not None:
            self.books.handed_on.add(reported.delivery)

    async def listen(self, stop: asyncio.Event) -> None:
        """Poll until told to stop; each start and restart begins at the oldest waiting."""
        while not stop.is_set():
            page = await self.client.inbox(wait=20)
            for item in page.items:
                await self._take_in(item)

    async def _take_in(self, item: dict[str, Any]) -> None:
        """Fetch, verify against the sender's certificates, keep, say so, report."""
        received = await self.client.packet(item["id"])
        verified = await self.client.verify(received.packet)
        about = item["document"]
        wanted = about["sender"] if item["type"] == "document" else item["status"]["from"]
        owner = verified.verdict.owner
        self.books.expect(owner in {wanted, item["signature"]["signer"]}, f"{item['id']}: signed by {owner}")
        self.kept[item["id"]] = received
        await self.client.done(item["id"])
        ref = DocumentRef(about["sender"], document_id=about["document_id"])
        if item["type"] == "status":
            self.books.statuses[item["id"]] += 1
            await self.hear(item["status"]["code"], ref)
        else:
            self.books.received[item["id"]] += 1
            await self.work(ref, addressed=item["to"], new=about["kind"] == "new")

    async def hear(self, status: str, ref: DocumentRef) -> None:
        """Answer a status packet about a document, if it asks."""
        if status == "13":
            await self.report(self.answers.get(ref.document_id, "16"), ref)

    async def work(self, ref: DocumentRef, *, addressed: str, new: bool) -> None:
        """What the clerk reports on a document, and the answer to what it asks."""
        for status in ("01", *self.script.get(ref.document_id, ())):
            await self.report(status, ref, sender=addressed)
        if not new and ref.document_id in self.answers:
            await self.report(self.answers[ref.document_id], ref, sender=addressed)

    async def read_outbox(self) -> list[dict[str, Any]]:
        """Everything that happened to the documents sent; what ended unreceived goes into the books."""
        entries: list[dict[str, Any]] = []
        after = None
        while True:
            page = await self.client.outbox(after, 500)
            if not page.items:
                return entries
            entries += page.items
            after = page.next
            for entry in page.items:
                if entry["what"] in {"withdrawn", "expired", "failed"}:
                    self.books.told[entry["delivery"]] = entry["what"]

    def read(self, delivery_id: str) -> Document:
        """A kept packet's content."""
        return edxml.read_document(edxml.parse(self.kept[delivery_id].packet))
