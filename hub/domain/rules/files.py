"""Rules about attachments: their bytes, their names, and what the manifest declares of them (exchange rules 7)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence

from hub.domain import filenames, places
from hub.domain.document import Attachment, Document, Kind, ManifestEntry
from hub.domain.rules.rule import Facts, Rule, error, warning
from hub.errors import Violation

_Place = Callable[[int, str], str]  # index and field to the pointer

ATTACHMENT_MISSING = error(
    "attachment-missing",
    "Văn bản không có tệp đính kèm nào.",
    "The document has no attachment.",
)
ATTACHMENTS_TOO_MANY = error(
    "attachments-too-many",
    "Gói tin có {count} tệp đính kèm, quá giới hạn {limit}.",
    "The packet has {count} attachments, more than the limit of {limit}.",
)
ATTACHMENT_TOO_LARGE = error(
    "attachment-too-large",
    "Tệp có {size} byte, quá giới hạn {limit}.",
    "The file has {size} bytes, more than the limit of {limit}.",
)
DEFECTS = {
    rule.code: rule
    for rule in (
        error("attachment-base64", "Không giải mã được Base64.", "The Base64 cannot be decoded."),
        error("attachment-zip", "Không đọc được tệp ZIP.", "The ZIP cannot be read."),
        error("attachment-zip-bomb", "Tệp ZIP bung ra quá lớn.", "The ZIP unpacks to too much."),
        error("attachment-zip-path", "Tệp ZIP ghi ra ngoài thư mục.", "The ZIP writes outside its folder."),
        error("attachment-empty", "Tệp đính kèm rỗng (0 byte).", "The attachment is empty (0 bytes)."),
    )
}
_DEFECT_REPAIRS = {
    "attachment-base64": "Mã hóa lại toàn bộ tệp / encode the whole file again",
    "attachment-zip": "Đính kèm tệp gốc không nén / attach the plain file",
    "attachment-zip-bomb": "Đính kèm tệp gốc không nén / attach the plain file",
    "attachment-zip-path": "Nén lại, tên mục không có đường dẫn / zip again, entry names without a path",
    "attachment-empty": "Đính kèm lại tệp / attach the file again",
}
CONTENT_ID_MISSING = error("content-id-missing", "Thiếu ContentId.", "There is no ContentId.")
CONTENT_ID_TWICE = error(
    "content-id-twice", "ContentId này đã dùng cho một tệp khác.", "This ContentId is used for another file."
)
MANIFEST_UNPAIRED = error(
    "manifest-unpaired",
    "Bản kê nêu một tệp không có trong gói tin.",
    "The manifest names a file that is not in the packet.",
)
ATTACHMENT_UNPAIRED = error(
    "attachment-unpaired",
    "Tệp đính kèm không có trong bản kê.",
    "The attachment is not in the manifest.",
)
ATTACHMENT_NAME_DIFFERS = error(
    "attachment-name-differs",
    "Tên tệp khác với bản kê (“{declared}”).",
    "The file name differs from the manifest's (“{declared}”).",
)
ATTACHMENT_CONTENT_TYPE = warning(
    "attachment-content-type",
    "ContentType khác với bản kê ({declared}).",
    "The ContentType differs from the manifest's ({declared}).",
)
ATTACHMENT_DESCRIPTION = warning(
    "attachment-description",
    "Mô tả tệp khác với bản kê (“{declared}”).",
    "The description differs from the manifest's (“{declared}”).",
)
ATTACHMENT_WRAPPING = warning(
    "attachment-wrapping",
    "ContentType không đúng với cách gói tệp: phần mềm nơi nhận chỉ giải nén application/zip.",
    "The ContentType does not tell how the file is wrapped: recipients' software unzips application/zip only.",
)
NAMES = {
    rule.code: rule
    for rule in (
        error("name-empty", "Tên tệp trống.", "The file name is empty."),
        error("name-too-long", "Tên tệp dài quá 255 byte UTF-8.", "The file name is longer than 255 bytes of UTF-8."),
        error("name-separator", "Tên tệp có dấu phân cách thư mục.", "The file name has a path separator."),
        error("name-character", 'Tên tệp có ký tự cấm : * ? " < > |.', 'The file name has one of : * ? " < > |.'),
        error("name-control", "Tên tệp có ký tự điều khiển.", "The file name has a control character."),
        error("name-invisible", "Tên tệp có ký tự ẩn.", "The file name has an invisible character."),
        error("name-trailing", "Tên tệp kết thúc bằng dấu chấm hoặc cách.", "The file name ends with a dot or blank."),
        error("name-reserved", "Tên tệp trùng tên thiết bị.", "The file name is a reserved device name."),
        error("name-duplicate", "Hai tệp cùng tên trong một gói tin.", "Two files of the packet have the same name."),
        warning("name-nfd", "Tên tệp dùng Unicode tổ hợp (NFD).", "The file name is in decomposed Unicode (NFD)."),
        warning("name-no-extension", "Tên tệp thiếu phần mở rộng.", "The file name has no extension."),
        warning(
            "name-extension-content",
            "Phần mở rộng không khớp với nội dung tệp.",
            "The extension does not agree with the file's content.",
        ),
    )
}


def attachments(document: Document, facts: Facts) -> Iterator[Violation]:
    """Each file by itself."""
    if not document.attachments and document.kind is not Kind.REVOCATION:
        yield ATTACHMENT_MISSING.at(places.ATTACHMENT, "", "Đính kèm tệp văn bản / attach the document's file")
    count, limit = len(document.attachments), facts.limits.attachments
    if count > limit:
        yield ATTACHMENTS_TOO_MANY.at(places.ATTACHMENT, str(count), f"≤ {limit}", count=count, limit=limit)
    for i, attachment in enumerate(document.attachments):
        place = places.attachment(i, "octets")
        if attachment.defect:
            yield DEFECTS[attachment.defect].at(place, attachment.name, _DEFECT_REPAIRS[attachment.defect])
        size, most = max(len(attachment.octets), len(attachment.content)), facts.limits.attachment
        if size > most:
            yield ATTACHMENT_TOO_LARGE.at(place, str(size), f"≤ {most}", size=size, limit=most)
        yield from _wrapping(i, attachment)


def _wrapping(i: int, attachment: Attachment) -> Iterator[Violation]:
    # The vendor's reader unzips on this exact type, also the default, unless the format is exactly "zip".
    unzipped = attachment.content_type in ("", "application/zip") and not attachment.name.endswith(".zip")
    if attachment.defect or unzipped == attachment.wrapped:
        return
    repair = "application/zip" if attachment.wrapped else "application/octet-stream"
    yield ATTACHMENT_WRAPPING.at(places.attachment(i, "content_type"), attachment.content_type, repair)


def names(document: Document) -> Iterator[Violation]:
    for i, attachment in enumerate(document.attachments):
        place, name, content = places.attachment(i, "name"), attachment.name, attachment.content
        for code in filenames.faults(name):
            repair = filenames.safe_name(name)
            if code == "name-no-extension":
                repair = filenames.with_extension(name, filenames.content_extension(content) or "pdf")
            yield NAMES[code].at(place, name, repair)
        if not attachment.defect and filenames.contradicts(name, content):
            repair = filenames.with_extension(name, filenames.content_extension(content))
            yield NAMES["name-extension-content"].at(place, name, repair)
    for i, free in filenames.repeats([attachment.name for attachment in document.attachments]):
        yield NAMES["name-duplicate"].at(places.attachment(i, "name"), document.attachments[i].name, free)


def pairing(document: Document) -> Iterator[Violation]:
    """The manifest against the attachments: ids unique on both sides, each with its partner, names equal."""
    declared, sent = document.manifest, document.attachments
    yield from _ids(declared, places.manifest)
    yield from _ids(sent, places.attachment)
    yield from _unpaired(MANIFEST_UNPAIRED, declared, sent, places.manifest)
    yield from _unpaired(ATTACHMENT_UNPAIRED, sent, declared, places.attachment)
    entries = {entry.content_id: entry for entry in reversed(declared)}
    for i, attachment in enumerate(sent):
        entry = entries.get(attachment.content_id) if attachment.content_id else None
        if entry:
            yield from _compared(i, attachment, entry)


def _ids(side: Sequence[ManifestEntry | Attachment], place: _Place) -> Iterator[Violation]:
    seen: set[str] = set()
    for i, one in enumerate(side):
        if not one.content_id:
            yield CONTENT_ID_MISSING.at(place(i, "content_id"), "", f"cid:{i + 1}")
        elif one.content_id in seen:
            yield CONTENT_ID_TWICE.at(place(i, "content_id"), one.content_id, f"cid:{one.content_id}-{i + 1}")
        seen.add(one.content_id)


def _unpaired(
    rule: Rule,
    side: Sequence[ManifestEntry | Attachment],
    other: Sequence[ManifestEntry | Attachment],
    place: _Place,
) -> Iterator[Violation]:
    ids = {one.content_id for one in other}
    by_name = {_composed(one.name): one.content_id for one in other}
    for i, one in enumerate(side):
        if one.content_id and one.content_id not in ids:
            partner = by_name.get(_composed(one.name), "")
            repair = f"cid:{partner}" if partner else "Khai tệp ở cả hai nơi / name the file in both places"
            yield rule.at(place(i, "content_id"), one.content_id, repair)


def _compared(i: int, attachment: Attachment, entry: ManifestEntry) -> Iterator[Violation]:
    if entry.name and _composed(attachment.name) != _composed(entry.name):
        place = places.attachment(i, "name")
        yield ATTACHMENT_NAME_DIFFERS.at(place, attachment.name, entry.name, declared=entry.name)
    if entry.content_type and attachment.content_type and entry.content_type != attachment.content_type:
        place, declared = places.attachment(i, "content_type"), entry.content_type
        yield ATTACHMENT_CONTENT_TYPE.at(place, attachment.content_type, declared, declared=declared)
    if entry.description and attachment.description and entry.description != attachment.description:
        place, declared = places.attachment(i, "description"), entry.description
        yield ATTACHMENT_DESCRIPTION.at(place, attachment.description, declared, declared=declared)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
