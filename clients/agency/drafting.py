"""What is to be sent, as it was typed or written in a TOML, and the document or report it becomes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from clients.agency.home import Config
from clients.agency.texts import CannotError
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
    StatusReport,
    Trace,
    read_date,
)
from hub.domain.numbering import canonical_document_id

ENDING = ".edxml"  # of a packet that is built and signed already
REASONS = {
    "01": "Đã đến",
    "02": "",  # the recipient's own: it is obligatory
    "03": "Đã tiếp nhận",
    "04": "Phân công xử lý",
    "05": "Đang xử lý",
    "06": "Hoàn thành",
    "13": "Lấy lại",
    "15": "Đồng ý",
    "16": "Không đồng ý",
}  # fmt: skip  # descriptions of QCVN 102:2016


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent. ``update``, ``replace``, ``revoke`` name an earlier document by its DocumentId, or by the
    hub's id, which ``sending`` looks up. Dates are ``yyyy/MM/dd``."""

    to: tuple[str, ...] = ()
    number: str = ""
    notation: str = ""
    subject: str = ""
    files: tuple[str, ...] = ()
    date: str = ""
    type: str = ""
    content: str = ""
    signer: str = ""
    position: str = ""
    due: str = ""
    priority: str = ""
    sender: str = ""  # From, if not the agency itself but one below it
    document_id: str = ""
    update: str = ""
    replace: str = ""
    revoke: str = ""
    reason: str = ""

    @property
    def is_packet(self) -> bool:
        """One packet that is built already, and nothing said besides."""
        said = [field.name for field in fields(self) if field.name != "files" and getattr(self, field.name)]
        return len(self.files) == 1 and self.files[0].lower().endswith(ENDING) and not said

    @property
    def target(self) -> str:
        return self.update or self.replace or self.revoke

    def towards(self, document_id: str) -> Order:
        """The same with another name of the earlier document."""
        return replace(
            self,
            update=self.update and document_id,
            replace=self.replace and document_id,
            revoke=self.revoke and document_id,
        )

    def checked(self) -> Order:
        """Raises ``CannotError`` for what no document can be made of; the rules themselves are the hub's."""
        if self.is_packet:
            return self
        missing = [name for name in ("to", "number", "notation", "subject") if not getattr(self, name)]
        if not self.files and not self.revoke:
            missing.append("files")
        if missing:
            raise CannotError("needs", needs=", ".join(missing))
        if sum(bool(target) for target in (self.update, self.replace, self.revoke)) > 1:
            raise CannotError("one-target")
        return self


def read_order(path: Path) -> Order:
    """The order a TOML states; without ``files`` those beside it that have its name and another ending.

    Raises ``CannotError`` naming the field; ``OSError``.
    """
    try:
        said = tomllib.loads(path.read_text("utf-8-sig"))
    except ValueError as fault:
        raise CannotError("order-toml", order=path.name, why=str(fault)) from None
    known = {field.name: field.default for field in fields(Order)}
    values: dict[str, Any] = {}
    for name, value in said.items():
        if name not in known:
            raise CannotError("order-field", order=path.name, field=name, known=", ".join(known))
        values[name] = _list(path, name, value) if isinstance(known[name], tuple) else _text(path, name, value)
    values.setdefault("files", tuple(each.name for each in files_beside(path)))
    return Order(**values)


def files_beside(order: Path) -> list[Path]:
    """Those of an order's name with another ending."""
    return sorted(
        each for each in order.parent.iterdir() if each.stem == order.stem and each != order and each.is_file()
    )


def _list(path: Path, name: str, value: Any) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(each, str) and each for each in given):
        raise CannotError("order-value", order=path.name, field=name, wanted='["…", "…"]')
    if name == "files" and any(Path(each).name != each for each in given):
        raise CannotError("order-value", order=path.name, field=name, wanted="tên tệp, không có thư mục / names only")
    return tuple(given)


def _text(path: Path, name: str, value: Any) -> str:
    if isinstance(value, date):  # TOML's own; a datetime is one as well
        return f"{value:%Y/%m/%d}"
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise CannotError("order-value", order=path.name, field=name, wanted='"…"')
    return str(value)


def draft(
    order: Order, contents: Sequence[tuple[str, bytes]], config: Config, name_of: Callable[[str], str], now: datetime
) -> Document:
    """The document. ``contents`` are its files, each with its name; ``name_of`` gives an agency's listed name or
    nothing."""
    here = now.astimezone(VIETNAM)
    day = order.date or f"{here:%Y/%m/%d}"
    sender = order.sender or config.code
    files = tuple(Attachment(f"tep-{n}", name, content, content) for n, (name, content) in enumerate(contents, 1))
    return Document(
        sender=_organization(sender, config, name_of),
        recipients=tuple(_organization(code, config, name_of) for code in order.to),
        document_id=order.document_id or f"{sender},{day},{order.number}/{order.notation}",
        number=order.number,
        symbol=order.notation,
        promulgation_date=day,
        type_name=order.type or "Công văn",
        subject=order.subject,
        content=order.content,
        signer=order.signer,
        position=order.position,
        due_date=order.due,
        priority=order.priority,
        business=_business(order),
        response_for=(_named(order.revoke),) if order.revoke else (),
        traces=(Trace(config.code, f"{here:%Y/%m/%d %H:%M:%S}"),),
        manifest=tuple(ManifestEntry(file.content_id, "", file.name) for file in files),
        attachments=files,
    )


def _organization(code: str, config: Config, name_of: Callable[[str], str]) -> Organization:
    return Organization(code, name=config.name if code == config.code else name_of(code))


def _business(order: Order) -> Business:
    if order.update:
        return Business(str(Kind.UPDATE.value), order.reason or "Cập nhật", order.update)
    if order.replace:
        return Business(str(Kind.REPLACEMENT.value), order.reason or "Thay thế", replaced=(Replaced(order.replace),))
    if order.revoke:
        return Business(str(Kind.REVOCATION.value), order.reason or "Thu hồi")
    return Business(str(Kind.NEW.value), order.reason or "Văn bản điện tử mới")


def _named(document_id: str) -> DocumentRef:
    """The document with the day that its id states, if it does: an id that two years have is told apart by it."""
    parts = canonical_document_id(document_id).split(",")
    day = parts[1] if len(parts) == 3 and read_date(parts[1]) else ""
    return DocumentRef(document_id=document_id, promulgation_date=day)


def a_report(sender: str, name: str, about: DocumentRef, status: str, description: str, now: datetime) -> StatusReport:
    """A report of the agency ``sender``; equal ones at one moment are one report."""
    return StatusReport(
        Organization(sender, name=name),
        about,
        status=status,
        description=description or REASONS[status],
        timestamp=f"{now.astimezone(VIETNAM):%Y/%m/%d %H:%M:%S}",
    )


def reference(about: Mapping[str, Any], organ_id: str) -> DocumentRef:
    """How a report names a document that the hub told of; the day tells apart an id that two years have."""
    day = about.get("promulgation_date") or ""
    return DocumentRef(organ_id, document_id=about["document_id"], promulgation_date=day.replace("-", "/"))


def as_json(record: Mapping[str, Any]) -> bytes:
    """A record of what was sent or received, for people and programs to read."""
    return (json.dumps(record, ensure_ascii=False, indent=2, default=str) + "\n").encode()
