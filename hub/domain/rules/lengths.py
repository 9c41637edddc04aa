"""How long a field may be, in characters.

Two sources give lengths: the State's data standard (TT 02/2019/TT-BNV, NĐ 30/2020 Phụ lục VI) and the columns of
receiving systems. Above the larger one a document is refused, because some recipient would cut it without a word;
between the two it passes with a warning. Where only one is known it is the limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.domain import places
from hub.domain.document import Document
from hub.domain.rules.rule import error, warning
from hub.errors import Violation

FIELD_TOO_LONG = error(
    "field-too-long",
    "Trường dài {length} ký tự, quá giới hạn {limit}.",
    "The field has {length} characters, more than the limit of {limit}.",
)
FIELD_LONG = warning(
    "field-long",
    "Trường dài {length} ký tự, quá chuẩn {limit}; một số hệ thống có thể cắt bớt.",
    "The field has {length} characters, more than the standard's {limit}; some systems may cut it.",
)

TOO_MANY = error(
    "too-many-entries",
    "Có {count} mục, quá giới hạn {limit}.",
    "There are {count} entries, more than the limit of {limit}.",
)
_MOST_RECIPIENTS = 5_000  # a broadcast to every commune and province has 3,355
_MOST_DOCUMENTS = 200  # answered, revoked or replaced by one packet: each is looked up while all senders wait

# field: (accepted without a word, accepted at all)
_ORGANIZATION = {
    "organ_id": (35, 50),
    "in_charge": (200, 200),
    "name": (200, 200),
    "address": (250, 250),
    "email": (100, 100),
    "telephone": (50, 50),
    "fax": (50, 50),
    "website": (100, 100),
}
_HEADER = {
    "document_id": (200, 200),
    "number": (11, 50),
    "symbol": (30, 50),
    "place": (50, 50),
    "type_name": (100, 100),
    "subject": (500, 500),
    "content": (500, 500),
    "competence": (100, 100),
    "position": (100, 100),
    "signer": (50, 50),
    "priority": (1, 1),
    "sphere": (100, 100),
    "typer": (10, 10),
    "pages": (3, 4),
}
_BUSINESS_DOCUMENT_ID = (200, 200)
_STAFF = {"department": (250, 250), "staff": (100, 100), "email": (100, 100), "mobile": (100, 100)}
_DESCRIPTION = (255, 255)


def lengths(document: Document) -> Iterator[Violation]:
    for pointer, count, limit in (
        (places.RECIPIENT, len(document.recipients), _MOST_RECIPIENTS),
        (places.HEADER["response_for"], len(document.response_for), _MOST_DOCUMENTS),
        (places.BUSINESS["replaced"], len(document.business.replaced), _MOST_DOCUMENTS),
    ):
        if count > limit:
            yield TOO_MANY.at(pointer, str(count), f"≤ {limit}", count=count, limit=limit)
    for field, limits in _ORGANIZATION.items():
        if len(text := getattr(document.sender, field)) > limits[0]:  # nearly all fit: these are thousands of texts
            yield from _measured(places.sender(field), text, limits)
        for i, organization in enumerate(document.recipients):
            if len(text := getattr(organization, field)) > limits[0]:
                yield from _measured(places.recipient(i, field), text, limits)
    for field, limits in _HEADER.items():
        if len(text := getattr(document, field)) > limits[0]:
            yield from _measured(places.HEADER[field], text, limits)
    asked = document.business
    yield from _measured(places.BUSINESS["document_id"], asked.document_id, _BUSINESS_DOCUMENT_ID)
    for i, clerk in enumerate(asked.staff):
        for field, limits in _STAFF.items():
            yield from _measured(places.staff(i, field), getattr(clerk, field), limits, personal=True)
    for i, entry in enumerate(document.manifest):
        yield from _measured(places.manifest(i, "description"), entry.description, _DESCRIPTION)
    for i, attachment in enumerate(document.attachments):
        yield from _measured(places.attachment(i, "description"), attachment.description, _DESCRIPTION)


def _measured(pointer: str, text: str, limits: tuple[int, int], *, personal: bool = False) -> Iterator[Violation]:
    quiet, most = limits
    length = len(text)
    if length > quiet:
        rule, limit = (FIELD_TOO_LONG, most) if length > most else (FIELD_LONG, quiet)
        repair = f"≤ {limit} ký tự / characters"
        yield rule.at(pointer, "" if personal else text, repair, length=length, limit=limit)
