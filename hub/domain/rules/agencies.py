"""Rules about the sender and the recipients (exchange rules 1, 2)."""

from __future__ import annotations

from collections.abc import Iterator

from hub.domain import places
from hub.domain.agency import Closed, Route, canonical, guessed_successor_code, name_key
from hub.domain.document import Document, Kind, Organization
from hub.domain.rules.rule import Facts, error, warning
from hub.errors import Violation

SENDER_CLOSED = error(
    "sender-closed",
    "Cơ quan {code} đã ngừng hoạt động từ {since:%d/%m/%Y} nên không gửi văn bản mới; chỉ được thu hồi.",
    "The agency {code} is closed since {since:%Y-%m-%d} and sends no new documents, only revocations.",
)
NAME_DIRECTORY = warning(
    "name-directory",
    "Tên cơ quan khác với danh mục: mã {code} là “{name}”.",
    "The name differs from the directory: {code} is “{name}”.",
)
RECIPIENT_IS_NODE = error(
    "recipient-is-node",
    "Mã này là nút của trục (W00), không phải nơi nhận.",
    "This code is a node of the axis (W00), not an addressee.",
)
RECIPIENT_UNKNOWN = error(
    "recipient-unknown",
    "Nơi nhận không có trong danh mục, cũng không thuộc cơ quan nào trong danh mục.",
    "The recipient is not in the directory, nor below an agency that is.",
)
RECIPIENT_CLOSED = error(
    "recipient-closed",
    "Cơ quan {code} đã ngừng hoạt động từ {since:%d/%m/%Y}.",
    "The agency {code} is closed since {since:%Y-%m-%d}.",
)
RECIPIENT_NOT_CONNECTED = error(
    "recipient-not-connected",
    "Nơi nhận chưa kết nối trục, cơ quan cấp trên cũng chưa.",
    "Neither the recipient nor an agency above it is connected.",
)
RECIPIENT_LOCKED = error(
    "recipient-locked",
    "Hệ thống nhận thay cho nơi nhận này đang bị khóa.",
    "The system that receives for this recipient is locked.",
)
RECIPIENT_UNLISTED = warning(
    "recipient-unlisted",
    "{count} nơi nhận không có trong danh mục; văn bản được chuyển đến hệ thống của cơ quan cấp trên.",
    "{count} recipients are not in the directory; the system of the agency above them receives.",
)
RECIPIENT_IS_SENDER = warning(
    "recipient-is-sender",
    "Nơi nhận chính là đơn vị gửi; văn bản vẫn được chuyển.",
    "The recipient is the sender itself; the document is delivered all the same.",
)

_REFUSALS = {
    rule.code: rule
    for rule in (RECIPIENT_IS_NODE, RECIPIENT_UNKNOWN, RECIPIENT_CLOSED, RECIPIENT_NOT_CONNECTED, RECIPIENT_LOCKED)
}
_ASK_DIRECTORY = "Tra mã tại GET /v1/agencies, getAgenciesList / look the code up there"
_ELSEWHERE = "Gửi bằng kênh khác cho đến khi nơi nhận kết nối / use another channel until it is connected"
_LOCKED = "Liên hệ đơn vị vận hành trục / contact the hub's operator"


def sender(document: Document, facts: Facts) -> Iterator[Violation]:
    code = document.sender.organ_id
    closed = facts.directory.closed(code, facts.today)
    if closed and document.kind is not Kind.REVOCATION:
        repair = facts.directory.successor_of(code, facts.today) or _ASK_DIRECTORY
        yield SENDER_CLOSED.at(places.sender("organ_id"), code, repair, code=closed.code, since=closed.since)
    yield from _name(document.sender, places.sender("name"), facts)


def recipients(document: Document, facts: Facts) -> Iterator[Violation]:
    """Each bad recipient at its own place, so that all are told at once; those merely unlisted as one."""
    unlisted: list[int] = []
    for i, organization in enumerate(document.recipients):
        code = organization.organ_id
        if not code:
            continue  # field-missing
        route = facts.directory.recipient(code, facts.today)
        place = places.recipient(i, "organ_id")
        if isinstance(route, Route):
            if route.unlisted:
                unlisted.append(i)
            if facts.directory.same(code, document.sender.organ_id):
                yield RECIPIENT_IS_SENDER.at(place, code, _ASK_DIRECTORY)
        else:
            closed = facts.directory.closed(code, facts.today) or Closed(code, facts.today, "")
            repair = _repair(route, code, facts)
            yield _REFUSALS[route].at(place, code, repair, code=closed.code, since=closed.since)
        yield from _name(organization, places.recipient(i, "name"), facts)
    if unlisted:
        first = document.recipients[unlisted[0]].organ_id
        place = places.recipient(unlisted[0], "organ_id")
        yield RECIPIENT_UNLISTED.at(place, first, _listed_code(first, facts), count=len(unlisted))


def _repair(refusal: str, code: str, facts: Facts) -> str:
    match refusal:
        case "recipient-closed":
            return facts.directory.successor_of(code, facts.today) or _ASK_DIRECTORY
        case "recipient-not-connected":
            return _ELSEWHERE
        case "recipient-locked":
            return _LOCKED
    return _listed_code(code, facts)


def _listed_code(code: str, facts: Facts) -> str:
    """A listed code that may have been meant: the same unit by QĐ 20/2020, or the code in capitals."""
    for guess in (guessed_successor_code(code), canonical(code.upper())):
        if guess != code and facts.directory.listed(guess):
            return guess
    return _ASK_DIRECTORY


def _name(organization: Organization, place: str, facts: Facts) -> Iterator[Violation]:
    listed = facts.directory.name_of(organization.organ_id)
    if listed and organization.name not in ("", listed) and name_key(listed) != name_key(organization.name):
        code = facts.directory.resolve(organization.organ_id)
        yield NAME_DIRECTORY.at(place, organization.name, listed, code=code, name=listed)
