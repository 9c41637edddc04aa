"""What packets say: a planned document with all that real ones carry. The persons are invented."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from clients.replay.plan.defects import DEFECTS
from clients.replay.planned import Post, Reply
from hub.domain.document import (
    VIETNAM,
    Attachment,
    Business,
    Document,
    DocumentRef,
    Kind,
    ManifestEntry,
    Organization,
    Replaced,
    StaffInfo,
    StatusReport,
    Trace,
)
from hub.domain.rules.notation import type_by_symbol

_SUBJECTS = (
    "V/v báo cáo tình hình gửi, nhận văn bản điện tử qua Trục liên thông văn bản quốc gia",
    "V/v tăng cường sử dụng văn bản điện tử trong hoạt động của cơ quan nhà nước",
    "V/v góp ý dự thảo Nghị định về công tác văn thư",
    "V/v cung cấp số liệu phục vụ phiên họp Chính phủ thường kỳ",
    "V/v triển khai nhiệm vụ phát triển kinh tế - xã hội sáu tháng cuối năm",
    "V/v xử lý kiến nghị của cử tri gửi đến trước kỳ họp Quốc hội",
    "V/v phòng, chống thiên tai và tìm kiếm cứu nạn",
    "V/v rà soát, cập nhật mã định danh các cơ quan, đơn vị",
    "V/v phân bổ kinh phí thực hiện chương trình mục tiêu quốc gia",
    "V/v mời họp giao ban trực tuyến về cải cách thủ tục hành chính",
    "V/v báo cáo kết quả giải quyết khiếu nại, tố cáo",
    "V/v kiểm tra việc chấp hành kỷ luật, kỷ cương hành chính",
)
_POSITIONS = (
    ("KT. BỘ TRƯỞNG", "Thứ trưởng"),
    ("TL. BỘ TRƯỞNG", "Chánh Văn phòng"),
    ("TM. ỦY BAN NHÂN DÂN", "Chủ tịch"),
    ("KT. CHỦ TỊCH", "Phó Chủ tịch"),
)
_SIGNERS = ("Nguyễn Thị Ví Dụ", "Trần Văn Mẫu", "Lê Hồng Thử", "Phạm Thị Thí Nghiệm", "Hoàng Văn Tỉ Dụ", "Vũ Minh Mẫu")
_CLERKS = ("Đỗ Thị Văn Thư", "Bùi Văn Mẫu", "Đặng Thị Thử", "Ngô Văn Ví Dụ")
_SAID = {
    "01": "Đã đến", "02": "Văn bản gửi nhầm nơi nhận", "03": "Đã tiếp nhận, vào sổ văn bản đến",
    "04": "Đã phân công xử lý", "05": "Đang xử lý", "06": "Hoàn thành xử lý", "13": "Lấy lại để sửa nội dung",
    "15": "Đồng ý", "16": "Không đồng ý: văn bản đã được xử lý",
}  # fmt: skip
_ASKS = {Kind.UPDATE: "Cập nhật nội dung", Kind.REVOCATION: "Thu hồi do ban hành nhầm", Kind.REPLACEMENT: "Thay thế"}
# Bytes of a signed packet without its file and its recipients, and of each of these without its code and name.
_HEADER, _RECIPIENT = 4_950, 190


@dataclass(frozen=True, slots=True)
class Scene:
    """What drafting needs of a scenario: it goes to other processes. ``systems``: whose system speaks for a code."""

    seed: int
    start: datetime
    names: Mapping[str, str]
    systems: Mapping[str, str]

    def moment(self, at: float) -> str:
        return f"{(self.start + timedelta(seconds=at)).astimezone(VIETNAM):%Y/%m/%d %H:%M:%S}"

    def agency(self, code: str, *, in_charge: str = "") -> Organization:
        mail = f"vanthu@{code.lower()}.example.vn"
        return Organization(code, in_charge, self.names.get(code, ""), email=mail)


def document(scene: Scene, post: Post) -> Document:
    """The document as its defect leaves it. A post that repeats another says the same, although it is later."""
    n = post.repeats or post.n
    drawn = random.Random(f"{scene.seed}/draft/{n}")  # noqa: S311  (what is played is no secret)
    defect = DEFECTS.get(post.defect)
    competence, position = _POSITIONS[int(drawn.random() * len(_POSITIONS))]
    day = f"{post.day:%Y/%m/%d}"
    file = _file(scene, post, n, drawn)
    sender = post.recipients[0] if defect is not None and defect.as_recipient else post.sender
    drafted = Document(
        sender=scene.agency(sender, in_charge=post.issuer),
        recipients=tuple(scene.agency(code) for code in post.recipients),
        document_id=post.document_id,
        number=post.number,
        symbol=post.symbol,
        place="Hà Nội",
        promulgation_date=day,
        type="1",
        type_detail="0",
        type_name=type_by_symbol(post.symbol),
        subject=f"{_SUBJECTS[int(drawn.random() * len(_SUBJECTS))]} ({n})",
        content="Đề nghị các cơ quan, đơn vị nghiên cứu, triển khai thực hiện",
        competence=competence,
        position=position,
        signer=_SIGNERS[int(drawn.random() * len(_SIGNERS))],
        priority=str(1 + n % 3) if post.urgent else "0",
        copies="2",
        pages=str(1 + n % 9),
        direction="false",
        steering_type="1",
        to_places=("Như trên", "Lưu: VT"),
        business=_business(post, _CLERKS[n % len(_CLERKS)]),
        response_for=_named(post),
        traces=(Trace(sender, f"{day} {8 + n % 9:02}:{n % 60:02}:00"),),
        manifest=(ManifestEntry(file.content_id, file.content_type, file.name, file.description),),
        attachments=(file,),
    )
    return defect.document(drafted) if defect is not None else drafted


def _file(scene: Scene, post: Post, n: int, drawn: random.Random) -> Attachment:
    """Noise that cannot be compressed, like most PDFs, of a size that makes the packet as large as planned."""
    recipients = sum(_RECIPIENT + 2 * len(code) + len(scene.names.get(code, "").encode()) for code in post.recipients)
    size = max(100, (post.size - _HEADER - recipients) * 3 // 4)
    content = b"%PDF-1.7\n" + drawn.randbytes(size - 9)
    name = f"{post.number}-{post.symbol}.pdf".replace("/", "-")
    return Attachment(f"tep-{n}", name, content, content, "application/pdf", "Văn bản ký số")


def _business(post: Post, clerk: str) -> Business:
    staff = (StaffInfo("Phòng Văn thư", staff=clerk),)
    if post.kind is Kind.NEW:
        return Business("0", "Văn bản điện tử mới", paper="0", staff=staff)
    asked = Business(str(int(post.kind)), _ASKS[post.kind], paper="0", staff=staff)
    if post.kind is Kind.UPDATE:
        return replace(asked, document_id=post.target_id, document_info="1", document_receiver="0")
    return replace(asked, replaced=(Replaced(post.target_id),)) if post.kind is Kind.REPLACEMENT else asked


def _named(post: Post) -> tuple[DocumentRef, ...]:
    """What a revocation revokes."""
    return (DocumentRef(post.sender, document_id=post.target_id),) if post.kind is Kind.REVOCATION else ()


def status(scene: Scene, post: Post, reply: Reply) -> StatusReport:
    """A status about one delivery of a document. Its moment is the planned one."""
    one, other = (post.sender, reply.recipient) if reply.by_sender else (reply.recipient, post.sender)
    reference = DocumentRef(other, f"{post.number}/{post.symbol}", post.document_id, f"{post.day:%Y/%m/%d}")
    said = "" if reply.expect == "status-reason-missing" else _SAID.get(reply.code, "Trạng thái khác")
    clerk = StaffInfo("Phòng Văn thư", staff=_CLERKS[reply.n % len(_CLERKS)])
    return StatusReport(scene.agency(one), reference, clerk, reply.code, said, scene.moment(post.at + reply.after))
