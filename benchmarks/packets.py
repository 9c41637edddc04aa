"""Signed packets in quantity: every one another document, signed by one agency for the same recipients."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from multiprocessing import get_context

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from hub.domain.document import (
    VIETNAM,
    Attachment,
    Business,
    Document,
    DocumentRef,
    Organization,
    StaffInfo,
    StatusReport,
    Trace,
)
from hub.domain.edxml import write_document, write_status
from hub.domain.signature import PrivateKey, sign

SIZES = {"10k": 10_000, "360k": 360_000}  # bytes of a whole packet
_CHUNK = 50  # packets signed in one go


@dataclass(frozen=True)
class Office:
    """The sending agency, and its key and certificate as PEM: worker processes cannot share objects."""

    code: str
    name: str
    key: bytes
    certificate: bytes


def an_office(code: str, name: str) -> Office:
    """An agency with a fresh P-256 key and a certificate of its own for a day before and after now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Office(code, name, pem, certificate.public_bytes(Encoding.PEM))


def with_file(
    office: Office, recipients: Sequence[Organization], file: bytes, suffix: str, numbers: range
) -> list[bytes]:
    """The signed packets of these numbers, each with the same file under a name of its own."""
    today = datetime.now(UTC).date()
    documents = (_document(office, recipients, number, file, suffix, today) for number in numbers)
    return [sign(write_document(document), *_keys(office)) for document in documents]


def signed(office: Office, recipients: Sequence[Organization], size: int, numbers: range) -> Iterator[bytes]:
    """The signed packets of these numbers, each of about ``size`` bytes, made on every core."""
    today = datetime.now(UTC).date()
    spare = size - len(_packet(office, recipients, 0, 100, today)) + 136  # 136: 100 bytes in Base64
    content = max(100, spare * 3 // 4)
    pieces = [numbers[start : start + _CHUNK] for start in range(0, len(numbers), _CHUNK)]
    # Not forked: the servers' pipes and sockets are none of a signer's business.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        works = [pool.submit(_packets, office, recipients, content, piece, today) for piece in pieces]
        for work in works:
            yield from work.result()


def signed_statuses(recipient: Office, sender: Office, numbers: range) -> list[bytes]:
    """The recipient's reports 06 on the sender's documents of these numbers."""
    now = datetime.now(UTC)
    return [
        sign(
            write_status(
                StatusReport(
                    sender=Organization(recipient.code, name=recipient.name),
                    response_for=DocumentRef(sender.code, f"{number}/VPCP-TH", _id(sender, now.date(), number)),
                    staff=StaffInfo(staff="Lê Văn Mẫu"),
                    status="06",
                    description="Hoàn thành",
                    timestamp=f"{now.astimezone(VIETNAM):%Y/%m/%d %H:%M:%S}",
                )
            ),
            *_keys(recipient),
        )
        for number in numbers
    ]


def _id(office: Office, day: date, number: int) -> str:
    return f"{office.code},{day:%Y/%m/%d},{number}/VPCP-TH"


def _packets(
    office: Office, recipients: Sequence[Organization], content: int, numbers: range, today: date
) -> list[bytes]:
    return [_packet(office, recipients, number, content, today) for number in numbers]


def _packet(office: Office, recipients: Sequence[Organization], number: int, content: int, today: date) -> bytes:
    # It cannot be compressed, like most PDFs.
    file = b"%PDF-1.7\n" + random.Random(number).randbytes(content - 9)
    return sign(write_document(_document(office, recipients, number, file, "pdf", today)), *_keys(office))


@cache
def _keys(office: Office) -> tuple[PrivateKey, x509.Certificate]:
    key = load_pem_private_key(office.key, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("a P-256 key is expected")
    return key, x509.load_pem_x509_certificate(office.certificate)


def _document(
    office: Office, recipients: Sequence[Organization], number: int, file: bytes, suffix: str, today: date
) -> Document:
    """A letter with what real ones carry."""
    day = f"{today:%Y/%m/%d}"
    name = f"{number}-VPCP-TH.{suffix}"
    return Document(
        sender=Organization(organ_id=office.code, name=office.name, email="vanthu@vpcp.example.vn"),
        recipients=tuple(recipients),
        document_id=_id(office, today, number),
        number=str(number),
        symbol="VPCP-TH",
        place="Hà Nội",
        promulgation_date=day,
        type="1",
        type_name="Công văn",
        subject=f"V/v báo cáo tình hình kết nối, liên thông văn bản điện tử, đợt {number}",
        content="Đề nghị báo cáo kết quả kết nối, liên thông",
        position="Phó Chủ nhiệm",
        signer="Nguyễn Thị Hồng Thử",
        priority="0",
        copies="2",
        pages="3",
        direction="false",
        steering_type="1",
        to_places=("Như trên", "Lưu: VT, TH (3b)"),
        business=Business(type="0", reason="Văn bản điện tử mới", paper="0", staff=(StaffInfo(staff="Lê Văn Mẫu"),)),
        traces=(Trace(office.code, f"{day} 08:30:00"),),
        attachments=(Attachment(f"{number}-vpcp-th", name, file, file),),
    )
