"""A tree to a ``Document`` or a ``StatusReport``.

Values are taken as they stand and judged nowhere here; order, prefixes and unknown elements do not matter, and of a
repeated single element the last counts, as for the vendor's library. Unlike there, a missing DocumentId stays missing
(the library makes one up, another at every reading), and numbers and dates stay texts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lxml import etree

from hub.domain.document import (
    Business,
    Document,
    DocumentRef,
    Organization,
    Receiver,
    Replaced,
    StaffInfo,
    StatusReport,
    Trace,
)
from hub.domain.edxml import names
from hub.domain.edxml.attachments import attachment_parts, manifest_of
from hub.domain.edxml.elements import child, children, fields_of, local_name, text_of, whole_text
from hub.domain.edxml.parse import DEFAULT_LIMITS, Limits, Tree, is_status
from hub.errors import Refusal

T = TypeVar("T")


def read_document(tree: Tree, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The document packet's content. Raises ``Refusal`` ``packet-is-status``.

    A To without any value is kept, so that a rule can point at it; other empty elements are as if missing.
    """
    if is_status(tree):
        raise Refusal("packet-is-status", pointer="MessageHeader/StatusCode")
    header = tree.message_header
    fields: dict[str, Any] = fields_of(header, names.TEXTS)
    for group, table in names.GROUPS.items():
        fields |= fields_of(child(header, group), table)
    steering = child(header, "SteeringType")
    if steering is not None:
        # The vendor's reader stops at anything but an integer, blanks and nothing included: kept for the rule to see.
        fields["steering_type"] = str(steering.xpath("string()"))[:200] or " "
    traces = child(tree.header, "TraceHeaderList")
    return Document(
        sender=Organization(**fields_of(child(header, "From"), names.ORGANIZATION)),
        recipients=tuple(Organization(**fields_of(to, names.ORGANIZATION)) for to in header.iterchildren("{*}To")),
        appendixes=_texts(child(header, "OtherInfo"), "Appendixes", "Appendix"),
        response_for=_rows(header, "ResponseFor", names.RESPONSE_FOR, DocumentRef),
        task_codes=_texts(header, "ResponseForTask", "TaskCode"),
        to_places=_texts(header, "ToPlaces", "Place"),
        business=_business(None if traces is None else child(traces, "Bussiness")),
        traces=_rows(traces, "TraceHeader", names.TRACE, Trace),
        manifest=manifest_of(tree),
        attachments=attachment_parts(tree, limits),
        unknown=tuple(
            (local_name(each), text)
            for each in children(header)
            if local_name(each) not in names.MESSAGE_HEADER and (text := whole_text(each))
        ),
        **fields,
    )


def read_status(tree: Tree) -> StatusReport:
    """The status packet's content. Raises ``Refusal`` ``packet-is-document``."""
    if not is_status(tree):
        raise Refusal("packet-is-document", pointer="MessageHeader")
    header = tree.message_header
    return StatusReport(
        sender=Organization(**fields_of(child(header, "From"), names.ORGANIZATION)),
        response_for=DocumentRef(**fields_of(child(header, "ResponseFor"), names.RESPONSE_FOR)),
        staff=StaffInfo(**fields_of(child(header, "StaffInfo"), names.STAFF)),
        **fields_of(header, names.STATUS),
    )


def _business(element: etree._Element | None) -> Business:
    if element is None:
        return Business()
    fields: dict[str, Any] = fields_of(element, names.BUSINESS)
    receivers: list[Receiver] = []
    for info in element.iterchildren("{*}BussinessDocumentInfo"):
        fields |= fields_of(info, names.DOCUMENT_INFO)
        for receiver_list in info.iterchildren("{*}ReceiverList"):
            receivers += _rows(receiver_list, "Receiver", names.RECEIVER, Receiver)
    replaced = [
        Replaced(text_of(child(info, "DocumentId")), _texts(info, "OrganIdList", "OrganId"))
        for info_list in element.iterchildren("{*}ReplacementInfoList")
        for info in info_list.iterchildren("{*}ReplacementInfo")
    ]
    return Business(
        receivers=tuple(receivers),
        replaced=tuple(each for each in replaced if each != Replaced("")),
        staff=_rows(element, "StaffInfo", names.STAFF, StaffInfo),
        **fields,
    )


def _rows(parent: etree._Element | None, name: str, table: dict[str, str], row: Callable[..., T]) -> tuple[T, ...]:
    """One ``row`` for each child called ``name`` that has a value."""
    if parent is None:
        return ()
    found = (fields_of(each, table) for each in parent.iterchildren("{*}" + name))
    return tuple(row(**fields) for fields in found if any(fields.values()))


def _texts(parent: etree._Element | None, group: str, name: str) -> tuple[str, ...]:
    """The texts of the children called ``name`` of the child ``group``."""
    holder = None if parent is None else child(parent, group)
    if holder is None:
        return ()
    return tuple(text for each in holder.iterchildren("{*}" + name) if (text := text_of(each)))
