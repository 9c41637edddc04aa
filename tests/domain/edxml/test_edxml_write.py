"""Fields to a packet: the layout the vendor's library writes, and nothing lost on the way back."""

from __future__ import annotations

import unicodedata
from dataclasses import fields
from typing import Any

import pytest
from builders.packets import DOCUMENT_ID, NGHE_AN, a_document, a_status, an_attachment
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.document import (
    Attachment,
    Business,
    Document,
    DocumentRef,
    ManifestEntry,
    Organization,
    Receiver,
    Replaced,
    StaffInfo,
    StatusReport,
    Trace,
)
from hub.domain.edxml import parse, read_document, read_status, write_document, write_status

EMPTY = Document(sender=Organization(), recipients=())

# What a reader can give back: characters that XML carries, composed, trimmed, and not the word that means missing.
_characters = st.one_of(
    st.sampled_from("aăâđêôơưẶỆỘỮ\u0323 <>&\"'\r\n\t]-𠀀"),
    st.characters(exclude_categories=("Cs", "Cc"), max_codepoint=0xFFFD),
)
texts = (
    st.text(_characters, max_size=25)
    .map(lambda text: unicodedata.normalize("NFC", text).strip())
    .filter(lambda text: text != "null")
)
some_texts = st.lists(texts.filter(bool), max_size=3).map(tuple)


def records(kind: type, **given_fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    plain = {field.name: texts for field in fields(kind) if field.type == "str"}
    return st.builds(kind, **(plain | given_fields))


def rows(kind: type) -> st.SearchStrategy[Any]:
    return st.lists(records(kind).filter(lambda row: row != kind()), max_size=2).map(tuple)


replacements = st.builds(Replaced, texts.filter(bool), some_texts)
businesses = records(
    Business,
    type=st.sampled_from("01239"),
    receivers=rows(Receiver),
    replaced=st.lists(replacements, max_size=2).map(tuple),
    staff=rows(StaffInfo),
)
documents = records(
    Document,
    sender=records(Organization),
    recipients=st.lists(records(Organization), max_size=2).map(tuple),
    appendixes=some_texts,
    response_for=rows(DocumentRef),
    task_codes=some_texts,
    to_places=some_texts,
    business=businesses,
    traces=rows(Trace),
    manifest=st.just(()),
    attachments=st.just(()),
    unknown=st.lists(st.tuples(st.sampled_from(["MaHoSo", "Ghi-chú"]), texts.filter(bool)), max_size=2).map(tuple),
)


@settings(max_examples=60)
@given(documents)
def test_a_written_document_is_read_back_equal(document: Document) -> None:
    assert read_document(parse(write_document(document))) == document


@settings(max_examples=40)
@given(
    records(
        StatusReport,
        status=st.sampled_from(["01", "02", "16"]),
        sender=records(Organization),
        response_for=records(DocumentRef),
        staff=records(StaffInfo),
    )
)
def test_a_written_status_is_read_back_equal(report: StatusReport) -> None:
    assert read_status(parse(write_status(report))) == report


# What starts like a ZIP is read as one, so it comes back whole only if it is one.
no_archives = st.binary(min_size=1, max_size=60).filter(lambda content: not content.startswith(b"PK\x03\x04"))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.text(_characters, max_size=25), no_archives, texts), max_size=3))
def test_written_attachments_are_read_back_equal(files: list[tuple[str, bytes, str]]) -> None:
    attachments = tuple(
        an_attachment(f"{name}.pdf".strip(), content, content_id=str(number), description=description)
        for number, (name, content, description) in enumerate(files)
    )
    document = a_document(attachments=attachments)
    assert read_document(parse(write_document(document))) == document


def test_a_status_is_written_as_the_vendors_library_writes_it() -> None:
    report = StatusReport(
        NGHE_AN, DocumentRef("000.00.00.G22", "15/VPCP-TTĐT", DOCUMENT_ID), status="01", timestamp="t"
    )
    assert write_status(report).decode().split("\r\n") == [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016">',
        '  <edXML:edXMLEnvelope xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016">',
        "    <edXML:edXMLHeader>",
        "      <edXML:MessageHeader>",
        "        <edXML:From>",
        "          <edXML:OrganId>000.00.00.H41</edXML:OrganId>",
        "          <edXML:OrganizationInCharge>Chính phủ</edXML:OrganizationInCharge>",
        "          <edXML:OrganName>Ủy ban nhân dân tỉnh Nghệ An</edXML:OrganName>",
        "          <edXML:OrganAdd>Số 03 Trường Thi, Vinh, Nghệ An</edXML:OrganAdd>",
        "          <edXML:Email>vanthu@nghean.example.vn</edXML:Email>",
        "        </edXML:From>",
        "        <edXML:ResponseFor>",
        "          <edXML:OrganId>000.00.00.G22</edXML:OrganId>",
        "          <edXML:Code>15/VPCP-TTĐT</edXML:Code>",
        "          <edXML:DocumentId>000.00.00.G22,2025/01/02,15/VPCP-TTĐT</edXML:DocumentId>",
        "        </edXML:ResponseFor>",
        "        <edXML:StatusCode>01</edXML:StatusCode>",
        "        <edXML:Timestamp>t</edXML:Timestamp>",
        "      </edXML:MessageHeader>",
        "    </edXML:edXMLHeader>",
        "  </edXML:edXMLEnvelope>",
        "</edXML>",
        "",
    ]


def test_a_document_of_nothing_has_its_frame_and_its_business_type() -> None:
    assert write_document(EMPTY).decode().split("\r\n")[3:-1] == [
        "    <edXML:edXMLHeader>",
        "      <edXML:MessageHeader />",
        "      <edXML:TraceHeaderList>",
        "        <edXML:Bussiness>",
        "          <edXML:BussinessDocType>0</edXML:BussinessDocType>",
        "        </edXML:Bussiness>",
        "      </edXML:TraceHeaderList>",
        "    </edXML:edXMLHeader>",
        "    <edXML:edXMLBody>",
        '      <edXML:edXMLManifest version="1.0" />',
        "    </edXML:edXMLBody>",
        "  </edXML:edXMLEnvelope>",
        "  <AttachmentEncoded />",
        "</edXML>",
    ]


def test_the_message_header_is_in_the_vendors_order() -> None:
    document = a_document(
        response_for=(DocumentRef(code="7/UBND-VX"),),
        task_codes=("NV-1",),
        application_type="a",
        appendixes=("Phụ lục I",),
    )
    assert [element.tag.rpartition("}")[2] for element in parse(write_document(document)).message_header] == [
        "From",
        "To",
        "DocumentId",
        "Code",
        "PromulgationInfo",
        "DocumentType",
        "Subject",
        "Content",
        "SignerInfo",
        "DueDate",
        "OtherInfo",
        "ResponseFor",
        "SteeringType",
        "ResponseForTask",
        "ApplicationType",
        "ToPlaces",
    ]


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.pdf", "application/pdf"),
        ("A.PDF", "application/pdf"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.zip", "application/zip"),
        ("A.ZIP", "application/octet-stream"),
        ("a.dwg", "application/octet-stream"),
        ("zip", "application/octet-stream"),
    ],
)
def test_the_type_follows_from_the_name_and_says_zip_only_where_the_vendors_reader_leaves_it(
    name: str, content_type: str
) -> None:
    document = a_document(attachments=(an_attachment(name, b"noi dung", content_type="application/zip"),))
    read = read_document(parse(write_document(document)))
    assert read.attachments[0].content_type == content_type
    assert read.manifest == (ManifestEntry("15-vpcp-ttdt", content_type, name, read.attachments[0].description),)


def test_a_file_that_came_wrapped_is_written_as_itself() -> None:
    wrapped = Attachment("1", "a.txt", b"PK\x03\x04 the wrapping", "Báo cáo".encode(), "application/zip", wrapped=True)
    (read,) = read_document(parse(write_document(a_document(attachments=(wrapped,))))).attachments
    assert (read.octets, read.content, read.wrapped) == ("Báo cáo".encode(), "Báo cáo".encode(), False)


def test_a_content_id_is_written_with_one_cid_in_both_places() -> None:
    assert write_document(a_document()).count(b"ContentId>cid:15-vpcp-ttdt</") == 2


@pytest.mark.parametrize("ids", [("",), ("1", "1")], ids=["none", "twice"])
def test_attachments_need_ids_of_their_own(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="content id"):
        write_document(a_document(attachments=tuple(an_attachment(content_id=content_id) for content_id in ids)))


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_a_character_that_xml_cannot_carry_is_an_error_and_not_left_out(character: str) -> None:
    with pytest.raises(ValueError, match="Subject"):
        write_document(a_document(subject=f"a{character}b"))
    with pytest.raises(ValueError, match="Description"):
        write_status(a_status(description=character))


@pytest.mark.parametrize("name", ["", "a b", "1a", "a:b", "a><b"])
def test_an_unknown_element_needs_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="element name"):
        write_document(a_document(unknown=((name, "x"),)))


def test_a_written_packet_has_no_signature() -> None:
    assert parse(write_document(a_document())).signatures == 0
